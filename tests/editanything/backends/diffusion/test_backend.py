"""The backend of the photo presets, from a sentence to a picture, on tiny random networks."""

import numpy as np
import pytest
import torch

from editanything.backends.diffusion.backend import Diffusion
from editanything.backends.diffusion.loading import load
from editanything.backends.diffusion.settings import ModelSettings
from editanything.editor import Editor
from editanything.errors import Cancelled, InputError, Refusal
from editanything.types import Task

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


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    path = tmp_path_factory.mktemp("presets") / "photo.yaml"
    path.write_text(PRESET)
    return str(path)


@pytest.fixture(scope="session")
def photo():
    draw = np.random.default_rng(0)
    rows, columns = np.mgrid[0:90, 0:120]
    smooth = np.stack([rows * 2, columns * 2, 255 - rows - columns], -1).clip(0, 255)
    return (smooth * 0.8 + draw.integers(0, 50, (90, 120, 3))).astype(np.uint8)


@pytest.fixture(scope="session")
def selection():
    mask = np.zeros((90, 120), bool)
    mask[30:60, 40:80] = True
    return mask


def _editor(preset, pipe, **more):
    options = {f"backends.0.{name}": value for name, value in more.items()}
    return Editor.from_preset(preset, **{"backends.0.model": pipe, **options})


def _task(photo, selection, **more):
    given = {
        "op": "redraw", "image": photo, "target": selection, "area": selection,
        "params": {"prompt": "a red dog", "kind": "thing"}, "seed": 1, "what": "make it a dog",
    }  # fmt: skip
    return Task(**{**given, **more})


COMMANDS = [
    "replace it with a dog", "make it wooden", "remove it", "add a red apple",
    "replace the background with grass", "make the photo look like winter",
    "turn the photo into a watercolor painting", "extend the picture to the right by 20%",
    'change the text to "OPEN"', "make it older",
]  # fmt: skip


@pytest.mark.parity("P3", "P37")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_kind_of_command_is_painted_and_the_rest_stays(sd, preset, photo, selection, command):
    before = photo.copy()
    result = _editor(preset, sd).edit(photo, command, selection=selection)
    assert result.plan.steps[0].op in ("redraw", "remove", "outpaint")
    assert result.mask.any()
    new = result.image
    if "extend" in command:
        assert new.shape == (90, 144, 3)
        assert np.array_equal(new[:, :120], photo)
        assert not result.mask[:, :120].any()
    else:
        assert np.array_equal(new[~result.mask], photo[~result.mask])
        assert (new[result.mask] != photo[result.mask]).mean() > 0.5
    assert np.array_equal(photo, before)


@pytest.mark.parametrize("kind", ["sd_inpaint", "ip2p", "sdxl"])
def test_p09_every_base_keeps_the_rest(kind, preset, photo, selection, request):
    pipe = request.getfixturevalue(kind)
    result = _editor(preset, pipe).edit(photo, "replace it with a dog", selection=selection)
    assert np.array_equal(result.image[~result.mask], photo[~result.mask])
    assert (result.image[selection] != photo[selection]).mean() > 0.5


def test_p04_all_of_the_picture(sd, controlnets, preset, photo):
    nets = [
        {"model": controlnets[0], "role": "regions"},
        {"model": controlnets[1], "role": "inpaint"},
    ]
    editor = _editor(preset, sd, controlnets=nets, restyle_strength=1.0)
    result = editor.edit(photo, "make the photo look like winter")
    assert result.mask.all()
    assert result.image.shape == photo.shape


