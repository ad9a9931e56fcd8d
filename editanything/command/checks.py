"""What holds for a command as a whole: no contradiction, and what two clauses say together."""

from __future__ import annotations

from dataclasses import replace

from editanything import colors
from editanything.command.clause import Ask, Operations
from editanything.command.constructions import OPPOSITES
from editanything.command.lexicon import lexicon
from editanything.command.transferring import is_worn
from editanything.command.types import Operation, Selector, Where


def merge(ops: Operations) -> Operations:
    """`take the dog from image B` and `put it on the sofa` are one transfer."""
    out: list[Operation] = []
    for op in ops:
        before = out[-1] if out else None
        if before is not None and _continues(before, op):
            assert before.subject is not None
            where = op.where or Where(region=op.direction)
            anchor = where.relation.anchors[0] if where.relation is not None else None
            if (
                anchor is not None
                and where.relation is not None
                and where.relation.rel == "on"
                and is_worn(before.subject, anchor)
            ):
                out[-1] = Operation("transfer", anchor, subject=before.subject, mode="wear")
            else:
                out[-1] = replace(before, where=where)
        elif before is not None and _places_copy(before, op):
            out[-1] = replace(before, where=op.where, direction=op.direction)
        elif before is not None and _says_again(before, op):
            continue
        elif before is not None and before.op == "remove" and _fills(before, op):
            out[-1] = op
        elif before is not None and _in_place_of(before, op):
            out[-1] = Operation("replace", before.target, value=op.value)
        else:
            out.append(op)
    return tuple(out)


def _says_again(before: Operation, op: Operation) -> bool:
    """`keep only the car, the rest can go`: the same with other words."""
    if op.op != "remove" or before.target is None or op.target is None:
        return False
    if before.op == "replace" and before.target.noun != "background":
        return op.target == before.target  # "put the plant where the lamp is, delete the lamp"
    if before.op != "remove":
        return False
    spared = op.target.exclude
    rest = before.target.noun == "*" == op.target.noun and spared is not None
    return op == before or (rest and spared in (before.target, before.target.exclude))


def _places_copy(before: Operation, op: Operation) -> bool:
    """`copy the lantern and put it next to the door`: the copy goes there."""
    placed = before.where is not None or before.direction is not None
    copied = op.target is not None and op.target.noun in _COPIES and not op.target.attrs
    moved = op.op == "move" and (op.target == before.target or copied) and op.amount is None
    return before.op == "duplicate" and moved and not placed


_COPIES = {"copy", "duplicate", "clone", "replica", "twin"}


def _fills(before: Operation, op: Operation) -> bool:
    """`remove the background and replace it with a beach` replaces it."""
    replaces = op.op == "replace" or (op.op == "transfer" and op.mode == "replace")
    return replaces and op.target == before.target


def _in_place_of(before: Operation, op: Operation) -> bool:
    """`remove the glass and put a bottle in its place` replaces the glass."""
    if before.op != "remove" or op.op != "add" or op.where is None or op.where.relation is None:
        return False
    anchor = op.where.relation.anchors[0]
    return anchor.noun in {"place", "spot", "position"} and anchor.part_of == before.target


def _continues(before: Operation, op: Operation) -> bool:
    if before.op != "transfer" or before.mode != "insert" or before.where != Where():
        return False
    return (
        op.op == "move"
        and before.subject is not None
        and op.target == replace(before.subject, image=None)
    )


def check(ops: Operations) -> None:
    """Refuse a command that wants two things that exclude each other.

    Raises:
        Ask: contradiction.
    """
    for op in ops:
        for kept in op.preserve or ():
            if op.target is not None and (_same(kept, op.target) or _kept_quality(kept, op)):
                raise Ask("contradiction", _name(kept))
    removed: list[Selector] = []
    for at, op in enumerate(ops):
        if op.target is not None and any(_same(op.target, gone) for gone in removed):
            raise Ask("contradiction", _name(op.target))
        if op.op == "remove" and op.target is not None and op.target.noun != "*":
            removed.append(op.target)
        for other in ops[:at]:
            if _opposed(other, op):
                raise Ask("contradiction", _name(op.target))


def _kept_quality(kept: Selector, op: Operation) -> bool:
    """`make the car red but keep its color`."""
    quality = lexicon().attribute_nouns.whole([kept.noun])
    changed = op.attribute == quality if op.op == "modify" else False
    changed = changed or (kept.noun == "size" and op.op == "resize")
    return changed and (kept.part_of == op.target or kept == Selector(kept.noun))


def _same(a: Selector, b: Selector) -> bool:
    if a.noun != b.noun:
        return False
    if b.noun == "*":
        return a.noun == "*" and a.exclude == b.exclude
    return a == b or (a.count != b.count and replace(a, count=b.count) == b)


def _opposed(a: Operation, b: Operation) -> bool:
    if a.op != b.op or a.target is None or b.target is None or not _same(a.target, b.target):
        return False
    if a.op == "filter":
        kinds = {a.kind, b.kind}
        return OPPOSITES.get(a.kind or "") == b.kind or kinds == {"grayscale", "saturate"}
    both_colors = a.op == "modify" and a.attribute == b.attribute == "color" and a.value != b.value
    return both_colors and colors.is_color(a.value or "") and colors.is_color(b.value or "")


def _name(thing: Selector | None) -> str:
    return "" if thing is None else " ".join([*thing.attrs, thing.noun]).replace("@", "the ")
