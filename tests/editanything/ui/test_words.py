"""The page's texts in other languages: no key is missing, no gap is filled twice."""

import json
import re
from html import unescape

import pytest

from editanything.relations.policy import NAMES
from editanything.ui.page import FORMATS
from editanything.ui.widgets import static, words

LANGUAGES = ("es", "zh")


def test_every_text_is_there_in_every_language():
    for english, others in words().items():
        assert set(others) == set(LANGUAGES), english
        for text in others.values():
            assert text.strip()
            assert text.count("{}") == english.count("{}"), english


def test_no_key_is_written_twice():
    keys = [key for key, _ in json.loads(static("words.json"), object_pairs_hook=list)]
    assert len(keys) == len(set(keys))


def test_the_choice_offers_these_languages_and_english():
    assert re.findall(r'option value="(\w+)"', static("language.html")) == ["en", *LANGUAGES]


@pytest.mark.parametrize("name", ["stage.html", "drop.html", "welcome.html", "keys.html"])
def test_what_stands_in_the_page_s_files_can_be_said(name):
    markup = re.sub(r"<(svg|kbd).*?</\1>", "", static(name), flags=re.DOTALL)
    texts = re.findall(r">([^<>]+)<", markup)
    texts += re.findall(r'(?:title|aria-label|alt)="([^"]+)"', markup)
    wanted = {unescape(text).strip() for text in texts if re.search("[A-Za-z]{2}", unescape(text))}
    assert wanted
    assert not wanted - set(words())


def test_relations_can_be_said_and_formats_need_no_words():
    assert all(label.isupper() or label == "WebP" for label, _ in FORMATS)
    assert not set(NAMES.values()) - set(words())
