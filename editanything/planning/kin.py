"""Regions that belong to a target: what it wears and holds, its parts, what stands on it, its twin.

They are shown with a switch; those that are on become part of the step's target, so that one pass
of a backend edits all of them, with one colour curve or one map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from editanything import masks
from editanything.command.types import Operation
from editanything.grounders.base import MADE_UP
from editanything.planning.draft import Draft, grow_px
from editanything.relations.pairs import Edge, find_edges
from editanything.relations.policy import POLICY, wanted
from editanything.types import Mask, Region, Related, Step

_SURE_FROM = 0.7
_SAME = 0.7  # IoU from which a region is the target
_NEW = 0.15  # share of a region that must lie outside the target to be worth a switch
_MOST_REGIONS = 40
#: Told by outlines that touch alone: between two things with names it is as often chance.
_BY_TOUCH = frozenset({"attached"})
_HANDLESS = frozenset({"face", "head"})
#: An edge's type, seen from its target.
_SEEN_FROM_TARGET = {"part_of": "has_part"}


def with_kin(draft: Draft, operation: Operation, step: Step) -> Step:
    """`step` with the regions that belong to its target; all are shown in `draft.related`."""
    policy = POLICY.get(operation.op, {})
    if not set(policy) - {"casts", "mirrors"} or step.frame is not None or "mode" in step.params:
        return step
    if step.op in ("replace", "filter"):
        return step
    regions = list(draft.scene.known)
    if not regions and "twin" in policy:
        regions = list(draft.scene.regions())
    me = _region_of(step.target, regions)
    inside = [r for r in regions if r is not me][: _MOST_REGIONS - 1]
    more = []
    for edge, region in _mine(find_edges(draft.scene.image, [me, *inside]), me, inside):
        type_ = _SEEN_FROM_TARGET.get(edge.type, edge.type)
        state = wanted(operation.op, type_, asked=False, kept=False)
        beyond = masks.minus(region.mask, step.target)
        if state is None or beyond.area < _NEW * region.mask.area:
            continue
        sure = state == "take" and edge.score >= _SURE_FROM and draft.take_related
        sure &= not _by_chance(edge, me, region)
        on = draft.switched.get(len(draft.related), sure)
        evidence = f"{region.label}: {edge.evidence}" if region.label else edge.evidence
        draft.related.append(Related(type_, edge.score, evidence, on, beyond))
        if on:
            more.append(beyond)
    return _joined(draft, step, more) if more else step


def _by_chance(edge: Edge, me: Region, other: Region) -> bool:
    """Whether two things with names of their own may as well touch by chance."""
    if not (me.label and other.label):
        return False
    return edge.type in _BY_TOUCH or (edge.type == "held" and me.label.split()[-1] in _HANDLESS)


def _region_of(target: Mask, regions: Sequence[Region]) -> Region:
    """The region that the target is, or one made up for it."""
    best = max(regions, key=lambda r: masks.iou(r.mask, target), default=None)
    if best is not None and masks.iou(best.mask, target) >= _SAME:
        return best
    return Region(MADE_UP, target)


def _mine(edges: Sequence[Edge], me: Region, others: Sequence[Region]) -> list[tuple[Edge, Region]]:
    """The edges that end at the target, and those between equals, with the other region."""
    by_id = {region.id: region for region in others}
    out = []
    for edge in edges:
        if edge.type in ("twin", "same_kind"):
            mine = me.id in (edge.source, edge.target)
        else:  # what a thing makes is told from the thing, all else from what belongs to it
            mine = (edge.source if edge.type == "produces" else edge.target) == me.id
        if mine:
            other = edge.source if edge.target == me.id else edge.target
            if other in by_id:
                out.append((edge, by_id[other]))
    return out


def _joined(draft: Draft, step: Step, more: Sequence[Mask]) -> Step:
    """The step with more regions in its target."""
    extra = masks.union(*more)
    if step.keep is not None:
        extra = masks.minus(extra, step.keep)
    reach = masks.grow(extra, grow_px(draft, step.op, extra))
    if "matrix" in step.params:
        rim = math.ceil(masks.rim_px(extra.area))
        landing = masks.warp(extra, np.array(step.params["matrix"], float))
        reach = masks.union(masks.grow(extra, rim), masks.grow(landing, rim))
    if step.keep is not None:
        reach = masks.minus(reach, step.keep)
    return replace(step, target=masks.union(step.target, extra), area=masks.union(step.area, reach))
