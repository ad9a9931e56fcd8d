"""Grounding DINO, OWLv2, CLIPSeg and Florence-2, tiny, with random weights."""

import numpy as np
import pytest
import torch
import transformers as tf
from huggingface_hub import constants
from PIL import Image

from editanything.command import parse
from editanything.errors import InputError
from editanything.grounders.base import Found, NotFound, Tie
from editanything.grounders.detectors import ClipSeg, Florence2, GroundingDino, Owlv2
from editanything.preset import build
from editanything.segmenters.classical import Classical

LETTERS = [chr(i) for i in range(97, 123)]


def clip_tokenizer(length):
    vocab = ["!", "<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{c}</w>" for c in LETTERS)]
    return tf.CLIPTokenizer(
        vocab={token: i for i, token in enumerate(vocab)}, merges=[], model_max_length=length
    )


def text_tower(tokenizer, length):
    return {
        "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": length,
        "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip


def vision_tower(side, patch):
    return {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "image_size": side, "patch_size": patch,
    }  # fmt: skip


@pytest.fixture(scope="module")
def dino():
    torch.manual_seed(0)
    # the network knows these tokens by their published numbers
    vocab = [f"[unused{i}]" for i in range(1040)]
    vocab[0], vocab[100] = "[PAD]", "[UNK]"
    vocab[101], vocab[102], vocab[103] = "[CLS]", "[SEP]", "[MASK]"
    vocab[1012], vocab[1029], vocab[200], vocab[201] = ".", "?", "dog", "cat"
    tokenizer = tf.BertTokenizer(vocab={token: i for i, token in enumerate(vocab)})
    config = tf.GroundingDinoConfig(
        backbone_config=tf.SwinConfig(
            image_size=128, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2],
            window_size=4, out_indices=[2, 3, 4],
        ),
        text_config=tf.BertConfig(
            vocab_size=len(vocab), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, max_position_embeddings=256,
        ),
        num_queries=6, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, encoder_attention_heads=2, decoder_attention_heads=2, d_model=32,
        disable_custom_kernels=True,
    )  # fmt: skip
    images = tf.GroundingDinoImageProcessor(size={"shortest_edge": 128, "longest_edge": 192})
    processor = tf.GroundingDinoProcessor(images, tokenizer)
    return tf.GroundingDinoForObjectDetection(config).eval(), processor


@pytest.fixture(scope="module")
def owl():
    torch.manual_seed(0)
    tokenizer = clip_tokenizer(16)
    config = tf.Owlv2Config(
        text_config=text_tower(tokenizer, 16),
        vision_config=vision_tower(64, 16),
        projection_dim=32,
    )
    images = tf.Owlv2ImageProcessor(size={"height": 64, "width": 64})
    model = tf.Owlv2ForObjectDetection(config).eval()
    with torch.no_grad():  # random weights are sure of nothing: let them be
        model.class_head.logit_shift.bias += 1
    return model, tf.Owlv2Processor(images, tokenizer)


@pytest.fixture(scope="module")
def clipseg():
    torch.manual_seed(0)
    tokenizer = clip_tokenizer(77)
    config = tf.CLIPSegConfig(
        text_config=text_tower(tokenizer, 77), vision_config=vision_tower(64, 16),
        projection_dim=32, extract_layers=[0, 1], reduce_dim=16, decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )  # fmt: skip
    images = tf.ViTImageProcessor(size={"height": 64, "width": 64})
    model = tf.CLIPSegForImageSegmentation(config).eval()
    return model, tf.CLIPSegProcessor(images, tokenizer)


@pytest.fixture(scope="module")
def florence(tmp_path_factory):
    torch.manual_seed(0)
    return tiny_florence()


