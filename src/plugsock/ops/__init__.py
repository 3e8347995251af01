"""What runs a server needs beside serving: logs, counters, its place on the machine."""
