"""Things drawn from words by the masked diffusion transformer, and set into the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.backends.classical.oklab import to_bytes
from editanything.backends.classical.paste import transfer, without_target
from editanything.backends.classical.place import spared
from editanything.backends.vocabulary import Vocabulary
from editanything.errors import InputError, Refusal
from editanything.libraries import networks
from editanything.progress import Progress, part_of_progress, report, show, shown_as
from editanything.types import RGB, Bool2D, Float2D, Mask, Painted, Reference, Task

if TYPE_CHECKING:
    from mdt.pipeline import Pipeline

#: Where a shadow falls if nothing tells the light: aside and away, as shares of the height that
#: throws it; and by how much red, green and blue become darker there (logarithm).
_ASIDE, _AWAY = 0.42, 0.26
_DROP = (0.45, 0.44, 0.41)
_SOLID = 40  # alpha from which on a drawn pixel belongs to the thing


class Mdt:
    """The backend that draws: "add a cat", "replace the cup with an apple".

    Args:
        model: a folder that `mdt export` wrote, or a training run's; "default": the shipped one.
            It draws what names.json beside it names, else its classes by their names, else what it
            was trained on by the folder's own name.
        steps: of the sampler.
        guidance: scale.
        style: of the things drawn.
        relight: in 0..1, how far a thing's light follows that of its place.
    """

    def __init__(
        self,
        model: str = "default",
        *,
        steps: int = 20,
        guidance: float = 2.5,
        style: str = "fluent",
        relight: float = 0.0,
    ) -> None:
        self.model, self.steps, self.guidance = model, steps, guidance
        self.style, self.relight = style, relight

    @cached_property
    def pipe(self) -> Pipeline:
        """The generator, loaded when something is drawn first.

        Raises:
            InputError: weights that are missing or damaged.
        """
        networks()
        from diffusers.utils import logging

        from mdt.sample import open_source

        logging.disable_progress_bar()  # of the loading of three small files
        try:
            pipe = open_source(self.model)
        except ValueError as error:
            raise InputError(str(error)) from None
        pipe.set_progress_bar_config(disable=True)
        return pipe

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What it knows the names of."""
        from mdt.pipeline_folder import find_folder

        names = find_folder(self.model) / "names.json"
        if self.model == "default" or names.is_file():
            return Vocabulary.read(names)
        classes = list(self.pipe.labels) or [Path(self.model).name]
        return Vocabulary(dict.fromkeys(classes, ()))

    def can(self, op: str, params: Mapping[str, Any]) -> bool:
        """Whether this backend carries out such a step."""
        return self._draws(op, params) and self.vocabulary.prompt(params["prompt"]) is not None

    def why_not(self, op: str, params: Mapping[str, Any]) -> str:
        """What is in the way of a step of a kind that this backend carries out; "" if nothing."""
        if not self._draws(op, params) or self.can(op, params):
            return ""
        asked = params["prompt"]
        near = self.vocabulary.nearest(asked)
        hint = f"try {', '.join(f'“{name}”' for name in near)}" if near else "such as “apple”"
        return (
            f"This preset's generator draws about {len(self.vocabulary.names)} things by name, and "
            f"“{asked}” is none of them; {hint}, or give a cut-out of it as the second picture."
        )

    def paint(self, task: Task, progress: Progress | None = None) -> Painted:
        """Draw the thing, and set it down in the box of `task.target`, standing on its floor.

        With op "replace" the target is taken away first. The rest of `task.area` may bear its
        shadow, where `params["shadow"]` says that it has one; `params["light"]` and
        `params["drop"]`, where the scene tells them, say where it falls and how dark it is;
        `params["mirror"]` how clearly the ground mirrors it.

        Raises:
            Refusal: words that the generator does not know.
            Cancelled: the progress callback asked to stop.
        """
        prompt = self.vocabulary.prompt(task.params["prompt"])
        if prompt is None:
            raise Refusal(self.why_not(task.op, task.params), reason="unsupported")
        report(progress, 0.0, f"drawing {prompt}")
        if self.pipe.num_channels != 4:
            from editanything.backends.masked import paint_in_place

            return paint_in_place(self.pipe, task, prompt, self.steps, self.guidance, progress)
        part = shown_as(part_of_progress(progress, 0.0, 0.6), lambda drawn: _put_down(task, drawn))
        drawn = self.draw(prompt, task.seed, part)
        rgb, alpha = drawn[..., :3], drawn[..., 3]
        solid = alpha >= _SOLID
        if not solid.any():
            raise Refusal(
                f"Nothing came of drawing “{prompt}” with this seed; try another.", reason="empty"
            )
        matrix = _fit(solid, task.target)
        params = {"mode": "insert", "matrix": matrix, "relight": self.relight}
        if "mirror" in task.params:
            params["mirror"] = task.params["mirror"]
        set_down = replace(
            task,
            params=params,
            reference=Reference(np.ascontiguousarray(rgb), Mask.of(alpha > 8), alpha.copy()),
        )
        if task.op == "replace":
            bare = without_target(task, part_of_progress(progress, 0.6, 0.9))
            set_down = _upon(set_down, spared(task, bare))
        if task.params.get("shadow"):
            light = task.params.get("light", (_ASIDE, _AWAY))
            shaded = _shaded(set_down, alpha, matrix, light)
            set_down = _upon(set_down, spared(task, shaded))
        return transfer(set_down, part_of_progress(progress, 0.9, 1.0))

    def draw(self, prompt: str, seed: int, progress: Progress | None = None) -> NDArray[np.uint8]:
        """RGBA (h, w, 4), straight alpha."""

        def tell(_pipe: Any, index: int, _time: Any, told: Any) -> dict[str, Any]:
            report(progress, (index + 1) / self.steps, f"drawing {prompt}")
            show(progress, lambda: _bytes(self.pipe.decode(told["x0"])))
            return {}

        (picture,) = self.pipe(
            prompt=[prompt],
            style=self.style,
            seed=[seed],
            num_inference_steps=self.steps,
            guidance_scale=self.guidance,
            callback_on_step_end=tell,
            callback_on_step_end_tensor_inputs=["x0"],
        ).images
        return np.asarray(picture)

    def _draws(self, op: str, params: Mapping[str, Any]) -> bool:
        return op in ("add", "replace") and isinstance(params.get("prompt"), str)


