"""Work in a thread of its own, with a progress that can be watched and a stop that is heeded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Lock, Thread
from typing import Any, Generic, TypeVar

from editanything.errors import Cancelled
from editanything.types import Progress

T = TypeVar("T")
#: How long somebody who cancels waits for the work to notice.
STOPS_WITHIN_S = 0.3


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


def follow(job: Job[Any], *, every_s: float = 0.1) -> Iterator[tuple[float, str]]:
    """How far a job is, (share, what), again and again until it ends.

    Raises:
        Cancelled: it was asked to stop; nobody has to wait for it to notice.
    """
    while not job.wait(every_s):
        if job.cancelled:
            job.wait(STOPS_WITHIN_S)
            raise Cancelled
        yield job.share, job.what
    if job.cancelled:
        raise Cancelled


class Desk:
    """One job at a time for each user; a job that still waits for its turn can be cancelled too."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._jobs: dict[str, Job[Any]] = {}
        self._lock = Lock()

    def want(self, key: str) -> bool:
        """Take an order of `key`; False while the last one still runs."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and not job.wait(0) and not job.cancelled:
                return False
            self._wanted.add(key)
            return True

    def start(self, key: str, work: Callable[[Progress], T]) -> Job[T]:
        """Begin the work that was ordered.

        Raises:
            Cancelled: it was taken back meanwhile, or begun already.
        """
        with self._lock:
            if key not in self._wanted:
                raise Cancelled
            self._wanted.discard(key)
            job = self._jobs[key] = Job(work)
            return job

    def cancel(self, key: str) -> None:
        """Take back the order of `key` and stop its job; nobody else's."""
        with self._lock:
            self._wanted.discard(key)
            job = self._jobs.get(key)
        if job is not None:
            job.cancel()

    def leave(self, key: str) -> None:
        """The user has gone."""
        self.cancel(key)
        with self._lock:
            self._jobs.pop(key, None)
