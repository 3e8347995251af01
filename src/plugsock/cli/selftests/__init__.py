"""What `plugsock selftest` looks at, each by itself.

modules        everything that was put into the executable, or is installed, can be imported
importing      the process in which that is tried
surroundings   versions, certificates, time zones: what is found at run time only
serving        a server starts, answers, swaps and stops
"""
