"""Builders: remove, select, replace, exchange, modify, text, style and scene."""

from __future__ import annotations

from dataclasses import replace

from editanything import colors
from editanything.command.attributes import (
    classify,
    color_value,
    has_article,
    is_adjectival,
    is_style,
    value_text,
)
from editanything.command.clause import Ask, Clause, Operations, each
from editanything.command.lexicon import lexicon
from editanything.command.nouns import can_be_noun, is_kind, is_person, singular
from editanything.command.phrases import Tokens
from editanything.command.targets import one_thing, targets
from editanything.command.types import Operation, Relation, Selector

_FRAME = {"@image", "background"}


def remove(clause: Clause) -> Operations | None:
    """Remove things; "from the picture" says nothing, "from the table" is a relation."""
    found = clause.things()
    if found is None:
        return None
    place = one_thing(clause.slot("O"), clause.talk) if clause.has("O") else None
    if clause.has("O") and place is None:
        return None

    def make(thing: Selector) -> Operation | None:
        if place is not None and place.noun != "@image":
            if place.noun == "background":
                thing = replace(thing, region="background")
            elif thing.relation is None:
                thing = replace(thing, relation=Relation("on", (place,)))
        refuse_undressing(thing)
        return Operation("remove", thing)

    return each(found, make)


_INTIMATE = {"bra", "panties", "lingerie", "underwear", "bikini", "boxers", "swimsuit"}


def refuse_undressing(thing: Selector) -> None:
    """Taking away what people wear on the body is refused.

    Raises:
        Ask: unsafe.
    """
    garments = lexicon().said["unsafe"]["garments"]
    owner = thing.part_of
    if owner is None and thing.relation is not None and thing.relation.rel in {"on", "wearing"}:
        owner = thing.relation.anchors[0]
    if thing.noun in _INTIMATE and thing.relation is None:
        raise Ask("unsafe", thing.noun)
    if owner is not None and is_person(owner.noun) and garments.whole(thing.noun.split()):
        raise Ask("unsafe", thing.noun)


def unsafe_strip(clause: Clause) -> Operations | None:
    """ "take the shirt off her", "strip him out of his clothes"."""
    thing, place = one_thing(clause.slot("T"), clause.talk), None
    if clause.has("O"):
        place = one_thing(clause.slot("O"), clause.talk)
    if thing is None or (clause.has("O") and place is None):
        return None
    garments = lexicon().said["unsafe"]["garments"]
    if "undress" in clause.verb or (
        place is not None and garments.whole(thing.noun.split()) and is_person(place.noun)
    ):
        raise Ask("unsafe", thing.noun)
    return None


def keep_only(clause: Clause) -> Operations | None:
    """Keep only X: everything else goes."""
    found = clause.things()
    if found is None or len(found.things) != 1:
        return None
    return (Operation("remove", Selector("*", count="all", exclude=found.things[0])),)


def exchange(clause: Clause) -> Operations | None:
    """Two things swap places."""
    pair = _pair(clause)
    if pair is None:
        return None
    if pair[0] == pair[1]:
        raise Ask("nothing_to_do", pair[0].noun)
    return (Operation("exchange", pair[0], other=pair[1]),)


_DEFINITE = {"the", "this", "that", "his", "her", "its", "my", "your", "their"}


def _pair(clause: Clause) -> tuple[Selector, Selector] | None:
    """The two things of "X and Y", "X with the Y", "the two X"."""
    found = clause.things()
    if found is None:
        return None
    if clause.has("O"):
        if len(found.things) != 1 or clause.slot("O")[0].word not in _DEFINITE:
            return None
        talk = clause.talk.copy()
        talk.name(*found.things)
        second = one_thing(clause.slot("O"), talk)
        return None if second is None else (found.things[0], second)
    if len(found.things) == 1 and found.things[0].count == 2:
        both = replace(found.things[0], count=1)
        return replace(both, ordinal=(1, "left")), replace(both, ordinal=(2, "left"))
    return (found.things[0], found.things[1]) if len(found.things) == 2 else None