def _bytes(pictures: Any) -> NDArray[np.uint8]:
    """The first of pictures (B, C, H, W) in 0 to 1, as uint8 (H, W, C)."""
    return (pictures[0].permute(1, 2, 0) * 255).round().byte().cpu().numpy()


def _put_down(task: Task, drawn: NDArray[np.uint8]) -> RGB:
    """The crop with a drawing that is not done in the box of the target, as a preview."""
    x0, y0, x1, y1 = _box(task.target)
    small = cv2.resize(drawn, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    alpha = small[..., 3:].astype(np.float32) / 255
    out = task.image.copy()
    place = out[y0:y1, x0:x1]
    place[:] = np.rint(place + alpha * (small[..., :3].astype(np.float32) - place))
    return out


def _fit(solid: Bool2D, target: Bool2D) -> NDArray[np.float64]:
    """The matrix that sets a drawing's solid part into the target's box, on its floor."""
    (x0, y0, x1, y1), (a0, b0, a1, b1) = _box(solid), _box(target)
    scale = min((a1 - a0) / (x1 - x0), (b1 - b0) / (y1 - y0))
    across = (a0 + a1 - 1) / 2 - scale * (x0 + x1 - 1) / 2
    down = (b1 - 1) - scale * (y1 - 1)
    return np.array([[scale, 0, across], [0, scale, down]])


def _box(mask: Bool2D) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _upon(task: Task, base: Painted) -> Task:
    """The same, upon what was painted so far."""
    return replace(task, image=base.image, opacity=base.opacity)


def _shaded(
    task: Task, alpha: NDArray[np.uint8], matrix: NDArray[np.float64], light: tuple[float, float]
) -> Painted:
    """The crop with the shadow of a thing that will stand there, as dark as the scene's."""
    height, width = task.image.shape[:2]
    cover = cv2.warpAffine(
        alpha.astype(np.float32) / 255, matrix, (width, height), flags=cv2.INTER_LINEAR
    )
    shadow = _cast(cover, *light)
    drop = np.array(task.params.get("drop", _DROP), np.float32)
    shade = 1 - (1 - np.exp(-drop)) * shadow[..., None]
    return Painted(to_bytes(task.image.astype(np.float32) * shade), task.opacity)


def _cast(cover: Float2D, aside: float, away: float) -> Float2D:
    """A thing's cover laid down on the ground, softer the farther from its foot.

    What is h above the foot falls on x + aside·h, foot - away·h.
    """
    solid = cover > 0.5
    if not solid.any():  # a thing of a pixel or less
        return np.zeros_like(cover)
    _, top, _, foot = _box(solid)
    high = foot - top
    laid = np.array([[1, -aside, aside * foot], [0, away, (1 - away) * foot]], np.float64)
    size = (cover.shape[1], cover.shape[0])
    flat = cv2.warpAffine(cover, laid, size, flags=cv2.INTER_LINEAR)
    sharp = cv2.GaussianBlur(flat, (0, 0), max(0.5, 0.012 * high))
    soft = cv2.GaussianBlur(flat, (0, 0), max(1.0, 0.045 * high))
    rows = np.arange(cover.shape[0], dtype=np.float32)[:, None]
    far = np.clip(np.abs(foot - rows) / max(abs(away) * high, 1), 0, 1)
    contact = cv2.GaussianBlur(flat, (0, 0), max(0.5, 0.02 * high)) * (1 - far)
    return np.clip(sharp * (1 - far) + soft * far + 0.25 * contact, 0, 1).astype(np.float32)
