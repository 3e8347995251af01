"""The first step at once: what a coroutine can tell of it must be what it could tell of a task."""

import asyncio
import contextlib
import contextvars
import gc
import sys
from collections.abc import Callable

import pytest

if sys.version_info >= (3, 12):
    from plugsock.worker.eager import Starter, Suspended
else:
    from plugsock.worker.eager_311 import Starter, Suspended

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE")


def loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    if sys.platform == "win32":
        return [asyncio.new_event_loop]
    import uvloop

    return [asyncio.new_event_loop, uvloop.new_event_loop]


class Stage:
    """A starter, all that its coroutines came to, and whose steps are marked."""

    def __init__(self) -> None:
        self.starter = Starter(asyncio.get_running_loop(), self)
        self.marked: str | None = None
        self.ends: list[tuple[str, object]] = []
        self._ended = asyncio.Event()

    def start(self, coro, token: str = "it") -> "asyncio.Task[None] | None":
        """Start a coroutine as the runner does: the task that goes on with it, if it suspends."""
        try:
            result = self.starter.step(coro)
        except BaseException as error:
            self._done(token, None, error)
            return None
        if type(result) is Suspended:
            return result.go_on(self._done, token)
        self._done(token, result, None)
        return None

    def resumed(self, token: str) -> None:
        assert self.marked is None
        self.marked = token

    def rested(self) -> None:
        self.marked = None

    def _done(self, token: str, value: object, error: BaseException | None) -> None:
        self.ends.append((token, value if error is None else type(error).__name__))
        self._ended.set()

    async def until(self, count: int) -> None:
        while len(self.ends) < count:
            self._ended.clear()
            await self._ended.wait()


@pytest.fixture(params=loops(), ids=lambda factory: factory.__module__.partition(".")[0])
def on_loop(request):
    """Run a story on each loop; after it nothing may have been answered twice, and no task be left behind."""

    def run(story) -> None:
        async def whole() -> None:
            stage = Stage()
            await asyncio.sleep(0)
            await story(stage)
            stage.starter.close()
            for _ in range(3):
                await asyncio.sleep(0)
            tokens = [token for token, _ in stage.ends]
            assert len(tokens) == len(set(tokens))
            assert asyncio.all_tasks() == {asyncio.current_task()}

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(whole())
        gc.collect()  # a task that was destroyed while pending would be reported now

    return run


def test_a_coroutine_that_returns_is_done_before_start_returns(on_loop):
    async def answer() -> int:
        return 42

    async def story(stage: Stage) -> None:
        assert stage.start(answer()) is None
        assert stage.ends == [("it", 42)]

    on_loop(story)


def test_a_coroutine_that_raises_is_done_before_start_returns(on_loop):
    async def fail() -> None:
        raise ValueError

    async def story(stage: Stage) -> None:
        assert stage.start(fail()) is None
        assert stage.ends == [("it", "ValueError")]

    on_loop(story)


def test_a_coroutine_that_suspends_is_a_task(on_loop):
    async def wait() -> str:
        await asyncio.sleep(0)
        return "rested"

    async def story(stage: Stage) -> None:
        task = stage.start(wait())
        assert isinstance(task, asyncio.Task)
        assert stage.ends == []
        await task
        assert stage.ends == [("it", "rested")]

    on_loop(story)


def test_the_loop_is_not_touched_by_a_coroutine_that_returns():
    class CountingLoop(asyncio.SelectorEventLoop):
        scheduled = 0

        def call_soon(self, *args, **more):
            self.scheduled += 1
            return super().call_soon(*args, **more)

    async def answer() -> int:
        return 42

    async def story() -> None:
        stage = Stage()
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        before = loop.scheduled
        for n in range(100):
            stage.start(answer(), str(n))
        assert loop.scheduled == before
        stage.starter.close()
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        runner.run(story())


def test_the_current_task_is_the_same_before_and_after_an_await(on_loop):
    seen = []

    async def look() -> None:
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    async def story(stage: Stage) -> None:
        task = stage.start(look())
        await task
        assert seen == [task, task]
        seen.clear()

    on_loop(story)


