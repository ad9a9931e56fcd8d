"""References to other pictures: "from image B", "the second photo", "the reference"."""

from __future__ import annotations

from editanything.command.tokens import Token

Tokens = tuple[Token, ...]


_IMAGE_WORDS = {"image", "picture", "photo", "photograph", "img", "pic"}


_ORDINAL_LABELS = {"1": "A", "2": "B", "3": "C", "4": "D"}


def take_image(tokens: Tokens) -> tuple[Tokens, str | None]:
    """`tokens` without "from image B" and its like, and the picture's label."""
    words = [token.word for token in tokens]
    for start in range(len(words)):
        found = _image_at(tokens, words, start)
        if found is None:
            continue
        label, stop = found
        before = start
        while before and words[before - 1] in {"the", "my", "your", "a"}:
            before -= 1
        if before and words[before - 1] in {"from", "in", "of", "on", "within", "out"}:
            before -= 1
        elif before:
            continue
        return tokens[:before] + tokens[stop:], label
    return tokens, None


def _image_at(tokens: Tokens, words: list[str], at: int) -> tuple[str, int] | None:
    """A reference to another picture that begins at `at`: its label and where it stops."""
    after = words[at + 1] if at + 1 < len(words) else ""
    if words[at] in _IMAGE_WORDS:
        if len(after) == 1 and after in "abcd":
            return after.upper(), at + 2
        if after == "number" and at + 2 < len(words):
            after, at = words[at + 2], at + 1
        if at + 1 < len(words) and tokens[at + 1].kind == "number":
            label = _ORDINAL_LABELS.get(str(int(tokens[at + 1].number or 0)))
            return (label, at + 2) if label else None
    if tokens[at].raw in {"B", "C", "D"} and words[at - 1 : at] in (["from"], ["in"]):
        return tokens[at].raw, at + 1
    if tokens[at].kind == "ordinal" and after in _IMAGE_WORDS:
        label = _ORDINAL_LABELS.get(tokens[at].value)
        return (label, at + 2) if label else None
    if words[at] == "other" and after in _IMAGE_WORDS:
        return "B", at + 2
    if words[at] in {"reference", "ref"}:
        return "B", at + 2 if after in _IMAGE_WORDS else at + 1
    return None
