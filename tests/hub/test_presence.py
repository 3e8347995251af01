"""Who is in a topic, as those who are told see it."""

import json

from plugsock.hub.presence import Names, Presence
from plugsock.model import Member, User


def news(presence, after=-1):
    joined, left = presence.take().after(after)
    return [json.loads(each)["id"] for each in joined], list(left)


def test_there_is_one_entry_a_user_however_many_sockets():
    presence = Presence()
    for _ in range(3):
        presence.enter("ada", "ada", None)
    presence.enter("~x", None, None)
    assert [entry.plain() for entry in presence.listing()] == [Member("ada", "ada", 3), Member("~x", None, 1)]
    assert news(presence) == (["ada", "~x"], [])
    presence.leave("ada")
    presence.leave("ada")
    assert not presence.has_changed
    presence.leave("ada")
    assert news(presence) == ([], ["ada"])


def test_who_leaves_and_comes_back_between_two_news_has_joined():
    presence = Presence()
    presence.enter("ada", "ada", None)
    presence.take()
    presence.leave("ada")
    presence.enter("ada", "ada", None)
    assert news(presence) == (["ada"], [])
    assert news(presence) == ([], [])


def test_what_was_said_last_counts_and_is_news_only_if_it_is_new():
    presence = Presence()
    presence.enter("ada", "ada", b'{"at":1}')
    presence.take()
    presence.enter("ada", "ada", None)
    presence.say("ada", b'{"at":1}')
    assert not presence.has_changed
    presence.say("ada", b'{"at":2}')
    [entry] = presence.listing()
    assert entry.plain().data == {"at": 2}
    joined, _ = presence.take().after(-1)
    assert joined == [b'{"id":"ada","user":"ada","sockets":2,"data":{"at":2}}']


def test_who_has_heard_of_a_change_is_told_of_later_ones_only():
    presence = Presence()
    presence.enter("ada", "ada", None)
    presence.enter("bob", "bob", None)
    heard = presence.change
    presence.leave("ada")
    presence.enter("eve", "eve", None)
    taken = presence.take()
    assert [json.loads(each)["id"] for each in taken.after(heard)[0]] == ["eve"]
    assert taken.after(heard)[1] == ["ada"]
    assert taken.after(presence.change) == ([], [])


def test_nothing_is_kept_where_nobody_is_told_and_everybody_is_new_once_somebody_is():
    presence = Presence(is_told=False)
    presence.enter("ada", "ada", None)
    presence.enter("bob", "bob", None)
    presence.leave("bob")
    assert not presence.has_changed
    presence.tell(is_told=True)
    presence.tell(is_told=True)
    assert news(presence) == (["ada"], [])
    presence.enter("eve", "eve", None)
    presence.tell(is_told=False)
    assert not presence.has_changed


def test_a_socket_of_nobody_has_a_name_that_says_nothing_of_its_id():
    names, others = Names(), Names()
    name = names.of("socket", None)
    assert name.startswith("~")
    assert len(name) == 13
    assert name == names.of("socket", None)
    assert len({name, names.of("other", None), others.of("socket", None)}) == 3
    assert names.of("socket", User("ada")) == "ada"
