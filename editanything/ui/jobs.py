"""Work in a thread of its own, with a progress that can be watched and a stop that is heeded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any, Generic, TypeVar

from editanything.errors import Cancelled
from editanything.progress import Progress
from editanything.types import RGB

T = TypeVar("T")
#: How long somebody who cancels waits for the work to notice.
STOPS_WITHIN_S = 0.3
#: Previews come no faster.
SHOWS_EVERY_S = 0.5
#: From where on the pace so far tells how long the rest will take.
LEAST_SHARE, LEAST_S = 0.08, 1.5


class Job(Generic[T]):
    """Runs `work(progress)` at once; `cancel()` makes the next report of progress say stop."""

    def __init__(self, work: Callable[[Progress], T]) -> None:
        self.share = 0.0
        self.what = "Reading the command"
        self.preview: RGB | None = None  # how the work looks by now; a new array each time
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
            self._result = work(_Teller(self))
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            self._error = error
        finally:
            self._done.set()


class _Teller:
    """The progress callback of a job's work, which is shown pictures too."""

    def __init__(self, job: Job[Any]) -> None:
        self._job, self._shown_s = job, 0.0

    def __call__(self, share: float, what: str) -> bool:
        """How far the work is; whether it shall go on."""
        self._job.share, self._job.what = share, what
        return not self._job.cancelled

    def show(self, make: Callable[[], RGB]) -> None:
        """How the work looks by now; a picture that comes too soon after another is not made."""
        now = time.monotonic()
        if now - self._shown_s >= SHOWS_EVERY_S:
            self._job.preview = make()
            self._shown_s = time.monotonic()


@dataclass(frozen=True, eq=False)
class Look:
    """How far a job is: the share done, what it does, the time left in words, a new preview."""

    share: float
    what: str
    left: str
    preview: RGB | None


def follow(job: Job[Any], *, every_s: float = 0.1) -> Iterator[Look]:
    """How far a job is, again and again until it ends.

    Raises:
        Cancelled: it was asked to stop; nobody has to wait for it to notice.
    """
    begun, last = time.monotonic(), None
    while not job.wait(every_s):
        if job.cancelled:
            job.wait(STOPS_WITHIN_S)
            raise Cancelled
        new = None if job.preview is last else job.preview
        last = job.preview
        what = job.what[:1].upper() + job.what[1:]
        yield Look(job.share, what, time_left(job.share, time.monotonic() - begun), new)
    if job.cancelled:
        raise Cancelled


def time_left(share: float, passed_s: float) -> str:
    """How long the rest will take at the pace so far, in words; empty while nobody can know."""
    if share < LEAST_SHARE or passed_s < LEAST_S:
        return ""
    left_s = passed_s * (1 - share) / share
    if left_s >= 90:
        return f"about {round(left_s / 60)} min left"
    return f"about {max(round(left_s), 1)} s left"


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

    def wants(self, key: str) -> bool:
        """Whether an order of `key` waits to be begun."""
        with self._lock:
            return key in self._wanted

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
