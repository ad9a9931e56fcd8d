"""Every setting of the photo presets through the command line, from folders, as a user gives it."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from editanything.cli import main

PRESET = """\
about: A preset of folders.
segmenter: {{name: classical}}
grounder: {{name: words}}
backends:
  - name: diffusion
    model: {model}
    controlnets:
      - {{model: {regions}, role: regions, scale: 0.5}}
      - {{model: {inpaint}, role: inpaint}}
    size: 64
    steps: 1
    device: cpu
  - name: classical
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sd_folder, sd_inpaint, controlnets):
    import torch

    folder = tmp_path_factory.mktemp("doors")
    controlnets[0].save_pretrained(folder / "regions")
    controlnets[1].save_pretrained(folder / "inpaint")
    sd_inpaint.save_pretrained(folder / "nine")
    nets = {"regions": folder / "regions", "inpaint": folder / "inpaint"}
    (folder / "pair.yaml").write_text(PRESET.format(model=sd_folder, **nets))
    draw = np.random.default_rng(0)
    photo = draw.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(photo).save(folder / "photo.png")
    mask = np.zeros((60, 80), np.uint8)
    mask[20:45, 30:60] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    save_file({"<new-obj>": torch.randn(2, 32)}, folder / "word.safetensors")
    layer = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
    lora = {
        f"{layer}.lora_down.weight": torch.randn(2, 64), f"{layer}.alpha": torch.tensor(2.0),
        f"{layer}.lora_up.weight": torch.randn(64, 2),
    }  # fmt: skip
    save_file(lora, folder / "lora.safetensors")
    return folder


def _run(folder, tmp_path, settings, command="replace it with a red dog", *where):
    out = tmp_path / "out.png"
    where = where or ("--mask", str(folder / "mask.png"))
    sets = [word for setting in settings for word in ("--set", setting.format(folder=folder))]
    preset = ["--preset", str(folder / "pair.yaml")]
    words = ["edit", str(folder / "photo.png"), command, "-o", str(out), "--overwrite"]
    assert main([*words, *where, *preset, *sets]) in (0, None)
    before = np.asarray(Image.open(folder / "photo.png"))
    after = np.asarray(Image.open(out).convert("RGB"))
    mask = np.asarray(Image.open(folder / "mask.png")) > 0
    return before, after, mask, out


