"""The verb `train`: mdt's trainer on the settings of configs/train/photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def train(name: str, changes: Sequence[str] = ()) -> tuple[Path, int]:
    """Train, or go on with a run that was stopped; returns its folder and the steps done.

    Args:
        name: a YAML file, or the name of one in configs/train, such as photo/sam_controlnet.
        changes: `key=value`.

    Raises:
        ValueError: settings that cannot be used; see `mdt.train.train`.
    """
    from mdt.config import find_config, load
    from mdt.settings import TrainSettings
    from mdt.train import train as run

    path = find_config("train", name)
    settings = load(TrainSettings, path, changes)
    folder = settings.folder(path)
    return folder, run(settings, folder)
