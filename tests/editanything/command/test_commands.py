"""The commands with known parses, and that the tables of the lexicon fit together."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from editanything.command import parse
from editanything.command.constructions import grammar
from editanything.command.lexicon import lexicon, read_table
from editanything.command.operations import BUILDERS

COMMANDS = Path(__file__).parents[2] / "commands"
spec = importlib.util.spec_from_file_location("score", COMMANDS / "score.py")
score = importlib.util.module_from_spec(spec)
spec.loader.exec_module(score)


def pairs(name):
    for row in score.read(COMMANDS / name):
        context = row["context"]
        got = parse(row["text"], images=tuple(context["images"]), selection=context["selection"])
        yield row, json.loads(json.dumps(got.to_dict()))


@pytest.mark.parametrize("name", ["commands.jsonl", "more.jsonl", "further.jsonl"])
def test_commands_are_parsed_as_expected(name):
    result = score.score(list(pairs(name)))
    assert result["wrong"] == []
    assert result["slot_f1"] == 1.0
    assert result["refuse_reason"] == 1.0


@pytest.mark.parametrize(
    "name", ["spoken.jsonl", "asides.jsonl", "unseen.jsonl", "typed.jsonl", "everyday.jsonl"]
)
def test_how_people_speak_is_mostly_understood(name):
    result = score.score(list(pairs(name)))
    assert result["exact"] >= 0.97
    assert result["slot_f1"] >= 0.93
    assert result["refuse_reason"] == 1.0


@pytest.mark.parametrize("name", ["unseen_kept.jsonl", "typed_more.jsonl", "everyday_more.jsonl"])
def test_commands_hardly_or_never_learnt_from_are_mostly_understood(name):
    result = score.score(list(pairs(name)))
    assert result["exact"] >= 0.85
    assert result["slot_f1"] >= 0.93


def test_scorer_tells_a_wrong_slot_from_a_right_one():
    row = score.read(COMMANDS / "commands.jsonl")[0]
    right = {"status": "ok", "reason": None, "ops": row["ops"]}
    wrong = json.loads(json.dumps(right).replace("teal", "red"))
    assert score.score([(row, right)])["exact"] == 1.0
    result = score.score([(row, wrong)])
    assert result["exact"] == 0.0
    assert 0 < result["slot_f1"] < 1
    assert result["wrong"] == ["c001"]


def test_every_construction_has_a_builder_and_every_builder_a_construction():
    named = {construction.builder for construction in grammar().constructions}
    assert named == set(BUILDERS)


def test_filters_of_the_tables_are_those_of_the_schema():
    kinds = {"blur", "sharpen", "brighten", "darken", "grayscale", "saturate", "desaturate",
             "pixelate", "denoise", "contrast", "flatten", "warm", "cool", "sepia",
             "vignette"}  # fmt: skip
    assert set(read_table("values.txt")["comparatives"]) == kinds
    assert kinds <= set(grammar().verbs)


def test_a_broken_table_says_where(monkeypatch, tmp_path):
    (tmp_path / "bad.txt").write_text("[section]\nname: a, b\nno colon here\n")
    monkeypatch.setattr("editanything.command.lexicon.FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"bad\.txt, line 3"):
        read_table("bad.txt")


def test_no_phrase_is_empty_and_all_are_lower_case():
    for word in lexicon().vocabulary:
        assert word
        assert word == word.lower()


def test_importing_the_parser_imports_nothing_heavy():
    code = (
        "import sys; from editanything.command import parse; parse('make the sofa teal');"
        "heavy = {'torch', 'cv2', 'skimage', 'scipy', 'numpy', 'gradio', 'PIL'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
