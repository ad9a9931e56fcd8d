"""Filters: what each promises, and that nothing crosses the target's rim."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab

from editanything.backends.classical.filters import AMOUNTS, KINDS, filtered, noise_levels
from editanything.backends.classical.oklab import lab_of, linear_of, luminance_of
from editanything.errors import InputError
from editanything.types import Task

CAT = np.ascontiguousarray(data.chelsea()[60:220, 80:300])
ALL = np.ones(CAT.shape[:2], bool)


def run(kind: str, image: np.ndarray = CAT, target: np.ndarray | None = None, **more) -> np.ndarray:
    target = np.ones(image.shape[:2], bool) if target is None else target
    return filtered(Task("filter", image, target, target, {"kind": kind, **more}, 0)).image


def lightness(image: np.ndarray) -> np.ndarray:
    return rgb2lab(image)[..., 0]


def test_every_kind_has_a_default_amount() -> None:
    assert AMOUNTS.keys() == KINDS.keys()


@pytest.mark.parametrize(
    ("params", "message"),
    [({"kind": "glow"}, "blur, sharpen"), ({"kind": "blur", "amount": 1.5}, "at most 1; got 1.5")],
)
def test_a_wrong_kind_or_amount_is_one_clear_sentence(params, message) -> None:
    with pytest.raises(InputError, match=message):
        run(**params)


@pytest.mark.parametrize("side", [True, False])
def test_a_blur_takes_no_colour_from_the_other_side(side: bool) -> None:
    """A red disc on green: blurred, either one keeps its own colour up to the rim."""
    ys, xs = np.mgrid[:120, :120] - 59.5
    disc = np.hypot(xs, ys) < 30
    image = np.where(disc[..., None], np.uint8([220, 20, 20]), np.uint8([20, 180, 20]))
    target = disc == side
    result = run("blur", image, target, amount=1.0)
    assert np.abs(result[target].astype(int) - image[target]).max() <= 8


def test_a_blur_is_smoother_and_as_bright() -> None:
    result = run("blur")
    assert (
        np.abs(np.diff(lightness(result), axis=1)).mean()
        < 0.3 * np.abs(np.diff(lightness(CAT), axis=1)).mean()
    )
    assert luminance_of(linear_of(result)).mean() == pytest.approx(
        luminance_of(linear_of(CAT)).mean(), rel=0.01
    )


def test_more_amount_blurs_more() -> None:
    rough = [
        np.abs(np.diff(lightness(run("blur", amount=a)), axis=1)).mean() for a in (0.2, 0.5, 1)
    ]
    assert rough[0] > rough[1] > rough[2]


def test_sharpening_steepens_edges_and_flat_stays_flat() -> None:
    result = run("sharpen")
    assert (
        np.abs(np.diff(lightness(result), axis=1)).mean()
        > 1.2 * np.abs(np.diff(lightness(CAT), axis=1)).mean()
    )
    flat = np.full((30, 30, 3), 90, np.uint8)
    assert np.array_equal(run("sharpen", flat), flat)


def test_brighten_and_darken_are_inverses_and_keep_black_and_white() -> None:
    bright = run("brighten")
    assert lightness(bright).mean() > lightness(CAT).mean() + 5
    assert np.abs(run("darken", bright).astype(int) - CAT).max() <= 3
    ends = np.zeros((4, 4, 3), np.uint8)
    ends[:2] = 255
    assert np.array_equal(run("brighten", ends), ends)
    assert np.array_equal(run("darken", ends), ends)
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    assert (np.diff(run("brighten", ramp)[0, :, 0].astype(int)) >= 0).all()


def test_grey_has_the_luminance_of_the_colour() -> None:
    result = run("grayscale")
    assert np.ptp(result.astype(int), axis=2).max() == 0
    assert np.abs(lightness(result) - lightness(CAT)).max() < 1.0


def test_saturation_goes_up_and_down_at_the_same_hue() -> None:
    def chroma(image: np.ndarray) -> np.ndarray:
        return np.hypot(lab_of(image)[..., 1], lab_of(image)[..., 2])

    more, less = run("saturate"), run("desaturate")
    assert chroma(more).mean() > 1.25 * chroma(CAT).mean()
    assert chroma(less).mean() == pytest.approx(0.5 * chroma(CAT).mean(), rel=0.05)
    assert np.abs(lightness(more) - lightness(CAT)).mean() < 0.5
    assert chroma(run("desaturate", amount=1.0)).max() < 0.005
    grey = np.full((5, 5, 3), 77, np.uint8)
    assert np.array_equal(run("saturate", grey), grey)


def test_contrast_and_its_inverse_keep_black_and_white() -> None:
    more = run("contrast")
    assert lightness(more).std() > 1.15 * lightness(CAT).std()
    assert np.abs(run("flatten", more).astype(int) - CAT).mean() < 1
    ends = np.zeros((4, 4, 3), np.uint8)
    ends[:2] = 255
    assert np.array_equal(run("contrast", ends), ends)
    assert np.array_equal(run("flatten", ends), ends)


def test_warm_and_cool_are_opposite_tints_of_the_same_brightness() -> None:
    tint = {k: lab_of(run(k))[..., 2].mean() - lab_of(CAT)[..., 2].mean() for k in ("warm", "cool")}
    assert tint["warm"] > 0.01
    assert tint["cool"] < -0.01
    for kind in ("warm", "cool"):
        assert lightness(run(kind)).mean() == pytest.approx(lightness(CAT).mean(), abs=1.0)
    ends = np.zeros((4, 4, 3), np.uint8)
    ends[:2] = 255
    assert np.array_equal(run("warm", ends), ends)


def test_sepia_is_one_hue_of_the_same_brightness() -> None:
    result = run("sepia")
    lab = lab_of(result)
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    clear = np.hypot(lab[..., 1], lab[..., 2]) > 0.02
    assert clear.mean() > 0.8
    assert np.ptp(np.percentile(hue[clear], [2, 98])) < 12
    assert np.abs(lightness(result) - lightness(CAT)).max() < 2
    ends = np.zeros((4, 4, 3), np.uint8)
    ends[:2] = 255
    assert np.array_equal(run("sepia", ends), ends)


def test_a_vignette_is_of_the_frame_whatever_is_its_target_or_crop() -> None:
    frame = (CAT.shape[1], CAT.shape[0])
    whole = run("vignette", frame=frame).astype(int)
    middle, corner = whole[80, 110] / CAT[80, 110], whole[0, 0] / np.maximum(CAT[0, 0], 1)
    assert middle.min() > 0.97
    assert corner.max() < 0.8
    crop = CAT[40:100, 50:120]
    part = run("vignette", crop, frame=frame, origin=(50, 40))
    assert np.abs(part.astype(int) - whole[40:100, 50:120]).max() <= 1
    tall = np.full((600, 20, 3), 200, np.uint8)  # more than one strip
    fall = run("vignette", tall, frame=(20, 600))[:, 10, 0].astype(int)
    assert (np.diff(fall[:300]) >= 0).all()
    assert np.abs(fall - fall[::-1]).max() <= 1


def test_pixels_are_squares_from_the_targets_corner_and_mean_the_target_alone() -> None:
    target = np.zeros(CAT.shape[:2], bool)
    target[31:95, 43:107] = True
    image = np.where(target[..., None], CAT, np.uint8(255))
    result = run("pixelate", image, target, amount=0.25 - 0.02 / 0.16 + 0.0)
    side = round(64 * (0.02 + 0.16 * (0.25 - 0.02 / 0.16)))
    cell = result[31 : 31 + side, 43 : 43 + side]
    assert (cell == cell[0, 0]).all()
    mean = linear_of(image[31 : 31 + side, 43 : 43 + side]).mean((0, 1))
    assert np.abs(linear_of(cell[0, 0]) - mean).max() < 0.01
    assert np.array_equal(result[~target], image[~target])
    # The last, cut cells hold no white from beyond the target.
    assert result[target].max() <= image[target].max()


@pytest.mark.parametrize("noise", [5, 10, 20])
def test_noise_is_measured_and_taken_away(noise: int) -> None:
    rng = np.random.default_rng(noise)
    noisy = np.clip(np.rint(CAT + rng.normal(0, noise, CAT.shape)), 0, 255).astype(np.uint8)
    measured = noise_levels(Task("filter", noisy, ALL, ALL, {}, 0))
    assert measured == pytest.approx(noise, rel=0.45)
    error = [
        np.square(image.astype(float) - CAT).mean() for image in (noisy, run("denoise", noisy))
    ]
    assert error[1] < 0.75 * error[0]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("kind", ["blur", "pixelate", "sharpen", "denoise"])
def test_no_hidden_colour_comes_out_in_a_cut_out(kind: str, whole: bool) -> None:
    image, opacity = np.zeros((64, 80, 3), np.uint8), np.zeros((64, 80), np.uint8)
    image[20:47, 22:57] = (200, 30, 30)
    opacity[20:47, 22:57] = 255
    opacity[20:24, 22:57] = 120
    target = np.ones(opacity.shape, bool)
    if not whole:
        target[:10] = target[:, :10] = False
    result = filtered(Task("filter", image, target, target, {"kind": kind}, 0, opacity=opacity))
    shows = opacity > 0
    assert np.abs(result.image[shows].astype(int) - (200, 30, 30)).max() <= 3
    assert (result.image[~shows] == 0).all()


@pytest.mark.parametrize("kind", ["blur", "pixelate", "sharpen", "denoise"])
def test_an_opaque_picture_is_filtered_as_one_without_opacity(kind: str) -> None:
    opacity = np.full(ALL.shape, 255, np.uint8)
    result = filtered(Task("filter", CAT, ALL, ALL, {"kind": kind}, 0, opacity=opacity))
    assert np.array_equal(result.image, run(kind))
