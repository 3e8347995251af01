"""A plug that is run until it is warm."""

from plugsock.hot import warm
from plugsock.hot.warm import watch
from plugsock.testing.alone import Alone
from support.folder_shapes import loaded


async def watched(tmp_path, text, monkeypatch):
    monkeypatch.setattr(warm, "BATCHES", 5)
    with loaded(tmp_path, it=f"import time\n{text}") as catalog:
        plug = catalog["it.go"]
        return await watch(Alone(plug), [b'{"a":1}', b'{"a":2}'], [plug.function.__code__])


async def test_it_is_called_often_and_looked_at_between(tmp_path, monkeypatch):
    found = await watched(tmp_path, "@plug\ndef go(a: int) -> int:\n    return a + a\n", monkeypatch)

    ((place, looks),) = found.looks.items()
    assert (place.name, len(looks), len(set(looks))) == ("BINARY_OP", 5, 1)
    assert found.warm_rounds >= warm.WARM_ROUNDS
    assert found.calls > 2 * found.warm_rounds
    assert found.is_settled


async def test_only_what_the_processor_does_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(warm, "LIMIT_S", 0.1)
    found = await watched(tmp_path, "@plug\ndef go(a: int) -> int:\n    time.sleep(0.02)\n    return 1\n", monkeypatch)

    assert found.per_call.low < 20e6
    assert not found.is_settled
