"""Does the network of words name the right region of a scene, and say so where nothing is meant?

    python benchmarks/grounding_encoder.py --data STICKERS [--run RUN | --words FOLDER] [--scenes N]

On scenes that were never trained on, once of trained names and once of names that were never
trained on; regions are the things' true masks. "right": asked for a thing by its name, among two or
more things of different names, the network prefers one that may be called so. "right_and_found": on
all scenes, it also believes it. "absent_not_found": asked for a name that nothing there may be
called, it believes nothing. Prints a table, then one JSON line.

With --fit, the threshold is fitted on scenes of other seeds first; with --export FOLDER the network
and its card are then written there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mdt.data import SceneSource
from mdt.data.stickers.phrases import key, phrases
from mdt.features.convnet import WEIGHTS
from mdt.features.words import Words, open_words, write_words

SIZE = 160
TEST_SEED, FIT_SEED = 77_001, 77_002


class Asked(NamedTuple):
    """One question: the score of the best region, and whether it may be called so."""

    score: float
    right: bool
    choices: int  # names among the scene's things


def called(source: SceneSource, label: int) -> set[int]:
    """Keys of all that a thing may be called."""
    stickers = source.stickers
    told = phrases(stickers.names[label], stickers.tags[label], stickers.kinds[label])
    return {key(phrase) for phrase in told}


def ask(words: Words, source: SceneSource, number: int) -> tuple[list[Asked], list[Asked]]:
    """Questions about things that are there, and about names of none."""
    names = sorted({source.stickers.names[label] for label in source.stickers.labels})
    present: list[Asked] = []
    absent: list[Asked] = []
    for i in range(number):
        scene = source.scene(i)
        rng = np.random.default_rng([source.seed, i])
        known = [called(source, thing.label) for thing in scene.things]
        own = sorted({thing.name for thing in scene.things})
        every = set().union(*known)
        others = [name for name in rng.permutation(names)[:20] if key(name) not in every][
            : len(own)
        ]
        seen = words.regions(scene.image, [thing.mask for thing in scene.things])
        logits = words.logits(seen, own + others)
        for j, name in enumerate(own + others):
            best = int(logits[:, j].argmax())
            told = Asked(float(logits[best, j]), key(name) in known[best], len(own))
            (present if j < len(own) else absent).append(told)
    return present, absent


def fit(present: list[Asked], absent: list[Asked], refuse: float) -> float:
    """The threshold at which as many absent names are refused as present ones are found.

    If that refuses less than the share `refuse` of the absent ones, the one that does.
    """
    good = np.array([one.score if one.right else -np.inf for one in present])
    bad = np.array([one.score for one in absent])
    tried = np.unique(np.concatenate([good[np.isfinite(good)], bad]))
    found = np.array([min((good >= at).mean(), (bad < at).mean()) for at in tried])
    return max(float(tried[found.argmax()]), float(np.quantile(bad, refuse)))


def show(what: str, present: list[Asked], absent: list[Asked], at: float) -> dict[str, float]:
    """Print a line, and return its shares."""
    among = [one for one in present if one.choices > 1]
    told = {
        "right": np.mean([one.right for one in among]),
        "right_and_found": np.mean([one.right and one.score >= at for one in present]),
        "absent_not_found": np.mean([one.score < at for one in absent]),
    }
    told = {name: round(float(value), 4) for name, value in told.items()}
    line = "  ".join(f"{name} {value:.3f}" for name, value in told.items())
    print(f"{what:16} {len(among)} of {len(present)} there, {len(absent)} not  {line}")
    return told


def open_run_words(run: Path, threshold: float) -> Words:
    """The averaged weights of a run's newest checkpoint."""
    from mdt.runs import Run, open_weights

    opened = Run(run)
    return Words(open_weights(opened.place(opened.steps()[-1])), {"threshold": threshold})


def main() -> None:
    """Print the table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--words", type=Path, default=WEIGHTS / "words")
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--refuse", type=float, default=0.92, help="of absent names, with --fit")
    parser.add_argument("--export", type=Path)
    parser.add_argument("--pictures-seen", type=int, default=0)
    parser.add_argument(
        "--sure", type=float, default=-0.5, help="see benchmarks/grounding_photos.py"
    )
    arguments = parser.parse_args()
    words = open_run_words(arguments.run, 0.0) if arguments.run else open_words(arguments.words)
    at = float(words.card["threshold"])
    if arguments.fit:
        source = SceneSource(arguments.data, size=SIZE, seed=FIT_SEED)
        at = fit(*ask(words, source, arguments.scenes), arguments.refuse)
    told: dict[str, object] = {"threshold": round(at, 3), "scenes": arguments.scenes}
    for split, what in (("train", "trained names"), ("held", "names held out")):
        source = SceneSource(arguments.data, size=SIZE, seed=TEST_SEED, split=split)
        told[split] = show(what, *ask(words, source, arguments.scenes), at)
    if arguments.export:
        about = {"sure": arguments.sure, "pictures_seen": arguments.pictures_seen, "scores": told}
        export(words, arguments.data, arguments.export, threshold=round(at, 3), **about)
    print(json.dumps(told))


def export(words: Words, data: str, folder: Path, **about: object) -> None:
    """Write the network and its card, with all phrases that it learned."""
    stickers = SceneSource(data).stickers
    learned = sorted({int(label) for label in stickers.labels})
    said = [phrases(stickers.names[i], stickers.tags[i], stickers.kinds[i]) for i in learned]
    vocabulary = sorted({phrase for called_so in said for phrase in called_so})
    write_words(
        words,
        folder,
        parameters=sum(p.numel() for p in words.network.parameters()),
        data="mdt data stickers: Fluent emoji 3D (MIT, Microsoft), Noto emoji (Apache-2.0, Google),"
        " names and tags of emojibase (MIT, Miles Johnson); drawn on grounds",
        licence="Apache-2.0; see NOTICE for the stickers",
        **about,
        vocabulary=vocabulary,
    )


if __name__ == "__main__":
    main()
