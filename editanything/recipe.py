"""What was done to a picture, as JSON that travels inside the saved file.

A recipe names its source and its result by the digest of their samples, so that a replay can tell
whether it starts from the right picture and whether it came out the same.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from editanything.errors import InputError
from editanything.types import Mask, Point, Region, Selection

FORMAT = "editanything recipe 1"
#: A few bytes of a file may stand for any number of pixels.
MOST_MASK_PX = 1_000_000_000
_BROKEN = (
    ValueError, KeyError, TypeError, IndexError, AttributeError, AssertionError, OverflowError,
    RecursionError, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Edit:
    """One command as it was given, with all that decides its result."""

    text: str
    seed: int = 0
    selection: Selection | None = None
    reference: str | None = None  # digest of the second picture
    reference_selection: Selection | None = None
    off: tuple[int, ...] = ()  # numbers of the steps that were switched off
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)  # step -> its settings
    order: tuple[int, ...] = ()  # of the command's clauses, where it is not as they were said
    related: bool = True  # whether what belongs to a target goes along
    switched: Mapping[int, bool] = field(default_factory=dict)  # related region -> on or off
    preset: str = "default"
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def with_seeds_from(self, start: int) -> Edit:
        """The edit with all its seeds higher by `start`: its variant of that number."""
        if not start:
            return self
        changes = {
            step: {name: v + start if name == "seed" else v for name, v in settings.items()}
            for step, settings in self.changes.items()
        }
        return replace(self, seed=self.seed + start, changes=changes)


@dataclass(frozen=True, eq=False)
class Recipe:
    """All edits from a source picture to a result, in order."""

    source: str  # sha256 of the source's samples
    size: tuple[int, int]  # (W, H) of the source
    edits: tuple[Edit, ...]
    result: str  # sha256 of the result's samples
    version: str = ""  # of this package, which made it
    names: tuple[Region, ...] = ()  # of things in the result, so far as they are known

    def then(self, edit: Edit, result: str, names: tuple[Region, ...] = ()) -> Recipe:
        """This recipe with one more edit at its end."""
        return replace(self, edits=(*self.edits, edit), result=result, names=names)

    def to_json(self) -> str:
        """The recipe as one line of JSON; the same recipe gives the same text."""
        out = {
            "format": FORMAT,
            "version": self.version,
            "source": self.source,
            "size": list(self.size),
            "edits": [_edit_to_dict(edit) for edit in self.edits],
            "result": self.result,
        }
        if self.names:
            out["names"] = [_region_to_dict(region) for region in self.names]
        return json.dumps(out, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` wrote.

        Raises:
            InputError: if the text is no recipe of a format that this version knows.
        """
        try:
            data = json.loads(text)
            _check_format(data["format"])
            _check_masks([data["edits"], data.get("names", [])])
            return cls(
                source=str(data["source"]),
                size=(int(data["size"][0]), int(data["size"][1])),
                edits=tuple(_edit_from_dict(edit) for edit in data["edits"]),
                result=str(data["result"]),
                version=str(data["version"]),
                names=tuple(_regions_from(data.get("names", []))),
            )
        except InputError:
            raise
        except _BROKEN as error:
            raise InputError(f"This is not a recipe ({type(error).__name__}: {error}).") from None


def _check_format(found: Any) -> None:
    if found != FORMAT:
        raise InputError(f"This recipe has the format {found!r}; this version reads {FORMAT!r}.")


def _check_masks(data: Any) -> None:
    if sum(_mask_areas(data)) > MOST_MASK_PX:
        raise InputError("The masks of this recipe are too large: over 1000 megapixels.")


