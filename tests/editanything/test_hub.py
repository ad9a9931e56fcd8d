"""A hub that does not answer is told soon, and models that are here are opened without it."""

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from huggingface_hub import constants

from editanything.captions import Blip
from editanything.errors import InputError
from editanything.hub import hub_answers, is_hub_id


class Refusing(BaseHTTPRequestHandler):
    """Answers, if not kindly."""

    def do_HEAD(self):
        self.send_error(403)

    def log_message(self, *_):
        pass


@pytest.fixture
def served(monkeypatch):
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()


def test_a_hub_answers_even_where_it_refuses(served):
    assert hub_answers()


@pytest.mark.clock
def test_a_hub_that_is_not_there_is_told_soon(served, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert not hub_answers()
    begun = time.monotonic()
    with pytest.raises(InputError, match="hub cannot be reached: run `hf download some/blip`"):
        _ = Blip("some/blip", device="cpu").network
    assert time.monotonic() - begun < 10


def test_offline_is_not_asked(served, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not hub_answers()


def test_a_folder_is_no_name_of_the_hub(tmp_path, monkeypatch):
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert is_hub_id("owner/name")
    monkeypatch.chdir(tmp_path)
    assert not is_hub_id("owner/name")
    assert not is_hub_id(str(tmp_path))
    assert not is_hub_id("default")
