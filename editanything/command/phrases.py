"""Noun phrases: tokens -> Selector, with quantity, order, place, relations and owners.

    phrase = [quantity] [article] [ordinal | superlative | region | attribute]* noun+ after*
    after  = region | relation phrase | "of" phrase | "from image B" | "except" phrase

A phrase must use up all of its tokens, or it is none: that is how the constructions find out where
a phrase ends. Every `after` belongs to the noun right before it.
"""

from __future__ import annotations

from dataclasses import replace

from editanything.command.discourse import IMAGE, SELECTION, Discourse, Unresolved
from editanything.command.following import (
    after_says,
    deed,
    eyewear,
    in_color,
    is_a_thing,
    is_share,
    is_some_of,
    portion_of,
    seen_from,
    with_deed,
)
from editanything.command.heads import (
    ARTICLES,
    STOPS,
    Head,
    Tokens,
    in_noun,
    inside_compound,
    is_adjective,
    is_third,
    lemma_of,
    read_before,
    split_attributes,
    worn,
)
from editanything.command.lexicon import lexicon
from editanything.command.nouns import is_kind, is_name, is_person
from editanything.command.pictures import take_image
from editanything.command.types import Count, Relation, Selector

_US = {"us", "me", "him", "her", "them"}
_EXCEPT = {"except", "besides", "excluding", "but", "not", "save"}


def noun_phrase(tokens: Tokens, talk: Discourse) -> Selector | None:
    """The selector that `tokens` say, or None if they are not one noun phrase.

    Raises:
        Unresolved: a pronoun in it has nothing to refer to.
    """
    if not tokens or len(tokens) > 40:
        return None
    tokens, image = take_image(tokens)
    if tokens and tokens[-1].word in {"the", "a", "an", "and"}:
        return None
    if not tokens:
        return Selector("@image", image=image) if image else None
    selector = _special(tokens, talk) or _phrase(tokens, talk)
    if selector is not None and image is not None:
        return replace(selector, image=image)
    return selector


def _special(tokens: Tokens, talk: Discourse) -> Selector | None:
    """The selection, the whole image, the background, or a pronoun."""
    lex = lexicon()
    body = words = [token.word for token in tokens]
    found = talk.pronoun(" ".join(words))
    if found:
        return found[0]
    if words in (["the", "whole", "thing"], ["the", "entire", "thing"], ["the", "lot"]):
        return talk.last[-1] if talk.last else Selector("@image")
    while body and body[0] in ARTICLES | {"whole", "entire", "full", "complete", "all", "current"}:
        body = body[1:]
    if not body:
        return None
    if lex.groups["selection"].whole(body) is not None:
        if not talk.selection and body == ["mask"]:
            return None
        if not talk.selection:
            raise Unresolved(" ".join(words))
        return Selector("@selection")
    if lex.groups["image"].whole(body) is not None and words != ["the", "frame"]:
        return Selector("@image")
    if lex.groups["background"].whole(body) is not None:
        return Selector("background")
    return None


def _phrase(tokens: Tokens, talk: Discourse) -> Selector | None:
    if [token.word for token in tokens] in (["his"], ["hers"]) and talk.noun is not None:
        return Selector(talk.noun, part_of=talk.owner("his"))  # "all faces but his"
    return (
        _everything(tokens, talk)
        or _owned(tokens, talk)
        or _quoted(tokens, talk)
        or _simple(tokens, talk, None)
    )


def _everything(tokens: Tokens, talk: Discourse) -> Selector | None:
    """`everything (else) (except X)`, `all but X`, `everyone except X`."""
    lex = lexicon()
    words = [token.word for token in tokens]
    for group, noun in (("everything", "*"), ("everyone", "person")):
        found = lex.groups[group].at(words, 0)
        if found is None or (words[0] == "people" and len(words) == 1):
            continue
        stop = found[1]
        if words[:2] == ["all", "of"]:
            continue
        stop += words[stop : stop + 1] == ["else"]
        if stop == len(words):
            if words[-1] not in {"else", "rest"}:
                return Selector(noun, count="all")
            said = talk.spared or talk.last[-1:] or ((SELECTION,) if talk.selection else ())
            if not said:
                raise Unresolved("the rest" if words[-1] == "rest" else " ".join(words))
            return Selector(noun, count="all", exclude=said[-1])
        if all(is_adjective(word) and word not in STOPS for word in words[stop:]):
            return Selector(noun, attrs=tuple(words[stop:]), count="all")
        spared = _exclusion(tokens[stop:], talk)
        if spared is not None:
            noun = spared.noun if is_some_of(spared, words) else noun
            return Selector(noun, count="all", exclude=spared)
        return _after(tokens[stop:], Selector(noun, count="all"), talk)
    return None


