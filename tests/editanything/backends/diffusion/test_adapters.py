"""LoRAs, learned words and IP-Adapters go in and come out again, bit for bit."""

import copy

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from editanything.backends.diffusion.adapters import set_embeddings, set_ip_adapter, set_loras
from editanything.backends.diffusion.backend import Diffusion
from editanything.backends.diffusion.loading import load
from editanything.backends.diffusion.options import Adapter
from editanything.backends.diffusion.prompts import encode
from editanything.backends.diffusion.settings import ModelSettings
from editanything.errors import InputError
from editanything.types import Task

RANK, ALPHA = 2, 1.0
BLOCK = "down_blocks.1.attentions.0.transformer_blocks.0.attn1"


@pytest.fixture(scope="module")
def pipe(sd):
    """A copy, so that nothing of the session's is changed."""
    return copy.deepcopy(sd)


@pytest.fixture(scope="module")
def factors():
    draw = torch.Generator().manual_seed(0)
    down = torch.randn(RANK, 64, generator=draw) * 0.3
    up = torch.randn(64, RANK, generator=draw) * 0.3
    return down, up


@pytest.fixture(scope="module")
def kohya(factors, tmp_path_factory):
    """A LoRA of one layer of the UNet and one of the text network, as kohya's trainer writes it."""
    down, up = factors
    layer = "lora_unet_" + f"{BLOCK}.to_q".replace(".", "_")
    draw = torch.Generator().manual_seed(1)
    tensors = {
        f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up,
        f"{layer}.alpha": torch.tensor(ALPHA),
    }  # fmt: skip
    for part in ("q", "k", "v", "out"):
        text = f"lora_te_text_model_encoder_layers_0_self_attn_{part}_proj"
        tensors |= {
            f"{text}.lora_down.weight": torch.randn(RANK, 32, generator=draw),
            f"{text}.lora_up.weight": torch.randn(32, RANK, generator=draw),
            f"{text}.alpha": torch.tensor(ALPHA),
        }
    path = tmp_path_factory.mktemp("loras") / "girl.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


def _task(**more):
    draw = np.random.default_rng(0)
    area = np.zeros((64, 64), bool)
    area[16:48, 16:48] = True
    return Task(
        op="redraw", image=draw.integers(0, 256, (64, 64, 3), dtype=np.uint8), target=area,
        area=area, params={"prompt": "a red dog", "kind": "thing"}, seed=1, what="", **more,
    )  # fmt: skip


def _painted(pipe, **options):
    return Diffusion(pipe, size=64, steps=2, **options).paint(_task()).image


def test_p16_a_kohya_lora_is_the_merge_by_hand_and_comes_out_again(pipe, kohya, factors):
    down, up = factors
    weight = 0.5
    loaded = load(ModelSettings(pipe))
    layer = pipe.unet.get_submodule(f"{BLOCK}.to_q")
    own = layer.weight.clone()
    tokens = torch.randn(1, 5, 64, generator=torch.Generator().manual_seed(2))
    plain = layer(tokens)
    set_loras(loaded, [Adapter(str(kohya), weight)])
    steered = pipe.unet.get_submodule(f"{BLOCK}.to_q")(tokens)
    merged = tokens @ (own + weight * ALPHA / RANK * up @ down).T
    assert torch.allclose(steered, merged, atol=1e-5)
    set_loras(loaded, [Adapter(str(kohya), 0.25)])  # only the weight changes: nothing is loaded
    halved = pipe.unet.get_submodule(f"{BLOCK}.to_q")(tokens)
    assert torch.allclose(halved - plain, (merged - plain) / 2, atol=1e-5)
    set_loras(loaded, [])
    after = pipe.unet.get_submodule(f"{BLOCK}.to_q")
    assert torch.equal(after.weight, own)
    assert torch.equal(after(tokens), plain)


def test_p16_lora_in_an_edit_and_the_next_edit_is_as_before(pipe, kohya):
    before = _painted(pipe)
    with_it = _painted(pipe, loras=[{"model": str(kohya), "weight": 1.0}])
    assert not np.array_equal(with_it, before)
    two = [{"model": str(kohya), "weight": 0.5}, {"model": str(kohya), "weight": 0.5}]
    twice = _painted(pipe, loras=two)
    assert np.abs(twice.astype(int) - with_it).max() <= 1  # two halves are one whole
    none = _painted(pipe, loras=[{"model": str(kohya), "weight": 0.0}])
    assert np.array_equal(none, before)
    assert np.array_equal(_painted(pipe), before)


@pytest.mark.parametrize("vectors", [1, 3])
def test_p23_a_learned_word_is_loaded_read_and_taken_out(pipe, vectors, tmp_path):
    draw = torch.Generator().manual_seed(3)
    learned = torch.randn(vectors, 32, generator=draw)
    save_file({"<new-obj>": learned}, tmp_path / "word.safetensors")
    loaded = load(ModelSettings(pipe))
    size = len(pipe.tokenizer)
    before = encode(loaded, "a red dog").positive
    set_embeddings(loaded, [Adapter(str(tmp_path / "word.safetensors"), token="<new-obj>")])
    assert len(pipe.tokenizer) == size + vectors
    table = pipe.text_encoder.get_input_embeddings().weight
    assert torch.equal(table[size : size + vectors], learned)
    assert torch.equal(encode(loaded, "a red dog").positive, before)
    assert not torch.equal(encode(loaded, "a <new-obj> dog").positive, before)
    set_embeddings(loaded, [])
    assert len(pipe.tokenizer) == size
    assert torch.equal(encode(loaded, "a red dog").positive, before)


