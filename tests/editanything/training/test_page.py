"""The trainings from the page's Train tab: started as processes, watched, their files written."""

import json
import time
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest

from editanything.editor import Editor
from editanything.errors import InputError
from editanything.preset import read_settings
from editanything.training.__main__ import main
from editanything.ui.photo_trainings import MODULE, PhotoWish, photo_command, write_out
from editanything.ui.tabs.photo_train import PhotoTraining
from editanything.ui.trainings import Trainings

# diffusers' schedulers read torch tensors in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")
SHORT = """
batch=2
micro_batch=0
steps=2
save_every=2
data.size=32
data.workers=0
precision=fp32
checkpointing=false
optimizer.name=adan
"""


@pytest.fixture
def do(tmp_path):
    """The panel's handlers beside those of the tab, whose components are their names."""
    train = SimpleNamespace(
        runs=Trainings(tmp_path / "runs"),
        page=SimpleNamespace(said="said", run="run"),
        shown_of=lambda name: {"run": name},
    )
    return PhotoTraining(train)


@pytest.mark.parity("P35", door="app")
def test_a_lora_is_trained_in_a_process_and_written(pictures, inpaint_base, do):
    asked = ("lora", str(inpaint_base), "a photo of a dog", "", "", "", SHORT)
    shown = do.start(str(pictures), "mine", *asked)
    assert "Training" in shown["said"], shown
    runs, end = do.train.runs, time.monotonic() + 240
    while (now := runs.status("mine")).alive:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert (now.state, now.said, now.step) == ("done", "", 2)
    assert (now.can_draw, now.can_write) == (False, True)
    said = unescape(do.write("mine")["said"])
    out = (runs.root / "mine" / "for-diffusers").resolve()
    assert f'backends.0.loras=[{{"model": "{out}"}}]' in said
    assert (out / "pytorch_lora_weights.safetensors").is_file()
    use = said.partition("by the setting ")[2].partition("<")[0]
    assert not np.array_equal(painted(inpaint_base, [use]), painted(inpaint_base, []))
    assert "photo of a dog" in json.dumps(runs._read("mine")["command"])


def painted(base, settings):
    """What a preset on a base paints, with settings as the page tells them."""
    given = [
        "segmenter.name=classical", "grounder.name=words", f"backends.0.model={base}",
        "backends.0.device=cpu", "backends.0.size=64", "backends.0.steps=1",
        "backends.0.prompt=a <my-dog>", *settings,
    ]  # fmt: skip
    editor = Editor.from_preset("sd15", **read_settings(given))
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    mask = np.zeros((60, 80), bool)
    mask[20:45, 30:60] = True
    return editor.edit(photo, "make it wooden", selection=mask).image


def trained(wish, pictures, place):
    """What the process runs, here; where its files are written, and what is said."""
    command = photo_command(wish, pictures, place)
    assert command[0] == MODULE
    assert main(command[1:]) == 0
    return write_out(place, command)


@pytest.mark.parity("P31", "P32", "P33", door="app")
def test_a_folder_of_pictures_becomes_a_controlnet(pictures, base, wordy_base, tmp_path):
    from diffusers import ControlNetModel

    other, place = tmp_path / "of-another-base", tmp_path / "run"
    assert main(["init", str(base), "-o", str(other)]) == 0
    wish = PhotoWish(
        "controlnet", str(wordy_base), settings=SHORT, segmenter="classical", carry=str(other),
        carry_base=str(base),
    )  # fmt: skip
    out, use = trained(wish, pictures, place)
    assert use == f"backends.0.controlnets.0.model={out}"
    afresh = [f'backends.0.controlnets=[{{"model": "{other}"}}]']
    assert not np.array_equal(painted(wordy_base, [*afresh, use]), painted(wordy_base, afresh))
    assert list((place / "shards").glob("*.tar"))
    assert (
        main(["transfer", str(other), str(base), str(wordy_base), "-o", str(tmp_path / "t")]) == 0
    )
    begun, transferred, learned = (
        ControlNetModel.from_pretrained(folder).state_dict()
        for folder in (place / "begun-with", tmp_path / "t", out)
    )
    assert all((begun[name] == transferred[name]).all() for name in begun)
    assert any((begun[name] != learned[name]).any() for name in begun)


@pytest.mark.parity("P23", "P34", door="app")
def test_pictures_of_a_thing_become_a_word_or_a_base(pictures, base, inpaint_base, tmp_path):
    word = PhotoWish("word", str(base), "<my-dog>", f"{SHORT}\nmodel.like=dog")
    out, use = trained(word, pictures, tmp_path / "word")
    assert (out / "learned_embeds.safetensors").is_file()
    assert '"token": "<my-dog>"' in use
    assert not np.array_equal(painted(base, [use]), painted(base, []))
    whole = PhotoWish("dreambooth", str(inpaint_base), "a photo of a dog", SHORT)
    out, use = trained(whole, pictures, tmp_path / "whole")
    assert (out / "model_index.json").is_file()
    assert use == f"backends.0.model={out}"
    assert not np.array_equal(painted(inpaint_base, [use]), painted(inpaint_base, []))


def test_what_cannot_be_trained_is_one_sentence(pictures, base, do, tmp_path):
    for asked, said in (
        (("lora", "", "", "sam2", "", "", ""), "Say which base"),
        (("lots", base, "", "sam2", "", "", ""), "There is no kind"),
        (("controlnet", base, "", "sum", "", "", ""), "There is no segmenter"),
        (("controlnet", base, "", "sam2", base, "", ""), "give it and that base"),
        (("lora", base, "", "sam2", "", "", "steps"), "A setting is KEY=VALUE"),
        (("lora", base, "", "sam2", "", "", "model.name=os:system"), "cannot be set"),
        (("lora", base, "", "sam2", "", "", "output=elsewhere"), "cannot be set"),
    ):
        assert said in do.start(str(pictures), "mine", *asked)["said"]
    assert not (tmp_path / "runs").exists()
    with pytest.raises(InputError, match="Say which base"):
        photo_command(PhotoWish("lora", " "), pictures, tmp_path)


def test_a_run_that_failed_says_why_in_its_last_words(pictures, tmp_path, capsys):
    (tmp_path / "nothing").mkdir()
    wish = PhotoWish("lora", str(tmp_path / "nothing"), settings=SHORT)
    assert main(photo_command(wish, pictures, tmp_path / "run")[1:]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("editanything: ")  # what the Train tab looks for
    assert "cannot be opened" in said
