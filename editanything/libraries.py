"""The libraries of networks are imported by one thread at a time."""

from __future__ import annotations

from threading import Lock

_LOCK = Lock()


def networks() -> None:
    """Import `mdt`'s networks and diffusers, before the caller imports any part of them.

    They are imported at first use, since they take seconds. But Python locks every module by
    itself: of two threads that import parts of one package for the first time, in whatever order,
    one may be handed a half-made module, and both fail with an ImportError.
    """
    with _LOCK:
        import diffusers  # noqa: F401

        import mdt.data
        import mdt.pipeline  # noqa: F401
