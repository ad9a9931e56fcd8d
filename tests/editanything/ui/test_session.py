"""A user's session without a page: what the buttons do."""

import time

import numpy as np
import pytest

from editanything.editor import Editor
from editanything.errors import Cancelled, InputError, Refusal
from editanything.examples import EXAMPLES
from editanything.image import Picture
from editanything.recipe import Recipe
from editanything.types import Mask
from editanything.ui.answers import SESSION_COMMANDS, report
from editanything.ui.jobs import Job
from editanything.ui.session import Ask, Session
from editanything.ui.sessions import Sessions
from editanything.ui.works import read_recipe, start_replay, start_variations


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset()


@pytest.fixture
def session(editor):
    session = Session(editor)
    yield session
    session.close()


def card(depth=np.uint8):
    top = np.iinfo(depth).max
    picture = np.full((90, 120, 3), top * 0.8, depth)
    picture[20:60, 30:90] = [top * 0.7, top * 0.1, top * 0.1]
    picture += np.random.default_rng(0).integers(0, top // 40, picture.shape).astype(depth)
    return picture


def select_card(session):
    mask = np.zeros((90, 120), bool)
    mask[20:60, 30:90] = True
    session.pointing().take(Mask.of(mask))
    return mask


def run(session, text, **settings):
    outcome = session.start(Ask(text, **settings)).result()
    assert session.finish(outcome)
    return outcome


def test_the_result_is_what_python_gives_and_the_rest_is_untouched(session, editor):
    session.open(card(np.uint16))
    mask = select_card(session)
    run(session, "make it teal", seed=3)
    result = session.result()
    direct = editor.edit(card(np.uint16), "make it teal", selection=mask, seed=3)
    assert result.digest() == direct.picture.digest()
    assert result.samples.dtype == np.uint16
    assert np.array_equal(result.samples[~direct.mask], card(np.uint16)[~direct.mask])


def test_recipes_chain_through_undo_and_redo_and_replay_the_same(session, editor):
    session.open(EXAMPLES["coffee"].path)
    run(session, "make the saucer teal")
    run(session, "brighten the coffee")
    assert session.undo() == 1
    assert session.redo() == 1
    session.undo()
    run(session, "desaturate the table")
    recipe = Recipe.from_json(session.result().recipe)
    assert [edit.text for edit in recipe.edits] == ["make the saucer teal", "desaturate the table"]
    again = editor.replay(recipe, EXAMPLES["coffee"].path)
    assert again.picture.digest() == session.result().digest()
    assert len(session.history) == 4, "the other branch is kept"


def test_margins_are_settings_of_the_edit_and_go_into_the_recipe(session):
    session.open(card())
    select_card(session)
    outcome = run(session, "make it teal", grow_px=4, feather_px=0)
    assert outcome.results[0].mask.sum() == pytest.approx((40 + 8) * (60 + 8), rel=0.02)
    edit = Recipe.from_json(session.result().recipe).edits[0]
    assert dict(edit.overrides) == {"grow_px": 4.0, "feather_px": 0.0}


def test_the_selection_stays_with_a_thing_that_stays_and_goes_with_one_that_goes(session):
    session.open(card())
    mask = select_card(session)
    run(session, "make it teal")
    assert np.array_equal(session.pointing().mask.full(), mask)
    run(session, "remove it")
    assert session.pointing().mask is None


def test_a_plan_is_kept_while_nothing_changes_and_its_steps_can_be_switched(session):
    session.open(EXAMPLES["coffee"].path)
    ask = Ask("make the saucer teal and brighten the coffee")
    plan = session.plan(ask)
    assert session.plan(ask) is plan
    assert [
        step.on for step in session.change_plan(lambda plan: plan.switch_step(0, on=False)).steps
    ] == [False, True]
    outcome = run(session, ask.text)
    assert "teal" not in report(outcome)
    assert "brighten" in report(outcome)
    assert Recipe.from_json(session.result().recipe).edits[0].off == (0,)


def test_a_plan_is_made_anew_when_the_selection_changes(session):
    session.open(card())
    select_card(session)
    first = session.plan(Ask("make it teal"))
    session.pointing().brush([(5, 5)], 3, add=True)
    assert session.plan(Ask("make it teal")) is not first


def test_variations_are_offered_and_one_is_taken_as_a_branch(session):
    session.open(card())
    select_card(session)
    run(session, "remove it")
    outcome = start_variations(session, 3).result()
    assert session.finish(outcome)
    assert outcome.wanted == 3
    assert 1 <= len(session.variations) <= 3
    wanted = session.variations[0].picture.digest()
    session.adopt(0)
    assert session.result().digest() == wanted
    assert session.history.before.title == "Original"
    assert len(session.history) == 3


def test_what_was_removed_is_selected_again_where_it_is_back(session):
    session.open(card())
    mask, first = select_card(session), session.number()
    run(session, "remove it")
    removed = session.number()
    assert session.pointing().mask is None
    session.undo()
    assert np.array_equal(session.pointing().mask.full(), mask)
    run(session, "move it left by 10 px")  # "it" is known again
    session.go(first)
    other = np.zeros((90, 120), bool)
    other[:5, :5] = True
    session.pointing().clear()
    session.pointing().take(Mask.of(other))
    session.go(removed)  # what is selected now counts more than what was
    session.undo()
    assert np.array_equal(session.pointing().mask.full(), other)
    session.open(card())
    assert session.pointing().mask is None


def test_variations_that_come_after_an_undo_are_branches_of_what_they_vary(session):
    session.open(card())
    select_card(session)
    run(session, "make it teal")
    run(session, "remove it")
    job = start_variations(session, 2)
    session.undo(2)
    assert session.finish(job.result())
    session.adopt(0)
    titles = [state.title for state in session.history.path()]
    assert titles == ["Original", "make it teal", "remove it"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("undo the last two steps", "Undone: 2 steps."),
        ("undo", "Undone: 1 step."),
        ("redo", "Nothing to redo."),
        ("compare", "Drag the line to compare."),
        ("select the cup", "Selected the cup:"),
    ],
)
def test_commands_of_the_session_can_be_typed(session, text, said):
    session.open(EXAMPLES["coffee"].path)
    run(session, "brighten the cup")
    run(session, "darken the table")
    command = session.parse(text)
    assert session.is_for_session(command)
    answer, _ = SESSION_COMMANDS[command.ops[0].op](session, command)
    assert answer.startswith(said)


