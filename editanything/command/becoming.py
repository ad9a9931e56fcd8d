"""Builders: a thing changes its colour, material, expression, state, hair, ..."""

from __future__ import annotations

import re
from dataclasses import replace

from editanything import colors
from editanything.command.adding import is_vague, new_parts, new_thing
from editanything.command.asides import words_of
from editanything.command.attributes import (
    FRAME,
    FRAME_NOUNS,
    LEVELS,
    classify,
    color_value,
    has_article,
    is_adjectival,
    value_text,
)
from editanything.command.changing import is_new_thing, is_transparent, replaced
from editanything.command.clause import Ask, Clause, Operations, each
from editanything.command.discourse import is_owner
from editanything.command.heads import Tokens, is_place
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_kind, is_person, is_picture_noun, singular
from editanything.command.seeming import tells
from editanything.command.types import Operation, Relation, Selector, Where


def _attribute_slot(thing: Selector, clause: Clause | None = None) -> tuple[str, Selector] | None:
    """`the color of the sofa` -> (color, sofa); None if the thing is no attribute.

    Raises:
        Ask: no_target, if nobody says whose colour it is.
    """
    words = thing.noun.split()
    found = lexicon().attribute_nouns.whole(words)
    if found == "color" and thing == Selector(thing.noun, region="background"):
        return found, Selector("background")  # "the background color"
    if found is None:
        return _attribute_last(thing, words)
    if thing.part_of is None and clause is None:
        return None
    if thing.attrs and is_kind(thing.attrs[-1], "body"):  # "the dog's fur color"
        return found, replace(thing, noun=thing.attrs[-1], attrs=thing.attrs[:-1])
    if thing.part_of is None:
        owner = clause.talk.last[-1] if clause is not None and clause.talk.last else None
        if owner is None and clause is not None:
            owner = clause.unnamed()
            if owner.noun == "@image" and found not in {"style", "lighting"}:
                raise Ask("no_target", f"change the {thing.noun} of")
        assert owner is not None
        return found, owner
    return found, replace(thing.part_of, region=thing.region or thing.part_of.region)


def _attribute_last(thing: Selector, words: list[str]) -> tuple[str, Selector] | None:
    """`the button color` -> (color, button)."""
    start = lexicon().attribute_nouns.ends(words)
    if not start or words[-1] in {"look", "cut", "state", "print", "paint", "surface"}:
        return None
    found = lexicon().attribute_nouns.whole(words[start:])
    assert found is not None
    owner = " ".join(words[:start])
    return found, replace(thing, noun="@image" if owner in FRAME_NOUNS else owner)


def modify_attribute(clause: Clause) -> Operations | None:
    """Change the color of X to Y, and the same without its value."""
    found = clause.things()
    if found is None:
        return None
    if not clause.has("A"):
        ask_for_value(found.things, clause)
        return None

    def make(thing: Selector) -> Operation | None:
        value = clause.slot("A")
        named = _attribute_slot(thing, clause)
        if named is None:
            return None
        kind, owner = named
        if kind == "color" and owner.noun == "background":
            return _background(owner, value)
        text = value_text(value)
        if kind == "color" and color_value(text) is None and classify(value, owner) is None:
            return None
        if kind == "hairstyle" and is_person(owner.noun):
            owner = Selector("hair", part_of=owner)
        if owner.noun == "@image" and kind in {"style", "color"}:
            return Operation("style", owner, value=text)
        return Operation("modify", owner, attribute=kind, value=text)

    return each(found, make)


def ask_for_value(things: tuple[Selector, ...], clause: Clause) -> None:
    """What should it become?

    Raises:
        Ask: no_value.
    """
    if things[0].noun in lexicon().scene_nouns or clause.verb in {
        "change",
        "set",
        "switch",
        "convert",
        "turn",
    }:
        raise Ask("no_value", things[0].noun)
    if _attribute_slot(things[0]) is not None:
        raise Ask("no_value", things[0].noun)


def _is_paint(clause: Clause) -> bool:
    """Whether what is put on a thing is a colour rather than another thing."""
    text = value_text(clause.slot("A"))
    if is_picture_noun(text):
        return False
    said = {"paint", "color", "colour", "tint", "shade", "dye"} & set(clause.words)
    return bool(said) or colors.parse_color(text) is None or text.split()[-1] in colors.EXAMPLES


def modify(clause: Clause) -> Operations | None:
    """A thing becomes of another colour, material, expression, ... that the lexicon knows."""
    found, value = clause.things(), clause.slot("A")
    if found is None:
        return None
    if clause.verb in {"use", "apply", "add", "put"} and not _is_paint(clause):
        return None  # "add snow on the roof", "add blush to the cheeks" are no colours

    def make(thing: Selector) -> Operation | None:
        named = _attribute_slot(thing)
        if named is None and _is_bare_quality(thing):
            return None  # "change the color to red", and nobody says whose
        if named == ("color", Selector("background")):
            return _background(named[1], value)
        if named is not None:
            return Operation("modify", named[1], attribute=named[0], value=value_text(value))
        if thing.noun == "background":
            return _background(thing, value)
        kind = classify(value, thing)
        if kind is None or not _can_become(thing, kind):
            return None
        refuse_nothing(thing, kind)
        if (
            kind[0] == "color"
            and kind[1] in lexicon().sets["hair_colors"]
            and is_person(thing.noun)
        ):
            return Operation(
                "modify", Selector("hair", part_of=thing), attribute="color", value=kind[1]
            )
        return Operation("modify", thing, attribute=kind[0], value=kind[1])

    return each(found, make)


