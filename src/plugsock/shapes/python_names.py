"""Names and values as Python writes them: what a field, a parameter or a class may be called, and literals."""

import ast
import keyword
import math
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import count
from typing import Any, Final

BUILTINS: Final = frozenset(
    {"bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"}
)
"""What types are written with. Where a class or a function has something of such a name, it is `builtins.list` there."""

IMPORTED: Final[dict[str, Sequence[str]]] = {
    "collections.abc": ("AsyncGenerator", "Iterator"),
    "contextlib": ("AbstractAsyncContextManager", "AbstractContextManager"),
    "decimal": ("Decimal",),
    "enum": ("Enum", "IntEnum", "StrEnum"),
    "typing": ("Annotated", "Any", "Final", "Literal", "TypeAlias"),
    "uuid": ("UUID",),
    "msgspec": ("UNSET", "Meta", "Struct", "UnsetType"),
    "plugsock": ("Raw",),
    "plugsock.client": ("Client", "View", "blocking"),
}
"""Where the names come from that a module may use; it imports those that it does."""

MODULES: Final = {"builtins": "builtins", "dt": "datetime", "msgspec": "msgspec"}
"""Modules that it may use, by what it calls them."""

GIVEN: Final = "_given"
"""The function that leaves out what was left out."""

SHAPES: Final = "SHAPES"

ERROR_CODE: Final = "ErrorCode"

ROOTS: Final = frozenset({"Plugs", "BlockingPlugs"})

OURS: Final = ROOTS.union([GIVEN, SHAPES, ERROR_CODE], MODULES, *IMPORTED.values(), keyword.kwlist)
"""What nothing can be called that an author has named, beside the names of builtins."""

CLASSES_TAKEN: Final = OURS | BUILTINS


def attributes(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """What to call what has these names: the same where Python takes that, else much like it, and no two alike.

    Args:
        names: Of fields, parameters or functions, each once.
        taken: What none may be called, besides keywords.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for name in names:
        wanted[_attribute(name, taken)].append(name)
    found: dict[str, str] = {}
    used = set(wanted)
    for attribute, those in wanted.items():
        those.sort(key=lambda name: name != attribute)  # stable: who is called so anyway keeps it
        found[those[0]] = attribute
        for other in those[1:]:
            found[other] = next(free for n in count(2) if (free := f"{attribute}{n}") not in used)
            used.add(found[other])
    return found


def _attribute(name: str, taken: Collection[str]) -> str:
    word = "".join(char if f"_{char}".isidentifier() else "_" for char in name)
    if word.startswith("__"):  # Python would give it another name within a class
        word = word.lstrip("_")
    if not word.isidentifier():
        word = f"_{word}"
    return f"{word}_" if word in taken or keyword.iskeyword(word) else word


def imports(source: str) -> str:
    """The imports of all that this source uses, as people and their tools sort them."""
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    modules = [(module, name) for name, module in MODULES.items() if name in used]
    whole = {module: f"import {module}" if module == name else f"import {module} as {name}" for module, name in modules}
    parts = {
        module: f"from {module} import {', '.join(sorted(found, key=lambda name: (not name.isupper(), name)))}"
        for module, names in IMPORTED.items()
        if (found := used.intersection(names))
    }
    blocks = []
    for wanted in (True, False):
        for lines in (whole, parts):
            blocks += [lines[module] for module in sorted(lines) if _is_standard(module) is wanted]
        blocks.append("")
    return "\n".join(blocks).strip() + "\n"


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def or_unset(text: str) -> str:
    """A type, or nothing at all; None stays the last."""
    if text == "Any":
        return text
    if text == "None":
        return "UnsetType | None"
    return f"{text.removesuffix(' | None')} | UnsetType{' | None' if text.endswith(' | None') else ''}"


def literal(value: Any) -> str:
    """A text, number, boolean, bytes or None as Python writes it, with double quotes."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, str | bytes):
        text = repr(value)
        quote = text.find("'")
        inner = text[quote + 1 : -1]
        return f'{text[:quote]}"{inner}"' if text.endswith("'") and '"' not in inner and "\\'" not in inner else text
    return repr(value)


def docstring(lines: Sequence[str], indent: str) -> str:
    """A docstring with line breaks; empty where there is nothing to say."""
    safe = [_safe(each) for line in lines for each in line.splitlines() or [""]]
    while safe and not safe[-1]:
        safe.pop()
    if not any(safe):
        return ""
    if len(safe) == 1 and not safe[0].endswith('"'):
        return f'{indent}"""{safe[0]}"""\n'
    body = "".join(f"{indent}{line}\n" if line else "\n" for line in safe[1:])
    return f'{indent}"""{safe[0]}\n{body}{indent}"""\n'


def _safe(line: str) -> str:
    """Nothing in it ends the text, or does something to a terminal."""
    shown = "".join(char if char.isprintable() else " " for char in line).rstrip()
    return shown.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
