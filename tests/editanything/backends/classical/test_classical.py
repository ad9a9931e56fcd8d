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

PHOTO = np.ascontiguousarray(data.astronaut()[:96, 130:290])
YS, XS = np.mgrid[:96, :160]
HEAD = ((XS - 90) / 30) ** 2 + ((YS - 50) / 28) ** 2 <= 1
EVERYWHERE = np.ones(HEAD.shape, bool)
SHIFT = ((1.0, 0.0, -40.0), (0.0, 1.0, 6.0))
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
    ("resize", {"matrix": ((0.5, 0, 45), (0, 0.5, 30)), "fill_source": True}),
    ("rotate", {"matrix": ((0.8, -0.6, 50), (0.6, 0.8, -40)), "fill_source": False}),
    ("flip", {"matrix": ((-1, 0, 180), (0, 1, 0)), "fill_source": True}),
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
    painted = Classical().paint(task)
    assert painted.image.shape == PHOTO.shape
    assert painted.image.dtype == np.uint8
    assert painted.opacity is None
    assert (painted.image[task.area] != PHOTO[task.area]).any(), "nothing was done"
    for array, old in zip([PHOTO, HEAD, OTHER.image], before, strict=True):
        assert np.array_equal(array, old)
    assert not np.shares_memory(painted.image, PHOTO)


@pytest.mark.parametrize("case", CASES, ids=names)
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
def test_progress_rises_and_can_cancel(case) -> None:
    seen: list[float] = []
    Classical().paint(task_of(*case), lambda share, what: seen.append(share))
    assert seen == sorted(seen)
    assert 0.0 <= seen[0] <= seen[-1] <= 1.0
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
