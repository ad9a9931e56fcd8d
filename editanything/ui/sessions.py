"""The sessions of all users, by the key of their tab."""

from __future__ import annotations

from threading import RLock

from editanything.editor import Editor
from editanything.ui.history import LIMIT_BYTES
from editanything.ui.pointing import Pointing
from editanything.ui.session import Session


class Sessions:
    """At most `most` at a time: those without a picture make room, then the longest unused."""

    def __init__(self, editor: Editor, *, most: int = 64, limit_bytes: int = LIMIT_BYTES) -> None:
        self._editor, self._most, self._limit_bytes = editor, most, limit_bytes
        self._held: dict[str, Session] = {}
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self._held)

    def of(self, key: str) -> Session:
        """The session of `key`; begun where there is none."""
        with self._lock:
            session = self._held.pop(key, None) or Session(self._editor, self._limit_bytes)
            self._held[key] = session
            while len(self._held) > self._most:
                old = [one for one in self._held if one != key]
                empty = (one for one in old if self._held[one].picture is None)
                self._held.pop(next(empty, old[0])).close()
            return session

    def use(self, key: str, editor: Editor) -> None:
        """Let the session of `key` go on with another editor; its pictures and history stay."""
        session = self.of(key)
        session.stop()
        session.editor = editor
        session._editors.clear()  # noqa: SLF001 - of the editor before
        session.planned, session.variations, session.candidates = None, (), ()
        if session.picture is not None:
            session.picture = Pointing(editor.look(session.picture.looked.picture))
        if session.second is not None:
            session.second = Pointing(editor.look(session.second.looked.picture))

    def close(self, key: str) -> None:
        """The tab has gone: delete its pictures."""
        with self._lock:
            session = self._held.pop(key, None)
        if session is not None:
            session.close()

    def close_all(self) -> None:
        """The server stops."""
        for key in list(self._held):
            self.close(key)