def test_the_caller_is_the_current_task_again_after_start(on_loop):
    async def story(stage: Stage) -> None:
        me = asyncio.current_task()
        stage.start(asyncio.sleep(0))
        assert asyncio.current_task() is me
        await stage.until(1)

    on_loop(story)


def test_start_works_where_no_task_is_current(on_loop):
    async def wait() -> str:
        await asyncio.sleep(0)
        return "rested"

    async def story(stage: Stage) -> None:
        asyncio.get_running_loop().call_soon(lambda: stage.start(wait()) and None)
        await stage.until(1)
        assert stage.ends == [("it", "rested")]

    on_loop(story)


def test_a_coroutine_may_start_another_in_its_first_step(on_loop):
    async def inner() -> str:
        return "inner"

    async def story(stage: Stage) -> None:
        async def outer() -> str:
            me = asyncio.current_task()
            stage.start(inner(), "inner")
            assert asyncio.current_task() is me
            return "outer"

        stage.start(outer(), "outer")
        assert stage.ends == [("inner", "inner"), ("outer", "outer")]

    on_loop(story)


def test_a_context_variable_set_before_an_await_is_there_after_it_and_can_be_reset(on_loop):
    async def set_and_reset() -> str:
        token = VARIABLE.set("mine")
        await asyncio.sleep(0)
        seen = VARIABLE.get()
        VARIABLE.reset(token)
        return seen

    async def story(stage: Stage) -> None:
        stage.start(set_and_reset())
        await stage.until(1)
        assert stage.ends == [("it", "mine")]

    on_loop(story)


def test_no_call_sees_the_context_of_another(on_loop):
    async def leave(value: str, *, wait: bool) -> str:
        seen = VARIABLE.get("nothing")
        VARIABLE.set(value)
        if wait:
            await asyncio.sleep(0)
        return seen

    async def story(stage: Stage) -> None:
        VARIABLE.set("the gateway's own")
        for n in range(100):
            stage.start(leave(f"secret {n}", wait=n % 3 == 0), str(n))
        await stage.until(100)
        assert {value for _, value in stage.ends} == {"nothing"}

    on_loop(story)


def test_a_timeout_of_zero_ends_a_wait_once(on_loop):
    async def hurry() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "late"
        return "in time"

    async def story(stage: Stage) -> None:
        stage.start(hurry())
        await stage.until(1)
        assert stage.ends == [("it", "late")]

    on_loop(story)


def test_a_timeout_of_zero_around_nothing_leaves_no_trace(on_loop):
    async def hurry() -> str:
        async with asyncio.timeout(0):  # noqa: ASYNC100 - that it can't be triggered is the point
            return "in time"

    async def story(stage: Stage) -> None:
        for n in range(3):
            stage.start(hurry(), str(n))
        await asyncio.sleep(0)
        assert [value for _, value in stage.ends] == ["in time"] * 3

    on_loop(story)


def test_cancelling_oneself_and_returning_is_one_end(on_loop):
    async def cancel_and_return() -> str:
        asyncio.current_task().cancel()
        return "done"

    async def story(stage: Stage) -> None:
        stage.start(cancel_and_return())
        await asyncio.sleep(0)
        assert stage.ends == [("it", "done")]

    on_loop(story)


def test_cancelling_oneself_and_waiting_is_one_end(on_loop):
    async def cancel_and_wait() -> None:
        asyncio.current_task().cancel()
        await asyncio.Event().wait()

    async def story(stage: Stage) -> None:
        stage.start(cancel_and_wait())
        await stage.until(1)
        assert stage.ends == [("it", "CancelledError")]

    on_loop(story)


def test_cancelling_oneself_cancels_what_one_waits_for(on_loop):
    async def story(stage: Stage) -> None:
        child = asyncio.get_running_loop().create_future()

        async def cancel_and_wait() -> None:
            asyncio.current_task().cancel("enough")
            await child

        stage.start(cancel_and_wait())
        await stage.until(1)
        assert child.cancelled()

    on_loop(story)