def replace_with(clause: Clause) -> Operations | None:
    """Something new in the place of a thing."""
    found, new = clause.things(), clause.slot("V")
    if found is None or not is_new_thing(new) or "from" in [token.word for token in new[:1]]:
        return None
    joint = clause.match.literals[-1]
    plain_change = joint in {"to", "for"} and clause.verb not in {"replace", "substitute"}
    text = value_text(new)
    if clause.verb in {
        "turn",
        "change",
        "convert",
        "transform",
        "make",
        "set",
        "alter",
        "modify",
        "switch",
    }:
        if color_value(text) and found.things[0].noun != "background":
            return None
        if all(thing.noun in {"@image"} for thing in found.things):
            return None
        if not has_article(new) and plain_change and classify(new, found.things[0]):
            return None
        if is_style(text) and (found.things[0].noun != "background"):
            return None
    if _attribute_slot(found.things[0]) is not None:
        return None
    if any(thing.noun in {"text", "word"} for thing in found.things) and new[0].kind == "quote":
        return None
    return each(found, lambda thing: _replaced(thing, _of_same_kind(text, thing)))


def _of_same_kind(text: str, thing: Selector) -> str:
    """ "the blue one" is another thing of the kind that it replaces."""
    words = text.split()
    return (
        " ".join([*words[:-1], thing.noun])
        if len(words) > 1 and words[-1] in {"one", "ones"}
        else text
    )


def _replaced(thing: Selector, text: str) -> Operation:
    if text in {thing.noun, " ".join([*thing.attrs, thing.noun])}:
        raise Ask("nothing_to_do", thing.noun)
    return Operation("replace", thing, value=text)


def is_new_thing(tokens: Tokens) -> bool:
    """Whether the words can name a new thing: they end, or their noun ends, in a noun."""
    words = [token.word for token in tokens]
    if not tokens or len(tokens) > 16 or words[-1] in {"the", "a", "to", "with", "of", "and", "by"}:
        return False
    if tokens[0].kind in {"quote", "relation", "region", "toward", "comma"} or words[0] in {
        "the_",
        "to",
        "of",
        "and",
        "it",
    }:
        return False
    return any(
        t.kind == "color" or (t.kind == "word" and can_be_noun(t.word)) or color_value(t.word)
        for t in tokens
    )


def put_instead(clause: Clause) -> Operations | None:
    """ "put a lamp instead of the vase", "substitute a tree for the pole"."""
    new = clause.slot("V")
    if not is_new_thing(new):
        return None
    talk = clause.talk.copy()
    talk.noun = singular(new[-1].word)[0]
    found = targets(clause.slot("T"), talk)
    if found is None:
        return None
    return each(found, lambda thing: _replaced(thing, value_text(new)))


# --- text -----------------------------------------------------------------------------------------


def edit_text(clause: Clause) -> Operations | None:
    """Words in the picture change; the new words keep their letters as typed."""
    quote, thing = clause.slot("Q"), one_thing(clause.slot("T"), clause.talk)
    if thing is None or not quote:
        return None
    quoted = len(quote) == 1 and quote[0].kind == "quote"
    lex = lexicon()
    is_text = lex.groups["text"].whole([thing.noun]) is not None
    says = any(word in clause.match.literals for word in ("say", "read", "show", "display", "spell")) or any(lit.split()[-1] in {"say", "read", "says", "reads"} for lit in clause.match.literals)  # fmt: skip
    if not quoted and not (is_text or says):
        return None
    if not quoted and (is_text and not says) and classify(quote, thing) is not None:
        return None
    if not quoted and any(token.kind == "quote" for token in quote):
        return None
    value = quote[0].value if quoted else " ".join(token.raw for token in quote)
    return (Operation("edit_text", thing, value=value),)


# --- attributes -----------------------------------------------------------------------------------


