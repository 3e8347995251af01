"""`plugsock_call.py PORT [PLUGS]`: plugsock itself, as shipped, on the plugs of this benchmark or on another folder."""

import os
import sys
from pathlib import Path

PLUGS = Path(__file__).parent.parent / "plugs"


def main(port: str, plugs: str = str(PLUGS)) -> None:
    command = str(Path(sys.executable).with_name("plugsock"))
    os.execv(command, [command, "--plugs", plugs, "--port", port])


if __name__ == "__main__":
    main(*sys.argv[1:])
