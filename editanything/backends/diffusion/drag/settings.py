"""How a drag takes from the second picture: one frozen value that checks itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from editanything.errors import InputError

FITS = ("crop", "letterbox", "stretch")


@dataclass(frozen=True)
class DragSettings:
    """What of the second picture goes over, and how strongly.

    Attributes:
        attention: the edit also attends to the tokens of what is taken.
        adain: the edit's features get the mean and spread of what is taken.
        attention_weight: in 0..1, which layers attend: 0 none, 1 all, the widest first.
        groupnorm_weight: in 0..1, which blocks are normalised: 0 none, the inmost first, 1 all.
        style_fidelity: in 0..1; at 1 the unconditional half of guidance sees nothing of the
            second picture, so guidance pushes towards it the most.
        frequency: in 0..1, the share of the second picture's amplitudes in the spectrum of the
            edit's tokens; 0 leaves them as they are.
        position_scale: of the region ControlNet while the second picture is read.
        content_scale: of the inpainting ControlNet while the second picture is read.
        fit: "crop" shows the networks the part that is taken and what lies around it,
            "letterbox" the whole picture at its own proportions, "stretch" the picture bent to
            the edit's proportions.
        prompt: words for the second picture; empty: those of the edit.
    """

    attention: bool = True
    adain: bool = True
    attention_weight: float = 1.0
    groupnorm_weight: float = 1.0
    style_fidelity: float = 0.0
    frequency: float = 0.0
    position_scale: float = 0.3
    content_scale: float = 0.2
    fit: str = "crop"
    prompt: str = ""

    def __post_init__(self) -> None:
        shares = [f.name for f in fields(self) if f.type == "float"]
        for name in shares:
            value = getattr(self, name)
            top = 2.0 if name.endswith("_scale") else 1.0
            if not 0 <= value <= top:
                raise InputError(f"drag: {name} must be between 0 and {top:g}; got {value:g}.")
        if not (self.attention or self.adain):
            raise InputError("drag: attention or adain must be on, or nothing would be taken over.")
        if self.fit not in FITS:
            raise InputError(f"drag: there is no fit {self.fit!r}; there are: {', '.join(FITS)}.")


def drag_settings(given: Any) -> DragSettings | None:
    """The settings that a preset's `drag` means: a mapping of some, nothing, or false for no drag.

    Raises:
        InputError: an unknown setting; says which there are.
    """
    if given is False:
        return None
    if given is None or given is True:
        return DragSettings()
    if isinstance(given, DragSettings):
        return given
    known = [f.name for f in fields(DragSettings)]
    if not isinstance(given, Mapping) or set(given) - set(known):
        raise InputError(f"drag is false, or has some of {', '.join(known)}; got {given!r}.")
    return DragSettings(**given)
