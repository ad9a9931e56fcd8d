"""Builders: add, and everything that takes from another picture."""

from __future__ import annotations

from dataclasses import replace

from editanything.command import english
from editanything.command.attributes import has_article, value_text
from editanything.command.changing import is_new_thing, is_transparent
from editanything.command.clause import Ask, Clause, Operations
from editanything.command.discourse import Discourse
from editanything.command.heads import Tokens, is_place, lemma_of, split_attributes
from editanything.command.lexicon import lexicon
from editanything.command.nouns import can_be_noun, can_name, is_kind
from editanything.command.phrases import anchors_of
from editanything.command.targets import one_thing
from editanything.command.types import Count, Operation, Relation, Selector, Where

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
            if at and tokens[at - 1].word in {"a", "an"} and token.word != "dozen":
                break  # "a four leaf clover", "a two-hump camel": the number names it
            count, at = int(token.number), at + 1
        elif token.word in lexicon().sets["new_articles"] or _is_further(tokens, at):
            at += 1
        else:
            break
    rest = tokens[at:]
    if any(token.word in {"to", "into", "from"} and token.kind == "word" for token in rest):
        return None
    if not is_new_thing(rest) or any(token.kind in {"comma", "stop"} for token in rest):
        return None
    if any(token.word == "pair" for token in tokens[:at]) and rest[0].word in _PAIRED:
        return rest[0].word, 1
    return _lemmatized(rest, count)


def _is_further(tokens: Tokens, at: int) -> bool:
    """Whether "a second chair" is one more of them; "a second hand watch" is not."""
    further = tokens[at].kind == "ordinal" and tokens[at].value not in {"1", "-1"}
    return further and at > 0 and tokens[at + 1].word not in {"hand", "floor", "story", "place"}


_PAIRED = {"glasses", "sunglasses", "scissors", "jeans", "shorts", "pants", "headphones"}


def _lemmatized(tokens: Tokens, count: Count | None) -> tuple[str, Count] | None:
    """The noun before the first relation is brought to the singular."""
    stop = next((at for at, t in enumerate(tokens) if at and _is_linking(t)), len(tokens))
    words = [token.word for token in tokens[:stop]]
    attrs, names = split_attributes(words)
    if not can_name(names) and tokens[0].kind != "quote":
        return None
    after = [token.word for token in tokens[stop:]]
    if any(after[at] == "and" and after[at + 1] in {"a", "an"} for at in range(len(after) - 1)):
        return None  # "a hat on the dog and a scarf" are two
    noun, plural = lemma_of(names)
    rest = [f'"{token.value}"' if token.kind == "quote" else token.word for token in tokens[stop:]]
    if count is None:
        count = "all" if plural else 1
    return " ".join([*attrs, noun, *rest]).replace(" 's", "'s"), count


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
    if words[:3] == ["in", "place", "of"]:
        return None  # instead of it
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
    anchors = anchors_of(tokens, name, talk)
    if anchors is None:
        return None
    anchor = anchors[0]
    if anchor.noun == "side" and "other" in anchor.attrs and anchor.part_of is None:
        raise Ask("no_value", "it", "Which side do you mean, left or right?")
    if anchor.noun == "@image":
        return Where(region=anchor.region)
    if anchor.noun in {"background", "foreground"} and name in {"in", "on"}:
        return Where(region=anchor.noun)
    return Where(Relation(name, anchors))


def _doing(clause: Clause) -> tuple[Clause, str]:
    """`put a cat on the sill looking outside`: the clause without what the new thing does there."""
    place, value = clause.slot("W"), clause.slot("V")
    for at in range(2, len(place) - 1):
        base = english.verb_base(place[at].word) if place[at].word.endswith("ing") else None
        if base is None or not can_be_noun(place[at - 1].word) or posture_at(place, at):
            continue
        where = place_of(place[:at], clause.talk)
        anchor = where.relation.anchors[0] if where is not None and where.relation else None
        if anchor is None or is_kind(anchor.noun, "person", "animal") or len(new_parts(value)) > 1:
            continue
        slots = {**clause.match.slots, "W": place[:at]}
        said = " ".join(token.word for token in place[at:])
        return replace(clause, match=replace(clause.match, slots=slots)), f" {said}"
    return clause, ""


def posture_at(tokens: Tokens, at: int) -> bool:
    """Whether a word of posture before a place stands here: "the table standing by the window"."""
    posture = lexicon().postures.at([tokens[at].word], 0) is not None
    return posture and is_place(tokens[at + 1])


def add(clause: Clause) -> Operations | None:
    """Something new in the picture."""
    clause, doing = _doing(clause)
    value = clause.slot("V")
    if not value or not _may_be_new(value, clause.verb):
        return None
    if len(value) > 1 and not any(token.known for token in value):
        return None
    words = value_text(value).partition(" of ")[0].split()
    unsupported = lexicon().said["unsupported"]
    if unsupported["values"].whole(words) or unsupported["quantities"].ends(words) is not None:
        raise Ask("unsupported", " ".join(words))
    if is_vague([token.word for token in value]):
        raise Ask("vague", "the picture")
    one = new_thing(value)
    about = one[0].split()[-1] if one is not None else clause.talk.noun
    where = _where(clause, replace(clause.talk, noun=about, known={}))
    if where is None:
        return None
    out = []
    parts = new_parts(value)
    if any(_is_linking(token) and token.word != "of" for part in parts[:-1] for token in part):
        return None  # "a hat on the dog and a scarf on the cat" are two clauses
    for part in parts:
        made = new_thing(part)
        if made is None:
            return None
        out.append(_added(made[0] + doing, made[1], where))
    return tuple(out)


