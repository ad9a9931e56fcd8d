"""Where the app listens, and what it says."""

import contextlib
import socket
import sys
import urllib.request
from pathlib import Path

import pytest

from editanything.errors import InputError
from editanything.ui.launch import checked_port, free_port, has_desktop, port_wanted


def test_the_port_is_the_one_asked_for_or_the_first_free_one(monkeypatch):
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    assert port_wanted() is None
    monkeypatch.setenv("GRADIO_SERVER_PORT", "8123")
    assert port_wanted() == 8123
    monkeypatch.setenv("GRADIO_SERVER_PORT", "eight")
    with pytest.raises(InputError, match="eight"):
        port_wanted()


def test_a_port_that_is_taken_is_passed_over_or_refused():
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while not taken.getsockname()[1]:
            with contextlib.suppress(OSError):  # somebody else on this machine was quicker
                taken.bind(("127.0.0.1", free_port("127.0.0.1")))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1") > port
        with pytest.raises(InputError, match="cannot be used"):
            checked_port("127.0.0.1", port)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_cannot_be_is_refused(port):
    with pytest.raises(InputError, match="1 to 65535"):
        checked_port("127.0.0.1", port)


def test_a_browser_opens_only_where_there_is_a_desktop(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not has_desktop()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert has_desktop()
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert has_desktop()


def test_the_app_listens_on_this_machine_only(web_editor):
    with urllib.request.urlopen(web_editor, timeout=20) as page:
        assert b"EditAnything" in page.read()
    port = int(web_editor.rsplit(":", 1)[1])
    table = Path("/proc/net/tcp")
    if not table.exists():  # not Linux: ask the outer address instead
        with socket.socket() as outer:
            assert outer.connect_ex((socket.gethostbyname(socket.gethostname()), port)) != 0
        return
    listening = {row.split()[1] for row in table.read_text().splitlines()[1:]}
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening
