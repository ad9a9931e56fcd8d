"""How events are queued: what is quick waits for nothing, what is heavy shares two places."""

from __future__ import annotations

from typing import Any

#: Heavy work that runs at the same time, of all users together; the rest waits its turn.
EDITS_AT_ONCE = 2
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
LOOK: dict[str, Any] = QUIET | {"concurrency_id": "look", "concurrency_limit": 4}
EDIT: dict[str, Any] = {"concurrency_id": "edit", "concurrency_limit": EDITS_AT_ONCE}
