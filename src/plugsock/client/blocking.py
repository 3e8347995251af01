"""The client for scripts: the same words, and each waits until it is done.

    from plugsock.client.blocking import connect

    with connect("ws://127.0.0.1:8765") as client:
        print(client.call("math.add", {"a": 2, "b": 3}))

The connection lives on an event loop in a thread of its own, so that it is kept alive, and comes back, whatever the
program does meanwhile. Any number of threads may use one client. Callbacks run in the thread of the connection: they
must be short, and can't wait for the client.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager, suppress
from typing import Any, Generic, Self, TypeVar, overload

from plugsock.client import opening
from plugsock.client.client import CREDIT, LIMIT
from plugsock.client.client import Client as AsyncClient
from plugsock.client.greeting import Token
from plugsock.client.permissions import Permissions
from plugsock.client.pushes import Push
from plugsock.client.pushes import Pushes as AsyncPushes
from plugsock.client.states import State, Why
from plugsock.client.thread import LoopThread
from plugsock.client.topics import Topic as AsyncTopic
from plugsock.client.views import Status
from plugsock.client.views import View as AsyncView
from plugsock.errors import Disconnected, PlugsockError
from plugsock.model import Member

T = TypeVar("T")


def connect(url: str, token: Token = None, **options: Any) -> "Client":
    """Connect to a server until the end of a `with` block, or until the client's `close`.

    Args:
        url: Where the server listens.
        token: Who you are. A function for it runs in the thread of the connection, which it holds up.
        **options: As `plugsock.client.connect` takes them.

    Raises:
        Disconnected, Error: As there.
    """
    thread = LoopThread(f"plugsock client {url}")
    opened = opening.connect(url, token, **options)
    try:
        return Client(thread.run(opened.__aenter__()), opened, thread)
    except BaseException:
        thread.stop()
        raise


class Client:
    """Somebody who talks to a server; `connect` makes one. `plugsock.client.Client` says more of each word."""

    def __init__(
        self, client: AsyncClient, opened: AbstractAsyncContextManager[AsyncClient], thread: LoopThread
    ) -> None:
        self._client = client
        self._opened = opened  # once nobody holds it, it would be left, and the client be closed
        self._thread = thread

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye; whoever waits for something in another thread gets `Disconnected`."""
        if self._thread.is_alive:
            try:
                with suppress(Disconnected):  # another thread has closed it meanwhile
                    self._thread.run(self._client.close())
            finally:
                self._thread.stop()

    @property
    def state(self) -> State:
        """Is there a connection? See `State`."""
        return self._client.state

    @property
    def welcome(self) -> dict[str, Any]:
        """What the server said of this session last."""
        return self._client.welcome

    @property
    def user(self) -> str | None:
        """Who the server says this is."""
        return self._client.user

    @property
    def permissions(self) -> Permissions:
        """What that user may do now."""
        return self._client.permissions

    @property
    def mocked(self) -> list[str]:
        """Patterns of the events that the server answers with made-up values."""
        return self._client.mocked

    @overload
    def call(self, event: str, args: Any = ..., *, type: type[T], timeout: float | None = ...) -> T: ...
    @overload
    def call(self, event: str, args: Any = ..., *, type: Any = ..., timeout: float | None = ...) -> Any: ...
    def call(self, event: str, args: Any = None, *, type: Any = Any, timeout: float | None = None) -> Any:
        """Run a plug and wait for its result; interrupting the wait cancels the call.

        Raises:
            Error, Disconnected, PlugsockError, msgspec.ValidationError: As the other client does.
        """
        return self._thread.run(self._client.call(event, args, type=type, timeout=timeout))

    @overload
    def stream(
        self, event: str, args: Any = ..., *, type: type[T], credit: int = ..., timeout: float | None = ...
    ) -> Iterator[T]: ...
    @overload
    def stream(
        self, event: str, args: Any = ..., *, type: Any = ..., credit: int = ..., timeout: float | None = ...
    ) -> Iterator[Any]: ...
    def stream(
        self, event: str, args: Any = None, *, type: Any = Any, credit: int = CREDIT, timeout: float | None = None
    ) -> Iterator[Any]:
        """Iterate over what a stream yields; leaving the loop cancels it.

        Raises:
            Error, Disconnected, msgspec.ValidationError: As `call`; items that came before have been seen.
        """
        items = self._client.stream(event, args, type=type, credit=credit, timeout=timeout)
        try:
            yield from self._thread.each(items)
        finally:
            with suppress(PlugsockError):  # the client is closed, or what is collected was in its own thread
                self._thread.run(items.aclose())

    @overload
    def view(
        self, event: str, args: Any = ..., *, type: type[T], patch: bool = ...
    ) -> AbstractContextManager["View[T]"]: ...
    @overload
    def view(
        self, event: str, args: Any = ..., *, type: Any = ..., patch: bool = ...
    ) -> AbstractContextManager["View[Any]"]: ...
    @contextmanager
    def view(self, event: str, args: Any = None, *, type: Any = Any, patch: bool = False) -> Iterator["View[Any]"]:
        """Watch a view until the end of the block, for `for value in view`.

        Raises:
            Error, Disconnected: As the other client does.
        """
        with self._thread.entered(self._client.view(event, args, type=type, patch=patch)) as view:
            yield View(view, self._thread)

    @contextmanager
    def topic(self, name: str, *, at: str | None = None, limit: int = LIMIT) -> Iterator["Topic"]:
        """Be in a topic until the end of the block, for `for push in topic`.

        Raises:
            Error, Disconnected, PlugsockError: As the other client does.
        """
        with self._thread.entered(self._client.topic(name, at=at, limit=limit)) as topic:
            yield Topic(topic, self._thread)

    def on(self, event: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call a function with the data of every push of this event; what is returned ends it."""
        return self._thread.told(lambda: self._client.on(event, callback))

    def on_notice(self, callback: Callable[[str, Any], object]) -> Callable[[], None]:
        """Call a function with name and data of every notice; what is returned ends it."""
        return self._thread.told(lambda: self._client.on_notice(callback))

    def on_state(self, callback: Callable[[State, Why | None], object]) -> Callable[[], None]:
        """Call a function with each new state, and why there is no connection; what is returned ends it."""
        return self._thread.told(lambda: self._client.on_state(callback))

    def pushes(self, *, limit: int = LIMIT) -> "Pushes":
        """Collect every push from now on, for `for push in client.pushes()`."""
        return Pushes(self._thread.do(lambda: self._client.pushes(limit=limit)), self._thread)

    def ping(self) -> float:
        """Ask whether the server is there; returns the seconds it took.

        Raises:
            Disconnected: There is no connection, or it went first.
        """
        return self._thread.run(self._client.ping())

    def refresh(self, token: str) -> float | None:
        """Show a new token of the same user; returns when it expires, as `time.time()` has it.

        Raises:
            Error, Disconnected: As the other client does.
        """
        return self._thread.run(self._client.refresh(token))

    def wake(self) -> None:
        """Try to come back now instead of after the pause."""
        self._thread.do(self._client.wake)


class Pushes(Iterator[Push]):
    """Pushes, for one loop."""

    def __init__(self, pushes: AsyncPushes | AsyncTopic, thread: LoopThread) -> None:
        self._all = pushes
        self._pushes = thread.each(pushes)

    def __next__(self) -> Push:
        return next(self._pushes)


class Topic(Pushes):
    """A topic that this client is in; `Client.topic` joins it."""

    def __init__(self, topic: AsyncTopic, thread: LoopThread) -> None:
        super().__init__(topic, thread)
        self._topic = topic
        self._thread = thread
        self.name = topic.name

    @property
    def recovered(self) -> bool:
        """When it was joined last, was everything pushed since the position that was named?"""
        return self._topic.recovered

    @property
    def position(self) -> str | None:
        """Where in its history this client is; None where none is kept."""
        return self._topic.position

    @property
    def members(self) -> list[Member] | None:
        """Who is in it now; None where members are not told."""
        return self._thread.do(lambda: self._topic.members)

    def on(self, event: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call a function with the data of every push of this event on this topic; what is returned ends it."""
        return self._thread.told(lambda: self._topic.on(event, callback))

    def on_return(self, callback: Callable[[bool], object]) -> Callable[[], None]:
        """Call a function with `recovered` whenever it was joined again; what is returned ends it."""
        return self._thread.told(lambda: self._topic.on_return(callback))


class View(Iterator[T], Generic[T]):
    """A view that is watched; `Client.view` opens it."""

    def __init__(self, view: AsyncView[T], thread: LoopThread) -> None:
        self._view = view
        self._thread = thread
        self._values = thread.each(view)
        self.event = view.event

    def __next__(self) -> T:
        return next(self._values)

    @property
    def value(self) -> T | None:
        """The newest value; None before the first, and once the server has ended it."""
        return self._view.value

    @property
    def status(self) -> Status:
        """How far one can rely on it."""
        return self._view.status

    @property
    def error(self) -> Exception | None:
        """Why the newest run failed, or why nothing more comes; else None."""
        return self._view.error

    def subscribe(self, callback: Callable[[T | None, Status], object]) -> Callable[[], None]:
        """Call a function with value and status whenever something has come; what is returned ends it."""
        return self._thread.told(lambda: self._view.subscribe(callback))
