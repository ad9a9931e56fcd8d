"""The backend of the photo presets: what a step says, painted by a pipeline of diffusers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from editanything.backends.diffusion.drag import DragSettings, drag_settings
from editanything.backends.diffusion.hindrances import enough_memory
from editanything.backends.diffusion.looks import with_look
from editanything.backends.diffusion.options import NEGATIVE, Extras, PaintOptions
from editanything.backends.diffusion.settings import ModelSettings
from editanything.backends.diffusion.telling import prompt_of, strength_of
from editanything.errors import InputError
from editanything.progress import Progress, part_of_progress, report
from editanything.types import Painted, Task

if TYPE_CHECKING:
    from editanything.backends.diffusion.loading import Loaded
    from editanything.backends.diffusion.paint import Around

_KINDS = (ModelSettings, Extras, PaintOptions)
#: Of the whole progress, what loading takes when it has to be done.
_LOADING = 0.3


class Diffusion:
    """Paints what words say: see `ModelSettings`, `Extras` and `PaintOptions` for its options.

    Args:
        model: hub id, local folder, or a pipeline of diffusers that is already built.
        options: of those three; `controlnets` are those of `Extras`. `look`: a name (see
            looks.py); `drag`: how a second picture is taken from (see `DragSettings`), or false.
    """

    def __init__(self, model: Any, **options: Any) -> None:
        known = ["drag", "look", *(f.name for kind in _KINDS for f in fields(kind))]
        for name in options:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f" Did you mean {near[0]}?" if near else ""
                raise InputError(f"The diffusion backend has no option {name!r}.{hint}")
        own = {name: value for name, value in options.items() if value is not None}
        own = with_look(own, NEGATIVE)
        self.drag = drag_settings(own.get("drag"))
        self.extras = Extras(**_of(Extras, own))
        self.options = PaintOptions(**_of(PaintOptions, own))
        nets = tuple(control.model for control in self.extras.controlnets)
        rest = {k: v for k, v in _of(ModelSettings, own).items() if k != "controlnets"}
        self.settings = ModelSettings(model=model, controlnets=nets, **rest)

    def can(self, op: str, params: Mapping[str, Any]) -> bool:
        """Whether this backend carries out such a step."""
        if op == "drag":
            return self.drag is not None and has_unet(self.settings.model)
        if op not in self.options.operations:
            return False
        return op != "redraw" or bool(str(params.get("prompt", "")).strip())

    def why_not(self, op: str, params: Mapping[str, Any]) -> str:  # noqa: ARG002
        """What is in the way of a step that this backend could do; "" if nothing."""
        if op in PaintOptions.operations and op not in self.options.operations:
            return (
                f"This preset's diffusion backend leaves “{op}” to others; add it to the "
                "backend's operations."
            )
        return ""

    def load(self, progress: Progress | None = None) -> Loaded:
        """The pipeline, loaded when something is painted first.

        Raises:
            InputError: what hinders, in one sentence.
        """
        from editanything.backends.diffusion.loading import load

        return load(self.settings, progress)

    @cached_property
    def _captioner(self) -> Any:
        from editanything.captions import build_captioner

        return None if self.options.caption is None else build_captioner(self.options.caption)

    def paint(
        self, task: Task, progress: Progress | None = None, around: Around | None = None
    ) -> Painted:
        """Paint `task.area` of the crop by the step's words.

        Args:
            task: the step.
            progress: told while networks are loaded, and after each step of sampling.
            around: see `paint_with_unet`.

        Raises:
            InputError: what hinders: a missing model, too little memory; one sentence.
            Cancelled: the progress callback asked to stop.
        """
        from editanything.backends.diffusion.adapters import (
            set_embeddings,
            set_ip_adapter,
            set_loras,
        )
        from editanything.backends.diffusion.call import paint_by_call
        from editanything.backends.diffusion.paint import paint_with_unet

        loaded = self.load(part_of_progress(progress, 0, _LOADING))
        rest = part_of_progress(progress, _LOADING, 1)
        report(rest, 0.0, task.what or "painting")
        order = self._order(task, loaded)
        if task.op == "drag":
            around = self._dragging(task, loaded, order.prompt)
        with loaded.lock, enough_memory(loaded.name):
            try:
                set_loras(loaded, self.extras.loras)
                set_embeddings(loaded, self.extras.embeddings)
                set_ip_adapter(loaded, self.extras.ip_adapter)
                if loaded.unet is None:
                    made = paint_by_call(loaded, self.options, order, rest)
                else:
                    made = paint_with_unet(
                        loaded, self.extras.controlnets, self.options, order, rest, around
                    )
            finally:
                # Also of a run that was stopped or found no memory: the network whose turn it was
                # would stay on the device, and the next run would find less.
                loaded.pipe.maybe_free_model_hooks()
        return Painted(made, _opaque(task))

    def _order(self, task: Task, loaded: Loaded) -> Any:
        from editanything.backends.diffusion.call import is_instructed
        from editanything.backends.diffusion.paint import Order

        instructed = is_instructed(loaded.pipe)
        caption, removes = "", task.op == "remove"
        # A removal's crop still shows what goes, and a captioner would name it.
        if self._captioner is not None and not instructed and not removes:
            # What is dragged is seen in the second picture; a style has none of its things.
            dragged = task.op == "drag" and task.params.get("kind") != "style"
            caption = self._caption(task, second=dragged)
        return Order(
            image=task.image,
            area=task.area,
            prompt=prompt_of(task, self.options, instructed=instructed, caption=caption),
            seed=task.seed,
            strength=strength_of(task, self.options),
            regions=task.regions,
            removes=removes,
            shown=self._shown(task),
        )

    def _caption(self, task: Task, *, second: bool) -> str:
        """What a captioner says of the crop, or of what is meant in the second picture."""
        from editanything.captions import masked_crop

        if self._captioner is None:
            return ""
        reference = task.reference
        if not second or reference is None:
            return str(self._captioner.caption(task.image)).strip(" .,")
        seen = masked_crop(reference.image, reference.mask)
        return str(self._captioner.caption(seen)).strip(" .,")

    def _dragging(self, task: Task, loaded: Loaded, prompt: str) -> Around:
        """What reaches into the sampling loop of a step that takes from the second picture."""
        from editanything.backends.diffusion.drag.apply import around, check_unet

        check_unet(loaded)
        settings = self.drag or DragSettings()
        words = prompt
        if settings.prompt or task.params.get("kind") == "style":
            own = (self._caption(task, second=True), settings.prompt or self.options.quality)
            words = ", ".join(part for part in own if part)
        return around(task, self.extras.controlnets, settings, words)

    def _shown(self, task: Task) -> Any:
        """The picture that an IP-Adapter goes by."""
        adapter = self.extras.ip_adapter
        if adapter is None:
            return None
        if adapter.image is None:
            return None if task.reference is None else task.reference.image
        from editanything.image import Picture

        return Picture.open(adapter.image).rgb()


def has_unet(model: Any) -> bool:
    """Whether a model has a UNet, so far as that is known before it is loaded.

    Of a hub id it is not, so the presets of others say `drag: false`.
    """
    if not isinstance(model, (str, Path)):
        return getattr(model, "unet", None) is not None
    index = Path(model).expanduser() / "model_index.json"
    try:
        return "unet" in json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True


def _of(kind: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(kind)}
    return {name: value for name, value in options.items() if name in names}


def _opaque(task: Task) -> Any:
    """What is painted is opaque; the rest of the transparency stays."""
    if task.opacity is None:
        return None
    return np.where(task.area, np.uint8(255), task.opacity)
