"""The prompt encoder and the mask decoder of the small segmenter: a filter for every mask.

As in Segment Anything [Kirillov et al. 2023], tokens for the masks meet tokens for the prompts and
the embedding of the picture. What they become are the weights of a filter of three layers, which
runs over a few maps of the picture and of the places of the prompts, as in CondInst [Tian et al.
2020]. So a mask costs little, and a training step can ask for many. Both fit into a `Sam` of the
`segment-anything` package, whose predictor runs them unchanged.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from segment_anything.modeling.prompt_encoder import PositionEmbeddingRandom
from torch import Tensor, nn

#: Channels of the maps that a filter runs over, at S/4, and that its last layer adds, at S/2.
COARSE, DETAIL = 16, 16
#: Maps of a prompt at S/4: place (x, y), box, positive and negative clicks, earlier mask.
_MAPS = 6
_HIDDEN = 8
#: Weights of a filter: first layer (maps of the picture, of the prompt, bias), second, third, fine.
_PARTS = (_HIDDEN * COARSE, _HIDDEN * _MAPS, _HIDDEN, _HIDDEN**2, _HIDDEN, _HIDDEN, 1, DETAIL)
#: A mask for many prompts, and three for one click.
NUM_MASKS = 4
#: Places inside a box that are looked at, along a side.
_LOOKS = 4
#: Kinds of points: none, negative, positive, the two corners of a box, the places inside it.
_NEGATIVE, _POSITIVE, _LOW, _HIGH, _INSIDE = 1, 2, 3, 4, 5
#: Radius of a drawn click, as a share of the picture's side.
_SPOT = 0.04


def packed_width(dim: int) -> int:
    """Channels of an embedding at S/8 that holds `dim` of its own, and the finer maps."""
    return dim + 4 * COARSE + 16 * DETAIL


class Maps(NamedTuple):
    """An embedding, unpacked: (B, dim, S/8, S/8), (B, COARSE, S/4, S/4), (B, DETAIL, S/2, S/2)."""

    deep: Tensor
    coarse: Tensor
    detail: Tensor

    @classmethod
    def of(cls, packed: Tensor, dim: int) -> Maps:
        """See `packed_width`."""
        deep, coarse, detail = torch.split(packed, [dim, 4 * COARSE, 16 * DETAIL], 1)
        return cls(deep, F.pixel_shuffle(coarse, 2), F.pixel_shuffle(detail, 4))

    def packed(self) -> Tensor:
        """(B, packed_width, S/8, S/8)."""
        fine = F.pixel_unshuffle(self.coarse, 2), F.pixel_unshuffle(self.detail, 4)
        return torch.cat([self.deep, *fine], 1)


class Points(nn.Module):
    """Prompts as points; it has the interface of `segment_anything.modeling.PromptEncoder`.

    Args:
        dim: of the codes of places; even.
        side: of the embedding, in cells.
        img_size: S, in pixels.
    """

    def __init__(self, dim: int, side: int, img_size: int) -> None:
        super().__init__()
        self.pe_layer = PositionEmbeddingRandom(dim // 2)
        self.side, self.img_size = side, img_size
        self.mask_input_size = 4 * side, 4 * side

    def get_dense_pe(self) -> Tensor:
        """(1, dim, side, side): the code of each cell's place."""
        return self.pe_layer((self.side, self.side))[None]

    def forward(
        self, points: tuple[Tensor, Tensor] | None, boxes: Tensor | None, masks: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """(sparse, dense).

        Args:
            points: coordinates (rows, n, 2), x and y in pixels, and signs (rows, n): 1 on the
                thing, 0 off it, -1 none.
            boxes: (rows, 4), XYXY in pixels.
            masks: logits (rows, 1, h, w) of an earlier answer.

        Returns:
            sparse (rows, n, 3 + dim): x, y as shares of S, the kind of point, the code of its
            place; dense (rows, 1, h, w), the logits, or (rows, 0, 1, 1) without.
        """
        with torch.autocast(self._device.type, enabled=False):
            parts = []
            if points is not None:
                kind = points[1].float()[..., None] + 1
                parts.append(torch.cat([(points[0].float() + 0.5) / self.img_size, kind], -1))
            if boxes is not None:
                parts.append(self._of_box(boxes.reshape(-1, 2, 2).float() / self.img_size))
            rows = len(parts[0]) if parts else len(masks) if masks is not None else 1
            told = torch.cat(parts, 1) if parts else torch.zeros(rows, 1, 3, device=self._device)
            code = self.pe_layer.forward_with_coords(told[..., :2], (1, 1))
            dense = told.new_zeros(rows, 0, 1, 1) if masks is None else masks.float()
            return torch.cat([told, code], -1), dense

    @staticmethod
    def _of_box(corners: Tensor) -> Tensor:
        """(rows, 2 + looks, 3): the corners (rows, 2, 2), and places inside."""
        low, high = corners[:, :1], corners[:, 1:]
        steps = (torch.arange(_LOOKS, device=low.device) + 0.5) / _LOOKS
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        inside = low + (high - low) * torch.stack([x, y], -1).reshape(1, -1, 2)
        places = torch.cat([low, high, inside], 1)
        kinds = torch.arange(_LOW, _LOW + places.shape[1], device=low.device, dtype=places.dtype)
        return torch.cat([places, kinds[None, :, None].expand(len(places), -1, 1)], -1)

    @property
    def _device(self) -> torch.device:
        matrix = self.pe_layer.positional_encoding_gaussian_matrix
        assert isinstance(matrix, Tensor)
        return matrix.device


def _mlp(dim: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, out))


