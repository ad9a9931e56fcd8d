"""Backends are named in one dict, and made when asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from editanything.backends import BACKENDS
from editanything.backends.classical import Classical
from editanything.errors import InputError
from editanything.preset import build


def test_every_named_backend_can_be_made() -> None:
    needs = {"diffusion": {"model": "no-one/nothing"}}  # opened when something is painted first
    for name in BACKENDS:
        made = build("backend", {"name": name, **needs.get(name, {})})
        assert made.can("no such operation", {}) is False


def test_a_backend_of_ones_own_is_named_by_its_module() -> None:
    assert isinstance(
        build("backend", {"name": "editanything.backends.classical:Classical"}), Classical
    )


def test_an_option_that_a_backend_does_not_take_is_one_clear_sentence() -> None:
    with pytest.raises(InputError, match="does not take these options"):
        build("backend", {"name": "classical", "colour": 3})


@pytest.mark.parametrize("name", ["clasical", "no.such.module:Thing", "json:Nothing"])
def test_a_wrong_name_is_one_clear_sentence(name: str) -> None:
    with pytest.raises(InputError, match=name):
        build("backend", {"name": name})


def test_naming_backends_imports_nothing_heavy() -> None:
    code = "import editanything.backends, sys; print('cv2' in sys.modules, 'torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]