def _can_become(thing: Selector, kind: tuple[str, str]) -> bool:
    """The whole picture takes a colour at most; a straight horizon is a turn of the picture."""
    if thing.noun == "@image":
        return kind[0] == "color"
    return not (thing.noun in LEVELS and kind[1] in {"straight", "level"})


def modify_loosely(clause: Clause) -> Operations | None:
    """The same for adjectives that the lexicon does not know, and for "make the dog a cat"."""
    found, value = clause.things(), clause.slot("A")
    if found is None or not is_said(value) or clause.verb in {"use", "apply", "add", "put"}:
        return None
    look = any("look" in literal for literal in clause.match.literals)
    if clause.slot("T")[-1].word in _SEEMING or lexicon().regions.at(words_of(value), 0):
        return None  # "make this look better", "make the cup top left blue"

    def make(thing: Selector) -> Operation | None:
        if thing.noun in FRAME or _attribute_slot(thing) is not None or _is_bare_quality(thing):
            return None
        if thing.noun in LEVELS:
            return None
        if has_article(value) and not look:
            return _into_thing(clause, thing, value)
        if not (is_adjectival(value) or look) or tells(words_of(value)):
            return None
        named = colors.is_color(value[-1].word)  # "british racing green"
        kind = "color" if named else "appearance"
        return Operation("modify", thing, attribute=kind, value=value_text(value))

    return each(found, make)


def _is_bare_quality(thing: Selector) -> bool:
    """Whether a noun by itself is no thing: "the color", "the hue"."""
    quality = lexicon().attribute_nouns.whole([thing.noun]) == "color"
    return quality and thing == Selector(thing.noun) and thing.noun not in {"paint", "shade"}


_SEEMING = {"look", "seem", "appear", "feel", "pop"}


_NEVER_SAID = {"and", "but", "to", "it", "the", "not", "out", "off", "away", "pop"}


def is_said(tokens: Tokens) -> bool:
    """Whether a value is short and plain enough to be one."""
    return 0 < len(tokens) <= 7 and all(
        t.kind in {"word", "own", "number"} and t.word not in _NEVER_SAID for t in tokens
    )


def _into_thing(clause: Clause, thing: Selector, value: Tokens) -> Operation | None:
    """`make the dog a cat`: with an article it is another thing."""
    if clause.verb not in {"make", "turn", "change"} or not is_new_thing(value):
        return None
    return replaced(thing, value_text(value))


def refuse_nothing(thing: Selector, kind: tuple[str, str]) -> None:
    """The red car cannot be made red.

    Raises:
        Ask: nothing_to_do.
    """
    if kind[1] in thing.attrs:
        raise Ask("nothing_to_do", " ".join([*thing.attrs, thing.noun]))


def _background(thing: Selector, value: Tokens) -> Operation | None:
    """A background of one colour, or another one: its pixels are replaced."""
    text = value_text(value)
    if is_transparent(text):
        return Operation("remove", thing)
    color = color_value(text)
    if color is not None and not (colors.comparative(text) or text.endswith("er")):
        return Operation("replace", thing, value=color)
    if color is not None:
        return Operation("modify", thing, attribute="color", value=color)
    kind = classify(value, thing)
    shown = is_picture_noun(text.split()[-1]) and kind is not None and kind[0] == "appearance"
    if (has_article(value) or shown) and is_new_thing(value):
        return Operation("replace", thing, value=text)
    return None if kind is None else Operation("modify", thing, attribute=kind[0], value=kind[1])


def make_from(clause: Clause) -> Operations | None:
    """`make the table out of marble`, `cover the roof with snow`."""
    found, value = clause.things(), clause.slot("A")
    if found is None:
        return None
    if is_owner(value[0].word):
        return None  # "make the sleeves of her dress longer"
    text = value_text(value)
    covered = clause.verb not in {"make", "build", "recreate", "have"}
    material = lexicon().attributes["material"].whole(text.split()) is not None

    def make(thing: Selector) -> Operation | None:
        if clause.verb in {"fill", "cover"} and is_said(value) and _is_blank(thing, clause.verb):
            return replaced(thing, text)
        if thing.noun in FRAME or not is_said(value):
            return None
        if (
            not material
            and (clause.verb in {"make", "build", "recreate", "have"})
            and has_article(clause.slot("T"))
        ):
            return None
        if "be" in clause.match.literals[1:2] and not material:
            return None
        if covered and not material:
            color = color_value(text)
            if color is not None and not is_picture_noun(text):
                return Operation("modify", thing, attribute="color", value=color)
            how = _COVERED.get(clause.verb, "covered in")
            return Operation("modify", thing, attribute="appearance", value=f"{how} {text}")
        return Operation("modify", thing, attribute="material", value=text)

    return each(found, make)


_BLANKS = {"hole", "gap", "space", "crack", "spot", "area", "patch", "emptiness", "void"}


def _is_blank(thing: Selector, verb: str) -> bool:
    """Whether filling a thing puts something in its place: a hole, the selection."""
    return thing.noun == "background" or (
        verb == "fill" and (thing.noun == "@selection" or thing.noun in _BLANKS)
    )


_COVERED = {
    "fill": "filled with", "surround": "surrounded by", "line": "lined with",
    "decorate": "decorated with", "adorn": "decorated with", "wrap": "wrapped in",
    "top": "topped with", "drape": "draped in",
}  # fmt: skip


def give(clause: Clause) -> Operations | None:
    """Give X a Y haircut, blue eyes, a hat."""
    found, value = clause.things(), clause.slot("V")
    if found is None or not value or found.things[0].noun in FRAME:
        return None
    if value[0].word in {"the", "this", "that"}:
        return None  # "give me the dog", "give the phone to the girl": it is there already
    if is_vague([token.word for token in value]):
        raise Ask("vague", found.things[0].noun)
    if clause.slot("T")[-1].word in {"all", "both", "each", "every"} and len(value) > 1:
        return None  # "give all | the men beards"
    words = value_text(value).split()
    if is_place(value[0]) or lexicon().deeds.whole(words[-1:]) in {"rotate", "flip"}:
        return None  # "give the woman on the left | curly hair", "give the wheel a spin"
    parts = new_parts(value)
    if len(parts) > 1 and all(map(new_thing, parts)):
        given = [_one_given(thing, part) for thing in found.things for part in parts]
        return tuple(operation for operation in given if operation is not None)
    if {"a", "an"} & set(words):
        return None  # "give the shed a lick of paint": cut inside "the garden shed"
    return each(found, lambda thing: _one_given(thing, value))


def _one_given(thing: Selector, value: Tokens) -> Operation | None:
    words = value_text(value).split()
    return _haircut(thing, words) or _quality(thing, words) or _given(thing, value)


def _haircut(thing: Selector, words: list[str]) -> Operation | None:
    """A bob, a buzz cut, a short haircut, red hair: the hair of the one who gets it."""
    hair, text = Selector("hair", part_of=thing), " ".join(words)
    if is_person(thing.noun) and lexicon().attributes["hairstyle"].whole(words) is not None:
        return Operation("modify", hair, attribute="hairstyle", value=text)
    if len(words) < 2 or not (words[-1] == "hair" or _attribute_noun(words) == "hairstyle"):
        return None
    said = " ".join(words[:-1])
    kind = "color" if color_value(said) else "hairstyle"
    return Operation("modify", hair, attribute=kind, value=said)


def _attribute_noun(words: list[str]) -> str | None:
    return lexicon().attribute_nouns.whole(words[-1:])


def _quality(thing: Selector, words: list[str]) -> Operation | None:
    """A rough texture, a smile, blue eyes."""
    noun, text = singular(words[-1])[0], " ".join(words)
    named = _attribute_noun(words)
    if named is not None and len(words) > 1 and not {"a", "an", "the"} & set(words):
        said = _COAT.sub("", " ".join(words[:-1]) + " ").strip()
        if not said:
            raise Ask("no_value", thing.noun)  # "a lick of paint"
        return Operation("modify", thing, attribute=named, value=color_value(said) or said)
    alive = is_kind(thing.noun, "person", "animal")
    if alive and lexicon().attributes["expression"].whole([noun]) is not None:
        return Operation("modify", thing, attribute="expression", value=text)
    growable = lexicon().attributes["hairstyle"].whole([noun]) is not None or noun == "tail"
    plain = not {"on", "in", "the", "a", "with", "at", "of"} & set(words[:-1])
    if is_kind(noun, "body") and len(words) > 1 and plain and not growable:
        return _body_part(thing, words)
    return None


_COAT = re.compile(
    r"^((fresh|new|nice|quick|good|light) )?(lick|coat|splash|dash|layer|touch|pop|spray) of "
)


def _body_part(thing: Selector, words: list[str]) -> Operation | None:
    noun, plural = singular(words[-1])
    part = Selector(noun, count="all" if plural else 1, part_of=thing)
    said = " ".join(words[:-1])
    kind = "color" if color_value(said) else "appearance"
    return Operation("modify", part, attribute=kind, value=said)


def _given(thing: Selector, value: Tokens) -> Operation | None:
    made = new_thing(value)
    if made is None:
        return None
    if made == ("glass", "all") and is_person(thing.noun):
        made = ("glasses", 1)
    return Operation("add", value=made[0], count=made[1], where=Where(Relation("on", (thing,))))
