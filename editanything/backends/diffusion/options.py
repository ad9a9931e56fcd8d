"""How a diffusion backend paints: one frozen value that checks itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from editanything.backends.diffusion.control_map import ORDERS
from editanything.errors import InputError

OPERATIONS = ("redraw", "remove", "outpaint")
SCALE_MAPS = ("everywhere", "painted", "kept")
#: What a ControlNet is shown: the numbers of the regions, the picture with a hole, or (only while
#: a picture is refined) the picture itself.
ROLES = ("regions", "inpaint", "tile")
NEGATIVE = (
    "lowres, blurry, bad anatomy, bad hands, missing fingers, extra digit, fewer digits, cropped, "
    "worst quality, low quality"
)


@dataclass(frozen=True)
class Control:
    """A ControlNet and its part in an edit.

    Attributes:
        model: hub id (with "@revision" where not the newest), folder or a ControlNetModel.
        role: one of `ROLES`.
        scale: of its residuals.
        start: share of the steps from which on it works.
        end: share of the steps until which it works.
    """

    model: Any
    role: str = "regions"
    scale: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise InputError(
                f"A ControlNet's role is one of {', '.join(ROLES)}; got {self.role!r}."
            )
        if not (0 <= self.scale <= 2 and 0 <= self.start <= self.end <= 1):
            raise InputError(
                "A ControlNet's scale is 0 to 2, and 0 <= start <= end <= 1; got "
                f"{self.scale}, {self.start}, {self.end}."
            )


@dataclass(frozen=True)
class Adapter:
    """A LoRA, a learned word or an IP-Adapter.

    Attributes:
        model: hub id, folder or file.
        weight: how much it counts.
        file: its name in the hub's repository or the folder; empty: the usual one.
        token: the word that a textual inversion is called by; empty: as the file has it.
        image: of an IP-Adapter, the picture that it is shown: a path or RGB (H, W, 3); None: the
            second picture of the command.
    """

    model: Any
    weight: float = 1.0
    file: str = ""
    token: str = ""
    image: Any = None

    def __post_init__(self) -> None:
        if not -5 <= self.weight <= 5:
            raise InputError(f"An adapter's weight is -5 to 5; got {self.weight!r}.")


@dataclass(frozen=True)
class PaintOptions:
    """How a diffusion backend paints.

    Attributes:
        operations: steps that it takes, of `OPERATIONS`; others are for the next backend.
        prompt: in place of the words of the command; empty: those.
        negative: what the picture should not be like.
        quality: put after every prompt.
        remove_prompt: the words for what is left where a thing was.
        caption: a captioner (see captions.py) whose words go before every prompt; None: none.
        size: the side of the square that has as many pixels as the crop is worked on with; 0: the
            model's own.
        steps: of the scheduler.
        guidance: scale; None: the pipeline's own.
        image_guidance: of instructed models, how far they hold on to the picture.
        strength: in (0, 1], how much of a region is made anew.
        restyle_strength: the same where a style or a season is asked for.
        scheduler: a key of `SCHEDULERS`, or "default".
        alignment: see `Sampling`; None: the base's usual (1, or nothing for inpainting bases).
        mix: see `Sampling`.
        mask_blur_px: how softly the mask ends while painting, in pixels of the working size.
        guess: guess mode of the ControlNets.
        order: of the regions in the control map, see `number_map`.
        scale_map: where the region map steers: everywhere, where it is painted, or elsewhere.
        refine_size: the side of a second pass with the tile ControlNet.
        refine_alignment: of that pass.
        refine_at_least: the crop's side, as a multiple of `size`, from which on it is refined.
    """

    operations: tuple[str, ...] = OPERATIONS
    prompt: str = ""
    negative: str = NEGATIVE
    quality: str = "best quality, extremely detailed"
    remove_prompt: str = "empty background, nothing there"
    caption: Any = None
    size: int = 0
    steps: int = 30
    guidance: float | None = None
    image_guidance: float = 1.5
    strength: float = 1.0
    restyle_strength: float = 0.75
    scheduler: str = "unipc"
    alignment: float | None = None
    mix: float = 0.0
    mask_blur_px: float = 4.0
    guess: bool = False
    order: str = "given"
    scale_map: str = "everywhere"
    refine_size: int = 1024
    refine_alignment: float = 0.95
    refine_at_least: float = 1.2

    def __post_init__(self) -> None:
        object.__setattr__(self, "operations", tuple(self.operations))
        for name, known in (("order", ORDERS), ("scale_map", SCALE_MAPS)):
            if getattr(self, name) not in known:
                raise InputError(
                    f"{name} is one of {', '.join(known)}; got {getattr(self, name)!r}."
                )
        unknown = set(self.operations) - set(OPERATIONS)
        if unknown:
            raise InputError(
                f"operations are of {', '.join(OPERATIONS)}; got {', '.join(sorted(unknown))}."
            )
        for name, least, most in (
            ("size", 0, 4096), ("refine_size", 64, 8192), ("steps", 1, 1000),
            ("strength", 0.01, 1), ("restyle_strength", 0.01, 1), ("mix", 0, 1),
            ("guidance", 0, 100), ("alignment", 0, 1), ("refine_alignment", 0, 1),
            ("mask_blur_px", 0, 200),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise InputError(f"{name} must be between {least:g} and {most:g}; got {value!r}.")


@dataclass(frozen=True)
class Extras:
    """What is put into, or beside, the networks of the base."""

    controlnets: tuple[Control, ...] = ()
    loras: tuple[Adapter, ...] = ()
    embeddings: tuple[Adapter, ...] = ()
    ip_adapter: Adapter | None = None

    def __post_init__(self) -> None:
        for name, kind in (("controlnets", Control), ("loras", Adapter), ("embeddings", Adapter)):
            given = getattr(self, name) or ()
            if isinstance(given, (str, Mapping)):
                given = (given,)
            object.__setattr__(self, name, tuple(_made(kind, one) for one in given))
        if self.ip_adapter is not None:
            object.__setattr__(self, "ip_adapter", _made(Adapter, self.ip_adapter))


def _made(kind: Any, given: Any) -> Any:
    """A value of `kind` of a mapping, of a bare model, or as it is."""
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        return kind(model=given)
    try:
        return kind(**given)
    except TypeError:
        known = ", ".join(kind.__dataclass_fields__)
        raise InputError(
            f"{kind.__name__.lower()} has {known}; got {', '.join(map(str, given))}."
        ) from None
