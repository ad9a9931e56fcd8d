"""Regions with words, by any segmenter and any captioner."""

import json

import numpy as np
import pytest
import torch
import transformers as tf
from PIL import Image

from editanything.cli import main
from editanything.editor import Editor
from editanything.errors import InputError
from editanything.preset import build
from editanything.segmenters.classical import Classical
from editanything.segmenters.labelled import Labelled
from editanything.types import Mask, Point, Region, Selection


def picture():
    image = np.full((96, 128, 3), 120, np.uint8)
    image[:, 64:] = (30, 90, 200)
    image[30:70, 20:50] = (220, 40, 40)
    return image


class Mean:
    """Words the brightest channel of what it is shown."""

    def __init__(self):
        self.asked = 0

    def caption(self, rgb, *, max_new_tokens=50):
        self.asked += 1
        return ("red", "green", "blue")[int(rgb.reshape(-1, 3).sum(0).argmax())]


@pytest.mark.parity("P26")
def test_the_largest_regions_bear_words_and_all_else_is_as_before():
    words = Mean()
    seen = build("segmenter", {"name": "labelled", "segmenter": "classical", "captioner": words,
                               "most": 2}).look(picture())  # fmt: skip
    plain = Classical().look(picture())
    assert words.asked == 0
    regions = seen.regions()
    assert seen.regions() is regions
    assert words.asked == 2
    assert [r.id for r in regions] == [r.id for r in plain.regions()]
    assert sum(bool(r.label) for r in regions) == 2
    blue = next(r for r in regions if r.mask.full()[50, 100])
    assert blue.label == "blue"
    click = Selection(points=(Point(30, 50),))
    assert np.array_equal(seen.select(click).full(), plain.select(click).full())
    assert not hasattr(seen, "concept")


def test_names_that_are_known_stay():
    mask = np.zeros((96, 128), bool)
    mask[30:70, 20:50] = True
    known = (Region(1, Mask.of(mask), "cup"),)
    seen = Labelled(Classical(), Mean(), most=9).look(picture(), known=known)
    assert seen.known == known
    assert seen.regions()[0].label == "cup"


@pytest.fixture
def preset(tmp_path):
    """A preset with a tiny captioner that says "dog", and a picture."""
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "red", "dog", "sky"]
    tokenizer = tf.BertTokenizer(vocab={token: i for i, token in enumerate(vocab)})
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    torch.manual_seed(0)
    text = {
        "vocab_size": len(vocab), "hidden_size": 32, "encoder_hidden_size": 32,
        "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "bos_token_id": 5, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0,
    }  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "image_size": 32, "patch_size": 16,
    }  # fmt: skip
    model = tf.BlipForConditionalGeneration(tf.BlipConfig(text_config=text, vision_config=vision))
    with torch.no_grad():
        model.text_decoder.cls.predictions.bias[7] += 99
    model.save_pretrained(tmp_path / "blip")
    images = tf.BlipImageProcessor(size={"height": 32, "width": 32})
    tf.BlipProcessor(images, tokenizer).save_pretrained(tmp_path / "blip")
    preset = tmp_path / "mine.yaml"
    preset.write_text(
        "about: words\n"
        "segmenter:\n  name: labelled\n  segmenter: {name: classical}\n  most: 1\n"
        f"  captioner: {{name: blip, model: '{tmp_path / 'blip'}', device: cpu, num_beams: 1}}\n"
        "grounder: {name: words}\nbackends: [{name: classical}]\n"
    )
    Image.fromarray(picture()).save(tmp_path / "in.png")
    return preset


@pytest.mark.parity("P26", door="cli")
def test_the_command_prints_what_a_network_wrote(preset, tmp_path, capsys):
    out = tmp_path / "out.png"
    assert main(["segment", str(tmp_path / "in.png"), "-o", str(out), "--preset", str(preset)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [bool(row["label"]) for row in rows].count(True) == 1
    assert next(row["label"] for row in rows if row["label"]).startswith("dog dog")
    assert out.is_file()


@pytest.mark.parity("P26", door="app")
def test_the_page_shows_what_a_network_wrote_and_hears_it(preset, tmp_path, edit_page):
    page = edit_page(Editor.from_preset(str(preset)), tmp_path / "in.png")
    shown = page.gesture("regions")["stage"]["regions"]
    (label,) = [region["label"] for region in shown if region["label"]]
    assert label.startswith("dog dog")
    before = page.pixels()
    (number,) = [region["id"] for region in shown if region["label"]]
    page.gesture("region", id=number, add=True)
    page.run("make it teal")
    changed = (page.pixels() != before).any(-1)
    assert changed.any()
    assert not changed.all()


def test_unknown_names_are_one_sentence():
    with pytest.raises(InputError, match="no segmenter 'sum'"):
        Labelled("sum", Mean())
    with pytest.raises(InputError, match="does not take these options"):
        Labelled({"name": "classical", "pixels": 3}, Mean())
    with pytest.raises(InputError, match="no captioner 'clip'"):
        Labelled("classical", "clip")
    with pytest.raises(InputError, match="most is 1 or more"):
        Labelled("classical", Mean(), most=0)
