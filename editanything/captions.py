"""What a picture, or a part of it, shows, in words: BLIP, BLIP-2 and Florence-2.

A captioner is anything with `caption(rgb) -> str`. `labels` words every region of a picture, and
`masked_crop` is what a captioner is shown of one region. Networks are opened when first asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np

from editanything.errors import InputError
from editanything.hub import Opened, open_network
from editanything.types import RGB, Mask, Region

#: Words of a caption of a picture, and of a label of a region, in tokens.
CAPTION_TOKENS, LABEL_TOKENS = 50, 15

# name -> "module:class"; `caption: {name: ...}` in settings is a key of this dict.
CAPTIONERS: dict[str, str] = {
    "blip": "editanything.captions:Blip",
    "blip2": "editanything.captions:Blip2",
    "florence-2": "editanything.captions:Florence2Captions",
}


@runtime_checkable
class Captioner(Protocol):
    """Anything that words what a picture shows."""

    def caption(self, rgb: RGB, *, max_new_tokens: int = CAPTION_TOKENS) -> str:
        """What RGB uint8 (H, W, 3) shows: a phrase without a full stop; may be empty."""
        ...


@dataclass(frozen=True)
class Blip:
    """BLIP [Li et al. 2022].

    Attributes:
        model: hub id, folder, or a `BlipForConditionalGeneration`.
        processor: a `BlipProcessor`, where `model` is a network.
        device: of torch; "auto": CUDA where there is one.
        dtype: float32, bfloat16, float16 or auto (bfloat16 on CUDA).
        num_beams: of the search for the likeliest words.
        prompt: words that the caption goes on from ("a photo of").
    """

    model: Any = "Salesforce/blip-image-captioning-base"
    processor: Any = None
    device: str = "auto"
    dtype: str = "auto"
    num_beams: int = 3
    prompt: str = ""

    @cached_property
    def network(self) -> Opened:
        """The network, open."""
        return _open("BlipForConditionalGeneration", "BlipProcessor", self)

    def caption(self, rgb: RGB, *, max_new_tokens: int = CAPTION_TOKENS) -> str:
        """See `Captioner.caption`."""
        return _written(self.network, rgb, self.prompt, self.num_beams, max_new_tokens)


@dataclass(frozen=True)
class Blip2(Blip):
    """BLIP-2 [Li et al. 2023]; see `Blip`."""

    model: Any = "Salesforce/blip2-opt-2.7b"

    @cached_property
    def network(self) -> Opened:
        """The network, open."""
        return _open("Blip2ForConditionalGeneration", "Blip2Processor", self)


@dataclass(frozen=True)
class Florence2Captions:
    """Florence-2 [Xiao et al. 2024]; see `Blip`.

    Attributes:
        task: CAPTION, DETAILED_CAPTION or MORE_DETAILED_CAPTION.
    """

    model: Any = "florence-community/Florence-2-base"
    processor: Any = None
    device: str = "auto"
    dtype: str = "auto"
    num_beams: int = 3
    task: str = "CAPTION"

    def __post_init__(self) -> None:
        known = ("CAPTION", "DETAILED_CAPTION", "MORE_DETAILED_CAPTION")
        if self.task not in known:
            raise InputError(f"task is one of {', '.join(known)}; got {self.task!r}.")

    @cached_property
    def network(self) -> Opened:
        """The network, open."""
        return _open("Florence2ForConditionalGeneration", "Florence2Processor", self)

    def caption(self, rgb: RGB, *, max_new_tokens: int = CAPTION_TOKENS) -> str:
        """See `Captioner.caption`."""
        return _written(self.network, rgb, f"<{self.task}>", self.num_beams, max_new_tokens)


def build_captioner(settings: Captioner | Mapping[str, Any] | str) -> Captioner:
    """The captioner that settings name: a name, `{"name": "blip2", **options}`, or one itself.

    Raises:
        InputError: an unknown name or option; says which there are.
    """
    if isinstance(settings, Captioner):
        return settings
    options: dict[str, Any] = {"name": settings} if isinstance(settings, str) else dict(settings)
    name = options.pop("name", None)
    if not isinstance(name, str) or (name not in CAPTIONERS and ":" not in name):
        known = ", ".join(sorted(CAPTIONERS))
        raise InputError(f"There is no captioner {name!r}; there are: {known}.")
    module, _, member = CAPTIONERS.get(name, name).partition(":")
    try:
        made: Captioner = getattr(import_module(module), member)(**options)
    except (ImportError, AttributeError) as error:
        raise InputError(f"The captioner {name!r} cannot be loaded: {error}.") from None
    except TypeError as error:
        raise InputError(f"The captioner {name!r} does not take these options: {error}.") from None
    return made


def described(captioner: Captioner, rgb: RGB, *, prompt: str = "") -> str:
    """The caption of a picture, then what the user asks for: "a dog on grass, best quality"."""
    parts = (captioner.caption(rgb).strip(" .,"), prompt.strip(" ,"))
    return ", ".join(part for part in parts if part)


def masked_crop(rgb: RGB, mask: Mask) -> RGB:
    """The box of a mask, black outside the mask; RGB uint8 (h, w, 3).

    Raises:
        InputError: an empty mask.
    """
    if mask.area == 0:
        raise InputError("There is nothing to describe: the mask is empty.")
    x0, y0, x1, y1 = mask.box
    crop: RGB = np.where(mask.crop[..., None], rgb[y0:y1, x0:x1], np.uint8(0))
    return crop


def labels(
    captioner: Captioner, rgb: RGB, regions: Sequence[Region], *, most: int = 5
) -> tuple[Region, ...]:
    """The largest regions of a picture, worded from their masked crops; largest first.

    Regions that bear a name keep it.

    Args:
        captioner: who words them.
        rgb: RGB uint8 (H, W, 3).
        regions: of the picture.
        most: regions that are worded.
    """
    largest = sorted(regions, key=lambda region: -region.mask.area)[:most]
    out = []
    for region in largest:
        word = region.label or captioner.caption(
            masked_crop(rgb, region.mask), max_new_tokens=LABEL_TOKENS
        )
        out.append(replace(region, label=word))
    return tuple(out)


def _open(kind: str, processor_kind: str, settings: Any) -> Opened:
    return open_network(
        kind,
        processor_kind,
        settings.model,
        settings.processor,
        device=settings.device,
        dtype=settings.dtype,
    )


def _written(network: Opened, rgb: RGB, prompt: str, num_beams: int, max_new_tokens: int) -> str:
    """What a network writes about RGB uint8 (H, W, 3)."""
    import torch

    asked = {"text": prompt} if prompt else {}
    inputs = network.processor(
        images=np.array(rgb), input_data_format="channels_last", return_tensors="pt", **asked
    )
    with torch.inference_mode():
        written = network.model.generate(
            **network.place(inputs), num_beams=num_beams, max_new_tokens=max_new_tokens
        )
    text = network.processor.batch_decode(written, skip_special_tokens=True)[0]
    return " ".join(text.split()).strip(" .")
