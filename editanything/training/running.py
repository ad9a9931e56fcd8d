"""The verb `train`: mdt's trainer on the settings of configs/train/photo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mdt.settings import TrainSettings


def train(name: str, changes: Sequence[str] = ()) -> tuple[Path, int]:
    """Train, or go on with a run that was stopped; returns its folder and the steps done.

    Args:
        name: a YAML file, or the name of one in configs/train, such as photo/sam_controlnet.
        changes: `key=value`.

    Raises:
        ValueError: settings that cannot be used; see `mdt.train.train`.
    """
    from mdt.config import find_config
    from mdt.train import train as run

    settings = settings_of(name, changes)
    folder = settings.folder(find_config("train", name))
    return folder, run(settings, folder)


def settings_of(name: str, changes: Sequence[str]) -> TrainSettings:
    """The settings of a training; as for `train`."""
    from mdt.config import find_config, load
    from mdt.settings import TrainSettings

    return load(TrainSettings, find_config("train", name), changes)


def carried(name: str, changes: Sequence[str], control: str, old: str) -> str:
    """A ControlNet of another base, carried over beside the run; the setting that begins with it.

    Args:
        name: of the training.
        changes: `key=value`.
        control: folder of the ControlNet.
        old: its base.

    Raises:
        ValueError: nets that do not fit; see `transfer_control`.
    """
    from editanything.training.transfer import transfer_control
    from mdt.config import find_config

    settings = settings_of(name, changes)
    out = settings.folder(find_config("train", name)) / "begun-with"
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        transfer_control(control, old, str(settings.model["base"]), out)
    return f"model.start={json.dumps(str(out))}"
