"""A part of a picture at reduced size, and the exact way between the two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from editanything.segmenters.refine import Labels, enlarge
from editanything.types import RGB, Bool2D, Box, Mask


@dataclass(frozen=True, eq=False)
class Window:
    """The part `box` of a picture, seen as `small`, whose longest side has a fixed length.

    A pixel centre (x, y) of the picture lies at `((x - x0 + 0.5) * scale - 0.5)` in `small`.
    """

    picture: RGB  # (H, W, 3), the whole picture
    box: Box
    small: RGB  # (h, w, 3)

    @classmethod
    def of(cls, picture: RGB, box: Box, longest_px: int) -> Window:
        """The window `box`, reduced to `longest_px` where it is larger; never enlarged."""
        x0, y0, x1, y1 = box
        crop = picture[y0:y1, x0:x1]
        scale = min(1.0, longest_px / max(crop.shape[:2]))
        if scale == 1.0:
            return cls(picture, box, crop)
        size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
        return cls(picture, box, cv2.resize(crop, size, interpolation=cv2.INTER_AREA))

    @property
    def native(self) -> RGB:
        """The window's own pixels."""
        x0, y0, x1, y1 = self.box
        return self.picture[y0:y1, x0:x1]

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of `small` per pixel of the picture, in x and y."""
        x0, y0, x1, y1 = self.box
        return self.small.shape[1] / (x1 - x0), self.small.shape[0] / (y1 - y0)

    def inward(self, x: float, y: float) -> tuple[int, int]:
        """The pixel (x, y) of `small` that holds the picture's point (x, y), clipped."""
        sx, sy = self.scale
        h, w = self.small.shape[:2]
        u = math.floor((x - self.box[0] + 0.5) * sx)
        v = math.floor((y - self.box[1] + 0.5) * sy)
        return min(max(u, 0), w - 1), min(max(v, 0), h - 1)

    def shrink(self, mask: Mask, least: float = 0.5) -> Bool2D:
        """`mask` at the window's reduced size: True where it covers `least` of a pixel, or more.

        0: any of it.
        """
        inside = mask.within(self.box)
        h, w = self.small.shape[:2]
        if inside.shape == (h, w):
            return inside
        share = cv2.resize(inside.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
        return (share >= least) & (share > 0)

    def carry(self, small: Bool2D, to: Window) -> Bool2D:
        """A mask (h, w) of this window's `small`, seen in another window of the same picture."""
        height, width = to.small.shape[:2]
        out = np.zeros((height, width), bool)
        (sx, sy), (tx, ty) = self.scale, to.scale
        xs = (np.arange(width) + 0.5) / tx + (to.box[0] - self.box[0])
        ys = (np.arange(height) + 0.5) / ty + (to.box[1] - self.box[1])
        us, vs = np.floor(xs * sx).astype(np.intp), np.floor(ys * sy).astype(np.intp)
        in_x = (us >= 0) & (us < small.shape[1])
        in_y = (vs >= 0) & (vs < small.shape[0])
        out[np.ix_(in_y, in_x)] = small[np.ix_(vs[in_y], us[in_x])]
        return out

    def roughly(self, small: Bool2D) -> Mask:
        """A mask (h, w) of `small`, as a mask of the picture with smooth edges that follow nothing.

        `outward` looks at the picture's pixels; in many megapixels that takes fifty times as long.
        """
        ys, xs = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
        if not ys.size:
            return Mask.empty(self._shape)
        height, width = small.shape
        x0, x1 = max(0, int(xs[0]) - 1), min(width, int(xs[-1]) + 2)
        y0, y1 = max(0, int(ys[0]) - 1), min(height, int(ys[-1]) + 2)
        sx, sy = self.scale
        left, top, right, bottom = round(x0 / sx), round(y0 / sy), round(x1 / sx), round(y1 / sy)
        part, size = small[y0:y1, x0:x1], (max(1, right - left), max(1, bottom - top))
        large = cv2.resize(part.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR) >= 128
        return Mask.placed(self._shape, (self.box[0] + left, self.box[1] + top), large)

    def outward(self, small: Bool2D) -> Mask:
        """A mask (h, w) of `small`, as a mask of the picture with crisp edges."""
        labels = enlarge(small.astype(np.uint8), self.native)
        return Mask.placed(self._shape, self.box[:2], labels > 0)

    def outward_labels(self, small: Labels) -> Labels:
        """A label map (h, w) of `small` at the window's native size."""
        return enlarge(small, self.native)

    def holds(self, x: float, y: float) -> bool:
        """Whether the picture's point lies in the window."""
        x0, y0, x1, y1 = self.box
        return x0 <= x + 0.5 < x1 and y0 <= y + 0.5 < y1

    @property
    def _shape(self) -> tuple[int, int]:
        height, width = self.picture.shape[:2]
        return height, width
