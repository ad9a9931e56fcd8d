"""Builders: the filters, said as a verb, as a look, or as a quantity that goes up or down."""

from __future__ import annotations

from dataclasses import replace

from editanything.command.attributes import value_text
from editanything.command.clause import Ask, Clause, Operations, each, without_sign
from editanything.command.constructions import FILTERS, OPPOSITES, grammar
from editanything.command.discourse import IMAGE
from editanything.command.heads import Tokens
from editanything.command.lexicon import lexicon
from editanything.command.targets import Targets, targets
from editanything.command.tokens import Token
from editanything.command.types import Amount, Operation, Selector

#: Filters that mean the whole picture where "it" has nothing else to mean.
_OVERALL = frozenset(FILTERS) - {"blur", "pixelate"}

#: "darken the edges", "... the corners": of the picture, where nothing else is named.
_RIMS = [(Selector(noun, count="all"),) for noun in ("edge", "corner", "border")]

_HOW_MUCH = "By how much, as a number without a minus sign?"


def _filtered(clause: Clause, found: Targets, kind: str) -> Operations | None:
    amount, less = without_sign(_amount(clause))
    if less:
        assert isinstance(amount, dict), amount
        if kind not in OPPOSITES or amount["unit"] != "%":  # no radius is less than none
            raise Ask("no_value", kind, _HOW_MUCH)
        kind = OPPOSITES[kind]
    if kind == "darken" and found.things in _RIMS:
        return (Operation("filter", IMAGE, kind="vignette", amount=amount),)
    return each(found, lambda thing: Operation("filter", _colored(thing), kind=kind, amount=amount))


def _colored(thing: Selector) -> Selector:
    """`the colors of the sky` is the sky, `the colors` the whole picture."""
    if thing.attrs or lexicon().attribute_nouns.whole([thing.noun]) != "color":
        return thing
    if thing.relation is not None and thing.relation.rel in {"in", "on"}:
        return thing.relation.anchors[0]
    if thing.part_of is not None:
        return thing.part_of
    return IMAGE if thing == Selector(thing.noun, count="all") else thing


def _amount(clause: Clause) -> Amount | None:
    if clause.loose.amount is None and clause.loose.bare is not None:
        return {"value": clause.loose.bare, "unit": "%"}
    return clause.loose.amount


def _things(clause: Clause, kind: str) -> Targets | None:
    """What is filtered: "it" without a meaning is the picture for filters of a whole picture."""
    tokens = clause.slot("T")
    place = _place(tokens) or _place(clause.slot("F"))
    named = tokens[:-1] if _place(tokens) else tokens
    alone = not named or [token.word for token in named] in (["it"], ["this"])
    talk = clause.talk
    meant = (talk.last and not talk.cropped and not talk.removed) or talk.selection
    whole = kind in _OVERALL or talk.removed or (place and clause.has("F"))
    if alone and not meant and whole:
        grounds = {"background", "foreground"}
        part = replace(IMAGE, region=place) if place else IMAGE
        return Targets((Selector(str(place)) if place in grounds else part,))
    if not _place(clause.slot("F")):
        return targets(tokens, clause.talk)
    of_it = (Token("the", ""), Token(str(place), ""), Token("of", ""), *tokens)
    return targets(of_it, clause.talk) if tokens else None  # "the top of the wall"


def _place(tokens: Tokens) -> str | None:
    """The part of the picture that is said last: "it on the left side", "darker at the top"."""
    return tokens[-1].value if tokens and tokens[-1].kind in {"region", "toward"} else None


def filter_verb(clause: Clause) -> Operations | None:
    """`blur the background`, `brighten the face a little`."""
    kind = next(name for name in FILTERS if clause.verb in grammar().verbs[name])
    found = _things(clause, kind)
    if found is None or (clause.verb == "smooth out" and not _is_grainy(found)):
        return None
    return _filtered(clause, found, kind)


def _is_grainy(found: Targets) -> bool:
    """Whether "smooth out" means noise: that of a picture, not the folds of a shirt."""
    nouns = {thing.noun for thing in found.things}
    return nouns <= {"@image", "@selection", "background", "sky", "noise", "grain"}


def filter_look(clause: Clause) -> Operations | None:
    """`make the photo brighter`, `turn the wall black and white`, `darker at the top`."""
    look = clause.slot("F")
    words = value_text(look[:-1] if _place(look) else look).split()
    kinds = ["saturate"] if _colors_pop(clause, words) else _kinds(words)
    if not kinds:
        return None
    if any(OPPOSITES.get(kind) in kinds for kind in kinds):
        raise Ask("contradiction", " ".join(words))
    out: list[Operation] = []
    if _is_lighting(clause) and kinds == ["blur"]:
        return None  # "make the light softer"
    for kind in kinds:
        placed = clause.has("T") or _place(look)
        found = _things(clause, kind) if placed else Targets((clause.unnamed(),))
        operations = None if found is None else _filtered(clause, found, kind)
        if operations is None:
            return None
        out.extend(operations)
    return tuple(out)


def _is_lighting(clause: Clause) -> bool:
    """Whether "the light" is changed, which is no thing by itself."""
    words = [token.word for token in clause.slot("T") if token.word not in {"the", "this"}]
    return words in (["light"], ["lighting"])


