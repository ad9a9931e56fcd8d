"""The four trainers on tiny bases: the loss falls, a run goes on exactly, the file loads back."""

import json
import shutil
import warnings

import numpy as np
import pytest
import torch

from editanything.training.__main__ import main
from editanything.training.export import export
from editanything.training.inpaint import drawn_masks
from editanything.training.running import train
from mdt.config import find_config, load
from mdt.runs import Run
from mdt.settings import TrainSettings

STEPS = 50
SHORT = [
    "batch=2", "micro_batch=0", "log_every=1", "save_every=25", "keep=2", "progress=false",
    "data.size=32", "data.workers=0", "data.crop=center", "data.flip=false", "precision=fp32",
    "checkpointing=false", "ema.widths=[0.1]",
]  # fmt: skip
WORDS = ["data.settings.prompt=a photo of a red dog"]
#: YAML -> (which base, which pictures, what is changed).
RUNS = {
    "sam_controlnet": ("base", "shards", ["batch=8", "optimizer.name=adan", "optimizer.lr=3e-3", "objective.drop_text=0"]),
    "textual_inversion": (
        "wordy_base", "pictures",
        ["optimizer.lr=0.05", "model.like=dog", "model.num_vectors=8"],
    ),
    "dreambooth_inpaint": ("inpaint_base", "pictures", [*WORDS, "optimizer.lr=2e-3"]),
    "lora_inpaint": ("wordy_inpaint", "pictures", [*WORDS, "optimizer.name=win", "optimizer.lr=1e-2", "model.rank=4"]),
}  # fmt: skip


def changes(name, request, folder, *more):
    base, data, own = RUNS[name]
    paths = [
        f"model.base={request.getfixturevalue(base)}",
        f"data.path={request.getfixturevalue(data)}",
        f"output={folder}",
    ]
    return [*SHORT, *paths, *own, *more]


def run(name, request, folder, *more):
    return train(f"photo/{name}", changes(name, request, folder, *more))


