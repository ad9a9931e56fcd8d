"""Why a sentence is not carried out, and the one question to ask back."""

from __future__ import annotations

import re

from editanything.command.asides import words_of
from editanything.command.constructions import grammar, verb_length
from editanything.command.discourse import Discourse, Unresolved
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_picture_noun
from editanything.command.targets import targets
from editanything.command.types import REJECTED, Command

_QUESTIONS = {
    "empty": "What should be changed in the picture?",
    "nonsense": "I did not understand {about}; what should be changed, and how?",
    "no_target": "What should I {about}?",
    "no_operation": "What should be done with {about}?",
    "no_value": "What should {about} become?",
    "unresolved_reference": "What do you mean by {about}? Click it in the picture or name it.",
    "contradiction": "{about} cannot be both; which of the two do you want?",
    "nothing_to_do": "That changes nothing; what should be different?",
    "missing_source": "There is no {about} yet; which picture should it come from?",
    "vague": "What exactly should be different about {about}?",
    "not_an_edit": "I only edit pictures; what should be changed in this one?",
    "unsupported": "I cannot do that ({about}); is there another change that would help?",
    "unsafe": "I do not make such pictures ({about}); is there another change?",
}


#: What can be done in place of something usual that cannot.
_INSTEAD = {
    "red eye": "I cannot take the red of a flash out of eyes by itself; say which colour they "
    "should have, for example “make the eyes brown”.",
}


def refuse(
    text: str, reason: str, about: str = "", unknown: tuple[str, ...] = (), question: str = ""
) -> Command:
    """The command that asks back or says no."""
    named = _named(reason, about, unknown)
    return Command(
        text,
        "reject" if reason in REJECTED else "clarify",
        reason,
        question=(question or _INSTEAD.get(about) or _QUESTIONS[reason]).format(about=named)[:300],
        not_understood=unknown,
    )


def _named(reason: str, about: str, unknown: tuple[str, ...]) -> str:
    about = " ".join(about.replace("@selection", "the selection").split()[:12])
    about = about.replace("@image", "the picture")
    if reason == "nonsense":
        return ", ".join(f"“{word}”" for word in unknown[:5]) or f"“{about}”"
    if reason in {"unresolved_reference", "unsupported", "unsafe", "contradiction"}:
        return f"“{about}”" if about else "that"
    if reason == "no_target":
        return about or "change"
    if reason in {"no_operation", "no_value", "vague"} and about[:1].isalpha():
        return about if about.split()[0] in _DETERMINED else f"the {about}"
    return about or "it"


_DETERMINED = {
    "the", "a", "it", "an", "this", "that", "these", "those", "my", "your", "his", "her", "its",
    "our", "their", "all", "both", "every", "each", "some", "them", "what", "where", "how",
}  # fmt: skip


def opening_refusal(words: list[str], asked: bool, question_mark: bool) -> str | None:
    """A reason that the first words alone give: chat, a question, "do nothing"."""
    said = lexicon().said
    body = [word for word in words if word not in {".", ",", ""}]
    if said["nothing"]["words"].whole(body) is not None:
        return "nothing_to_do"
    if said["chat"]["words"].whole(body) is not None:
        return "not_an_edit"
    chat = said["chat"]["words"].at(body, 0)
    if (
        chat is not None
        and chat[1] > 1
        and not any(word in grammar().by_first for word in body[chat[1] :])
    ):
        return "not_an_edit"
    tells = {"tell", "describe", "explain", "recognize", "guess"}
    if asked and body and (body[0] in tells or (question_mark and body[0] == "see")):
        return "not_an_edit"
    opener = said["questions"]["words"].at(body, 0)
    if opener is None or asked:
        return None
    wish = said["wishes"]["words"].at(body, 0)
    if wish is not None:
        return None
    return "not_an_edit" if question_mark or body[0] not in grammar().by_first else None


def unsafe_words(words: list[str]) -> str | None:
    """The unsafe words of a sentence, None if it has none."""
    unsafe = lexicon().said["unsafe"]
    for at in range(len(words)):
        found = unsafe["words"].at(words, at)
        if found is not None:
            return " ".join(words[at : found[1]])
    see_through = {"transparent", "invisible", "see-through", "translucent"} & set(words)
    if see_through and any(unsafe["garments"].at(words, at) for at in range(len(words))):
        return " ".join(sorted(see_through))
    return None


def explain(tokens: Tokens, talk: Discourse) -> tuple[str, str, tuple[str, ...]]:
    """Why no construction fits: the reason, what it is about, the words not understood."""
    words = words_of(tokens)
    unknown = tuple(token.raw for token in tokens if not token.known)
    content = [token for token in tokens if token.kind == "word" and len(token.word) > 1]
    if unknown and 2 * len(unknown) > len(content):
        return "nonsense", " ".join(words), unknown
    plain = plainly(tokens)
    if plain is not None:
        return (*plain, unknown)
    return (*_missing(words, tokens, talk), unknown or tuple(token.raw for token in tokens)[:8])


_BARE = [[verb] for verb in ("change", "modify", "alter", "transform", "edit", "adjust", "correct")]
_ARTICLES = {"the", "my", "this", "that", "its", "any"}
_PREPOSITIONS = {"to", "on", "in", "at", "from", "with", "into", "onto", "of", "by", "for"}


def plainly(tokens: Tokens) -> tuple[str, str] | None:
    """The reason and what it is about, where single words already give it: vague, unsupported."""
    words = words_of(tokens)
    if _is_red_eye(words):
        return "unsupported", "red eye"
    return _vague(words) or _unsupported(words)


