"""All rules over a catalogue."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from plugsock.checks import rules, types
from plugsock.checks.parts import spots
from plugsock.checks.places import Place, Places
from plugsock.checks.rules import Choice, Report
from plugsock.loader.catalog import Catalog, Plug
from plugsock.loader.fitting import misfits
from plugsock.model import Kind, Problem


class Checker:
    """Says what the rules say of a catalogue, which has to be loaded still."""

    def __init__(self, catalog: Catalog, choice: Choice) -> None:
        self.places = Places(catalog)
        self.plugs = [plug for _, plug in sorted(catalog.items()) if _is_own(plug)]
        """What clients can call of the folder's own."""
        self._catalog = catalog
        self._choice = choice

    def problems(self) -> list[Problem]:
        """What is seen without running anything: each once, however many events it is about."""
        events: dict[types.Said, set[str]] = defaultdict(set)
        for plug in self.plugs:
            for said in self._said(plug):
                events[said].add(plug.event)
        told = ((self._report(said, names), said[1]) for said, names in events.items())
        return [*self.places.wrong_comments(), *self.at_places(told)]

    def counting(self, rule: str, problems: Iterable[Problem]) -> list[Report]:
        """What somebody else has found, as far as the rule counts there."""
        told = (rules.report(rule, each.file, each.line, each.message, each.events) for each in problems)
        return self.at_places((each, Place(each.file, each.line, self._lines(each))) for each in told)

    def _lines(self, report: Report) -> frozenset[int]:
        """Where a comment is for it: at its own line, and at the functions that it is about."""
        plugs = (self._catalog[event] for event in report.events if event in self._catalog)
        return frozenset({report.line}).union(*(self.places.plug(plug).lines for plug in plugs))

    def at_places(self, told: Iterable[tuple[Report, Place]]) -> list[Report]:
        """Those reports that nobody has silenced, in the file or for the folder."""
        return [
            report
            for report, place in told
            if self._choice.is_on(report.rule) and not self.places.is_silent(report, place.lines)
        ]

    def _said(self, plug: Plug) -> Iterator[types.Said]:
        is_stream = plug.signature.kind is Kind.STREAM
        for spot in spots(plug, self.places):
            yield from types.said(spot, self.places, is_stream=is_stream)
        for sentence in misfits(plug):
            yield rules.WRONG_EXAMPLE, self.places.plug(plug), sentence

    def _report(self, said: types.Said, events: set[str]) -> Report:
        rule, place, sentence = said
        return rules.report(rule, place.file, place.line, sentence, events)


def _is_own(plug: Plug) -> bool:
    """Default plugs are nobody's to change who looks at a folder."""
    return plug.origin == "folder" and not plug.announcement.is_hidden
