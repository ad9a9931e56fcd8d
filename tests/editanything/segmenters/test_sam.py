import json
from hashlib import sha256

import numpy as np
import pytest
import torch
from segment_anything.build_sam import sam_model_registry
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)

from editanything.errors import InputError
from editanything.preset import build
from editanything.segmenters.glance import Answer, stroke_clicks
from editanything.segmenters.sam import MAX_GLANCES, SamSegmenter
from editanything.segmenters.weights import open_sam, shipped
from editanything.segmenters.window import Window
from editanything.types import Mask, Point, Region, Selection


def tiny_sam(side=64, prompt=32):
    """The published architecture, small, with random weights."""
    torch.manual_seed(0)
    encoder = ImageEncoderViT(
        img_size=side, patch_size=16, embed_dim=24, depth=1, num_heads=2, out_chans=prompt
    )
    prompts = PromptEncoder(prompt, (side // 16,) * 2, (side, side), 8)
    transformer = TwoWayTransformer(depth=1, embedding_dim=prompt, mlp_dim=32, num_heads=2)
    decoder = MaskDecoder(transformer_dim=prompt, transformer=transformer, iou_head_hidden_dim=16)
    return Sam(encoder, prompts, decoder)


@pytest.fixture(scope="module")
def sam():
    return tiny_sam()


def picture(height=90, width=140, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def counted(sam, monkeypatch):
    """How many pictures the encoder has seen."""
    seen = []
    forward = sam.image_encoder.forward

    def counting(x):
        seen.append(x.shape)
        return forward(x)

    monkeypatch.setattr(sam.image_encoder, "forward", counting)
    return seen


@pytest.mark.parity("P1")
@pytest.mark.parity("P2")
def test_any_sam_is_a_segmenter_and_answers_with_masks_of_the_picture(sam):
    segmenter = build("segmenter", {"name": "sam", "weights": sam})
    seen = segmenter.look(picture())
    for selection in (
        Selection(points=(Point(30, 40), Point(5, 5, positive=False))),
        Selection(boxes=((20, 20, 80, 70),)),
        Selection(brush=Mask.of(np.eye(90, 140, dtype=bool))),
    ):
        assert seen.select(selection).shape == (90, 140)
    assert seen.image.shape == (90, 140, 3)


def test_the_answer_is_the_predictors_own(sam):
    from segment_anything import SamPredictor

    image = picture(64, 64)
    predictor = SamPredictor(sam)
    predictor.set_image(image)
    masks, quality, _ = predictor.predict(
        point_coords=np.array([[30.0, 20.0]]), point_labels=np.array([1])
    )
    ours = SamSegmenter(sam).look(image).answer((Point(30, 20),), None)
    assert np.array_equal(ours.mask(), masks[quality.argmax()])
    assert ours.quality == pytest.approx(float(quality.max()))
    boxed, _, _ = predictor.predict(box=np.array([8, 8, 40, 50]), multimask_output=False)
    assert np.array_equal(SamSegmenter(sam).look(image).answer((), (8, 8, 40, 50)).mask(), boxed[0])


def test_a_picture_is_embedded_once(sam, monkeypatch):
    seen_by = counted(sam, monkeypatch)
    seen = SamSegmenter(sam).look(picture())
    assert not seen_by
    for x in (10, 60, 100):
        seen.select(Selection(points=(Point(x, 30),)))
        seen.select(Selection(boxes=((x, 10, x + 30, 60),)))
    assert len(seen_by) == 1


def test_zooming_embeds_a_part_once_and_keeps_few(sam, monkeypatch):
    seen_by = counted(sam, monkeypatch)
    seen = SamSegmenter(sam, zoom=True).look(picture(200, 300))
    for _ in range(2):
        seen.select(Selection(boxes=((20, 20, 60, 60),)))
    assert len(seen_by) == 1
    for x in range(0, 200, 10):
        seen.select(Selection(boxes=((x, 20, x + 40, 60),)))
    seen.select(Selection(points=(Point(50, 50),)))
    assert len(seen._glances) <= MAX_GLANCES + 1


def test_larger_pictures_are_reduced_and_masks_are_native(sam):
    seen = SamSegmenter(sam, working_px=64).look(picture(300, 400))
    glance = seen.glance((0, 0, 400, 300))
    assert glance.window.small.shape == (48, 64, 3)
    assert seen.select(Selection(boxes=((50, 50, 350, 250),))).shape == (300, 400)


def test_known_regions_come_first_and_are_hit(sam):
    known = Region(4, Mask.of(np.arange(90 * 140).reshape(90, 140) % 140 < 30), "pole")
    seen = SamSegmenter(sam, points_per_side=2).look(picture(), known=(known,))
    regions = seen.regions()
    assert regions[0] is known
    assert len({region.id for region in regions}) == len(regions)
    assert seen.regions() is regions
    assert seen.select(Selection(points=(Point(10, 10),))) == known.mask
    without = seen.select(
        Selection(mask=Mask.everything((90, 140)), points=(Point(10, 10, False),))
    )
    assert not (without.full() & known.mask.full()).any()


def test_the_rim_moves_to_the_edge_and_clicks_are_obeyed():
    """A rough disc of logits on a picture with a sharp one."""
    ys, xs = np.mgrid[:120, :120]
    truth = np.hypot(ys - 60, xs - 60) < 34
    image = np.where(truth[..., None], (200, 60, 50), (60, 120, 70)).astype(np.uint8)
    rough = (36 - np.hypot(ys - 63, xs - 56)).astype(np.float32) / 4
    answer = Answer(Window.of(image, (0, 0, 120, 120), 120), rough, 0.9)

    def overlap(mask):
        return (mask & truth).sum() / (mask | truth).sum()

    found = answer.settled(())
    assert overlap(found) > 0.98 > overlap(answer.mask()) + 0.05
    assert answer.settled((Point(110, 110),))[110, 110]
    empty = Answer(answer.window, np.full((120, 120), -9, np.float32), 0.1)
    assert empty.native_box() is None
    assert not empty.settled(()).any()


def test_a_stroke_becomes_clicks_along_it():
    stroke = np.zeros((60, 200), bool)
    stroke[25:35, 10:190] = True
    clicks = stroke_clicks(Mask.of(stroke))
    assert 3 <= len(clicks) <= 6
    assert all(25 <= p.y < 35 and 10 <= p.x < 190 and p.positive for p in clicks)
    xs = sorted(p.x for p in clicks)
    assert xs[-1] - xs[0] > 90


def test_an_empty_selection_and_bad_settings_are_refused(sam):
    seen = SamSegmenter(sam).look(picture())
    with pytest.raises(InputError, match="Nothing is selected"):
        seen.select(Selection(points=(Point(5, 5, positive=False),)))
    with pytest.raises(InputError, match="outside"):
        seen.select(Selection(points=(Point(500, 5),)))
    with pytest.raises(InputError, match="working_px"):
        SamSegmenter(sam, working_px=3)
    with pytest.raises(InputError, match="points_per_side"):
        SamSegmenter(sam, points_per_side=0)
    with pytest.raises(InputError, match="RGB uint8"):
        SamSegmenter(sam).look(np.zeros((4, 4), np.uint8))


def test_published_files_are_told_by_their_width(tmp_path, monkeypatch):
    """The registry's builders take minutes and gigabytes, so one is made small."""
    monkeypatch.setitem(sam_model_registry, "vit_b", tiny_b)
    torch.save(tiny_b().state_dict(), tmp_path / "sam_vit_b.pth")
    opened = open_sam(tmp_path / "sam_vit_b.pth")
    assert opened.image_encoder.img_size == 32
    state = tiny_b().state_dict()
    del state["prompt_encoder.no_mask_embed.weight"]
    torch.save(state, tmp_path / "less.pth")
    with pytest.raises(InputError, match="looks like vit_b, but does not fit it"):
        open_sam(tmp_path / "less.pth")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="no published Segment Anything network"):
        open_sam(tmp_path / "other.pth")


def tiny_b(checkpoint=None):
    encoder = ImageEncoderViT(
        img_size=32, patch_size=16, embed_dim=768, depth=0, num_heads=2, out_chans=16
    )
    transformer = TwoWayTransformer(depth=1, embedding_dim=16, mlp_dim=16, num_heads=2)
    decoder = MaskDecoder(transformer_dim=16, transformer=transformer)
    return Sam(encoder, PromptEncoder(16, (2, 2), (32, 32), 8), decoder)


@pytest.fixture
def folder(tmp_path):
    from mdt.models import build_model

    network = build_model(
        "segmenter",
        input_size=64, fine_width=16, mid_width=16, width=48, depth=1, prompt_width=32,
    )  # fmt: skip
    network.save_pretrained(tmp_path / "own")
    file = tmp_path / "own" / "diffusion_pytorch_model.safetensors"
    card = {"file": file.name, "sha256": sha256(file.read_bytes()).hexdigest()}
    (tmp_path / "own" / "card.json").write_text(json.dumps(card))
    return tmp_path / "own"


def test_a_folder_of_our_own_opens_and_its_digest_is_checked(folder):
    assert SamSegmenter(str(folder)).look(picture()).select(
        Selection(boxes=((10, 10, 60, 60),))
    ).shape == (90, 140)
    file = folder / "diffusion_pytorch_model.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(bytes(raw))
    with pytest.raises(InputError, match="damaged or was changed"):
        open_sam(folder)
    file.unlink()
    with pytest.raises(InputError, match="incomplete"):
        open_sam(folder)


def test_weights_that_are_not_there_are_named():
    with pytest.raises(InputError, match=r"no/such.pth does not exist"):
        open_sam("no/such.pth")
    with pytest.raises(InputError, match="got int"):
        open_sam(3)


def test_the_shipped_network_finds_a_plain_thing_and_its_card_fits():
    """One disc on a plain ground, by its box and by a click."""
    ys, xs = np.mgrid[:160, :200]
    disc = np.hypot(ys - 80, xs - 90) < 45
    image = np.where(disc[..., None], (210, 60, 50), (60, 110, 160)).astype(np.uint8)
    segmenter = SamSegmenter("default")
    card = json.loads((shipped() / "card.json").read_text())
    assert sum(p.numel() for p in segmenter.sam.parameters()) == card["parameters"]
    seen = segmenter.look(image)
    for selection in (Selection(boxes=((45, 35, 136, 126),)), Selection(points=(Point(90, 80),))):
        found = seen.select(selection).full()
        assert (found & disc).sum() / (found | disc).sum() > 0.6
