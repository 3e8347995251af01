"""`python -m plugsock`: the command line."""

import sys

from plugsock.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
