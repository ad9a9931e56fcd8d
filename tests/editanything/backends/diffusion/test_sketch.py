"""Sketches and layouts as conditions, against independent computations; pictures from them."""

import numpy as np
import pytest

from editanything.backends.diffusion.control_map import condition, number_map, pack
from editanything.backends.diffusion.denoise import Sampling
from editanything.backends.diffusion.loading import load
from editanything.backends.diffusion.settings import ModelSettings
from editanything.backends.diffusion.sketch import (
    LayoutSettings,
    drawn_scale,
    generate,
    palette_of,
    sketch_numbers,
)
from editanything.errors import Cancelled, InputError

PALETTE = [(255, 0, 0), (255, 255, 255), (0, 0, 255), (255, 0, 0), (0, 128, 0)]


def sketch():
    sheet = np.full((48, 64, 3), 255, np.uint8)
    sheet[4:20, 6:30] = (0, 0, 255)
    sheet[10:40, 20:50] = (255, 0, 0)
    sheet[44:47, 60:63] = (0, 128, 0)
    return sheet


@pytest.mark.parity("P27")
def test_p27_palette_colours_are_numbered_in_order_and_packed():
    numbers = sketch_numbers(sketch(), PALETTE)
    expected = np.zeros((48, 64), int)
    for number, color in enumerate([(255, 0, 0), (0, 0, 255), (0, 128, 0)], 1):
        expected[(sketch() == color).all(-1)] = number
    np.testing.assert_array_equal(numbers, expected)
    packed = pack(numbers)
    np.testing.assert_array_equal(packed[..., 0], expected)
    assert not packed[..., 1:].any()
    scale = drawn_scale(numbers)
    np.testing.assert_array_equal(scale, ~(sketch() == 255).all(-1))


@pytest.mark.parity("P27")
def test_p27_more_than_255_colours_spill_into_green():
    palette = [(i % 200, i // 200, 7) for i in range(600)]
    sheet = np.array(palette, np.uint8).reshape(20, 30, 3)
    numbers = sketch_numbers(sheet, palette)
    np.testing.assert_array_equal(numbers.ravel(), np.arange(1, 601))
    packed = pack(numbers).astype(int)
    np.testing.assert_array_equal(packed[..., 0] + 256 * packed[..., 1], numbers)


@pytest.mark.parity("P27")
def test_p27_softened_edges_go_to_the_nearest_colour_and_the_order_is_that_of_the_sheet():
    sheet = sketch()
    assert palette_of(sheet) == ((0, 0, 255), (255, 0, 0), (0, 128, 0))
    sheet[5, 6:8] = [(60, 60, 255), (200, 200, 255)]
    numbers = sketch_numbers(sheet, PALETTE)
    assert numbers[5, 6] == 2
    assert numbers[5, 7] == 0


def test_what_is_no_sketch_is_told():
    with pytest.raises(InputError, match="The sketch is white"):
        sketch_numbers(np.full((8, 8, 3), 255, np.uint8))
    with pytest.raises(InputError, match="uint8"):
        sketch_numbers(np.zeros((8, 8)))
    with pytest.raises(InputError, match="1 to 12 pictures"):
        LayoutSettings("a dog", seeds=())
    with pytest.raises(InputError, match="multiples of 8"):
        LayoutSettings("a dog", size=(100, 64))


@pytest.fixture
def base(sd, controlnets):
    return load(ModelSettings(sd, controlnets=controlnets[:1]))


def layout(**more):
    return LayoutSettings("a red dog", size=(64, 96), seeds=(1, 2), scheduler="ddim", **more)


@pytest.mark.parity("P27")
def test_p27_a_sketch_becomes_pictures(base):
    numbers, sampling = sketch_numbers(sketch(), PALETTE), Sampling(steps=2)
    first, second = generate(base, numbers, layout(), sampling)
    assert first.shape == (64, 96, 3)
    assert first.dtype == np.uint8
    assert not np.array_equal(first, second)
    alone = LayoutSettings("a red dog", size=(64, 96), seeds=(2,), scheduler="ddim")
    np.testing.assert_array_equal(generate(base, numbers, alone, sampling)[0], second)
    free, _ = generate(base, numbers, layout(strength=0.0), sampling)
    assert not np.array_equal(free, first)
    drawn_only, _ = generate(base, numbers, layout(only_drawn=True), sampling)
    assert not np.array_equal(drawn_only, first)
    nothing = np.zeros_like(numbers)
    white, _ = generate(base, nothing, layout(only_drawn=True), sampling)
    np.testing.assert_array_equal(white, free)


@pytest.mark.parity("P28")
def test_p28_a_layout_alone_becomes_a_picture_as_the_library_paints_it(base, sd, controlnets):
    """Held to diffusers' own ControlNet pipeline, text to picture."""
    import torch
    from diffusers import StableDiffusionControlNetPipeline

    regions = [np.zeros((64, 96), bool) for _ in range(3)]
    regions[0][:40], regions[1][10:30, 20:70], regions[2][50:, 5:60] = True, True, True
    numbers = number_map(regions, (64, 96))
    settings = LayoutSettings(
        "a red dog", "low quality", 0.7, size=(64, 96), seeds=(5,), scheduler="ddim"
    )
    (found,) = generate(base, numbers, settings, Sampling(steps=3, guidance=5.0))
    pipe = StableDiffusionControlNetPipeline(
        **{k: v for k, v in sd.components.items() if k != "image_encoder"},
        controlnet=controlnets[0], requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    noise = torch.randn((1, 4, 8, 12), generator=torch.Generator().manual_seed(5))
    expected = pipe(
        "a red dog", image=condition(numbers, (64, 96)), negative_prompt="low quality",
        num_inference_steps=3, guidance_scale=5.0, controlnet_conditioning_scale=0.7,
        latents=noise, output_type="np",
    ).images[0]  # fmt: skip
    np.testing.assert_allclose(found, expected * 255, atol=1)


def test_pictures_that_are_cancelled_give_the_device_back(sd, controlnets, own):
    pipe = own(sd)
    pipe.enable_model_cpu_offload(device="cpu")
    loaded = load(ModelSettings(pipe, controlnets=controlnets[:1]))
    before = {id(hook) for hook in pipe._all_hooks}
    kept = list(pipe._all_hooks)  # so that no new hook has the id of an old one
    with pytest.raises(Cancelled):
        generate(loaded, np.ones((8, 8), np.uint16), layout(), progress=lambda *_: False)
    assert len(pipe._all_hooks) == len(kept)
    assert not before & {id(hook) for hook in pipe._all_hooks}


def test_without_a_controlnet_it_says_so(sd):
    with pytest.raises(InputError, match="SAM-ControlNet"):
        generate(load(ModelSettings(sd)), np.ones((8, 8), np.uint16), layout())
