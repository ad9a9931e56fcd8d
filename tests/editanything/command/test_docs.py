"""docs/commands.md says what the parser does."""

import re
from dataclasses import fields
from pathlib import Path

from editanything.command import Operation, Selector, parse
from editanything.command.types import REASONS

DOC = (Path(__file__).parents[3] / "docs" / "commands.md").read_text("utf-8")


def section(title):
    return DOC.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_example_is_what_comes_out():
    import editanything

    call, shown = re.search(r">>> (editanything\.parse\(.*\)\.to_dict\(\))\n(.*)\n", DOC).groups()
    assert repr(eval(call, {"editanything": editanything})) == shown


def test_every_way_of_saying_an_operation_gives_that_operation():
    for row in re.findall(r"^\| (`\w+`.*?) \| .* \| (.*) \|$", section("Operations"), re.MULTILINE)[
        1:
    ]:
        names = set(re.findall(r"`(\w+)`", row[0]))
        for text in row[1].split("; "):
            found = parse(text, images=("A", "B"))
            assert {op.op for op in found.ops} <= names, (text, found)
            assert found.status == "ok", text


def test_tables_name_every_reason_and_slot():
    assert re.findall(r"^\| `(\w+)`", section("Reasons"), re.MULTILINE) == list(REASONS)
    for field in fields(Operation):
        assert field.name in {"op", "other", "attribute_alt"} or f"`{field.name}`" in DOC, (
            field.name
        )
    for field in fields(Selector):
        assert f"`{field.name}`" in section("Selectors"), field.name


def test_words_that_the_text_says_are_one_line_away_are_known():
    for text in ("ditch the chair", "leave out the chair"):
        assert parse(text).ops == parse("remove the chair").ops