def test_a_cancelled_self_may_go_on(on_loop):
    async def stubborn() -> str:
        asyncio.current_task().cancel()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()
        await asyncio.sleep(0)
        return "still here"

    async def story(stage: Stage) -> None:
        stage.start(stubborn())
        await stage.until(1)
        assert stage.ends == [("it", "still here")]

    on_loop(story)


def test_a_task_group_whose_child_fails_at_once_is_one_end(on_loop):
    async def fail() -> None:
        raise ValueError

    async def group() -> str:
        try:
            async with asyncio.TaskGroup() as children:
                children.create_task(fail())
        except* ValueError:
            pass
        return "caught"

    async def story(stage: Stage) -> None:
        stage.start(group())
        await stage.until(1)
        assert stage.ends == [("it", "caught")]

    on_loop(story)


def test_a_cancel_between_the_first_step_and_the_wake_is_one_end(on_loop):
    cleaned = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    async def story(stage: Stage) -> None:
        task = stage.start(wait())
        task.cancel()
        await stage.until(1)
        assert stage.ends == [("it", "CancelledError")]
        assert cleaned == [True]

    on_loop(story)


def test_a_cancel_between_the_first_step_and_the_wake_reaches_what_is_awaited(on_loop):
    async def story(stage: Stage) -> None:
        awaited = asyncio.get_running_loop().create_future()

        async def wait() -> None:
            await awaited

        stage.start(wait()).cancel()
        await stage.until(1)
        assert awaited.cancelled()

    on_loop(story)


def test_a_cancel_that_comes_too_late_for_what_is_awaited_reaches_the_coroutine(on_loop):
    async def story(stage: Stage) -> None:
        awaited = asyncio.get_running_loop().create_future()

        async def wait() -> None:
            await awaited

        task = stage.start(wait())
        awaited.set_result(None)
        task.cancel()
        await stage.until(1)
        assert stage.ends == [("it", "CancelledError")]

    on_loop(story)


def test_a_cancel_before_a_bare_yield_is_answered_reaches_the_coroutine(on_loop):
    async def story(stage: Stage) -> None:
        stage.start(asyncio.sleep(0)).cancel()
        await stage.until(1)
        assert stage.ends == [("it", "CancelledError")]

    on_loop(story)


def test_a_cancel_after_the_wake_reaches_the_coroutine(on_loop):
    async def story(stage: Stage) -> None:
        task = stage.start(asyncio.Event().wait())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await stage.until(1)
        assert stage.ends == [("it", "CancelledError")]

    on_loop(story)


def test_several_may_wait_for_one_future(on_loop):
    async def story(stage: Stage) -> None:
        shared = asyncio.get_running_loop().create_future()

        async def wait() -> str:
            return await shared

        async def tell() -> None:
            shared.set_result("news")

        for n in range(3):
            stage.start(wait(), str(n))
        await asyncio.gather(asyncio.wait_for(asyncio.shield(shared), 1), tell())
        await stage.until(3)
        assert [value for _, value in stage.ends] == ["news"] * 3

    on_loop(story)


def test_an_exception_of_what_is_awaited_can_be_caught(on_loop):
    async def story(stage: Stage) -> None:
        failing = asyncio.get_running_loop().create_future()

        async def wait() -> str:
            try:
                await failing
            except ValueError:
                await asyncio.sleep(0)
                return "caught"
            return "not raised"

        stage.start(wait())
        failing.set_exception(ValueError())
        await stage.until(1)
        assert stage.ends == [("it", "caught")]

    on_loop(story)


@pytest.mark.parametrize("wait", [False, True], ids=["at once", "after a wait"])
@pytest.mark.parametrize(
    "error",
    [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, BaseException],
    ids=lambda e: e.__name__,
)
@pytest.mark.fault("P2")
def test_whatever_is_raised_ends_the_coroutine_and_not_the_loop(on_loop, error, wait):
    async def fail() -> None:
        if wait:
            await asyncio.sleep(0)
        raise error

    async def story(stage: Stage) -> None:
        stage.start(fail())
        await stage.until(1)
        assert stage.ends == [("it", error.__name__)]

    on_loop(story)


