"""What a program or library of Linux needs, read from the file itself: no tool has to be there.

The layout is that of the System V ABI (elf.h); GNU's versions of symbols are described in the Linux Standard Base,
chapter "Symbol Versioning".
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

MAGIC: Final = b"\x7fELF"
NEEDED_VERSIONS: Final = 0x6FFFFFFE
"""SHT_GNU_verneed: the section that names the versions of symbols which a file needs of its libraries."""
DYNAMIC: Final = 6
"""SHT_DYNAMIC: the section with what the loader has to know."""
SEARCHED: Final = {15, 29}
"""DT_RPATH and DT_RUNPATH, in there: folders in which libraries are looked for."""
GLIBC: Final = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")

Version = tuple[int, ...]


class _Section(NamedTuple):
    kind: int
    offset: int
    size: int
    link: int
    """The section with the texts that this one's names are offsets into."""
    entries: int


def is_elf(file: Path) -> bool:
    """Is this a program or a library of Linux?"""
    with file.open("rb") as opened:
        return opened.read(4) == MAGIC


def glibc(file: Path) -> Version:
    """The least version of glibc that a program or library needs, as `(2, 17)`; empty if it needs none."""
    data = file.read_bytes()
    versions = (GLIBC.fullmatch(name) for name in needed_versions(data))
    return max((as_version(found[1]) for found in versions if found), default=())


def as_version(text: str) -> Version:
    """Read `2.17`."""
    return tuple(int(part) for part in text.split("."))


def as_text(version: Version) -> str:
    """Write `2.17`; empty for none."""
    return ".".join(map(str, version))


def needed_versions(data: bytes) -> Iterator[str]:
    """The versions of symbols that an ELF file needs, as `GLIBC_2.17` or `OPENSSL_3.0.0`."""
    order = "<" if data[5] == 1 else ">"
    sections = _sections(data, order)
    for section in sections:
        if section.kind == NEEDED_VERSIONS:
            yield from _names(data, order, section, sections[section.link].offset)


def search_paths(file: Path) -> Iterator[str]:
    """The folders in which a program or library has its libraries looked for, before the system's own."""
    data = file.read_bytes()
    order = "<" if data[5] == 1 else ">"
    layout = order + ("qQ" if data[4] == 2 else "iI")
    sections = _sections(data, order)
    for section in sections:
        if section.kind == DYNAMIC:
            for tag, value in struct.iter_unpack(layout, data[section.offset : section.offset + section.size]):
                if tag in SEARCHED:
                    yield from _text(data, sections[section.link].offset + value).split(":")


def _sections(data: bytes, order: str) -> list[_Section]:
    if data[4] == 2:  # 64 bits
        table, size, count = *struct.unpack_from(order + "Q", data, 0x28), *struct.unpack_from(order + "HH", data, 0x3A)
        layout = order + "4xI16xQQII"
    else:
        table, size, count = *struct.unpack_from(order + "I", data, 0x20), *struct.unpack_from(order + "HH", data, 0x2E)
        layout = order + "4xI8xIIII"
    return [_Section(*struct.unpack_from(layout, data, table + number * size)) for number in range(count)]


def _names(data: bytes, order: str, section: _Section, texts: int) -> Iterator[str]:
    place = section.offset
    for _ in range(section.entries):  # of libraries
        count, first, following = struct.unpack_from(order + "2xH4xII", data, place)
        entry = place + first
        for _ in range(count):  # of versions of this library
            name, next_entry = struct.unpack_from(order + "8xII", data, entry)
            yield _text(data, texts + name)
            entry += next_entry
        place += following


def _text(data: bytes, place: int) -> str:
    return data[place : data.index(b"\0", place)].decode()
