"""Every YAML that ships can be used."""

from dataclasses import dataclass

import pytest
import torch

from editanything.editor import Editor
from mdt.config import config_folder, load
from mdt.parts import build_network, make_optimizer, make_rate, named_settings, objective_of
from mdt.settings import TrainSettings

EDIT_PRESETS = sorted((config_folder() / "edit").glob("*.yaml"))


def test_there_are_presets():
    assert {path.stem for path in EDIT_PRESETS} >= {
        "default", "sd15", "sd15-controlnet", "sd21", "sdxl", "sd35", "flux-fill", "flux-kontext",
        "qwen-edit",
    }  # fmt: skip


@pytest.mark.parametrize("path", EDIT_PRESETS, ids=lambda path: path.stem)
def test_an_edit_preset_builds_and_opens_with_what_it_is_for(path):
    editor = Editor.from_preset(path.stem)
    assert editor.backends
    assert editor.preset.about
    assert path.read_text().startswith("# ")


TRAINING = sorted((config_folder() / "train").glob("*.yaml"))


#: Data whose pictures are not RGB of the recipe's size: (channels, side; 0: the recipe's).
SHAPES = {"latents": (4, 32), "stickers": (4, 0), "regions": (33, 16)}


@dataclass(frozen=True)
class Pictures:
    """As many classes and channels as the data has that a recipe is for."""

    classes: tuple[str, ...] | None
    shape: tuple[int, int, int]


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.stem)
def test_a_training_recipe_builds_and_opens_with_what_it_is_for(path):
    """On the meta device, where 742 million weights take no memory."""
    settings = load(TrainSettings, path)
    head = [row for row in path.read_text().splitlines() if row.startswith("# ")]
    assert len(head) >= 3
    assert f"{path.stem} data.path=" in " ".join(head)
    latents = settings.data.name == "latents"
    channels, side = SHAPES.get(settings.data.name, (3, settings.data.size))
    shape = (channels, side, side) if side else (channels, settings.data.size, settings.data.size)
    names = tuple(map(str, range(1000 if latents else 10))) if settings.data.labels else None
    with torch.device("meta"):
        network = build_network(settings, Pictures(names, shape), shape)
    drawn = 16 if settings.data.name == "regions" else channels  # of 2 * 16 + 1
    assert network.config.get("in_channels", drawn) == drawn
    optimizer, peak = make_optimizer(settings.optimizer, network)
    assert optimizer.param_groups[0]["lr"] == peak
    assert make_rate(settings)(settings.steps // 2) > 0
    objective, told = objective_of(settings.objective), named_settings(settings.objective)
    both = told.get("mask_ratio") and not told.get("alternate")
    assert objective.num_passes == (2 if both else 1)
    assert network.config.get("learn_sigma", False) == (settings.objective["name"] == "mdtv2")


def test_the_small_recipes_are_there():
    assert {"cifar10", "pictures", "imagenet256_s2", "imagenet256_b2", "imagenet256_xl2"} <= {
        path.stem for path in TRAINING
    }
