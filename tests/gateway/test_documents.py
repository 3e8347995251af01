"""What is kept of documents, who is asked for them, and when anew."""

import pytest

from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.documents import Documents
from plugsock.gateway.http import Refusal
from plugsock.gateway.routes import Routes
from plugsock.model import Problem
from plugsock.ops.ledger import Ledger
from plugsock.rpc.frames import Document, Group
from support.scripted import ScriptedLink, announce

URL = "ws://127.0.0.1:8765"
BROKEN = Problem("orders.py", 3, "`orders.place` can't be described as JSON Schema", ("orders.place",))


class Site:
    """Documents of some plugs, and who is asked for them."""

    def __init__(self):
        self.routes = Routes(Deadlines(), Ledger(), 30.0, lambda _: False)
        self.documents = Documents(self.routes)
        self.link = self.documents.link = ScriptedLink()
        self.swap("one")

    def swap(self, event):
        self.routes.commit([Group(event, [announce(event)], [], [])])

    def get(self, path="/schema.json", url=URL):
        """A list that what is found there will be in."""
        found = []
        self.documents.find(path, url, ()).ask(found.append)
        return found

    @property
    def asked(self):
        return [words[1:] for words in self.link.said]


@pytest.fixture
def site():
    return Site()


@pytest.mark.parametrize(
    ("path", "name", "type"),
    [
        ("/schema.json", "schema", "application/json"),
        ("/asyncapi.json", "asyncapi", "application/json"),
        ("/types.d.ts", "types", "text/plain; charset=utf-8"),
    ],
)
def test_a_worker_is_asked_and_what_it_says_is_shown(site, path, name, type):
    found = site.get(path)
    assert (site.asked, found) == ([(1, name, URL)], [])

    site.documents.told(1, Document(b"it", []))
    (page,) = found
    assert (page.content, page.type) == (b"it", type)


def test_nothing_else_is_found(site):
    assert site.documents.find("/types.py", URL, ()) is None


def test_it_is_kept_until_the_plugs_change(site):
    site.get()
    site.documents.told(1, Document(b"old", []))
    assert site.get()[0].content == b"old"
    assert len(site.asked) == 1

    site.swap("two")
    found = site.get()
    assert len(site.asked) == 2
    site.documents.told(2, Document(b"new", []))
    assert [page.content for page in found] == [b"new"]
    assert site.get()[0].tag == found[0].tag


def test_many_ask_once(site):
    found = [site.get(), site.get()]
    assert len(site.asked) == 1

    site.documents.told(1, Document(b"it", []))
    assert [page.content for (page,) in found] == [b"it", b"it"]


def test_what_was_asked_before_a_swap_is_not_shown_to_those_who_ask_after_it(site):
    early = site.get()
    site.swap("two")
    late = site.get()
    assert len(site.asked) == 2

    site.documents.told(1, Document(b"old", []))
    site.documents.told(2, Document(b"new", []))
    assert (early[0].content, late[0].content) == (b"old", b"new")
    assert site.get()[0].content == b"new"


def test_what_comes_after_a_swap_is_not_kept(site):
    site.get()
    site.swap("two")
    site.documents.told(1, Document(b"old", []))

    assert site.get() == []


def test_each_address_has_its_own(site):
    site.get()
    site.get(url="ws://plugs.example")

    assert site.asked == [(1, "schema", URL), (2, "schema", "ws://plugs.example")]


def test_without_an_answer_it_is_tried_again(site):
    found = site.get()
    site.documents.told(1, Document(b"", []))

    (refusal,) = found
    assert isinstance(refusal, Refusal)
    assert refusal.status == 503
    site.get()
    assert len(site.asked) == 2


def test_an_answer_to_no_question_is_ignored(site):
    site.documents.told(1, Document(b"it", []))

    assert site.get() == []


def test_what_is_missing_is_said_once(site, capsys):
    for number, path in enumerate(("/schema.json", "/asyncapi.json"), 1):
        site.get(path)
        site.documents.told(number, Document(b"it", [BROKEN]))

    assert capsys.readouterr().err.count(BROKEN.message) == 1