_QUALITIES = {"big", "small", "bright", "dark", "large", "long", "short", "more", "less", "little"}


def _may_be_new(value: Tokens, verb: str) -> bool:
    """Whether the first word and the verb let something be new: not "all doors", "the door"."""
    first, words = value[0].word, [token.word for token in value]
    if "the" in words and words[words.index("the") - 1] in _QUALITIES:
        return False  # "more big the moon"
    if first in {"all", "every", "each", "both", "any", "out", "off", "away", "as", "like"}:
        return False
    if first in _DEFINITE and verb not in _PURE_ADDING:
        return False
    return verb != "make" or has_article(value)


def _added(made: str, count: Count, where: Where) -> Operation:
    scenery = _scenery(made) if where == Where() else ""
    if scenery and is_transparent(scenery):
        return Operation("remove", Selector("background"))
    if scenery:
        return Operation("replace", Selector("background"), value=scenery)
    return Operation("add", value=made, count=count, where=where)


def _scenery(made: str) -> str:
    """What `a beach background`, `a background of mountains` puts behind everything."""
    if {"on", "in", "with", "against"} & set(made.split()):
        return ""  # "a cat on a white background"
    for noun in ("background", "backdrop"):
        if made.endswith(f" {noun}"):
            return made.removesuffix(f" {noun}")
        if made.startswith(f"{noun} of "):
            return made.removeprefix(f"{noun} of ")
    return ""


def is_vague(words: list[str]) -> bool:
    """Whether "more oomph", "a bit of magic" say nothing that could be drawn."""
    additions, said = lexicon().said["vague"]["additions"], words
    while len(said) > 1 and said[0] in {"a", "some", "more", "bit", "of", "extra", "little", "lot"}:
        said = said[1:]
    return additions.whole(words) is not None or additions.whole(said) is not None


def add_text(clause: Clause) -> Operations | None:
    """`write "SALE" at the top`: letters as something new; on a thing they change its writing."""
    said = clause.slot("Q")
    if len(said) != 1 or said[0].kind != "quote" or not said[0].value:
        return None
    where = place_of(clause.slot("W"), clause.talk) if clause.has("W") else Where()
    if where is None or (where.relation is not None and where.relation.rel in {"on", "in"}):
        return None
    return (Operation("add", value=f'text "{said[0].value}"', count=1, where=where),)


def hide_behind(clause: Clause) -> Operations | None:
    """`hide the bin behind a bush` brings in a bush; behind the tree it is moved."""
    thing, new = one_thing(clause.slot("T"), clause.talk), clause.slot("V")
    if thing is None or thing.noun.startswith(("@", "*")):
        return None
    rel = "behind" if clause.match.literals[-1] == "behind" else "under"
    if has_article(new):
        made = new_thing(new)
        cover = Relation("in_front_of" if rel == "behind" else "on", (thing,))
        return None if made is None else (_added(*made, Where(cover)),)
    place = one_thing(new, clause.talk)
    if place is None or clause.verb != "hide":
        return None
    # It may be there already ("hide the man behind the counter"): then it is to go.
    raise Ask(
        "no_value", thing.noun, f"Should it go, or be moved {rel} the {place.noun}?", final=True
    )


def furnish(clause: Clause) -> Operations | None:
    """`furnish the room with a sofa`: the sofa is new in it; a wall is decorated with a pattern."""
    if clause.verb == "decorate" and not has_article(clause.slot("V")):
        return None
    return add(clause)


def add_some(clause: Clause) -> Operations | None:
    """`chuck a couple of sheep in the field`: with "a" or a number, throwing brings it in."""
    first, words = clause.slot("V")[:1], {token.word for token in clause.slot("V")}
    if words & lexicon().sets["room_words"] and words & {"more", "extra"}:
        return None  # "give me some more room at the top"
    new = has_article(first) or (bool(first) and first[0].word in {"another", "more"})
    return add(clause) if new else None


def _where(clause: Clause, talk: Discourse) -> Where | None:
    if clause.has("W"):
        return place_of(clause.slot("W"), talk)
    if clause.has("O"):
        return _onto(clause)
    if any(token.kind in {"region", "toward", "relation"} for token in clause.slot("V")[1:]):
        return None if not any(t.word in _INSIDE_VALUE for t in clause.slot("V")) else Where()
    return Where()


def _onto(clause: Clause) -> Where | None:
    """`add a hat to the dog`: on it; to the sky or a room: in it."""
    place = one_thing(clause.slot("O"), clause.talk)
    if place is None:
        return None
    if place.noun == "@image":
        return Where(region=place.region)
    if place.noun == "background":
        return Where(region="background")
    return Where(Relation("in" if is_inside(place) else "on", (place,)))


def is_inside(place: Selector) -> bool:
    """Whether things are put in a place rather than on it."""
    inside = lexicon().inside
    return place.noun in inside or place.noun.rpartition(" ")[2] in inside


def new_parts(tokens: Tokens) -> list[Tokens]:
    """The new things between "and" and commas; each must begin like a noun phrase."""
    parts: list[Tokens] = []
    start = 0
    for at, token in enumerate(tokens):
        if token.word in {"and", ","} and at > start and at + 1 < len(tokens):
            after = tokens[at + 1]
            if (
                after.word in {"a", "an", "some", "the", "another", "one"} | _PAIRED
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
