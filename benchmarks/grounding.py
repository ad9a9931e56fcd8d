"""Does a selector find what it means, and does it ask where it should?

    python benchmarks/grounding.py [--seeds 12] [--first 0] [--wrong]

Scenes of simple shapes that bear names: cups in a row, hats on heads, balls in baskets. Every scene
is built around its questions, so the right answer is known by construction: which shape was drawn
where, how large, in which colour, on which head. The grounder's own geometry is not asked. An
answer is a set of things, or "not_found", "tie", "wrong_count"; a few are pixels (half a sky).

Each question is asked twice: as a selector, and as a sentence through `editanything.parse`.
`parsed` says how often the sentence became the selector that was meant, `silent` how often
something else was picked where nobody was asked: that must not happen. Every scene is asked clean
and rough: with light falling off, noise, ragged masks and small strange things lying about.

Prints a table by kind, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from grounding_alone import colors, places, row, sizes
from grounding_crowds import crowd, field, nearly
from grounding_relations import beside, kinds, mixed, parts, people, resting
from grounding_scenes import HEIGHT, WIDTH, Query, Scene, Template, Truth, roughened

from editanything.command import parse
from editanything.grounders.base import Found, Miscount, NotFound, Outcome, Tie
from editanything.grounders.words import Words
from editanything.masks import iou
from editanything.types import Mask

TEMPLATES: tuple[Template, ...] = (
    row,
    sizes,
    colors,
    places,
    beside,
    resting,
    people,
    parts,
    kinds,
    mixed,
    nearly,
    crowd,
    field,
)


@dataclass(frozen=True)
class Score:
    """One query answered twice."""

    query: Query
    direct: bool  # the selector led to the truth
    parsed: bool  # the sentence became the selector
    spoken: bool  # the sentence led to the truth
    silent: bool  # the selector led to something else, and nobody was asked


def ask(scene: Scene, query: Query, grounder: Words) -> Score:
    """Answer a query as a selector and as a sentence."""
    direct = grounder.find(scene, query.selector)
    command = parse(f"remove {query.text}")
    targets = [operation.target for operation in command.ops]
    meant = targets[0] if command.status == "ok" and len(targets) == 1 else None
    spoken = grounder.find(scene, meant) if meant is not None else None
    return Score(
        query,
        direct=is_right(direct, query.truth),
        parsed=meant == query.selector,
        spoken=spoken is not None and is_right(spoken, query.truth),
        silent=isinstance(direct, Found) and not is_right(direct, query.truth),
    )


SAME_PIXELS = 0.97  # intersection over union: rough masks have ragged rims
OUTCOMES = {NotFound: "not_found", Miscount: "wrong_count", Tie: "tie"}


def is_right(outcome: Outcome, truth: Truth) -> bool:
    """Whether an outcome is the truth: the same things, the same pixels, the same question."""
    if not isinstance(outcome, Found):
        return OUTCOMES.get(type(outcome)) == truth
    if isinstance(truth, frozenset):
        return {region.id for region in outcome.regions} == truth
    if isinstance(truth, tuple):
        x0, y0, x1, y1 = truth
        box = Mask.placed((HEIGHT, WIDTH), (x0, y0), np.ones((y1 - y0, x1 - x0), bool))
        return iou(outcome.union(), box) >= SAME_PIXELS
    return False


def questions(seeds: int, *, rough: bool, first: int = 0) -> Iterator[tuple[Scene, Query]]:
    """All queries of all templates, `seeds` times, on clean or rough scenes."""
    for seed in range(first, first + seeds):
        for number, template in enumerate(TEMPLATES):
            shown: dict[int, Scene] = {}
            for scene, query in list(template(np.random.default_rng((seed, number)))):
                if rough and id(scene) not in shown:
                    shown[id(scene)] = roughened(scene, np.random.default_rng((seed, number, 1)))
                yield shown.get(id(scene), scene), query


def rate(scores: list[Score], name: str) -> float:
    """The share of scores of which `name` is true."""
    return sum(getattr(score, name) for score in scores) / max(len(scores), 1)


def summary(scores: list[Score]) -> dict[str, Any]:
    """What the last line says."""
    absent = [score for score in scores if score.query.truth == "not_found"]
    asked = [score for score in scores if isinstance(score.query.truth, str)]
    return {
        "queries": len(scores),
        "direct": round(rate(scores, "direct"), 4),
        "absent_not_found": round(rate(absent, "direct"), 4),
        "questions_asked": round(rate(asked, "direct"), 4),
        "silent_wrong": round(rate(scores, "silent"), 4),
        "parsed": round(rate(scores, "parsed"), 4),
        "spoken": round(rate(scores, "spoken"), 4),
        "absent_spoken": round(rate(absent, "spoken"), 4),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, default=12, help="how often each scene is drawn (12)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--wrong", action="store_true", help="list what went wrong")
    options = parser.parse_args()
    grounder, start = Words(), time.perf_counter()
    runs = {
        name: [
            ask(*asked, grounder)
            for asked in questions(options.seeds, rough=name == "rough", first=options.first)
        ]
        for name in ("clean", "rough")
    }
    seconds = time.perf_counter() - start
    for name, scores in runs.items():
        show(name, scores, wrong=options.wrong)
    totals = {name: summary(scores) for name, scores in runs.items()}
    print(json.dumps(totals | {"seconds": round(seconds, 1)}))


def show(name: str, scores: list[Score], *, wrong: bool) -> None:
    """Print the table of a run."""
    by_kind = defaultdict(list)
    for score in scores:
        by_kind[score.query.kind].append(score)
    print(f"{name:20s} {'n':>5s} {'direct':>7s} {'parsed':>7s} {'spoken':>7s} {'silent':>7s}")
    for kind, some in sorted(by_kind.items()):
        rates = (rate(some, name) for name in ("direct", "parsed", "spoken", "silent"))
        print(f"{kind:20s} {len(some):5d} " + " ".join(f"{value:7.3f}" for value in rates))
    if wrong:
        for score in scores:
            if not (score.direct and score.parsed and score.spoken):
                print(score)


if __name__ == "__main__":
    main()
