"""What the page selects as a guess where a name is not found."""

import numpy as np
import pytest

from editanything.editor import Editor
from editanything.errors import Refusal
from editanything.ui.session import Ask, Session


@pytest.fixture
def session():
    session = Session(Editor.from_preset())
    yield session
    session.close()


def test_what_may_be_meant_is_selected_and_confirmed_by_running_again(session):
    picture = np.full((90, 120, 3), 200, np.uint8)
    picture[20:60, 40:80] = (170, 30, 30)
    picture += np.random.default_rng(0).integers(0, 6, picture.shape).astype(np.uint8)
    session.open(picture)
    asked = Ask("make the piano green")
    for _ in range(2):
        with pytest.raises(Refusal, match="cannot find “the piano”"):
            session.plan(asked)
        here = session.pointing()
        assert here.mask.box == (40, 20, 80, 60)
        # Other words let it go; what they mean is theirs alone.
        with pytest.raises(Refusal, match="the drums"):
            session.plan(Ask("blur the drums"))
        here.clear()
    with pytest.raises(Refusal):
        session.plan(asked)
    plan = session.plan(asked)
    assert "taken to be your selection" in plan.notes[0]
    assert plan.steps[0].target.box == (40, 20, 80, 60)
