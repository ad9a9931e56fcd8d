"""Captions by BLIP, BLIP-2 and Florence-2, tiny, with random weights."""

import numpy as np
import pytest
import torch
import transformers as tf
from huggingface_hub import constants

from editanything.captions import (
    Blip,
    Blip2,
    Captioner,
    Florence2Captions,
    build_captioner,
    described,
    labels,
    masked_crop,
)
from editanything.errors import InputError
from editanything.types import Mask, Region

WORDS = [
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "j",
    "k",
    "l",
    "m",
    "n",
    "o",
    "p",
    "q",
    "r",
    "s",
    "t",
    "u",
    "v",
    "w",
    "x",
    "y",
    "z",
]
VISION = {
    "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
    "num_attention_heads": 2, "image_size": 32, "patch_size": 16,
}  # fmt: skip
IMAGES = {"size": {"height": 32, "width": 32}}


@pytest.fixture(scope="module")
def blip():
    torch.manual_seed(0)
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]", *WORDS]
    tokenizer = tf.BertTokenizer(vocab={token: i for i, token in enumerate(vocab)})
    text = {
        "vocab_size": len(vocab), "hidden_size": 32, "encoder_hidden_size": 32,
        "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "max_position_embeddings": 64, "bos_token_id": 5, "eos_token_id": 3, "sep_token_id": 3,
        "pad_token_id": 0,
    }  # fmt: skip
    config = tf.BlipConfig(text_config=text, vision_config=VISION, projection_dim=16)
    model = tf.BlipForConditionalGeneration(config).eval()
    return model, tf.BlipProcessor(tf.BlipImageProcessor(**IMAGES), tokenizer)


@pytest.fixture(scope="module")
def blip2():
    from tokenizers import AddedToken

    torch.manual_seed(0)
    tokenizer = letters_tokenizer()
    tokenizer.add_tokens([AddedToken("<image>", special=True)])
    config = tf.Blip2Config(
        vision_config=VISION,
        qformer_config={
            "vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 32, "encoder_hidden_size": 32, "max_position_embeddings": 16,
        },
        text_config={
            "model_type": "opt", "vocab_size": len(tokenizer), "hidden_size": 32,
            "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 32,
            "max_position_embeddings": 64, "word_embed_proj_dim": 32, "bos_token_id": 0,
            "pad_token_id": 1, "eos_token_id": 2,
        },
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    model = tf.Blip2ForConditionalGeneration(config).eval()
    images = tf.BlipImageProcessor(**IMAGES)
    return model, tf.Blip2Processor(images, tokenizer, num_query_tokens=4)


@pytest.fixture(scope="module")
def florence():
    torch.manual_seed(0)
    tokenizer = letters_tokenizer(extra_special_tokens={"image_token": "<image>"})
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
    kinds = (
        "pure_text", "description_with_bboxes", "description_with_polygons", "polygons", "bboxes",
        "description_with_bboxes_or_polygons",
    )  # fmt: skip
    rules = {kind: {} for kind in kinds} | {
        "ocr": {"pattern": r"(.+?)<loc_(\d+)>", "area_threshold": 0.0},
        "phrase_grounding": {"banned_grounding_tokens": []},
    }
    processor = tf.Florence2Processor(images, tokenizer, post_processor_config=rules)
    return tf.Florence2ForConditionalGeneration(config).eval(), processor


def letters_tokenizer(**more):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate([*special, *alphabet])}
    inner = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", pad_token="<pad>", eos_token="</s>",
        unk_token="<unk>", **more,
    )  # fmt: skip


def picture(height=40, width=50, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parity("P5")
@pytest.mark.parametrize(
    ("kind", "which"), [(Blip, "blip"), (Blip2, "blip2"), (Florence2Captions, "florence")]
)
def test_each_writes_what_its_network_writes(kind, which, request):
    model, processor = request.getfixturevalue(which)
    captioner = kind(model, processor, device="cpu", dtype="float32", num_beams=1)
    assert isinstance(captioner, Captioner)
    image = picture()
    ours = captioner.caption(image, max_new_tokens=7)
    asked = {"text": "<CAPTION>"} if which == "florence" else {}
    inputs = processor(images=image, return_tensors="pt", **asked)
    with torch.no_grad():
        ids = model.generate(**inputs, num_beams=1, max_new_tokens=7)
    theirs = processor.batch_decode(ids, skip_special_tokens=True)[0]
    assert ours == " ".join(theirs.split()).strip(" .")
    assert captioner.caption(image, max_new_tokens=7) == ours


class BySize:
    """Words the size and the mean of what it is shown."""

    def caption(self, rgb, *, max_new_tokens=50):
        return f"{rgb.shape[1]} by {rgb.shape[0]}, {rgb.max()}, {max_new_tokens} tokens."


def region(number, x0, x1, label=""):
    mask = np.zeros((40, 50), bool)
    mask[10:20, x0:x1] = True
    return Region(number, Mask.of(mask), label)


@pytest.mark.parity("P26")
def test_the_largest_regions_are_worded_from_their_masked_crops():
    image = np.full((40, 50, 3), 9, np.uint8)
    regions = [region(1, 0, 5), region(2, 10, 30), region(3, 35, 40, "pole"), region(4, 40, 41)]
    found = labels(BySize(), image, regions, most=3)
    assert [one.id for one in found] == [2, 1, 3]
    assert [one.label for one in found] == [
        "20 by 10, 9, 15 tokens.", "5 by 10, 9, 15 tokens.", "pole",
    ]  # fmt: skip
    assert not any(one.label for one in regions[:2])


def test_a_masked_crop_is_black_outside():
    image = picture()
    disc = np.zeros((40, 50), bool)
    disc[10:20, 10:30] = True
    disc[10, 10] = False
    crop = masked_crop(image, Mask.of(disc))
    assert crop.shape == (10, 20, 3)
    assert not crop[0, 0].any()
    assert np.array_equal(crop[1:], image[11:20, 10:30])
    with pytest.raises(InputError, match="the mask is empty"):
        masked_crop(image, Mask.empty((40, 50)))


@pytest.mark.parity("P5")
def test_a_caption_goes_before_what_is_asked():
    assert described(BySize(), picture(), prompt="best quality, ").startswith("50 by 40")
    assert described(BySize(), picture(), prompt="best quality, ").endswith("tokens, best quality")
    assert described(BySize(), picture()).endswith("tokens")


def test_captioners_are_built_by_name(blip, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    made = build_captioner({"name": "blip", "model": blip[0], "processor": blip[1]})
    assert isinstance(made, Blip)
    assert isinstance(build_captioner("blip2"), Blip2)
    assert build_captioner(made) is made
    with pytest.raises(InputError, match="no captioner 'clip'; there are: blip, blip2, florence-2"):
        build_captioner("clip")
    with pytest.raises(InputError, match="does not take these options"):
        build_captioner({"name": "blip", "beams": 3})
    with pytest.raises(InputError, match="task is one of"):
        build_captioner({"name": "florence-2", "task": "OD"})
    with pytest.raises(InputError, match="HF_HUB_OFFLINE is set"):
        Blip(device="cpu").caption(picture())
