"""Builders: everything that takes from another picture, and clothes."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.adding import new_thing, place_of
from editanything.command.attributes import value_text
from editanything.command.clause import Ask, Clause, Operations, each
from editanything.command.discourse import IMAGE
from editanything.command.heads import Tokens, is_place
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_kind, is_person
from editanything.command.pictures import take_image
from editanything.command.targets import Targets, from_other_image, one_thing
from editanything.command.types import Operation, Relation, Selector, Where


def other_image(tokens: Tokens, clause: Clause) -> Selector | None:
    """The thing of another picture, checked to be there.

    Raises:
        Ask: missing_source, if the session does not hold that picture.
    """
    subject = from_other_image(tokens, clause.talk)
    if subject is not None and subject.image not in clause.talk.images:
        raise Ask("missing_source", f"image {subject.image}")
    return subject


def paste(clause: Clause) -> Operations | None:
    """Put a thing of another picture into this one."""
    subject = other_image(clause.slot("S"), clause)
    if subject is None:
        return None
    if not clause.has("W"):
        return (Operation("transfer", subject=subject, mode="insert", where=Where()),)
    place = clause.slot("W")
    if (
        place[0].word in {"to", "into", "onto", "for"}
        and place[0].kind == "word"
        and len(place) > 1
    ):
        target = one_thing(place[1:], clause.talk)
        if target is None:
            return None
        return (_pasted(subject, target, place[0].word),)
    where = place_of(place, clause.talk)
    if where is None:
        return None
    relation = where.relation
    if relation is not None and relation.rel == "on" and is_worn(subject, relation.anchors[0]):
        return (Operation("transfer", relation.anchors[0], subject=subject, mode="wear"),)
    return (Operation("transfer", subject=subject, mode="insert", where=where),)


def _pasted(subject: Selector, target: Selector, word: str) -> Operation:
    if target.noun == "@image":
        return Operation(
            "transfer", subject=subject, mode="insert", where=Where(region=target.region)
        )
    if is_worn(subject, target):
        return Operation("transfer", target, subject=subject, mode="wear")
    inside = word == "into" or target.noun in lexicon().inside
    where = Where(Relation("in" if inside and word != "onto" else "on", (target,)))
    return Operation("transfer", subject=subject, mode="insert", where=where)


def is_worn(subject: Selector, target: Selector) -> bool:
    """Whether what is taken is put on somebody."""
    wearable = is_kind(subject.noun, "clothing", "accessory")
    return wearable and (is_person(target.noun) or is_kind(target.noun, "animal", "body"))


def replace_from(clause: Clause) -> Operations | None:
    """`replace the sofa with the one from image 2`."""
    found = clause.things()
    if found is None:
        return None
    talk = clause.talk.copy()
    talk.name(*found.things)
    subject = other_image(clause.slot("V"), replace(clause, talk=talk))
    if subject is None:
        return None
    return each(found, lambda thing: Operation("transfer", thing, subject=subject, mode="replace"))


_DRESSING = {"dress", "clothe", "outfit", "attire"}


def wear(clause: Clause) -> Operations | None:
    """Clothes: from another picture they are worn, new ones replace what is worn."""
    found, value = clause.things(), clause.slot("V")
    if found is None or not value:
        return None
    subject = other_image(value, clause)
    if subject is None:
        return _dressed(clause, found) if all(map(_can_wear, found.things)) else None
    if clause.verb == "put" and not is_worn(subject, found.things[0]):
        return None
    return each(found, lambda thing: Operation("transfer", thing, subject=subject, mode="wear"))


def _can_wear(thing: Selector) -> bool:
    return is_person(thing.noun) or is_kind(thing.noun, "animal") or thing.noun == "@selection"


_BARE = {"underwear", "lingerie", "panties", "bra", "thong", "boxers", "g-string"}
_SCANTY = {"bikini", "swimsuit", "swimwear", "leotard"}
_YOUNG = {
    "girl",
    "boy",
    "child",
    "kid",
    "toddler",
    "baby",
    "teenager",
    "teen",
    "youngster",
    "student",
}


def _refuse_baring(found: Targets, text: str) -> None:
    """Nobody is stripped to the underwear, no child to a bikini.

    Raises:
        Ask: unsafe.
    """
    words = set(text.split())
    young = any(set(thing.noun.split()) & _YOUNG for thing in found.things)
    if words & _BARE or (young and words & _SCANTY):
        raise Ask("unsafe", text)


def _dressed(clause: Clause, found: Targets) -> Operations | None:
    """A hat is added to what is worn; a suit replaces the clothes."""
    value = clause.slot("V")
    made = new_thing(value)
    if made is None or take_image(value)[1] is not None:
        return None
    text, count = made
    _refuse_baring(found, text)
    if not is_kind(text, "clothing", "accessory") and clause.verb not in _DRESSING:
        return None
    on_top = is_kind(text, "accessory") or text.split()[-1] in lexicon().sets["worn_on_top"]
    if on_top and clause.verb not in _DRESSING:
        return each(
            found,
            lambda thing: Operation(
                "add", value=text, count=count, where=Where(Relation("on", (thing,)))
            ),
        )
    worn = value_text(value)
    return each(
        found, lambda thing: Operation("replace", Selector("clothes", part_of=thing), value=worn)
    )


def transfer_style(clause: Clause) -> Operations | None:
    """The look of another picture for a thing of this one."""
    found = clause.overall() if clause.has("T") else Targets((IMAGE,))
    if found is None:
        return None
    talk = clause.talk.copy()
    talk.name(*found.things)
    subject = other_image(clause.slot("S"), replace(clause, talk=talk))
    if subject is None:
        return None
    words = {token.word for token in clause.slot("S")}
    likeness = any(
        w in lit.split()
        for lit in clause.match.literals
        for w in ("like", "match", "resemble", "style", "restyle")
    )
    if not words & lexicon().sets["style_words"] and not likeness:
        return None
    if words & lexicon().sets["style_words"]:
        subject = _styled_part(subject)
    return each(found, lambda thing: Operation("transfer", thing, subject=subject, mode="style"))


_HAIRCUTS = {"hair", "haircut", "hairstyle", "hairdo"}


def give_from(clause: Clause) -> Operations | None:
    """`give her the haircut from image B`: worn, in place of the same part, or put on her."""
    if is_place(clause.slot("V")[0]):
        return None
    subject = other_image(clause.slot("V"), clause)
    found = None if subject is None else clause.things()
    if subject is None or found is None:
        return None

    def make(thing: Selector) -> Operation:
        if subject.noun in _HAIRCUTS and is_person(thing.noun):
            hair = Selector("hair", image=subject.image)
            return Operation(
                "transfer", Selector("hair", part_of=thing), subject=hair, mode="replace"
            )
        if is_worn(subject, thing):
            return Operation("transfer", thing, subject=subject, mode="wear")
        where = Where(Relation("on", (thing,)))
        return Operation("transfer", subject=subject, mode="insert", where=where)

    return each(found, make)


def _styled_part(subject: Selector) -> Selector:
    """`the style of the wall in image B` is the wall; `the style of image B` is the picture."""
    if subject.part_of is not None:
        return replace(subject.part_of, image=subject.image)
    if lexicon().attribute_nouns.whole(subject.noun.split()) or subject.noun in {
        "palette",
        "color palette",
        "mood",
        "vibe",
    }:
        return Selector("@image", image=subject.image)
    return subject


def background_from(clause: Clause) -> Operations | None:
    """`use image B as the background`."""
    found = clause.things()
    if found is None or any(thing.noun != "background" for thing in found.things):
        return None
    subject = other_image(clause.slot("S"), clause)
    if subject is None:
        return None
    return each(found, lambda thing: Operation("transfer", thing, subject=subject, mode="replace"))
