"""What only the built executable needs: everywhere else each of these does nothing.

    entry        where the executable begins, and in which order what follows is done
    python       the executable as a Python, for programs that plugs start with `sys.executable`
    executable   which file this is, where it lies, whether it was replaced, how to start it once more
    unpacked     the folder that a one-file executable unpacks itself into: kept while it is used, taken away afterwards
    launcher     the process that unpacked it: who waits for this one, and forwards signals
    tracker      what Python starts beside pools of processes: waited for, because it uses that folder, too
    libraries    shared libraries, certificates and time zones: ours for us, the system's for what plugs start

It imports nothing of plugsock but the words, so that everything may use it.
"""

import sys

IS_FROZEN = bool(getattr(sys, "frozen", False))
"""Is this the executable that PyInstaller has built?"""
