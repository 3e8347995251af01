"""How the executable is made; `build.py` runs it, `plugsock.spec` uses what says what is put in.

    environment   virtual environments, made from lock files
    modules       the modules in a folder, found without importing any
    stdlib        which modules of Python are put into the executable, which are not, and why
    packages      which packages are put into it, with their metadata and licences
    wheels        what is put into it as wheels
    contents      everything that is put into it as a file
    windows       what Windows shows as the executable's properties
    executable    PyInstaller, run so that the same sources give the same bytes
    unpack        everything that is in an executable, as files
    elf           what a Linux program needs of its system, read from the file
    audit         what must be true of an executable before anybody gets it
    archive       the files that people download
    deb           a Debian package of the unpacked form
    manual        the manual page, made from the help texts
    release       what the release workflow does beside building and testing
    trial         an executable and its archive, tried as a person would

Nothing but the standard library is needed, save where a module says that it runs in the build environment.
"""
