"""SAM 2 and SAM 3 of `transformers`, tiny, with random weights."""

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from PIL import Image

from editanything.errors import InputError
from editanything.preset import build
from editanything.segmenters.prompted import Embedded, Everything
from editanything.segmenters.sam2 import Sam2Segmenter
from editanything.segmenters.sam3 import Sam3Segmenter
from editanything.types import Mask, Point, Region, Selection

SIDE = 64


def decoder(kind):
    return kind(hidden_size=32, mlp_dim=32, num_attention_heads=2, iou_head_hidden_dim=16)


@pytest.fixture(scope="module")
def sam2():
    from transformers import (
        Sam2Config,
        Sam2HieraDetConfig,
        Sam2ImageProcessor,
        Sam2MaskDecoderConfig,
        Sam2Model,
        Sam2Processor,
        Sam2PromptEncoderConfig,
        Sam2VisionConfig,
    )

    torch.manual_seed(0)
    backbone = Sam2HieraDetConfig(
        hidden_size=12, num_attention_heads=1, image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1], embed_dim_per_stage=[12, 24, 48, 96],
        num_attention_heads_per_stage=[1, 2, 4, 8], window_size_per_stage=[8, 4, 4, 2],
        global_attention_blocks=[3], window_positional_embedding_background_size=[4, 4],
    )  # fmt: skip
    vision = Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=[96, 48, 24, 12],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]], fpn_hidden_size=32,
    )  # fmt: skip
    prompts = Sam2PromptEncoderConfig(
        hidden_size=32, image_size=SIDE, patch_size=16, mask_input_channels=8
    )
    config = Sam2Config(
        vision_config=vision,
        prompt_encoder_config=prompts,
        mask_decoder_config=decoder(Sam2MaskDecoderConfig),
    )
    size = {"height": SIDE, "width": SIDE}
    images = Sam2ImageProcessor(size=size, mask_size={"height": 16, "width": 16})
    model = Sam2Model(config).eval()
    with torch.no_grad():  # random weights are sure of nothing: let them be
        for head in model.mask_decoder.output_hypernetworks_mlps:
            head.proj_out.weight *= 1e4
    return model, Sam2Processor(images)


@pytest.fixture(scope="module")
def sam3(tokenizer):
    import transformers as tf

    torch.manual_seed(0)
    vit = {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1,
        "num_attention_heads": 2, "image_size": SIDE, "patch_size": 8, "window_size": 4,
        "global_attn_indexes": [0], "pretrain_image_size": SIDE, "model_type": "sam3_vit_model",
    }  # fmt: skip
    vision = {
        "backbone_config": vit, "fpn_hidden_size": 32,
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
    }  # fmt: skip
    tower = {"hidden_size": 32, "num_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    words = tf.Sam3Config(
        vision_config=vision,
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 32,
            "projection_dim": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
            "max_position_embeddings": 32, "eos_token_id": tokenizer.eos_token_id,
        },
        geometry_encoder_config=tower,
        detr_encoder_config=tower,
        detr_decoder_config={**tower, "num_queries": 6},
        mask_decoder_config={
            "hidden_size": 32, "num_attention_heads": 2, "num_upsampling_stages": 2,
        },
    )  # fmt: skip
    tracker = tf.Sam3TrackerConfig(
        vision_config=tf.Sam3VisionConfig(**vision),
        prompt_encoder_config={
            "hidden_size": 32, "image_size": SIDE, "patch_size": 8, "mask_input_channels": 8,
        },
        mask_decoder_config={
            "hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
        },
    )  # fmt: skip
    images = tf.Sam3ImageProcessor(
        size={"height": SIDE, "width": SIDE}, mask_size={"height": 16, "width": 16}
    )
    return {
        "model": tf.Sam3TrackerModel(tracker).eval(),
        "processor": tf.Sam3TrackerProcessor(images),
        "words": tf.Sam3Model(words).eval(),
        "words_processor": tf.Sam3Processor(images, tokenizer),
    }


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import CLIPTokenizer

    letters = [chr(i) for i in range(97, 123)]
    vocab = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{c}</w>" for c in letters)]
    return CLIPTokenizer(
        vocab={token: i for i, token in enumerate(vocab)}, merges=[], model_max_length=32
    )


