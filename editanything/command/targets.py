"""Things joined by "and", effects that go along ("and its shadow"), pronouns for several."""

from __future__ import annotations

from dataclasses import dataclass, replace

from editanything import colors
from editanything.command.discourse import Discourse, Unresolved
from editanything.command.following import is_some_of
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_picture_noun, singular
from editanything.command.phrases import noun_phrase
from editanything.command.pictures import take_image
from editanything.command.tokens import Token
from editanything.command.types import Selector

_WITH = {"and", "with", "along", "together", "including", "plus", "as", "well", "also", "&", ","}
_OWN = {"its", "his", "her", "their", "the", "any", "all", "both", "of", "every", "it's"}
_OWN_ONLY = {"its", "his", "her", "their"}


@dataclass(frozen=True)
class Targets:
    """The things that a slot names, and the effects that go along with each."""

    things: tuple[Selector, ...]
    related: tuple[str, ...] = ()
    kept: tuple[Selector, ...] = ()  # further things that an exception names


def targets(tokens: Tokens, talk: Discourse) -> Targets | None:
    """What a slot names, or None if its words are no noun phrases.

    Raises:
        Unresolved: a pronoun in it has nothing to refer to.
    """
    if tokens not in talk.known:
        talk.known[tokens] = _targets(tokens, talk)
    found: Targets | None = talk.known[tokens]
    return found


def _targets(tokens: Tokens, talk: Discourse) -> Targets | None:
    tokens, related = take_related(_without_apposition(tokens))
    words = [token.word for token in tokens]
    several = talk.pronoun(" ".join(words))
    if several:
        return Targets(several, related)
    exceptions = _with_exceptions(tokens, related, talk)
    if exceptions is not None:
        return exceptions
    things = _coordinated(tokens, talk)
    return None if things is None else Targets(things, related)


def _without_apposition(tokens: Tokens) -> Tokens:
    """`the stool, the one by the window` as one phrase: the stool by the window."""
    for at in range(1, len(tokens) - 3):
        words = [token.word for token in tokens[at : at + 3]]
        placed = tokens[at + 3].kind != "word" or lexicon().relations.at([tokens[at + 3].word], 0)
        if words == [",", "the", "one"] and placed:
            return tokens[:at] + tokens[at + 3 :]
    return tokens


def _with_exceptions(tokens: Tokens, related: tuple[str, ...], talk: Discourse) -> Targets | None:
    """`everyone except the bride and the groom`: one is the exception, the others are kept."""
    for at, token in enumerate(tokens):
        if not at or token.word not in {"except", "but", "besides", "excluding"}:
            continue
        skip = at + 1 + (tokens[at + 1 : at + 2] != () and tokens[at + 1].word in {"for", "not"})
        group = _try(tokens[:at], talk)
        spared = None if group is None else _coordinated(tokens[skip:], talk.about(group.noun))
        if spared and group and is_some_of(spared[0], [t.word for t in tokens[skip:]]):
            group = replace(group, noun=spared[0].noun)  # "all but two of the chairs"
        if group is not None and spared and group.count == "all" and group.exclude is None:
            return Targets((replace(group, exclude=spared[0]),), related, spared[1:])
    return None


def take_related(tokens: Tokens) -> tuple[Tokens, tuple[str, ...]]:
    """`tokens` without "and its shadow", "along with the reflection", and those effects."""
    lex = lexicon()
    words = [token.word for token in tokens]
    for at in range(1, len(words)):
        if lex.groups["related"].at(words, at) is None:
            continue
        start = at
        while start and words[start - 1] in _OWN:
            start -= 1
        owners = set(words[start:at])
        joined = start
        while joined and words[joined - 1] in _WITH:
            joined -= 1
        links = set(words[joined:start])
        if not joined or not links or not owners:
            continue
        if not owners & _OWN_ONLY and links <= {"and", ","}:
            continue
        effects, stop = _effects(words, at)
        if words[stop : stop + 1] == ["of"]:
            continue
        return tokens[:joined] + tokens[stop:], effects
    return tokens, ()


def _effects(words: list[str], at: int) -> tuple[tuple[str, ...], int]:
    """The effects of `shadow and (its) reflection`."""
    lex = lexicon()
    found = [singular(words[at])[0]]
    stop = at + 1
    while True:
        after = stop
        while after < len(words) and words[after] in _OWN | _WITH:
            after += 1
        if after == stop or lex.groups["related"].at(words, after) is None:
            return tuple(found), stop
        found.append(singular(words[after])[0])
        stop = after + 1


