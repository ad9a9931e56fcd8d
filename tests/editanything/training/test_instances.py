"""Pictures of a thing and of its class, and the words for them."""

import cv2
import numpy as np
import pytest
import torch

from editanything.training.__main__ import main
from editanything.training.frozen import frozen
from editanything.training.inpaint import InpaintObjective, unet
from editanything.training.instances import SAYINGS, InstanceSource
from editanything.training.rows import captions_of, weights_of
from mdt.data import DataError, batches
from mdt.draws import StepGenerators


def test_each_picture_is_read_with_every_way_to_speak(pictures):
    source = InstanceSource(pictures, size=16, prompt="<dog>", ways="thing")
    assert len(source) == 6 * len(SAYINGS["thing"])
    rows = torch.from_numpy(np.stack([source.read(i)[1] for i in range(len(source))]))
    words = captions_of(rows)
    assert sorted(set(words)) == sorted(way.format("<dog>") for way in SAYINGS["thing"])
    first, second = source.read(0)[0], source.read(1)[0]
    assert np.array_equal(first, second)
    assert first.shape == (16, 16, 3)


@pytest.mark.parity("P34")
def test_those_of_the_class_are_read_in_turn_and_weigh_what_is_said(pictures, tmp_path):
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((20, 20, 3), 10 * i + 5, np.uint8))
    source = InstanceSource(
        pictures, size=16, prompt="a photo of sks dog", class_path=str(tmp_path),
        class_prompt="a photo of a dog", prior_weight=0.5,
    )  # fmt: skip
    assert len(source) == 12
    rows = torch.from_numpy(np.stack([source.read(i)[1] for i in range(4)]))
    assert captions_of(rows) == ["a photo of sks dog", "a photo of a dog"] * 2
    assert weights_of(rows).tolist() == [1.0, 0.5, 1.0, 0.5]
    assert [int(source.read(i)[0].max()) for i in (1, 3)] == [5, 15]
    batch = next(batches(source, batch=12, seed=0, flip=True, crop="random"))
    assert sorted(weights_of(batch.label).tolist()) == [0.5] * 6 + [1.0] * 6


def test_the_loss_is_weighted_and_a_run_repeats(inpaint_base):
    network, objective = unet(inpaint_base), InpaintObjective(inpaint_base, drop_text=0.0)
    network.eval()
    source = torch.rand(2, 3, 32, 32) * 2 - 1
    from editanything.training.rows import to_row

    def loss(weight):
        label = torch.from_numpy(np.stack([to_row("a dog"), to_row("a dog", weight)]))
        rows = StepGenerators((0, 0), 3, range(2), 2)
        with torch.no_grad():
            return next(objective.passes(network, source, label, generator=rows))

    one, half = loss(1.0), loss(0.5)
    assert torch.equal(one["loss"][0], half["loss"][0])
    assert torch.allclose(0.5 * one["loss"][1], half["loss"][1])
    assert torch.equal(one["loss"], loss(1.0)["loss"])


def test_noise_and_times_are_the_schedulers_own(inpaint_base):
    """Independent: what was added is found again from the noisy latents, at every time."""
    base = frozen(inpaint_base)
    latents = torch.randn(8, 4, 4, 4)
    at = base.noised(latents, StepGenerators((1, 0), 0, range(8), 8))
    kept = base.part("scheduler").alphas_cumprod[at.t].view(-1, 1, 1, 1)
    assert torch.allclose((at.x - kept.sqrt() * latents) / (1 - kept).sqrt(), at.target, atol=1e-3)
    assert at.t.unique().numel() > 4
    perfect = at.terms(at.target)
    assert not perfect["loss"].any()


@pytest.mark.parity("P34")
def test_a_base_paints_pictures_of_a_class(inpaint_base, tmp_path, capsys):
    command = ["class", inpaint_base, "a photo of a dog", "--side", "32", "--steps", "2"]
    assert main([*command, "--count", "3", "-o", str(tmp_path / "a")]) == 0
    assert "3 pictures" in capsys.readouterr().out
    assert main([*command, "--count", "1", "--seed", "2", "-o", str(tmp_path / "b")]) == 0
    files = sorted((tmp_path / "a").iterdir())
    assert len(files) == 3
    assert np.array_equal(cv2.imread(str(files[2])), cv2.imread(str(tmp_path / "b" / "00000.png")))
    assert not np.array_equal(cv2.imread(str(files[0])), cv2.imread(str(files[1])))
    assert main([*command, "--side", "30", "-o", str(tmp_path / "c")]) == 2
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "Say what the pictures show"),
        ({"prompt": "a", "ways": "song"}, "ways is one of"),
        ({"prompt": "a", "class_path": "x"}, "Say what the pictures of the class show"),
        ({"prompt": "a", "prior_weight": -1.0}, "prior_weight is 0 or more"),
    ],
)
def test_bad_settings_are_one_sentence(told, said, pictures):
    with pytest.raises(DataError, match=said):
        InstanceSource(pictures, size=16, **told)
