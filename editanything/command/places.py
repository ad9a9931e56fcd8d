"""Places in a sentence: "to the left of", "in the top left corner", "from the right".

Such words are joined to one token before any construction is matched, so that the "to" of "to the
left of" is never taken for the "to" of "change ... to ...". Kinds of the joined tokens:
`relation` (value: its name), `region` (a part of the frame), `toward` (a region or a direction,
as the operation has it), `origin` ("from the left"), `sides` ("on all sides").
"""

from __future__ import annotations

from editanything.command.lexicon import Lexicon, lexicon
from editanything.command.nouns import is_picture_noun
from editanything.command.tokens import Token

_ARTICLES = {"the", "this", "my", "that", "your", "its"}
_PORTIONS = {
    "side", "corner", "part", "edge", "half", "third", "area", "portion", "end", "hand", "border",
    "section", "region", "quarter", "row",
}  # fmt: skip
#: "on the left half of the plate" is on a part of the plate, "on the left side of it" beside it.
_SHARES = {"half", "third", "quarter", "part", "portion", "section"}
_ENDS: tuple[list[str], ...] = ([], ["and"], [","], ["."])
_INTO = {"in", "on", "at", "near", "along", "by", "within", "inside", "around", "across"}
_TOWARD = {"to", "towards", "toward", "into", "onto"}
_RELATION_OF = {
    "left": "left_of", "right": "right_of", "top": "on", "bottom": "below", "center": "in",
    "background": "behind", "foreground": "in_front_of",
}  # fmt: skip
_SIDES = {
    "all": ("left", "right", "top", "bottom"), "every": ("left", "right", "top", "bottom"),
    "each": ("left", "right", "top", "bottom"), "both": ("left", "right"),
    "four": ("left", "right", "top", "bottom"), "any": ("left", "right", "top", "bottom"),
}  # fmt: skip
_EXTREMES = {"left": "leftmost", "right": "rightmost", "top": "topmost", "bottom": "bottommost"}