@pytest.mark.parametrize(
    ("adapter", "told"),
    [
        ("no/such/file.safetensors", "no folder"),
        ("word.pt", "pickle"),
        (17, "hub id, a folder or a file"),
    ],
)
def test_what_is_no_adapter_is_told(pipe, adapter, told):
    for change in (set_loras, set_embeddings):
        with pytest.raises(InputError, match=told):
            change(load(ModelSettings(pipe)), [Adapter(adapter)])


def test_a_lora_of_another_network_is_told_and_nothing_stays(pipe, tmp_path):
    save_file({"nothing.of.it": torch.zeros(2)}, tmp_path / "other.safetensors")
    before = _painted(pipe)
    with pytest.raises(InputError):
        _painted(pipe, loras=[str(tmp_path / "other.safetensors")])
    assert np.array_equal(_painted(pipe), before)


@pytest.fixture(scope="module")
def ip_adapter(tmp_path_factory, sd):
    """Tiny weights of an IP-Adapter with its image network, as a folder."""
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(4)
    tensors = {
        "image_proj.proj.weight": torch.randn(4 * 32, 16) * 0.2,
        "image_proj.proj.bias": torch.zeros(4 * 32),
        "image_proj.norm.weight": torch.ones(32), "image_proj.norm.bias": torch.zeros(32),
    }  # fmt: skip
    number = 1
    for name, layer in sd.unet.named_modules():
        if name.endswith("attn2"):
            for part in ("to_k", "to_v"):
                like = layer.get_submodule(part).weight
                tensors[f"ip_adapter.{number}.{part}_ip.weight"] = torch.randn_like(like) * 0.3
            number += 2
    folder = tmp_path_factory.mktemp("ip")
    save_file(tensors, folder / "ip-adapter.safetensors")
    vision = CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=32, intermediate_size=37, num_hidden_layers=1, num_attention_heads=4,
            image_size=32, patch_size=8, projection_dim=16,
        )
    )  # fmt: skip
    vision.save_pretrained(folder / "image_encoder")
    sizes = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    CLIPImageProcessor(**sizes).save_pretrained(folder / "image_encoder")
    return folder


def test_an_ip_adapter_goes_by_its_picture_and_comes_out_again(sd, ip_adapter):
    pipe = copy.deepcopy(sd)
    before = _painted(pipe)
    draw = np.random.default_rng(5)
    one, other = draw.integers(0, 256, (2, 40, 50, 3), dtype=np.uint8)
    adapter = {"model": str(ip_adapter), "weight": 1.0}
    by_one = _painted(pipe, ip_adapter=adapter | {"image": one})
    by_other = _painted(pipe, ip_adapter=adapter | {"image": other})
    assert not np.array_equal(by_one, before)
    assert not np.array_equal(by_one, by_other)
    assert np.array_equal(
        _painted(pipe, ip_adapter=adapter | {"image": one, "weight": 0.0}), before
    )
    with pytest.raises(InputError, match="no picture to go by"):
        _painted(pipe, ip_adapter=adapter)
    assert np.array_equal(_painted(pipe), before)


def _offloaded(pipe, kind):
    """Its networks take turns on the CPU, as on a GPU: whole, or as layers of meta tensors."""
    from accelerate import cpu_offload

    def by_layers(device):
        pipe.remove_all_hooks()
        for part in pipe.components.values():
            if isinstance(part, torch.nn.Module):
                # diffusers asks for cpu:0, and accelerate loses its way between that and cpu.
                cpu_offload(part, torch.device(device.type), offload_buffers=True)

    if kind == "sequential":
        pipe.enable_sequential_cpu_offload = by_layers
        by_layers(torch.device("cpu"))
    else:
        pipe.enable_model_cpu_offload(device="cpu")
    return pipe


@pytest.mark.parametrize("kind", ["model", "sequential"])
@pytest.mark.parametrize("what", ["ip_adapter", "lora", "word"])
def test_an_offloaded_pipeline_takes_them_too(sd, ip_adapter, kohya, what, kind, tmp_path):
    draw = torch.Generator().manual_seed(3)
    save_file({"dog": torch.randn(1, 32, generator=draw)}, tmp_path / "word.safetensors")
    picture = np.random.default_rng(5).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    options = {
        "ip_adapter": {"ip_adapter": {"model": str(ip_adapter), "image": picture}},
        "lora": {"loras": [{"model": str(kohya)}]},
        "word": {"embeddings": [{"model": str(tmp_path / "word.safetensors"), "token": "quality"}]},
    }[what]
    whole, pipe = copy.deepcopy(sd), _offloaded(copy.deepcopy(sd), kind)
    assert load(ModelSettings(pipe)).layout.offload == kind
    expected, before = _painted(whole, **options), _painted(pipe)
    assert np.array_equal(_painted(pipe, **options), expected)
    assert not np.array_equal(expected, before)
    assert np.array_equal(_painted(pipe), before)
    assert load(ModelSettings(pipe)).layout.offload == kind


@pytest.mark.parametrize("kind", ["model", "sequential"])
def test_the_image_network_of_an_ip_adapter_takes_turns_with_the_others(sd, ip_adapter, kind):
    pipe = _offloaded(copy.deepcopy(sd), kind)
    set_ip_adapter(load(ModelSettings(pipe)), Adapter(str(ip_adapter)))
    hooks = {type(part._hf_hook) for part in (pipe.unet, pipe.image_encoder, pipe.vae)}
    assert len(hooks) == 1
    assert pipe.unet.device.type == ("meta" if kind == "sequential" else "cpu")
