"""The pictures of an edit that makes several, as results of their own."""

from __future__ import annotations

from dataclasses import replace

from editanything.editor import EditResult
from editanything.recipe import Recipe


def apart(result: EditResult) -> tuple[EditResult, ...]:
    """All variants of a result, each with its own seed and recipe; nothing where it is one."""
    if not result.others:
        return ()
    found = [replace(result, others=())]
    for k, picture in enumerate(result.others, 1):
        assert picture.recipe is not None, "the editor writes one"
        plan = replace(result.plan, edit=result.plan.edit.with_seeds_from(k))
        recipe = Recipe.from_json(picture.recipe)
        found.append(replace(result, picture=picture, plan=plan, recipe=recipe, others=()))
    return tuple(found)
