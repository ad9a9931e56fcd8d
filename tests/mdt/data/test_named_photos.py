"""Photographs of one thing each, with its name, among the crops of stickers."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mdt.data import CropSource, DataError
from mdt.data.stickers.named_photos import CALLED, NamedPhotos, cut
from mdt.data.stickers.phrases import key


def disc(colour, radius=9, side=32):
    """A disc on grass, and where it is."""
    rng = np.random.default_rng(int(sum(colour)))
    picture = (np.array([60, 120, 50]) + rng.normal(0, 8, (side, side, 1))).clip(0, 255)
    rows, columns = np.mgrid[:side, :side]
    mask = np.hypot(rows - side / 2, columns - side / 2) < radius
    picture[mask] = colour
    return picture.astype(np.uint8), mask


def write(path, names, labels):
    def encoded(number):
        out = io.BytesIO()
        Image.fromarray(disc((200, 10 * number, 40))[0]).save(out, "PNG")
        return {"bytes": out.getvalue(), "path": None}

    table = pa.table({"image": [encoded(n) for n in range(len(labels))], "label": labels})
    features = {"label": {"_type": "ClassLabel", "names": names}}
    about = json.dumps({"info": {"features": features}})
    pq.write_table(table.replace_schema_metadata({"huggingface": about}), path)
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write(tmp_path_factory.mktemp("photos") / "few.parquet", ["cat", "ship"], [0, 1, 0, 1])


def test_a_thing_in_the_middle_is_cut_out_roughly():
    picture, mask = disc((210, 40, 30))
    found = cut(picture)
    assert (found & mask).sum() / (found | mask).sum() > 0.8


def test_a_picture_of_one_colour_has_a_disc_for_its_thing():
    found = cut(np.full((32, 32, 3), 90, np.uint8))
    assert 0.3 < found.mean() < 0.7
    assert found[16, 16] and not found[0, 0]


def test_crops_show_the_thing_and_say_what_it_is(photos):
    held = NamedPhotos(photos)
    assert len(held) == 4
    told = set()
    for seed in range(20):
        image, mask, called = held.crop(np.random.default_rng(seed), 48)
        assert image.shape == (48, 48, 3) and image.dtype == np.float32
        assert image.min() >= 0 and image.max() <= 1
        assert mask.shape == (48, 48) and mask.any()
        red = image[mask][:, 0].mean()
        if called:  # the red disc, and not what lies around it
            assert 0.05 < mask.mean() < 0.9 and red > image[~mask][:, 0].mean() + 0.2
        told.add(called[:1])
    assert told == {("cat",), ("ship",), ()}


def test_they_join_the_crops_of_stickers(stickers, photos):
    crops = CropSource(stickers, size=48, split="all", buckets=512, named=photos, named_share=1.0)
    names = {key("cat"), key("ship")}
    for number in range(6):
        x, label = crops.read(number)
        assert x.shape == (4, 48, 48) and np.abs(x).max() <= 1
        true = set(label[:2].ravel()) - {0}
        assert label[2, 0] in names if true else label[2, 0] not in names  # said first
        assert true in ({key(p) for p in phrases} for phrases in ((), *CALLED.values()))
    plain = CropSource(stickers, size=48, split="all", buckets=512)
    assert plain.identity != crops.identity


def test_classes_that_have_no_words_are_refused(tmp_path, photos, stickers):
    other = write(tmp_path / "other.parquet", ["cat", "class 7"], [0, 1])
    with pytest.raises(DataError, match=r"holds 'class 7'; named photographs are of airplane"):
        NamedPhotos(other)
    with pytest.raises(DataError, match=r"share of named photographs .* lies in 0 to 1; got 2"):
        CropSource(stickers, named=photos, named_share=2)
