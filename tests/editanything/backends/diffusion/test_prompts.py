"""Prompts of any length, with weights."""

import pytest
import torch

from editanything.backends.diffusion.loading import load
from editanything.backends.diffusion.prompts import encode, weighted
from editanything.backends.diffusion.settings import ModelSettings


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a dog", [("a dog", 1.0)]),
        ("a (red:1.3) dog", [("a ", 1.0), ("red", 1.3), (" dog", 1.0)]),
        ("a (red) dog", [("a ", 1.0), ("red", 1.1), (" dog", 1.0)]),
        ("a ((red)) [dog]", [("a ", 1.0), ("red", 1.21), (" ", 1.0), ("dog", 1 / 1.1)]),
        (r"a \(red\) dog", [("a (red) dog", 1.0)]),
        ("(a (red:1.5) dog:0.5)", [("a ", 0.5), ("red", 0.75), (" dog", 0.5)]),
        ("time: 10:30)", [("time: 10:30)", 1.0)]),
        ("(never closed", [("never closed", 1.1)]),
        ("", []),
    ],
)
def test_p15_weights_by_brackets(prompt, pieces):
    found = weighted(prompt)
    assert [text for text, _ in found] == [text for text, _ in pieces]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in pieces])


def test_a_short_prompt_is_what_the_pipeline_makes_of_it(sd, sdxl):
    for pipe in (sd, sdxl):
        told = pipe.encode_prompt(
            "a red dog", device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=True,
            negative_prompt="low quality",
        )  # fmt: skip
        words = encode(load(ModelSettings(pipe)), "a red dog", "low quality")
        ours = [words.positive, words.negative, words.pooled, words.pooled_negative]
        for one, other in zip(ours, told, strict=False):
            assert torch.allclose(one, other, atol=1e-6)
    zeros = encode(load(ModelSettings(sdxl)), "a red dog")
    assert not zeros.negative.any()


def test_p15_a_long_prompt_is_read_to_its_end_in_windows(sd):
    loaded = load(ModelSettings(sd))
    prompt = " ".join(["a red dog on a green apple"] * 14)
    words = encode(loaded, prompt, "low quality")
    ids = sd.tokenizer(prompt, add_special_tokens=False, verbose=False).input_ids
    assert 75 < len(ids) <= 150
    assert words.positive.shape == words.negative.shape == (1, 2 * 77, 32)
    bos, eos, pad = (getattr(sd.tokenizer, f"{n}_token_id") for n in ("bos", "eos", "pad"))
    second = [bos, *ids[75:], eos]
    windows = torch.tensor([[bos, *ids[:75], eos], second + [pad] * (77 - len(second))])
    with torch.no_grad():
        truth = sd.text_encoder(windows)[0].reshape(1, 154, 32)
    assert torch.allclose(words.positive, truth, atol=1e-6)
    other = encode(loaded, prompt + " hat", "low quality")
    assert not torch.equal(other.positive, words.positive)


def test_p15_weights_scale_their_vectors_and_keep_the_mean(sd):
    loaded = load(ModelSettings(sd))
    plain, heavy = encode(loaded, "a red dog").positive, encode(loaded, "a (red:1.4) dog").positive
    scaled = plain.clone()
    scaled[:, 2] *= 1.4  # after the mark of begin and "a"
    scaled *= plain.mean() / scaled.mean()
    assert torch.allclose(heavy, scaled, atol=1e-5)
    assert torch.equal(encode(loaded, "a (red:1.0) dog").positive, plain)
