"""Sentences that take from a second picture, with a preset that drags, on tiny networks."""

import numpy as np
import pytest
from PIL import Image

from editanything.backends.diffusion.backend import Diffusion
from editanything.cli import main
from editanything.editor import Editor
from editanything.errors import Cancelled, InputError, Refusal
from editanything.types import Mask, Reference, Task

PRESET = """\
about: A test.
segmenter: {name: classical}
grounder: {name: words}
backends:
  - name: diffusion
    model: none
    size: 64
    steps: 2
    caption: null
  - name: classical
"""


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    path = tmp_path_factory.mktemp("presets") / "photo.yaml"
    path.write_text(PRESET)
    return str(path)


def photo(seed=0, shape=(90, 120)):
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    smooth = np.stack([rows * 2, columns * 2, 255 - rows - columns], -1).clip(0, 255)
    noise = np.random.default_rng(seed).integers(0, 50, (*shape, 3))
    return (np.roll(smooth, seed, -1) * 0.8 + noise).astype(np.uint8)


def boxed(shape, box):
    mask = np.zeros(shape, bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


HERE = boxed((90, 120), (40, 30, 80, 60))
SECOND = photo(1, (70, 50)), boxed((70, 50), (10, 8, 40, 60))


def editor(preset, pipe, **more):
    options = {f"backends.0.{name}": value for name, value in more.items()}
    return Editor.from_preset(preset, **{"backends.0.model": pipe, **options})


@pytest.mark.parity("P18")
@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("replace it with image B", "replace"),
        ("put the shirt from image B on the man", "wear"),
        ("make it in the style of image B", "style"),
        ("insert the cup from image B", "insert"),
        ("make the picture look like image B", "style"),
    ],
)
def test_p18_commands_that_take_from_a_second_picture_drag(sd, preset, command, kind):
    selection = None if "picture" in command else HERE
    before, second = photo(), (SECOND[0].copy(), SECOND[1])
    used = editor(preset, sd)
    result = used.edit(photo(), command, selection=selection, reference=second)
    (step,) = result.plan.steps
    assert (step.op, step.params["kind"]) == ("drag", kind)
    assert np.array_equal(result.image[~result.mask], before[~result.mask])
    assert (result.image != before)[result.mask].mean() > 0.5
    assert np.array_equal(second[0], SECOND[0])
    again = used.replay(result.recipe, photo(), references=(SECOND[0],))
    assert np.array_equal(again.image, result.image)


@pytest.mark.parity("P18")
def test_p18_an_ordinary_edit_is_the_same_before_and_after_a_drag(sd, controlnets, preset):
    controls = [{"model": controlnets[0]}, {"model": controlnets[1], "role": "inpaint"}]
    used = editor(preset, sd, controlnets=controls)
    ask = {"selection": HERE, "seed": 3}
    before = used.edit(photo(), "replace it with a dog", **ask).image
    dragged = used.edit(photo(), "replace it with image B", reference=SECOND, **ask).image
    other = (photo(2, (70, 50)), SECOND[1])
    assert not np.array_equal(
        used.edit(photo(), "replace it with image B", reference=other, **ask).image, dragged
    )
    assert np.array_equal(used.edit(photo(), "replace it with a dog", **ask).image, before)


@pytest.mark.parity("P21")
def test_p21_settings_of_a_drag_come_by_the_preset(sd, preset):
    ask = {"selection": HERE, "reference": SECOND}
    plain = editor(preset, sd).edit(photo(), "replace it with image B", **ask).image
    for name, value in {"style_fidelity": 1.0, "frequency": 0.9, "fit": "stretch"}.items():
        used = editor(preset, sd, **{f"drag.{name}": value})
        found = used.edit(photo(), "replace it with image B", **ask).image
        assert not np.array_equal(found, plain), name
    with pytest.raises(InputError, match="drag is false, or has some of attention, adain"):
        Diffusion(sd, drag={"fidelity": 1})


class Colours:
    """A captioner that says which primary colour a picture has most of."""

    def __init__(self):
        self.seen = []

    def caption(self, rgb, *, max_new_tokens=50):
        assert max_new_tokens > 0
        self.seen.append(rgb)
        return ("red", "green", "blue")[int(rgb.reshape(-1, 3).mean(0).argmax())]


@pytest.mark.parity("P22")
def test_p22_what_is_taken_is_captioned_without_its_surroundings(sd):
    captioner = Colours()
    mask = Mask.of(SECOND[1])
    task = Task(
        op="drag", image=photo(), target=HERE, area=HERE, seed=1,
        params={"prompt": "hat", "kind": "replace"}, reference=Reference(SECOND[0], mask),
    )  # fmt: skip
    told = Diffusion(sd, size=64, steps=2, caption=captioner).paint(task).image
    alone = np.where(SECOND[1][..., None], SECOND[0], 0)[8:60, 10:40]
    assert all(np.array_equal(seen, alone) for seen in captioner.seen)
    assert captioner.seen
    silent = Diffusion(sd, size=64, steps=2).paint(task).image
    assert not np.array_equal(told[HERE], silent[HERE])


