"""Words and regions: the crops, the objective, the training, the weights."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mdt.crops import crop_region
from mdt.features.convnet import WEIGHTS
from mdt.features.words import LOOKS, Words, open_words, write_words
from mdt.models import build_model
from mdt.models.words import WordsObjective
from mdt.words import phrase_ids

SMALL = {"input_size": 32, "widths": [8, 8, 8, 8], "buckets": 256, "word_width": 8, "width": 16}


def small(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_model("words", **SMALL).eval()


def row(key, phrase):
    return np.concatenate([[key], phrase_ids(phrase, 256)])


def label(true, texts):
    """As crops give it: two rows of keys that are true, then (key, phrase) of texts."""
    keys = np.zeros(66, np.int64)
    keys[: len(true)] = true
    return np.concatenate([keys.reshape(2, 33), np.stack([row(*text) for text in texts])])


def test_the_loss_is_a_sigmoid_of_every_region_with_every_phrase():
    network = small()
    x = torch.randn(2, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    # Phrase 5 is true for both, though it came with the first alone; 7 comes twice and counts once.
    texts = [[(5, "cat"), (7, "dog")], [(6, "apple"), (7, "dog")]]
    labels = torch.from_numpy(np.stack([label([5], texts[0]), label([6, 5], texts[1])]))
    (terms,) = WordsObjective().passes(network, x, labels, generator=torch.Generator())
    phrases = torch.from_numpy(np.stack([phrase_ids(p, 256) for p in ("cat", "apple", "dog")]))
    logits = network(x, phrases)
    true = torch.tensor([[1.0, 0, 0], [1, 1, 0]])
    expected = F.binary_cross_entropy_with_logits(logits, true, reduction="none").sum(1)
    torch.testing.assert_close(terms["loss"], expected)
    with pytest.raises(ValueError, match=r"use data\.name=crops"):
        next(WordsObjective().passes(network, x, None, generator=torch.Generator()))


def test_a_name_is_also_chosen_among_all_that_is_not_true():
    """A cross entropy of the name, without other true phrases; nothing of what is no thing."""
    network = small()
    x = torch.randn(3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    texts = [(5, "cat"), (6, "apple"), (7, "dog"), (8, "animal")]
    labels = torch.from_numpy(np.stack([label([5, 8], texts), label([6], texts), label([], texts)]))
    phrases = torch.from_numpy(np.stack([phrase_ids(phrase, 256) for _, phrase in texts]))
    logits = network(x, phrases)
    first = F.cross_entropy(logits[0, [0, 1, 2]], torch.tensor(0))  # an animal is what a cat is too
    second = F.cross_entropy(logits[1], torch.tensor(1))
    plain, more = (
        next(objective.passes(network, x, labels, generator=torch.Generator()))["loss"]
        for objective in (WordsObjective(), WordsObjective(name_weight=3.0))
    )
    torch.testing.assert_close(more - plain, 3 * torch.stack([first, second, torch.tensor(0.0)]))


def test_it_learns_to_tell_two_things_and_nothing():
    """A square is a box, a frame around nothing is a ring, noise is nothing: 60 steps."""
    network = small().train()
    draw = torch.Generator().manual_seed(0)
    texts = [(1, "box"), (2, "ring")]

    def batch(n):
        x = 0.3 * torch.randn(n, 4, 32, 32, generator=draw)
        kind = torch.arange(n) % 3
        x[:, 3] = -1
        x[kind < 2, :, 8:24, 8:24] = 1
        x[kind == 1, :, 12:20, 12:20] = -1
        labels = [label([int(k) + 1] if k < 2 else [], texts) for k in kind]
        return x, torch.from_numpy(np.stack(labels)), kind

    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(60):
        x, labels, _ = batch(24)
        (terms,) = WordsObjective().passes(network, x, labels, generator=draw)
        optimizer.zero_grad()
        terms["loss"].mean().backward()
        optimizer.step()
    x, _, kind = batch(30)
    phrases = torch.from_numpy(np.stack([phrase_ids(p, 256) for _, p in texts]))
    said = network(x, phrases) > 0
    assert torch.equal(said, torch.stack([kind == 0, kind == 1], 1))


def test_a_crop_holds_the_region_and_some_of_what_is_around_it():
    image = np.zeros((60, 100, 3), np.uint8)
    image[20:40, 30:60] = 255
    mask = image[..., 0] > 0
    x = crop_region(image, mask, 32)
    assert x.shape == (4, 32, 32) and x.dtype == np.float32
    assert set(np.unique(x[3])) == {-1.0, 1.0}
    assert ((x[0] > 0) == (x[3] > 0)).mean() > 0.97
    share = (x[3] > 0).any(axis=0).mean()  # the longer side is three quarters of the crop's
    assert share == pytest.approx(1 / 1.33, abs=0.05)
    corner = np.zeros((60, 100), bool)
    corner[:5, :5] = True
    assert crop_region(image, corner, 32)[3, :6, :6].max() == -1  # beyond the frame there is none
    assert crop_region(image, np.ones((60, 100), bool), 32).shape == (4, 32, 32)


def test_regions_are_seen_alike_whatever_comes_with_them():
    words = Words(small(), {"threshold": 0.0})
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    masks = [np.zeros((40, 50), bool) for _ in range(3)]
    for i, mask in enumerate(masks):
        mask[5 * i : 5 * i + 12, 8 : 20 + 4 * i] = True
    together = words.regions(image, masks)
    assert torch.equal(together[2:], words.regions(image, masks[2:]))
    logits = words.logits(together, ["a cat", "cats", "!?"])
    assert logits.shape == (3, 3)
    np.testing.assert_allclose(logits[:, 0], logits[:, 1], rtol=1e-6)
    assert np.isneginf(logits[:, 2]).all()


def test_closely_is_the_mean_of_looks():
    words = Words(small(), {"threshold": 0.0})
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    mask = np.zeros((32, 32), bool)
    mask[8:24, 6:24] = True
    looks = []
    for context, mirrored in LOOKS:
        crop = crop_region(image, mask, 32, context)
        crop = np.ascontiguousarray(crop[..., ::-1]) if mirrored else crop
        with torch.no_grad():
            looks.append(words.network.regions(torch.from_numpy(crop)[None]))
    both = words.regions(image, [mask, mask], closely=True)
    torch.testing.assert_close(both[:1], torch.stack(looks).mean(0), atol=1e-5, rtol=0)
    assert 0 < float(both[0].norm()) < 1
    assert torch.equal(words.regions(image, [mask]), words.regions(image, [mask, mask])[:1])


def test_weights_are_written_and_read_and_checked(tmp_path):
    words = Words(small(), {})
    write_words(words, tmp_path, threshold=1.5, sure=2.0, vocabulary=["cat"])
    read = open_words(tmp_path)
    assert read.card["threshold"] == 1.5 and read.card["vocabulary"] == ["cat"]
    x = torch.randn(3, 4, 32, 32, generator=torch.Generator().manual_seed(1))
    seen = words.network.regions(x)
    torch.testing.assert_close(read.network.regions(x), seen, atol=5e-3, rtol=0)
    path, card = tmp_path / "words.safetensors", tmp_path / "card.json"
    content, told = path.read_bytes(), json.loads(card.read_text())
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"are damaged: their SHA-256 .*; write it again") as said:
        open_words(tmp_path)
    assert "\n" not in str(said.value)
    path.write_bytes(content)
    card.write_text(json.dumps({**told, "settings": {**told["settings"], "width": 24}}))
    with pytest.raises(ValueError, match="does not fit its card"):
        open_words(tmp_path)
    card.write_text("hello")
    with pytest.raises(ValueError, match="is missing or its card is damaged; write it again"):
        open_words(tmp_path)
    with pytest.raises(ValueError, match="is missing or its card is damaged"):
        open_words(tmp_path / "none")


def test_the_shipped_words_are_small_and_their_card_is_complete():
    words = open_words()
    folder = WEIGHTS / "words"
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 4e6
    card = words.card
    assert card["pictures_seen"] > 100_000 and card["data"] and card["licence"] and card["recipe"]
    assert card["scores"]["train"]["right"] > 0.9
    assert card["sure"] > card["threshold"] and len(card["vocabulary"]) > 3000


def test_the_shipped_words_tell_plain_discs_apart():
    """As docs/words.md shows it: drawings that no sticker is."""
    words = open_words()
    picture = np.full((120, 160, 3), 230, np.uint8)
    rows, columns = np.mgrid[:120, :160]
    disc = (rows - 60) ** 2 + (columns - 80) ** 2 < 40**2
    for color, name in (((221, 46, 68), "red circle"), ((40, 110, 230), "blue circle")):
        picture[disc] = color
        asked = ["red circle", "blue circle", "giraffe", "sandwich"]
        (logits,) = words.logits(words.regions(picture, [disc]), asked)
        assert asked[int(logits.argmax())] == name
        assert logits.max() > words.card["threshold"] > logits[2:].max()
