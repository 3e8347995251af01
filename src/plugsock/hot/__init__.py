"""What CPython makes of a plug: which instructions it could specialise for the types that they meet, and which not.

    loading     loads a folder as a server does, on an event loop that goes on
    files       which functions of the plug's own file run, and where these stand
    adaptive    what CPython has written into a function's code by now
    warm        runs a plug until that no longer changes, and takes the time
    operands    which expressions of the source each instruction works on
    met         which types these have
    report      all of it, put together

CPython (3.11 and later) replaces instructions by ones for the types that it sees (PEP 659). One that meets many types,
or something that there is no such form for, stays slow.
"""
