"""How well commands are understood, how much a slip or another spelling hurts, and how fast it is.

    python benchmarks/commands.py [--seeds 5] [--strings 10000]

Scored by tests/commands/score.py on the commands with known parses there: plain, and with one
typing slip per command, in other case, with other punctuation, with a filler word, in British and
in American spelling (tests/commands/variants.py; random ones with several seeds). `kept` is the
share of the plain exact score that is left. Then random and mutated strings: every answer must be
of the schema (tests/commands/schema.py). Times are CPU milliseconds of one `parse`, the first ones
(which read the tables) left out.

Prints a table, then one JSON line.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from editanything.command import parse
from editanything.command.lexicon import lexicon

COMMANDS = Path(__file__).parents[1] / "tests" / "commands"
SETS = (
    *("commands", "more", "further", "spoken", "asides", "unseen", "unseen_kept"),
    *("typed", "typed_more"),
)
Row = dict[str, Any]


def module(name: str) -> ModuleType:
    """A module of tests/commands, which is no package."""
    spec = importlib.util.spec_from_file_location(name, COMMANDS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


SCORE, VARIANTS, SCHEMA = module("score"), module("variants"), module("schema")


def answer(text: str, row: Row, times: list[float]) -> Row:
    """The parse of a text in the context of a row; its CPU time goes to `times`, in ms."""
    context = row["context"]
    images = tuple(context["images"])
    began = time.process_time()
    command = parse(text, images=images, selection=context["selection"])
    times.append(1000 * (time.process_time() - began))
    return json.loads(json.dumps(command.to_dict()))


def scored(rows: list[Row], change: Any, seeds: int, times: list[float]) -> dict[str, float]:
    """Mean scores over the seeds of one way to change the texts."""
    results = []
    for seed in range(seeds):
        rng = random.Random(seed)
        pairs = [(row, answer(change(row["text"], rng), row, times)) for row in rows]
        results.append(SCORE.score(pairs))
    names = ("exact", "slot_f1", "ok_vs_refuse", "refuse_reason")
    return {name: sum(result[name] for result in results) / seeds for name in names}


def robust(rows: list[Row], count: int, times: list[float]) -> int:
    """How many answers to `count` strings, mutated commands and random words, are invalid."""
    rng = random.Random(0)
    words = sorted(lexicon().vocabulary)
    invalid = 0
    for number in range(count):
        row = rng.choice(rows)
        text = VARIANTS.mutated(row["text"], rng) if number % 2 else VARIANTS.nonsense(words, rng)
        invalid += bool(SCHEMA.problems(answer(text, row, times)))
    return invalid


def share(times: list[float], part: float) -> float:
    """The time that `part` of the parses take at most."""
    return sorted(times)[min(len(times) - 1, int(part * len(times)))]


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=5, help="random versions of every command")
    parser.add_argument("--strings", type=int, default=10_000, help="random and mutated strings")
    arguments = parser.parse_args()
    sets = {name: SCORE.read(COMMANDS / f"{name}.jsonl") for name in SETS}
    rows = [row for part in sets.values() for row in part]
    scored(rows, lambda text, _: text, 1, [])  # reads the tables
    times: list[float] = []
    table = {name: scored(part, lambda text, _: text, 1, times) for name, part in sets.items()}
    table["all plain"] = scored(rows, lambda text, _: text, 1, times)
    for name, change in VARIANTS.VARIANTS.items():
        table[name] = scored(rows, change, arguments.seeds, times)
    wild: list[float] = []
    invalid = robust(rows, arguments.strings, wild)
    print(f"{'set':<12} {'exact':>7} {'slot F1':>8} {'ok/refuse':>10} {'reason':>7} {'kept':>6}")
    plain = table["all plain"]["exact"]
    for name, result in table.items():
        kept = f"{result['exact'] / plain:6.3f}" if name in VARIANTS.VARIANTS else ""
        print(
            f"{name:<12} {result['exact']:7.3f} {result['slot_f1']:8.3f} "
            f"{result['ok_vs_refuse']:10.3f} {result['refuse_reason']:7.3f} {kept}"
        )
    speed = {
        "median_ms": round(share(times, 0.5), 2),
        "p99_ms": round(share(times, 0.99), 2),
        "wild_median_ms": round(share(wild, 0.5), 2),
        "wild_p99_ms": round(share(wild, 0.99), 2),
        "wild_max_ms": round(max(wild), 2),
    }
    print(", ".join(f"{name} {value}" for name, value in speed.items()))
    print(f"{arguments.strings} random strings, invalid answers: {invalid}")
    print(
        json.dumps(
            {"n": len(rows), "invalid": invalid, **speed}
            | {name: {k: round(v, 4) for k, v in result.items()} for name, result in table.items()}
        )
    )


if __name__ == "__main__":
    main()
