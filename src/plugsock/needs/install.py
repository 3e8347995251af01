"""From requirements to a library that meets them: first what is to be done is found out, then it is done at once."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from plugsock.errors import PlugsockError
from plugsock.needs.installed import Package, packages
from plugsock.needs.library import Library
from plugsock.needs.pip import Found, Pip


def install(
    requirements: Sequence[str],
    library: Library,
    pip: Pip,
    *,
    beside: Sequence[str],
    bundled: Path,
    upgrade: bool = False,
) -> list[Found]:
    """Install what is missing; whatever happens, the library has changed as a whole or not at all.

    Args:
        requirements: As pip takes them: `orjson>=3`, a URL, a wheel.
        library: Where to, locked.
        pip: Finds and fetches.
        beside: Where else modules are found, before the library: what is there can't be replaced from here.
        bundled: Where the executable says in `constraints.txt` what is in it; there may be no such file.
        upgrade: Install newer versions of these, too.

    Returns:
        What was installed; nothing if all was there.

    Raises:
        PlugsockError: It could not be done, and nothing has changed.
    """
    fixed = packages(beside)
    for text in requirements:
        _refuse_replacing(text, fixed)
    with library.staging() as staging:
        constraints = staging / "constraints.txt"
        pins = (f"{each.name}=={each.version}\n" for each in fixed.values())
        constraints.write_text("".join(pins), encoding="utf-8")
        ours = [path for path in (bundled / "constraints.txt",) if path.is_file()]
        found = pip.resolve(requirements, [constraints, *ours], staging / "report.json", upgrade=upgrade)
        if found:
            fresh = staging / "fresh"
            pip.fetch(found, fresh)
            _leave_out_commands(fresh)
            library.replace(fresh, staging)
    return sorted(found, key=lambda each: each.name.casefold())


def _refuse_replacing(text: str, fixed: dict[str, Package]) -> None:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:  # a path or a URL: pip says what is wrong with it
        return
    there = fixed.get(canonicalize_name(requirement.name))
    if there is not None and not requirement.specifier.contains(there.version, prereleases=True):
        raise PlugsockError(
            f"{text} can't be had: {there.name} {there.version} comes with plugsock's own Python, and is imported first"
        )


def _leave_out_commands(fresh: Path) -> None:
    """They would begin with a Python of their own, which there may be none of."""
    commands = fresh / "bin"
    if commands.is_dir() and not (commands / "__init__.py").exists():
        shutil.rmtree(commands)
