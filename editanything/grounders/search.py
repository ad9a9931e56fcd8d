"""One search for what a selector means: names first, then all that was said about the thing.

What is said may itself be unclear ("the hat on the dog", and there are two dogs). Then every
reading is followed: if only one of them leads to something, that is what was meant; if several do,
the things that they lead to are the question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from editanything import masks
from editanything.command.describe import describe
from editanything.command.types import Selector
from editanything.grounders.base import (
    MADE_UP,
    STANDS_OUT,
    Found,
    Miscount,
    NotFound,
    Outcome,
    Scene,
    Tie,
    Unclear,
    came_with_names,
)
from editanything.grounders.called import called, learned
from editanything.grounders.choice import choose, in_place, regions
from editanything.grounders.looks import Looks, of_color, sort_adjectives, standing_out
from editanything.grounders.names import Learned, Names
from editanything.grounders.parts import BACKDROPS, SHARES, STUFF, color_parts, in_front, portion
from editanything.grounders.relations import clearly_nearest, owners, related
from editanything.grounders.sights import subject
from editanything.grounders.things import Thing, share_inside
from editanything.places import PLACES
from editanything.types import Mask, Region

Group = tuple[Thing, ...]  # things that words mean together

#: Nouns for any thing, and for any part of the picture, whatever it shows.
ANY_THING = frozenset({"thing", "object", "item", "one", "element", "stuff", "*"})
ANY_PART = frozenset(
    {"region", "area", "part", "spot", "shape", "patch", "piece", "bit", "pixel", "color", "colour"}
)
PLACE_NOUNS = frozenset(
    {"half", "side", "part", "area", "corner", "edge", "section", "region", "*", "@image", "third",
     "middle", "center", "centre", "picture", "image", "photo", "portion", "quarter", "end",
     "border", "left", "right", "top", "bottom", "upper", "lower"}
)  # fmt: skip
SUBJECTS = frozenset({"foreground", "subject"})
PRODUCTS = frozenset({"product"})  # of a shop: the subject, where nothing else is called so
_MOST_COMBINED = 6  # anchors that are tried in every combination
_INSIDE = 0.5  # of a part lies on its whole


@dataclass(frozen=True, eq=False)
class Search:
    """What one question about a picture needs."""

    seen: Scene
    names: Names
    selection: Mask | None
    least_share: float

    def find(self, selector: Selector) -> Outcome:
        """What `selector` means."""
        special = self._special(selector)
        if special is not None:
            return self._without_exception(special, selector)
        spared = None if selector.exclude is None else self.find(selector.exclude)
        if spared is not None and not isinstance(spared, Found):
            return spared
        whole, selector = called(self.seen.known, selector)
        named, by = [self._thing(region) for region in whole], "its name"
        if not named and isinstance(self.names, Learned):
            one = learned(self.names, self.seen, selector)
            named = [] if one is None else self._named(one)[0]
            selector = one if one is not None and named else selector
        if not named:
            named, by = self._named(selector)
        if not named:
            what = describe(replace(selector, exclude=None))
            return NotFound(what, self._names(), guess=self._guess(selector))
        readings = []
        for owner, anchors in self._readings(selector):
            if not isinstance(owner, tuple):
                return owner  # what the words hang on is not there, so they mean nothing
            readings.append(self._read(selector, named, owner, anchors, spared))
        return self._agreed(readings, selector, named, by, spared)

    # --- words that are no things

    def _special(self, selector: Selector) -> Outcome | None:
        """The selection, the background, everything, a part of the frame or of a thing."""
        shape = self.seen.image.shape[:2]
        noun, place = selector.noun, selector.region
        if noun == "@selection" or (noun in SUBJECTS and self.selection is not None):
            return self._selected(place)
        if noun == "background":
            return self._background()
        if self._means_the_subject(selector):
            if self.selection is not None:
                return self._selected(None)
            front = self._front()
            if front is not None:
                return _one(front, "what is in front" if self._shown else STANDS_OUT)
        if place in PLACES and noun in PLACE_NOUNS and not selector.attrs:
            whole = _one(Mask.everything(shape), "everything")
            if selector.part_of is not None:
                owner = self.find(selector.part_of)
                if not isinstance(owner, Found):
                    return owner
                whole = owner
            return self._portion(whole, place, SHARES.get(noun, 0.5))
        if noun in ("@image", "*") and not (selector.attrs or selector.relation):
            return _one(Mask.everything(shape), "everything")
        return None

    def _means_the_subject(self, selector: Selector) -> bool:
        """`the subject`, which bears no such name; `the main object`, `the thing in front`."""
        if selector.noun in SUBJECTS | PRODUCTS:
            return not self._named(selector)[0]
        plain = replace(selector, noun="thing", attrs=(), region=None) == Selector("thing")
        told = set(selector.attrs) <= {"main"} and selector.region in {None, "foreground"}
        return selector.noun in ANY_THING - {"*"} and plain and told and not self._shown

    def _selected(self, place: str | None) -> Outcome:
        if self.selection is None:
            return Unclear(
                "Nothing is selected; click, draw a box or brush first.",
                "unresolved_reference",
                "What do you mean? Click it or draw a box around it.",
            )
        found = _one(self.selection, "your selection")
        return self._portion(found, place) if place in PLACES else found

    def _portion(self, whole: Found, place: str, share: float = 0.5) -> Outcome:
        part = portion(whole.union(), place, share)
        if part.area == 0:
            return NotFound(place.replace("-", " "))
        return _one(part, "its place")

    def _front(self) -> Mask | None:
        """What stands in front: named things, else what plainly stands out."""
        things = [r.mask for r in self._shown if r.label and r.label not in BACKDROPS]
        if things:
            return in_front(things)
        return None if self._shown else subject(self.seen)

    def _background(self) -> Outcome:
        if self.selection is not None:
            return self._rest(self.selection, "all but your selection")
        front = self._front()
        if front is not None:
            return self._rest(front, "what lies around the things" if self._shown else STANDS_OUT)
        return Unclear(
            "I cannot tell the background of this picture by myself: select the thing in front "
            "(click it or draw a box), then the background is all the rest.",
            "not_found",
            "What is in front? Click it or draw a box around it.",
        )

    def _rest(self, front: Mask, by: str) -> Outcome:
        rest = masks.complement(front)
        return _one(rest, by) if rest.area else NotFound("background")

    def _without_exception(self, outcome: Outcome, selector: Selector) -> Outcome:
        if selector.exclude is None or not isinstance(outcome, Found):
            return outcome
        spared = self.find(selector.exclude)
        if not isinstance(spared, Found):
            return spared
        rest = masks.minus(outcome.union(), spared.union())
        if rest.area == 0:
            return NotFound(describe(selector))
        told = spared.by == STANDS_OUT
        return _one(rest, STANDS_OUT if told else "all but what was named")

    def _guess(self, selector: Selector) -> Mask | None:
        """What one thing that no words find may be: the one that stands out."""
        one = selector.count == 1 and not (selector.part_of or selector.relation)
        asks = one and selector.ordinal is None and selector.noun not in ANY_PART | STUFF
        return self._front() if asks and not self._shown and self.selection is None else None

    # --- things

    def _named(self, selector: Selector) -> tuple[list[Thing], str]:
        """All that the noun may name, and how it was found."""
        found = [self._thing(n.region, n.score) for n in self.names.find(self.seen, selector.noun)]
        if found:
            return found, "its name"
        looks = sort_adjectives(selector.attrs)
        if selector.noun not in ANY_THING | ANY_PART or looks.others:
            return [], "its name"
        if selector.noun in ANY_THING:
            found = [self._thing(region) for region in self._things()]
            if found and all(of_color(found, color) for color in looks.colors):
                return found, "its place and looks"
        if looks.colors:
            parts = color_parts(self.seen.image, looks.colors, self.least_share)
            return [self._thing(Region(MADE_UP, part)) for part in parts], "its colour"
        return [self._thing(region) for region in self.seen.regions()], "its place and size"

    def _things(self) -> list[Region]:
        """The named things that are neither a part of another one nor what things stand on."""
        named = [r for r in self._shown if r.label and r.label not in STUFF]
        return [
            region
            for region in named
            if not any(
                other is not region
                and other.mask.area > region.mask.area
                and masks.intersection(region.mask, other.mask).area > 0.7 * region.mask.area
                for other in named
            )
        ]

    def _thing(self, region: Region, score: float = 1.0) -> Thing:
        return Thing(region, score, self.seen.image)

    def _readings(
        self, selector: Selector
    ) -> Iterator[tuple[Group, tuple[Group, ...]] | tuple[Outcome, tuple[()]]]:
        """Every way to understand the owner and the anchors that a selector names."""
        asked = [] if selector.part_of is None else [selector.part_of]
        anchors = () if selector.relation is None else selector.relation.anchors
        options: list[list[Group]] = []
        for one in [*asked, *anchors]:
            groups = self._groups(one)
            if not isinstance(groups, list):
                yield groups, ()
                return
            options.append(groups)
        for chosen in product(*options):
            yield (chosen[0] if asked else ()), tuple(chosen[len(asked) :])

    def _groups(self, selector: Selector) -> list[Group] | Outcome:
        """What an anchor may mean: one group, or several where it is not clear which."""
        outcome = self.find(selector)
        if isinstance(outcome, Found):
            return [tuple(self._thing(region) for region in outcome.regions)]
        if isinstance(outcome, Tie):
            return [(self._thing(region),) for region in outcome.candidates]
        if isinstance(outcome, Miscount) and outcome.asked < len(outcome.candidates):
            few = [self._thing(region) for region in outcome.candidates[:_MOST_COMBINED]]
            return list(combinations(few, outcome.asked))
        return outcome

    def _read(
        self,
        selector: Selector,
        named: Sequence[Thing],
        owner: Group,
        anchors: tuple[Group, ...],
        spared: Found | None,
    ) -> list[Thing] | Tie | Miscount:
        """One reading: the things that fit all that was said, or a question; [] for none."""
        looks = sort_adjectives(selector.attrs)
        found = list(named)
        if owner:
            found = self._owned(found, owner, selector)
        if selector.relation is not None:
            found = _related(found, selector, anchors)
        for color in looks.colors:
            found = of_color(found, color)
        found = self._not_spared(found, looks, spared)
        if selector.region is not None and found:
            found = self._placed(found, selector, owner)
        for word in looks.comparing:
            found = standing_out(found, word, selector.count) if found else found
        return choose(found, selector, describe(selector)) if found else []

    def _owned(self, found: Sequence[Thing], owner: Group, selector: Selector) -> list[Thing]:
        """Those that lie on their owner, or touch it more than others of its name."""
        assert selector.part_of is not None, selector
        rivals = self._named(selector.part_of)[0] or list(owner)
        wholes = {id(thing.region) for thing in owner}
        return [
            part
            for part in found
            if any(share_inside(part, whole) > _INSIDE for whole in owner)
            or any(id(o.region) in wholes for o in owners(rivals, part, "holding"))
        ]

    def _not_spared(
        self, found: Sequence[Thing], looks: Looks, spared: Found | None
    ) -> list[Thing]:
        """Without the exception; and "the other one" is not the selected one."""
        out = [] if spared is None else list(spared.masks)
        if "other" in looks.others and self.selection is not None:
            out.append(self.selection)
        return [
            thing
            for thing in found
            if not any(2 * masks.intersection(thing.mask, m).area > thing.area for m in out)
        ]

    def _placed(self, found: Sequence[Thing], selector: Selector, owner: Group) -> list[Thing]:
        """Those in a place of the frame, or of their owner; of a sky or lawn, the part there."""
        place = str(selector.region)
        height, width = self.seen.image.shape[:2]
        frame = (0, 0, width, height)
        if len(found) == 1 and found[0].region.label in STUFF and place in PLACES:
            part = portion(found[0].mask, place)
            return [self._thing(Region(MADE_UP, part))] if part.area else []
        if owner:
            frame = masks.box_union(*(whole.box for whole in owner))
        return in_place(found, place, frame, selector.count)

    def _agreed(
        self,
        readings: Sequence[list[Thing] | Tie | Miscount],
        selector: Selector,
        named: Sequence[Thing],
        by: str,
        spared: Found | None,
    ) -> Outcome:
        """What all readings that lead to something lead to, or the question between them."""
        what = describe(selector)
        fruitful = [reading for reading in readings if reading]
        if not fruitful:
            return NotFound(what, self._names(), regions(named))
        results = {frozenset(id(r) for r in _meant(reading)): reading for reading in fruitful}
        if len(results) > 1:
            meant = {id(r): r for reading in fruitful for r in _meant(reading)}
            return Tie(what, tuple(meant.values()))
        reading = next(iter(results.values()))
        if not isinstance(reading, list):
            return reading
        found = Found(regions(reading), by)
        if spared is None:
            return found
        left = [masks.minus(mask, spared.union()) for mask in found.masks]
        kept = tuple(
            replace(region, mask=mask)
            for region, mask in zip(found.regions, left, strict=True)
            if mask.area
        )
        return Found(kept, "all but what was named") if kept else NotFound(what)

    @property
    def _shown(self) -> tuple[Region, ...]:
        """What the picture shows, if that is known: what an edit set there is not all of it."""
        return self.seen.known if came_with_names(self.seen) else ()

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(r.label for r in self._shown if r.label))


def _related(found: Sequence[Thing], selector: Selector, anchors: tuple[Group, ...]) -> list[Thing]:
    """Those of `found` that lie to all the anchors as the selector's relation says."""
    assert selector.relation is not None, selector
    rel = selector.relation.rel
    together = [thing for group in anchors for thing in group]
    if rel == "between":
        return related(found, rel, together)
    out = list(found)
    for group in anchors:
        near = related(out, rel, group)
        if rel == "next_to" and selector.superlative == "nearest":
            near = near[:1] if near else []
        if rel == "next_to" and selector.count == 1:
            near = clearly_nearest(near, group)
        out = near
    return out


def _meant(reading: list[Thing] | Tie | Miscount) -> tuple[Region, ...]:
    return regions(reading) if isinstance(reading, list) else reading.candidates


def _one(mask: Mask, by: str) -> Found:
    return Found((Region(MADE_UP, mask),), by)