def join_places(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """`tokens` with every expression of place joined to one token."""
    lex = lexicon()
    words = [token.word for token in tokens]
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        found = _place_at(lex, words, at)
        if found is None:
            out.append(tokens[at])
            at += 1
            continue
        kind, value, stop = found
        raw = " ".join(token.raw for token in tokens[at:stop])
        out.append(Token(" ".join(words[at:stop]), raw, kind, value))
        at = stop
    return tuple(out)


def _place_at(lex: Lexicon, words: list[str], at: int) -> tuple[str, str, int] | None:
    if words[at] == "to" and words[at - 1] in _EXTREMES and words[at - 2] not in {"the", "from"}:
        return None  # "left to right"
    seen = _bare_corner(lex, words, at) or _seen_from_here(words, at) or _in_the_back(words, at)
    seen = seen or _of_side(words, at)
    if seen is not None:
        return seen
    return _sides(words, at) or _framed(lex, words, at) or _plain_relation(lex, words, at)


def _bare_corner(lex: Lexicon, words: list[str], at: int) -> tuple[str, str, int] | None:
    """`add a moon top left`: a corner without "in the", after a noun and at the end."""
    region = lex.regions.at(words, at)
    if region is None or "-" not in region[0] or at < 2 or words[at - 1] in _ARTICLES | {"a", "an"}:
        return None
    value, stop = region
    stop += words[stop : stop + 1] == ["corner"]
    ends = stop == len(words) or words[stop] in {",", ".", "and", "then", "please"}
    return ("region", value, stop) if ends and is_picture_noun(words[at - 1]) else None


def _seen_from_here(words: list[str], at: int) -> tuple[str, str, int] | None:
    """`closest to us`, `furthest from the camera`, `farthest away`, `nearest to the left edge`."""
    extreme = _EXTREME_ADVERBS.get(words[at])
    if extreme is None:
        return None
    stop = at + 1
    while stop < len(words) and words[stop] in {"to", "from", "away", "the", "back", "of", "out"}:
        stop += 1
    little = words[at + 1 : stop]
    if stop < len(words) and words[stop] in _EXTREMES and "to" in little:
        value = _EXTREMES[words[stop]]
        return "extreme", value, stop + 1 + (words[stop + 1 : stop + 2] in (["edge"], ["side"]))
    if stop < len(words) and words[stop] in lexicon().sets["viewers"] and little:
        return "extreme", extreme, stop + 1
    if stop == len(words) and little[-1:] in (["away"], ["back"]):
        return "extreme", extreme, stop
    return None


_EXTREME_ADVERBS = {
    "closest": "nearest", "nearest": "nearest", "farthest": "farthest", "furthest": "farthest",
}  # fmt: skip


def _sides(words: list[str], at: int) -> tuple[str, str, int] | None:
    """On all sides; all around; at the top and bottom is left to the conjunction."""
    start = at + 1 if words[at] in {"on", "at", "to", "along", "from", "by"} else at
    if words[start : start + 2] == ["all", "around"]:
        return "sides", " ".join(_SIDES["all"]), start + 2
    if start < len(words) and words[start] in _SIDES:
        stop = start + 1
        while stop < len(words) and words[stop] in {"the", "of", "four", "two", "sides'"}:
            stop += 1
        if stop < len(words) and words[stop] in {"sides", "side", "directions", "edges", "borders"}:
            four = "four" in words[start:stop]
            return "sides", " ".join(_SIDES["all" if four else words[start]]), stop + 1
    return None


def _framed(lex: Lexicon, words: list[str], at: int) -> tuple[str, str, int] | None:
    """`in the top left corner (of the picture)`, `to the left (of X)`, `from the right`."""
    if words[at] not in _INTO | _TOWARD | {"from"}:
        return None
    stop = at + 1
    far = False
    while stop < len(words) and words[stop] in _ARTICLES | {"very", "far", "extreme"}:
        far = far or words[stop] in {"far", "extreme"}
        stop += 1
    region = lex.regions.at(words, stop)
    bare = {"at", "on", "in", "from"} if words[stop + 1 : stop + 2] in _ENDS else {"at", "on", "in"}
    if region is None or (stop == at + 1 and words[at] not in _TOWARD | bare):
        return None
    value, stop = region
    if value in {"background", "foreground"} and words[at] not in {"in", "at", "on"}:
        return None  # "apply a blur to the background": a thing
    explicit = share = False
    while stop < len(words) and words[stop] in _PORTIONS:
        explicit, share, stop = True, words[stop] in _SHARES, stop + 1
    kind = "origin" if words[at] == "from" else "toward" if words[at] in _TOWARD else "region"
    if stop < len(words) and words[stop] == "of":
        found = _of_frame(lex, words, stop, kind, value)
        return None if share and found is not None and found[0] == "relation" else found
    if not explicit and stop < len(words) and _begins_noun(words, stop):
        return None  # "on the left chair": an adjective, not a place
    if far and kind == "region" and value in _EXTREMES:
        return "extreme", _EXTREMES[value], stop
    return kind, value, stop


def _of_side(words: list[str], at: int) -> tuple[str, str, int] | None:
    """`the tree of the left`, `the people of behind`, as other languages have it."""
    if words[at : at + 2] in (["of", "behind"], ["from", "behind"]) and _ends_at(words, at + 2):
        return "region", "background", at + 2
    side = _OF_SIDES.get(words[at + 2]) if words[at + 2 : at + 3] else None
    if side is None or words[at : at + 2] != ["of", "the"] or not at:
        return None
    if _is_part(words[at - 1]) or not _ends_at(words, at + 3):
        return None
    return "region", side, at + 3


_OF_SIDES = {"left": "left", "right": "right", "middle": "center", "center": "center"}


def _ends_at(words: list[str], at: int) -> bool:
    """Whether a phrase ends here, or what it becomes follows."""
    return words[at : at + 1] in _ENDS or words[at] in _AFTER_PLACE


_AFTER_PLACE = {"should", "must", "needs", "has", "is", "to", "with", "into", "please", "then"}


def _is_part(word: str) -> bool:
    """Whether `of the left` says whose part it is: "the top of the left"."""
    lex = lexicon()
    kinds = lex.attribute_nouns, lex.groups["portion"], lex.regions
    return any(kind.whole([word]) is not None for kind in kinds)


def _in_the_back(words: list[str], at: int) -> tuple[str, str, int] | None:
    """`in the back`, `in back`: the background; "at the back of the house" is a relation."""
    if words[at : at + 2] == ["in", "back"] and words[at + 2 : at + 3] != ["of"]:
        return "region", "background", at + 2
    behind = words[at + 1 : at + 3] in (["the", "back"], ["the", "rear"], ["the", "distance"])
    row = set(words[at + 3 : at + 4]) & (lexicon().sets["back_nouns"] | {"of"})
    if words[at] not in {"in", "at"} or not behind or row:
        return None
    return "region", "background", at + 3


def _of_frame(
    lex: Lexicon, words: list[str], of: int, kind: str, value: str
) -> tuple[str, str, int] | None:
    """After `... of`: the picture itself makes a place in the frame, a thing makes a relation."""
    after = of + 1
    while after < len(words) and words[after] in _ARTICLES | {"whole", "entire"}:
        after += 1
    if after < len(words) and lex.groups["image"].at(words, after):
        return kind, value, after + 1
    return ("relation", _RELATION_OF[value], of + 1) if value in _RELATION_OF else None


def _begins_noun(words: list[str], at: int) -> bool:
    """Whether a thing that pictures show follows: "the left chair" is not the left."""
    return is_picture_noun(words[at])


def _plain_relation(lex: Lexicon, words: list[str], at: int) -> tuple[str, str, int] | None:
    """A relation of several words ("next to"); single words stay for the noun phrase to judge."""
    found = lex.relations.at(words, at)
    if found is None or found[1] - at < 2:
        return None
    if words[at : at + 2] == ["inside", "of"] and words[at - 1 : at] == ["the"]:
        return None  # "the inside of the cup": a part of it
    if words[at] == "left" and words[at - 1 : at] == ["the"]:
        return None  # "the left side of the cup": a part of it
    value, stop = found
    after = stop
    while after < len(words) and words[after] in _ARTICLES:
        after += 1
    if value in {"left_of", "right_of"} and lex.groups["image"].at(words, after):
        return "region", value.removesuffix("_of"), after + 1
    return "relation", value, stop
