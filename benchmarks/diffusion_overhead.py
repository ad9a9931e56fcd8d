"""What an edit costs beside its networks' forward passes, at Stable Diffusion 1.5's real size.

The networks have random weights. Every call of a UNet, ControlNet, autoencoder or text network is
timed from within; the rest of `Editor.edit` is overhead: planning, the region map, resizing,
the scheduler, what keeps the rest of the picture, the composite. With few steps the share is
higher than with the usual 30.

    python benchmarks/diffusion_overhead.py [--steps 2] [--size 512] [--photo 1024] [--pair]
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import ExitStack
from functools import wraps
from typing import Any

import numpy as np
import torch


def main() -> None:
    """Print a table, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--size", type=int, default=512, help="working size in pixels")
    parser.add_argument("--photo", type=int, default=1024, help="side of the picture in pixels")
    parser.add_argument("--pair", action="store_true", help="with the pair of ControlNets")
    parser.add_argument("--edits", type=int, default=1)
    asked = parser.parse_args()
    pipe, nets = real_size(pair=asked.pair)
    report = measure(pipe, nets, asked)
    for name, value in report.items():
        print(
            f"{name:28} {value:>10.3f}" if isinstance(value, float) else f"{name:28} {value!s:>10}"
        )
    print(json.dumps(report))


def real_size(*, pair: bool) -> tuple[Any, list[Any]]:
    """Stable Diffusion 1.5 as its published configuration has it, random weights."""
    from diffusers import (
        AutoencoderKL,
        ControlNetModel,
        StableDiffusionPipeline,
        UNet2DConditionModel,
        UniPCMultistepScheduler,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    alphabet = sorted(bytes_to_unicode().values())
    letters = [*alphabet, *(c + "</w>" for c in alphabet), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(
        vocab={letter: i for i, letter in enumerate(letters)}, merges=[], model_max_length=77
    )
    torch.manual_seed(0)
    blocks = (320, 640, 1280, 1280)
    cross = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
    shared: dict[str, Any] = {
        "block_out_channels": blocks, "down_block_types": cross, "layers_per_block": 2,
        "cross_attention_dim": 768, "attention_head_dim": 8,
    }  # fmt: skip
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
            num_attention_heads=12, bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4, latent_channels=4, layers_per_block=2,
        sample_size=512,
    )  # fmt: skip
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=text, tokenizer=tokenizer,
        unet=UNet2DConditionModel(sample_size=64, **shared),
        scheduler=UniPCMultistepScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    return pipe, [ControlNetModel(**shared) for _ in range(2 if pair else 0)]


def measure(pipe: Any, nets: list[Any], asked: argparse.Namespace) -> dict[str, Any]:
    """Seconds of edits, and how much of them are forward passes."""
    from editanything.backends.diffusion.loading import load
    from editanything.backends.diffusion.settings import ModelSettings
    from editanything.editor import Editor
    from editanything.preset import Preset

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        pipe.to(device, torch.float16)
        nets = [net.to(device, torch.float16) for net in nets]
    roles = ("regions", "inpaint")
    backend = {
        "name": "diffusion", "model": pipe, "steps": asked.steps, "size": asked.size,
        "controlnets": [{"model": n, "role": r} for n, r in zip(nets, roles, strict=False)],
    }  # fmt: skip
    editor = Editor(
        Preset(segmenter={"name": "classical"}, grounder={"name": "words"}, backends=[backend])
    )
    load(ModelSettings(pipe, controlnets=tuple(nets)))
    photo = np.random.default_rng(0).integers(0, 256, (asked.photo,) * 2 + (3,), dtype=np.uint8)
    photo = np.ascontiguousarray(
        photo // 4 + np.linspace(0, 190, asked.photo, dtype=np.uint8)[:, None]
    )
    selection = np.zeros(photo.shape[:2], bool)
    low, high = asked.photo // 4, 3 * asked.photo // 4
    selection[low:high, low:high] = True
    passes: dict[str, float] = {}
    parts = {
        "unet": (pipe.unet, "forward"), "text": (pipe.text_encoder, "forward"),
        "encode": (pipe.vae, "encode"), "decode": (pipe.vae, "decode"),
        **{f"controlnet {i}": (net, "forward") for i, net in enumerate(nets)},
    }  # fmt: skip
    editor.plan(photo, "replace it with a dog", selection=selection)  # imports, lexicon
    with ExitStack() as stack:
        for name, (part, method) in parts.items():
            stack.enter_context(_timed(part, method, name, passes))
        start = time.perf_counter()
        for seed in range(asked.edits):
            editor.edit(photo, "replace it with a dog", selection=selection, seed=seed)
        _wait()
        whole = time.perf_counter() - start
    inside = sum(passes.values())
    return {
        "device": device, "steps": asked.steps, "size": asked.size, "photo": asked.photo,
        "controlnets": len(nets), "edit_s": whole / asked.edits,
        **{f"{name}_s": seconds / asked.edits for name, seconds in passes.items()},
        "overhead_s": (whole - inside) / asked.edits, "overhead_share": 1 - inside / whole,
    }  # fmt: skip


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


class _timed:  # noqa: N801
    """While it lasts, the seconds of a method add up under a name."""

    def __init__(self, part: Any, method: str, name: str, seconds: dict[str, float]) -> None:
        self.part, self.method, self.name, self.seconds = part, method, name, seconds

    def __enter__(self) -> None:
        whole = getattr(self.part, self.method)

        @wraps(whole)
        def timed(*args: Any, **kwargs: Any) -> Any:
            _wait()
            start = time.perf_counter()
            out = whole(*args, **kwargs)
            _wait()
            spent = time.perf_counter() - start
            self.seconds[self.name] = self.seconds.get(self.name, 0.0) + spent
            return out

        setattr(self.part, self.method, timed)

    def __exit__(self, *_: object) -> None:
        delattr(self.part, self.method)


if __name__ == "__main__":
    main()
