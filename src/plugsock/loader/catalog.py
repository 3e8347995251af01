"""An immutable table of what is served: event -> Plug."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from plugsock.loader.declare import Options
from plugsock.loader.examples import Example
from plugsock.loader.signature import Signature
from plugsock.loader.source import Origin
from plugsock.model import Announcement


class Plug(Struct, frozen=True, eq=False):
    """An event of one revision, ready to be run."""

    announcement: Announcement
    """What the gateway is told of it."""
    function: Callable[..., Any]
    signature: Signature
    options: Options
    module: str

    @property
    def event(self) -> str:
        """The name it answers to."""
        return self.announcement.event

    @property
    def origin(self) -> Origin:
        """Which folder it comes from."""
        return self.announcement.origin

    @property
    def examples(self) -> tuple[Example, ...]:
        """What its author has shown of it; unchecked, see `fitting.misfits`."""
        return self.options.examples


class Catalog(Mapping[str, Plug]):
    """Event -> Plug; an event of the user's folder hides the embedded one of the same name."""

    def __init__(self, plugs: Mapping[tuple[Origin, str], Plug] | None = None) -> None:
        self._all: Final = MappingProxyType(dict(plugs or {}))
        embedded = {event: plug for (origin, event), plug in self._all.items() if origin == "embedded"}
        folder = {event: plug for (origin, event), plug in self._all.items() if origin == "folder"}
        self._served: Final = MappingProxyType(embedded | folder)
        self._by_module: Final[dict[str, list[Plug]]] = {}
        for plug in self._all.values():
            self._by_module.setdefault(plug.module, []).append(plug)

    def __getitem__(self, event: str) -> Plug:
        return self._served[event]

    def __iter__(self) -> Iterator[str]:
        return iter(self._served)

    def __len__(self) -> int:
        return len(self._served)

    def owner(self, origin: Origin, event: str) -> Plug | None:
        """Whose event it is within one folder, hidden or not."""
        return self._all.get((origin, event))

    def of(self, modules: Iterable[str]) -> list[Plug]:
        """Everything that some modules define."""
        return [plug for module in modules for plug in self._by_module.get(module, ())]

    def replaced(self, modules: Collection[str], plugs: list[Plug]) -> "Catalog":
        """The table in which these modules define these plugs and nothing else."""
        rest = {key: plug for key, plug in self._all.items() if plug.module not in modules}
        return Catalog(rest | {(plug.origin, plug.event): plug for plug in plugs})
