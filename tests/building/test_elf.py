import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from building import elf

TEXTS = b"\0libc.so.6\0GLIBC_2.9\0GLIBC_2.17\0libssl.so.3\0OPENSSL_3.0.0\0GLIBC_PRIVATE\0"


def made(bits, order):
    """The least ELF file that needs versions: of libc two numbers and one name without, of libssl one."""
    at = TEXTS.index
    libc = [at(b"GLIBC_2.9"), at(b"GLIBC_2.17"), at(b"GLIBC_PRIVATE")]
    needs = _library(order, at(b"libc.so.6"), libc, last=False) + _library(
        order, at(b"libssl"), [at(b"OPENSSL")], last=True
    )
    sizes = (0x40, 0x40, order + "IIQQQQIIQQ") if bits == 64 else (0x34, 0x28, order + "IIIIIIIIII")
    header, section, layout = sizes
    texts, versions = header, header + len(TEXTS)
    table = versions + len(needs)
    sections = struct.pack(layout, 0, 3, 0, 0, texts, len(TEXTS), 0, 0, 0, 0)
    sections += struct.pack(layout, 0, elf.NEEDED_VERSIONS, 0, 0, versions, len(needs), 0, 2, 0, 0)
    start = elf.MAGIC + bytes([2 if bits == 64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    word = "Q" if bits == 64 else "I"
    start += struct.pack(f"{order}HHI{word}{word}{word}IHHHHHH", 3, 0, 1, 0, 0, table, 0, header, 0, 0, section, 2, 0)
    return start + TEXTS + needs + sections


def _library(order, file, names, *, last):
    entries = [
        struct.pack(order + "IHHII", 0, 0, 0, name, 0 if number == len(names) else 16)
        for number, name in enumerate(names, 1)
    ]
    following = 0 if last else 16 + 16 * len(entries)
    return struct.pack(order + "HHIII", 1, len(entries), file, 16, following) + b"".join(entries)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [32, 64])
def test_the_newest_glibc_that_a_file_needs_is_read_from_it(tmp_path, bits, order):
    file = tmp_path / "library.so"
    file.write_bytes(made(bits, order))

    assert list(elf.needed_versions(file.read_bytes())) == ["GLIBC_2.9", "GLIBC_2.17", "GLIBC_PRIVATE", "OPENSSL_3.0.0"]
    assert elf.glibc(file) == (2, 17)


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("objdump"), reason="needs objdump of Linux")
def test_it_sees_what_objdump_sees():
    import _ssl

    said = subprocess.check_output(["objdump", "-T", _ssl.__file__], text=True)

    assert elf.glibc(Path(_ssl.__file__)) == max(map(elf.as_version, re.findall(r"GLIBC_([\d.]+)", said)))


@pytest.mark.parametrize("bits", [32, 64])
def test_the_folders_in_which_its_libraries_are_looked_for_are_read_from_it(tmp_path, bits):
    file = tmp_path / "library.so"
    file.write_bytes(looking(b"$ORIGIN/lib:/home/me/python/lib", bits))

    assert list(elf.search_paths(file)) == ["$ORIGIN/lib", "/home/me/python/lib"]


def looking(paths, bits):
    """The least ELF file with folders to look in."""
    header, section, layout = (0x40, 0x40, "<IIQQQQIIQQ") if bits == 64 else (0x34, 0x28, "<IIIIIIIIII")
    entries = struct.pack("<qQqQqQ" if bits == 64 else "<iIiIiI", 1, 0, 29, 1, 0, 0)
    texts = b"\0" + paths + b"\0"
    table = header + len(texts) + len(entries)
    sections = struct.pack(layout, 0, 3, 0, 0, header, len(texts), 0, 0, 0, 0)
    sections += struct.pack(layout, 0, elf.DYNAMIC, 0, 0, header + len(texts), len(entries), 0, 0, 0, 0)
    start = elf.MAGIC + bytes([2 if bits == 64 else 1, 1, 1]) + bytes(9)
    word = "Q" if bits == 64 else "I"
    start += struct.pack(f"<HHI{word}{word}{word}IHHHHHH", 3, 0, 1, 0, 0, table, 0, header, 0, 0, section, 2, 0)
    return start + texts + entries + sections


def test_only_what_begins_like_one_is_an_elf_file(tmp_path):
    (tmp_path / "text").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "program").write_bytes(made(64, "<"))

    assert [elf.is_elf(tmp_path / name) for name in ("text", "program")] == [False, True]


def test_a_version_is_numbers_and_not_a_text():
    assert elf.as_version("2.9") < elf.as_version("2.17")
    assert elf.as_text((2, 17)) == "2.17"