def _exclusion(tokens: Tokens, talk: Discourse) -> Selector | None:
    """The X of `except (for) X`, `but X`, `apart from X`, `other than X`."""
    words = [token.word for token in tokens]
    if " ".join(words[:2]) in {"apart from", "other than", "aside from", "with exception"}:
        return noun_phrase(tokens[2:], talk)
    if words and words[0] in _EXCEPT:
        skip = 2 if words[1:2] in (["for"], ["not"]) else 1
        return noun_phrase(tokens[skip:], talk)
    return None


def _owned(tokens: Tokens, talk: Discourse) -> Selector | None:
    """`the man's hair`; `the bride's` after something named is hers of that kind.

    A possessive belongs to the noun right before it ("the collar of the man's shirt"), or else to
    the whole phrase up to there ("the woman in red's bag").
    """
    marks = [at for at, token in enumerate(tokens) if token.kind == "own" and at]
    if not marks:
        return None
    if marks[-1] + 1 == len(tokens):
        owner = noun_phrase(tokens[: marks[-1]], talk) if talk.noun is not None else None
        return None if owner is None else Selector(str(talk.noun), part_of=owner)
    tight = None if len(marks) > 1 else _simple(tokens, talk, None)
    if tight is not None and not _odd_owner(tight):
        return tight
    for at in reversed(marks):
        owner = noun_phrase(tokens[:at], talk)
        if owner is not None:
            return _simple(tokens[at + 1 :], talk, owner)
    return None


def _odd_owner(selector: Selector) -> bool:
    """Whether a relation ties to a part of a body that nothing alive owns: "the swing's shoes"."""
    if selector.relation is None:
        return False
    part = selector.relation.anchors[-1]
    alive = part.part_of is not None and is_kind(part.part_of.noun, "person", "animal")
    kinds = ("body", "clothing", "accessory")
    return is_kind(part.noun, *kinds) and part.part_of is not None and not alive


def _quoted(tokens: Tokens, talk: Discourse) -> Selector | None:
    """`the word "cat"`, `the text "SALE" on the mug`, `"SALE"`: writing, by its letters."""
    at = next((at for at, token in enumerate(tokens) if token.kind == "quote"), None)
    if at is None:
        return None
    letters = (tokens[at].value.casefold(),)
    if all(token.word in ARTICLES for token in tokens[:at]) and tokens[at + 1 :]:
        thing = _simple(tokens[at + 1 :], talk, None)
        if thing is not None and thing.relation is None:  # "the "FOR SALE" sign"
            return replace(thing, relation=Relation("with", (Selector("text", letters),)))
    written = _simple(tokens[:at], talk, None) if at else Selector("text")
    if written is None or lexicon().groups["text"].whole([written.noun]) is None:
        return None
    return _after(tokens[at + 1 :], replace(written, attrs=letters), talk)


def _simple(tokens: Tokens, talk: Discourse, owner: Selector | None) -> Selector | None:
    """A phrase without a possessive: what stands before the noun, the noun, what follows."""
    head = Head(owner=owner)
    at = read_before(tokens, head, talk)
    stop = at
    while stop < len(tokens) and in_noun(tokens, stop, at):
        stop += 1
    found = _region_noun(tokens, at, stop, head, talk)
    if found is not None:
        return found
    selector = _build(tokens[at:stop], head, talk)
    if selector is None:
        return None
    if selector.noun == "@image" and is_a_thing(tokens[stop:], selector):
        selector = replace(selector, noun=lemma_of([tokens[stop - 1].word])[0])
    return _after(tokens[stop:], selector, talk)


