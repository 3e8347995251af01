"""Who is told, and who is not any more."""

from plugsock.client.callbacks import Callbacks


def test_each_is_told_in_the_order_in_which_it_was_added():
    told = []
    callbacks = Callbacks()
    for name in "ab":
        callbacks.add(lambda value, name=name: told.append(name + value))
    callbacks.tell("1")

    assert told == ["a1", "b1"]


def test_the_same_function_twice_is_told_twice_and_each_is_ended_by_itself():
    told = []
    callbacks = Callbacks()
    end = callbacks.add(told.append)
    callbacks.add(told.append)
    end()
    end()
    callbacks.tell(1)

    assert told == [1]


def test_one_that_raises_keeps_nothing_from_the_others(caplog):
    told = []
    callbacks = Callbacks()
    callbacks.add(lambda _value: 1 / 0)
    callbacks.add(told.append)
    callbacks.tell(1)

    assert told == [1]
    assert "ZeroDivisionError" in caplog.text


def test_one_may_end_itself_while_it_is_told():
    told = []
    callbacks = Callbacks()
    end = callbacks.add(lambda value: (told.append(value), end()))
    callbacks.tell(1)
    callbacks.tell(2)

    assert told == [1]
