"""Longer work of a session beside one edit: variations of the last one, and recipes."""

from __future__ import annotations

from pathlib import Path

from editanything.editor import EditResult
from editanything.errors import InputError
from editanything.image import Picture
from editanything.progress import Progress, part_of_progress
from editanything.recipe import Edit, Recipe
from editanything.ui.history import State
from editanything.ui.jobs import Job
from editanything.ui.session import Outcome, Session

MOST_VARIATIONS = 8
MOST_RECIPE_BYTES = 50_000_000


def start_variations(session: Session, count: int) -> Job[Outcome]:
    """Carry out the last edit again with `count` other seeds, in a thread.

    Raises:
        InputError: nothing was done yet, or another edit still runs.
    """
    state, before = session.history.current, session.history.before
    if state is None or before is None or state.edit is None:
        raise InputError("There is no edit to vary yet: run one first.")
    edit, history = state.edit, session.history
    count = min(max(count, 1), MOST_VARIATIONS)
    looked = session.editor.look(before.load())
    editor = session.editor_with(dict(edit.overrides))
    second = session.second.looked if session.second and edit.reference else None

    def work(progress: Progress) -> Outcome:
        results: dict[str, EditResult] = {}
        for i in range(count):
            other = Edit(**{**vars(edit), "seed": edit.seed + 1 + i})
            part = part_of_progress(progress, i / count, (i + 1) / count)
            result = editor.plan_edit(looked, other, second).apply(part)
            results.setdefault(result.picture.digest(), result)
        return Outcome(before.number, history, state.title, tuple(results.values()), count)

    return session.begin(work)


def read_recipe(path: Path) -> Recipe:
    """The recipe of a .json file, or of a picture that carries one.

    Raises:
        InputError: a file that holds none.
    """
    if path.suffix.lower() != ".json":
        text = Picture.open(path).recipe
        if not text:
            raise InputError(f"“{path.name}” carries no recipe: only pictures saved here do.")
        return Recipe.from_json(text)
    if path.stat().st_size > MOST_RECIPE_BYTES:
        raise InputError(f"“{path.name}” is too large for a recipe.")
    try:
        return Recipe.from_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"“{path.name}” is no recipe: it is not text.") from None


def start_replay(session: Session, recipe: Recipe, *, takes_settings: bool = True) -> Job[Outcome]:
    """Carry out all edits of `recipe`, each a state of the history; the source is looked for there.

    Args:
        session: whose picture it is.
        recipe: of a file.
        takes_settings: whether it may have other settings of the preset than the session's.

    Raises:
        InputError: the recipe starts from another picture, or takes from one that is not open; it
            has settings that it may not have; or another edit still runs.
    """
    session.pointing()
    start = _source(session, recipe)
    if not recipe.edits:
        raise InputError("The recipe has no edits.")
    second = session.second
    for edit in recipe.edits:
        if edit.preset != session.editor.name:
            raise InputError(
                f"The recipe was made with the preset “{edit.preset}”; this is "
                f"“{session.editor.name}”."
            )
        if not takes_settings and not _harmless(edit, session):
            raise InputError(
                "The recipe has settings of its preset, which this server takes from none of its "
                "users."
            )
        if edit.reference and (second is None or second.looked.picture.digest() != edit.reference):
            raise InputError("The recipe takes from a second picture: open that one first.")
    if start.number != session.number():
        session.go(start.number)
    looked, history = session.pointing().looked, session.history

    def work(progress: Progress) -> Outcome:
        now, results, count = looked, [], len(recipe.edits)
        for i, edit in enumerate(recipe.edits):
            part = part_of_progress(progress, i / count, (i + 1) / count)
            editor = session.editor_with(dict(edit.overrides))
            taken = second.looked if second is not None and edit.reference else None
            result = editor.plan_edit(now, edit, taken).apply(part)
            results.append(result)
            now = editor.look(result.picture)
        return Outcome(start.number, history, "", tuple(results))

    return session.begin(work)


def _harmless(edit: Edit, session: Session) -> bool:
    """Whether an edit has no settings but the session's and the two that everybody may choose."""
    own = session.editor.overrides
    return all(
        name in ("grow_px", "feather_px") or (name in own and own[name] == value)
        for name, value in edit.overrides.items()
    )


def _source(session: Session, recipe: Recipe) -> State:
    """The state of the history that a recipe starts from, the current one before others."""
    now = session.history.current
    for state in sorted(session.history, key=lambda state: state is not now):
        width, height = recipe.size
        if state.size == (width, height) and state.load().digest() == recipe.source:
            return state
    raise InputError(
        f"The recipe starts from another picture, of {recipe.size[0]} × {recipe.size[1]} pixels: "
        "open that original first."
    )
