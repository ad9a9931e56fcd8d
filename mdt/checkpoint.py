"""Read published MDT and DiT files: sizes off the tensors, strictly, and never any code."""

from __future__ import annotations

import argparse
import math
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mdt.models import DiT, MDTv1, MDTv2, Network

#: Heads of the published DiT widths; the tensors of a DiT do not tell.
DIT_HEADS = {384: 6, 768: 12, 1024: 16, 1152: 16}
#: Names under which training scripts wrap the weights that one wants.
_WRAPPERS = ("ema", "model", "state_dict")
_INDEX = ".rel_pos_bias.relative_position_index"
_TABLE = "attn.rel_pos_bias.relative_position_bias_table"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used: which, what came, what to do."""


def load_published(
    path: str | Path, num_heads: int | None = None, decode_layers: int | None = None
) -> Network:
    """An MDT v1, MDT v2 or DiT network with the weights of a published file, in float32, eval().

    Args:
        path: .safetensors, or a PyTorch file (.pt, .pth, .ckpt) of plain tensors.
        num_heads: attention heads; needed only for a DiT of an unpublished width.
        decode_layers: blocks of the decoder of an MDT v1 (default 2); v2's are read off the file.

    Raises:
        CheckpointError: a ValueError: no such file, truncated, with code in it, another kind of
            model, or tensors that do not fit together.
    """
    state = read_tensors(path)
    network, settings = _settings_of(state, str(path), num_heads, decode_layers)
    try:
        with torch.device("meta"):
            model = network(**settings)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from None
    side = math.prod(model.grid)
    weights: dict[str, Tensor] = {}
    for name in list(state):
        tensor = state.pop(name)
        if not name.endswith(_INDEX):
            weights[name] = tensor.to(torch.float32, copy=tensor.device.type != "meta")
        elif tensor.shape != (side, side):
            raise CheckpointError(
                f"{path}: {name} is {_shape(tensor)}; this model has {side} tokens, so it must be "
                f"{side}x{side}."
            )
    _check_keys(model.state_dict(), weights, str(path))
    model.load_state_dict(weights, strict=True, assign=True)
    return model.requires_grad_(True).eval()


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors or PyTorch file by name; the only place that opens a pickle.

    Of a training checkpoint, the averaged ("ema") or plain ("model", "state_dict") weights.

    Raises:
        CheckpointError: if it cannot be read, or holds more than plain tensors.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise CheckpointError(f"The checkpoint {path} {what}.")
    loaded = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    for wrapper in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
            break
    if not isinstance(loaded, Mapping) or not loaded:
        raise CheckpointError(f"{path} holds no weights, but {_kind(loaded)}.")
    for name, tensor in loaded.items():
        if not isinstance(tensor, Tensor):
            raise CheckpointError(f"{path} holds {_kind(tensor)} under {name!r}, not a tensor.")
    return {str(name).removeprefix("module."): tensor for name, tensor in loaded.items()}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} cannot be read as safetensors ({_first_line(error)}): it is truncated or "
            "another kind of file; download it again."
        ) from None


def _read_pickle(path: Path) -> Any:
    # DiT's own training script stores its command line as a Namespace: plain data, let it pass.
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # of pickles that will be refused anyway
            torch.serialization.safe_globals([argparse.Namespace]),
        ):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        if found is None:
            raise CheckpointError(_unreadable(path)) from None
        raise CheckpointError(
            f"{path} holds code or objects ({found[1]}) beside tensors and was not opened; ask "
            "for a .safetensors file, or save its state dict alone."
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError):
        raise CheckpointError(_unreadable(path)) from None


def _unreadable(path: Path) -> str:
    return (
        f"{path} cannot be read as a PyTorch checkpoint: it is truncated or another kind of file; "
        "download it again."
    )


def _settings_of(
    state: Mapping[str, Tensor], path: str, num_heads: int | None, decode_layers: int | None
) -> tuple[type[Network], dict[str, Any]]:
    """Which network this is, and its sizes.

    Raises:
        CheckpointError: if it is none of the three, or the arguments contradict it.
    """
    network = _family(state, path)
    common, width = _common_settings(state, path)
    counts = {name: _count(state, name) for name in _BLOCKS}
    if network is DiT:
        heads = num_heads or DIT_HEADS.get(width)
        if heads is None:
            raise CheckpointError(
                f"{path} is a DiT of width {width}, which is none of the published ones "
                f"({', '.join(map(str, DIT_HEADS))}): give its head count as num_heads."
            )
        if decode_layers is not None:
            raise CheckpointError(f"{path} is a DiT; it has no decoder, so no decode_layers.")
        return network, {**common, "num_heads": heads, "depth": counts["blocks"]}
    first = "en_inblocks.0" if network is MDTv2 else "blocks.0"
    heads = _rank(state, f"{first}.{_TABLE}", 2, path).shape[1]
    if num_heads not in (None, heads):
        raise CheckpointError(f"{path} has {heads} heads by its bias table; num_heads={num_heads}.")
    common |= {"num_heads": heads, "side_layers": counts["sideblocks"]}
    common |= {"maskable": "mask_token" in state}
    if network is MDTv1:
        layers = 2 if decode_layers is None else decode_layers
        return network, {**common, "depth": counts["blocks"], "decode_layers": layers}
    layers = counts["de_blocks"]
    if decode_layers not in (None, layers):
        raise CheckpointError(f"{path} has {layers} decoder blocks; decode_layers={decode_layers}.")
    depth = counts["en_inblocks"] + counts["en_outblocks"] + layers
    return network, {**common, "depth": depth, "decode_layers": layers}


_BLOCKS = ("blocks", "en_inblocks", "en_outblocks", "de_blocks", "sideblocks")


def _family(state: Mapping[str, Tensor], path: str) -> type[Network]:
    if "en_inblocks.0.attn.qkv.weight" in state:
        return MDTv2
    if "blocks.0.attn.qkv.weight" in state and "y_embedder.embedding_table.weight" in state:
        return MDTv1 if f"blocks.0.{_TABLE}" in state else DiT
    some = ", ".join(list(state)[:3])
    raise CheckpointError(
        f"{path} is no published MDT or DiT checkpoint: it lacks their blocks and holds {some}, "
        "...; for a folder saved by this package use from_pretrained."
    )


def _common_settings(state: Mapping[str, Tensor], path: str) -> tuple[dict[str, Any], int]:
    """The sizes that all three kinds share, and the width."""
    patches = _rank(state, "x_embedder.proj.weight", 4, path)
    width, channels, patch = patches.shape[0], patches.shape[1], patches.shape[2]
    tokens = _rank(state, "pos_embed", 3, path).shape[1]
    side = math.isqrt(tokens)
    if side * side != tokens:
        raise CheckpointError(f"{path}: pos_embed has {tokens} tokens, which is no square picture.")
    outputs = len(_rank(state, "final_layer.linear.weight", 2, path)) / patch**2
    if outputs not in (channels, 2 * channels):
        raise CheckpointError(
            f"{path}: the final layer gives {outputs:g} channels; with {channels} channels in, "
            f"{channels} or {2 * channels} were expected."
        )
    first = "en_inblocks.0" if "en_inblocks.0.attn.qkv.weight" in state else "blocks.0"
    hidden = len(_rank(state, f"{first}.mlp.fc1.weight", 2, path))
    classes = len(_rank(state, "y_embedder.embedding_table.weight", 2, path)) - 1
    return {
        "input_size": side * patch,
        "in_channels": channels,
        "num_classes": classes,
        "patch_size": patch,
        "hidden_size": width,
        "mlp_ratio": hidden / width,
        "learn_sigma": outputs == 2 * channels,
    }, width


def _rank(state: Mapping[str, Tensor], name: str, rank: int, path: str) -> Tensor:
    """A tensor that must be there with so many dimensions."""
    tensor = state.get(name)
    if tensor is None:
        raise CheckpointError(f"{path} is incomplete: it lacks {name}.")
    if tensor.ndim != rank:
        raise CheckpointError(f"{path}: {name} is {_shape(tensor)}, not {rank}-dimensional.")
    return tensor


def _count(state: Mapping[str, Tensor], name: str) -> int:
    """How many blocks a list has."""
    numbers = [re.match(rf"{name}\.(\d+)\.", key) for key in state]
    return max((int(found[1]) + 1 for found in numbers if found), default=0)


def _check_keys(wanted: Mapping[str, Tensor], came: Mapping[str, Tensor], path: str) -> None:
    """Refuse missing, surplus and misshapen tensors in one sentence."""
    wrong = [
        f"{name} is {_shape(came[name])} instead of {_shape(wanted[name])}"
        for name in wanted
        if name in came and came[name].shape != wanted[name].shape
    ]
    missing = [name for name in wanted if name not in came]
    surplus = [name for name in came if name not in wanted]
    faults = _some("it lacks ", missing) + _some("it has besides ", surplus) + _some("", wrong)
    if faults:
        raise CheckpointError(f"{path} does not fit together: {'; '.join(faults)}.")


def _some(what: str, names: list[str]) -> list[str]:
    if not names:
        return []
    rest = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return [what + ", ".join(names[:2]) + rest]


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a single number"


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "nothing"
    return "a single tensor" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
