"""Folders in Gradio's own place, from which it serves files without copying them."""

from __future__ import annotations

import shutil
import tempfile
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
    """A folder for each user, whose name cannot be guessed; deleted when the user goes."""

    def __init__(self, kind: str) -> None:
        self._kind, self._made, self._lock = kind, dict[str, Path](), Lock()

    def fresh(self, key: str) -> Path:
        """An empty folder for `key`; what was in the last one is deleted."""
        folder = Path(get_upload_folder()) / f"editanything-{self._kind}-{token_hex(16)}"
        with self._lock:
            old = self._made.get(key)
            self._made[key] = folder
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        return folder

    def drop(self, key: str) -> None:
        """The user has gone."""
        with self._lock:
            old = self._made.pop(key, None)
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)

    def drop_all(self) -> None:
        """The server stops."""
        for key in list(self._made):
            self.drop(key)
