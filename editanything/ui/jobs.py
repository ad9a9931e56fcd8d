"""Work in a thread of its own, with a progress that can be watched and a stop that is heeded."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Generic, TypeVar

from editanything.types import Progress

T = TypeVar("T")


class Job(Generic[T]):
    """Runs `work(progress)` at once; `cancel()` makes the next report of progress say stop."""

    def __init__(self, work: Callable[[Progress], T]) -> None:
        self.share = 0.0
        self.what = "Reading the command"
        self._stop, self._done = Event(), Event()
        self._result: T
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, args=(work,), name="edit", daemon=True)
        self._thread.start()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Ask the work to stop."""
        self._stop.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the work has ended, at most `timeout_s`; True if it has."""
        return self._done.wait(timeout_s)

    def result(self) -> T:
        """What the work returned, once it has ended; raises what the work raised."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self, work: Callable[[Progress], T]) -> None:
        try:
            self._result = work(self._progress)
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            self._error = error
        finally:
            self._done.set()

    def _progress(self, share: float, what: str) -> bool:
        self.share, self.what = share, what
        return not self._stop.is_set()
