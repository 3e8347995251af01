"""`plugsock_echo.py PORT`: a raw echo on plugsock's own listener, connection and frame parser."""

import os
import sys
from pathlib import Path

SERVER = Path(__file__).parents[2] / "tests" / "support" / "echo_server.py"

if __name__ == "__main__":
    os.execv(sys.executable, [sys.executable, str(SERVER), sys.argv[1]])
