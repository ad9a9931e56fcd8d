"""Heavy work takes turns: a few places, which the users of all doors get one after the other.

Who asked for thirty edits does not hold up who asks for one: the next turn is the user's who was
served longest ago; among one user's own, the oldest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock

from editanything.errors import Cancelled, InputError

LOOKS_EVERY_S = 0.2


class Ticket:
    """A place in the queue; `called` is set when it is one's turn."""

    def __init__(self, who: str, number: int) -> None:
        self.who, self.number, self.called = who, number, Event()


class Turns:
    """At most `places` tickets are called at a time, of all users together.

    Args:
        places: how much heavy work runs at once.
        most_waiting: tickets beyond this are refused.
    """

    def __init__(self, places: int, most_waiting: int = 64) -> None:
        self.places, self.most_waiting = places, most_waiting
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []
        self._served: dict[str, int] = {}  # who -> when last, as a count of turns
        self._count = 0
        self._lock = Lock()

    @property
    def idle(self) -> bool:
        """Whether nobody has a turn or waits for one."""
        with self._lock:
            return not self._waiting and not self._running

    def take(self, who: str) -> Ticket:
        """Queue up; `leave` must follow, whatever happens.

        Raises:
            InputError: too many wait already.
        """
        with self._lock:
            if len(self._waiting) >= self.most_waiting:
                raise InputError(
                    f"{self.most_waiting} jobs wait already, which is all that this server takes; "
                    "try again in a while."
                )
            self._count += 1
            ticket = Ticket(who, self._count)
            self._waiting.append(ticket)
            self._call()
            return ticket

    def leave(self, ticket: Ticket) -> None:
        """Done, or no longer wanted: the next ones are called."""
        with self._lock:
            for those in (self._waiting, self._running):
                if ticket in those:
                    those.remove(ticket)
            self._call()

    def before(self, ticket: Ticket) -> int:
        """How many will be called before this one, as things are."""
        with self._lock:
            waiting, served = list(self._waiting), dict(self._served)
            running = [one.who for one in self._running]
        count, turn = 0, self._count
        while waiting and (first := _next(waiting, running, served)) is not ticket:
            waiting.remove(first)
            turn += 1
            served[first.who] = turn
            count += 1
        return count

    def wait(self, ticket: Ticket, wanted: Callable[[], bool]) -> Iterator[int]:
        """How many are before, again and again until it is one's turn.

        Raises:
            Cancelled: the work is no longer wanted.
        """
        while not ticket.called.wait(LOOKS_EVERY_S):
            if not wanted():
                raise Cancelled
            yield self.before(ticket)

    @contextmanager
    def turn(self, who: str) -> Iterator[None]:
        """Wait for a turn, and have it for as long as this lasts.

        Raises:
            InputError: too many wait already.
        """
        ticket = self.take(who)
        try:
            ticket.called.wait()
            yield
        finally:
            self.leave(ticket)

    def _call(self) -> None:
        while self._waiting and len(self._running) < self.places:
            ticket = _next(self._waiting, [one.who for one in self._running], self._served)
            self._waiting.remove(ticket)
            self._running.append(ticket)
            self._count += 1
            self._served[ticket.who] = self._count
            ticket.called.set()
        if not self._waiting and not self._running:
            self._served.clear()  # nobody is left to compare with


def _next(waiting: list[Ticket], running: list[str], served: dict[str, int]) -> Ticket:
    return min(waiting, key=lambda t: (running.count(t.who), served.get(t.who, 0), t.number))
