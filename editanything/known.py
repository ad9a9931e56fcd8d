"""The named regions of a picture: of an example photo, and of what an edit made or left there.

An edited picture has another digest than its source; its recipe, which travels with it, says what
is called what. So names hold in a session, in a replay and in a file that was saved between two
edits alike.
"""

from __future__ import annotations

from editanything.errors import InputError
from editanything.examples import regions_of
from editanything.image import Picture
from editanything.recipe import Recipe
from editanything.types import Region


def known_regions(picture: Picture) -> tuple[Region, ...]:
    """The regions of `picture` whose names are known; () where there are none."""
    regions = regions_of(picture.digest())
    if regions or picture.recipe is None:
        return regions
    try:
        recipe = Recipe.from_json(picture.recipe)
    except InputError:  # written by something else, or by a later version
        return ()
    if recipe.result != picture.digest():
        return ()
    return tuple(region for region in recipe.names if region.mask.shape == picture.shape)
