"""Sentences to try on a picture: made of what its regions are named, or of what is selected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from editanything.examples import EXAMPLES

MOST = 6
#: For a picture of which nothing is known; the background is asked for where nothing stands out.
UNKNOWN = (
    "blur the background",
    "remove the background",
    "make the background black and white",
    "add a red apple on the right",
    "make the picture warmer",
    "brighten the picture",
)
SELECTED = (
    "remove it",
    "make it teal",
    "replace it with a blue apple",
    "blur everything else",
    "make a copy of it",
    "pixelate it",
)
#: With one thing of a name, and with several; each place of the list gets the next thing.
OF_ONE = (
    "remove the {}",
    "make the {} teal",
    "replace the {} with a blue apple",
    "blur the background",
    "brighten the {}",
    "desaturate the {}",
)
OF_MANY = (
    "remove all the {}",
    "make the {} teal",
    "pixelate the {}",
    "blur the background",
    "brighten the {}",
    "desaturate the {}",
)
#: For a picture without names in which something is seen; each once for each thing of the list.
OF_SEEN = ("remove the {}", "make the {} teal", "blur everything except the {}")
#: What is seen that is no thing to remove, alone and several.
OF_SIGHTS = {
    "sky": ("make the sky orange", "make the sky orange"),
    "grass": ("make the grass greener", "make the grass greener"),
    "face": ("pixelate the face", "pixelate the faces"),
}
WITHOUT_SUBJECT = ("make the picture sharper", "make the picture black and white")


def plural(noun: str) -> str:
    """Several of a thing: "towers", "boxes", "galaxies"."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"


def sentences(
    labels: Sequence[str], *, selected: bool, example: str | None = None
) -> tuple[str, ...]:
    """Up to six commands that fit a picture.

    Args:
        labels: the names of its regions, as often as there are regions of that name.
        selected: whether something is selected.
        example: the name of an example photo, while it is as it came.
    """
    if selected:
        return SELECTED
    if example in EXAMPLES:
        return EXAMPLES[example].commands[:MOST]
    counts = Counter(label for label in labels if label)
    if not counts:
        return UNKNOWN
    names = list(counts)
    return tuple(
        OF_ONE[i].format(name) if counts[name] == 1 else OF_MANY[i].format(plural(name))
        for i, name in ((i, names[i % len(names)]) for i in range(MOST))
    )


def of_seen(labels: Sequence[str], *, stands_out: bool) -> tuple[str, ...]:
    """Up to six commands for a picture without names.

    Args:
        labels: what was seen in it, as often as it was.
        stands_out: whether it has a subject, and so a background.
    """
    counts = Counter(labels)
    out: list[str] = []
    for label, count in counts.items():
        if label in OF_SIGHTS:
            out.append(OF_SIGHTS[label][count > 1])
        else:
            said = label if count == 1 else plural(label)
            out += [sentence.format(said) for sentence in OF_SEEN]
    general = [text for text in UNKNOWN if stands_out or "background" not in text]
    return tuple((*out, *general, *WITHOUT_SUBJECT)[:MOST])
