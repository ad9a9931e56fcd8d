"""The Editor: look -> parse -> ground -> plan -> paint -> composite. Every door leads here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from editanything import frames, masks
from editanything.command import parse
from editanything.composite import composite
from editanything.errors import InputError, Refusal
from editanything.grounders.sights import Glimpse
from editanything.image import Picture
from editanything.known import known_regions
from editanything.plan import EditPlan, make_plan
from editanything.planning.draft import SecondPicture
from editanything.planning.fates import Fates
from editanything.pointing import as_selection, notes_on, select
from editanything.preset import Preset, build, load_foreign_preset, load_preset
from editanything.previews import in_picture
from editanything.progress import Progress, part_of_progress, report
from editanything.recipe import Edit, Recipe
from editanything.tasks import staying, task_of, working_box
from editanything.types import Backend, Bool2D, Box, Mask, Region, Seen, Segmenter, Selection, Step
from mdt.version import __version__


@dataclass(frozen=True, eq=False)
class Looked:
    """A picture and what the segmenter made of it: hold it, and every further command is quick."""

    picture: Picture
    seen: Seen


@dataclass(frozen=True, eq=False)
class EditResult:
    """An edited picture, where it may differ from the one given, and how it was made.

    Attributes:
        picture: the result with all its samples and metadata.
        mask: bool (H, W) of the result, True wherever it may differ from the picture given.
        plan: the plan that was carried out.
        recipe: what was done, from the first picture on.
        others: further variants; number k is what the seed plus k gives alone.
    """

    picture: Picture
    mask: Bool2D
    plan: EditPlan
    recipe: Recipe
    others: tuple[Picture, ...] = ()

    @cached_property
    def image(self) -> Any:
        """The result in the kind that was given: array for array, PIL for PIL; RGB for a file."""
        return self.picture.in_kind()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All variants; the first is `picture`."""
        return (self.picture, *self.others)

    @property
    def images(self) -> tuple[Any, ...]:
        """All variants, as `image` is."""
        return (self.image, *(other.in_kind() for other in self.others))

    def save(self, path: str | Path, *, overwrite: bool = True) -> None:
        """Write the result with its recipe inside; the format goes by the suffix.

        Raises:
            InputError: where it cannot be written so; nothing is left behind.
        """
        self.picture.save(path, overwrite=overwrite)


