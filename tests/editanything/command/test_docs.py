"""docs/commands.md says what the parser does."""

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from editanything.command import Operation, Selector, lexicon, parse
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


def quoted(title):
    """The sentences in double quotes of a section."""
    found = re.findall(r'"([^"]+)"', section(title))
    return [text for text in found if len(text.split()) > 2]


def test_every_sentence_of_the_rules_is_understood():
    texts = [t for t in quoted("How sentences are read") if not t.lower().startswith(NO_COMMANDS)]
    assert len(texts) >= 40
    for text in texts:
        assert parse(text).status == "ok", (text, parse(text).reason)


#: Quotations that name a piece of a sentence.
NO_COMMANDS = ("closest to us", "farthest from the camera")


def test_every_example_of_a_reason_gives_that_reason():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section("Reasons"), re.MULTILINE)
    tried = 0
    for reason, when in rows:
        for text in re.findall(r'"([^"]+)"', when):
            context = {"images": ("A",)}
            command = parse(text, **context)
            tried += 1
            assert command.reason == reason, (text, command.reason)
    assert tried >= 12


def test_rules_that_say_two_sentences_are_the_same():
    assert parse("Set the button color to #ff8800").ops == (
        parse("change the color of the button to #ff8800").ops
    )
    assert parse("um, carefully remove the, you know, cable please").ops == (
        parse("remove the cable").ops
    )
    assert parse("erase the car closest to us").ops[0].target.superlative == "nearest"
    assert parse("blur the red fox").ops[0].target.attrs == ("red",)
    assert parse("blur the parking meter").ops[0].target.noun == "parking meter"


def test_what_is_said_not_to_be_understood_is_not():
    assert parse("if there is a dog, remove it").status != "ok"
    assert parse("make the sofa the same color as the curtains").status != "ok"


LEARN = """
import sys, shutil, json
from pathlib import Path
from editanything.command import lexicon as tables
folder = Path(sys.argv[1]) / "lexicon"
shutil.copytree(tables.FOLDER, folder)
for name, old, new in json.loads(sys.argv[2]):
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")
tables.FOLDER = folder
import editanything.command.constructions as constructions
constructions.FOLDER = folder
from editanything.command import parse
print(json.dumps([parse(text).to_dict() for text in json.loads(sys.argv[3])]))
"""


def learned(folder, changes, texts):
    """The parses of texts after lines of the lexicon were changed, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", LEARN, str(folder), json.dumps(changes), json.dumps(texts)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_the_lexicon_is_extended_as_the_text_says(tmp_path):
    text = section("How to extend the lexicon")
    line = re.search(r"```text\n(.*)\n```", text).group(1)
    expected = json.loads(re.search(r"```json\n(.*)\n```", text).group(1))
    assert parse("zonk the chair").status != "ok"
    changes = [
        ("operations.txt", "\nremove: ", "\nremove: zonk, "),
        ("operations.txt", "\nchanging: ", "\nchanging: unsmudge, "),
        ("values.txt", "[changing]\n", f"[changing]\n{line}\n"),
    ]
    zonked, cleaned = learned(tmp_path, changes, ["zonk the chair", "unsmudge the mirror"])
    assert zonked["ops"] == json.loads(json.dumps(parse("remove the chair").to_dict()["ops"]))
    assert cleaned["ops"] == [expected]


def test_files_of_the_lexicon_are_those_of_the_table():
    named = set(re.findall(r"^\| `([\w.]+)`", section("How to extend the lexicon"), re.MULTILINE))
    folder = Path(lexicon.__file__).parent / "lexicon"
    assert named == {path.name for path in folder.iterdir() if path.suffix != ".md"}
