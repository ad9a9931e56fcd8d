"""Builders: add, and everything that takes from another picture."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.attributes import has_article, value_text
from editanything.command.changing import is_new_thing
from editanything.command.clause import Ask, Clause, Operations, each
from editanything.command.discourse import IMAGE, Discourse
from editanything.command.lexicon import lexicon
from editanything.command.nouns import can_be_noun, is_kind, is_person
from editanything.command.phrases import Tokens, lemma_of, split_attributes, take_image
from editanything.command.targets import Targets, from_other_image, one_thing
from editanything.command.types import Count, Operation, Relation, Selector, Where

_NEW_ARTICLES = {"a", "an", "another", "one", "new", "some", "the", "my", "its", "his", "her", "more", "extra", "additional", "single"}  # fmt: skip
_DEFINITE = {"the", "this", "that", "it", "them", "him", "her", "its"}
_PURE_ADDING = {"add", "include", "introduce"}
_INSIDE_VALUE = {"with", "holding", "wearing"}


def new_thing(tokens: Tokens) -> tuple[str, Count] | None:
    """The words of a new thing, its noun in the singular, and how many are wanted."""
    count: Count | None = None
    at = 0
    while at < len(tokens) - 1:
        token, after = tokens[at], tokens[at + 1].word
        if token.word in {
            "couple",
            "pair",
            "few",
            "bunch",
            "lot",
            "lots",
            "several",
            "group",
            "many",
            "number",
        }:
            count = {"couple": 2, "pair": 2, "few": 3}.get(token.word, "all")
            at += 2 if after == "of" else 1
        elif token.kind == "number" and token.number is not None:
            count, at = int(token.number), at + 1
        elif token.word in _NEW_ARTICLES:
            at += 1
        else:
            break
    rest = tokens[at:]
    if not is_new_thing(rest) or any(token.kind in {"comma", "stop"} for token in rest):
        return None
    return _lemmatized(rest, count)


def _lemmatized(tokens: Tokens, count: Count | None) -> tuple[str, Count] | None:
    """The noun before the first relation is brought to the singular."""
    stop = next((at for at, t in enumerate(tokens) if at and _is_linking(t)), len(tokens))
    words = [token.word for token in tokens[:stop]]
    attrs, names = split_attributes(words)
    if not can_be_noun(names[-1]) and tokens[0].kind != "quote":
        return None
    noun, plural = lemma_of(names)
    rest = [f'"{token.value}"' if token.kind == "quote" else token.word for token in tokens[stop:]]
    if count is None:
        count = "all" if plural else 1
    return " ".join([*attrs, noun, *rest]), count


def _is_linking(token: object) -> bool:
    word = getattr(token, "word", "")
    kind = getattr(token, "kind", "")
    return kind in {"relation", "quote"} or word in _INSIDE_VALUE | {
        "of",
        "that",
        "who",
        "which",
        "in",
        "on",
    }


def place_of(tokens: Tokens, talk: Discourse) -> Where | None:
    """Where: a relation ("on the table") or a part of the frame ("in the top left corner")."""
    if not tokens:
        return None
    if len(tokens) == 1 and tokens[0].kind in {"region", "toward"}:
        return Where(region=tokens[0].value)
    lex = lexicon()
    words = [token.word for token in tokens]
    if (
        words[0]
        in {
            "standing",
            "sitting",
            "flying",
            "swimming",
            "lying",
            "right",
            "directly",
            "hanging",
            "floating",
            "just",
            "somewhere",
            "running",
            "walking",
            "resting",
            "parked",
            "growing",
            "leaning",
            "sleeping",
            "playing",
        }
        and len(words) > 1
    ):
        return place_of(tokens[1:], talk)
    if words[0] in {"to", "into", "onto", "for"} and tokens[0].kind == "word":
        return None
    if tokens[0].kind == "relation":
        name, stop = tokens[0].value, 1
    else:
        found = lex.relations.at(words, 0)
        if found is None:
            return None
        name, stop = found
    if name in _INSIDE_VALUE:
        return None
    return _anchored(name, tokens[stop:], talk)


def _anchored(name: str, tokens: Tokens, talk: Discourse) -> Where | None:
    from editanything.command.phrases import _anchors

    anchors = _anchors(tokens, name, talk)
    if anchors is None:
        return None
    anchor = anchors[0]
    if anchor.noun == "@image":
        return Where(region=anchor.region)
    if anchor.noun in {"background", "foreground"} and name in {"in", "on"}:
        return Where(region=anchor.noun)
    return Where(Relation(name, anchors))


def add(clause: Clause) -> Operations | None:
    """Something new in the picture."""
    value = clause.slot("V")
    if not value or (value[0].word in _DEFINITE and clause.verb not in _PURE_ADDING):
        return None
    if clause.verb == "make" and not has_article(value):
        return None
    words = value_text(value).partition(" of ")[0].split()
    if lexicon().said["unsupported"]["values"].whole(words) is not None:
        raise Ask("unsupported", " ".join(words))
    where = _where(clause)
    if where is None:
        return None
    out = []
    for part in _parts(value):
        made = new_thing(part)
        if made is None:
            return None
        out.append(Operation("add", value=made[0], count=made[1], where=where))
    return tuple(out)


def _where(clause: Clause) -> Where | None:
    if clause.has("W"):
        return place_of(clause.slot("W"), clause.talk)
    if clause.has("O"):
        return _onto(clause)
    if any(token.kind in {"region", "toward", "relation"} for token in clause.slot("V")[1:]):
        return None if not any(t.word in _INSIDE_VALUE for t in clause.slot("V")) else Where()
    return Where()


def _onto(clause: Clause) -> Where | None:
    """ "add a hat to the dog": on it; to the sky or a room: in it."""
    place = one_thing(clause.slot("O"), clause.talk)
    if place is None:
        return None
    if place.noun == "@image":
        return Where(region=place.region)
    if place.noun == "background":
        return Where(region="background")
    inside = place.noun.rpartition(" ")[2] in lexicon().inside or place.noun in lexicon().inside
    return Where(Relation("in" if inside else "on", (place,)))


def _parts(tokens: Tokens) -> list[Tokens]:
    """The new things between "and" and commas; each must begin like a noun phrase."""
    parts: list[Tokens] = []
    start = 0
    for at, token in enumerate(tokens):
        if token.word in {"and", ","} and at > start and at + 1 < len(tokens):
            after = tokens[at + 1]
            if (
                after.word in {"a", "an", "some", "the", "another"}
                or after.kind == "number"
                or token.word == ","
            ):
                parts.append(tokens[start:at])
                start = at + 1
    rest = tokens[start:]
    while rest and rest[0].word in {"and", ","}:
        rest = rest[1:]
    parts.append(rest)
    return parts


# --- from another picture -------------------------------------------------------------------------


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
    """ "replace the sofa with the one from image 2"."""
    found = clause.things()
    if found is None:
        return None
    talk = clause.talk.copy()
    talk.name(*found.things)
    subject = other_image(clause.slot("V"), replace(clause, talk=talk))
    if subject is None:
        return None
    return each(found, lambda thing: Operation("transfer", thing, subject=subject, mode="replace"))


def wear(clause: Clause) -> Operations | None:
    """Clothes: from another picture they are worn, new ones replace what is worn."""
    found, value = clause.things(), clause.slot("V")
    if found is None or not value:
        return None
    subject = other_image(value, clause)
    if subject is not None:
        if clause.verb == "put" and not is_worn(subject, found.things[0]):
            return None
        return each(found, lambda thing: Operation("transfer", thing, subject=subject, mode="wear"))
    if not all(
        is_person(thing.noun) or is_kind(thing.noun, "animal") or thing.noun == "@selection"
        for thing in found.things
    ):
        return None
    made = new_thing(value)
    if made is None or take_image(value)[1] is not None:
        return None
    noun = made[0].rpartition(" ")[2]
    if not is_kind(made[0], "clothing", "accessory") and clause.verb not in {
        "dress",
        "clothe",
        "outfit",
        "attire",
    }:
        return None
    head_or_hand = is_kind(noun, "accessory") or noun in {
        "hat",
        "cap",
        "helmet",
        "beanie",
        "scarf",
        "glove",
        "crown",
        "mask",
        "tie",
        "shoe",
        "boot",
        "sock",
        "beret",
        "fedora",
        "sombrero",
        "veil",
        "cape",
        "cloak",
        "apron",
    }
    if head_or_hand and clause.verb not in {"dress", "clothe"}:
        return each(
            found,
            lambda thing: Operation(
                "add", value=made[0], count=made[1], where=Where(Relation("on", (thing,)))
            ),
        )
    text = value_text(value)
    return each(
        found, lambda thing: Operation("replace", Selector("clothes", part_of=thing), value=text)
    )


def transfer_style(clause: Clause) -> Operations | None:
    """The look of another picture for a thing of this one."""
    found = clause.things() if clause.has("T") else Targets((IMAGE,))
    if found is None:
        return None
    talk = clause.talk.copy()
    talk.name(*found.things)
    subject = other_image(clause.slot("S"), replace(clause, talk=talk))
    if subject is None:
        return None
    words = {token.word for token in clause.slot("S")}
    style_words = {
        "style",
        "look",
        "color",
        "colors",
        "texture",
        "palette",
        "mood",
        "lighting",
        "pattern",
        "appearance",
        "material",
        "aesthetic",
        "vibe",
    }
    likeness = any(
        w in lit.split()
        for lit in clause.match.literals
        for w in ("like", "match", "resemble", "style", "restyle")
    )
    if not words & style_words and not likeness:
        return None
    if words & style_words:
        subject = _styled_part(subject)
    return each(found, lambda thing: Operation("transfer", thing, subject=subject, mode="style"))


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
    """ "use image B as the background"."""
    found = clause.things()
    if found is None or any(thing.noun != "background" for thing in found.things):
        return None
    subject = other_image(clause.slot("S"), clause)
    if subject is None:
        return None
    return each(found, lambda thing: Operation("transfer", thing, subject=subject, mode="replace"))
