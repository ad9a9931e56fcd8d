"""How events are queued: what is quick waits for nothing, what is heavy takes turns."""

from __future__ import annotations

from typing import Any

from editanything.ui.turns import Turns

#: Heavy work that runs at the same time, of all users together; the rest waits its turn.
EDITS_AT_ONCE = 2
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
LOOK: dict[str, Any] = QUIET | {"concurrency_id": "look", "concurrency_limit": 4}
#: What nobody waits for: one at a time.
GLIMPSE: dict[str, Any] = QUIET | {"concurrency_id": "glimpse", "concurrency_limit": 1}
EDIT: dict[str, Any] = {"concurrency_id": "edit", "concurrency_limit": None}
#: One for the process, since what is shared is this machine. Gradio's own queue is first come first
#: served, whoever asks; so its events all begin at once, and wait here.
TURNS = Turns(EDITS_AT_ONCE)
