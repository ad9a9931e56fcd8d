"""The shipped MobileSAM: it finds plain things, is read strictly, and is written as it is read."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from editanything.errors import InputError
from editanything.segmenters.mobile import CARD, FILE, made, main, used
from editanything.segmenters.sam import SamSegmenter
from editanything.segmenters.weights import MOBILE_PX, open_sam, shipped
from editanything.types import Point, Selection
from mdt.checkpoint import read_tensors
from mdt.eight_bits import unpacked


@pytest.fixture(scope="module")
def published():
    """The tensors under their published names."""
    return unpacked(read_tensors(shipped("mobile") / FILE))


def picture():
    ys, xs = np.mgrid[:160, :200]
    disc = np.hypot(ys - 80, xs - 90) < 45
    return np.where(disc[..., None], (210, 60, 50), (60, 110, 160)).astype(np.uint8), disc


def test_it_finds_a_plain_thing_and_its_card_fits(published):
    image, disc = picture()
    card = json.loads((shipped("mobile") / CARD).read_text())
    assert sum(value.numel() for value in published.values()) == card["parameters"]
    seen = SamSegmenter("mobile", working_px=MOBILE_PX).look(image)
    for selection in (Selection(boxes=((45, 35, 136, 126),)), Selection(points=(Point(90, 80),))):
        found = seen.select(selection).full()
        assert (found & disc).sum() / (found | disc).sum() > 0.95


def test_the_package_s_own_generator_runs_it():
    image, disc = picture()
    found = SamSegmenter("mobile", points_per_side=4).look(image).regions()
    assert max((r.mask.full() & disc).sum() / (r.mask.full() | disc).sum() for r in found) > 0.95


def test_a_published_file_is_told_by_its_tensors(published, tmp_path):
    """With what is of no use here, and at the size that it learned from."""
    more = {"image_encoder.head.weight": torch.zeros(3, 320)}
    more["image_encoder.layers.0.blocks.0.conv1.bn.num_batches_tracked"] = torch.tensor(5)
    save_file(published | more, tmp_path / "mobile_sam.safetensors")
    sam = open_sam(tmp_path / "mobile_sam.safetensors")
    assert sam.image_encoder.img_size == 1024
    assert used(published | more).keys() == published.keys()
    with torch.inference_mode():
        assert sam.image_encoder(torch.zeros(1, 3, 1024, 1024)).shape == (1, 256, 64, 64)


def test_to_open_it_draws_nothing_from_the_global_generator(published):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    made(published)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_that_do_not_fit_are_refused(published):
    name = "image_encoder.layers.2.blocks.3.mlp.fc1.weight"
    without = {key: value for key, value in published.items() if key != name}
    with pytest.raises(InputError, match=r"no MobileSAM: image_encoder\.body\.stages\.2"):
        made(without)
    with pytest.raises(InputError, match=r"no MobileSAM: .*size mismatch"):
        made(published | {name: torch.zeros(3, 3)})


def test_it_is_written_as_it_is_read(published, tmp_path, monkeypatch):
    save_file(published, tmp_path / "mobile_sam.safetensors")
    words = ["mobile", str(tmp_path / "mobile_sam.safetensors"), "-o", str(tmp_path / "new")]
    monkeypatch.setattr("sys.argv", words)
    main()
    for name in (FILE, CARD):
        assert (tmp_path / "new" / name).read_bytes() == (shipped("mobile") / name).read_bytes()


@pytest.mark.parametrize("harm", ["missing", "cut", "changed"])
def test_a_damaged_file_is_one_sentence(harm, tmp_path):
    folder = tmp_path / "mobile"
    shutil.copytree(shipped("mobile"), folder)
    file = folder / FILE
    if harm == "missing":
        file.unlink()
    else:
        raw = bytearray(file.read_bytes())
        raw[-5] ^= 255
        file.write_bytes(raw[: len(raw) // 2] if harm == "cut" else raw)
    with pytest.raises(InputError, match="install the package again"):
        open_sam(folder)
