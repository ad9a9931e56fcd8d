"""Start the web editor: on this machine only, and with one line that says where."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

from editanything.errors import InputError
from editanything.ui.serving import ServeSettings

if TYPE_CHECKING:
    import gradio as gr

    from editanything.editor import Editor

FIRST_PORT, PORTS_TRIED = 7860, 100


def main() -> None:
    """The default preset's editor, at GRADIO_SERVER_PORT or the first free port from 7860."""
    from editanything.editor import Editor

    try:
        settings = ServeSettings(port=port_wanted(), open_browser=has_desktop())
        serve(Editor.from_preset(), settings)
    except InputError as error:
        sys.exit(f"editanything: {error}")


def serve(editor: Editor, settings: ServeSettings) -> None:
    """Serve `editor` until Ctrl+C.

    Raises:
        InputError: a port that is taken or cannot be.
    """
    host, port = settings.host, settings.port
    port = free_port(host) if port is None else checked_port(host, port)
    app = start(editor, replace(settings, port=port))
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::") else host  # noqa: S104 - compared
    print(f"EditAnything is at http://{shown}:{port} (Ctrl+C stops it)", flush=True)  # noqa: T201
    if settings.mcp:
        tools = f"http://{shown}:{port}/gradio_api/mcp/"
        print(f"MCP tools are at {tools}", flush=True)  # noqa: T201
    app.block_thread()


def start(editor: Editor, settings: ServeSettings) -> gr.Blocks:
    """Start serving `editor` in the background; `close()` of what it returns stops it."""
    from editanything.ui.app import build_app, look
    from editanything.ui.options import TURNS

    app = build_app(editor, training=settings.trains)
    TURNS.most_waiting = settings.max_waiting
    app.queue()
    app.launch(
        server_name=settings.host,
        server_port=settings.port,
        inbrowser=settings.open_browser,
        prevent_thread_lock=True,
        # Whoever waits for a turn keeps a thread, and quick requests need some beside those.
        max_threads=settings.max_waiting + 40,
        quiet=True,
        share=False,
        ssr_mode=False,
        footer_links=[],
        allowed_paths=[],
        auth=list(settings.users) or None,
        max_file_size=settings.max_upload_mb * 2**20,
        mcp_server=settings.mcp,
        **look(settings.hosts),
    )
    Thread(target=_get_ready, args=(editor,), name="get-ready", daemon=True).start()
    return app


def _get_ready(editor: Editor) -> None:
    """Open the segmenter's network, where it has one of its own: the first click need not wait.

    What hinders it is told to whoever clicks.
    """
    prepare = getattr(editor.segmenter, "prepare", None)
    if prepare is not None:
        with suppress(InputError):
            prepare()


def port_wanted() -> int | None:
    """GRADIO_SERVER_PORT, if it is set.

    Raises:
        InputError: if it is no number.
    """
    text = os.environ.get("GRADIO_SERVER_PORT", "").strip()
    if not text:
        return None
    if not text.isdigit():
        raise InputError(f"GRADIO_SERVER_PORT must be a port number; it is {text!r}.")
    return int(text)


def free_port(host: str) -> int:
    """The first free port from 7860.

    Raises:
        InputError: if a hundred are taken.
    """
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        if _is_free(host, port):
            return port
    raise InputError(
        f"All ports from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are taken; "
        "set GRADIO_SERVER_PORT to another one."
    )


def checked_port(host: str, port: int) -> int:
    """`port`, if the app can have it.

    Raises:
        InputError: if not.
    """
    if not 0 < port < 65536:
        raise InputError(f"A port is a number from 1 to 65535; got {port}.")
    if not _is_free(host, port):
        raise InputError(
            f"Port {port} on {host} cannot be used (is another program there?); choose another one."
        )
    return port


def has_desktop() -> bool:
    """Whether there is a screen that a browser can open on."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # a server that just stopped leaves its port in TIME_WAIT
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