def picture(height=90, width=140, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def counted(module, monkeypatch):
    calls = []
    forward = module.forward

    def counting(*args, **named):
        calls.append(1)
        return forward(*args, **named)

    monkeypatch.setattr(module, "forward", counting)
    return calls


PROMPTS = (
    Selection(points=(Point(30, 40), Point(5, 5, positive=False))),
    Selection(boxes=((20, 20, 80, 70),)),
    Selection(brush=Mask.of(np.eye(90, 140, dtype=bool))),
    Selection(boxes=((20, 20, 80, 70),), points=(Point(30, 30), Point(60, 60, positive=False))),
)


@pytest.mark.parity("P1")
@pytest.mark.parity("P2")
@pytest.mark.parametrize("which", ["sam2", "sam3"])
def test_clicks_boxes_and_strokes_on_one_embedding(which, request, monkeypatch):
    made = request.getfixturevalue(which)
    options = dict(zip(("model", "processor"), made, strict=True)) if which == "sam2" else made
    segmenter = build("segmenter", {"name": which, "device": "cpu", **options})
    calls = counted(segmenter.network.model.vision_encoder, monkeypatch)
    seen = segmenter.look(picture())
    assert not calls
    for selection in PROMPTS:
        assert seen.select(selection).shape == (90, 140)
    assert len(calls) == 1


def test_the_answer_is_the_models_own(sam2):
    """Independent: the processor scales the prompt, the model embeds and decodes in one call."""
    model, processor = sam2
    image = picture(60, 80)
    held = Embedded.of(Sam2Segmenter(model, processor, device="cpu").network, image)
    inputs = processor(
        images=Image.fromarray(image),
        input_points=[[[[30.0, 20.0], [5.0, 50.0]]]],
        input_labels=[[[1, 0]]],
        return_tensors="pt",
    )
    sizes = inputs.pop("original_sizes")
    with torch.no_grad():
        theirs = model(**inputs, multimask_output=True)
    masks = processor.post_process_masks(theirs.pred_masks, sizes, binarize=False)[0][0]
    ours, quality, _ = held.predict(
        np.array([[30.0, 20.0], [5.0, 50.0]]), np.array([1, 0]), return_logits=True
    )
    assert np.allclose(ours, masks.numpy(), atol=1e-5)
    assert np.allclose(quality, theirs.iou_scores[0, 0].numpy(), atol=1e-6)
    boxed = processor(images=image, input_boxes=[[[8.0, 8.0, 40.0, 50.0]]], return_tensors="pt")
    boxed.pop("original_sizes")
    with torch.no_grad():
        theirs = model(**boxed, multimask_output=False)
    ours, _, _ = held.predict(box=np.array([8, 8, 40, 50]), multimask_output=False)
    masks = processor.post_process_masks(theirs.pred_masks, [(60, 80)])[0][0]
    assert np.array_equal(ours, masks.numpy())


def test_everything_is_found_once_and_named_regions_come_first(sam2, monkeypatch):
    segmenter = Sam2Segmenter(
        *sam2, device="cpu", points_per_side=3, min_quality=-9.0, min_stability=0.0
    )
    known = Region(4, Mask.of(np.arange(90 * 140).reshape(90, 140) % 140 < 30), "pole")
    calls = counted(segmenter.network.model.vision_encoder, monkeypatch)
    seen = segmenter.look(picture(), known=(known,))
    regions = seen.regions()
    assert regions[0] is known
    assert len(regions) > 1
    assert len({region.id for region in regions}) == len(regions)
    areas = [region.mask.area for region in regions[1:]]
    assert areas == sorted(areas, reverse=True)
    assert len(calls) == 1
    assert seen.select(Selection(points=(Point(10, 10),))) == known.mask


def test_what_the_network_is_unsure_of_is_left_out(sam2):
    held = Embedded.of(Sam2Segmenter(*sam2, device="cpu").network, picture())
    assert held.everything(Everything(2, min_quality=9.0)) == []
    many = held.everything(Everything(3, -9.0, 0.0, same_box=1.0))
    few = held.everything(Everything(3, -9.0, 0.0, same_box=0.1))
    assert len(many) > len(few) > 0


def test_sam3_finds_every_thing_that_words_name(sam3, monkeypatch):
    segmenter = Sam3Segmenter(**sam3, device="cpu", min_score=0.0)
    calls = counted(segmenter.detector.model.vision_encoder, monkeypatch)
    seen = segmenter.look(picture())
    found = seen.concept("dog")
    assert found
    assert [r.score for r in found] == sorted((r.score for r in found), reverse=True)
    assert all(r.label == "dog" and r.mask.shape == (90, 140) for r in found)
    assert seen.concept("dog") is found
    seen.concept("cat")
    assert len(calls) == 1
    sure = Sam3Segmenter(**sam3, device="cpu", min_score=1.0).look(picture())
    assert sure.concept("dog") == ()


def test_sam3_words_are_the_processors_own(sam3):
    image = picture(SIDE, SIDE)
    seen = Sam3Segmenter(**sam3, device="cpu", min_score=0.0).look(image)
    processor = sam3["words_processor"]
    inputs = processor(images=Image.fromarray(image), text="dog", return_tensors="pt")
    with torch.no_grad():
        answer = sam3["words"](**{k: v for k, v in inputs.items() if k != "original_sizes"})
    theirs = processor.post_process_instance_segmentation(
        answer, threshold=0.0, target_sizes=[(SIDE, SIDE)]
    )[0]
    order = theirs["scores"].argsort(descending=True, stable=True)
    masks = [theirs["masks"][i].numpy().astype(bool) for i in order if theirs["masks"][i].any()]
    assert len(masks) == len(seen.concept("dog"))
    for ours, mask in zip(seen.concept("dog"), masks, strict=True):
        assert np.array_equal(ours.mask.full(), mask)


def test_a_folder_is_opened_and_another_kind_is_refused(sam2, sam3, tmp_path):
    model, processor = sam2
    model.save_pretrained(tmp_path / "sam2")
    processor.save_pretrained(tmp_path / "sam2")
    segmenter = Sam2Segmenter(str(tmp_path / "sam2"), device="cpu")
    ours = segmenter.look(picture()).select(PROMPTS[1])
    theirs = Sam2Segmenter(model, processor, device="cpu").look(picture()).select(PROMPTS[1])
    assert np.array_equal(ours.full(), theirs.full())
    sam3["words"].save_pretrained(tmp_path / "sam3")
    with pytest.raises(InputError, match="Sam2Model"):
        _ = Sam2Segmenter(str(tmp_path / "sam3"), processor, device="cpu").network


def test_what_hinders_is_one_sentence(sam2, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for model, said in (
        ("no/such/folder", "no/such/folder does not exist"),
        (str(tmp_path), "cannot be opened as a Sam2Model"),
        ("facebook/sam2.1-hiera-large", "HF_HUB_OFFLINE is set.*hf download facebook"),
        (3, "got a int"),
    ):
        with pytest.raises(InputError, match=said) as told:
            _ = Sam2Segmenter(model, device="cpu").network
        assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="needs its processor"):
        _ = Sam2Segmenter(sam2[0], device="cpu").network
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="No CUDA device is at hand"):
        _ = Sam2Segmenter(*sam2, device="cuda").network
    with pytest.raises(InputError, match="no device 'gpu'"):
        _ = Sam2Segmenter(*sam2, device="gpu").network
    with pytest.raises(InputError, match="dtype is one of"):
        _ = Sam2Segmenter(*sam2, dtype="int4").network
    with pytest.raises(InputError, match="min_score"):
        Sam3Segmenter(min_score=2.0)
    with pytest.raises(InputError, match="working_px"):
        Sam2Segmenter(working_px=3)
