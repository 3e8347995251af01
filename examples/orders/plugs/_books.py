"""The books of the shop: a SQLite file beside the folder of plugs, which all workers share."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = Path(__file__).parents[1] / "orders.db"

TABLES = """
CREATE TABLE IF NOT EXISTS teas (sku TEXT PRIMARY KEY, name TEXT, cents INTEGER, cups INTEGER);
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, name TEXT, sku TEXT, count INTEGER, cents INTEGER, placed TEXT, served INTEGER DEFAULT 0
);
INSERT OR IGNORE INTO teas VALUES
    ('assam', 'Assam', 290, 40), ('sencha', 'Sencha', 340, 24), ('rooibos', 'Rooibos', 260, 60), ('moon', 'Moon', 990, 0);
"""


def create() -> None:
    """Make the tables and put teas on the shelf, where that is not done yet."""
    with books() as found:
        found.executescript(TABLES)


@contextmanager
def books() -> Iterator[sqlite3.Connection]:
    """Open the books; what was written counts once the block has ended well."""
    connection = sqlite3.connect(FILE, isolation_level="IMMEDIATE")
    connection.row_factory = sqlite3.Row
    try:
        with connection:
            yield connection
    finally:
        connection.close()
