"""Open a network of Segment Anything's architecture: a published file, or a folder of our own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from editanything.errors import InputError
from editanything.libraries import networks

#: Width of the image encoder -> name in the registry of the `segment-anything` package.
_PUBLISHED = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
#: Names of what ships with the package -> its folder in mdt/weights.
SHIPPED = {"default": "segmenter", "mobile": "mobile"}
#: Side of the square that the shipped MobileSAM sees. It learned from 1024 pixels; 512 take a
#: quarter of the time, and its masks are as good where windows are looked at (docs/segmenters.md).
MOBILE_PX = 512


def open_sam(weights: Any, device: str = "cpu") -> Any:
    """A `Sam` in eval() on a device.

    Args:
        weights: a `Sam`; a file of the published weights (.pth or .safetensors: ViT-B, ViT-L,
            ViT-H or MobileSAM, told by its tensors); a folder that our own training exported; or
            what ships with the package: "default", trained here, or "mobile" (see `mobile`).
        device: of torch, such as "cpu" or "cuda".

    Raises:
        InputError: no such file or folder, broken or changed weights, or another kind of network.
    """
    networks()
    from mdt.checkpoint import CheckpointError

    if not isinstance(weights, str | Path):
        if not all(hasattr(weights, part) for part in ("image_encoder", "mask_decoder")):
            raise InputError(
                "weights is a Sam of the segment-anything package, a file or a folder; got "
                f"{type(weights).__name__}."
            )
        return weights.to(device).eval()
    path = shipped(str(weights)) if str(weights) in SHIPPED else Path(weights)
    try:
        sam = _own(path) if path.is_dir() else _published(path)
    except CheckpointError as error:
        raise InputError(str(error)) from None
    return sam.to(device).eval()


def shipped(name: str = "default") -> Path:
    """The folder of a network that comes with the package, a key of `SHIPPED`."""
    import mdt

    return Path(mdt.__file__).parent / "weights" / SHIPPED[name]


def _published(path: Path) -> Any:
    from segment_anything import sam_model_registry

    from editanything.segmenters.mobile import PUBLISHED_PX, is_mobile, made
    from mdt.checkpoint import read_tensors

    state = read_tensors(path)
    if is_mobile(state):
        return made(state, PUBLISHED_PX)
    place = state.get("image_encoder.pos_embed")
    name = _PUBLISHED.get(place.shape[-1]) if place is not None else None
    if name is None:
        raise InputError(
            f"{path} holds no published Segment Anything network (ViT-B, -L, -H or MobileSAM)."
        )
    sam = sam_model_registry[name]()
    try:
        sam.load_state_dict(state, strict=True)
    except RuntimeError as error:
        first = str(error).split("\n\t")[-1][:160]
        raise InputError(f"{path} looks like {name}, but does not fit it: {first}") from None
    return sam


def _own(folder: Path) -> Any:
    from editanything.segmenters.mobile import FILE, open_mobile
    from mdt.convert import open_segmenter

    _check_digest(folder)
    if (folder / FILE).is_file():
        return open_mobile(folder, MOBILE_PX)
    return open_segmenter(folder).float().sam


def _check_digest(folder: Path) -> None:
    """Compare the weights with the digest in card.json, where there is one."""
    card = folder / "card.json"
    if not card.is_file():
        return
    try:
        told = json.loads(card.read_text(encoding="utf-8"))
        file, wanted = folder / str(told["file"]), str(told["sha256"])
        with file.open("rb") as stream:
            came = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The segmenter in {folder} is incomplete ({type(error).__name__}): install the "
            "package again."
        ) from None
    if came != wanted:
        raise InputError(
            f"{file} is damaged or was changed (SHA-256 {came[:12]}, its card says {wanted[:12]}): "
            "install the package again."
        )