def _plain(value: Any) -> Any:
    """A setting as JSON has it; of an object from Python only its kind is told."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return f"<{type(value).__name__}>"


def _edit_to_dict(edit: Edit) -> dict[str, Any]:
    out: dict[str, Any] = {"text": edit.text, "seed": edit.seed, "preset": edit.preset}
    if edit.overrides:
        out["overrides"] = {name: _plain(v) for name, v in sorted(edit.overrides.items())}
    if edit.selection is not None:
        out["selection"] = selection_to_dict(edit.selection)
    if edit.reference is not None:
        out["reference"] = edit.reference
    if edit.reference_selection is not None:
        out["reference_selection"] = selection_to_dict(edit.reference_selection)
    if edit.off:
        out["off"] = list(edit.off)
    if edit.order:
        out["order"] = list(edit.order)
    if not edit.related:
        out["related"] = False
    if edit.switched:
        out["switched"] = {str(number): on for number, on in sorted(edit.switched.items())}
    if edit.changes:
        out["changes"] = {
            str(step): {
                name: _mask_to_dict(value) if isinstance(value, Mask) else value
                for name, value in sorted(settings.items())
            }
            for step, settings in sorted(edit.changes.items())
        }
    return out


def _edit_from_dict(data: Mapping[str, Any]) -> Edit:
    def selection(key: str) -> Selection | None:
        return selection_from_dict(data[key]) if key in data else None

    return Edit(
        text=str(data["text"]),
        seed=int(data["seed"]),
        selection=selection("selection"),
        reference=data.get("reference"),
        reference_selection=selection("reference_selection"),
        off=tuple(int(i) for i in data.get("off", ())),
        order=tuple(int(i) for i in data.get("order", ())),
        related=bool(data.get("related", True)),
        switched={int(i): bool(on) for i, on in data.get("switched", {}).items()},
        changes={
            int(step): {
                name: _mask_from_dict(value) if name == "mask" else value
                for name, value in settings.items()
            }
            for step, settings in data.get("changes", {}).items()
        },
        preset=str(data["preset"]),
        overrides=dict(data.get("overrides", {})),
    )


def selection_to_dict(selection: Selection) -> dict[str, Any]:
    """A selection as JSON values."""
    out: dict[str, Any] = {}
    if selection.points:
        out["points"] = [[float(p.x), float(p.y), p.positive] for p in selection.points]
    if selection.boxes:
        out["boxes"] = [list(box) for box in selection.boxes]
    if selection.mask is not None:
        out["mask"] = _mask_to_dict(selection.mask)
    if selection.brush is not None:
        out["brush"] = _mask_to_dict(selection.brush)
    return out


def selection_from_dict(data: Mapping[str, Any]) -> Selection:
    """Read what `selection_to_dict` wrote."""
    return Selection(
        points=tuple(Point(float(x), float(y), bool(on)) for x, y, on in data.get("points", ())),
        boxes=tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in data.get("boxes", ())),
        mask=_mask_from_dict(data["mask"]) if "mask" in data else None,
        brush=_mask_from_dict(data["brush"]) if "brush" in data else None,
    )


def _region_to_dict(region: Region) -> dict[str, Any]:
    made = {"made": True} if region.made else {}
    return {"name": region.label, **made, "mask": _mask_to_dict(region.mask)}


def _regions_from(data: Any) -> Iterator[Region]:
    for number, told in enumerate(data, 1):
        made = bool(told.get("made", False))
        yield Region(number, _mask_from_dict(told["mask"]), str(told["name"]), made=made)


def _mask_to_dict(mask: Mask) -> dict[str, Any]:
    packed = zlib.compress(np.packbits(mask.crop).tobytes(), 9)
    return {
        "shape": list(mask.shape),
        "box": list(mask.box),
        "bits": base64.b64encode(packed).decode("ascii"),
    }


def _mask_areas(value: Any) -> Iterator[int]:
    """How many pixels each mask in some JSON values takes in memory."""
    if isinstance(value, Mapping):
        if {"box", "bits"} <= value.keys():
            x0, y0, x1, y1 = (int(v) for v in value["box"])
            yield max(0, x1 - x0) * max(0, y1 - y0)
        else:
            for one in value.values():
                yield from _mask_areas(one)
    elif isinstance(value, list):
        for one in value:
            yield from _mask_areas(one)


def _mask_from_dict(data: Mapping[str, Any]) -> Mask:
    height, width = (int(v) for v in data["shape"])
    x0, y0, x1, y1 = (int(v) for v in data["box"])
    count = (y1 - y0) * (x1 - x0)
    if not (0 <= x0 <= x1 <= width and 0 <= y0 <= y1 <= height):
        raise InputError("The recipe's mask does not fit its picture.")
    unpack = zlib.decompressobj()
    raw = unpack.decompress(base64.b64decode(data["bits"]), count // 8 + 1)
    if 8 * len(raw) < count:
        raise InputError("A mask of this recipe is cut short.")
    bits = np.unpackbits(np.frombuffer(raw, np.uint8), count=count)
    return Mask((height, width), (x0, y0, x1, y1), bits.reshape(y1 - y0, x1 - x0).astype(bool))
