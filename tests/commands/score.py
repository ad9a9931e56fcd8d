"""Score predicted parses against expected ones, slot by slot.

An operation is flattened to (path, value) slots; texts are compared case-folded, without a leading
article. A prediction is exact if its status and all its slots are those of one accepted parse.
"""

import json
import re


def _plain(value):
    if isinstance(value, str):
        folded = " ".join(value.casefold().split())
        return re.sub(r"^(a|an|the) ", "", folded)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _flatten(value, path):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "attribute_alt" and inner not in (None, [], {}):
                yield from _flatten(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            plain = isinstance(inner, str)
            yield from _flatten(inner, path if plain else f"{path}[{number}]")
    else:
        yield path, _plain(value)


def slots(ops, expected=()):
    """The slots of a list of operations; an accepted other attribute counts as the expected one."""
    out = set()
    for number, op in enumerate(ops):
        wanted = expected[number] if number < len(expected) else {}
        if op.get("attribute") in wanted.get("attribute_alt", ()):
            op = {**op, "attribute": wanted["attribute"]}
        out.update(_flatten(op, str(number)))
    return out


def compare(expected, predicted):
    """(exact, slots found, slots too many, slots missed) against the best accepted parse."""
    best = None
    for ops in [expected["ops"], *expected.get("accept", [])]:
        gold, got = slots(ops), slots(predicted["ops"], ops)
        found = len(gold & got), len(got - gold), len(gold - got)
        candidate = (gold == got, found[0] - found[1] - found[2], found)
        best = candidate if best is None or candidate[:2] > best[:2] else best
    same_status = (expected["status"] == "ok") == (predicted["status"] == "ok")
    return same_status and best[0], *best[2]


def score(pairs):
    """Totals over (expected, predicted) pairs: exact, slot_f1, ok_vs_refuse, refuse_reason, wrong."""
    results = [(gold, got, compare(gold, got)) for gold, got in pairs]
    hits, extra, missed = (sum(r[2][i] for r in results) for i in (1, 2, 3))
    refused = [(gold, got) for gold, got, _ in results if gold["status"] != "ok"]
    told_apart = [(g["status"] == "ok") == (p["status"] == "ok") for g, p, _ in results]
    reasons = [g["reason"] == p["reason"] for g, p in refused]
    return {
        "n": len(results),
        "exact": sum(r[2][0] for r in results) / len(results),
        "slot_f1": 2 * hits / max(2 * hits + extra + missed, 1),
        "ok_vs_refuse": sum(told_apart) / len(results),
        "refuse_reason": sum(reasons) / max(len(reasons), 1),
        "wrong": [gold["id"] for gold, _, result in results if not result[0]],
    }


def read(path):
    """The rows of a .jsonl file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
