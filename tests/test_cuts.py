"""Clients whose network is cut at any byte, again and again: what they show in the end is what the server has.

PLUGSOCK_TEST_CUTS=10000 tries so many histories; PLUGSOCK_TEST_CUTS_SEED=N those of an earlier run.
"""

import asyncio
import itertools
import os
import sys

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from support.cut_histories import KEYS, CutHistory, calls, cuts, happened, keys, shows, stories
from support.cutting import NEVER, Cut
from support.guest import Guest
from support.stay import Stay

EXAMPLES = int(os.environ.get("PLUGSOCK_TEST_CUTS", "500"))
GUESTS = 3

MEETS = {
    *("resumed", "recovered", "holes", "item", "patch", "fault"),
    *(f"{verb} {code}" for verb in ("call", "watch") for code in ("cancelled", "not_received", "unknown_outcome")),
}
"""What happens in so many histories, or they were not worth it."""

WATCHED = "a"
"""The topic all of whose pushes are seen by somebody who is not cut off."""

guests = st.integers(0, GUESTS - 1)
counts = st.sampled_from((1, 1, 2, 3, 10, 70))
weathers = st.sampled_from(("calm",) * 24 + ("swaps",) * 3 + ("kills",) * 2)


class AnyCuts(CutHistory):
    """Up to three clients that call, watch, join and publish, over networks that are cut; see `settle`."""

    numbers = itertools.count(1)

    @initialize(
        story=stories,
        formats=st.lists(st.booleans(), min_size=2, max_size=GUESTS),
        shows=shows(GUESTS),
        weather=weathers,
    )
    def begin(self, story, formats, shows, weather):
        self.number = next(self.numbers)
        self.weather = weather
        self.truth = self.world.truth
        self.truth.story.clear()
        self.lost_changes = self.is_swapped = False
        self.published = []
        self.topics = {key: f"cuts.{self.number}.{key}" for key in KEYS}
        self.guests = []
        for number, (binary, proxy) in enumerate(zip(formats, self.world.proxies, strict=False)):
            guest = Guest(f"guest {number}", proxy.port, self.truth, binary=binary)
            guest.stays = {topic: Stay(topic, self.truth) for topic in self.topics.values()}
            self.guests.append(guest)
        self.do(self.open(shows))

    async def open(self, shows):
        await self.world.watch_over(self.topics[WATCHED])
        for guest, (views, topics) in zip(self.guests, shows, strict=False):
            await guest.come()
            await guest.ping()
            for view, key, patches in views:
                guest.watch(f"board.{view}", {"world": self.number, "key": key}, patches=patches)
            for key in topics:
                guest.join(guest.stays[self.topics[key]])

    # What clients do; who has no connection comes back for it.

    @rule(which=guests, event=calls, binary=st.booleans(), count=counts)
    def call(self, which, event, binary, count):
        guest = self.here(which)
        for _ in range(min(count, 100 - len(guest.asked))):
            guest.call(f"work.{event}", self.begun(event), binary=binary)
        self.do(self.world.turn())

    @rule(which=guests, key=keys, row=st.sampled_from("wxyz"), value=st.integers(1, 9) | st.none())
    def change(self, which, key, row, value):
        self.here(which).call("work.put", self.begun("put"), world=self.number, key=key, row=row, value=value)
        self.do(self.world.turn())

    @rule(which=guests, key=keys, view=st.sampled_from(("shared", "own")), patches=st.booleans(), binary=st.booleans())
    def watch(self, which, key, view, patches, binary):
        args = {"world": self.number, "key": key}
        self.here(which).watch(f"board.{view}", args, patches=patches, binary=binary)
        self.do(self.world.turn())

    @rule(which=guests, pick=st.integers(0, 9))
    def cancel(self, which, pick):
        guest = self.here(which)
        ids = [id for id, asked in guest.asked.items() if asked.stay is None and not asked.is_cancelled]
        if ids:
            guest.cancel(ids[pick % len(ids)])
        self.do(self.world.turn())

    @rule(which=guests, key=keys, count=st.sampled_from((1, 2, 5, 10)))
    def publish(self, which, key, count):
        guest = self.here(which)
        for _ in range(count):
            fate = self.begun("publish")
            self.published.append((key, fate))
            guest.call("work.publish", fate, topic=self.topics[key])
        self.do(self.world.turn())

    @rule(which=guests, key=keys, how=st.sampled_from(("join", "join", "invite", "leave")), says=st.booleans())
    def move(self, which, key, how, says):
        guest = self.here(which)
        stay = guest.stays[self.topics[key]]
        if not stay.is_pending:
            if how == "join":
                guest.join(stay, stay.last if says and stay.inside is False else None)
            elif how == "invite":
                guest.call("work.invite", self.begun("invite"), stay=stay, topic=stay.topic)
            elif stay.inside:
                guest.leave(stay)
        self.do(self.world.turn())

    @rule(which=guests)
    def breathe(self, which):
        self.do(self.here(which).ping())

    # What happens to them.

    @rule(which=guests, cut=cuts)
    def is_cut(self, which, cut):
        self.cut(which, cut)

    def cut(self, which, cut):
        for link in self.proxy(which).links[-1:]:
            self.truth.tell(f"{self.guest(which).name}: {cut}")
            link.arm(cut)
        self.do(self.world.turn())

    @rule(which=guests, room=st.integers(1, 200), is_up=st.booleans(), far=st.sampled_from(("fin", "rst", "nothing")))
    def cut_soon(self, which, room, is_up, far):
        self.cut(which, Cut(room if is_up else None, None if is_up else room, far=far))

    @rule(which=guests, cut=cuts, pick=st.integers(0, 5), drops=st.booleans())
    def come_back(self, which, cut, pick, drops):
        guest = self.guest(which)
        key = guest.spent_keys[-1] if guest.spent_keys and not pick else None
        self.come(which, cut, key, drops=drops)

    @precondition(lambda self: self.weather == "swaps")
    @rule()
    def save(self):
        self.is_swapped = True
        self.world.save()
        self.do(self.world.turn())

    @precondition(lambda self: self.weather == "kills")
    @rule(which=st.integers(0, 1))
    def kill(self, which):
        self.lost_changes = True
        self.do(self.world.kill(which))

    # What must be so.

    @precondition(lambda self: self.weather == "calm")
    @rule()
    def settled(self):
        self.do(self.settle())

    def teardown(self):
        try:
            if hasattr(self, "guests") and not self.truth.wrong:
                self.do(self.settle())
        finally:
            self.do(self.end())

    async def settle(self):
        """Let everybody come back, and see whether they have what there is."""
        for guest, proxy in zip(self.guests, self.world.proxies, strict=False):
            for link in proxy.links:
                link.arm(NEVER)
            while not (await self.home(guest) and await guest.ping()):
                pass  # the end of a connection that was cut before is heard only now
        if self.is_swapped:
            await self.world.is_in_force()
            self.is_swapped = False
        if self.lost_changes:
            await self.world.is_staffed()
            for key in KEYS:
                await self.world.put(self.number, key, "w", 1)
            self.lost_changes = False
        for key, topic in self.topics.items():
            await self.has_all_of(topic)
            self.is_published(key)
        for args in ({"world": self.number, "key": key} for key in KEYS):
            await self.shows_what_there_is(args)
        for guest in self.guests:
            assert await guest.ping()
        assert self.truth.look() == []
        self.truth.settle()
        self.published.clear()

    async def home(self, guest):
        """Have a client come back for as long as it takes to hear what became of all that it had asked for."""
        while not (guest.is_welcome and is_quiet(guest)):
            if not guest.is_connected:
                await guest.come()
            await guest.until(lambda: not guest.is_connected or (guest.is_welcome and is_quiet(guest)))
        return True

    async def has_all_of(self, topic):
        """Whoever is in a topic has seen it up to its end; that there was no gap is looked at with each push."""
        place = await self.world.place(topic)
        for guest in self.guests:
            stay = guest.stays[topic]
            assert await guest.ping()
            assert stay.inside is not True or stay.place is None or stay.place >= place, (guest.name, stay, place)

    def is_published(self, key):
        if key == WATCHED:
            tokens = self.truth.published(self.topics[key])
            for name, fate in self.published:
                if name == key:
                    most = 0 if fate.outcomes[-1] in {"not_received", "not_started"} else 1
                    least = int(fate.outcomes[-1] == "ok")
                    assert least <= tokens.count(fate.token) <= most, fate

    async def shows_what_there_is(self, args):
        """Every view comes to show what a call returns; a call of a session that is gone may still change that."""
        views = [
            (guest, asked.shown)
            for guest in self.guests
            for asked in guest.asked.values()
            if asked.shown and asked.shown.args == args
        ]
        for guest, shown in views:
            while shown.news != (value := await self.world.value(shown.view, args)):
                try:
                    async with asyncio.timeout(1.0):
                        await guest.until(lambda value=value, shown=shown: shown.news == value)
                except TimeoutError:
                    self.truth.count("waits")

    async def end(self):
        for guest in getattr(self, "guests", ()):
            for id in [id for id, asked in guest.asked.items() if asked.shown]:
                guest.cancel(id)
            guest.close()
        await self.world.turn()
        for proxy in self.world.proxies:
            proxy.clear()
        if WATCHED in getattr(self, "topics", ()) and self.topics[WATCHED] in self.world.driver.stays:
            await self.world.forget(self.topics[WATCHED])
        self.world.truth.wrong.clear()
        self.world.truth.settle()

    # Words.

    def guest(self, which):
        return self.guests[which % len(self.guests)]

    def proxy(self, which):
        return self.world.proxies[which % len(self.guests)]

    def here(self, which):
        """A client, which has come back if it was away."""
        guest = self.guest(which)
        if not guest.is_connected:
            self.come(which)
        return guest

    def come(self, which, cut=NEVER, key=None, *, drops=False):
        self.proxy(which).cut = cut
        self.truth.tell(f"{self.guest(which).name}: {cut}")
        self.do(self.guest(which).come(key, drops=drops))

    def begun(self, event):
        return self.truth.begin(f"work.{event}", is_safe=event == "safe")


def is_quiet(guest):
    """Does it wait for nothing but news?"""
    return all(asked.shown and not asked.shown.is_ending for asked in guest.asked.values())


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")
@pytest.mark.end_to_end
@pytest.mark.timeout(600 + EXAMPLES)
def test_whoever_comes_back_has_missed_nothing_without_a_word(tmp_path):
    told = happened(AnyCuts, tmp_path, GUESTS, EXAMPLES)
    assert EXAMPLES < 500 or told >= MEETS