def _attribute_slot(thing: Selector, clause: Clause | None = None) -> tuple[str, Selector] | None:
    """`the color of the sofa` -> (color, sofa); None if the thing is no attribute.

    Raises:
        Ask: no_target, if nobody says whose colour it is.
    """
    found = lexicon().attribute_nouns.whole(thing.noun.split())
    if found is None or (thing.part_of is None and clause is None):
        return None
    if thing.part_of is None:
        owner = clause.talk.last[-1] if clause is not None and clause.talk.last else None
        if owner is None and clause is not None:
            owner = clause.unnamed()
            if owner.noun == "@image" and found not in {"style", "lighting"}:
                raise Ask("no_target", f"change the {thing.noun} of")
        assert owner is not None
        return found, owner
    return found, replace(thing.part_of, region=thing.region or thing.part_of.region)


def modify_attribute(clause: Clause) -> Operations | None:
    """Change the color of X to Y, and the same without its value."""
    found = clause.things()
    if found is None:
        return None
    if not clause.has("A"):
        return _no_value(found.things, clause)

    def make(thing: Selector) -> Operation | None:
        named = _attribute_slot(thing, clause)
        if named is None:
            return None
        kind, owner = named
        value = clause.slot("A")
        text = value_text(value)
        if kind == "color" and color_value(text) is None and classify(value, owner) is None:
            return None
        if kind == "hairstyle" and is_person(owner.noun):
            owner = Selector("hair", part_of=owner)
        if owner.noun == "@image" and kind in {"style", "color"}:
            return Operation("style", owner, value=text)
        return Operation("modify", owner, attribute=kind, value=text)

    return each(found, make)


def _no_value(things: tuple[Selector, ...], clause: Clause) -> None:
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


def modify(clause: Clause) -> Operations | None:
    """A thing becomes of another colour, material, expression, ... that the lexicon knows."""
    found, value = clause.things(), clause.slot("A")
    if found is None:
        return None

    def make(thing: Selector) -> Operation | None:
        named = _attribute_slot(thing)
        if named is not None:
            return Operation("modify", named[1], attribute=named[0], value=value_text(value))
        if thing.noun == "background":
            return _background(thing, value)
        kind = classify(value, thing)
        if kind is None or (thing.noun == "@image" and kind[0] != "color"):
            return None
        refuse_nothing(thing, kind)
        return Operation("modify", thing, attribute=kind[0], value=kind[1])

    return each(found, make)


def modify_loosely(clause: Clause) -> Operations | None:
    """The same for adjectives that the lexicon does not know, and for "make the dog a cat"."""
    found, value = clause.things(), clause.slot("A")
    if found is None or not is_said(value):
        return None
    look = any("look" in literal for literal in clause.match.literals)

    def make(thing: Selector) -> Operation | None:
        if thing.noun in _FRAME or _attribute_slot(thing) is not None:
            return None
        if has_article(value) and not look:
            return _into_thing(clause, thing, value)
        if not (is_adjectival(value) or look):
            return None
        return Operation("modify", thing, attribute="appearance", value=value_text(value))

    return each(found, make)


def is_said(tokens: Tokens) -> bool:
    """Whether a value is short and plain enough to be one."""
    return 0 < len(tokens) <= 7 and all(
        t.kind in {"word", "own", "number"}
        and t.word not in {"and", "but", "to", "it", "the", "not"}
        for t in tokens
    )


def _into_thing(clause: Clause, thing: Selector, value: Tokens) -> Operation | None:
    """ "make the dog a cat": with an article it is another thing."""
    if clause.verb not in {"make", "turn", "change"} or not is_new_thing(value):
        return None
    return _replaced(thing, value_text(value))


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
    color = color_value(text)
    if color is not None and not (colors.comparative(text) or text.endswith("er")):
        return Operation("replace", thing, value=color)
    if color is not None:
        return Operation("modify", thing, attribute="color", value=color)
    kind = classify(value, thing)
    if has_article(value) and is_new_thing(value):
        return Operation("replace", thing, value=text)
    return None if kind is None else Operation("modify", thing, attribute=kind[0], value=kind[1])