def _colors_pop(clause: Clause, words: list[str]) -> bool:
    """`make the colors pop`: colours that stand out are more saturated; a thing is not."""
    thing = [token.word for token in clause.slot("T")][-1:]
    said = [word for word in words if word not in {"more", "out", "really", "a", "bit"}]
    return said == ["pop"] and lexicon().attribute_nouns.whole(thing) == "color"


def _kinds(words: list[str]) -> list[str]:
    """The filters of "brighter", or of "brighter and sharper"."""
    lex = lexicon()
    for start in range(min(2, len(words))):
        one = lex.filters.whole(words[start:])
        if one is not None and (start == 0 or words[0] in {"more", "less", "much", "look", "be"}):
            return [one]
    if "and" in words[1:-1] or "but" in words[1:-1]:
        at = next(at for at, word in enumerate(words) if at and word in {"and", "but"})
        first, second = lex.filters.whole(words[:at]), _kinds(words[at + 1 :])
        if first is not None and second:
            return [first, *second]
    return []


#: Adjectives of a quantity, and how much they say: "a slight blur".
_DEGREES = {
    "slight": "small", "subtle": "small", "gentle": "small", "light": "small", "soft": "small",
    "little": "small", "strong": "large", "heavy": "large", "intense": "large", "huge": "large",
    "a": "", "some": "", "more": "", "gaussian": "", "nice": "", "motion": "", "lens": "",
    "radial": "", "extra": "", "bit": "", "of": "", "the": "", "any": "", "too": "", "much": "",
}  # fmt: skip
_TAKES_AWAY = {"remove", "delete", "get rid of", "eliminate", "erase", "take out", "take away"}


_GIVING = {"give", "lend"}
_MUCH_MORE = {"much", "lot", "lots", "plenty"}
_LITTLE_MORE = {"bit", "little", "touch", "tad", "slight"}


def _given_degree(clause: Clause) -> Amount | None:
    """`a touch of`, `lots more` of what is given."""
    said = set(clause.match.literals[-1].split()) if clause.verb in _GIVING else set()
    return "large" if said & _MUCH_MORE else "small" if said & _LITTLE_MORE else None


def _lowers(clause: Clause) -> bool:
    """Whether less of a quantity is wanted.

    Raises:
        Ask: no_value, for "reduce it by -20%": that may be more, or the minus says it once more.
    """
    lowers = clause.verb in _TAKES_AWAY or clause.verb not in grammar().verbs["raise"] | _GIVING
    lowers = lowers or "less" in clause.match.literals[-1].split()
    if lowers and without_sign(_amount(clause))[1]:
        raise Ask("no_value", clause.verb, _HOW_MUCH)
    return lowers


def _is_thing(word: str, clause: Clause) -> bool:
    """Whether the word names a thing here: "add a light" is a lamp."""
    if word in {"light", "color"} and {"a", "an"} & set(clause.match.literals):
        return True
    said = {part for literal in clause.match.literals for part in literal.split()}
    if word in {"color", "colors"} and clause.verb in {"add", "apply"} and "more" not in said:
        return True
    if clause.verb == "put" and not {"more", "some"} & said:
        return True  # "put the light on the table"
    if word in {"light", "detail", "focus", "darkness"} and clause.verb in _TAKES_AWAY:
        return True
    return word in {"light", "color", "colors", "detail", "mosaic"} and clause.verb in _GIVING


def filter_quantity(clause: Clause) -> Operations | None:
    """`increase the brightness of the sky by 20 percent`, `reduce the noise`."""
    lex = lexicon()
    words = [token.word for token in clause.slot("K")]
    said = _DEGREES.get(words[0], "") if len(words) > 1 else ""
    while len(words) > 1 and words[0] in _DEGREES:
        words = words[1:]
    literal = next((_DEGREES[w] for w in clause.match.literals if _DEGREES.get(w)), "")
    amount = said or literal or _given_degree(clause)
    if amount and clause.loose.amount is None:
        clause = replace(clause, loose=replace(clause.loose, amount=amount))
    named = lex.quantities.whole(words)
    if named is None:
        if lex.said["unsupported"]["quantities"].whole(words) is not None:
            raise Ask("unsupported", " ".join(words))
        return None
    up, _, down = named.partition("/")
    kind = down if _lowers(clause) else up
    if _is_thing(words[0], clause):
        return None
    if clause.verb in _TAKES_AWAY and kind == "desaturate":
        kind = "grayscale"
    if kind == "-":
        raise Ask("unsupported", " ".join(words), final=words == ["noise"])
    found = _of_what(clause)
    return None if found is None else _filtered(clause, found, kind)


def _of_what(clause: Clause) -> Targets | None:
    """What a quantity is of: a thing, a part of the picture, or what is not named."""
    if clause.has("T"):
        return targets(clause.slot("T"), clause.talk)
    if not clause.has("W"):
        return Targets((clause.unnamed(),))
    place = clause.slot("W")
    if len(place) > 1 or _place(place) is None:
        return None
    region = place[0].value
    ground = region in {"background", "foreground"}
    return Targets((Selector(region) if ground else replace(IMAGE, region=region),))
