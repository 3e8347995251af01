"""Counters an event."""

from plugsock.ops.ledger import ANSWERED, BYTES_OUT, COLUMNS, Ledger


def test_a_row_belongs_to_its_event():
    ledger = Ledger()
    row = ledger.row("a")
    row[ANSWERED] += 2
    row[BYTES_OUT] += 10
    assert ledger.row("a") is row
    assert ledger.read() == {"a": dict.fromkeys(COLUMNS, 0) | {"answered": 2, "bytes_out": 10}}
