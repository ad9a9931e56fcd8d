"""Pipelines of every kind with tiny random networks, built once a session from configurations.

A test that changes anything of a pipeline takes `copy.deepcopy` of it first.
"""

import copy

import pytest
import torch

WORDS = (
    "a",
    "an",
    "the",
    "dog",
    "cat",
    "red",
    "blue",
    "green",
    "apple",
    "on",
    "in",
    "with",
    "and",
    "best",
    "quality",
    "detailed",
    "low",
    "photo",
    "of",
    "make",
    "it",
    "background",
    "hat",
    "fox",
    "snow",
    "sky",
    "grass",
    "style",
    "winter",
)


def clip_tokenizer():
    """Byte-level, with whole words for `WORDS`."""
    from transformers import CLIPTokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    alphabet = sorted(bytes_to_unicode().values())
    vocab = {c: i for i, c in enumerate(alphabet)}
    for c in alphabet:
        vocab[c + "</w>"] = len(vocab)
    merges = []
    for word in WORDS:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            parts = ["".join(pair), *parts[2:]]
            if pair not in merges:
                merges.append(pair)
            vocab.setdefault(parts[0], len(vocab))
    for token in ("<|startoftext|>", "<|endoftext|>"):
        vocab[token] = len(vocab)
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=77)


def clip_text_config(tokenizer):
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=37, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=77, projection_dim=32,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip


def tiny_vae(channels=4):
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(16, 32, 32, 32), down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4, latent_channels=channels, layers_per_block=1,
        norm_num_groups=8, sample_size=64,
    ).eval()  # fmt: skip


UNET = {
    "block_out_channels": (32, 64), "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"), "cross_attention_dim": 32,
    "attention_head_dim": 8, "norm_num_groups": 8,
}  # fmt: skip


def tiny_unet(channels=4, **more):
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8, in_channels=channels, out_channels=4,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), **{**UNET, **more},
    ).eval()  # fmt: skip


def tiny_controlnet(seed=0, **more):
    """With its zero convolutions filled, or it would have no effect."""
    from diffusers import ControlNetModel

    torch.manual_seed(seed)
    net = ControlNetModel(
        in_channels=4, conditioning_embedding_out_channels=(8, 16, 16, 16), **{**UNET, **more}
    )
    for conv in (*net.controlnet_down_blocks, net.controlnet_mid_block):
        torch.nn.init.normal_(conv.weight, std=0.2)
    torch.nn.init.normal_(net.controlnet_cond_embedding.conv_out.weight, std=0.02)
    return net.eval()