def _region_noun(
    tokens: Tokens, at: int, stop: int, head: Head, talk: Discourse
) -> Selector | None:
    """`the left side of the sky`, `the cup's upper half`, `the left half`, `the top of the cup`.

    A part of a thing is said by `part_of`; a part of the picture or of the selection is the
    picture or the selection there.
    """
    lex = lexicon()
    words = [token.word for token in tokens]
    if head.region is None:
        found = lex.regions.at(words, at)
        if found is None or found[1] != stop or words[stop : stop + 1] != ["of"]:
            return None
        head.region = found[0]
    elif is_third(words, at):
        stop = at + 1
    elif not (stop == at + 1 and lex.groups["portion"].at(words, at)):
        return None
    if stop == len(tokens):
        return portion_of(head.owner or Selector("@image"), words[stop - 1], head.region)
    if words[stop] != "of" or head.owner is not None:
        return None
    thing = noun_phrase(tokens[stop + 1 :], talk)
    return None if thing is None else portion_of(thing, words[stop - 1], head.region)


def _build(tokens: Tokens, head: Head, talk: Discourse) -> Selector | None:
    """The selector of adjectives and nouns."""
    if not tokens:
        return _headless(head, talk)
    words = [token.word for token in tokens]
    attrs, names = split_attributes(words)
    if names in (["one"], ["ones"]):
        if talk.noun is None:
            raise Unresolved(" ".join(words))
        noun, plural = talk.noun, names == ["ones"]
    else:
        if not is_name(names) or not all(map(inside_compound, names[:-1])):
            return None
        noun, plural = lemma_of(names)
    count: Count = head.count if head.count is not None else ("all" if plural else 1)
    if head.one_of or (head.ordinal is not None and head.count is None):
        count = 1
    if noun == "glass" and names[-1] == "glasses" and head.count is None and worn(head):
        noun, count = "glasses", 1
    if noun in {"image", "picture", "photo"} and not attrs and head.owner is None:
        noun = "@image"
    if noun in {"background", "backdrop"} and not attrs:
        noun = "background"
    return Selector(
        noun,
        tuple(attrs),
        count,
        ordinal=(head.ordinal, None) if head.ordinal is not None else None,
        superlative=head.superlative,
        region=head.region,
        part_of=head.owner,
    )


def _headless(head: Head, talk: Discourse) -> Selector | None:
    """`the second`, `both`, `the leftmost`: the noun named before."""
    if head.ordinal is not None and talk.noun is not None:
        return Selector(talk.noun, ordinal=(head.ordinal, None))
    if (head.both or head.count == "all") and talk.last:
        return talk.last[-1]
    if isinstance(head.count, int) and not head.both and talk.noun is not None:
        return Selector(talk.noun, count=head.count)  # "the two on the branch"
    return None


def _after(tokens: Tokens, selector: Selector, talk: Discourse) -> Selector | None:
    """Read what follows the noun; None if something is left that does not fit."""
    if not tokens:
        return selector
    doer = noun_phrase(deed(tokens), talk) if selector.part_of is None else None
    if doer is not None and is_kind(doer.noun, "person", "animal"):
        return replace(selector, part_of=doer)
    opening = [token.word for token in tokens[:2]]
    if opening[0] in {"that", "which", "who"} and set(opening[1:]) & {"is", "are", "was", "were"}:
        return _relative(tokens[2:], selector, talk)
    if opening[0] == "whose":
        return _whose(tokens[1:], selector, talk)
    seen = seen_from(opening, selector, [token.word for token in tokens])
    if seen:
        return _after(tokens[seen:], selector, talk)
    selector, skipped = with_deed(tokens, selector)
    if skipped:
        return _after(tokens[skipped:], selector, talk)
    for read in (after_says, _after_place, _after_relation, _after_of, _after_exception):
        found = read(tokens, selector, talk)
        if found is not None:
            return found
    return None


