"""From a run's checkpoint to what diffusers loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import Tensor

from editanything.errors import InputError
from mdt.files import written_beside
from mdt.runs import Run


def export(
    folder: str | Path, out: str | Path, *, ema: str | None = None, overwrite: bool = False
) -> str:
    """Write the newest checkpoint of a run for diffusers; returns how it is loaded.

    A ControlNet becomes a folder for `ControlNetModel.from_pretrained`, a UNet a whole pipeline, a
    LoRA a folder for `load_lora_weights`, a word one for `load_textual_inversion`; all safetensors.

    Args:
        folder: of the run.
        out: where to.
        ema: which average of the weights; None: the weights themselves.
        overwrite: whether an existing output is replaced.

    Raises:
        ValueError: no run of these, no checkpoint yet, or an output that cannot be written.
    """
    run = Run(folder)
    settings, steps = run.settings(), run.steps()
    if not steps:
        raise InputError(f"The run {folder} has no checkpoint yet; wait for save_every steps.")
    config = json.loads((run.place(steps[-1]) / "config.json").read_text(encoding="utf-8"))
    kind = config.get("_class_name")
    if kind not in WRITERS:
        raise InputError(f"The run {folder} trains a {kind}; `mdt export` writes it.")
    weights = run.tensors(steps[-1], "model" if ema is None else f"ema_{ema}")
    base = str(settings.model.get("base", ""))
    with written_beside(out, overwrite=overwrite) as new:
        new.mkdir()
        return WRITERS[kind](new, config, weights, base).format(out=out)


def _controlnet(new: Path, config: dict[str, Any], weights: dict[str, Tensor], _base: str) -> str:
    from diffusers import ControlNetModel

    model = ControlNetModel.from_config(config)
    model.load_state_dict(weights)
    model.save_pretrained(new)
    return "ControlNetModel.from_pretrained('{out}')"


def _unet(new: Path, config: dict[str, Any], weights: dict[str, Tensor], base: str) -> str:
    from diffusers import UNet2DConditionModel

    from editanything.training.others import inpainting_pipeline

    model = UNet2DConditionModel.from_config(config)
    model.load_state_dict(weights)
    inpainting_pipeline(base, model).save_pretrained(new)
    return "StableDiffusionInpaintPipeline.from_pretrained('{out}')"


def _lora(new: Path, config: dict[str, Any], weights: dict[str, Tensor], _base: str) -> str:
    from editanything.training.lora import published

    tensors = published(weights, int(config["rank"]), float(config["alpha"]))
    _save(new / "pytorch_lora_weights.safetensors", tensors)
    return "pipe.load_lora_weights('{out}')"


def _word(new: Path, config: dict[str, Any], weights: dict[str, Tensor], _base: str) -> str:
    _save(new / "learned_embeds.safetensors", {str(config["token"]): weights["vectors"]})
    return "pipe.load_textual_inversion('{out}')"


def _save(path: Path, tensors: dict[str, Tensor]) -> None:
    from safetensors.torch import save_file

    save_file({name: value.contiguous() for name, value in tensors.items()}, path)


#: Class of the trained network -> what writes it.
WRITERS = {
    "ControlNetModel": _controlnet,
    "UNet2DConditionModel": _unet,
    "Lora": _lora,
    "Word": _word,
}