def tiny_sd(channels=4):
    """Stable Diffusion: an ordinary base (4), an inpainting one (9) or InstructPix2Pix (8)."""
    from diffusers import (
        DDIMScheduler,
        StableDiffusionInpaintPipeline,
        StableDiffusionInstructPix2PixPipeline,
        StableDiffusionPipeline,
    )
    from transformers import CLIPTextModel

    torch.manual_seed(0)
    tokenizer = clip_tokenizer()
    kinds = {
        4: StableDiffusionPipeline,
        8: StableDiffusionInstructPix2PixPipeline,
        9: StableDiffusionInpaintPipeline,
    }
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
        set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip
    pipe = kinds[channels](
        vae=tiny_vae(), text_encoder=CLIPTextModel(clip_text_config(tokenizer)).eval(),
        tokenizer=tokenizer, unet=tiny_unet(channels), scheduler=scheduler, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def tiny_sdxl():
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(0)
    tokenizer = clip_tokenizer()
    config = clip_text_config(tokenizer)
    unet = tiny_unet(
        4, cross_attention_dim=64, addition_embed_type="text_time", addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2), projection_class_embeddings_input_dim=80,
    )  # fmt: skip
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1,
        timestep_spacing="leading",
    )  # fmt: skip
    pipe = StableDiffusionXLPipeline(
        vae=tiny_vae(), text_encoder=CLIPTextModel(config).eval(),
        text_encoder_2=CLIPTextModelWithProjection(config).eval(), tokenizer=tokenizer,
        tokenizer_2=clip_tokenizer(), unet=unet, scheduler=scheduler, add_watermarker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def pytest_collection_modifyitems(items):
    """diffusers' schedulers read torch tensors in a way that numpy 2 warns of."""
    for item in items:
        if "backends/diffusion" in item.path.as_posix():
            item.add_marker(pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"))


@pytest.fixture(scope="session")
def sd():
    """An ordinary base: StableDiffusionPipeline, 4 channels, autoencoder of factor 8."""
    return tiny_sd(4)


@pytest.fixture(scope="session")
def sd_inpaint():
    """An inpainting base, 9 channels."""
    return tiny_sd(9)


@pytest.fixture(scope="session")
def ip2p():
    """InstructPix2Pix, 8 channels."""
    return tiny_sd(8)


@pytest.fixture(scope="session")
def sdxl():
    """SDXL with two text encoders."""
    return tiny_sdxl()


@pytest.fixture(scope="session")
def controlnets():
    """Two ControlNets with effects: for the region map, and for inpainting."""
    return tiny_controlnet(1), tiny_controlnet(2)


@pytest.fixture
def own(request):
    """Copies a session's pipeline, so that a test may change it."""
    return copy.deepcopy


@pytest.fixture(scope="session")
def sd_folder(sd, tmp_path_factory):
    """The ordinary base as a local folder."""
    folder = tmp_path_factory.mktemp("models") / "tiny-sd"
    sd.save_pretrained(folder)
    return folder


def t5():
    """A text network of the T5 kind with its tokenizer, of pieces that need no file."""
    from transformers import T5Config, T5EncoderModel, T5TokenizerFast

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(c, -3.0) for c in "abcdefghijklmnopqrstuvwxyz,"]
    tokenizer = T5TokenizerFast(vocab=pieces)
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return T5EncoderModel(config).eval(), tokenizer


def _flux(kind, channels, out=None):
    import diffusers
    from transformers import CLIPTextModel

    text, tokens = t5()
    tokenizer = clip_tokenizer()
    torch.manual_seed(0)
    transformer = diffusers.FluxTransformer2DModel(
        patch_size=1, in_channels=channels, out_channels=out, num_layers=1, num_single_layers=1,
        attention_head_dim=16, num_attention_heads=2, joint_attention_dim=32,
        pooled_projection_dim=32, axes_dims_rope=[4, 4, 8], guidance_embeds=True,
    ).eval()  # fmt: skip
    vae = tiny_vae(1)
    vae.register_to_config(shift_factor=0.0, scaling_factor=1.0)
    pipe = getattr(diffusers, kind)(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=vae,
        text_encoder=CLIPTextModel(clip_text_config(tokenizer)).eval(), tokenizer=tokenizer,
        text_encoder_2=text, tokenizer_2=tokens, transformer=transformer,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="session")
def flux_fill():
    """FLUX Fill: sees the mask and the picture with a hole."""
    return _flux("FluxFillPipeline", 8 * 1 + 4 * 8**2, 4)


@pytest.fixture(scope="session")
def flux():
    """FLUX: makes pictures of words alone."""
    return _flux("FluxPipeline", 4)


@pytest.fixture(scope="session")
def kontext():
    """FLUX Kontext: is told what to do."""
    return _flux("FluxKontextPipeline", 4)


def qwen_tokenizer():
    """Letters alone, and the marks of a prompt with a picture."""
    from transformers import Qwen2Tokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    marks += ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    vocab = {token: i for i, token in enumerate([*sorted(bytes_to_unicode().values()), *marks])}
    return Qwen2Tokenizer(
        vocab=vocab, merges=[], additional_special_tokens=marks, pad_token=marks[0],
        eos_token=marks[2],
    )  # fmt: skip


def qwen_reader(tokenizer):
    """A text network that is shown a picture."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    number = tokenizer.convert_tokens_to_ids
    text = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": len(tokenizer),
        "rope_parameters": {
            "mrope_section": [1, 1, 2], "rope_type": "default", "rope_theta": 10000.0,
        },
        "bos_token_id": number("<|endoftext|>"), "pad_token_id": number("<|endoftext|>"),
        "eos_token_id": number("<|im_end|>"),
    }  # fmt: skip
    vision = {
        "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2,
        "out_hidden_size": 16, "fullatt_block_indexes": [0],
    }  # fmt: skip
    config = Qwen2_5_VLConfig(
        text_config=text, vision_config=vision, image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"), vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
    )  # fmt: skip
    return Qwen2_5_VLForConditionalGeneration(config).eval()


@pytest.fixture(scope="session")
def qwen():
    """Qwen-Image-Edit: is told what to do, and shown the picture; it always works on 1024²."""
    import diffusers
    from transformers import Qwen2VLImageProcessor, Qwen2VLProcessor, Qwen2VLVideoProcessor

    tokenizer = qwen_tokenizer()
    images = Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=56 * 56)
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKLQwenImage(
        base_dim=4, z_dim=4, dim_mult=[1] * 6, num_res_blocks=1,
        temperal_downsample=[False, False, False, True, True], latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    ).eval()  # fmt: skip
    transformer = diffusers.QwenImageTransformer2DModel(
        patch_size=2, in_channels=16, out_channels=4, num_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=16, axes_dims_rope=(8, 4, 4),
    ).eval()  # fmt: skip
    pipe = diffusers.QwenImageEditPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=vae,
        text_encoder=qwen_reader(tokenizer), tokenizer=tokenizer, transformer=transformer,
        processor=Qwen2VLProcessor(images, tokenizer, Qwen2VLVideoProcessor()),
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="session")
def sd3():
    """SD 3 without its largest text network."""
    import diffusers
    from transformers import CLIPTextModelWithProjection

    tokenizer = clip_tokenizer()
    config = clip_text_config(tokenizer)
    torch.manual_seed(0)
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=8, patch_size=1, in_channels=16, num_layers=1, attention_head_dim=8,
        num_attention_heads=4, joint_attention_dim=64, caption_projection_dim=32,
        pooled_projection_dim=64, out_channels=16,
    ).eval()  # fmt: skip
    vae = tiny_vae(16)
    vae.register_to_config(shift_factor=0.0, scaling_factor=1.0)
    pipe = diffusers.StableDiffusion3Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=vae, transformer=transformer,
        text_encoder=CLIPTextModelWithProjection(config).eval(), tokenizer=tokenizer,
        text_encoder_2=CLIPTextModelWithProjection(config).eval(), tokenizer_2=clip_tokenizer(),
        text_encoder_3=None, tokenizer_3=None,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe
