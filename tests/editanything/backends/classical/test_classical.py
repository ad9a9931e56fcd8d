"""What holds for every operation of the classical backend."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from editanything.backends.classical import OPERATIONS, Classical
from editanything.backends.classical.filters import KINDS
from editanything.errors import Cancelled, InputError, Refusal
from editanything.types import Mask, Reference, Task

PHOTO = np.ascontiguousarray(data.astronaut()[:64, 150:250])
YS, XS = np.mgrid[:64, :100]
HEAD = ((XS - 55) / 22) ** 2 + ((YS - 34) / 20) ** 2 <= 1
EVERYWHERE = np.ones(HEAD.shape, bool)
SHIFT = ((1.0, 0.0, -25.0), (0.0, 1.0, 4.0))
OTHER = Reference(
    data.chelsea()[60:180, 80:260], Mask.placed((120, 180), (60, 30), np.ones((50, 50), bool))
)

CASES: list[tuple[str, dict[str, Any]]] = [
    ("remove", {}),
    ("outpaint", {}),
    ("modify", {"color": (20, 60, 200)}),
    *(("filter", {"kind": kind}) for kind in KINDS),
    ("move", {"matrix": SHIFT, "fill_source": True}),
    ("duplicate", {"matrix": SHIFT, "fill_source": False}),
    ("resize", {"matrix": ((0.5, 0, 28), (0, 0.5, 25)), "fill_source": False}),
    ("rotate", {"matrix": ((0.8, -0.6, 30), (0.6, 0.8, -25)), "fill_source": False}),
    ("flip", {"matrix": ((-1, 0, 110), (0, 1, 0)), "fill_source": False}),
    ("replace", {"color": (240, 240, 240)}),
    ("replace", {"frame": (400, 200), "origin": (100, 50)}),
    ("transfer", {"mode": "insert", "matrix": SHIFT}),
    ("transfer", {"mode": "replace", "matrix": SHIFT, "blend": "seamless"}),
]


def task_of(op: str, params: dict[str, Any], **more: Any) -> Task:
    area = HEAD if op in ("remove", "outpaint", "modify", "filter") else EVERYWHERE
    target = ~HEAD if op == "replace" else HEAD
    return Task(op, PHOTO, target, area, params, seed=3, reference=OTHER, **more)


def names(case: tuple[str, dict[str, Any]]) -> str:
    return f"{case[0]}-{case[1].get('kind', '')}{case[1].get('mode', '')}"


@pytest.mark.parametrize("case", CASES, ids=names)
def test_it_paints_the_crop_again_and_writes_to_nothing_it_was_given(case) -> None:
    task = task_of(*case)
    before = [PHOTO.copy(), HEAD.copy(), OTHER.image.copy()]
    shares: list[float] = []
    painted = Classical().paint(task, lambda share, what: shares.append(share))
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] <= shares[-1] <= 1.0
    assert painted.image.shape == PHOTO.shape
    assert painted.image.dtype == np.uint8
    assert painted.opacity is None
    assert (painted.image[task.area] != PHOTO[task.area]).any(), "nothing was done"
    for array, old in zip([PHOTO, HEAD, OTHER.image], before, strict=True):
        assert np.array_equal(array, old)
    assert not np.shares_memory(painted.image, PHOTO)


@pytest.mark.parametrize("case", [c for c in CASES if c[0] != "outpaint"], ids=names)
def test_the_same_task_gives_the_same_bytes_for_any_number_of_threads(case) -> None:
    threads = cv2.getNumThreads()
    results = []
    try:
        for count in (1, 4):
            cv2.setNumThreads(count)
            results.append(Classical().paint(task_of(*case)).image)
    finally:
        cv2.setNumThreads(threads)
    assert np.array_equal(*results)


@pytest.mark.parametrize("case", CASES, ids=names)
def test_it_does_what_it_says_it_can(case) -> None:
    assert Classical().can(*case)


def test_every_operation_is_tried_above() -> None:
    assert {op for op, _ in CASES} == set(OPERATIONS)


@pytest.mark.parametrize(
    ("op", "params"),
    [
        ("add", {}),
        ("style", {}),
        ("modify", {"attribute": "material"}),
        ("filter", {"kind": "glow"}),
        ("transfer", {"mode": "wear", "matrix": SHIFT}),
        ("replace", {"value": "dog"}),
    ],
)
def test_it_refuses_what_it_cannot(op: str, params: dict[str, Any]) -> None:
    assert not Classical().can(op, params)
    with pytest.raises(Refusal) as refused:
        Classical().paint(task_of(op, params))
    assert refused.value.reason == "unsupported"


@pytest.mark.parametrize("case", CASES, ids=names)
def test_progress_can_cancel(case) -> None:
    with pytest.raises(Cancelled):
        Classical().paint(task_of(*case), lambda share, what: False)


@pytest.mark.parametrize("op", ["modify", "filter", "move", "remove"])
def test_an_empty_target_leaves_everything_as_it_is(op: str) -> None:
    nothing = np.zeros(HEAD.shape, bool)
    params = {"color": (0, 0, 0), "kind": "blur", "matrix": SHIFT, "fill_source": True}
    assert np.array_equal(
        Classical().paint(Task(op, PHOTO, nothing, nothing, params, 0)).image, PHOTO
    )


def test_a_transfer_without_a_second_picture_says_so() -> None:
    params = {"mode": "insert", "matrix": SHIFT}
    with pytest.raises(InputError, match="second picture"):
        Classical().paint(Task("transfer", PHOTO, HEAD, HEAD, params, 0))