def tiny_florence():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    places = [f"<loc_{i}>" for i in range(1000)]
    special = ["<s>", "<pad>", "</s>", "<unk>", "<image>", *places]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate([*special, *letters])}
    inner = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", pad_token="<pad>", eos_token="</s>",
        unk_token="<unk>", extra_special_tokens={"image_token": "<image>"},
    )  # fmt: skip
    tokenizer.add_tokens(places, special_tokens=True)
    config = tf.Florence2Config(
        text_config={
            "model_type": "bart", "vocab_size": len(tokenizer), "d_model": 32,
            "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
            "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
            "max_position_embeddings": 256, "bos_token_id": 0, "pad_token_id": 1,
            "eos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": 2,
        },
        vision_config={
            "depths": (1, 1, 1, 1), "embed_dim": (8, 8, 16, 16), "num_heads": (2, 2, 2, 2),
            "num_groups": (2, 2, 2, 2), "window_size": 2, "projection_dim": 32,
            "drop_path_rate": 0.0,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    images = tf.CLIPImageProcessor(
        size={"height": 64, "width": 64}, crop_size={"height": 64, "width": 64}
    )
    images.image_seq_length = 5
    processor = tf.Florence2Processor(
        images, tokenizer, post_processor_config={
            "ocr": {"pattern": r"(.+?)<loc_(\d+)><loc_(\d+)>", "area_threshold": 0.0},
            "phrase_grounding": {"banned_grounding_tokens": []},
            "pure_text": {}, "description_with_bboxes": {}, "description_with_polygons": {},
            "polygons": {}, "bboxes": {}, "description_with_bboxes_or_polygons": {},
        },
    )  # fmt: skip
    return tf.Florence2ForConditionalGeneration(config).eval(), processor


def picture(height=96, width=140, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def options(made, **more):
    return {"model": made[0], "processor": made[1], "device": "cpu", **more}


@pytest.mark.parametrize(
    ("kind", "which"), [(GroundingDino, "dino"), (Owlv2, "owl")], ids=["dino", "owl"]
)
def test_boxes_are_the_pipelines_own(kind, which, request):
    """Independent: the library's own pipeline, asked the same."""
    model, processor = request.getfixturevalue(which)
    image = picture()
    pipe = tf.pipeline(
        "zero-shot-object-detection", model=model, tokenizer=processor.tokenizer,
        image_processor=processor.image_processor, processor=processor,
    )  # fmt: skip
    label = "dog." if kind is GroundingDino else "a photo of a dog"
    theirs = pipe(Image.fromarray(image), candidate_labels=[label], threshold=0.01)
    ours = kind(model, processor, device="cpu", threshold=0.01).detect(image, "dog")
    assert len(ours) == len(theirs) > 0
    edges = ("xmin", "ymin", "xmax", "ymax")
    for spot, other in zip(sorted(ours, key=lambda s: -s.score), theirs, strict=True):
        assert spot.score == pytest.approx(other["score"], abs=1e-5)
        assert np.allclose(spot.box, [other["box"][e] for e in edges], atol=1)
    assert not kind(model, processor, device="cpu", threshold=1.0).detect(image, "dog")


def test_clipseg_gives_the_parts_above_its_threshold(clipseg):
    model, processor = clipseg
    image = picture()
    inputs = processor(text=["dog"], images=Image.fromarray(image), return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits.reshape(1, 1, 64, 64)
    chance = torch.nn.functional.interpolate(logits.sigmoid(), (96, 140), mode="bilinear")
    middle = float(chance.median())
    spots = ClipSeg(model, processor, device="cpu", threshold=middle, least_share=0.0).detect(
        image, "dog"
    )
    together = np.zeros((96, 140), bool)
    for spot in spots:
        assert not (together & spot.mask).any()
        together |= spot.mask
    theirs = chance[0, 0].numpy()
    clear = np.abs(theirs - middle) > 1e-4
    assert np.array_equal(together[clear], (theirs > middle)[clear])
    few = ClipSeg(model, processor, device="cpu", threshold=middle, least_share=0.05)
    assert all(spot.mask.mean() >= 0.05 for spot in few.detect(image, "dog"))
    boxed = ClipSeg(model, processor, device="cpu", threshold=middle, boxes=True)
    assert all(spot.mask is None for spot in boxed.detect(image, "dog"))


def test_florence_reads_the_boxes_that_were_written(florence, monkeypatch):
    model, processor = florence
    detector = Florence2(model, processor, device="cpu", max_new_tokens=6)
    for spot in detector.detect(picture(), "dog"):  # random weights: whatever it writes is read
        assert len(spot.box) == 4
    text = "dog<loc_100><loc_200><loc_300><loc_400><loc_500><loc_600><loc_700><loc_800>"
    written = torch.tensor([processor.tokenizer.encode(text, add_special_tokens=False)])
    monkeypatch.setattr(model, "generate", lambda **_: written)
    found = detector.detect(picture(100, 200), "dog")
    assert len(found) == 2
    assert np.allclose(found[0].box, (20, 20, 60, 40), atol=0.2)
    assert np.allclose(found[1].box, (100, 60, 140, 80), atol=0.2)


@pytest.mark.parity("P24")
@pytest.mark.parametrize(
    ("name", "which", "more"),
    [
        ("grounding-dino", "dino", {"threshold": 0.01}),
        ("owlv2", "owl", {"threshold": 0.01}),
        ("clipseg", "clipseg", {"threshold": 0.4}),
        ("florence-2", "florence", {"max_new_tokens": 4}),
    ],
)
def test_each_is_a_grounder_by_its_name(name, which, more, request):
    made = request.getfixturevalue(which)
    grounder = build("grounder", {"name": name, **options(made, **more)})
    seen = Classical().look(picture())
    target = parse("remove all dogs").ops[0].target
    outcome = grounder.find(seen, target)
    assert isinstance(outcome, Found | NotFound)
    one = grounder.find(seen, parse("remove the dog").ops[0].target)
    if isinstance(outcome, Found) and len(outcome.regions) > 1:
        assert isinstance(one, Tie | Found)
    else:
        assert type(one) is type(outcome)


def test_a_folder_is_opened(owl, tmp_path):
    model, processor = owl
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    image = picture()
    held = Owlv2(model, processor, device="cpu", threshold=0.01).detect(image, "dog")
    opened = Owlv2(str(tmp_path), device="cpu", threshold=0.01).detect(image, "dog")
    assert [s.box for s in held] == [s.box for s in opened]
    with pytest.raises(InputError, match="GroundingDino"):
        GroundingDino(str(tmp_path), device="cpu").detect(image, "dog")


def test_bad_settings_are_one_sentence(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="threshold is 0 to 1; got 2"):
        build("grounder", {"name": "owlv2", "threshold": 2.0})
    with pytest.raises(InputError, match="task is one of"):
        build("grounder", {"name": "florence-2", "task": "OD"})
    with pytest.raises(InputError, match="does not take these options"):
        build("grounder", {"name": "grounding-dino", "thresh": 0.2})
    with pytest.raises(InputError, match="HF_HUB_OFFLINE is set"):
        GroundingDino(device="cpu").detect(picture(), "dog")
