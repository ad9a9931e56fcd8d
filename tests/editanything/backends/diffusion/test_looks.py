"""Looks: their file, their commands, and what comes of a name."""

import pytest

from editanything.backends.diffusion.looks import KINDS, find_look, looks, with_look
from editanything.backends.diffusion.options import PaintOptions
from editanything.command import parse
from editanything.errors import InputError

#: What a look's command acts on, by kind.
NOUNS = {
    "hair": {"hair"}, "clothes": {"clothes"}, "contact lenses": {"eye"}, "person": {"person"},
    "object": {"@selection"}, "season": {"@image"}, "style": {"@image"},
}  # fmt: skip


@pytest.mark.parity("P30")
def test_p30_there_are_looks_for_every_kind_of_region():
    kinds = [look.kind for look in looks()]
    assert set(kinds) == set(KINDS)
    assert kinds == sorted(kinds, key=KINDS.index)
    assert len({look.name for look in looks()}) == len(looks())


@pytest.mark.parity("P30")
@pytest.mark.parametrize("look", looks(), ids=lambda look: look.name)
def test_p30_a_look_says_a_command_that_is_understood(look):
    (operation,) = parse(look.text, selection=True).ops
    assert operation.target.noun in NOUNS[look.kind]
    PaintOptions(**{"prompt": look.prompt, "negative": look.negative, **look.options})


@pytest.mark.parity("P30")
def test_p30_a_look_by_name_says_more_than_the_preset():
    winter = find_look("season-winter")
    told = with_look({"look": "season-winter", "steps": 12, "restyle_strength": 0.5}, "lowres")
    assert told == {
        "prompt": winter.prompt, "negative": f"{winter.negative}, lowres", "steps": 12,
        "restyle_strength": 1.0,
    }  # fmt: skip
    own = with_look({"look": "season-winter", "negative": "blurry"}, "lowres")
    assert own["negative"] == f"{winter.negative}, blurry"
    assert with_look({"steps": 3}) == {"steps": 3}


def test_an_unknown_look_is_told_with_what_is_near():
    with pytest.raises(InputError, match="no look 'season-wintr'; there are: season-winter"):
        find_look("season-wintr")
