"""What Windows shows as the properties of the executable, as PyInstaller reads it from a file."""

import re
from pathlib import Path

RESOURCE = """\
VSVersionInfo(
  ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3F, flags=0x0, OS=0x40004, fileType=0x1),
  kids=[
    StringFileInfo([StringTable("040904B0", [
      StringStruct("FileDescription", "plugsock"),
      StringStruct("ProductName", "plugsock"),
      StringStruct("InternalName", "plugsock"),
      StringStruct("OriginalFilename", "plugsock.exe"),
      StringStruct("FileVersion", "{version}"),
      StringStruct("ProductVersion", "{version}"),
    ])]),
    VarFileInfo([VarStruct("Translation", [1033, 1200])]),
  ],
)
"""
"""US English and Unicode, as numbers (0409, 04B0): the one language that every Windows shows."""


def describe(version: str, file: Path) -> str:
    """Write the properties into a file, and return its path."""
    numbers = [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]
    file.write_text(RESOURCE.format(numbers=tuple((numbers + [0] * 4)[:4]), version=version), encoding="utf-8")
    return str(file)
