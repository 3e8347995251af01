"""`python -m plugsock`: the command line."""

import sys

if __name__ == "__main__":  # else it is what a process of a pool takes for its main module
    from plugsock.cli.main import main

    sys.exit(main())