def test_many_that_suspend_in_one_turn_all_end(on_loop):
    async def wait(n: int) -> int:
        await asyncio.sleep(0)
        return n

    async def story(stage: Stage) -> None:
        for n in range(500):
            stage.start(wait(n), str(n))
        await stage.until(500)
        assert sorted(value for _, value in stage.ends) == list(range(500))

    on_loop(story)


def test_after_close_coroutines_still_run(on_loop):
    async def story(stage: Stage) -> None:
        stage.starter.close()
        stage.start(asyncio.sleep(0))
        await stage.until(1)

    on_loop(story)


async def test_the_first_step_is_not_marked_for_whoever_starts_it_does_that():
    stage = Stage()
    await asyncio.sleep(0)
    seen = []

    async def look() -> None:
        seen.append(stage.marked)

    stage.start(look())
    assert seen == [None]
    stage.starter.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_each_further_step_is_marked_and_nothing_between_them(on_loop):
    async def story(stage: Stage) -> None:
        seen, awaited = [], asyncio.get_running_loop().create_future()

        async def look() -> None:
            await asyncio.sleep(0)
            seen.append(stage.marked)
            await awaited
            seen.append(stage.marked)
            with contextlib.suppress(ValueError):
                await failing
            seen.append(stage.marked)

        failing = asyncio.get_running_loop().create_future()
        stage.start(look(), "mine")
        for future in (awaited, failing):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert stage.marked is None
            if future is failing:
                future.set_exception(ValueError())
            else:
                future.set_result(None)
        await stage.until(1)
        assert seen == ["mine"] * 3
        await asyncio.sleep(0)
        assert stage.marked is None

    on_loop(story)


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises"])
def test_what_is_done_with_the_end_belongs_to_the_last_step(on_loop, fails):
    async def story(stage: Stage) -> None:
        marked = []

        async def wait() -> None:
            await asyncio.sleep(0)
            if fails:
                raise ValueError

        result = stage.starter.step(wait())
        ended = asyncio.Event()

        def done(token: str, _value: object, _error: BaseException | None) -> None:
            marked.append((token, stage.marked))
            ended.set()

        result.go_on(done, "mine")
        await ended.wait()
        await asyncio.sleep(0)
        assert marked == [("mine", "mine")]
        assert stage.marked is None

    on_loop(story)


def test_a_step_that_ends_by_a_cancel_is_marked(on_loop):
    async def story(stage: Stage) -> None:
        seen = []

        async def wait(*, begun: bool) -> None:
            try:
                if begun:
                    await asyncio.sleep(0)
                await asyncio.Event().wait()
            finally:
                seen.append(stage.marked)

        task = stage.start(wait(begun=True), "late")
        stage.start(wait(begun=False), "early").cancel()
        await stage.until(1)
        task.cancel()
        await stage.until(2)
        assert seen == ["early", "late"]

    on_loop(story)


def test_of_many_that_suspend_in_one_turn_each_is_marked(on_loop):
    async def story(stage: Stage) -> None:
        wrong = []

        async def wait(token: str) -> None:
            begun_by = stage.marked
            await asyncio.sleep(0)
            if begun_by not in (None, token) or stage.marked != token:
                wrong.append(token)

        for n in range(500):
            stage.start(wait(str(n)), str(n))
        await stage.until(500)
        assert wrong == []

    on_loop(story)


def test_a_task_of_its_own_is_nobodys(on_loop):
    async def story(stage: Stage) -> None:
        seen = []

        async def child() -> None:
            seen.append(stage.marked)

        async def parent() -> None:
            async with asyncio.TaskGroup() as children:
                children.create_task(child())

        stage.start(parent())
        await stage.until(1)
        assert seen == [None]

    on_loop(story)


def test_an_exception_that_was_caught_is_not_the_one_being_handled_any_more(on_loop):
    async def story(stage: Stage) -> None:
        failing = asyncio.get_running_loop().create_future()

        async def catch() -> object:
            with contextlib.suppress(ValueError):
                await failing
            handled = sys.exc_info()[1]
            await asyncio.sleep(0)
            return handled

        stage.start(catch())
        failing.set_exception(ValueError())
        await stage.until(1)
        assert stage.ends == [("it", None)]

    on_loop(story)