def test_a_sentence_that_mixes_undo_with_an_edit_is_refused(session):
    session.open(EXAMPLES["coffee"].path)
    with pytest.raises(Refusal, match="one after the other"):
        session.is_for_session(session.parse("undo and then make the cup red"))


def test_a_question_names_the_regions_that_could_be_meant(session):
    session.open(EXAMPLES["cat"].path)
    with pytest.raises(Refusal):
        session.plan(Ask("make the eye blue"))
    assert len(session.candidates) == 2


def test_a_second_picture_is_taken_from(session):
    session.open(EXAMPLES["coffee"].path)
    with pytest.raises(Refusal):
        session.start(Ask("use image B as the background")).result()
    session.open_second(EXAMPLES["rocket"].path)
    outcome = run(session, "use image B as the background")
    assert outcome.results[0].mask.any()
    assert session.result().digest() != session.history.before.load().digest()


def test_bad_files_leave_the_session_as_it_was(session, tmp_path):
    session.open(card())
    before = session.result().digest()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(InputError):
        session.open(broken)
    with pytest.raises(InputError):
        session.open_second(tmp_path / "missing.jpg")
    assert session.result().digest() == before
    assert session.second is None


def test_without_a_picture_everything_asks_for_one(session):
    for act in (
        lambda: session.plan(Ask("make it red")),
        lambda: session.start(Ask("make it red")),
        session.result,
        lambda: start_variations(session, 2),
        lambda: session.change_plan(lambda plan: plan.only(0)),
    ):
        with pytest.raises(InputError):
            act()


def big_removal(session):
    noise = np.random.default_rng(1).integers(0, 255, (900, 1200, 3), np.uint8)
    session.open(noise)
    session.pointing().brush([(300, 300), (900, 600)], 150, add=True)
    return session.start(Ask("remove it"))


@pytest.mark.clock
def test_cancel_stops_within_a_second_and_only_this_user(session, editor):
    other = Session(editor)
    other.open(card())
    select_card(other)
    theirs = other.start(Ask("make it teal"))
    job = big_removal(session)
    while job.share < 0.02 and not job.wait(0.01):
        pass
    begun = time.monotonic()
    session.stop()
    with pytest.raises(Cancelled):
        job.result()
    assert time.monotonic() - begun < 1.0
    assert len(session.history) == 1
    assert theirs.result().results[0].picture is not None
    other.close()


def test_one_edit_at_a_time_and_a_late_result_is_dropped(session):
    job = big_removal(session)
    with pytest.raises(InputError, match="still runs"):
        session.start(Ask("brighten the picture"))
    session.open(card(), "other.png")
    with pytest.raises(Cancelled):
        session.finish(job.result())
    assert session.file_name(".png") == "other-edited.png"
    assert len(session.history) == 1


