"""Everyday things of photographs by their nouns: found where they are, and not where they are not."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from editanything import Editor
from editanything.errors import InputError, Refusal
from editanything.examples import EXAMPLES
from editanything.grounders import outlined, photographed, shown, sights
from editanything.grounders.imagenet import everyday_nouns, numbers
from editanything.image import Picture
from editanything.masks import iou
from editanything.preset import build, load_preset
from editanything.types import Mask
from mdt.features.photographs import open_photographs

KINDS = open_photographs().kinds


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


def look(name):
    """An example, without its names, as the default segmenter holds it."""
    segmenter = build("segmenter", load_preset("default", {}).segmenter)
    return segmenter.look(Picture.open(EXAMPLES[name].path).rgb())


@pytest.fixture(scope="module")
def cat():
    return look("cat")


@pytest.fixture(scope="module")
def mine(editor, cat):
    """The cat as a photo of one's own: no example any more, so without names."""
    return editor.look(np.ascontiguousarray(cat.image[2:, 2:]))


def test_every_noun_of_the_table_names_kinds():
    for noun in everyday_nouns():
        assert noun == noun.lower()
        assert numbers(noun, KINDS), noun


@pytest.mark.parametrize(
    ("noun", "among", "beyond"),
    [
        ("dog", "pug", "timber wolf"),
        ("puppy", "Chihuahua", "tabby"),
        ("golden retriever", "golden retriever", "Labrador retriever"),
        ("racing car", "racer", "minibus"),
        ("vehicle", "trolleybus", "sidewinder"),
        ("printer", "printer", "English setter"),
    ],
)
def test_what_nouns_name(noun, among, beyond):
    named = {KINDS[i] for i in numbers(noun, KINDS)}
    assert among in named
    assert beyond not in named


@pytest.mark.parametrize("noun", ["kite", "sky", "", "thing", "asdf", "hat", "boxer"])
def test_other_nouns_name_none(noun):
    assert numbers(noun, KINDS) == ()
    assert not photographed.is_everyday(noun)


@pytest.mark.parametrize(
    ("name", "noun", "least"), [("cat", "cat", 0.8), ("astronaut", "helmet", 0.5)]
)
def test_a_thing_is_found_where_it_is_outlined_by_hand(cat, name, noun, least):
    (region,) = sights.found(cat if name == "cat" else look(name), noun)
    true = next(r.mask for r in EXAMPLES[name].regions() if r.label == noun)
    assert region.label == noun
    assert iou(region.mask, true) >= least


@pytest.mark.parametrize("noun", ["dog", "car", "banana", "bird", "cup", "chair"])
def test_what_is_not_there_is_not_found(cat, noun):
    assert photographed.find_photographed(cat, noun) == ()


def far_away(picture, mask, side=150, at=(820, 300)):
    """A thing of a photograph, small before a large ground of its own: (picture, where it is)."""
    ground = np.asarray(Image.fromarray(data.gravel()).resize((1280, 860)))
    ground = np.dstack([ground] * 3) // 2 + 96
    x0, y0, x1, y1 = mask.box
    scale = side / max(x1 - x0, y1 - y0)
    size = round((x1 - x0) * scale), round((y1 - y0) * scale)
    thing = np.asarray(Image.fromarray(picture[y0:y1, x0:x1]).resize(size, Image.LANCZOS))
    inside = np.asarray(Image.fromarray(mask.full()[y0:y1, x0:x1]).resize(size))
    rows, columns = slice(at[1], at[1] + size[1]), slice(at[0], at[0] + size[0])
    ground[rows, columns] = np.where(inside[..., None], thing, ground[rows, columns])
    where = np.zeros(ground.shape[:2], bool)
    where[rows, columns] = inside
    return ground, where