def test_p08_an_ordinary_base_with_the_pair_of_controlnets(
    sd, controlnets, preset, photo, selection
):
    nets = [
        {"model": controlnets[0], "role": "regions", "scale": 0.5},
        {"model": controlnets[1], "role": "inpaint"},
    ]
    command = "replace it with a dog"
    plain = _editor(preset, sd).edit(photo, command, selection=selection)
    steered = _editor(preset, sd, controlnets=nets).edit(photo, command, selection=selection)
    assert np.array_equal(steered.image[~steered.mask], photo[~steered.mask])
    assert not np.array_equal(steered.image, plain.image)
    for option in ({"guess": True}, {"scale_map": "painted"}, {"mix": 0.3}):
        other = _editor(preset, sd, controlnets=nets, **option)
        made = other.edit(photo, command, selection=selection)
        assert not np.array_equal(made.image, steered.image), option


def test_p06_the_order_of_the_regions_reaches_the_controlnet(sd, controlnets, photo, selection):
    """A small region that comes first is hidden, unless they are sorted by area."""
    seen = []
    hook = controlnets[0].register_forward_pre_hook(
        lambda net, args, kwargs: seen.append(kwargs["controlnet_cond"]), with_kwargs=True
    )
    large = np.ones((90, 120), bool)
    try:
        for order in ("given", "area"):
            backend = Diffusion(sd, controlnets=[controlnets[0]], size=64, steps=1, order=order)
            backend.paint(_task(photo, selection, regions=lambda: (selection, large)))
    finally:
        hook.remove()
    assert set(seen[0].unique().tolist()) == {0.0, 2.0}
    assert set(seen[1].unique().tolist()) == {0.0, 1.0, 2.0}


def test_a_removal_is_not_shown_what_it_removes(sd, controlnets, photo, selection, monkeypatch):
    """Neither by its region's number and outline, nor by a caption of what is still there."""
    from editanything.backends.diffusion import prompts

    class Says:
        def caption(self, rgb, *, max_new_tokens=50):
            return "a dog"

    seen, asked = [], []
    whole = prompts.encode
    monkeypatch.setattr(prompts, "encode", lambda *a: asked.append(a[1]) or whole(*a))
    hook = controlnets[0].register_forward_pre_hook(
        lambda net, args, kwargs: seen.append(kwargs["controlnet_cond"]), with_kwargs=True
    )
    ground = np.ones((90, 120), bool)
    options = {"controlnets": [controlnets[0]], "size": 64, "steps": 1, "caption": Says()}
    try:
        backend = Diffusion(sd, **options)
        for op in ("remove", "redraw"):
            backend.paint(_task(photo, selection, op=op, regions=lambda: (ground, selection)))
    finally:
        hook.remove()
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}  # the ground alone; blue is always 0
    assert (seen[0][:, 0] == 1).all()
    assert set(seen[1].unique().tolist()) == {0.0, 1.0, 2.0}
    assert asked[0].startswith("empty background, nothing there, best")
    assert asked[1].startswith("a dog, a red dog, best")


def test_the_sdxl_preset_does_not_start_from_pure_noise():
    """Its base degrades there: see the preset."""
    assert Editor.from_preset("sdxl").backends[0].options.strength == 0.99


def test_p14_refined_with_the_tile_controlnet(sd, controlnets, preset, photo, selection):
    command = "replace it with a dog"
    tile = {"model": controlnets[0], "role": "tile"}
    plain = _editor(preset, sd).edit(photo, command, selection=selection)
    heard = []
    editor = _editor(preset, sd, controlnets=[tile], refine_size=96, refine_at_least=0.5)
    fine = editor.edit(
        photo, command, selection=selection, progress=lambda share, what: heard.append(share)
    )
    assert np.array_equal(fine.image[~fine.mask], photo[~fine.mask])
    assert not np.array_equal(fine.image, plain.image)
    assert heard == sorted(heard)
    small = _editor(preset, sd, controlnets=[tile], refine_at_least=50.0)
    assert np.array_equal(small.edit(photo, command, selection=selection).image, plain.image)


def test_p29_image_k_of_a_run_is_image_k_alone(sd, preset, photo, selection):
    options = {"backends.0.model": sd, "images": 3}
    many = Editor.from_preset(preset, **options)
    command = "replace it with a dog"
    result = many.edit(photo, command, selection=selection, seed=5)
    assert len(result.images) == len(result.pictures) == 3
    assert np.array_equal(result.image, result.images[0])
    for k in range(3):
        alone = _editor(preset, sd).edit(photo, command, selection=selection, seed=5 + k)
        assert np.array_equal(result.images[k], alone.image)
    assert not np.array_equal(result.images[0], result.images[1])


