from plugsock.client.states import States, Why


def test_who_subscribes_is_told_of_each_change_and_why():
    told = []
    states = States()
    forget = states.subscribe(lambda state, why: told.append((state, why)))
    why = Why(1006, "", 0.3)
    states.become("open")
    states.become("waiting", why)
    forget()
    states.become("closed", why)

    assert told == [("open", None), ("waiting", why)]
    assert states.now == "closed"


def test_to_be_what_one_is_is_no_news():
    told = []
    states = States()
    states.subscribe(lambda state, _why: told.append(state))
    states.become("connecting")

    assert told == []
