"""`parse --jsonl`, `edit --plan --json` and the app's table of a plan say the same of a command."""

import importlib.util
import json
from pathlib import Path

import pytest

from editanything.cli import main
from editanything.command import parse
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
    shown = paint.plan(Page(**fields), session)["steps"]
    return shown["choices"], shown["value"]


def test_every_door_tells_the_same_operations(session, tmp_path, capfd):
    problems = schema().problems
    for text, line in zip(COMMANDS, said_by_jsonl(COMMANDS, tmp_path, capfd), strict=True):
        assert problems(line) == []
        assert line["ops"] == json.loads(json.dumps(parse(text).to_dict()["ops"]))
        plan = said_by_plan(text, capfd)
        assert plan["text"] == text
        assert [step["op"] for step in plan["steps"]] == [op["op"] for op in line["ops"]]
        planned = session.plan(Ask(text))
        assert [op.to_dict() for op in planned.command.ops] == line["ops"]
        choices, checked = table(session)
        assert [what for what, _ in choices] == [step["what"] for step in plan["steps"]]
        assert checked == [str(i) for i, step in enumerate(plan["steps"]) if step["on"]]