class _Layer(nn.Module):
    """Tokens of one prompt look at each other; those of the masks look at the picture."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.own, self.own_out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.ask, self.seen = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.seen_out = nn.Linear(dim, dim)
        self.mlp = _mlp(dim, dim)

    def forward(self, tokens: Tensor, picture: Tensor) -> Tensor:
        """Tokens (B, R, n, dim), the picture's (B, cells, dim) -> tokens."""
        b, r, n, dim = tokens.shape
        own = self._attend(*self.own(self.norm1(tokens)).view(b * r, n, 3 * dim).chunk(3, -1))
        tokens = tokens + self.own_out(own.view(b, r, n, dim))
        queries = tokens[:, :, : NUM_MASKS + 1]
        ask = self.ask(self.norm2(queries)).flatten(1, 2)
        far = self._attend(ask, *self.seen(picture).chunk(2, -1))
        queries = queries + self.seen_out(far.view(queries.shape))
        tokens = torch.cat([queries, tokens[:, :, NUM_MASKS + 1 :]], 2)
        return tokens + self.mlp(tokens)

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Written out: on a CPU the fused one takes four times as long to go back."""
        q, k, v = (x.view(*x.shape[:2], self.heads, -1).transpose(1, 2) for x in (q, k, v))
        weight = (q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5
        return (weight.softmax(-1) @ v).transpose(1, 2).flatten(2)


class FilterDecoder(nn.Module):
    """Prompts and an embedding -> masks; see the module.

    Args:
        dim: of the tokens; a multiple of 32.
        depth: how often they look at the picture.
    """

    def __init__(self, dim: int, depth: int) -> None:
        super().__init__()
        self.dim = dim
        self.point = nn.Linear(dim + COARSE + DETAIL, dim)
        self.kinds = nn.Embedding(_INSIDE + _LOOKS**2, dim)
        self.queries = nn.Parameter(torch.randn(NUM_MASKS + 1, dim))
        self.norm = nn.LayerNorm(dim)
        self.layers = nn.ModuleList(_Layer(dim, max(1, dim // 32)) for _ in range(depth))
        self.filters = nn.ModuleList(_mlp(dim, sum(_PARTS)) for _ in range(NUM_MASKS))
        self.quality = _mlp(dim, NUM_MASKS)

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
    ) -> tuple[Tensor, Tensor]:
        """As `segment_anything.modeling.MaskDecoder`: (rows, m, S/2, S/2), (rows, m)."""
        which = slice(1, NUM_MASKS) if multimask_output else slice(0, 1)
        logits, quality = self.masks(
            Maps.of(image_embeddings, self.dim),
            image_pe,
            sparse_prompt_embeddings[None],
            dense_prompt_embeddings[None],
            which,
        )
        return logits[0], quality[0]

    def masks(
        self, maps: Maps, places: Tensor, sparse: Tensor, dense: Tensor, which: slice
    ) -> tuple[Tensor, Tensor]:
        """Logits (B, R, m, S/2, S/2) and the expected IoU (B, R, m) of R prompts a picture.

        Args:
            maps: of B pictures.
            places: (1, dim, S/8, S/8), the code of each cell's place.
            sparse: (B, R, n, 3 + dim), see `Points`.
            dense: (B, R, 1 or 0, h, w), earlier logits or none.
            which: of the `NUM_MASKS` masks.
        """
        picture = self.norm((maps.deep + places).flatten(2).transpose(1, 2))
        tokens = torch.cat([self._asked(sparse), self._told(maps, sparse)], 2)
        for layer in self.layers:
            tokens = layer(tokens, picture)
        chosen = range(NUM_MASKS)[which]
        weights = torch.stack([self.filters[k](tokens[:, :, k]) for k in chosen], 2)
        quality = self.quality(tokens[:, :, NUM_MASKS])[..., which]
        drawn = drawn_maps(sparse, dense, maps.coarse.shape[-1])
        return filtered(maps, drawn, weights), quality

    def _asked(self, sparse: Tensor) -> Tensor:
        """(B, R, NUM_MASKS + 1, dim)."""
        b, r = sparse.shape[:2]
        return self.queries.expand(b, r, -1, -1)

    def _told(self, maps: Maps, sparse: Tensor) -> Tensor:
        """(B, R, n, dim): what each point is, where, and what the picture is like there."""
        b, r, n, _ = sparse.shape
        grid = (2 * sparse[..., :2] - 1).view(b, r * n, 1, 2)
        seen = [
            F.grid_sample(one.float(), grid.float(), padding_mode="border", align_corners=False)
            for one in maps
        ]
        looks = torch.cat(seen, 1)[..., 0].transpose(1, 2).view(b, r, n, -1)
        kind = sparse[..., 2].round().long()
        return self.point(looks) + self.kinds(kind) + sparse[..., 3:]


def drawn_maps(sparse: Tensor, dense: Tensor, side: int) -> Tensor:
    """What the points and the earlier mask are as maps: float32 (B, R, 6, side * side)."""
    with torch.autocast(sparse.device.type, enabled=False):
        xy, kind = sparse[..., :2].float(), sparse[..., 2].float().round()
        b, r = xy.shape[:2]
        steps = (torch.arange(side, device=xy.device) + 0.5) / side

        def where(*kinds: int) -> Tensor:
            return torch.stack([kind == one for one in kinds]).any(0).float()  # (B, R, n)

        boxed = where(_HIGH).amax(-1)[..., None]  # (B, R, 1)
        low, high = ((where(one)[..., None] * xy).sum(-2) for one in (_LOW, _HIGH))
        half = ((high - low) / 2).clamp(min=0.01)[..., None]
        clicked = where(_POSITIVE)
        clicked = torch.where(clicked.sum(-1, keepdim=True) > 0, clicked, 1.0)
        middle = (clicked[..., None] * xy).sum(-2) / clicked.sum(-1, keepdim=True)
        anchor = torch.lerp(middle, (low + high) / 2, boxed)  # (B, R, 2)
        off = steps - anchor[..., None]  # (B, R, 2, side)
        out = xy.new_zeros(b, r, _MAPS, side, side)
        out[:, :, 0], out[:, :, 1] = 4 * off[:, :, 0, None, :], 4 * off[:, :, 1, :, None]
        share = (off.abs() / half).clamp(max=3.0)
        reach = torch.maximum(share[:, :, 0, None, :], share[:, :, 1, :, None])
        out[:, :, 2] = boxed[..., None] * (2 - reach)
        spots = (-0.5 * ((steps - xy[..., None]) / _SPOT) ** 2).exp()  # (B, R, n, 2, side)
        for channel, one in ((3, _POSITIVE), (4, _NEGATIVE)):
            upright = where(one)[..., None] * spots[..., 1, :]
            out[:, :, channel] = torch.einsum("brny,brnx->bryx", upright, spots[..., 0, :]).clamp(
                max=1.0
            )
        if dense.shape[2]:
            earlier = F.adaptive_avg_pool2d(dense.flatten(0, 1).float(), (side, side))
            out[:, :, 5] = torch.tanh(earlier.view(b, r, side, side) / 2)
        return out.flatten(3)


def filtered(maps: Maps, drawn: Tensor, weights: Tensor) -> Tensor:
    """Run the filters `weights` (B, R, m, sum of parts) -> logits (B, R, m, S/2, S/2)."""
    b, r, m, _ = weights.shape
    side = maps.coarse.shape[-1]
    seen, told, bias1, second, bias2, third, bias3, fine = torch.split(weights, list(_PARTS), -1)
    flat = torch.bmm(seen.reshape(b, -1, COARSE), maps.coarse.flatten(2))
    flat = flat.view(b * r, m * _HIDDEN, -1) + torch.bmm(
        told.reshape(b * r, -1, _MAPS), drawn.to(flat.dtype).flatten(0, 1)
    )
    h = F.relu(flat.view(b * r * m, _HIDDEN, -1) + bias1.reshape(-1, _HIDDEN, 1))
    mixed = torch.bmm(second.reshape(-1, _HIDDEN, _HIDDEN), h)
    h = F.relu(mixed + bias2.reshape(-1, _HIDDEN, 1))
    coarse = torch.bmm(third.reshape(-1, 1, _HIDDEN), h) + bias3.reshape(-1, 1, 1)
    large = F.interpolate(
        coarse.view(b, r * m, side, side), scale_factor=2.0, mode="bilinear", align_corners=False
    )
    edge = torch.bmm(fine.reshape(b, r * m, DETAIL), maps.detail.flatten(2))
    return (large + edge.view_as(large)).view(b, r, m, 2 * side, 2 * side)