def _relative(tokens: Tokens, selector: Selector, talk: Discourse) -> Selector | None:
    """`that is red`, `who is wearing a hat`."""
    words = [token.word for token in tokens]
    if words[:1] == ["not"] and set(words[1:2]) - ARTICLES:
        kind = Selector(selector.noun, count="all")
        spared = _relative(tokens[1:], kind, talk) if selector.count == "all" else None
        return None if spared is None else replace(selector, exclude=spared)
    if words and all(is_adjective(word) for word in words):
        return replace(selector, attrs=(*selector.attrs, *words))
    return _after(tokens, selector, talk)


def _whose(tokens: Tokens, selector: Selector, talk: Discourse) -> Selector | None:
    """`whose hair is red`: with red hair."""
    words = [token.word for token in tokens]
    at = next((at for at, word in enumerate(words) if word in {"is", "are"}), 0)
    part = noun_phrase(tokens[:at], talk) if at else None
    if part is None or not words[at + 1 :] or not all(map(is_adjective, words[at + 1 :])):
        return None
    part = replace(part, attrs=(*part.attrs, *words[at + 1 :]))
    return replace(selector, relation=Relation("with", (part,)))


def _after_place(tokens: Tokens, selector: Selector, talk: Discourse) -> Selector | None:
    token = tokens[0]
    if token.kind in {"region", "toward"} and selector.region is None:
        return _after(tokens[1:], replace(selector, region=token.value), talk)
    if token.kind == "extreme":
        return _after(tokens[1:], replace(selector, superlative=token.value), talk)
    if token.kind in {"origin", "region"} and selector.ordinal is not None:
        placed = replace(selector, ordinal=(selector.ordinal[0], token.value), region=None)
        return _after(tokens[1:], placed, talk)
    return None


def _after_relation(tokens: Tokens, selector: Selector, talk: Discourse) -> Selector | None:
    words = [token.word for token in tokens]
    if tokens[0].kind == "relation":
        name, stop = tokens[0].value, 1
    else:
        found = lexicon().relations.at(words, 0)
        if found is None:
            return None
        name, stop = found
    anchors = in_color(tokens[stop:], name, selector) or anchors_of(
        tokens[stop:], name, talk.about(selector.noun)
    )
    if anchors is None and tokens[stop:] and tokens[stop].word in _US:
        rest = _after(tokens[stop + 1 :], selector, talk)  # "the man behind us on the beach"
        anchors = None if rest is None else talk.pronoun(tokens[stop].word)
    if anchors is None or anchors[0].noun == "style":
        return None
    if anchors == (IMAGE,) and name in {"in", "on"}:  # "in my shot"
        return selector
    if name in {"with", "wearing"} and is_person(selector.noun):
        anchors = tuple(map(eyewear, anchors))
    if name == "in" and is_person(selector.noun) and is_kind(anchors[0].noun, "clothing"):
        name = "wearing"
    if name == "with" and anchors[0].noun == "*":
        return None
    return replace(selector, relation=Relation(name, anchors))


def anchors_of(tokens: Tokens, name: str, talk: Discourse) -> tuple[Selector, ...] | None:
    """The things that a relation names: two for "between A and B", else one."""
    if name == "between":
        for at in range(1, len(tokens) - 1):
            if tokens[at].word == "and":
                pair = noun_phrase(tokens[:at], talk), noun_phrase(tokens[at + 1 :], talk)
                if pair[0] is not None and pair[1] is not None:
                    return pair[0], pair[1]
    one = noun_phrase(tokens, talk)
    return None if one is None else (one,)


def _after_of(tokens: Tokens, selector: Selector, talk: Discourse) -> Selector | None:
    found = lexicon().groups["owned_by"].at([token.word for token in tokens], 0)
    if found is None:
        return None
    whole = noun_phrase(tokens[found[1] :], talk)
    if whole is None or selector.part_of is not None or is_share(selector, whole):
        return None
    if whole.noun == "@image" and whole.image is None:
        return selector
    return replace(selector, part_of=whole)


def _after_exception(tokens: Tokens, selector: Selector, talk: Discourse) -> Selector | None:
    if selector.count != "all":
        return None
    found = _exclusion(tokens, talk.about(selector.noun))
    return None if found is None else replace(selector, exclude=found)