@pytest.mark.parametrize("images", [0, 13])
def test_p29_one_to_twelve(preset, images):
    with pytest.raises(InputError, match="1 to 12"):
        Editor.from_preset(preset, images=images)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(sd, photo, selection):
    backend = Diffusion(sd, size=64, steps=2)
    one = backend.paint(_task(photo, selection)).image
    assert np.array_equal(one, backend.paint(_task(photo, selection)).image)
    assert not np.array_equal(one, backend.paint(_task(photo, selection, seed=2)).image)


def test_the_prompt_is_the_commands_and_can_be_replaced(sd, preset, photo, selection, monkeypatch):
    from editanything.backends.diffusion import prompts

    asked = []
    whole = prompts.encode
    monkeypatch.setattr(prompts, "encode", lambda *a: asked.append(a[1:]) or whole(*a))
    command = "replace it with a dog"
    _editor(preset, sd).edit(photo, command, selection=selection)
    own = {"prompt": "a (red:1.3) fox", "negative": "a cat", "quality": ""}
    _editor(preset, sd, **own).edit(photo, command, selection=selection)
    assert asked[0][0].startswith("dog, best quality")
    assert "worst quality" in asked[0][1]
    assert asked[1] == ("a (red:1.3) fox", "a cat")


def test_p05_a_caption_goes_before_the_words(sd, preset, photo, selection, monkeypatch):
    from editanything.backends.diffusion import prompts

    class Says:
        def caption(self, rgb, *, max_new_tokens=50):
            return f"a photo {rgb.shape[1]} wide."

    asked = []
    whole = prompts.encode
    monkeypatch.setattr(prompts, "encode", lambda *a: asked.append(a[1]) or whole(*a))
    _editor(preset, sd, caption=Says()).edit(photo, "replace it with a dog", selection=selection)
    assert asked[0].startswith("a photo 120 wide, dog, best")


def test_progress_is_real_and_cancelling_leaves_the_backend_usable(sd, photo, selection):
    backend = Diffusion(sd, size=64, steps=4)
    heard = []
    backend.paint(_task(photo, selection), lambda share, what: heard.append(share))
    assert len(heard) >= 4
    assert heard == sorted(heard)
    with pytest.raises(Cancelled):
        backend.paint(_task(photo, selection), lambda share, what: share < 0.6)
    before = backend.paint(_task(photo, selection)).image
    assert np.array_equal(
        before, Diffusion(sd, size=64, steps=4).paint(_task(photo, selection)).image
    )


@pytest.mark.parametrize("kind", ["sd", "kontext"])
def test_a_run_that_is_stopped_gives_the_device_back(kind, own, photo, selection, request):
    """Under model offload: diffusers lays fresh hooks when it takes the networks off the device.

    Kontext is run by a derived pipeline, which knows of no hooks.
    """
    pipe = own(request.getfixturevalue(kind))
    pipe.enable_model_cpu_offload(device="cpu")
    backend = Diffusion(pipe, size=64, steps=3)
    hooks = list(pipe._all_hooks)
    with pytest.raises(Cancelled):
        backend.paint(_task(photo, selection), lambda share, what: share < 0.6)
    assert pipe._all_hooks
    assert not {id(hook) for hook in hooks} & {id(hook) for hook in pipe._all_hooks}
    hooks = list(pipe._all_hooks)
    lost = Diffusion(pipe, size=64, steps=3, loras=["/no/such/lora"])
    with pytest.raises(InputError):
        lost.paint(_task(photo, selection))
    assert not {id(hook) for hook in hooks} & {id(hook) for hook in pipe._all_hooks}


