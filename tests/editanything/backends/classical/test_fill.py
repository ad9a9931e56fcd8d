from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from editanything.backends.classical import poisson
from editanything.backends.classical.fill import Effort, fill
from editanything.backends.classical.patchmatch import Level, descriptors
from editanything.errors import Cancelled, InputError


def ellipse(shape, y, x, ry, rx):
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    return ((ys - y) / ry) ** 2 + ((xs - x) / rx) ** 2 <= 1


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3)).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_only_the_hole_changes_whatever_its_shape(shape, share, seed):
    rng = np.random.default_rng(seed)
    image, hole = noise(shape, seed), rng.random(shape) < share
    hole[rng.integers(shape[0]), rng.integers(shape[1])] = False
    before = image.copy(), hole.copy()
    painted = fill(image, hole, seed=seed, opacity=image[..., 0])
    assert painted.image.shape == image.shape
    assert painted.image.dtype == np.uint8
    assert np.array_equal(painted.image[~hole], image[~hole])
    assert np.array_equal(painted.opacity[~hole], image[..., 0][~hole])
    assert np.array_equal(image, before[0])
    assert np.array_equal(hole, before[1])


def test_no_hole_changes_nothing():
    image = noise((9, 9))
    assert np.array_equal(fill(image, np.zeros((9, 9), bool)).image, image)


def test_a_hole_that_is_everything_is_an_input_error():
    with pytest.raises(InputError, match="whole picture"):
        fill(noise((9, 9)), np.ones((9, 9), bool))


def test_no_material_is_an_input_error():
    hole = ellipse((9, 9), 4, 4, 2, 2)
    with pytest.raises(InputError, match="material"):
        fill(noise((9, 9)), hole, sources=hole)


def test_a_plain_picture_stays_plain():
    image = np.full((60, 80, 3), (30, 90, 200), np.uint8)
    assert np.array_equal(fill(image, ellipse((60, 80), 30, 30, 20, 25)).image, image)


def test_a_smooth_sky_has_no_seam():
    y, x = np.mgrid[:160, :200]
    sky = np.stack([60 + 0.5 * y + 0.2 * x, 110 + 0.4 * y, 230 - 0.3 * x], 2)
    image = np.rint(sky).astype(np.uint8)
    painted = fill(image, ellipse((160, 200), 80, 100, 45, 60)).image
    assert np.abs(painted.astype(int) - image).max() <= 3
    assert np.abs(np.diff(painted.astype(int), axis=0)).max() <= 4


def test_a_horizon_runs_on():
    image = np.zeros((120, 160, 3), np.uint8)
    image[:70] = (120, 170, 230)
    image[70:] = (60, 90, 40)
    painted = fill(image, ellipse((120, 160), 68, 80, 25, 30)).image
    error = np.abs(painted.astype(int) - image).max(2)
    assert (error > 20).sum() <= 40  # of 2356 pixels: at most a wobble of the edge


def test_stripes_are_continued_with_their_period():
    wave = 128 + 100 * np.sin(np.arange(128) * 2 * np.pi / 16)
    image = np.repeat(np.tile(wave, (96, 1))[..., None], 3, 2).astype(np.uint8)
    painted = fill(image, ellipse((96, 128), 48, 64, 20, 26)).image
    assert np.abs(painted.astype(int) - image).mean() < 0.5


def test_outpainting_extends_texture_as_strong_as_the_original():
    grass = np.repeat(data.grass()[:160, :160, None], 3, 2)
    image, hole = np.zeros((160, 220, 3), np.uint8), np.zeros((160, 220), bool)
    image[:, :160], hole[:, 160:] = grass, True
    made = fill(image, hole).image[:, 160:].astype(float)
    assert 0.7 < made.std() / grass.std() < 1.3


def test_pixels_come_from_the_sources_alone():
    image = noise((64, 64))
    image[:, :32, 0], image[:, 32:, 0] = 0, 255
    sources = np.zeros((64, 64), bool)
    sources[:, :32] = True
    hole = ellipse((64, 64), 32, 15, 8, 8)
    opacity = np.where(sources, 7, 200).astype(np.uint8)
    painted = fill(image, hole, sources=sources, opacity=opacity)
    assert painted.image[hole][:, 0].max() < 40
    assert (painted.opacity[hole] == 7).all()


