"""Counters an event."""

from plugsock.ops.ledger import Ledger


def test_a_row_belongs_to_its_event():
    ledger = Ledger()
    row = ledger.row("a")
    row.answered += 2
    row.bytes_out += 10
    assert ledger.row("a") is row
    nothing = {"answered": 0, "failed": 0, "ran_s": 0.0, "bytes_in": 0, "bytes_out": 0, "items": 0}
    assert ledger.read() == {"a": nothing | {"answered": 2, "bytes_out": 10}}
