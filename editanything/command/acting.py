"""Builders: verbs that say what a thing becomes, and what somebody is to do."""

from __future__ import annotations

from editanything.command import english
from editanything.command.attributes import color_value, value_text
from editanything.command.becoming import refuse_nothing
from editanything.command.clause import Ask, Clause, Operations, each, refuse_tones
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_kind, is_person, is_picture_noun
from editanything.command.targets import one_thing
from editanything.command.types import Operation, Relation, Selector

_MAX_WORDS = 9
_IRREGULAR_ING = {"lying": "lie", "dying": "die", "tying": "tie"}


def change_of_state(clause: Clause) -> Operations | None:
    """`whiten her teeth`, `smooth the skin`, `shorten the sleeves`."""
    found, said = clause.things(), lexicon().changing.whole(clause.verb.split())
    if found is None or said is None:
        return None
    if isinstance(clause.loose.amount, dict) or clause.loose.bare is not None:
        return None  # "lengthen the skirt by 20%": nothing measures that
    attribute, _, value = said.partition(" ")
    wrinkles = lexicon().sets["wrinkles"]
    place = one_thing(clause.slot("O"), clause.talk) if clause.has("O") else None
    if clause.has("O") and place is None:
        return None

    def make(thing: Selector) -> Operation | None:
        if thing.noun in {"@image", "background"}:
            return None
        if place is not None and place.noun != "@image" and thing.relation is None:
            thing = Selector(
                thing.noun, thing.attrs, thing.count, relation=Relation("on", (place,))
            )
        if attribute == "hairstyle" and is_person(thing.noun):
            thing = Selector("hair", part_of=thing)
        if value in {"smooth", "flat", "even"} and thing.noun.split()[-1] in wrinkles:
            return Operation("remove", thing)  # "smooth out the creases in the sheet"
        refuse_nothing(thing, (attribute, value))
        return Operation("modify", thing, attribute=attribute, value=value)

    return each(found, make)


def act(clause: Clause) -> Operations | None:
    """`make the man face the camera`, `the woman should be holding a book`: what somebody does."""
    found, value = clause.things(), clause.slot("A")
    if found is None or len(value) > _MAX_WORDS or color_value(value_text(value)):
        return None
    owner = [token.word for token in clause.slot("T")] in (["her"], ["his"], ["its"])
    if owner and len(value) > 1 and _is_longer(value[-1].word):
        return None  # "make | her veil longer"
    text = value_text(value)
    if _happens(text) and not any(map(_acts, found.things)):
        return each(found, lambda thing: Operation("modify", thing, attribute="state", value=text))
    posing = lexicon().attributes["pose"].at(text.split(), 0) is not None
    if not (posing or all(map(_acts, found.things))) or not _is_deed(text.split()):
        return None
    return each(
        found, lambda thing: Operation("modify", thing, attribute=_attribute(text), value=text)
    )


def _is_longer(word: str) -> bool:
    """Whether a word says how a thing shall be: "longer", "red"."""
    quality = lexicon().sizes.whole([word]) or lexicon().filters.whole([word])
    return quality is not None or color_value(word) is not None or word.endswith("er")


def _happens(word: str) -> bool:
    """Whether one word is what a thing can do by itself: "make the candle burn"."""
    lex = lexicon()
    if word in lex.sets["no_deeds"] or word in lex.inside or is_picture_noun(word):
        return False
    if lex.said["vague"]["values"].whole([word]) or lex.scenes.whole([word]):
        return False
    known = any(phrases.whole([word]) for phrases in lex.attributes.values())
    classes = english.entry(word)
    return not known and "v" in classes and classes["v"][0] == word and "a" not in classes


def _acts(thing: Selector) -> bool:
    return is_kind(thing.noun, "person", "animal") or thing.noun == "@selection"


def _is_deed(words: list[str]) -> bool:
    """Whether words begin with a verb and go on: "raise his left hand", "holding a book"."""
    sets = lexicon().sets
    if len(words) < 2 or words[0] in sets["no_deeds"]:
        return False
    if words[0] in {"look", "looking"}:
        return words[1] in sets["looks_at"]
    base = _IRREGULAR_ING.get(words[0]) or english.verb_base(words[0])
    if base is None or "a" in english.entry(words[0]):
        return False
    return base == words[0] or words[0].endswith("ing")


def _attribute(text: str) -> str:
    """A face that changes is an expression, everything else a pose."""
    first = text.split()[:1]
    return "expression" if lexicon().attributes["expression"].whole(first) else "pose"


_FILES = {"file", "document", "folder", "app", "editor", "gallery", "website"}
_STATES = {
    "turn on": "on", "turn": "", "switch": "", "switch on": "on", "light": "lit", "turn off": "off",
    "switch off": "off", "open": "open", "open up": "open", "close": "closed", "shut": "closed",
    "break": "broken", "clean": "clean", "empty": "empty", "fill": "full", "freeze": "frozen",
    "put": "off", "blow": "off", "snuff": "off", "put out": "off", "blow out": "off",
    "snuff out": "off",
    "melt": "melted", "burn": "burning", "wet": "wet", "dry": "dry", "extinguish": "off",
    "ignite": "burning", "straighten": "straight",
}  # fmt: skip


_AGES = {"rejuvenate": "younger", "age": "older"}


def state(clause: Clause) -> Operations | None:
    """Verbs that say the new state: open, close, turn on, break, rejuvenate."""
    found = clause.things()
    if found is None:
        return None
    refuse_tones(clause)

    def make(thing: Selector) -> Operation | None:
        if thing.noun.startswith("@image"):
            return None
        if thing.noun in _FILES:
            raise Ask("unsupported", f"{clause.verb} the {thing.noun}")
        if clause.verb in _AGES:
            return Operation("modify", thing, attribute="age", value=_AGES[clause.verb])
        if clause.verb == "shave":
            return Operation("remove", thing) if is_kind(thing.noun, "accessory") else None
        if clause.verb == "straighten":
            hair = Selector("hair", part_of=thing) if thing.noun != "hair" else thing
            return Operation("modify", hair, attribute="hairstyle", value="straight")
        value = _STATES[clause.verb]
        if clause.verb in {"turn", "switch"}:
            value = clause.match.literals[-1]
        return Operation("modify", thing, attribute="state", value=value)

    return each(found, make)


def groom(clause: Clause) -> Operations | None:
    """`trim his beard`, `mow the lawn`: what grows gets shorter."""
    found, grown = clause.things(), lexicon().sets["grown"]
    if found is None or not all(thing.noun.split()[-1] in grown for thing in found.things):
        return None

    def make(thing: Selector) -> Operation:
        if thing.noun in {"hair", "bangs", "fringe", "ponytail"}:
            return Operation("modify", thing, attribute="hairstyle", value="shorter")
        return Operation("modify", thing, attribute="appearance", value="trimmed")

    return each(found, make)


def match(clause: Clause) -> Operations | None:
    """`make his shirt match her dress`: nobody has said what that looks like.

    Raises:
        Ask: no_value.
    """
    found, other = clause.things(), one_thing(clause.slot("O"), clause.talk)
    if found is None or other is None or other.image not in (None, "A"):
        return None
    raise Ask("no_value", found.things[0].noun, "What should {about} look like?", final=True)
