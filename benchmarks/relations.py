"""How well what belongs to a thing is found: shadows and mirror images, on scenes of known truth.

Scenes are those of relations_scenes.py. Per thing that changes the picture around it:

- IoU of the effect's pixels (all effects that would be taken along, together) with the truth;
- energy left: how much of the change that the thing makes is left after it is removed with what
  was found, by an ideal fill (the scene without the thing); 1 = all of it;
- direction and darkness: of the shadow that would be cast anew, against the scene's light.

Per thing that changes nothing: whether anything would be edited along ("wrongly").

    python benchmarks/relations.py [--split development|test] [--scenes N] [--first N]
                                   [--masks given|segmenter] [--alone] [--save FOLDER]
                                   [--kind no_effect]
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from relations_masks import by_click
from relations_scenes import KINDS, Scene, make
from removal import Bool2D

from editanything import masks
from editanything.relations import Effect, find_effects, light_angle
from editanything.relations.effects import SURE_FROM
from editanything.types import Mask

LEAST_PX = 200  # pixels of a thing, and LEAST_EFFECT_PX of what it does, to be counted
LEAST_EFFECT_PX = 60
FAINT = 0.12  # as a removal takes it


@dataclass(frozen=True)
class Row:
    """What came out for one thing."""

    kind: str
    has_effect: bool
    taken: bool
    iou: float
    grown_iou: float
    left: float
    left_mask_only: float
    left_grown: float
    direction: float | None
    darkness: float | None
    right_type: bool | None
    seconds: float


def thing_masks(scene: Scene, image: NDArray[np.uint8], how: str) -> list[Bool2D]:
    """The masks of all things: the true ones, or what the default segmenter makes of one click."""
    given = [scene.mask(i) for i in range(len(scene.things))]
    return given if how == "given" else by_click(image, given)


def measure(scene: Scene, how: str, *, alone: bool) -> list[Row]:
    """One row for every thing that is large enough."""
    image = scene.render()
    found = thing_masks(scene, image, how)
    rows = []
    for i in range(len(scene.things)):
        if scene.mask(i).sum() < LEAST_PX:
            continue
        if not found[i].any():  # nothing is selected, so nothing is taken along
            rows.append(_row(scene, i, found[i], [], 0.0))
            continue
        others = [] if alone else [Mask.of(m) for j, m in enumerate(found) if j != i and m.any()]
        start = time.process_time()
        effects = find_effects(image, Mask.of(found[i]), others)
        seconds = time.process_time() - start
        on = [effect for effect in effects if effect.score >= SURE_FROM]
        rows.append(_row(scene, i, found[i], on, seconds))
    return rows


def _row(scene: Scene, i: int, mask: Bool2D, on: list[Effect], seconds: float) -> Row:
    change, truth = scene.effect(i)
    pixels, area = np.zeros(mask.shape, bool), masks.grow(Mask.of(mask), 2).full()
    for effect in on:
        pixels |= effect.alpha >= 0.5
        area |= masks.grow(Mask.of(effect.alpha >= FAINT), 2).full()
    grown = masks.grow(Mask.of(mask), 12).full()
    total = max(float(change.sum()), 1e-6)
    shadow = next((e for e in on if e.type == "casts" and e.light is not None), None)
    direction = darkness = None
    if shadow is not None and scene.lights and truth.any():
        assert shadow.light is not None
        off = [
            abs((light_angle(shadow.light) - light_angle((light.kx, light.ky)) + 180) % 360 - 180)
            for light in scene.lights
        ]
        direction = min(off)
        true = srgb_darkness(scene.lights[int(np.argmin(off))].darkness)
        darkness = abs(1 - float(np.exp(-np.mean(shadow.drop))) - true)
    kind = {"floor_mirror": "mirrors", "water": "mirrors"}.get(scene.kind, "casts")
    return Row(
        kind=scene.kind,
        has_effect=int(truth.sum()) >= LEAST_EFFECT_PX,
        taken=bool(on),
        iou=_iou(pixels, truth),
        grown_iou=_iou(grown & ~mask, truth),
        left=float(change[~area].sum()) / total,
        left_mask_only=float(change[~masks.grow(Mask.of(mask), 2).full()].sum()) / total,
        left_grown=float(change[~grown].sum()) / total,
        direction=direction,
        darkness=darkness,
        right_type=on[0].type == kind if on and truth.any() else None,
        seconds=seconds,
    )


def srgb_darkness(linear: float) -> float:
    """What a share of linear light less is in levels of sRGB, nearly."""
    return 1 - (1 - linear) ** (1 / 2.2)


def _iou(a: Bool2D, b: Bool2D) -> float:
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else 1.0


def summary(rows: list[Row]) -> dict[str, float | None]:
    """The means over some rows."""
    there = [row for row in rows if row.has_effect]
    free = [row for row in rows if row.kind == "no_effect"]
    right = [row.right_type for row in there if row.right_type is not None]

    def mean(values: list[float]) -> float | None:
        return round(float(np.mean(values)), 3) if values else None

    return {
        "things": len(there),
        "iou": mean([r.iou for r in there]),
        "iou_where_taken": mean([r.iou for r in there if r.taken]),
        "taken": mean([float(r.taken) for r in there]),
        "grown_12px_iou": mean([r.grown_iou for r in there]),
        "energy_left": mean([r.left for r in there]),
        "energy_left_mask_only": mean([r.left_mask_only for r in there]),
        "energy_left_grown_12px": mean([r.left_grown for r in there]),
        "right_type": mean([float(r) for r in right]),
        "direction_within_10": mean(
            [float(r.direction <= 10) for r in there if r.direction is not None]
        ),
        "darkness_within_0.1": mean(
            [float(r.darkness <= 0.1) for r in there if r.darkness is not None]
        ),
        "relation_free": len(free),
        "edited_wrongly": mean([float(r.taken) for r in free]),
        "cpu_s_per_thing": mean([r.seconds for r in rows]),
    }


def save(folder: Path, scene: Scene, alone: bool) -> None:
    """The scene with the truth (yellow) and what was found (red: taken; blue: only shown)."""
    image = scene.render()
    out = image.copy()
    found = [scene.mask(i) for i in range(len(scene.things))]
    for i, mask in enumerate(found):
        others = [] if alone else [Mask.of(m) for j, m in enumerate(found) if j != i]
        _outline(out, scene.effect(i)[1], (255, 220, 0))
        for effect in find_effects(image, Mask.of(mask), others):
            colour = (255, 0, 0) if effect.score >= SURE_FROM else (60, 90, 255)
            _outline(out, effect.alpha >= 0.5, colour)
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{scene.seed:03}_{scene.kind}.png"), out[..., ::-1])


def _outline(image: NDArray[np.uint8], mask: Bool2D, colour: tuple[int, int, int]) -> None:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, contours, -1, colour, 1)


def main() -> None:
    """Measure, print the table, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=["development", "test"], default="test")
    parser.add_argument("--scenes", type=int, default=90)
    parser.add_argument("--first", type=int, default=0, help="number of the first scene")
    parser.add_argument("--masks", choices=["given", "segmenter"], default="given")
    parser.add_argument("--alone", action="store_true", help="the other things are not told")
    parser.add_argument("--kind", choices=KINDS, help="scenes of one kind alone; else all in turn")
    parser.add_argument("--save", type=Path, help="folder for pictures of every scene")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rows: list[Row] = []
    for number in range(args.first, args.first + args.scenes):
        scene = make(number, args.split, args.kind)
        rows += measure(scene, args.masks, alone=args.alone)
        if args.save:
            save(args.save, scene, args.alone)
    parts = {kind: summary([r for r in rows if r.kind == kind]) for kind in KINDS}
    parts["all"] = summary(rows)
    print(f"{'kind':14}{'things':>7}{'taken':>7}{'IoU':>7}{'left':>7}{'type':>7}{'wrong':>7}")
    for kind, part in parts.items():
        cells = (part[k] for k in ("taken", "iou", "energy_left", "right_type", "edited_wrongly"))
        print(f"{kind:14}{part['things']:7}" + "".join(f"{_cell(c):>7}" for c in cells))
    named = {"benchmark": "relations", "split": args.split, "scenes": args.scenes}
    if args.kind:
        named["kind"] = args.kind
    print(json.dumps(named | {"masks": args.masks, "alone": args.alone} | parts["all"]))


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
