"""The same command as other people would type it: with a slip, a filler, other case or spelling.

Every function takes a text and a random.Random and leaves what stands in quotation marks alone.
"""

import re

_QUOTED = re.compile(r"""("[^"]*"|“[^”]*”|(?<!\w)'[^']+'(?!\w))""")
_NEAR = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        [
            "s",
            "v",
            "x",
            "s",
            "w",
            "d",
            "f",
            "g",
            "u",
            "h",
            "j",
            "k",
            "n",
            "b",
            "i",
            "o",
            "w",
            "e",
            "a",
            "r",
            "y",
            "c",
            "q",
            "z",
            "t",
            "x",
        ],
        strict=True,
    )
)
_FILLERS = ("um", "uh", "please", "basically", "you know", "i mean", "kinda", "erm,")
_SPELLINGS = (
    ("color", "colour"), ("gray", "grey"), ("center", "centre"), ("favorite", "favourite"),
    ("mustache", "moustache"), ("pajamas", "pyjamas"), ("jewelry", "jewellery"), ("tire", "tyre"),
    ("mold", "mould"), ("armor", "armour"), ("neighbor", "neighbour"), ("harbor", "harbour"),
    ("grayscale", "greyscale"), ("colorize", "colourise"), ("stylize", "stylise"),
    ("pixelize", "pixelise"), ("minimize", "minimise"), ("sharpen", "sharpen"),
    ("airplane", "aeroplane"), ("donut", "doughnut"), ("curb", "kerb"), ("flavor", "flavour"),
)  # fmt: skip


def _outside_quotes(text, change):
    parts = _QUOTED.split(text)
    return "".join(part if at % 2 else change(part) for at, part in enumerate(parts))


def typo(text, rng):
    """One word of four letters or more with two swapped, one lost, doubled or mistyped letter."""
    words = [
        match
        for match in re.finditer(r"(?<![\w'#])[a-zA-Z]{4,}(?![\w'])", text)
        if not any(q.start() <= match.start() < q.end() for q in _QUOTED.finditer(text))
    ]
    if not words:
        return text
    match = rng.choice(words)
    word, i = match.group(), rng.randrange(1, len(match.group()) - 1)
    slips = (
        word[:i] + word[i + 1] + word[i] + word[i + 2 :],
        word[:i] + word[i + 1 :],
        word[:i] + word[i] + word[i:],
        word[:i] + _NEAR.get(word[i].lower(), "e") + word[i + 1 :],
    )
    return text[: match.start()] + rng.choice(slips) + text[match.end() :]


def case(text, rng):
    """Shouted, As A Title, or with a capital at the start."""
    change = rng.choice((str.upper, str.title, str.capitalize))
    return _outside_quotes(text, lambda part: change(part).replace("'S", "'s"))


def punctuation(text, rng):
    """Other signs and spaces around and behind the words."""
    ends = (".", "!", "!!!", "...", " !", ".  ", " ;)", "…")
    stripped = text.rstrip()
    if not stripped or stripped[-1] in ".?!":
        return f"  {text} "
    return rng.choice(("", "", "- ", "  ")) + stripped + rng.choice(ends)


def filler(text, rng):
    """One word that says nothing, somewhere between the others."""
    gaps = [
        match.start()
        for match in re.finditer(" ", text)
        if not any(q.start() <= match.start() < q.end() for q in _QUOTED.finditer(text))
    ]
    if not gaps or not text.strip():
        return text
    at = rng.choice(gaps)
    return f"{text[:at]} {rng.choice(_FILLERS)}{text[at:]}"


def _respelt(text, pairs):
    def change(part):
        for old, new in pairs:
            part = re.sub(rf"(?<![\w]){old}", new, part)
        return part

    return _outside_quotes(text, change)


def british(text, rng):
    """In British spelling."""
    return _respelt(text, _SPELLINGS)


def american(text, rng):
    """In American spelling."""
    return _respelt(text, [(new, old) for old, new in _SPELLINGS])


VARIANTS = {
    "typo": typo,
    "case": case,
    "punctuation": punctuation,
    "filler": filler,
    "british": british,
    "american": american,
}


def mutated(text, rng):
    """A text with up to six random cuts, insertions and repetitions: any string may come of it."""
    letters = list(text)
    pieces = [
        "",
        "x",
        " ",
        "é",
        "'",
        '"',
        "9",
        "\n",
        ",",
        "and",
        " the ",
        "%",
        "->",
        "#",
        "\x00",
        "🙂",
    ]
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(letters))
        letters[at : at + rng.randint(0, 3)] = rng.choice(pieces)
    return "".join(letters)


def nonsense(words, rng):
    """A row of random words and signs."""
    signs = ["the", "a", "and", ",", ".", "to", "of", "'s", "2", "50%", '"x"', "it", "-", "?!", "é"]
    count = rng.randint(0, 16)
    return " ".join(
        rng.choice(signs) if rng.random() < 0.4 else rng.choice(words) for _ in range(count)
    )