def test_looks_at_what_comes_about_change_nothing(sd, photo, selection):
    class Watch:
        seen = ()

        def __call__(self, _share, _what):
            return True

        def show(self, make):
            self.seen = (*self.seen, make())

    backend, watch = Diffusion(sd, size=64, steps=4), Watch()
    seen = backend.paint(_task(photo, selection), watch).image
    assert len(watch.seen) == 4
    assert watch.seen[0].dtype == np.uint8
    assert np.array_equal(seen, backend.paint(_task(photo, selection)).image)


def test_a_thin_and_a_tiny_area_are_painted(sd, photo):
    for rows, columns in ((slice(10, 11), slice(0, 120)), (slice(40, 41), slice(50, 51))):
        area = np.zeros((90, 120), bool)
        area[rows, columns] = True
        out = Diffusion(sd, size=64, steps=1).paint(_task(photo, area, target=area))
        assert out.image.shape == photo.shape


def test_what_is_painted_is_opaque(sd, photo, selection):
    opacity = np.full((90, 120), 40, np.uint8)
    out = Diffusion(sd, size=64, steps=1).paint(_task(photo, selection, opacity=opacity))
    assert (out.opacity[selection] == 255).all()
    assert (out.opacity[~selection] == 40).all()


def test_steps_can_be_left_to_others(sd, preset, photo, selection):
    editor = _editor(preset, sd, operations=["redraw"])
    plan = editor.plan(photo, "remove it", selection=selection)
    assert not editor.backends[0].can("remove", {})
    assert plan.apply().mask.any()  # by the classical backend
    with pytest.raises(Refusal):
        _editor(preset, sd, operations=["remove"]).plan(
            photo, "make it wooden", selection=selection
        )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"stepz": 3}, "Did you mean steps"),
        ({"steps": 0}, "steps"),
        ({"controlnets": [{"model": "x/y", "role": "edges"}]}, "regions"),
        ({"controlnets": [{"model": "x/y", "rule": "regions"}]}, "role"),
        ({"loras": [{"model": "x/y", "weight": 99}]}, "weight"),
        ({"operations": ["paint"]}, "redraw"),
        ({"scale_map": "left"}, "everywhere"),
        ({"scheduler": "magic"}, "unipc"),
        ({"caption": "parrot"}, "florence-2"),
    ],
)
def test_wrong_settings_are_one_sentence(sd, photo, selection, options, told):
    with pytest.raises(InputError, match=told):
        Diffusion(sd, **{"size": 64, "steps": 1} | options).paint(_task(photo, selection))


def test_a_missing_model_is_told_when_something_is_painted(preset, photo, selection, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    editor = Editor.from_preset(preset, **{"backends.0.model": "no-one/no-model"})
    plan = editor.plan(photo, "make it wooden", selection=selection)
    with pytest.raises(InputError, match="hf download no-one/no-model"):
        plan.apply()


def test_settings_of_a_backend_by_number(preset, sd):
    editor = Editor.from_preset(
        preset,
        **{"backends.0.model": sd, "backends.0.steps": "7", "backends.0.prompt": "a dog, [red]"},
    )
    assert editor.backends[0].options.steps == 7
    assert editor.backends[0].options.prompt == "a dog, [red]"
    for wrong in ("backends.7.steps", "backends.0.steps.x.y"):
        with pytest.raises(InputError, match=wrong):
            Editor.from_preset(preset, **{"backends.0.model": sd, wrong: 1})


def test_a_recipe_of_python_objects_is_still_written(sd, preset, photo, selection, tmp_path):
    result = _editor(preset, sd).edit(photo, "make it wooden", selection=selection)
    result.save(tmp_path / "out.png")
    assert "StableDiffusionPipeline" in result.recipe.to_json()


def test_the_loaded_networks_are_those_of_the_session(sd):
    assert Diffusion(sd, size=64).load() is load(ModelSettings(sd))
    assert not any(weight.requires_grad for weight in sd.unet.parameters())
    assert torch.is_grad_enabled()