def test_an_edit_of_a_picture_that_was_left_meanwhile_is_dropped(session):
    session.open(card())
    select_card(session)
    run(session, "make it teal")
    outcome = session.start(Ask("brighten the picture")).result()
    session.undo()
    assert not session.finish(outcome)
    assert session.history.current.title == "Original"


def test_sessions_are_apart_and_the_longest_unused_makes_room(editor):
    sessions = Sessions(editor, most=2)
    first = sessions.of("a")
    first.open(card())
    folder = first.history.folder
    sessions.of("b").open(Picture.open(card()[:40]))
    assert sessions.of("a") is first
    assert sessions.of("b").result().shape == (40, 120)
    sessions.of("a")
    sessions.of("c")
    assert len(sessions) == 2
    assert sessions.of("a") is first
    sessions.close("a")
    assert not folder.exists()
    sessions.close_all()
    assert len(sessions) == 0


def test_one_step_of_the_plan_runs_alone(session):
    session.open(EXAMPLES["coffee"].path)
    ask = Ask("make the saucer teal and brighten the coffee")
    session.plan(ask)
    assert session.finish(session.start(ask, alone=1).result())
    assert session.history.current.title == "brighten the coffee"
    assert Recipe.from_json(session.result().recipe).edits[0].off == (0,)


def test_a_change_that_cannot_be_leaves_the_plan_as_it_was(session):
    session.open(EXAMPLES["coffee"].path)
    plan = session.plan(Ask("remove the spoon and blur the table"))
    with pytest.raises(InputError, match="no strength"):
        session.change_plan(lambda plan: plan.change(0, strength=0.5))
    assert session.planned.plan is plan


def test_any_two_pictures_are_compared(session):
    session.open(card())
    assert session.other is None
    select_card(session)
    run(session, "make it teal")
    run(session, "make it red")
    assert session.other.title == "make it teal"
    session.compare_with(1)
    assert session.other.title == "Original"
    session.go(1)
    assert session.other is None, "nothing lies before the original"
    for wrong in (1, 99):
        with pytest.raises(InputError):
            session.compare_with(wrong)


def test_a_recipe_is_replayed_from_where_it_starts_as_a_branch(session, tmp_path):
    session.open(card())
    select_card(session)
    run(session, "make it teal")
    run(session, "remove it")
    wanted = session.result().digest()
    session.result().save(tmp_path / "done.png")
    (tmp_path / "done.json").write_text(session.result().recipe, encoding="utf-8")
    for name in ("done.png", "done.json"):
        assert session.finish(start_replay(session, read_recipe(tmp_path / name)).result())
        assert session.result().digest() == wanted
    assert [state.parent for state in session.history] == [None, 1, 2, 1, 4, 1, 6]
    session.open(card() // 2)
    with pytest.raises(InputError, match="120 × 90"):
        start_replay(session, read_recipe(tmp_path / "done.png"))


def test_a_recipe_brings_no_settings_to_a_server_that_takes_none(session, editor):
    session.open(card())
    mask = select_card(session)
    for own, taken in (({"grow_px": 3}, True), ({"max_megapixels": 50}, False)):
        other = Editor.from_preset(**own)
        edit = other.edit(card(), "remove it", selection=mask).recipe
        if taken:
            assert session.finish(start_replay(session, edit, takes_settings=False).result())
        else:
            with pytest.raises(InputError, match="takes from none of its users"):
                start_replay(session, edit, takes_settings=False)
            assert len(session.history) == 2


def test_what_is_no_recipe_is_one_sentence(tmp_path):
    Picture.open(card()).save(tmp_path / "plain.png")
    (tmp_path / "other.json").write_text("[1, 2]")
    (tmp_path / "bytes.json").write_bytes(bytes([0xFF, 0xFE, 0x00]))
    for name, words in (
        ("plain.png", "no recipe"),
        ("other.json", "not a recipe"),
        ("bytes.json", "no recipe"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            read_recipe(tmp_path / name)
        assert str(tmp_path) not in str(caught.value)


def test_a_step_alone_is_forgotten_with_the_run_that_it_was_meant_for(edit_page):
    page = edit_page(Editor.from_preset(), EXAMPLES["coffee"].path)
    text = "make the saucer teal and desaturate the spoon"
    page.do.alone(page.event(number=1), page.request)
    page.session.job = held = Job(lambda progress: time.sleep(0.3))
    list(page.do.run(text, 0, "", "", "", page.request))  # another edit still runs
    held.wait()
    assert "saucer" in page.run(text)
    assert page.session.history.current.title == text
