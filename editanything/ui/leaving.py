"""When what belongs to a user is deleted: some time after the page was last heard of."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from threading import Lock, Timer

from editanything.errors import InputError

#: A phone that looks at another app, or a network that drops out for a moment, tells the server
#: that the page has gone; nobody shall lose a picture by that.
GRACE_S = 1800.0
#: Environment variable with another number of seconds.
KEEP = "EDITANYTHING_KEEP_S"


def grace_s() -> float:
    """How long the things of a page that has gone are kept, in seconds.

    Raises:
        InputError: the environment says what is no such number.
    """
    told = os.environ.get(KEEP, "")
    if not told:
        return GRACE_S
    try:
        seconds = float(told)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InputError(f"{KEEP} is a number of seconds from 0 on; got {told!r}.")
    return seconds


class Leaving:
    """Users whose page has gone; unless they are heard of again, their things go a while later.

    Args:
        after_s: how much later, in seconds; None: see `grace_s`.

    Attributes:
        drops: what is done with the key of a user who has gone for good.
    """

    def __init__(self, after_s: float | None = None) -> None:
        self.drops: list[Callable[[str], None]] = []
        self._after_s = grace_s() if after_s is None else after_s
        self._due: dict[str, float] = {}
        self._lock = Lock()
        self._timer: Timer | None = None

    def left(self, key: str) -> None:
        """The page of `key` was closed, or cannot be heard."""
        with self._lock:
            self._due[key] = time.monotonic() + self._after_s
            self._wind()

    def seen(self, key: str) -> None:
        """The user `key` is there: what was to go soon goes later.

        A page that was lost once never tells again that it goes, so it is still waited for.
        """
        with self._lock:
            if key in self._due:
                self._due[key] = time.monotonic() + self._after_s

    def stop(self) -> None:
        """The server stops."""
        with self._lock:
            self._due.clear()
            if self._timer is not None:
                self._timer.cancel()

    def _wind(self) -> None:
        """See to it that somebody looks when the next one is due."""
        if self._timer is None and self._due:
            wait_s = max(0.0, min(self._due.values()) - time.monotonic())
            self._timer = Timer(wait_s, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        with self._lock:
            now = time.monotonic()
            gone = [key for key, due in self._due.items() if due <= now]
            for key in gone:
                del self._due[key]
            self._timer = None
            self._wind()
        for key in gone:
            for drop in self.drops:
                drop(key)