def _coordinated(tokens: Tokens, talk: Discourse) -> tuple[Selector, ...] | None:
    whole = _try(tokens, talk)
    if whole is not None:
        return (whole,)
    tokens = _without_both(tokens)
    parts = _split(tokens, talk)
    if parts is None:
        return None
    return tuple(_distribute(parts))


def _try(tokens: Tokens, talk: Discourse) -> Selector | None:
    """One noun phrase, unless its words hold a conjunction outside "between A and B"."""
    joins = [token.word for token in tokens if token.word in {"and", "or", ","}]
    if joins and not any("between" in {token.word, token.value} for token in tokens):
        return None
    return noun_phrase(tokens, talk)


def _without_both(tokens: Tokens) -> Tokens:
    """`both the cat and the dog` without its "both"."""
    if tokens and tokens[0].word in {"both", "either"} and any(t.word == "and" for t in tokens):
        return tokens[1:]
    return tokens


def _split(tokens: Tokens, talk: Discourse) -> list[Selector] | None:
    """The noun phrases between "and" and commas, the longest first part that parses."""
    joints = [at for at, token in enumerate(tokens) if token.word in {"and", "or", ","}]
    for at in reversed(joints):
        stop = at
        while stop and tokens[stop - 1].word in {"and", "or", ","}:
            stop -= 1
        last = _last_named(tokens, at, stop, talk)
        if last is None or not stop:
            continue
        inner = talk.copy()
        first = _coordinated(tokens[:stop], inner) or _elliptic(tokens[:stop], last, inner)
        if first is not None:
            inner.name(*first)
            last = noun_phrase(_after_joint(tokens, at), inner) or last
            sides = first[-1].noun == last.noun and first[-1].region and last.region
            one_each = [replace(thing, count=1) for thing in (*first, last)]
            return one_each if sides else [*first, last]
    return None


def _last_named(tokens: Tokens, at: int, stop: int, talk: Discourse) -> Selector | None:
    """The thing after a joint; "one" and "it" there may mean what stands before it."""
    try:
        return noun_phrase(_after_joint(tokens, at), talk)
    except Unresolved:
        inner = talk.copy()
        first = _coordinated(tokens[:stop], inner) if stop else None
        if first is None:
            raise
        inner.name(*first)
        return noun_phrase(_after_joint(tokens, at), inner)


def _elliptic(tokens: Tokens, last: Selector, talk: Discourse) -> tuple[Selector, ...] | None:
    """`the second and third chair`, `the red and blue cars`: the noun comes only once."""
    if last.noun.startswith(("@", "*")) or last.part_of is not None:
        return None
    words = last.noun.split()
    noun = tuple(Token(word, word) for word in words)
    if any(is_picture_noun(token.word) and not colors.is_color(token.word) for token in tokens):
        return None
    found = _coordinated((*tokens, *noun), talk)
    if found is None or last.count != "all" or found[0].ordinal is not None:
        return found
    return tuple(replace(thing, count="all") for thing in found)


def _after_joint(tokens: Tokens, at: int) -> Tokens:
    rest = tokens[at + 1 :]
    while rest and rest[0].word in {"also", "then"}:
        rest = rest[1:]
    return rest


def _distribute(parts: list[Selector]) -> list[Selector]:
    """Give the place, relation, owner and picture of the last part to those that have none.

    As in docs/commands.md, a modifier after coordinated nouns holds for all of them.
    """
    last = parts[-1]
    out = []
    for part in parts[:-1]:
        if part.ordinal and last.ordinal and part.ordinal[1] is None:
            part = replace(part, ordinal=(part.ordinal[0], last.ordinal[1]))
        if part.relation is None and part.region is None and part.part_of is None:
            alike = not part.noun.startswith(("@", "*")) and part.noun != "background"
            about_itself = last.relation is not None and part in last.relation.anchors
            if alike and not about_itself:
                part = replace(
                    part,
                    relation=last.relation,
                    region=last.region if last.relation is None else None,
                    image=part.image or last.image,
                )
        out.append(part)
    return [*out, last]


def one_thing(tokens: Tokens, talk: Discourse) -> Selector | None:
    """Exactly one noun phrase."""
    found = targets(tokens, talk)
    return found.things[0] if found is not None and len(found.things) == 1 else None


def from_other_image(tokens: Tokens, talk: Discourse) -> Selector | None:
    """A thing of another picture ("the dog from image B"), None if none is named."""
    rest, label = take_image(tokens)
    if label is None or label == "A":
        return None
    if not rest:
        return Selector("@image", image=label)
    return noun_phrase(tokens, talk)
