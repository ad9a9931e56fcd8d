"""`parse --jsonl`, `edit --plan --json` and the app's table of a plan say the same of a command."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from editanything.cli import main
from editanything.command import parse
from editanything.command.describe import describe
from editanything.editor import Editor
from editanything.examples import EXAMPLES
from editanything.ui import paint
from editanything.ui.page import Page
from editanything.ui.session import Ask, Session

SCHEMA = Path(__file__).parents[2] / "commands" / "schema.py"
COFFEE = EXAMPLES["coffee"].path
COMMANDS = [
    "remove the spoon",
    "blur the background and make the saucer teal",
    "make the picture a bit brighter, then flip it",
    "make the saucer's left half red and move the spoon 20 px to the left",
    "blur everything except the cup, then make it 20% bigger",
    "make two copies of the spoon and make the cup and the saucer green",
    "brighten the thing to the right of the cup but don't touch the rim",
    "crop to the cup and upscale it 2x",
]


def schema():
    spec = importlib.util.spec_from_file_location("schema", SCHEMA)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def session():
    session = Session(Editor.from_preset())
    session.open(COFFEE)
    yield session
    session.close()


def said_by_jsonl(texts, folder, capfd):
    context = {"images": ["A"], "selection": False}
    rows = [{"id": str(i), "text": text, "context": context} for i, text in enumerate(texts)]
    file = folder / "commands.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["parse", "--jsonl", str(file)]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def said_by_plan(text, capfd):
    assert main(["edit", str(COFFEE), text, "--plan", "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def table(session):
    """The rows (what, number) of the app's plan, and which are checked."""
    fields = {name: name for name in Page.__dataclass_fields__}
    steps = paint.plan(Page(**fields), session)["steps"]["steps"]
    choices = [(step["what"], i) for i, step in enumerate(steps)]
    return choices, [i for i, step in enumerate(steps) if step["on"]]


def test_every_door_tells_the_same_operations(session, tmp_path, capfd):
    problems = schema().problems
    for text, line in zip(COMMANDS, said_by_jsonl(COMMANDS, tmp_path, capfd), strict=True):
        assert problems(line) == []
        assert line["ops"] == json.loads(json.dumps(parse(text).to_dict()["ops"]))
        plan = said_by_plan(text, capfd)
        assert (plan["text"], plan["ops"]) == (text, line["ops"])
        planned = session.plan(Ask(text))
        assert json.loads(json.dumps(planned.to_dict())) == plan
        choices, checked = table(session)
        assert [what for what, _ in choices] == [step["what"] for step in plan["steps"]]
        assert checked == [i for i, step in enumerate(plan["steps"]) if step["on"]]


def test_every_step_says_which_operation_it_carries_out(capfd):
    for text in COMMANDS:
        command, plan = parse(text), said_by_plan(text, capfd)
        clauses = [step["clause"] for step in plan["steps"]]
        assert sorted(set(clauses)) == list(range(len(plan["ops"])))
        assert clauses == sorted(clauses)
        for step in plan["steps"]:
            operation = command.ops[step["clause"]]
            assert step["where"] == describe(operation.target)
            assert step["prompt"] == (operation.value or "")


def test_the_page_tells_the_fields_of_a_plan(capfd):
    page = (Path(__file__).parents[3] / "docs" / "commands.md").read_text("utf-8")
    told = page.split("## Plans")[1].split("\n## ")[0]
    plan = said_by_plan(COMMANDS[0], capfd)
    for name in (*plan, *plan["steps"][0]):
        assert f"`{name}`" in told
    assert set(re.findall(r"^\| `(\w+)`", told, re.MULTILINE)) <= {*plan, *plan["steps"][0]}