def _is_red_eye(words: list[str]) -> bool:
    """`fix the red eyes`, `red eye removal`: the red of a flash in the eyes."""
    eyes = [at for at in range(1, len(words)) if words[at] in {"eye", "eyes"}]
    mends = lexicon().said["vague"]["verbs"].at(words, 0) is not None
    mends = mends or words[0] in {"remove", "reduce", "red"} or "removal" in words
    return mends and any(words[at - 1] == "red" for at in eyes)


def _vague(words: list[str]) -> tuple[str, str] | None:
    said = lexicon().said["vague"]
    found = said["verbs"].at(words, 0)
    if words in _BARE:
        return "no_target", words[0]
    if len(words) > 2 and words[0] in NEEDS_VALUE and words[-1] in {"to", "into", "with"}:
        return None  # "change the shirt to": the value is missing
    named = [word for word in words[found[1] :] if word not in _ARTICLES] if found else []
    if lexicon().said["unsupported"]["quantities"].whole(named) is not None:
        return "unsupported", " ".join(named)
    if found is not None and words[0] not in {"transform", "alter", "modify"}:
        return "vague", " ".join(words[found[1] :]) or "the picture"
    if found is not None and found[1] == len(words):
        return "vague", "the picture"
    if (
        words[0] in {"make", "turn", "get", "have", "render", "change", "let", "keep"}
        or words[0] not in grammar().by_first
    ):
        start = said["values"].ends(words)
        if start is not None and (start > 0 or len(words) == 1):
            return "vague", " ".join(
                word
                for word in words[1:start]
                if word not in {"look", "a", "bit", "more", "be", "much"}
            )
    return None


def _unsupported(words: list[str]) -> tuple[str, str] | None:
    said = lexicon().said["unsupported"]
    verb = said["verbs"].at(words, 0)
    if verb is not None:
        return "unsupported", " ".join(words[: verb[1]])
    for phrases in (said["values"], said["quantities"]):
        for at in range(1, len(words)):
            found = phrases.at(words, at)
            if found is not None and words[0] in grammar().by_first:
                return "unsupported", " ".join(words[at : found[1]])
    if said["quantities"].ends(words) is not None or _is_format(words):
        return "unsupported", " ".join(words)
    return None


def _is_format(words: list[str]) -> bool:
    """`crop it to 16:9`, `make the photo square`, `trim 20 px off the bottom`: a new frame."""
    if any(_RATIO.fullmatch(word) for word in words):
        return words[0] in grammar().by_first
    sized = (at for at in range(1, len(words) - 1) if words[at] == "x")
    if any(words[at - 1].isdigit() and words[at + 1].isdigit() for at in sized):
        return words[0] in grammar().by_first  # "resize to 800x600"
    if words[-1] in _FORMATS and words[0] in {"make", "turn", "crop"}:
        return any(is_picture_noun(word) for word in words) or "it" in words
    trims = words[0] in {"crop", "trim", "cut", "chop", "shave", "slice", "clip", "take"}
    measured = bool({"px", "pixels", "percent", "pixel", "inch", "inches", "cm"} & set(words))
    edges = {"off", "from", "top", "bottom", "left", "right", "side", "sides", "edge", "edges"}
    return trims and measured and any(set(word.split()) & edges for word in words)


_RATIO = re.compile(r"\d{1,2}:\d{1,2}")
_FORMATS = {"square", "widescreen", "portrait", "landscape", "vertical", "horizontal"}


def _missing(words: list[str], tokens: Tokens, talk: Discourse) -> tuple[str, str]:
    """Only a verb, a verb and a thing, only a thing, or neither."""
    verb = verb_length(words) or int(words[0] in NEEDS_VALUE)
    if verb == len(words):
        return "no_target", " ".join(words)
    if verb and _dangling(tokens[verb:], talk):
        return "unresolved_reference", " ".join(words[verb:])
    if verb and (words[verb] in _PREPOSITIONS or tokens[verb].kind == "relation"):
        return "no_target", " ".join(words[:verb])
    if verb and words[0] in NEEDS_VALUE:
        if is_plain_thing(tokens[verb:], talk):
            return "no_value", " ".join(words[verb:])
        stop = next(
            (
                at
                for at in range(len(words) - 1, verb, -1)
                if words[at] in {"to", "with", "into", "by"}
            ),
            0,
        )
        if stop and is_plain_thing(tokens[verb:stop], talk) and stop + 1 == len(words):
            return "no_value", " ".join(words[verb:stop])
        return "vague", " ".join(words[verb:])
    if is_plain_thing(tokens, talk):
        return "no_operation", " ".join(words)
    if verb:
        return (
            ("no_target", words[0]) if len(words) - verb <= 2 else ("vague", " ".join(words[verb:]))
        )
    if any(is_picture_noun(word) for word in words):
        return "no_operation", " ".join(words)
    return (
        ("no_operation", " ".join(words))
        if _mostly_english(tokens)
        else ("nonsense", " ".join(words))
    )


NEEDS_VALUE = {
    "make", "change", "turn", "replace", "swap", "substitute", "convert", "transform", "set",
    "alter", "modify", "switch", "exchange", "paint", "color", "dye", "tint", "recolor", "give",
    "dress", "trade", "colour", "repaint",
}  # fmt: skip


def is_plain_thing(tokens: Tokens, talk: Discourse) -> bool:
    """Whether words only name things."""
    try:
        return bool(tokens) and targets(tokens, talk) is not None
    except Unresolved:
        return True


def _dangling(tokens: Tokens, talk: Discourse) -> bool:
    """Whether the words are a pronoun with nothing to refer to."""
    try:
        targets(tokens, talk)
    except Unresolved:
        return True
    return False


def _mostly_english(tokens: Tokens) -> bool:
    return all(token.known for token in tokens)
