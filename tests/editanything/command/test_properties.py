"""Properties of the parser: it answers any text, always alike, whatever its dress."""

import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editanything.command import parse
from editanything.command.lexicon import lexicon

FILES = [Path(__file__).parents[2] / "commands" / f"{name}.jsonl" for name in ("commands", "more")]
ROWS = [json.loads(line) for file in FILES for line in file.read_text("utf-8").splitlines()]
WORDS = sorted(lexicon().vocabulary)
PLAIN = [row for row in ROWS if row["status"] == "ok" and '"' not in row["text"]]

words = st.lists(st.sampled_from([*WORDS, "the", "the", "a", "and", ",", ".", "to", "of", "'s", "2", "50%", '"x"']), max_size=25)  # fmt: skip


def answer(text, row=None):
    context = row["context"] if row else {"images": ["A"], "selection": False}
    got = parse(text, images=tuple(context["images"]), selection=context["selection"])
    return got.to_dict()


def check(command):
    assert command["status"] in {"ok", "clarify", "reject"}
    assert bool(command["ops"]) == (command["status"] == "ok")
    assert bool(command["question"]) == (command["status"] != "ok")
    assert json.loads(json.dumps(command)) == command


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=80), st.booleans())
def test_any_text_gets_an_answer(text, selection):
    check(parse(text, selection=selection).to_dict())


@settings(max_examples=400, deadline=None)
@given(words, st.booleans())
def test_any_row_of_known_words_gets_an_answer(row, selection):
    text = " ".join(row)
    first = parse(text, images=("A", "B"), selection=selection)
    check(first.to_dict())
    assert parse(text, images=("A", "B"), selection=selection) == first


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ROWS), st.randoms(use_true_random=False))
def test_mutated_commands_get_an_answer(row, rng):
    text = list(row["text"])
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(text))
        text[at : at + rng.randint(0, 2)] = rng.choice(["", "x", " ", "é", "'", '"', "9", "\n"])
    check(answer("".join(text), row))


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: row["id"])
def test_case_courtesy_punctuation_and_spaces_change_nothing(row):
    text = row["text"]
    expected = answer(text, row)["ops"]
    capital = text[0].upper() + text[1:]
    dressed = [text.upper(), capital, f"  {text} ", text.replace(" ", "  ")]
    if not text.endswith(("?", "!", "please?")):
        dressed += [f"{text}.", f"{text}!!", f"please {text}", f"{text}, please", f"{text} thanks"]
    for other in dressed:
        assert answer(other, row)["ops"] == expected, other


@pytest.mark.parametrize(
    "text",
    ["remove the dog and " * 550, "a " * 5000, "blah " * 2000, "x" * 10_000, "the man's " * 1000,
     "make the sky blue, " * 530, "and " * 2500, "'" * 10_000, '"' * 9999, "1 " * 5000,
     "between the cat and " * 500, "take the dog from image b and put it on the cat " * 200],
    ids=range(12),
)  # fmt: skip
def test_long_texts_return_quickly(text):
    began = time.process_time()
    check(parse(text).to_dict())
    assert time.process_time() - began < 5.0


def test_one_slip_in_a_command_is_mostly_harmless():
    rng = random.Random(0)
    kept = total = 0
    for row in PLAIN:
        tokens = row["text"].split()
        long = [at for at, word in enumerate(tokens) if len(word) >= 5 and word.isalpha()]
        if not long:
            continue
        at = rng.choice(long)
        word = tokens[at]
        i = rng.randrange(1, len(word) - 2)
        tokens[at] = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        total += 1
        kept += answer(" ".join(tokens), row)["ops"] == answer(row["text"], row)["ops"]
    assert kept / total >= 0.92