ROWS = {
    "P7": ["backends.0.controlnets.0.scale=1.2"],
    "P8": ["backends.0.controlnets.1.scale=0.7"],
    "P9": ["backends.0.model={folder}/nine", "backends.0.controlnets=null"],
    "P10": ["backends.0.alignment=0.4", "backends.0.steps=3"],
    "P11": ["backends.0.mix=0.5"],
    "P12": ["backends.0.scale_map=painted"],
    "P13": ["backends.0.guess=true", "backends.0.controlnets.0.scale=1.5"],
    "P14": [
        "backends.0.controlnets.0.role=tile", "backends.0.refine_at_least=0.5",
        "backends.0.refine_size=96",
    ],
    "P15": ["backends.0.prompt=a (red:1.4) dog " + "on a green apple " * 30],
    "P16": ['backends.0.loras=[{{"model": "{folder}/lora.safetensors", "weight": 0.8}}]'],
    "P17": ['backends.0.controlnets=["{folder}/inpaint"]'],
    "P23": [
        'backends.0.embeddings=[{{"model": "{folder}/word.safetensors", "token": "<new-obj>"}}]',
        "backends.0.prompt=a <new-obj>",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def plain(folder, tmp_path_factory):
    return _run(folder, tmp_path_factory.mktemp("plain"), [])[1]


@pytest.mark.parity(
    "P3", "P7", "P8", "P9", "P10", "P11", "P12", "P13", "P14", "P15", "P16", "P17", "P23"
)
@pytest.mark.parametrize(("row", "settings"), ROWS.items(), ids=ROWS)
def test_by_cli_a_setting_changes_the_picture_and_only_where_it_may(
    row, settings, folder, tmp_path, plain
):
    before, after, mask, _ = _run(folder, tmp_path, settings)
    grown = np.zeros_like(mask)
    grown[16:49, 26:64] = True
    assert np.array_equal(after[~grown], before[~grown])
    assert (after[mask] != before[mask]).any()
    assert not np.array_equal(after, plain)


@pytest.mark.parametrize("where", [
    ["--select", "45,32"], ["--select", "45,32", "--select", "3,3-"], ["--box", "30,20,60,45"],
])  # fmt: skip
def test_p01_clicks_and_boxes_from_the_command_line(folder, tmp_path, where):
    before, after, _, _ = _run(folder, tmp_path, [], "make it wooden", *where)
    assert (after != before).any()


def test_p02_a_stroke_from_the_command_line(folder, tmp_path):
    from editanything.pointing import draw_stroke

    strokes = ("--brush", "20,20,50,40:5", "--brush", "60,10:4")
    settings = ["grow_px=0", "feather_px=0"]
    before, after, _, _ = _run(folder, tmp_path, settings, "make it wooden", *strokes)
    changed = (after != before).any(-1)
    drawn = draw_stroke((60, 80), [(20, 20), (50, 40)], 5).full()
    drawn |= draw_stroke((60, 80), [(60, 10)], 4).full()
    assert changed[drawn].mean() > 0.9
    assert not changed[~drawn].any()


@pytest.mark.parametrize("stroke", ["20,20", "20,20:", "20:4", "20,20,30:4", "a,b:4", "9,9:nan"])
def test_a_bad_stroke_is_one_sentence(stroke, folder, tmp_path, capsys):
    out = tmp_path / "out.png"
    argv = ["edit", str(folder / "photo.png"), "brighten it", "-o", str(out), "--brush", stroke]
    assert main(argv) == 2
    assert "--brush takes X,Y,X,Y:R" in capsys.readouterr().err


def test_p37_the_command_line_knows_no_user_interface(folder, tmp_path):
    code = (
        "import sys; from editanything.cli import main; main(sys.argv[1:]);"
        "sys.exit(any('gradio' in name or '.ui' in name for name in sys.modules))"
    )
    argv = ["edit", str(folder / "photo.png"), "brighten it", "--box", "30,20,60,45"]
    argv += ["-o", str(tmp_path / "out.png")]
    assert subprocess.run([sys.executable, "-c", code, *argv], check=False).returncode == 0
    assert (tmp_path / "out.png").exists()


def test_p04_all_of_the_picture_from_the_command_line(folder, tmp_path):
    before, after, _, _ = _run(
        folder, tmp_path, [], "make the photo look like winter", "--seed", "3"
    )
    assert (after != before).mean() > 0.9


SMALL_FIRST = """
from dataclasses import fields

from editanything.segmenters.classical import Classical, ClassicalSeen


class Seen(ClassicalSeen):
    def regions(self):
        return super().regions()[::-1]


class SmallFirst(Classical):
    def look(self, image, known=()):
        seen = super().look(image, known=known)
        return Seen(**{f.name: getattr(seen, f.name) for f in fields(seen) if f.init})
"""


def test_p06_the_order_of_the_regions_from_the_command_line(folder, tmp_path, monkeypatch, plain):
    (tmp_path / "small_first.py").write_text(SMALL_FIRST)
    monkeypatch.syspath_prepend(str(tmp_path))
    reversed_ = ["segmenter.name=small_first:SmallFirst"]
    _, given, mask, _ = _run(folder, tmp_path, reversed_)
    assert (given[mask] != plain[mask]).any()
    _, by_area, _, _ = _run(folder, tmp_path, [*reversed_, "backends.0.order=area"])
    assert (given[mask] != by_area[mask]).any()


def test_p29_variants_from_the_command_line(folder, tmp_path, plain):
    _, after, _, _ = _run(folder, tmp_path, ["images=2"])
    assert np.array_equal(after, plain)


def test_a_replay_gives_the_same_bytes(folder, tmp_path, plain):
    _, _, _, out = _run(folder, tmp_path, [])
    again = tmp_path / "again.png"
    assert main(["replay", str(out), str(folder / "photo.png"), "-o", str(again)]) in (0, None)
    assert np.array_equal(np.asarray(Image.open(again).convert("RGB")), plain)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("backends.0.model=no-one/nothing", "hf download"),
        ("backends.0.model=/no/folder", "no folder"),
        ("backends.0.device=cuda:77", "cuda"),
        ("backends.0.stepz=3", "Did you mean steps"),
        ("backends.0.controlnets.0.role=edges", "regions"),
    ],
)
def test_what_hinders_is_one_sentence_and_no_file(
    setting, told, folder, tmp_path, capsys, monkeypatch
):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    out = tmp_path / "out.png"
    argv = ["edit", str(folder / "photo.png"), "make it wooden", "-o", str(out)]
    argv += ["--mask", str(folder / "mask.png"), "--preset", str(folder / "pair.yaml")]
    assert main([*argv, "--set", setting]) == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.err.count("\n") <= 3
    assert not printed.out
    assert not out.exists()


def test_the_plan_names_the_step(folder, capsys):
    argv = ["edit", str(folder / "photo.png"), "make it wooden", "--plan", "--json"]
    argv += ["--mask", str(folder / "mask.png"), "--preset", str(folder / "pair.yaml")]
    assert main(argv) in (0, None)
    (step,) = json.loads(capsys.readouterr().out)["steps"]
    assert step["op"] == "redraw"
    assert step["params"] == {"prompt": "wooden", "kind": "material"}
