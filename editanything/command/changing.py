"""Builders: remove, select, replace, exchange, modify, text, style and scene."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.attributes import (
    FRAME,
    classify,
    color_value,
    has_article,
    is_style,
    value_text,
)
from editanything.command.clause import Ask, Clause, Operations, each
from editanything.command.constructions import grammar
from editanything.command.discourse import IMAGE
from editanything.command.following import eyewear
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.nouns import (
    can_be_noun,
    is_kind,
    is_person,
    is_picture_noun,
    singular,
)
from editanything.command.pictures import take_image
from editanything.command.targets import one_thing, targets
from editanything.command.types import Operation, Relation, Selector


def remove(clause: Clause) -> Operations | None:
    """Remove things; "from the picture" says nothing, "from the table" is a relation."""
    found = clause.things()
    if found is None:
        return None
    if clause.verb in {"clean up", "cleanup"} and {t.noun for t in found.things} & FRAME:
        return None  # a picture that is cleaned up is still there
    sides = {thing.noun for thing in found.things if thing.part_of is None}
    if clause.verb in _CUTTING and sides & {"top", "bottom", "left", "right", "side", "edge"}:
        raise Ask("unsupported", f"{clause.verb} a side", final=True)
    place = one_thing(clause.slot("O"), clause.talk) if clause.has("O") else None
    if clause.has("O") and place is None:
        return None
    if place is not None and place.relation is None and place.noun.split()[-1] in _PICTURES:
        place = IMAGE  # "out of my beach photo"

    def make(thing: Selector) -> Operation | None:
        if place is not None and place.noun != "@image":
            if place.noun == "background":
                thing = replace(thing, region="background")
            elif thing.relation is None:
                rel = "in" if place.noun in lexicon().inside else "on"
                thing = eyewear(thing) if is_person(place.noun) else thing
                thing = replace(thing, relation=Relation(rel, (place,)))
        _refuse_casts(thing)
        refuse_undressing(thing)
        return Operation("remove", thing)

    return each(found, make)


def _refuse_casts(thing: Selector) -> None:
    """The red of an eye or the tint of a picture is no thing that could be taken out.

    Raises:
        Ask: unsupported.
    """
    of_all = thing.relation is None and thing.part_of is None
    if of_all and thing.noun in lexicon().sets["casts"]:
        raise Ask("unsupported", "color cast", final=True)
    if "red" in thing.attrs and thing.noun in {"eye", "eye effect"}:
        raise Ask("unsupported", RED_EYE)


_CUTTING = {"cut off", "chop off", "lop off", "cut", "cut away", "slice off", "trim off"}
_PICTURES = {"photo", "picture", "image", "shot", "selfie", "photograph", "snapshot"}
RED_EYE = "red eye"
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
    """`take the shirt off her`, `strip him out of his clothes`."""
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
    if pair[0].image != pair[1].image:
        return None  # what another picture shows replaces
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
        return None if second is None else _parts(found.things[0], second)
    if len(found.things) == 1 and found.things[0].count == 2:
        both = replace(found.things[0], count=1)
        return replace(both, ordinal=(1, "left")), replace(both, ordinal=(2, "left"))
    return _parts(*found.things) if len(found.things) == 2 else None


def _parts(first: Selector, second: Selector) -> tuple[Selector, Selector]:
    """`the hats of the man and the boy`: each one's hat.

    Raises:
        Ask: no_value, for "swap the colors of the car and the bike": a colour is no thing.
    """
    owner = first.part_of
    shared = owner is not None and first.count == "all" and second.part_of is None
    if not shared or is_kind(second.noun, "body", "clothing", "accessory"):
        return first, second
    if lexicon().attribute_nouns.whole(first.noun.split()) is not None:
        raise Ask("no_value", first.noun, "What should each of the two look like?")
    one = replace(first, count=1)
    return one, replace(one, part_of=second)


_TURNING = {"turn", "change", "convert", "transform", "make", "set", "alter", "modify", "switch"}


def replace_with(clause: Clause) -> Operations | None:
    """Something new in the place of a thing."""
    found, new = clause.things(), clause.slot("V")
    if found is None or not is_new_thing(new) or new[0].word == "from":
        return None
    thing = found.things[0]
    if is_attribute(thing) or (clause.verb in _TURNING and _stays_itself(clause, thing)):
        return None
    if new[0].kind == "quote" and any(thing.noun in {"text", "word"} for thing in found.things):
        return None
    text = value_text(new)
    posing = lexicon().attributes["pose"].at(text.split(), 0) is not None
    if posing and clause.match.literals[-1] == "to" and not has_article(new):
        return None  # "turn her to face the camera"
    if clause.match.literals[-1] == "in" and {"with", "by"} & {token.word for token in new}:
        return None  # "replace the book in the bag with a pen"
    if clause.match.literals[-1] in {"with", "by", "for"} and _describes(thing, new):
        return None  # "replace the man with red hair | with jeans"
    look = lexicon().attribute_nouns.whole(text.split()[-1:]) if has_article(new) else None
    if look in _LOOKS and len(text.split()) > 1 and found.things[0].noun != "background":
        said = text.rpartition(" ")[0]
        how = color_value(said) or said
        return each(found, lambda thing: Operation("modify", thing, attribute=look, value=how))
    return each(found, lambda thing: replaced(thing, _of_same_kind(text, thing)))


def _describes(thing: Selector, new: Tokens) -> bool:
    """Whether `red hair with jeans` goes on with what is replaced: "the man with red hair".

    With an article ("a beard with a dog") something new must follow that nobody wears or has. Any
    thing may be described by one that is not counted: "the cloud with snow | with a whale".
    """
    at = next((at for at in range(len(new) - 1, 0, -1) if new[at].word in {"with", "by"}), 0)
    if not at or thing.relation is not None:
        return False
    first, many = singular(new[at - 1].word)
    if not (has_article(new) or many) and has_article(new[at + 1 :]):
        return True
    if not is_kind(thing.noun, "person", "animal"):
        return False
    worn = "body", "clothing", "accessory"
    other = has_article(new[at + 1 :]) and not is_kind(new[-1].word, *worn)
    return (is_kind(first, *worn) or first == "glass") and (not has_article(new) or other)


_LOOKS = {"color", "material", "appearance"}  # "change the wall to a floral pattern"


def _stays_itself(clause: Clause, thing: Selector) -> bool:
    """Whether "turn X into Y" leaves X what it is: Y is a colour, a quality or a style."""
    new, joint = clause.slot("V"), clause.match.literals[-1]
    text = value_text(new)
    if thing.noun == "@image":
        return True
    if thing.noun != "background" and is_style(text):
        return True
    thing_too = joint == "into" and is_picture_noun(text)
    if thing.noun != "background" and color_value(text) and not thing_too:
        return True
    return joint in {"to", "for"} and not has_article(new) and classify(new, thing) is not None


def _of_same_kind(text: str, thing: Selector) -> str:
    """`the blue one` is another thing of the kind that it replaces."""
    words = text.split()
    if len(words) > 1 and words[-1] in {"one", "ones"}:
        return " ".join([*words[:-1], thing.noun])
    return text


_CLEAR = {"transparent", "see-through", "invisible"}
_AROUND_CLEAR = {"png", "background", "a", "fully", "completely", "file", "image", "clear", "one"}


def is_transparent(text: str) -> bool:
    """Whether a new background is none at all: "transparent", "a transparent png"."""
    words = set(text.split())
    return bool(words & _CLEAR) and words <= _CLEAR | _AROUND_CLEAR


def replaced(thing: Selector, text: str) -> Operation:
    """The replacement of a thing by something new.

    Raises:
        Ask: nothing_to_do, if it is the same.
    """
    if thing.noun == "background" and is_transparent(text):
        return Operation("remove", thing)
    if text in {thing.noun, " ".join([*thing.attrs, thing.noun])}:
        raise Ask("nothing_to_do", thing.noun)
    return Operation("replace", thing, value=text)


_NEVER_LAST = {"the", "a", "to", "with", "of", "and", "by", "color", "colour", "size", "shape"}


def is_new_thing(tokens: Tokens) -> bool:
    """Whether the words can name a new thing: there is a noun or a colour in them."""
    words = [token.word for token in tokens]
    if not tokens or len(tokens) > 16 or words[-1] in _NEVER_LAST:
        return False
    if tokens[0].kind in {"quote", "relation", "region", "toward", "comma"}:
        return False
    if words[0] in {"to", "of", "and", "it"}:
        return False
    return any(
        t.kind == "color" or (t.kind == "word" and can_be_noun(t.word)) or color_value(t.word)
        for t in tokens
    )


def is_attribute(thing: Selector) -> bool:
    """Whether a noun phrase means a quality of a thing: "the color of the sofa"."""
    named = lexicon().attribute_nouns.whole(thing.noun.split())
    return named is not None and thing.part_of is not None


_INSTEAD = {"instead of", "in place of", "rather than"}


def put_instead(clause: Clause) -> Operations | None:
    """`put a lamp instead of the vase`, `substitute a tree for the pole`."""
    new = clause.slot("V")
    if not is_new_thing(new) or (len(new) > 1 and new[1].word in _DEFINITE):
        return None  # "make the statue bronze instead of stone"
    if clause.verb in _INSTEAD and new[0].word in grammar().by_first:
        return None  # "make a cat | instead of the dog"
    talk = clause.talk.about(singular(new[-1].word)[0])
    found = targets(clause.slot("T"), talk)
    if found is None or take_image(new)[1] not in (None, "A"):
        return None
    return each(found, lambda thing: replaced(thing, value_text(new)))


_WRITING = {"write", "print", "type", "put", "place", "paint", "add", "draw", "insert", "inscribe"}
_SAYING = {"say", "read", "says", "reads", "show", "display", "spell"}


def edit_text(clause: Clause) -> Operations | None:
    """Words in the picture change; the new words keep their letters as typed."""
    new, thing = clause.slot("Q"), one_thing(clause.slot("T"), clause.talk)
    if thing is None or not new:
        return None
    if clause.has("O"):
        place = one_thing(clause.slot("O"), clause.talk)
        if place is None or thing.relation is not None or new[0].kind != "quote":
            return None
        thing = replace(thing, relation=Relation("on", (place,)))
    beside = {"above", "below", "under"} & set(clause.match.literals[1:])
    if beside or (thing.noun == "@image" and clause.verb in _WRITING):
        return None  # "put 'SALE' above the car": letters where there are none
    if len(new) == 1 and new[0].kind == "quote":
        return (Operation("edit_text", thing, value=new[0].value),)
    says = clause.verb in {"write", "inscribe", "engrave"} or any(
        literal.split()[-1] in _SAYING for literal in clause.match.literals
    )
    is_text = lexicon().groups["text"].whole([thing.noun.rpartition(" ")[2]]) is not None
    if clause.match.literals[0] in {"put", "place", "paint", "add", "draw", "insert"}:
        return None  # "draw a line under the title"
    if not (is_text or says) or any(token.kind == "quote" for token in new):
        return None
    if is_text and not says and classify(new, thing) is not None:
        return None  # "make the text red"
    new = _without_contrast(new)
    return (Operation("edit_text", thing, value=" ".join(token.raw for token in new)),)


def _without_contrast(new: Tokens) -> Tokens:
    """`Closed not Open`: as many words on both sides; "Do not enter" is all of it."""
    at = len(new) // 2
    said = 2 * at + 1 == len(new) and at > 0 and new[at].word == "not"
    return new[:at] if said and new[at - 1].word not in _BEFORE_NOT else new


_BEFORE_NOT = {"do", "does", "did", "is", "are", "was", "why", "can", "may", "must", "will", "or"}
