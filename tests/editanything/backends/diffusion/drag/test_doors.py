"""Every setting of a drag, and looks, by the command line and in the page."""

import numpy as np
import pytest
from PIL import Image

from editanything.cli import main
from editanything.editor import Editor

PRESET = """\
about: A preset of folders.
segmenter: {{name: classical}}
grounder: {{name: words}}
backends:
  - name: diffusion
    model: {folder}/base
    controlnets:
      - {{model: {folder}/regions, role: regions, scale: 0.5}}
      - {{model: {folder}/inpaint, role: inpaint}}
    size: 64
    steps: 1
    device: cpu
  - name: classical
"""
CAPTION = '{{"name": "blip", "model": "{folder}/blip", "device": "cpu", "num_beams": 1}}'
#: What shows a row is a difference to the same edit without these settings.
ROWS = {
    "P18": ["backends.0.drag.fit=letterbox"],
    "P19": ["backends.0.drag.attention=false"],
    "P20": ["backends.0.drag.frequency=0.6"],
    "P21": [
        "backends.0.drag.style_fidelity=0.5", "backends.0.drag.attention_weight=0.4",
        "backends.0.drag.groupnorm_weight=0.4", "backends.0.drag.position_scale=0.9",
        "backends.0.drag.content_scale=0.7",
    ],
    "P22": [f"backends.0.caption={CAPTION}"],
}  # fmt: skip
#: Rows without a second picture: the setting and the command.
LOOKS = {
    "P5": (f"backends.0.caption={CAPTION}", "replace it with a red dog"),
    "P30": ("backends.0.look=thing-flowers", "replace it with a vase of flowers"),
    "P36": ("backends.0.look=season-winter", "make the photo look like winter"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sd, controlnets):
    folder = tmp_path_factory.mktemp("drag-doors")
    sd.save_pretrained(folder / "base")
    controlnets[0].save_pretrained(folder / "regions")
    controlnets[1].save_pretrained(folder / "inpaint")
    _tiny_blip(folder / "blip")
    (folder / "photo.yaml").write_text(PRESET.format(folder=folder))
    draw = np.random.default_rng(0)
    Image.fromarray(draw.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(folder / "a.png")
    # What is meant of a file with transparency is its cut-out.
    second = draw.integers(0, 256, (50, 40, 4), dtype=np.uint8)
    second[..., 3] = 0
    second[10:45, 5:30, 3] = 255
    Image.fromarray(second).save(folder / "b.png")
    mask = np.zeros((60, 80), np.uint8)
    mask[20:45, 30:60] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    return folder


def _tiny_blip(folder):
    import torch
    import transformers as tf

    torch.manual_seed(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]"]
    tokenizer = tf.BertTokenizer(vocab={t: i for i, t in enumerate([*marks, *letters])})
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1}
    text = small | {
        "vocab_size": 33, "encoder_hidden_size": 32, "num_attention_heads": 2,
        "max_position_embeddings": 64, "bos_token_id": 5, "eos_token_id": 3, "sep_token_id": 3,
        "pad_token_id": 0,
    }  # fmt: skip
    vision = small | {"num_attention_heads": 2, "image_size": 32, "patch_size": 16}
    config = tf.BlipConfig(text_config=text, vision_config=vision, projection_dim=16)
    images = tf.BlipImageProcessor(size={"height": 32, "width": 32})
    tf.BlipForConditionalGeneration(config).eval().save_pretrained(folder)
    tf.BlipProcessor(images, tokenizer).save_pretrained(folder)


def _by_line(folder, out, settings, command, *where):
    words = ["edit", str(folder / "a.png"), command, "-o", str(out), *where]
    words += ["--preset", str(folder / "photo.yaml")]
    words += [word for setting in settings for word in ("--set", setting.format(folder=folder))]
    assert main(words) in (0, None)
    return np.asarray(Image.open(out).convert("RGB"))


def _in_the_page(edit_page, folder, settings, command, *, masked=True, second=True):
    page = edit_page(Editor.from_preset(str(folder / "photo.yaml")), folder / "a.png")
    if masked:
        page.do.open_mask(str(folder / "mask.png"), page.request)
    if second:
        page.do.open_second(str(folder / "b.png"), page.request)
    typed = "\n".join(setting.format(folder=folder) for setting in settings)
    said = page.run(command, settings=typed)
    assert len(page.session.history) == 2, said
    return page.pixels()


REPLACE = "replace it with image B"


def _where(folder):
    return "--mask", str(folder / "mask.png"), "--reference", str(folder / "b.png")


@pytest.fixture(scope="module")
def plain(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("plain") / "out.png"
    return _by_line(folder, out, [], REPLACE, *_where(folder))


@pytest.mark.parity("P18", "P19", "P20", "P21", "P22")
@pytest.mark.parametrize(("row", "settings"), ROWS.items(), ids=ROWS)
def test_by_cli_a_setting_of_a_drag_changes_the_picture_and_only_where_it_may(
    row, settings, folder, tmp_path, plain
):
    after = _by_line(folder, tmp_path / "out.png", settings, REPLACE, *_where(folder))
    before = np.asarray(Image.open(folder / "a.png"))
    mask = np.asarray(Image.open(folder / "mask.png")) > 0
    grown = np.zeros_like(mask)
    grown[16:49, 26:64] = True
    assert np.array_equal(after[~grown], before[~grown])
    assert not np.array_equal(after[mask], plain[mask])


@pytest.mark.parity("P18", "P19", "P20", "P21", "P22", door="app")
@pytest.mark.parametrize(("row", "settings"), ROWS.items(), ids=ROWS)
def test_the_page_drags_as_the_command_line_does(row, settings, folder, tmp_path, edit_page):
    made = _in_the_page(edit_page, folder, settings, REPLACE)
    line = _by_line(folder, tmp_path / "out.png", settings, REPLACE, *_where(folder))
    assert np.array_equal(made, line)


@pytest.mark.parity("P5", "P30", "P36")
@pytest.mark.parametrize("row", LOOKS)
def test_by_cli_a_look_says_more_than_the_command(row, folder, tmp_path):
    setting, command = LOOKS[row]
    where = () if row == "P36" else ("--mask", str(folder / "mask.png"))
    told = _by_line(folder, tmp_path / "a.png", [setting], command, *where)
    alone = _by_line(folder, tmp_path / "b.png", [], command, *where)
    assert not np.array_equal(told, alone)


@pytest.mark.parity("P5", "P30", "P36", door="app")
@pytest.mark.parametrize("row", LOOKS)
def test_the_page_takes_looks_as_the_command_line_does(row, folder, tmp_path, edit_page):
    setting, command = LOOKS[row]
    masked = row != "P36"
    made = _in_the_page(edit_page, folder, [setting], command, masked=masked, second=False)
    where = ("--mask", str(folder / "mask.png")) if masked else ()
    line = _by_line(folder, tmp_path / "out.png", [setting], command, *where)
    assert np.array_equal(made, line)
