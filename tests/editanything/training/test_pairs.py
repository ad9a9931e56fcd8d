"""Shards of pictures, region maps and captions."""

import cv2
import numpy as np
import pytest
import torch

from editanything.errors import InputError
from editanything.segmenters.classical import Classical
from editanything.training.controlnet import map_of
from editanything.training.pairs import PairSource, build_pairs
from editanything.training.rows import CAPTION_BYTES, captions_of, to_row, weights_of
from mdt.data import DataError, batches


@pytest.mark.parity("P31")
def test_p31_a_folder_becomes_shards_of_picture_map_and_caption(shards, pictures):
    assert sorted(file.name for file in shards.glob("*.tar")) == [
        "pairs-00000.tar",
        "pairs-00001.tar",
    ]
    source = PairSource(shards, size=32)
    assert len(source) == 6
    assert source.blocks == (4, 2)
    image = cv2.imread(str(pictures / "0.png"))[..., ::-1]
    small = cv2.resize(image, (43, 32), interpolation=cv2.INTER_AREA)
    pixels, row = source.read(0)
    assert np.array_equal(pixels[..., :3], small[:, 5:37])
    # independently: region i of the segmenter is i + 1, later over earlier
    numbers = np.zeros((32, 43), int)
    for i, region in enumerate(Classical().look(small.copy()).regions()):
        numbers[region.mask.full()] = i + 1
    assert np.array_equal(pixels[..., 3], numbers[:, 5:37])
    assert not pixels[..., 4].any()
    assert captions_of(torch.from_numpy(row)[None]) == ["a red dog on grass"]
    assert captions_of(torch.from_numpy(source.read(2)[1])[None]) == [""]


class Sized:
    def caption(self, rgb):
        return f"{rgb.shape[1]} wide"


def test_a_captioner_words_those_without_words(pictures, tmp_path):
    done = []
    build_pairs(
        pictures, tmp_path / "out", segmenter=Classical(), captioner=Sized(), side=16,
        progress=lambda i, n: done.append((i, n)),
    )  # fmt: skip
    assert done[-1] == (6, 6)
    source = PairSource(tmp_path / "out", size=16)
    rows = torch.from_numpy(np.stack([source.read(i)[1] for i in range(3)]))
    assert captions_of(rows) == ["a red dog on grass", "a cat in snow", "21 wide"]


def test_the_map_holds_more_than_256_numbers_and_is_never_mixed():
    x = torch.zeros(1, 5, 4, 4, dtype=torch.uint8)
    x[:, 3], x[:, 4] = 44, 1  # region 300
    condition = map_of(x.float() / 127.5 - 1)
    assert condition.unique().tolist() == [0, 1, 44]
    assert (condition[0, 0] + 256 * condition[0, 1] == 300).all()


def test_crops_and_mirrors_are_the_same_for_picture_and_map(shards):
    source = PairSource(shards, size=32)
    plain = next(batches(source, batch=6, seed=1))
    moved = next(batches(source, batch=6, seed=1, flip=True, crop="random"))
    assert plain.x.shape == moved.x.shape == (6, 5, 32, 32)
    known = ((plain.x[:, 3] + 1) * 127.5).round().unique()
    assert set(((moved.x[:, 3] + 1) * 127.5).round().unique().tolist()) <= set(known.tolist())
    pixels, _ = source.read(0, (0.99, 0.0, 0.0))
    whole, _ = source.read(0, (0.0, 0.0, 0.0))
    # the drawn crop is larger: a pixel (i, j) of it shows the part (0.949 i, 0.949 j)
    part = cv2.resize(whole[:30, :30, 3], (32, 32), interpolation=cv2.INTER_NEAREST_EXACT)
    assert np.array_equal(pixels[..., 3], part)


def test_rows_hold_captions_and_weights():
    row = torch.from_numpy(np.stack([to_row("ein grüner Hund", 0.5), to_row("x" * 999)]))
    assert captions_of(row)[0] == "ein grüner Hund"
    assert len(captions_of(row)[1]) == CAPTION_BYTES
    assert weights_of(row).tolist() == [0.5, 1.0]


def test_bad_folders_are_one_sentence(tmp_path, shards, pictures):
    with pytest.raises(InputError, match="holds no pictures"):
        build_pairs(tmp_path, tmp_path / "out", segmenter=Classical())
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"broken.png cannot be read"):
        build_pairs(tmp_path, tmp_path / "out", segmenter=Classical())
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match="holds no shards"):
        PairSource(tmp_path)
    (tmp_path / "a.tar").write_bytes(b"no tar at all")
    with pytest.raises(DataError, match="is no shard"):
        PairSource(tmp_path)
    with pytest.raises(ValueError, match="exists; choose another output"):
        build_pairs(pictures, shards, segmenter=Classical())
