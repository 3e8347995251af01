"""What the executable does with the command line of a Python, without the executable; it is started isolated, as that is."""

import sys

from plugsock.frozen import python

sys.exit(python.run(["python3", *sys.argv[1:]]))
