"""The product's own client whose network is cut at any byte, again and again: nothing runs twice, and nothing is lost
without a word.

PLUGSOCK_TEST_CLIENT_CUTS=1000 tries so many histories; PLUGSOCK_TEST_CUTS_SEED=N those of an earlier run.
"""

import asyncio
import itertools
import os
import sys

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from support.cut_histories import KEYS, CutHistory, calls, cuts, happened, keys, shows, stories
from support.cutting import NEVER, Cut
from support.traveller import Traveller

EXAMPLES = int(os.environ.get("PLUGSOCK_TEST_CLIENT_CUTS", "100"))
TRAVELLERS = 2

MEETS = {"waiting", "call ok", "stream ok", "recovered", "hole"}
"""What happens in a hundred histories, or they were not worth it."""

MEETS_SELDOM = {"call unknown_outcome", "stream unknown_outcome"}
"""What happens in a thousand."""

which_one = st.integers(0, TRAVELLERS - 1)


class AnyCuts(CutHistory):
    """Two clients that call, watch, join and publish, over networks that are cut; see `settle`."""

    numbers = itertools.count(1_000_000)

    @initialize(
        story=stories,
        formats=st.lists(st.booleans(), min_size=TRAVELLERS, max_size=TRAVELLERS),
        shows=shows(TRAVELLERS),
    )
    def begin(self, story, formats, shows):
        self.number = next(self.numbers)
        self.world.truth.story.clear()
        self.travellers = []
        self.do(self.open(formats, shows))

    async def open(self, formats, shows):
        for number, (binary, proxy) in enumerate(zip(formats, self.world.proxies, strict=True)):
            who = Traveller(f"traveller {number}", proxy.port, self.world.truth, binary=binary)
            await who.come()
            self.travellers.append(who)
        for who, (views, topics) in zip(self.travellers, shows, strict=True):
            for view, key, patch in views:
                await who.watch(f"board.{view}", self.args(key), patch=patch)
            for key in topics:
                who.visit(self.topic(key))

    # What clients do; none of them asks first whether there is a connection.

    @rule(
        which=which_one,
        event=calls,
        count=st.sampled_from((1, 1, 2, 3, 10)),
    )
    def call(self, which, event, count):
        for _ in range(count):
            self.travellers[which].call(f"work.{event}", self.begun(event))
        self.do(self.world.turn())

    @rule(which=which_one, key=keys, row=st.sampled_from("wxyz"), value=st.integers(1, 9) | st.none())
    def change(self, which, key, row, value):
        self.travellers[which].call("work.put", self.begun("put"), **self.args(key), row=row, value=value)
        self.do(self.world.turn())

    @rule(which=which_one, key=keys, count=st.sampled_from((1, 2, 5, 10)))
    def publish(self, which, key, count):
        for _ in range(count):
            self.travellers[which].call("work.publish", self.begun("publish"), topic=self.topic(key))
        self.do(self.world.turn())

    @rule(which=which_one, key=keys, view=st.sampled_from(("shared", "own")), patch=st.booleans())
    def watch(self, which, key, view, patch):
        self.do(self.travellers[which].watch(f"board.{view}", self.args(key), patch=patch))

    @rule(which=which_one, key=keys, says=st.booleans())
    def move(self, which, key, says):
        """Leave a topic, or join it, and say what was seen last there."""
        self.do(self.moves(self.travellers[which], self.topic(key), says=says))

    async def moves(self, who, topic, *, says):
        visit = who.visits.pop(topic, None)
        if visit is None:
            who.visit(topic)
        else:
            await visit.end()
            if says and visit.topic is not None:
                who.visit(topic, at=visit.topic.position)

    @rule(which=which_one)
    def breathe(self, which):
        self.do(self.travellers[which].is_there())

    # What happens to them.

    @rule(which=which_one, cut=cuts)
    def is_cut(self, which, cut):
        self.cut(which, cut)

    @rule(which=which_one, cut=cuts, then=cuts)
    def is_cut_twice(self, which, cut, then):
        self.world.proxies[which].cut = then
        self.cut(which, cut)

    @rule(which=which_one, room=st.integers(1, 200), is_up=st.booleans(), far=st.sampled_from(("fin", "nothing")))
    def cut_soon(self, which, room, is_up, far):
        self.cut(which, Cut(room if is_up else None, None if is_up else room, far=far))

    def cut(self, which, cut):
        self.world.truth.tell(f"traveller {which}: {cut}")
        for link in self.world.proxies[which].links[-1:]:
            link.arm(cut)
        self.do(self.world.turn())

    # What must be so.

    def teardown(self):
        try:
            if hasattr(self, "travellers") and not self.world.truth.wrong:
                self.do(self.settle())
        finally:
            self.do(self.end())

    async def settle(self):
        """Let everybody come back, and see whether they have what there is."""
        for proxy in self.world.proxies:
            proxy.cut = NEVER
            for link in proxy.links:
                link.arm(NEVER)
        for who in self.travellers:
            while who.calls:
                await asyncio.wait(who.calls)
            await who.is_there()
            for visit in who.visits.values():
                await visit.is_joined()  # before somebody asks where it stands: one with nobody in it may begin anew
        assert self.world.truth.look() == []
        for key in KEYS:
            place = await self.world.place(self.topic(key))
            for who in self.travellers:
                if visit := who.visits.get(self.topic(key)):
                    await visit.is_at(place)
        for who in self.travellers:
            for view, args in who.views:
                await self.shows_what_there_is(view, args)
        self.world.truth.settle()

    async def shows_what_there_is(self, view, args):
        """A view comes to show what a call returns; a call of a session that is gone may still change that."""
        news = asyncio.Event()
        view.subscribe(lambda *_: news.set())
        while True:
            news.clear()
            wanted = await self.world.value(view.event, args)
            if wanted == (("fault", view.error.code) if view.status == "error" else ("value", view.value)):
                assert view.status in {"live", "error"}
                return
            try:
                async with asyncio.timeout(1.0):
                    await news.wait()
            except TimeoutError:
                self.world.truth.count("waits")

    async def end(self):
        for who in getattr(self, "travellers", ()):
            for visit in who.visits.values():
                await visit.end()
            await who.go()
        await self.world.turn()
        for proxy in self.world.proxies:
            proxy.clear()
        self.world.truth.wrong.clear()
        self.world.truth.settle()

    # Words.

    def topic(self, key):
        return f"cuts.{self.number}.{key}"

    def args(self, key):
        return {"world": self.number, "key": key}

    def begun(self, event):
        return self.world.truth.begin(f"work.{event}", is_safe=event == "safe")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")
@pytest.mark.end_to_end
@pytest.mark.timeout(120 + 2 * EXAMPLES)
def test_a_client_that_comes_back_has_missed_nothing_without_a_word(tmp_path):
    told = happened(AnyCuts, tmp_path, TRAVELLERS, EXAMPLES)
    assert EXAMPLES < 100 or told >= MEETS
    assert EXAMPLES < 1000 or told >= MEETS_SELDOM
