"""A tiny base of each kind as a folder, and a folder of pictures; made once a session."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

SIDE = 32


def pipelines():
    """The tiny pipelines of the backends' tests."""
    place = Path(__file__).parents[1] / "backends" / "diffusion" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tiny_pipelines", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny():
    return pipelines()


@pytest.fixture(scope="session")
def base(tiny, tmp_path_factory):
    """An ordinary Stable Diffusion base."""
    folder = tmp_path_factory.mktemp("base")
    tiny.tiny_sd(4).save_pretrained(folder)
    return str(folder)


def wordy(pipe, folder):
    """Save a pipeline whose pictures depend on the words, as random weights hardly do."""
    with torch.no_grad():
        for name, value in pipe.unet.named_parameters():
            if "attn2.to_out.0.weight" in name or "attn2.to_v" in name:
                value *= 15
            if name == "conv_out.weight":
                value *= 6
    pipe.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def wordy_base(tiny, tmp_path_factory):
    """An ordinary base whose pictures depend on the words."""
    return wordy(tiny.tiny_sd(4), tmp_path_factory.mktemp("wordy"))


@pytest.fixture(scope="session")
def wordy_inpaint(tiny, tmp_path_factory):
    """A nine-channel base whose pictures depend on the words."""
    return wordy(tiny.tiny_sd(9), tmp_path_factory.mktemp("wordy9"))


@pytest.fixture(scope="session")
def inpaint_base(tiny, tmp_path_factory):
    """A nine-channel base."""
    folder = tmp_path_factory.mktemp("inpaint")
    tiny.tiny_sd(9).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Six pictures of two flat halves and a disc, two of them with words beside them."""
    folder = tmp_path_factory.mktemp("pictures")
    draw = np.random.default_rng(0)
    y, x = np.mgrid[:48, :64]
    for i in range(6):
        image = np.empty((48, 64, 3), np.uint8)
        image[:, :32], image[:, 32:] = draw.integers(0, 256, (2, 3))
        image[np.hypot(y - 24, x - 20 - 4 * i) < 12] = draw.integers(0, 256, 3)
        cv2.imwrite(str(folder / f"{i}.png"), image)
    (folder / "0.txt").write_text("a red dog on grass\n")
    (folder / "1.txt").write_text("a cat in snow")
    return folder


@pytest.fixture(scope="session")
def shards(pictures, tmp_path_factory):
    """The pictures with the classical segmenter's regions, four to a shard."""
    from editanything.segmenters.classical import Classical
    from editanything.training.pairs import build_pairs

    out = tmp_path_factory.mktemp("built") / "shards"
    assert build_pairs(pictures, out, segmenter=Classical(), side=SIDE, per_shard=4) == 6
    return out
