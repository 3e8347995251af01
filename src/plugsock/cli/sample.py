"""The plug that is written into a folder of plugs which is made for somebody who has none yet."""

from pathlib import Path
from typing import Final

NAME: Final = "hello.py"

SAMPLE: Final = '''"""Your first plug. Change something and save this file: the server takes it in at once, without a restart."""

from plugsock import plug


# A function marked @plug answers an event, which is named after its file and itself: this one is `hello`.
# Its parameters are what callers send. Their types are checked before it runs.
@plug
def hello(name: str = "world", times: int = 1) -> list[str]:
    """Say hello."""
    # What it returns is the answer. Try another greeting.
    return [f"Hello, {name}!"] * times


# Another plug is another function like this one, here or in a file of its own in this folder.
'''


def make_folder(plugs: Path, *, sample: bool) -> None:
    """Make a folder of plugs that only its owner can write to; one that is there stays as it is.

    Args:
        plugs: The folder.
        sample: Write a first plug into it, if it was not there.

    Raises:
        OSError: It can't be made.
    """
    try:
        plugs.mkdir(mode=0o755)  # whatever the umask: what others can write to is not served
    except FileExistsError:
        return
    if sample:
        file = plugs / NAME
        file.touch(mode=0o644)
        file.write_text(SAMPLE, encoding="utf-8")