def test_a_small_thing_is_looked_at_from_nearer(cat):
    true = next(r.mask for r in EXAMPLES["cat"].regions() if r.label == "cat")
    picture, where = far_away(cat.image, true)
    segmenter = build("segmenter", load_preset("default", {}).segmenter)
    seen = segmenter.look(picture)
    (mask,) = photographed.find_photographed(seen, "cat")
    assert iou(mask, Mask.of(where)) > 0.7
    part = shown.Part.of(seen)
    nearer = part.closer(part.view.heat(numbers("cat", KINDS)), ())
    assert nearer.box[2] - nearer.box[0] < 700
    # Another place is not believed to show the cat that is plainly seen here.
    beside = np.zeros(picture.shape[:2], bool)
    beside[500:800, 100:500] = True
    assert photographed.is_plainly_else(seen, Mask.of(beside), "cat")
    assert not photographed.is_plainly_else(seen, mask, "cat")


def test_what_goes_on_beside_a_mask_is_trimmed_off(cat):
    """With a piece of its ground a thing is still such a thing, and the ground goes."""
    true = next(r.mask for r in EXAMPLES["cat"].regions() if r.label == "cat")
    picture, where = far_away(cat.image, true, side=400, at=(400, 200))
    seen = build("segmenter", load_preset("default", {}).segmenter).look(picture)
    more = where.copy()
    more[300:600, 300:800] = True
    mask = outlined.trimmed(shown.Part.of(seen), Mask.of(more), numbers("cat", KINDS))
    assert iou(Mask.of(more), Mask.of(where)) < 0.75 < iou(mask, Mask.of(where))


def test_two_things_are_found_one_after_the_other(cat):
    image = np.concatenate([cat.image, cat.image[:, ::-1]], axis=1)
    segmenter = build("segmenter", load_preset("default", {}).segmenter)
    found = photographed.find_photographed(segmenter.look(image), "cat")
    covered = np.any([mask.full() for mask in found], axis=0)
    half = covered.shape[1] // 2
    assert min(covered[:, :half].mean(), covered[:, half:].mean()) > 0.2


def test_the_same_picture_gives_the_same_mask(cat):
    ((one,), (other,)) = (sights.found(seen, "cat") for seen in (cat, look("cat")))
    assert (one.mask.full() == other.mask.full()).all()


def test_a_missing_card_is_told(monkeypatch, tmp_path):
    import mdt

    monkeypatch.setattr(mdt, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(InputError, match=r"card .*photographs.json is missing or damaged"):
        shown.kinds.__wrapped__()


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (40, 2), (33, 65)])
def test_tiny_and_narrow_pictures_hold_nothing(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    segmenter = build("segmenter", load_preset("default", {}).segmenter)
    assert photographed.find_photographed(segmenter.look(image), "dog") == ()


def test_by_a_sentence_the_cat_alone_changes_and_a_dog_is_asked_back(editor, mine):
    image = mine.seen.image
    out = np.asarray(editor.edit(mine, "make the cat blue").image)[..., :3]
    true = next(r.mask for r in EXAMPLES["cat"].regions() if r.label == "cat").full()[2:, 2:]
    changed = (out != image).any(axis=2)
    assert changed[true].mean() > 0.8
    assert changed[~true].mean() < 0.2
    with pytest.raises(Refusal, match="cannot find “the dog”"):
        editor.edit(mine, "make the dog blue")


def test_a_second_step_is_of_what_was_found_before_the_first(editor, mine):
    once = np.asarray(editor.edit(mine, "make the cat blue").image)[..., :3]
    twice = np.asarray(editor.edit(mine, "make the cat blue and flip the cat").image)[..., :3]
    blue, flipped = (out[..., 2] > out[..., 0] + 60.0 for out in (once, twice))
    assert blue.mean() > 0.5
    assert (flipped & blue[:, ::-1]).sum() > 0.7 * blue.sum()  # all of the cat, the other way round
    assert flipped.sum() == pytest.approx(blue.sum(), rel=0.1)


def test_what_a_photograph_plainly_shows_is_told_by_a_common_noun(cat):
    assert photographed.plainest(cat, 3) == ("cat",)


@pytest.mark.parametrize("made", ["plain", "noise"])
def test_nothing_is_seen_in_a_picture_of_nothing(made):
    image = np.full((200, 300, 3), 140, np.uint8)
    if made == "noise":
        image = np.random.default_rng(0).integers(0, 256, image.shape, np.uint8)
    segmenter = build("segmenter", load_preset("default", {}).segmenter)
    assert sights.glimpse(segmenter.look(image)).regions == ()
