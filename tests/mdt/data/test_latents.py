import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from mdt.data import DataError, batches, open_source
from mdt.data.latents import FORMAT, INDEX, shard_name

MEANS = np.random.default_rng(0).standard_normal((10, 4, 2, 3)).astype(np.float16)


@pytest.fixture
def write(tmp_path):
    """write(**index) -> a folder of 10 latents, 4 in a shard."""

    def make(flip=True, labels=(0, 1) * 5, **about):
        about = {
            "format": FORMAT,
            "num_pictures": 10,
            "pictures_per_shard": 4,
            "shape": [4, 2, 3],
            "dtype": "fp16",
            "flip": flip,
            "classes": ["cat", "dog"],
            "source": {},
            "vae": {"name": "small", "sha256": "ab"},
            **about,
        }
        (tmp_path / INDEX).write_text(json.dumps(about))
        for i in range(3):
            part = slice(4 * i, 4 * i + 4)
            arrays = {"latents": MEANS[part], "label": np.array(labels[part])}
            if flip:
                arrays["flipped"] = -MEANS[part]
            save_file(arrays, tmp_path / shard_name(i))
        return tmp_path

    return make


def test_latents_come_as_they_are_stored(write):
    source = open_source("latents", write())
    assert (len(source), source.shape, source.flips) == (10, (4, 2, 3), True)
    assert source.classes == ("cat", "dog")
    for i in range(10):
        row, label = source.read(i)
        assert row.dtype == np.float32
        assert np.array_equal(row, MEANS[i].astype(np.float32))
        assert label == i % 2
        assert np.array_equal(source.read_flipped(i)[0], -row)
    assert np.array_equal(pickle.loads(pickle.dumps(source)).read(9)[0], row)
    assert open_source("latents", write(), labels=False).read(1)[1] is None


@pytest.mark.parametrize("workers", [0, 2])
def test_half_of_them_are_the_flipped_ones(write, workers):
    stream = batches(open_source("latents", write()), batch=100, seed=0, flip=True, workers=workers)
    x = next(stream).x
    means = torch.from_numpy(MEANS.astype(np.float32))
    plain = (x[:, None] == means).flatten(2).all(2).any(1)
    flipped = (x[:, None] == -means).flatten(2).all(2).any(1)
    assert torch.equal(plain, ~flipped)
    assert 35 < plain.sum() < 65
    alone = next(batches(open_source("latents", write()), batch=100, seed=0, flip=True))
    assert torch.equal(x, alone.x)


def test_flips_that_are_not_there(write):
    source = open_source("latents", write(flip=False))
    with pytest.raises(ValueError, match="without flips: encode them with --flip"):
        batches(source, batch=2, seed=0, flip=True)
    with pytest.raises(ValueError, match="cropped already"):
        batches(source, batch=2, seed=0, crop="random")


def test_folders_that_are_none(write, tmp_path):
    with pytest.raises(DataError, match="nowhere does not exist"):
        open_source("latents", tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds no latents\.json"):
        open_source("latents", tmp_path)
    for text in ("{", "[]", '{"format": 1}', '{"format": 99}'):
        (tmp_path / INDEX).write_text(text)
        with pytest.raises(DataError, match="encode the pictures again"):
            open_source("latents", tmp_path)


def test_shards_that_are_missing_or_broken(write):
    folder = write()
    shard = folder / shard_name(1)
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-10])
    with pytest.raises(DataError, match=r"latents-00001\.safetensors cannot be read .*delete it"):
        open_source("latents", folder)
    late = open_source("latents", folder, labels=False)
    with pytest.raises(DataError, match=r"latents-00001\.safetensors cannot be read"):
        late.read(5)
    shard.unlink()
    with pytest.raises(DataError, match=r"1 of 3 shards are missing, latents-00001.* run the same"):
        open_source("latents", folder)
    arrays = load_file(folder / shard_name(0))
    save_file({key: value[:1] for key, value in arrays.items()}, shard)
    with pytest.raises(DataError, match="7 labels for 10 latents"):
        open_source("latents", folder)
    with pytest.raises(DataError, match=r"latents-00001\.safetensors cannot be read"):
        open_source("latents", folder, labels=False).read(6)


def test_labels_outside_the_classes(write):
    with pytest.raises(DataError, match="picture 3 has the label 7"):
        open_source("latents", write(labels=(0, 1, 0, 7, 0, 0, 0, 0, 0, 0)))
