"""`plugsock_call.py PORT [FLAGS]`: plugsock itself, as shipped, on the plugs of this benchmark or on `--plugs DIR`."""

import os
import sys
from pathlib import Path

PLUGS = Path(__file__).parent.parent / "plugs"

if __name__ == "__main__":
    command = str(Path(sys.executable).with_name("plugsock"))
    port, *flags = sys.argv[1:]
    plugs = [] if "--plugs" in flags else ["--plugs", str(PLUGS)]
    os.execv(command, [command, "--port", port, *plugs, *flags])
