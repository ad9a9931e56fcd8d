"""What the page shows of a session: reduced pictures and overlays as PNG files in a folder."""

from __future__ import annotations

import shutil
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex

import cv2
import numpy as np
from numpy.typing import NDArray

from editanything.image import Picture
from editanything.types import Bool2D, Mask, Region, Related
from editanything.ui.history import State
from editanything.ui.pointing import Pointing

PREVIEW_PX, MAP_PX, THUMB_PX = 1600, 800, 144
#: RGB of the selection, and of what a plan will change.
SELECTED, PLANNED = (13, 148, 136), (234, 120, 8)
RELATED, RELATED_RIM = (126, 34, 206), (216, 180, 254)  # what belongs to what a plan will change
_FILL = 80  # of 255
MOST_OVERLAYS = 16
Anchor = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Layer:
    """One mask of an overlay."""

    mask: Mask | None
    colour: tuple[int, int, int]
    filled: bool = True

    def key(self) -> tuple[object, ...]:
        """What tells it from others."""
        assert self.mask is not None, self
        content = blake2b(np.packbits(self.mask.crop).tobytes(), digest_size=16).digest()
        return self.colour, self.filled, self.mask.box, content


class View:
    """Writes and keeps the PNG files that a session's page shows; `close` deletes them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self.folder = folder
        self._count = 0
        self._made: dict[tuple[object, ...], Path] = {}
        self._overlays: list[tuple[object, ...]] = []
        self._anchors: tuple[object, list[Anchor | None]] = (None, [])

    def close(self) -> None:
        """Delete the files."""
        self._made.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget(self) -> None:
        """Delete the files, but go on."""
        for path in self._made.values():
            path.unlink(missing_ok=True)
        self._made.clear()
        self._overlays.clear()

    def new_folder(self) -> Path:
        """An empty folder for a file that must have its own name; the last one is deleted."""
        folder = self.folder / "save"
        shutil.rmtree(folder, ignore_errors=True)
        folder = folder / token_hex(4)
        folder.mkdir(parents=True)
        return folder

    def picture(self, here: Pointing) -> Path:
        """The picture itself."""
        key = ("picture", here.looked.picture.digest())
        return self._once(key, lambda: here.looked.picture.preview(PREVIEW_PX))

    def state(self, state: State) -> Path:
        """A state of the history."""
        key = ("state", state.samples)
        return self._once(key, lambda: state.load().preview(PREVIEW_PX))

    def thumb(self, state: State) -> Path:
        """A small picture of a state."""
        key = ("thumb", state.samples)
        return self._once(key, lambda: state.load().preview(THUMB_PX))

    def small(self, picture: Picture, longest_px: int) -> Path:
        """A picture reduced to `longest_px`."""
        key = ("small", picture.digest(), longest_px)
        return self._once(key, lambda: picture.preview(longest_px))

    def pair(self, before: State, after: State) -> tuple[Path, Path]:
        """Two states at the same size, for a slider."""
        if before.size == after.size:
            return self.state(before), self.state(after)
        key = ("pair", before.samples, after.samples)
        shown = self._once(
            key, lambda: letterbox(_read(self.state(before)), _read(self.state(after)).shape[:2])
        )
        return shown, self.state(after)

    def overlay(
        self, here: Pointing, planned: Mask | None, kin: tuple[Related, ...] = ()
    ) -> Path | None:
        """The selection and what the plan will change, as a translucent layer; None if neither.

        Of the `kin` each gets a rim of its own; what does not go along is not filled.
        """
        layers = [Layer(planned, PLANNED), Layer(here.mask, SELECTED)]
        layers += [Layer(one.region, RELATED, one.on) for one in kin]
        drawn = [layer for layer in layers if layer.mask is not None and layer.mask.area]
        if not drawn:
            return None
        key = ("overlay", here.shape, *(layer.key() for layer in drawn))
        if key not in self._made:
            self._overlays.append(key)
            for old in self._overlays[:-MOST_OVERLAYS]:
                self._made.pop(old).unlink(missing_ok=True)
            del self._overlays[:-MOST_OVERLAYS]
        return self._once(key, lambda: draw_masks(here.shape, drawn))

    def region_map(self, here: Pointing) -> Path:
        """Which region lies where: 1 + its place in `shown()`, 0 where there is none."""
        key = ("map", here.looked.picture.digest(), here.divided)
        return self._once(key, lambda: draw_map(here.shape, here.shown()))

    def related_map(self, shape: tuple[int, int], kin: tuple[Related, ...]) -> Path:
        """Which related region lies where: 1 + its number, 0 where there is none."""
        found = tuple(
            Region(i, one.region) if one.region.area else None for i, one in enumerate(kin)
        )
        key = ("marks", shape, *(Layer(r.mask, RELATED).key() for r in found if r))
        return self._once(key, lambda: draw_map(shape, found))

    def anchors(self, here: Pointing) -> list[Anchor | None]:
        """Where the name of each of the `shown` regions is written; None for those without one."""
        key = here.looked.picture.digest(), here.divided
        if self._anchors[0] != key:
            regions = here.shown()
            drawn = draw_map(here.shape, regions) if regions else np.zeros((1, 1), np.uint8)
            seen = [drawn == i + 1 for i in range(len(regions))]
            found = [
                (anchor(visible) if visible.any() else self.anchor(region.mask))
                if region.label
                else None
                for region, visible in zip(regions, seen, strict=True)
            ]
            self._anchors = key, found
        return self._anchors[1]

    def anchor(self, mask: Mask) -> Anchor:
        """Where the name of a mask is written."""
        return anchor(draw_map(mask.shape, (Region(0, mask),)) > 0)

    def _once(self, key: tuple[object, ...], make: Callable[[], NDArray[np.uint8]]) -> Path:
        path = self._made.get(key)
        if path is None or not path.exists():
            path = self._made[key] = self._write(make())
        return path

    def _write(self, array: NDArray[np.uint8]) -> Path:
        self._count += 1
        path = self.folder / f"{self._count}.png"
        path.write_bytes(png(array))
        return path


def preview_value(array: NDArray[np.uint8]) -> dict[str, str]:
    """What a preview widget shows: an RGB or RGBA array as JPEG, within the message itself."""
    if array.shape[2] == 4:
        alpha = array[..., 3:].astype(np.float32) / 255
        array = np.rint(array[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(array, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80]
    )
    assert done, array.shape
    return {"image": "data:image/jpeg;base64," + b64encode(data.tobytes()).decode()}


def anchor(inside: Bool2D) -> Anchor:
    """The middle of a mask's thickest part, (x, y) as shares of the picture; some must be inside.

    Args:
        inside: bool (h, w), at any scale.
    """
    depth = cv2.distanceTransform(np.pad(inside.view(np.uint8), 1), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return round((x - 0.5) / inside.shape[1], 4), round((y - 0.5) / inside.shape[0], 4)


def preview_size(shape: tuple[int, int], longest_px: int = PREVIEW_PX) -> tuple[int, int]:
    """(W, H) of a picture of `shape` = (H, W) reduced to `longest_px`; never enlarged."""
    height, width = shape
    scale = min(1.0, longest_px / max(shape))
    return max(1, round(width * scale)), max(1, round(height * scale))


def png(array: NDArray[np.uint8]) -> bytes:
    """The PNG of a grey, RGB or RGBA array."""
    swap = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if array.ndim == 3:
        array = cv2.cvtColor(array, swap[array.shape[2]])
    # Level 1: the page waits for it, and it travels no further than the loopback device.
    done, data = cv2.imencode(".png", array, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done, array.shape
    return data.tobytes()


def letterbox(array: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """An RGB array fitted into the middle of a grey picture of `shape` = (H, W)."""
    height, width = shape
    scale = min(width / array.shape[1], height / array.shape[0])
    size = max(1, round(array.shape[1] * scale)), max(1, round(array.shape[0] * scale))
    out = np.full((height, width, 3), 128, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = cv2.resize(
        array, size, interpolation=cv2.INTER_AREA
    )
    return out


def draw_masks(shape: tuple[int, int], layers: Sequence[Layer]) -> NDArray[np.uint8]:
    """Masks of a picture of `shape` as an RGBA layer of its preview's size: a tint and a rim."""
    size = preview_size(shape)
    out = np.zeros((size[1], size[0], 4), np.uint8)
    width_px = max(2, round(max(size) / 500))
    for layer in layers:
        assert layer.mask is not None, layer
        whole = layer.mask.full().view(np.uint8) * 255
        share = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        inside = (share >= 128) if (share >= 128).any() else (share > 0)
        if layer.filled:
            out[inside] = (*layer.colour, _FILL)
        lines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        # White within a dark rim is seen on any picture.
        dark = tuple(c // 3 for c in layer.colour)
        cv2.drawContours(out, lines, -1, (*dark, 220), width_px + 2)
        bright = (255, 255, 255) if layer.colour != RELATED else RELATED_RIM
        cv2.drawContours(out, lines, -1, (*bright, 255), max(1, width_px - 1))
    return out


def draw_map(shape: tuple[int, int], regions: Sequence[Region | None]) -> NDArray[np.uint8]:
    """The region map, grey (h, w) of at most `MAP_PX`.

    Small regions lie on top of large ones, and those with a name on top of all others; None only
    takes a number.
    """
    there = {i: region for i, region in enumerate(regions[:255]) if region is not None}
    width, height = preview_size(shape, MAP_PX)
    rows = ((np.arange(height) + 0.5) * shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * shape[1] / width).astype(int)
    out = np.zeros((height, width), np.uint8)
    order = sorted(there, key=lambda i: (bool(there[i].label), -there[i].mask.area))
    for i in order:
        x0, y0, x1, y1 = there[i].mask.box
        ys, xs = (rows >= y0) & (rows < y1), (columns >= x0) & (columns < x1)
        inside = there[i].mask.crop[np.ix_(rows[ys] - y0, columns[xs] - x0)]
        part = out[np.ix_(ys, xs)]
        part[inside] = i + 1
        out[np.ix_(ys, xs)] = part
    return out


def _read(path: Path) -> NDArray[np.uint8]:
    array = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert array is not None, path
    return array