def test_without_a_drag_things_are_pasted_and_styles_refused(sd, preset):
    used = editor(preset, sd, drag=False)
    plan = used.plan(photo(), "replace it with image B", selection=HERE, reference=SECOND)
    assert [step.op for step in plan.steps] == ["transfer"]
    with pytest.raises(Refusal, match="such as sd15"):
        used.plan(photo(), "make it in the style of image B", selection=HERE, reference=SECOND)
    ask = {"selection": HERE, "reference": SECOND}
    plan = editor(preset, sd).plan(photo(), "use image B as the background", **ask)
    assert [step.op for step in plan.steps] == ["replace"]


@pytest.mark.parity("P36")
@pytest.mark.parity("P30")
def test_p36_a_season_by_its_look_paints_all_and_is_led_by_the_regions(sd, controlnets, preset):
    given = {"controlnets": [{"model": controlnets[0], "scale": 1.0}]}
    used = editor(preset, sd, look="season-winter", **given)
    result = used.edit(photo(), "make it winter", seed=2)
    assert result.mask.all()
    plain = editor(preset, sd, **given).edit(photo(), "make it winter", seed=2)
    assert not np.array_equal(plain.image, result.image)
    given["controlnets"][0]["scale"] = 0.0
    free = editor(preset, sd, look="season-winter", **given)
    assert not np.array_equal(free.edit(photo(), "make it winter", seed=2).image, result.image)


@pytest.mark.parity("P18")
def test_p18_a_drag_that_is_cancelled_leaves_no_trace(sd, controlnets):
    controls = [{"model": controlnets[0]}, {"model": controlnets[1], "role": "inpaint"}]
    used = Diffusion(sd, size=64, steps=3, controlnets=controls)
    task = Task(
        op="drag", image=photo(), target=HERE, area=HERE, seed=1,
        params={"prompt": "hat", "kind": "replace"},
        reference=Reference(SECOND[0], Mask.of(SECOND[1])),
    )  # fmt: skip
    told = []
    with pytest.raises(Cancelled):
        used.paint(task, lambda share, what: told.append((share, what)) or len(told) < 3)
    assert told[-1][1] == "painting"
    modules = [m for net in (sd.unet, *controlnets) for m in net.modules()]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in modules)


def test_later_words_find_what_a_style_or_clothes_were_put_on(sd, preset):
    selection = HERE
    used = editor(preset, sd)
    for text in ("make it in the style of image B and blur it",
                 "put the shirt from image B on the man and blur the man"):  # fmt: skip
        plan = used.plan(photo(), text, selection=selection, reference=SECOND)
        assert [step.op for step in plan.steps] == ["drag", "filter"]
        assert np.array_equal(plan.steps[1].target.full(), selection)


@pytest.mark.parity("P18")
@pytest.mark.parity("P21")
@pytest.mark.parity("P30")
def test_p18_the_command_line_drags_as_python_does(sd, tmp_path, capsys):
    sd.save_pretrained(tmp_path / "base")
    path = tmp_path / "photo.yaml"
    path.write_text(PRESET.replace("none", f"{tmp_path}/base\n    device: cpu"))
    Image.fromarray(photo()).save(tmp_path / "a.png")
    # What is meant of a file is its cut-out.
    alpha = (SECOND[1] * 255).astype(np.uint8)
    Image.fromarray(np.dstack([SECOND[0], alpha])).save(tmp_path / "b.png")
    Image.fromarray((HERE * 255).astype(np.uint8)).save(tmp_path / "m.png")
    out, settings = tmp_path / "out.png", ["backends.0.drag.frequency=0.4", "backends.0.steps=1"]
    words = ["edit", tmp_path / "a.png", "replace it with image B", "-o", out, "--preset", path]
    words += ["--mask", tmp_path / "m.png", "--reference", tmp_path / "b.png"]
    words += [word for setting in settings for word in ("--set", setting)]
    assert main([str(word) for word in words]) == 0, capsys.readouterr().err
    used = Editor.from_preset(str(path), **dict(s.split("=") for s in settings))
    result = used.edit(
        tmp_path / "a.png", "replace it with image B", selection=HERE, reference=tmp_path / "b.png"
    )
    assert result.plan.steps[0].op == "drag"
    assert np.array_equal(np.asarray(Image.open(out)), result.image)
    words = ["edit", tmp_path / "a.png", "make it winter", "-o", tmp_path / "c.png"]
    words += ["--preset", path, "--set", "backends.0.look=season-wintr"]
    assert main([str(word) for word in words]) == 2
    assert "there are: season-winter" in capsys.readouterr().err
