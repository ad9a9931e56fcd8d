"""Published checkpoint -> model folder (`convert`) -> pipeline folder (`export`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mdt import models
from mdt.checkpoint import CheckpointError, load_published
from mdt.files import check_output, written_beside
from mdt.models import Network


def convert(
    checkpoint: str | Path,
    folder: str | Path,
    *,
    num_heads: int | None = None,
    decode_layers: int | None = None,
    overwrite: bool = False,
) -> Network:
    """Write a published MDT v1, MDTv2 or DiT file as a folder: safetensors + config.json.

    Args:
        checkpoint: see `mdt.load_published`, as for the next two.
        folder: to be written; `open_model(folder)` and `type(model).from_pretrained(folder)` read
            it.
        num_heads: see `mdt.load_published`.
        decode_layers: see `mdt.load_published`.
        overwrite: whether a model that is there already may be replaced.

    Raises:
        ValueError: a checkpoint or a folder that cannot be used.
    """
    check_output(folder, overwrite=overwrite)
    model = load_published(checkpoint, num_heads=num_heads, decode_layers=decode_layers)
    with written_beside(folder, overwrite=overwrite) as new:
        model.save_pretrained(str(new))
    return model


def open_model(folder: str | Path) -> Network:
    """The network in a folder that `convert` or `save_pretrained` wrote, in eval().

    Raises:
        CheckpointError: a ValueError: no such folder, another kind of model, broken weights.
    """
    names = [name for name in models.__all__ if _is_network(getattr(models, name))]
    kind = _class_name(folder, "convert")
    if kind not in names:
        raise CheckpointError(f"{folder} holds a {kind}; there are: {', '.join(names)}.")
    return _open(getattr(models, kind), folder)


def export(
    folder: str | Path,
    out: str | Path,
    *,
    vae: str | Path | None = None,
    schedule: str = "linear",
    prediction: str | None = None,
    id2label: Any = None,
    overwrite: bool = False,
) -> None:
    """Write a complete diffusers pipeline for a model, for `mdt.Pipeline.from_pretrained(out)`.

    Args:
        folder: of the model, as `convert` wrote it.
        out: folder to be written.
        vae: folder of a VAE of diffusers, for a network that works on latents.
        schedule: that the network was trained with: "linear" (published), "scaled_linear",
            "cosine" or "flow".
        prediction: that it was trained for: "eps" (published), "x0", "v" or "flow".
        id2label: names of the classes, {number: name} or in order.
        overwrite: whether a pipeline that is there already may be replaced.

    Raises:
        ValueError: folders or names that cannot be used, or parts that do not fit together.
    """
    from mdt.pipeline import Pipeline
    from mdt.schedulers import make_scheduler

    check_output(out, overwrite=overwrite)
    scheduler = make_scheduler(schedule, prediction)
    network = open_model(folder)
    pipe = Pipeline(network, scheduler, None if vae is None else open_vae(vae), id2label)
    with written_beside(out, overwrite=overwrite) as new:
        pipe.save_pretrained(new)


def open_vae(folder: str | Path) -> Any:
    """The VAE, of diffusers or our own, in a folder that `save_pretrained` wrote, in eval().

    Raises:
        CheckpointError: a ValueError: no such folder, another kind of model, broken weights.
    """
    import diffusers

    kind = _class_name(folder, "a VAE's save_pretrained")
    network = getattr(diffusers, kind, None) if kind.startswith("Autoencoder") else None
    network = models.Autoencoder if kind == "Autoencoder" else network
    if network is None:
        raise CheckpointError(f"{folder} holds a {kind}, which is no VAE of diffusers.")
    return _open(network, folder)


def open_segmenter(folder: str | Path) -> models.Segmenter:
    """The promptable segmenter in a folder that `save_pretrained` wrote, in eval().

    Raises:
        CheckpointError: a ValueError: no such folder, another kind of model, broken weights.
    """
    kind = _class_name(folder, "a segmenter's save_pretrained")
    if kind != "Segmenter":
        raise CheckpointError(f"{folder} holds a {kind}, which is no segmenter.")
    return _open(models.Segmenter, folder)


def open_word_regions(folder: str | Path) -> models.WordRegions:
    """The network of words in a folder that `save_pretrained` or `write_words` wrote, in eval().

    Raises:
        ValueError: no such folder, another kind of model, broken weights.
    """
    from mdt.features.words import CARD, open_words

    if (Path(folder) / CARD).is_file():
        return open_words(folder).network
    kind = _class_name(folder, "a network of words' save_pretrained")
    if kind != "WordRegions":
        raise CheckpointError(f"{folder} holds a {kind}, which is no network of words.")
    return _open(models.WordRegions, folder)


def _class_name(folder: str | Path, writer: str) -> str:
    """What the config.json of a model's folder says that it is."""
    if not Path(folder).is_dir():
        what = "is a file, not a folder" if Path(folder).exists() else "does not exist"
        raise CheckpointError(f"The folder {folder} {what}; give one that {writer} wrote.")
    try:
        config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
        return str(config["_class_name"])
    except (OSError, ValueError, KeyError, TypeError):
        raise CheckpointError(
            f"The folder {folder} holds no model (a config.json that says which); give one that "
            f"{writer} wrote."
        ) from None


def _open(network: Any, folder: str | Path) -> Any:
    """`network.from_pretrained(folder)`, strict, from safetensors alone."""
    from safetensors import SafetensorError

    try:
        model, report = network.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            low_cpu_mem_usage=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, TypeError, SafetensorError) as error:
        first = " ".join(str(error).split())[:200]
        raise CheckpointError(f"The model in {folder} cannot be read: {first}") from None
    faults = [*report["missing_keys"], *report["unexpected_keys"]]
    if faults:
        raise CheckpointError(
            f"The weights in {folder} do not fit its config.json: {len(faults)} names differ, "
            f"{faults[0]} the first."
        )
    return model.eval()


def _is_network(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Network) and value is not Network