def make_from(clause: Clause) -> Operations | None:
    """ "make the table out of marble", "cover the roof with snow"."""
    found, value = clause.things(), clause.slot("A")
    if found is None:
        return None
    text = value_text(value)
    covered = clause.verb not in {"make", "build", "recreate", "have"}
    material = lexicon().attributes["material"].whole(text.split()) is not None

    def make(thing: Selector) -> Operation | None:
        if thing.noun in _FRAME or not is_said(value):
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
            if color is not None:
                return Operation("modify", thing, attribute="color", value=color)
            return Operation("modify", thing, attribute="appearance", value=f"covered in {text}")
        return Operation("modify", thing, attribute="material", value=text)

    return each(found, make)


_STATES = {
    "turn on": "on", "turn": "", "switch": "", "switch on": "on", "light": "lit", "turn off": "off",
    "switch off": "off", "open": "open", "open up": "open", "close": "closed", "shut": "closed",
    "break": "broken", "clean": "clean", "empty": "empty", "fill": "full", "freeze": "frozen",
    "melt": "melted", "burn": "burning", "wet": "wet", "dry": "dry", "extinguish": "off",
    "ignite": "burning", "straighten": "straight",
}  # fmt: skip
_AGES = {"rejuvenate": "younger", "age": "older"}


def state(clause: Clause) -> Operations | None:
    """Verbs that say the new state: open, close, turn on, break, rejuvenate."""
    found = clause.things()
    if found is None:
        return None

    def make(thing: Selector) -> Operation | None:
        if thing.noun.startswith("@image"):
            return None
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


def give(clause: Clause) -> Operations | None:
    """Give X a Y haircut, blue eyes, a hat."""
    found, value = clause.things(), clause.slot("V")
    if found is None or not value or found.things[0].noun in _FRAME:
        return None
    words = value_text(value).split()
    noun = singular(words[-1])[0]
    attribute = lexicon().attribute_nouns.whole([words[-1]])

    def make(thing: Selector) -> Operation | None:
        if attribute == "hairstyle" or (noun == "hair" and len(words) > 1):
            hair = Selector("hair", part_of=thing)
            said = " ".join(words[:-1])
            if color_value(said):
                return Operation("modify", hair, attribute="color", value=said)
            return Operation("modify", hair, attribute="hairstyle", value=said)
        if attribute is not None and len(words) > 1:
            return Operation("modify", thing, attribute=attribute, value=" ".join(words[:-1]))
        if lexicon().attributes["expression"].whole([noun]) and is_kind(
            thing.noun, "person", "animal"
        ):
            return Operation("modify", thing, attribute="expression", value=" ".join(words))
        if (
            is_kind(noun, "body")
            and len(words) > 1
            and noun not in {"bob", "mohawk", "ponytail", "bun", "braid", "stubble", "tail"}
        ):
            return _body_part(thing, words)
        if lexicon().attributes["hairstyle"].whole(words) and is_person(thing.noun):
            hair = Selector("hair", part_of=thing)
            return Operation("modify", hair, attribute="hairstyle", value=" ".join(words))
        return _given(thing, value)

    return each(found, make)


def _body_part(thing: Selector, words: list[str]) -> Operation | None:
    noun, plural = singular(words[-1])
    part = Selector(noun, count="all" if plural else 1, part_of=thing)
    said = " ".join(words[:-1])
    kind = "color" if color_value(said) else "appearance"
    return Operation("modify", part, attribute=kind, value=said)


def _given(thing: Selector, value: Tokens) -> Operation | None:
    from editanything.command.adding import new_thing
    from editanything.command.types import Where

    made = new_thing(value)
    if made is None:
        return None
    return Operation("add", value=made[0], count=made[1], where=Where(Relation("on", (thing,))))


# --- the picture as a whole -----------------------------------------------------------------------


