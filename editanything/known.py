"""The named regions of a picture: of an example photo, and of what was made from one.

An edited picture has another digest than its source. Its recipe tells where it comes from and what
was done, so the names of all that is still in its place go on to hold: in a session, in a replay
and in a file that was saved between two edits alike.
"""

from __future__ import annotations

from editanything.command import parse
from editanything.command.types import Operation
from editanything.errors import InputError
from editanything.examples import regions_of
from editanything.image import Picture
from editanything.masks import intersection
from editanything.planning.draft import is_background
from editanything.recipe import Edit, Recipe
from editanything.types import Mask, Region, Selection

#: These leave every thing where it is, unless they put another in its place.
IN_PLACE = frozenset({"modify", "filter", "replace", "transfer", "duplicate"})
#: After these the target is gone, or elsewhere.
LEAVES = frozenset({"remove", "move", "resize", "rotate", "flip"})
WHOLE = frozenset({"@image", "*"})
_MOSTLY = 0.5  # of a part lies in what goes, so it goes along


def known_regions(picture: Picture) -> tuple[Region, ...]:
    """The regions of `picture` whose names are known; () where there are none."""
    regions = regions_of(picture.digest())
    if regions or picture.recipe is None:
        return regions
    try:
        recipe = Recipe.from_json(picture.recipe)
    except InputError:  # written by something else, or by a later version
        return ()
    if recipe.result != picture.digest() or recipe.size != picture.shape[::-1]:
        return ()
    regions = regions_of(recipe.source)
    for edit in recipe.edits:
        if any("mask" in settings for settings in edit.changes.values()):
            return ()  # something else was changed than the words say
        regions = _after(edit, regions)
    return regions


def _after(edit: Edit, regions: tuple[Region, ...]) -> tuple[Region, ...]:
    images = ("A", "B") if edit.reference else ("A",)
    command = parse(edit.text, images=images, selection=edit.selection is not None)
    step = 0
    for operation in command.ops:
        if step not in edit.off:
            regions = _after_operation(operation, edit.selection, regions)
        # `off` numbers steps, and every copy is a step of its own.
        step += (operation.copies or 1) if operation.op == "duplicate" else 1
    return regions


def _after_operation(
    operation: Operation, selection: Selection | None, regions: tuple[Region, ...]
) -> tuple[Region, ...]:
    target = operation.target
    # What stands there now has another outline, which nobody knows: it has no name yet.
    gives_way = "replace" in (operation.op, operation.mode) and not (
        target is not None and is_background(target)
    )
    if operation.op in IN_PLACE and not gives_way:
        return regions
    goes = gives_way or operation.op in LEAVES
    if not goes or target is None or target.noun in WHOLE:
        return ()
    if target.noun == "@selection":
        gone = [r.mask for r in regions if selection and _is_meant(r.mask, selection)]
    else:
        last_word = target.noun.split()[-1]
        gone = [r.mask for r in regions if r.label in (target.noun, last_word)]
    return tuple(r for r in regions if not any(_is_part(r.mask, mask) for mask in gone))


def _is_part(mask: Mask, whole: Mask) -> bool:
    """Whether `mask` is `whole`, or goes along with it: the handle of a cup."""
    return intersection(mask, whole).area > _MOSTLY * mask.area


def _is_meant(mask: Mask, selection: Selection) -> bool:
    """Whether a selection points at the region `mask`."""
    painted = [m for m in (selection.mask, selection.brush) if m is not None]
    if any(2 * intersection(mask, part).area > mask.area for part in painted):
        return True
    if any(2 * int(mask.within(_inside(box, mask)).sum()) > mask.area for box in selection.boxes):
        return True
    clicks = ((int(p.x), int(p.y)) for p in selection.points if p.positive)
    return any(mask.within((x, y, x + 1, y + 1)).any() for x, y in clicks)


def _inside(box: tuple[int, int, int, int], mask: Mask) -> tuple[int, int, int, int]:
    height, width = mask.shape
    return max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
