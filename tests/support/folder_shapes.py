"""What a folder of plugs, and no default ones, looks like from outside; and whether a value fits what is said of it."""

import textwrap
from contextlib import contextmanager
from pathlib import Path

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader
from plugsock.shapes.describe import describe
from plugsock.shapes.events import read
from plugsock.shapes.schema import document

HEAD = "from msgspec import Meta, Struct\nfrom plugsock import Raw, Server, Socket, User, plug, topic, view\n"


@contextmanager
def loaded(path: Path, **files: str):
    """Write files of plugs and load them, for as long as the catalogue is looked at; none may have a problem."""
    for name, text in files.items():
        (path / f"{name}.py").write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
    loader = Loader([Folder(path)])
    try:
        look = loader.look()
        assert not look.problems, look.problems
        yield loader.commit(look.stage, [group.id for group in look.groups])
    finally:
        loader.close()


def shapes(path: Path, **files: str):
    with loaded(path, **files) as catalog:
        return read(catalog)


def described(path: Path, **files: str):
    with loaded(path, **files) as catalog:
        return describe(read(catalog).events)


def schema(path: Path, **files: str):
    """The JSON Schema of some files, all of whose events can be shown."""
    types = described(path, **files)
    assert types.problems == []
    return document(shapes(path, **files), types)


def validator(document, pointer: str):
    """What one schema within a document says by itself, seen from outside of it."""
    registry = Registry().with_resource("schema.json", Resource.from_contents(document))
    reference = {"$ref": f"schema.json#{pointer}"}
    return Draft202012Validator(reference, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)


def fits(document, pointer: str, value) -> bool:
    return validator(document, pointer).is_valid(value)
