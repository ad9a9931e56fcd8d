"""The schema of docs/commands.md as a check: `problems` of a command that is a dict."""

REASONS = {
    "empty", "nonsense", "no_target", "no_operation", "no_value", "unresolved_reference",
    "contradiction", "nothing_to_do", "missing_source", "vague", "not_an_edit", "unsupported",
    "unsafe",
}  # fmt: skip
REJECTED = {"not_an_edit", "unsupported", "unsafe"}
REGIONS = {
    "left", "right", "top", "bottom", "center", "top-left", "top-right", "bottom-left",
    "bottom-right", "foreground", "background",
}  # fmt: skip
RELATIONS = {
    "left_of", "right_of", "above", "below", "on", "in", "under", "behind", "in_front_of",
    "next_to", "between", "with", "holding", "wearing",
}  # fmt: skip
SUPERLATIVES = {
    "leftmost", "rightmost", "topmost", "bottommost", "largest", "smallest", "tallest", "nearest",
    "farthest",
}  # fmt: skip
DIRECTIONS = (REGIONS | {"up", "down"}) - {"top", "bottom"}
ATTRIBUTES = {
    "color", "material", "style", "lighting", "appearance", "expression", "pose", "age",
    "hairstyle", "clothing", "state",
}  # fmt: skip
KINDS = {
    "blur", "sharpen", "brighten", "darken", "grayscale", "saturate", "desaturate", "pixelate",
    "denoise", "contrast", "flatten", "warm", "cool", "sepia", "vignette",
}  # fmt: skip
#: Operation -> the slots that it must have, and those that it may have.
OPS = {
    "remove": ({"target"}, set()),
    "select": ({"target"}, set()),
    "modify": ({"target", "attribute", "value"}, {"attribute_alt"}),
    "replace": ({"target", "value"}, set()),
    "exchange": ({"target", "other"}, set()),
    "add": ({"value", "count", "where"}, set()),
    "transfer": ({"subject", "mode"}, {"target", "where"}),
    "filter": ({"target", "kind"}, {"amount"}),
    "style": ({"target", "value"}, set()),
    "scene": ({"target", "value"}, set()),
    "edit_text": ({"target", "value"}, set()),
    "move": ({"target"}, {"direction", "amount", "where"}),
    "resize": ({"target", "factor"}, set()),
    "duplicate": ({"target", "copies"}, {"direction", "where"}),
    "rotate": ({"target", "angle"}, set()),
    "flip": ({"target", "axis"}, set()),
    "crop": ({"target"}, {"value"}),
    "outpaint": ({"sides"}, {"amount"}),
    "upscale": ({"target", "factor"}, set()),
    "undo": ({"steps"}, set()),
    "redo": ({"steps"}, set()),
    "variations": ({"n"}, set()),
    "compare": (set(), set()),
}
ANYWHERE = {"op", "preserve", "related", "related_keep"}


def problems(command):
    """Every way in which a command is not of the schema, as sentences; none for a valid one."""
    out = []
    status, reason, ops = command["status"], command["reason"], command["ops"]
    if status not in {"ok", "clarify", "reject"}:
        out.append(f"status {status!r}")
    if (status == "ok") != (reason is None) or (status == "ok") != bool(ops):
        out.append(f"status {status!r} with reason {reason!r} and {len(ops)} operations")
    if reason is not None and (
        reason not in REASONS or (reason in REJECTED) != (status == "reject")
    ):
        out.append(f"reason {reason!r} with status {status!r}")
    for number, op in enumerate(ops):
        out += [f"operation {number}: {problem}" for problem in _of_operation(op)]
    return out


def _of_operation(op):
    if op.get("op") not in OPS:
        yield f"unknown operation {op.get('op')!r}"
        return
    needed, allowed = OPS[op["op"]]
    if missing := needed - set(op):
        yield f"{op['op']} without {sorted(missing)}"
    if extra := set(op) - needed - allowed - ANYWHERE:
        yield f"{op['op']} with {sorted(extra)}"
    for name in ("target", "other", "subject"):
        if name in op:
            yield from _of_selector(op[name], name)
    for kept in op.get("preserve", ()):
        yield from _of_selector(kept, "preserve")
    if "where" in op:
        yield from _of_where(op["where"])
    yield from _of_values(op)
    if op["op"] == "move" and not {"direction", "where"} & set(op):
        yield "a move to nowhere"


def _of_values(op):
    closed = {
        "attribute": ATTRIBUTES,
        "kind": KINDS,
        "direction": DIRECTIONS,
        "axis": {"horizontal", "vertical"},
        "mode": {"insert", "wear", "replace", "style"},
    }
    for name, values in closed.items():
        if name in op and op[name] not in values:
            yield f"{name} {op[name]!r}"
    if "value" in op and not (isinstance(op["value"], str) and op["value"].strip()):
        yield f"value {op['value']!r}"
    for name in ("factor", "copies", "n"):
        if name in op and not op[name] > 0:
            yield f"{name} {op[name]!r}"
    for name in ("steps", "count"):
        if name in op and op[name] != "all" and not isinstance(op[name], int):
            yield f"{name} {op[name]!r}"
    if "sides" in op and not set(op["sides"]) <= {"left", "right", "top", "bottom"}:
        yield f"sides {op['sides']!r}"
    amount = op.get("amount", "small")
    if amount not in ("small", "large") and not (
        isinstance(amount, dict)
        and set(amount) == {"value", "unit"}
        and amount["unit"] in {"px", "%"}
    ):
        yield f"amount {amount!r}"


def _of_where(where):
    if set(where) - {"relation", "region"}:
        yield f"where {where!r}"
    if "region" in where and where["region"] not in REGIONS:
        yield f"region {where['region']!r}"
    if "relation" in where:
        yield from _of_relation(where["relation"])


def _of_relation(relation):
    if set(relation) != {"rel", "anchors"} or relation["rel"] not in RELATIONS:
        yield f"relation {relation!r}"
    if not relation["anchors"]:
        yield "a relation to nothing"
    for anchor in relation["anchors"]:
        yield from _of_selector(anchor, "anchor")


def _of_selector(selector, name):
    known = {
        "noun", "attrs", "count", "ordinal", "superlative", "region", "relation", "part_of",
        "exclude", "image",
    }  # fmt: skip
    if not {"noun", "attrs", "count"} <= set(selector) <= known:
        yield f"{name} with slots {sorted(selector)}"
        return
    if not (isinstance(selector["noun"], str) and selector["noun"].strip()):
        yield f"{name} with noun {selector['noun']!r}"
    if selector["count"] != "all" and not isinstance(selector["count"], int):
        yield f"{name} with count {selector['count']!r}"
    if selector.get("region", "left") not in REGIONS:
        yield f"{name} with region {selector['region']!r}"
    if selector.get("superlative", "largest") not in SUPERLATIVES:
        yield f"{name} with superlative {selector['superlative']!r}"
    ordinal = selector.get("ordinal", {"n": 1, "from": None})
    if ordinal["from"] not in {"left", "right", "top", "bottom", None}:
        yield f"{name} with ordinal {ordinal!r}"
    if "relation" in selector:
        yield from _of_relation(selector["relation"])
    for inner in ("part_of", "exclude"):
        if inner in selector:
            yield from _of_selector(selector[inner], inner)
