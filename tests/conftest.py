"""What the tests of several packages share."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_configure(config):
    """Marks of our own."""
    config.addinivalue_line("markers", "parity(row): shows a row of the table of abilities")


@pytest.fixture(scope="session")
def web_editor_folder(tmp_path_factory):
    """Where the web editor puts what it serves."""
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="session")
def web_editor(tmp_path_factory, web_editor_folder):
    """The web editor as a user starts it, on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("web") / "log.txt"
    environment = dict(os.environ) | {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(web_editor_folder),
        "EDITANYTHING_KEEP_S": "3",  # of a page that was closed
    }
    environment.pop("DISPLAY", None)
    environment.pop("WAYLAND_DISPLAY", None)
    command = [sys.executable, str(ROOT / "app.py")]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as app,
    ):
        line = app.stdout.readline()
        assert f"http://localhost:{port}" in line, (line, log.read_text())
        yield f"http://localhost:{port}"
        app.send_signal(signal.SIGINT)
        app.wait(timeout=30)
    # Gradio tells of requests that it refuses; nothing of ours may have failed.
    assert "/editanything/" not in log.read_text(), log.read_text()