def test_same_seed_same_bytes_on_any_number_of_threads():
    image, hole = data.coffee()[::2, ::2], ellipse((200, 300), 90, 160, 30, 40)
    threads = cv2.getNumThreads()
    try:
        made = []
        for count in (1, 2):
            cv2.setNumThreads(count)
            made.append(fill(image, hole, seed=3).image)
    finally:
        cv2.setNumThreads(threads)
    assert np.array_equal(*made)
    assert not np.array_equal(made[0], fill(image, hole, seed=4).image)


def test_progress_is_told_often_and_cancels():
    image, hole = data.coffee()[::4, ::4], ellipse((100, 150), 45, 80, 20, 25)
    shares: list[float] = []
    fill(image, hole, progress=lambda share, what: shares.append(share))
    assert len(shares) >= 10
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    calls: list[str] = []

    def stop(share, what):
        calls.append(what)
        return len(calls) < 5

    with pytest.raises(Cancelled):
        fill(image, hole, progress=stop)
    assert len(calls) == 5


def test_a_large_crop_is_matched_small_and_copied_sharp():
    gravel = np.repeat(data.gravel()[:200, :200, None], 3, 2)
    hole = ellipse((200, 200), 100, 100, 40, 50)
    painted = fill(gravel, hole, effort=Effort(matched_px=12_000, exact_pairs=1000)).image
    assert np.array_equal(painted[~hole], gravel[~hole])
    telea = cv2.inpaint(gravel, hole.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    true, ours, smooth = (gradient(x, hole).mean() for x in (gravel, painted, telea))
    assert abs(ours - true) < 0.5 * abs(smooth - true)


def test_the_correction_solves_its_equation():
    rng = np.random.default_rng(0)
    hole = ellipse((90, 121), 40, 60, 35, 55) | (rng.random((90, 121)) < 0.3)
    y, x = np.mgrid[:90, :121]
    wanted = np.where(hole, 20 * np.sin(x / 20 + y / 15), 0).astype(np.float32)[..., None]
    padded = np.pad(wanted[..., 0], 1, mode="edge")
    neighbours = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    divergence = ((4 + 1e-4) * wanted[..., 0] - neighbours)[..., None].astype(np.float32)
    got = poisson.correction(divergence, hole, reach_px=100.0)
    assert np.abs(got - wanted).max() < 0.2
    assert np.array_equal(got[~hole], wanted[~hole])


def test_full_descriptors_keep_the_distances_of_patches(monkeypatch):
    for name, value in (("NUM_LUMA", 13), ("NUM_CHROMA", 13), ("MEAN_WEIGHT", 1.0)):
        monkeypatch.setattr(f"editanything.backends.classical.patchmatch.{name}", value)
    rng = np.random.default_rng(0)
    planes = rng.uniform(0, 255, (20, 20, 5)).astype(np.float32)
    numbers = descriptors(planes, 3, (0, 0), 20).reshape(20, 20, -1)[..., :-4]
    a, b = planes[2:9, 3:10, :3], planes[10:17, 8:15, :3]
    got = ((numbers[5, 6] - numbers[13, 11]) ** 2).sum()
    assert got == pytest.approx(((a - b) ** 2).sum(), rel=1e-4)


def test_sources_never_reach_into_the_hole():
    hole = ellipse((40, 50), 20, 20, 6, 9)
    level = Level(np.zeros((40, 50, 5), np.float32), hole, ~hole, 3)
    for y, x in zip(*np.divmod(level.sources, 50), strict=True):
        assert not hole[y - 3 : y + 4, x - 3 : x + 4].any()
        assert 3 <= y < 37
        assert 3 <= x < 47


def gradient(image, hole):
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dx, dy = (cv2.Sobel(luma, cv2.CV_32F, *d, scale=1 / 8) for d in ((1, 0), (0, 1)))
    return np.hypot(dx, dy)[hole]


def test_removal_is_as_near_as_telea_with_far_truer_texture():
    """The promise of benchmarks/removal.py, on the cases of its `--quick`."""
    path = Path(__file__).parents[4] / "benchmarks" / "removal.py"
    spec = importlib.util.spec_from_file_location("benchmark_removal", path)
    removal = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(removal)
    rows = {"ours": [], "telea": []}
    for case in removal.cases("test", 1, 320):
        for name, measured in rows.items():
            result = removal.METHODS[name](case.pasted, case.hole)
            measured.append(removal.measure(result, case))
    ours, telea = removal.mean(rows["ours"]), removal.mean(rows["telea"])
    assert ours["psnr"] >= telea["psnr"] - 0.5
    assert ours["w1"] <= 0.5 * telea["w1"]
    assert ours["l1"] <= 0.5 * telea["l1"]