class Editor:
    """Edits pictures by text commands. Holds settings and models, never a user's picture."""

    def __init__(
        self,
        preset: Preset,
        *,
        name: str = "default",
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        """Build the parts that `preset` names; `name` and `overrides` go into recipes."""
        self.preset = preset
        self.name = name
        self.overrides = dict(overrides or {})
        self.segmenter: Segmenter = build("segmenter", preset.segmenter)
        self.grounder = build("grounder", preset.grounder)
        self.backends: tuple[Backend, ...] = tuple(build("backend", b) for b in preset.backends)

    @classmethod
    def from_preset(cls, name: str = "default", **overrides: Any) -> Editor:
        """The editor of `configs/edit/<name>.yaml`, or of a YAML file, with settings replaced.

        Raises:
            InputError: an unknown preset, setting, segmenter, grounder or backend.
        """
        return cls(load_preset(name, overrides), name=name, overrides=overrides)

    def with_settings(self, name: str, overrides: Mapping[str, Any]) -> Editor:
        """Another editor, by settings that may come from anybody: code that they name is not run.

        Raises:
            InputError: as `from_preset`, and for code that this editor's preset does not name.
        """
        preset = load_foreign_preset(name, overrides, self.preset)
        return Editor(preset, name=name, overrides=overrides)

    def look(self, image: Any) -> Looked:
        """Open a picture (path, array, PIL image, Picture) and hold it for several commands.

        Raises:
            InputError: what cannot be opened; one sentence.
        """
        if isinstance(image, Looked):
            return image
        picture = self._opened(image)
        known = known_regions(picture)
        return Looked(picture, self.segmenter.look(picture.rgb(), known=known))

    def glimpse(self, image: Any) -> Glimpse | None:
        """What a picture plainly shows, unasked; None where this preset's grounder cannot tell.

        It takes some seconds. In what `look` returned, words for what was seen are found at once
        afterwards.

        Args:
            image: as in `edit`.

        Raises:
            InputError: what cannot be opened; weights that are missing or damaged.
        """
        told = getattr(self.grounder, "glimpse", None)
        return told(self.look(image).seen) if told else None

    def edit(
        self,
        image: Any,
        text: str,
        *,
        selection: Selection | NDArray[Any] | None = None,
        reference: Any = None,
        seed: int = 0,
        related: bool = True,
        progress: Progress | None = None,
    ) -> EditResult:
        """Carry out a text command; every pixel outside `result.mask` stays as it is.

        Args:
            image: path, RGB uint8 array (H, W, 3), PIL image, or what `look` returned.
            text: what to do, in plain English: "remove the cup", "make it red".
            selection: what was pointed at: bool (H, W), or a Selection of points, boxes, strokes.
            reference: a second picture to take from; or a pair (picture, selection in it).
            seed: decides everything that is random.
            related: take along what surely belongs to the target (its shadow); False: show it in
                the plan only.
            progress: called with the share done (0..1) and what is being done; False cancels.

        Raises:
            InputError: bad input. Refusal: a command that cannot be carried out, with the reason.
        """
        plan = self.plan(
            image, text, selection=selection, reference=reference, seed=seed, related=related
        )
        return plan.apply(progress)

    def plan(
        self,
        image: Any,
        text: str,
        *,
        selection: Selection | NDArray[Any] | None = None,
        reference: Any = None,
        seed: int = 0,
        related: bool = True,
    ) -> EditPlan:
        """What `edit` would do; nothing is painted. Arguments and errors as in `edit`."""
        check_command(text, seed)
        looked = self.look(image)
        second, reference_selection = self._look_at_reference(reference)
        edit = Edit(
            text=text,
            seed=seed,
            selection=as_selection(selection),
            reference=second.picture.digest() if second else None,
            reference_selection=reference_selection,
            related=related,
            preset=self.name,
            overrides=self.overrides,
        )
        return self.plan_edit(looked, edit, second)

    def plan_edit(self, looked: Looked, edit: Edit, second: Looked | None = None) -> EditPlan:
        """The plan of a recorded edit. Raises as `edit` does."""
        images = ("A", "B") if second else ("A",)
        command = parse(edit.text, images=images, selection=edit.selection is not None)
        selection = select(looked.seen, edit.selection)
        plan = make_plan(
            looked.seen,
            command,
            edit,
            grounder=self.grounder,
            backends=self.backends,
            selection=selection,
            second=_second(second, edit.reference_selection),
            boxes=edit.selection.boxes_alone() if edit.selection else (),
            has_opacity=looked.picture.has_alpha,
            is_grey=looked.picture.samples.shape[2] < 3,
            margins=(self.preset.grow_px, self.preset.feather_px),
            max_megapixels=self.preset.max_megapixels,
            apply_with=lambda plan, progress: self._apply(looked, plan, progress),
            replan=lambda changed: self.plan_edit(looked, changed, second),
        )
        notes = (*looked.picture.notes, *notes_on(edit.selection, selection), *plan.notes)
        plan = replace(plan, notes=notes)
        if any(step.reference is not None for step in plan.steps):
            return plan
        # A second picture that lies open but is not used is no part of the recipe.
        return replace(plan, edit=replace(edit, reference=None, reference_selection=None))

    def replay(
        self,
        recipe: Recipe,
        image: Any,
        *,
        references: tuple[Any, ...] = (),
        progress: Progress | None = None,
    ) -> EditResult:
        """Carry out all edits of a recipe on its source picture; gives the same bytes.

        Raises:
            InputError: the wrong source picture, or a second picture that is missing.
        """
        picture = self._opened(image)
        if picture.digest() != recipe.source:
            raise InputError(
                "This is not the picture that the recipe starts from "
                f"({recipe.size[0]}x{recipe.size[1]} pixels, sha256 {recipe.source[:12]}...); "
                "give the original."
            )
        seconds = {second.digest(): second for second in map(self._opened, references)}
        editors = [self]
        result: EditResult | None = None
        for i, edit in enumerate(recipe.edits):
            if edit.reference is not None and edit.reference not in seconds:
                raise InputError(
                    "The recipe takes something from a second picture (sha256 "
                    f"{edit.reference[:12]}...); give it with --reference."
                )
            editor = self._for(edit, editors)
            part = part_of_progress(progress, i / len(recipe.edits), (i + 1) / len(recipe.edits))
            # What a click or a name means in a picture is its own editor's to say.
            looked = editor.look(picture)
            second = editor.look(seconds[edit.reference]) if edit.reference else None
            result = editor.plan_edit(looked, edit, second).apply(part)
            picture = result.picture
        if result is None:
            raise InputError("The recipe has no edits.")
        return result

    def _for(self, edit: Edit, editors: list[Editor]) -> Editor:
        """The editor of an edit's settings: one of `editors`, or a new one, which is put there."""
        wanted = edit.preset, dict(edit.overrides)
        for editor in editors:
            if (editor.name, editor.overrides) == wanted:
                return editor
        editors.append(self.with_settings(*wanted))
        return editors[-1]

    def _opened(self, image: Any) -> Picture:
        if isinstance(image, Looked):
            return image.picture
        return Picture.open(image, max_megapixels=self.preset.max_megapixels)

    def _look_at_reference(self, reference: Any) -> tuple[Looked | None, Selection | None]:
        if reference is None:
            return None, None
        if isinstance(reference, tuple):
            image, selection = reference
            return self.look(image), as_selection(selection)
        return self.look(reference), None

    def _apply(self, looked: Looked, plan: EditPlan, progress: Progress | None) -> EditResult:
        active = [step for step in plan.steps if step.on]
        if not active:
            raise Refusal("Every step of the plan is switched off.", reason="nothing_to_do")
        variants, number = [], self.preset.images
        for k in range(number):
            part = part_of_progress(progress, k / number, (k + 1) / number)
            steps = [replace(step, seed=step.seed + k) for step in active]
            picture, changed, names = self._carry_out_all(steps, looked, part)
            recipe = _recipe(looked.picture, plan.edit.with_seeds_from(k), picture, names)
            variants.append((replace(picture, recipe=recipe.to_json()), changed, recipe))
        report(progress, 1.0, "done")
        picture, changed, recipe = variants[0]
        others = tuple(other for other, _, _ in variants[1:])
        return EditResult(picture, changed.full(), plan, recipe, others)

    def _carry_out_all(
        self, steps: list[Step], looked: Looked, progress: Progress | None
    ) -> tuple[Picture, Mask, tuple[Region, ...]]:
        picture, names = looked.picture, looked.seen.known
        changed, fates = Mask.empty(picture.shape), list[Fates]()
        for i, step in enumerate(steps):
            part = part_of_progress(progress, i / len(steps), (i + 1) / len(steps))
            report(part, 0.0, step.what)
            for fate in fates:
                step = fate.corrected(step)
            picture, changed, landed = self._carry_out(step, picture, changed, part)
            fates.append(Fates(step, landed))
            names = fates[-1].of(names)
        return picture, changed, names

    def _carry_out(
        self, step: Step, picture: Picture, changed: Mask, progress: Progress | None
    ) -> tuple[Picture, Mask, Mask]:
        """The picture then, all that changed so far, and where what was set down lies."""
        nowhere = Mask.empty(picture.shape)
        if step.frame is not None:
            picture = picture.with_samples(frames.apply(step.frame, picture.samples))
            changed = frames.apply_to_mask(step.frame, changed)
            if step.op != "outpaint":
                return picture, masks.union(changed, step.area), nowhere
        if step.params.get("transparent"):
            picture = picture.with_alpha()
        box = working_box(step, picture.shape)
        task = task_of(step, picture, box, regions=lambda: self._regions(picture, box))
        backend = next(b for b in self.backends if b.can(step.op, step.params))
        painted = backend.paint(task, in_picture(progress, picture, box, step.area))
        alpha = masks.feather(task.area, step.feather_px, beyond=staying(task))
        changed = masks.union(changed, step.area)
        if painted.landed is None:
            landed = nowhere
        else:
            landed = Mask.placed(picture.shape, box[:2], painted.landed & (alpha > 0))
        return composite(picture, box, painted, alpha), changed, landed

    def _regions(self, picture: Picture, box: Box) -> tuple[Bool2D, ...]:
        """What the segmenter finds in a box of the picture as it is now."""
        seen = self.segmenter.look(picture.rgb(box))
        return tuple(region.mask.full() for region in seen.regions())


def check_command(text: str, seed: int) -> None:
    """Refuse a command that is no text and a seed that is no whole number from 0 on.

    Raises:
        InputError: one sentence on which.
    """
    if not isinstance(text, str):
        raise InputError(f"A command is a sentence, a str; got {type(text).__name__}.")
    try:
        text.encode()  # a lone surrogate: no recipe could hold it
    except UnicodeEncodeError as broken:
        raise InputError(
            f"A command is written in UTF-8; letter {broken.start + 1} of this one is not: "
            f"{text[broken.start : broken.start + 1]!r}. Type it anew."
        ) from None
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"A seed is a whole number from 0 to 2^63 - 1; got {seed!r}.")


def _second(looked: Looked | None, selection: Selection | None) -> SecondPicture | None:
    if looked is None:
        return None
    return SecondPicture(looked.seen, looked.picture.opacity(), select(looked.seen, selection))


def _recipe(source: Picture, edit: Edit, result: Picture, names: tuple[Region, ...]) -> Recipe:
    """The whole story: what the source's own file tells, if it is still true, and this edit."""
    if source.recipe is not None:
        try:
            before = Recipe.from_json(source.recipe)
        except InputError:  # written by something else, or by a later version
            before = None
        if before is not None and before.result == source.digest():
            return before.then(edit, result.digest(), names)
    height, width = source.shape
    made = result.digest()
    return Recipe(source.digest(), (width, height), (edit,), made, __version__, names)
