"""Says on the page which call's code the loop runs, in the words of `rpc.page`.

What a plug starts by itself and does not await (a task, a callback of the loop) is marked as nobody's: when that blocks
or crashes the process, no call is blamed.
"""

from plugsock.rpc.page import IDLE, STEP, Page
from plugsock.worker.outcome import Run


class PageMarks:
    """Marks the steps of a loop; see `eager.Marks`."""

    __slots__ = ("_page",)

    def __init__(self, page: Page) -> None:
        self._page = page

    def batch_began(self) -> None:
        """Calls begin from now on: whoever began last is the one that runs."""
        self._page[STEP] = 0

    def batch_ended(self) -> None:
        """No call begins before the next batch."""
        self._page[STEP] = IDLE

    def resumed(self, run: Run) -> None:
        """A call goes on that has suspended."""
        self._page[STEP] = run.call.sequence

    def rested(self) -> None:
        """It has suspended again, or ended."""
        self._page[STEP] = IDLE
