"""The examples of a page of the documentation: files that a reader would write, and could run."""

import re
import subprocess
import sys


def files_of(page):
    """The code blocks that begin with the name of a file, by that name."""
    return dict(re.findall(r"^```python\n# (\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


def lay_out(files, folder):
    """Write them down."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def run_tests(folder):
    """Run the tests among them, as the page says."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "-p", "no:cacheprovider", "tests"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