def scene(clause: Clause) -> Operations | None:
    """Time of day, season or weather of the whole picture."""
    text = value_text(clause.slot("E"))
    for tail in (" time", " season", " weather", " scene", " outside", " mode"):
        if lexicon().scenes.whole(text.split()) is None:
            text = text.removesuffix(tail)
    if lexicon().scenes.whole(text.split()) is None or not _is_impersonal(clause):
        return None
    return (Operation("scene", Selector("@image"), value=text),)


def _is_impersonal(clause: Clause) -> bool:
    """Whether the thing that becomes night is the scene itself."""
    words = [token.word for token in clause.slot("T")]
    while words and words[0] in {"the", "this", "whole", "entire", "my", "a", "that", "all"}:
        words = words[1:]
    if not words or words == ["it"] or words == ["everything"]:
        return not (words == ["it"] and clause.talk.last and not _is_frame(clause))
    text = " ".join(words)
    if text in lexicon().scene_nouns or lexicon().groups["image"].whole(words):
        return True
    return all(
        lexicon().groups["image"].whole([w])
        or w in lexicon().scene_nouns
        or w in {"in", "of", "the", "'s", "picture"}
        for w in words
    )


def _is_frame(clause: Clause) -> bool:
    return all(thing.noun in _FRAME for thing in clause.talk.last)


_LOOKS = (" style", " filter", " effect", " look", " aesthetic", " vibe", " feel", " picture", " image", " photo", " photograph", " version", " treatment", " theme", " like", " styled")  # fmt: skip


def style(clause: Clause) -> Operations | None:
    """Another look for the whole picture, or for one thing."""
    if clause.verb in {
        "cartoonify",
        "cartoonize",
        "cartoonise",
        "animefy",
        "ghiblify",
        "anime-fy",
        "pixarify",
    }:
        text = (
            "anime"
            if "anime" in clause.verb
            else "ghibli"
            if "ghibli" in clause.verb
            else "pixar"
            if "pixar" in clause.verb
            else "cartoon"
        )
    else:
        text = value_text(clause.slot("L"))
    for lead in (
        "style of ",
        "the style of ",
        "in the style of ",
        "like ",
        "in ",
        "look of ",
        "made by ",
    ):
        text = text.removeprefix(lead)
    text = value_text_of(text)
    for tail in _LOOKS:
        shorter = text.removesuffix(tail)
        if is_style(shorter) or tail in {" style", " filter", " effect", " look", " aesthetic"}:
            text = shorter
    if not text or len(text.split()) > 7 or color_value(text):
        return None
    if clause.has("T"):
        found = (
            clause.things()
            if [t.word for t in clause.slot("T")] != ["it"]
            or clause.talk.last
            or clause.talk.selection
            else None
        )
        things = (
            found.things
            if found is not None
            else (Selector("@image"),)
            if [t.word for t in clause.slot("T")] == ["it"]
            else ()
        )
    else:
        things = (Selector("@image"),)
    if not things:
        return None
    return _styled(clause, things, text)


def value_text_of(text: str) -> str:
    """`text` without a leading article."""
    words = text.split()
    return " ".join(
        words[1:] if len(words) > 1 and words[0] in {"a", "an", "the", "its"} else words
    )


def _styled(clause: Clause, things: tuple[Selector, ...], text: str) -> Operations | None:
    whole = all(thing.noun == "@image" for thing in things)
    said_style = "style" in clause.words or any(
        "style" in literal for literal in clause.match.literals
    )
    if not is_style(text) and not (
        said_style
        or (
            whole
            and len(clause.match.literals) > 1
            and clause.match.literals[1]
            in {"into", "in the style of", "look like", "like", "as", "in to", "to look like"}
        )
    ):
        return None
    if lexicon().said["unsupported"]["values"].whole(text.split()) is not None:
        return None
    if any(token.kind == "relation" for token in clause.slot("L")):
        return None
    if whole:
        return tuple(Operation("style", thing, value=text) for thing in things)
    if any(thing.noun == "background" for thing in things) and not is_style(text):
        return None
    return tuple(Operation("modify", thing, attribute="style", value=text) for thing in things)