def losses(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


@pytest.fixture(scope="module")
def straight(request, tmp_path_factory):
    """The run of a recipe, done once."""
    done = {}

    def of(name):
        if name not in done:
            folder = tmp_path_factory.mktemp(name) / "run"
            assert run(name, request, folder, f"steps={STEPS}") == (folder, STEPS)
            done[name] = folder
        return done[name]

    return of


@pytest.mark.parametrize("name", RUNS)
def test_the_loss_falls(name, straight):
    found = losses(straight(name))
    assert np.mean(found[-10:]) < 0.8 * np.mean(found[:5]), found


@pytest.mark.parity("P32")
@pytest.mark.parity("P35")
@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_was_stopped_equals_the_straight_one(name, straight, request, tmp_path):
    whole = straight(name)
    again = tmp_path / "run"
    shutil.copytree(whole, again)
    shutil.rmtree(Run(again).place(STEPS))
    assert Run(again).steps() == [25]
    assert run(name, request, again, f"steps={STEPS}")[1] == STEPS
    for file in ("model", "ema_power_0.1", "optimizer"):
        a, b = (Run(folder).tensors(STEPS, file) for folder in (whole, again))
        assert a.keys() == b.keys()
        assert all(torch.equal(a[key], b[key]) for key in a)
    assert losses(whole) == losses(again)


@pytest.mark.parity("P32")
def test_p32_a_controlnet_loads_back_and_its_base_is_no_part_of_it(straight, tmp_path, capsys):
    from diffusers import ControlNetModel

    folder = straight("sam_controlnet")
    assert main(["export", str(folder), "-o", str(tmp_path / "out")]) == 0
    assert "ControlNetModel.from_pretrained" in capsys.readouterr().out
    model = ControlNetModel.from_pretrained(tmp_path / "out", use_safetensors=True)
    trained = Run(folder).tensors(STEPS, "model")
    assert model.state_dict().keys() == trained.keys()
    assert all(torch.equal(value, trained[key]) for key, value in model.state_dict().items())
    assert any(conv.weight.abs().max() > 0 for conv in model.controlnet_down_blocks)
    assert not any("vae" in key or "text" in key for key in trained)
    export(folder, tmp_path / "mean", ema="power_0.1")
    average = ControlNetModel.from_pretrained(tmp_path / "mean").state_dict()
    assert any(not torch.equal(average[key], trained[key]) for key in trained)


@pytest.mark.parity("P34")
def test_p34_a_dreambooth_base_loads_back_as_a_pipeline(straight, tmp_path):
    from diffusers import StableDiffusionInpaintPipeline

    folder = straight("dreambooth_inpaint")
    export(folder, tmp_path / "out")
    pipe = StableDiffusionInpaintPipeline.from_pretrained(
        tmp_path / "out", use_safetensors=True, safety_checker=None, requires_safety_checker=False
    )
    trained = Run(folder).tensors(STEPS, "model")
    assert all(torch.equal(v, trained[key]) for key, v in pipe.unet.state_dict().items())


@pytest.mark.parity("P35")
def test_p35_a_lora_loads_back_and_does_what_was_trained(straight, wordy_inpaint, tmp_path):
    from diffusers import StableDiffusionInpaintPipeline

    from editanything.training.frozen import frozen
    from editanything.training.lora import Lora

    folder = straight("lora_inpaint")
    export(folder, tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == [
        "pytorch_lora_weights.safetensors"
    ]
    pipe = StableDiffusionInpaintPipeline.from_pretrained(
        wordy_inpaint, safety_checker=None, requires_safety_checker=False
    )
    x, t, text = torch.randn(1, 9, 4, 4), torch.tensor([500]), torch.randn(1, 77, 32)
    with torch.no_grad():
        plain = pipe.unet(x, t, text)[0]
        with warnings.catch_warnings(action="ignore"):
            pipe.load_lora_weights(tmp_path / "out")
        changed = pipe.unet(x, t, text)[0]
        lora = Lora(wordy_inpaint, rank=4)
        lora.load_state_dict(Run(folder).tensors(STEPS, "model"))
        ours = lora(lambda: frozen(wordy_inpaint).part("unet")(x, t, text)[0])
        after = frozen(wordy_inpaint).part("unet")(x, t, text)[0]
    assert not torch.allclose(plain, changed, atol=1e-4)
    assert torch.allclose(ours, changed, atol=1e-5)
    assert torch.equal(plain, after)  # nothing stays on the frozen network


@pytest.mark.parity("P35")
def test_what_the_text_encoder_learned_is_in_the_file_and_scaled(inpaint_base, tmp_path):
    from diffusers import StableDiffusionInpaintPipeline
    from safetensors.torch import save_file

    from editanything.training.frozen import frozen
    from editanything.training.lora import Lora, published

    torch.manual_seed(0)  # some draws saturate the attention, and rounding then grows
    lora = Lora(inpaint_base, rank=2, alpha=6.0, text_encoder=True)
    with torch.no_grad():
        for up in lora.up.values():
            up.normal_()
    save_file(published(lora.state_dict(), 2, 6.0), tmp_path / "pytorch_lora_weights.safetensors")
    pipe = StableDiffusionInpaintPipeline.from_pretrained(
        inpaint_base, safety_checker=None, requires_safety_checker=False
    )
    ids = pipe.tokenizer("a red dog", return_tensors="pt").input_ids
    x, t = torch.randn(1, 9, 4, 4), torch.tensor([300])

    def both(unet, encoder):
        text = encoder(ids)[0]
        return text, unet(x, t, text)[0]

    base = frozen(inpaint_base)
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        plain = both(pipe.unet, pipe.text_encoder)
        pipe.load_lora_weights(tmp_path)
        theirs = both(pipe.unet, pipe.text_encoder)
        with lora.laid_over():
            ours = both(base.part("unet"), base.part("text_encoder"))
    for a, b, c in zip(plain, theirs, ours, strict=True):
        assert not torch.allclose(a, b, atol=1e-2)
        assert torch.allclose(b, c, atol=1e-4)


@pytest.mark.parity("P23")
def test_p23_a_word_loads_back_and_reads_as_it_was_trained(straight, wordy_base, tmp_path):
    from diffusers import StableDiffusionPipeline

    from editanything.training.frozen import frozen
    from editanything.training.inversion import Word, placed

    folder = straight("textual_inversion")
    export(folder, tmp_path / "out")
    pipe = StableDiffusionPipeline.from_pretrained(
        wordy_base, safety_checker=None, requires_safety_checker=False
    )
    pipe.load_textual_inversion(tmp_path / "out", weight_name="learned_embeds.safetensors")
    prompt = pipe.maybe_convert_prompt("a photo of <new-thing> in snow", pipe.tokenizer)
    ids = pipe.tokenizer(prompt, padding="max_length", truncation=True, return_tensors="pt")
    word = Word(wordy_base, like="dog", num_vectors=8)
    word.load_state_dict(Run(folder).tensors(STEPS, "model"))
    base = frozen(wordy_base)
    mine, at = placed(base, ["a photo of <new-thing> in snow"], "<new-thing>", 8)
    with torch.no_grad():
        theirs = pipe.text_encoder(ids.input_ids)[0]
        ours = word(base.part("text_encoder"), mine, at)
    assert torch.allclose(ours[0, :20], theirs[0, :20], atol=1e-5)


def test_masks_are_rectangles_and_ellipses_up_to_the_whole_picture():
    masks = drawn_masks((400, 24, 32), torch.Generator().manual_seed(0))[:, 0]
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    share = masks.mean((1, 2))
    assert share.min() > 0
    assert share.max() > 0.85
    filled = []
    for mask in masks:
        ys, xs = torch.nonzero(mask, as_tuple=True)
        box = (ys.max() - ys.min() + 1) * (xs.max() - xs.min() + 1)
        filled.append(float(mask.sum() / box))
    whole = [f == 1.0 for f in filled]
    assert 0.4 < np.mean(whole) < 0.65  # rectangles
    assert abs(np.median([f for f, w in zip(filled, whole, strict=True) if not w]) - 0.785) < 0.03


@pytest.mark.parametrize("name", RUNS)
def test_every_recipe_opens_with_what_it_is_for(name):
    path = find_config("train", f"photo/{name}")
    settings = load(TrainSettings, path)
    head = [line for line in path.read_text().splitlines() if line.startswith("# ")]
    assert len(head) >= 3
    assert f"editanything.training train photo/{name} data.path=" in path.read_text()
    assert settings.objective["base"] == settings.model["base"]
    assert load(TrainSettings, path, ["optimizer.name=adan"]).optimizer["name"] == "adan"


def test_bad_runs_are_one_sentence(pictures, base, inpaint_base, tmp_path, capsys):
    def said(*argv):
        assert main([str(one) for one in argv]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert not any("Traceback" in line for line in lines)
        return lines[-1]  # above it, the libraries' bars

    out = f"output={tmp_path / 'run'}"
    data = f"data.path={pictures}"
    assert "Say which base" in said("train", "photo/lora_inpaint", data, out)
    missing = "model.base=/no/such"
    assert "/no/such (no folder here)" in said("train", "photo/lora_inpaint", data, out, missing)
    ordinary = f"model.base={base}"
    assert "is no inpainting base" in said("train", "photo/dreambooth_inpaint", data, out, ordinary)
    word = [data, out, ordinary, "data.size=32", "progress=false", "data.workers=0"]
    assert "is 4 tokens" in said("train", "photo/textual_inversion", *word)
    known = [*word, "model.like=dog", "model.token=dog</w>"]
    assert "is known or has spaces" in said("train", "photo/textual_inversion", *known)
    without = [*word, "model.like=dog", "data.settings.prompt=a dog"]
    assert "is not in" in said("train", "photo/textual_inversion", *without)
    assert "no shards" in said("train", "photo/sam_controlnet", data, out, ordinary)
    assert "is no training run" in said("export", tmp_path, "-o", tmp_path / "x")
    assert "no segmenter 'sum'" in said(
        "build", pictures, "-o", tmp_path / "y", "--segmenter", "sum"
    )
