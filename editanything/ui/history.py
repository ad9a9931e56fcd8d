"""The pictures of one session on disk: a tree of states with a cursor for undo and redo."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import numpy as np

from editanything.image import Picture
from editanything.recipe import Edit

#: What the pictures of one session may take on disk; the oldest go first.
LIMIT_BYTES = 2_000_000_000


@dataclass(frozen=True, eq=False)
class State:
    """One picture of the history: its samples in a file, all else in memory."""

    number: int
    parent: int | None
    title: str  # "Original", or the command that led here
    edit: Edit | None
    size: tuple[int, int]  # (W, H)
    samples: Path
    rest: Picture  # the picture without its samples

    def load(self) -> Picture:
        """The picture, read from disk."""
        return replace(self.rest, samples=np.load(self.samples))


class History:
    """States in a private folder. Undo goes to the parent, redo to the child last visited."""

    def __init__(self, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="editanything-", ignore_cleanup_errors=True
        )
        self._limit_bytes = limit_bytes
        self._states: dict[int, State] = {}
        self._redo: dict[int | None, int] = {}  # parent -> the child that redo goes to
        self._cursor: int | None = None
        self._count = 0

    @property
    def folder(self) -> Path:
        """The private folder."""
        return Path(self._folder.name)

    @property
    def current(self) -> State | None:
        """The state under the cursor; None before the first picture."""
        return None if self._cursor is None else self._states[self._cursor]

    @property
    def before(self) -> State | None:
        """The state that undo would lead to."""
        parent = self.current.parent if self.current else None
        return None if parent is None else self._states[parent]

    @property
    def after(self) -> State | None:
        """The state that redo would lead to."""
        child = self._redo.get(self._cursor) if self.current else None
        return None if child is None else self._states[child]

    def get(self, number: int) -> State | None:
        """State `number`, if it is (still) there."""
        return self._states.get(number)

    def __iter__(self) -> Iterator[State]:
        return iter(self._states.values())

    def __len__(self) -> int:
        return len(self._states)

    def add(self, picture: Picture, title: str, edit: Edit | None = None) -> State:
        """Put `picture` after the current state and go there; other branches stay."""
        self._count += 1
        height, width = picture.shape
        file = self.folder / f"{uuid4().hex}.npy"
        np.save(file, picture.samples)
        rest = replace(picture, samples=np.zeros((1, 1, picture.samples.shape[2]), np.uint8))
        state = State(self._count, self._cursor, title, edit, (width, height), file, rest)
        self._states[state.number] = state
        self._visit(state.number)
        self._drop_oldest()
        return state

    def undo(self, steps: int = 1) -> int:
        """Go back by up to `steps`; returns how many there were."""
        return self._walk(steps, lambda: self.before)

    def redo(self, steps: int = 1) -> int:
        """Go forward again by up to `steps`; returns how many there were."""
        return self._walk(steps, lambda: self.after)

    def go(self, number: int) -> bool:
        """Go to state `number`, on whatever branch; False where there is none (any more)."""
        if number not in self._states:
            return False
        self._visit(number)
        return True

    def places(self) -> dict[int, tuple[int, int]]:
        """Where each state stands in a drawing of the tree: number -> (row, column).

        A state stands one column after its parent: its parent's first child in the same row, every
        other one in a row of its own below.
        """
        children: dict[int | None, list[int]] = {}
        for state in self:
            children.setdefault(state.parent, []).append(state.number)
        found: dict[int, tuple[int, int]] = {}
        rows = 0
        waiting = [(number, 0, i) for i, number in enumerate(children.get(None, []))][::-1]
        while waiting:
            number, column, place = waiting.pop()
            rows += place > 0
            found[number] = rows, column
            own = [(child, column + 1, i) for i, child in enumerate(children.get(number, []))]
            waiting.extend(own[::-1])
        return found

    def path(self) -> list[State]:
        """The states from the first to the current one."""
        line, number = [], self._cursor
        while number is not None:
            line.append(self._states[number])
            number = line[-1].parent
        return line[::-1]

    def close(self) -> None:
        """Delete the folder with all that is in it."""
        self._states.clear()
        self._cursor = None
        self._folder.cleanup()

    def _walk(self, steps: int, way: Callable[[], State | None]) -> int:
        done = 0
        while done < steps and (state := way()) is not None:
            self._visit(state.number)
            done += 1
        return done

    def _visit(self, number: int) -> None:
        self._cursor = number
        for state in self.path():
            self._redo[state.parent] = state.number

    def _drop_oldest(self) -> None:
        """Keep within the limit; the first and the current picture always stay."""
        held = {state.number: state.samples.stat().st_size for state in self}
        for number in list(self._states)[1:]:
            if sum(held.values()) <= self._limit_bytes:
                return
            if number != self._cursor:
                self._forget(self._states[number])
                del held[number]

    def _forget(self, gone: State) -> None:
        del self._states[gone.number]
        for state in list(self):
            if state.parent == gone.number:
                self._states[state.number] = replace(state, parent=gone.parent)
        onward = self._redo.pop(gone.number, None)
        if self._redo.get(gone.parent) == gone.number:
            del self._redo[gone.parent]
            if onward is not None:
                self._redo[gone.parent] = onward
        gone.samples.unlink(missing_ok=True)
