"""What a user points at, as it may be given, and what it means in a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editanything.errors import InputError
from editanything.image import Picture
from editanything.types import Mask, Seen, Selection


def as_selection(selection: Selection | NDArray[Any] | None) -> Selection | None:
    """A selection as it may be given: a bool array (H, W), a Selection, or nothing.

    Raises:
        InputError: an array that is no mask, or an empty one.
    """
    if isinstance(selection, np.ndarray):
        selection = Selection(mask=Mask.of(selection))
    if selection is None or (isinstance(selection, Selection) and selection.is_empty):
        return None
    if not isinstance(selection, Selection):
        raise InputError(
            f"A selection is a bool array (H, W) or a Selection; got {type(selection).__name__}."
        )
    for mask in (selection.mask, selection.brush):
        if mask is not None and mask.area == 0:
            raise InputError("The mask is empty: it selects no pixel of the picture.")
    return selection


def read_mask(path: str | Path) -> Mask:
    """A mask file: what is brighter than middle grey (and not transparent) is selected.

    Raises:
        InputError: a file that cannot be read.
    """
    picture = Picture.open(path)
    selected = picture.rgb().max(2) >= 128
    opacity = picture.opacity()
    return Mask.of(selected if opacity is None else selected & (opacity >= 128))


def select(seen: Seen, selection: Selection | None) -> Mask | None:
    """The mask of a selection in a picture.

    Raises:
        InputError: a selection that does not fit the picture, or that selects nothing.
    """
    if selection is None:
        return None
    selection.check_inside(seen.image.shape[:2])
    mask = seen.select(selection)
    if mask.area == 0:
        raise InputError("The selection is empty: the negative points take everything away.")
    return mask


def notes_on(selection: Selection | None, mask: Mask | None) -> tuple[str, ...]:
    """A note where a box stands for the thing inside it, not for itself."""
    if selection is None or mask is None or not selection.boxes_alone():
        return ()
    inside = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in selection.boxes)
    if mask.area > 0.95 * inside:
        return ()
    note = (
        f"The selection is the thing found inside the box, {mask.area / inside:.0%} of the box; "
        "for the whole rectangle give a mask."
    )
    return (note,)
