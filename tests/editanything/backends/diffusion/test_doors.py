"""Every setting of the photo presets by the command line and in the page, from folders."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from editanything.cli import main
from editanything.editor import Editor
from editanything.pointing import draw_stroke

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


def _page(folder, edit_page, **settings):
    editor = Editor.from_preset(str(folder / "pair.yaml"), **settings)
    return edit_page(editor, folder / "photo.png")


def _masked(folder, edit_page, **settings):
    page = _page(folder, edit_page, **settings)
    page.do.open_mask(str(folder / "mask.png"), page.request)
    return page


def _done(page, text, **asked):
    """Run an edit that must come about."""
    states = len(page.session.history)
    said = page.run(text, **asked)
    assert len(page.session.history) == states + 1, said


@pytest.mark.parity(
    "P3", "P7", "P8", "P9", "P10", "P11", "P12", "P13", "P14", "P15", "P16", "P17", "P23",
    door="app",
)  # fmt: skip
@pytest.mark.parametrize(("row", "settings"), ROWS.items(), ids=ROWS)
def test_in_the_page_a_setting_changes_the_picture_and_only_where_it_may(
    row, settings, folder, plain, edit_page
):
    page = _masked(folder, edit_page)
    before, mask = page.pixels(), page.session.pointing().mask.full()
    assert np.array_equal(mask, np.asarray(Image.open(folder / "mask.png")) > 0)
    typed = "\n".join(setting.format(folder=folder) for setting in settings)
    _done(page, "replace it with a red dog", settings=typed)
    after = page.pixels()
    grown = np.zeros_like(mask)
    grown[16:49, 26:64] = True
    assert np.array_equal(after[~grown], before[~grown])
    assert (after[mask] != before[mask]).any()
    assert not np.array_equal(after, plain)
    overrides = json.loads(page.session.result().recipe)["edits"][0]["overrides"]
    assert overrides == dict(line.strip().split("=", 1) for line in typed.splitlines())


@pytest.mark.parity("P37", door="app")
def test_what_the_page_makes_is_what_the_class_and_the_command_line_make(
    folder, plain, edit_page, tmp_path
):
    page = _masked(folder, edit_page)
    _done(page, "replace it with a red dog")
    assert np.array_equal(page.pixels(), plain)
    mask = np.asarray(Image.open(folder / "mask.png")) > 0
    alone = page.session.editor.edit(
        np.asarray(Image.open(folder / "photo.png")), "replace it with a red dog", selection=mask
    )
    assert np.array_equal(alone.image, plain)


@pytest.mark.parity("P1", door="app")
def test_p01_clicks_of_both_kinds_clear_and_undo_in_the_page(folder, edit_page):
    sam = {"segmenter.name": "sam", "segmenter.weights": "default"}
    page = _page(folder, edit_page, **sam)
    pointing = page.session.pointing
    page.gesture("click", at=[45, 32], add=True)
    first = pointing().mask.full()
    page.gesture("click", at=[5, 5], add=False)
    assert [point.positive for point in pointing().selection.points] == [True, False]
    page.gesture("clear")
    assert pointing().mask is None
    page.gesture("click", at=[45, 32], add=True)
    assert np.array_equal(pointing().mask.full(), first)
    before = page.pixels()
    _done(page, "make it wooden", settings="grow_px=0\nfeather_px=0")
    assert (page.pixels() != before).any()
    assert np.array_equal(page.pixels()[~first], before[~first])
    page.do.undo(page.request)
    assert np.array_equal(page.pixels(), before)


@pytest.mark.parity("P2", door="app")
def test_p02_a_stroke_in_the_page(folder, edit_page):
    page = _page(folder, edit_page)
    stroke = {"line": [[20, 20], [50, 40]], "radius": 5, "snap": False}
    page.gesture("brush", add=True, **stroke)
    drawn = draw_stroke((60, 80), stroke["line"], 5).full()
    assert np.array_equal(page.session.pointing().mask.full(), drawn)
    before = page.pixels()
    _done(page, "make it wooden", settings="grow_px=0\nfeather_px=0")
    changed = (page.pixels() != before).any(-1)
    assert changed[drawn].mean() > 0.9
    assert not changed[~drawn].any()


@pytest.mark.parity("P4", door="app")
def test_p04_all_of_the_picture_in_the_page(folder, edit_page):
    page = _page(folder, edit_page)
    before = page.pixels()
    _done(page, "make the photo look like winter", seed=3)
    assert (page.pixels() != before).mean() > 0.9


@pytest.mark.parity("P6", door="app")
def test_p06_the_order_of_the_regions_in_the_page(folder, edit_page, tmp_path, monkeypatch):
    (tmp_path / "small_first_too.py").write_text(SMALL_FIRST)
    monkeypatch.syspath_prepend(str(tmp_path))
    page = _masked(folder, edit_page, **{"segmenter.name": "small_first_too:SmallFirst"})
    _done(page, "replace it with a red dog")
    given = page.pixels()
    page.do.undo(page.request)
    page.do.open_mask(str(folder / "mask.png"), page.request)
    _done(page, "replace it with a red dog", settings="backends.0.order=area")
    assert not np.array_equal(page.pixels(), given)


@pytest.mark.parity("P29", door="app")
def test_p29_all_pictures_of_an_edit_are_offered_in_the_page(folder, plain, edit_page):
    page = _masked(folder, edit_page)
    _done(page, "replace it with a red dog", settings="images=3")
    assert np.array_equal(page.pixels(), plain)
    assert len(page.session.variations) == 3
    page.session.adopt(2)
    second = page.pixels()
    assert json.loads(page.session.result().recipe)["edits"][-1]["seed"] == 2
    page.do.undo(page.request)
    page.do.open_mask(str(folder / "mask.png"), page.request)
    _done(page, "replace it with a red dog", seed=2)
    assert np.array_equal(page.pixels(), second)
    assert not np.array_equal(second, plain)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("backends.0.stepz=3", "no option 'stepz'. Did you mean steps?"),
        ("backends.0.controlnets.0.role=edges", "role is one of regions, inpaint, tile"),
        ("backends.7.steps=3", "this preset has 2 backends"),
        ("grow=3", "grow_px"),
        ("steps", "A setting is KEY=VALUE; got 'steps'."),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_the_page_as_by_the_command_line(
    setting, told, folder, edit_page, capsys, tmp_path
):
    page = _masked(folder, edit_page)
    said = page.run("make it wooden", settings=setting)
    argv = ["edit", str(folder / "photo.png"), "make it wooden", "-o", str(tmp_path / "out.png")]
    argv += ["--mask", str(folder / "mask.png"), "--preset", str(folder / "pair.yaml")]
    assert main([*argv, "--set", setting]) == 2
    by_line = capsys.readouterr().err.strip().removeprefix("editanything: ")
    assert told in said
    assert " ".join(said.split()) == by_line
    assert len(page.session.history) == 1


def test_a_page_cannot_name_code_and_a_server_can_be_closed_to_settings(folder, edit_page):
    page = _masked(folder, edit_page)
    said = page.run("make it wooden", settings="backends.0.name=os:system")
    assert "names code" in said
    assert "Models tab" in page.run("make it wooden", settings="segmenter.name=sam")
    page.do.takes_settings = False
    assert "does not take settings" in page.run("make it wooden", settings="images=2")
    assert len(page.session.history) == 1
