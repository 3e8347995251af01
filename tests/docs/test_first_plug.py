"""The tutorial, done as a reader does it: its files are saved and its commands run, in order, against a real server."""

import os
import re
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "first-plug.md"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "ws://127.0.0.1:8765"
LIMIT_S = 30.0


class Terminal:
    """The first terminal, in which the server runs: its lines, as they come."""

    def __init__(self, command, place, environment):
        self.process = subprocess.Popen(
            command, cwd=place, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.lines = []
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, pattern, since=0):
        """The first line from `since` on that matches."""
        with self._grown:
            found = self._grown.wait_for(lambda: self._find(pattern, since) or self.process.poll() is not None, LIMIT_S)
            assert found, f"no line {pattern!r} in {self.lines}"
            return self._find(pattern, since) or pytest.fail(f"the server has ended: {self.lines}")

    def end(self):
        self.process.terminate()
        status = self.process.wait(LIMIT_S)
        self._reader.join()
        self.process.stdout.close()
        return status

    def _read(self):
        for line in self.process.stdout:
            with self._grown:
                self.lines.append(line)
                self._grown.notify_all()
        with self._grown:
            self._grown.notify_all()

    def _find(self, pattern, since):
        return next((match for line in self.lines[since:] if (match := re.search(pattern, line))), None)


class Reader:
    """Somebody who does what the page says."""

    def __init__(self, place):
        self.place = place
        self.environment = os.environ | {"PLUGSOCK_PORT": "0", "PYTHONUTF8": "1", "NO_COLOR": "1"}
        self.server = None
        self.url = ADDRESS

    def save(self, text):
        path = self.place / text.partition("\n")[0].removeprefix("# ")
        path.parent.mkdir(exist_ok=True)
        since = len(self.server.lines)
        path.write_text(text.replace(ADDRESS, self.url), encoding="utf-8")
        if path.parent.name == "plugs":
            self.server.wait_for(rf"(swapped|place=).*{path.stem}", since)

    def run(self, command, expected):
        if command == "python3 build.py run":
            self.start(expected)
            return
        words = [sys.executable, *(["-m"] if command.startswith("plugsock") else []), *shlex.split(command)]
        words = [word for word in words if word != "python3"]
        done = subprocess.run(
            words,
            cwd=self.place,
            env=self.environment,
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_S,
            check=False,
        )
        assert re.fullmatch(pattern(expected), done.stdout), f"$ {command}\n{done.stdout}instead of\n{expected}"

    def start(self, expected):
        self.server = Terminal([sys.executable, "-m", "plugsock"], self.place, self.environment)
        self.url = self.server.wait_for(r"ws://[\d.:]+\d")[0]
        expected = expected.replace(ADDRESS, self.url)
        for line in expected.splitlines():
            self.server.wait_for(f"^{pattern(line)}$")


def pattern(text):
    """What the page shows, where `…` stands for anything on a line."""
    return ".*".join(map(re.escape, text.split("…")))


def commands(block):
    """Each command of a console block, with the output that the page shows below it."""
    for part in block.removeprefix("$ ").split("\n$ "):
        command, _, output = part.partition("\n")
        yield command, output if not output or output.endswith("\n") else output + "\n"


@pytest.mark.timeout(180)
def test_everything_on_the_page_happens_as_it_says(tmp_path):
    (tmp_path / "plugs").mkdir()
    reader = Reader(tmp_path)
    try:
        for language, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
            if language == "python":
                reader.save(block)
            else:
                for command, expected in commands(block):
                    reader.run(command, expected)
    finally:
        status = reader.server.end()
    assert status == 0
