"""Ten seconds of coverage-guided fuzzing a target; by hand it may run for hours."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))
TARGETS = Path(__file__).with_name("targets.py")

SEEDS = {
    "frames": [
        b"\x81\x85\0\0\0\0hello",
        b"\x01\x83\1\2\3\4abc\x80\x82\0\0\0\0de",
        b"\x82\xfe\0\x80\0\0\0\0" + b"x" * 128,
        b"\x89\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xe8",
        b"\x81\xff\0\0\0\0\0\1\0\0\0\0\0\0",
    ],
    "header": [
        b'call 7 a.b?timeout=2&key=k {"a":1}',
        b"more 8 32",
        b"hello 1 plugsock {}",
        b"push - a.b {}",
        b"ok 7 1",
    ],
    "deflate": [b"\xf2H\xcd\xc9\xc9\x07\0", b"\x03\0", b"\0\5\0\xfa\xffHello"],
    "handshake": [b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"],
    "batch": [
        b"\0\0\0\x12\x91\x96@\x07\0\xc4\x011\xcb?\xe0\0\0\0\0\0\0\xc0",
        b"\0\0\0\x04\x91\x92\x02\x07",
        b"\0\0\0\x12\x91\x94J\x01\0\x94\xa6Revoke\xa1a\xa1b\xc0",
        b"\0\0\0 \x91\x93\x0e\x01\x92\x83\xa7sockets\x01\xa5calls\0\xa7streams\0\xa0",
        b"\0\0\0\n\x92\x93\x03\x07 \x93\x04\xa1s\xc3",
    ],
}


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="pip install atheris")
@pytest.mark.timeout(120 + 2 * SECONDS)
@pytest.mark.parametrize("target", SEEDS)
def test_nothing_that_is_sent_makes_the_pure_parts_fail(target, tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[target]):
        (corpus / str(number)).write_bytes(seed)
    ended = subprocess.run(
        [sys.executable, str(TARGETS), target, f"-max_total_time={SECONDS}", "-max_len=4096", str(corpus)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100 + 2 * SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    runs = re.search(r"Done (\d+) runs", ended.stderr)
    assert runs, ended.stderr[-2000:]
    assert int(runs[1]) > 1000
