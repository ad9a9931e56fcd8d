"""Folders in Gradio's own place, from which it serves files without copying them."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from threading import Lock

from gradio.utils import get_upload_folder


def answer_folder() -> Path:
    """A new folder for the files of one answer; it is emptied with Gradio's cache."""
    home = Path(get_upload_folder())
    home.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="answer-", dir=home))


class OwnFolders:
    """Folders for each user, whose names cannot be guessed; deleted when the user has gone."""

    def __init__(self, kind: str) -> None:
        self._kind, self._made, self._lock = kind, dict[str, list[Path]](), Lock()

    def another(self, key: str) -> Path:
        """A new folder for `key`, beside those that it has: what is shown stays meanwhile."""
        folder = Path(get_upload_folder()) / f"editanything-{self._kind}-{token_hex(16)}"
        folder.mkdir(mode=0o700, parents=True)
        with self._lock:
            self._made.setdefault(key, []).append(folder)
        return folder

    def only(self, key: str, folder: Path) -> None:
        """Delete all folders of `key` but this one."""
        with self._lock:
            made = self._made.pop(key, [])
            if folder in made:
                self._made[key] = [folder]
        for old in made:
            if old != folder:
                shutil.rmtree(old, ignore_errors=True)

    def fresh(self, key: str) -> Path:
        """An empty folder for `key`; what was in the last one is deleted."""
        folder = self.another(key)
        self.only(key, folder)
        return folder

    def drop(self, key: str) -> None:
        """The user has gone."""
        with self._lock:
            made = self._made.pop(key, [])
        for old in made:
            shutil.rmtree(old, ignore_errors=True)

    def drop_all(self) -> None:
        """The server stops."""
        for key in list(self._made):
            self.drop(key)


@dataclass(frozen=True)
class Kept:
    """A file that a gallery shows, and its content: Gradio deletes what it has shown for an hour.

    Attributes:
        path: where it lies, or lay.
        content: its bytes.
    """

    path: Path
    content: bytes

    @classmethod
    def of(cls, path: Path) -> Kept:
        """A file that is there."""
        return cls(path, path.read_bytes())

    def file(self) -> Path:
        """The path, where it lies again if it was deleted."""
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.write_bytes(self.content)
        return self.path
