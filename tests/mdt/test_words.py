"""Words as ids: stable, open to any word, and alike where spelled alike."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdt.words import singular, split_words, word_ids


def _bucket(key: str, buckets: int = 16384) -> int:
    return 1 + zlib.crc32(key.encode()) % (buckets - 1)


def test_row_0_is_the_phrase_and_the_others_its_words() -> None:
    ids = word_ids("the red fire engines")
    assert ids.shape == (12, 16) and ids.dtype == np.int64
    head = ["p:red fire engine", "b:red fire", "b:fire engine"]
    assert ids[0, :4].tolist() == [*map(_bucket, head), 0]
    red = ["w:red", "g:^re", "g:red", "g:ed$"]
    assert ids[1, :5].tolist() == [*map(_bucket, red), 0]
    assert (ids[3] != 0).sum() == 7 and not ids[4:].any()


@given(st.text(max_size=60), st.integers(2, 5), st.integers(1, 9), st.integers(2, 50))
def test_any_text_has_ids_in_range(text: str, num_rows: int, num_ids: int, buckets: int) -> None:
    ids = word_ids(text, num_rows=num_rows, num_ids=num_ids, buckets=buckets)
    assert ids.shape == (num_rows, num_ids)
    assert ids.min() >= 0 and ids.max() < buckets
    assert (ids[0, 0] != 0) == bool(split_words(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A Red Apple", "red apples"),
        ("Piñata", "pinatas"),
        ("the chef’s hat", "chef hat"),
        ("ＣＡＴ", "cat"),
        ("t-shirts", "T shirt"),
        ("a cookie", "cookies"),
    ],
)
def test_one_thing_said_in_two_ways_has_the_same_ids(one: str, other: str) -> None:
    assert (word_ids(one) == word_ids(other)).all()


def test_plurals_become_singular_and_other_words_stay() -> None:
    plurals = "boxes buses churches cats horses roses shoes tomatoes knives mice octopuses glasses"
    singles = "box bus church cat horse rose shoe tomato knife mouse octopus glass"
    assert [singular(word) for word in plurals.split()] == singles.split()
    for word in [*singles.split(), "gas", "tennis", "iris", "walrus", "house", "axe", "is"]:
        assert singular(word) == word
    assert singular("ponies") == singular("pony") == "pony"
    assert singular("pies") == singular("pie") == "pie"


def test_a_new_word_shares_grams_with_those_it_is_spelled_like() -> None:
    known, near, far = (set(word_ids(w)[1].tolist()) - {0} for w in ("sunflower", "flower", "dog"))
    assert len(known & near) >= 5 and not near & far


def test_what_is_too_long_is_left_out() -> None:
    words = " ".join(f"word{chr(97 + i)}" for i in range(20))
    ids = word_ids(words, num_rows=4, num_ids=3)
    assert (ids != 0).all()
    assert (ids == word_ids(words)[:4, :3]).all()


def test_no_words_are_zeros_and_sizes_are_checked() -> None:
    assert not word_ids("the , !").any()
    with pytest.raises(ValueError, match="2 rows"):
        word_ids("cat", num_rows=1)
