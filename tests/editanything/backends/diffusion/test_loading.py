"""Settings -> a loaded pipeline, or one sentence with the way out."""

import gc
import shutil
import weakref

import pytest
import torch

from editanything.backends.diffusion.hindrances import enough_memory
from editanything.backends.diffusion.loading import _laid_out, forget, load
from editanything.backends.diffusion.memory import ROOM_BYTES, memory_layout
from editanything.backends.diffusion.settings import ModelSettings
from editanything.errors import Cancelled, InputError

G = 2**30


@pytest.fixture(autouse=True)
def _nothing_kept():
    forget()
    yield
    forget()


def test_a_folder_is_loaded_once_told_and_in_eval(sd_folder):
    heard = []
    settings = ModelSettings(str(sd_folder), device="cpu")
    loaded = load(settings, lambda share, what: heard.append((share, what)))
    assert load(ModelSettings(str(sd_folder), device="cpu")) is loaded
    assert loaded.dtype == torch.float32
    assert loaded.layout.offload == "none"
    assert not loaded.unet.training
    assert not loaded.pipe.vae.training
    assert [share for share, _ in heard] == sorted(share for share, _ in heard)
    assert "tiny-sd" in heard[0][1]
    assert heard[-1][0] == 1.0


def test_the_weights_are_those_of_the_file_and_half_precision_is_a_setting(sd, sd_folder):
    loaded = load(ModelSettings(sd_folder, device="cpu", dtype="bfloat16"))
    assert loaded.dtype == torch.bfloat16
    for name, weight in sd.unet.state_dict().items():
        assert torch.equal(loaded.unet.state_dict()[name], weight.to(torch.bfloat16)), name


@pytest.mark.parametrize(("have", "wanted"), [("fp16", ""), ("", "fp16")])
def test_files_of_another_precision_are_taken_where_those_wanted_are_missing(
    sd, controlnets, own, have, wanted, tmp_path, capfd
):
    """Stable Diffusion 1.5's inpainting files on the hub have safetensors of fp16 alone."""
    kept = own(sd).to(torch.float16)
    kept.save_pretrained(tmp_path / "base", variant=have or None)
    controlnets[0].save_pretrained(tmp_path / "net", variant=have or None)
    names = {path.name for path in (tmp_path / "base").rglob("*.safetensors")}
    assert all((".fp16." in name) == (have == "fp16") for name in names)
    capfd.readouterr()
    settings = ModelSettings(
        tmp_path / "base", controlnets=[str(tmp_path / "net")], device="cpu", variant=wanted
    )
    loaded = load(settings)
    assert loaded.dtype == loaded.pipe.text_encoder.dtype == torch.float32
    for name, weight in kept.unet.state_dict().items():
        assert torch.equal(loaded.unet.state_dict()[name], weight.float()), name
    assert torch.equal(loaded.controlnets[0].conv_in.weight, controlnets[0].conv_in.weight)
    assert capfd.readouterr().err == ""


def test_the_autoencoder_of_sdxl_is_kept_from_overflowing(sdxl, sd, own):
    for pipe, kept in ((own(sdxl), torch.float32), (own(sd), torch.float16)):
        loaded = load(ModelSettings(pipe.to(torch.float16)))
        assert loaded.dtype == torch.float16
        assert loaded.pipe.vae.dtype == kept


def test_a_pipeline_object_is_taken_as_it_is(sd, controlnets):
    loaded = load(ModelSettings(sd, controlnets=controlnets))
    assert loaded.pipe is sd
    assert loaded.controlnets == controlnets
    assert load(ModelSettings(sd, controlnets=controlnets)) is loaded
    assert load(ModelSettings(sd)) is not loaded


def test_p17_another_controlnet_of_a_folder(sd, controlnets, tmp_path):
    controlnets[0].save_pretrained(tmp_path / "regions")
    loaded = load(ModelSettings(sd, controlnets=[str(tmp_path / "regions")]))
    for name, weight in controlnets[0].state_dict().items():
        assert torch.equal(loaded.controlnets[0].state_dict()[name], weight)


def test_no_more_than_two_are_kept(sd, sd_inpaint, sdxl):
    first = load(ModelSettings(sd))
    load(ModelSettings(sd_inpaint))
    assert load(ModelSettings(sd)) is first
    load(ModelSettings(sdxl))
    load(ModelSettings(sd_inpaint))
    assert load(ModelSettings(sd)) is not first


def test_what_is_let_go_of_gives_its_memory_back_at_once(sd, sd_inpaint, sdxl, own):
    """Hooks of offloading point back at their networks, so that counting references is not enough.

    How much is free decides the layout of the next pipeline.
    """
    pipe = own(sd)
    pipe.enable_model_cpu_offload(device="cpu")
    network = weakref.ref(load(ModelSettings(pipe)).unet)
    load(ModelSettings(sd_inpaint))
    gc.disable()
    try:
        del pipe
        load(ModelSettings(sdxl))
        assert network() is None
        pipe = own(sd)
        pipe.enable_model_cpu_offload(device="cpu")
        network = weakref.ref(load(ModelSettings(pipe)).unet)
        del pipe
        forget()
        assert network() is None
    finally:
        gc.enable()


def test_freed_memory_goes_back_to_the_device(sd, monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    load(ModelSettings(sd))
    forget()
    assert emptied == [True]


def test_loading_can_be_cancelled_and_tried_again(sd_folder):
    with pytest.raises(Cancelled):
        load(ModelSettings(sd_folder), lambda share, what: False)
    assert load(ModelSettings(sd_folder))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model": "/no/such/folder"}, "no folder"),
        ({"model": "some-owner/some-model"}, "hf download some-owner/some-model"),
        ({"model": "some-owner/some-model", "device": "cuda:7"}, "device=cpu"),
        ({"model": 17}, "diffusers pipeline"),
        ({"model": " "}, "empty"),
        ({"model": "x/y", "dtype": "float8"}, "float16"),
        ({"model": "x/y", "attention": "magic"}, "xformers"),
        ({"model": "x/y", "offload": "disk"}, "sequential"),
    ],
)
def test_what_hinders_is_one_sentence_with_the_way_out(options, told, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    if options.get("device", "").startswith("cuda") and torch.cuda.is_available():
        options["device"] = "mps"
    with pytest.raises(InputError, match=told) as error:
        load(ModelSettings(**options))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_other_files_than_safetensors_are_refused(sd, tmp_path):
    folder = tmp_path / "pickled"
    sd.save_pretrained(folder)
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save(sd.unet.state_dict(), folder / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(InputError, match=r"no safetensors files \(in unet\)"):
        load(ModelSettings(folder))


def test_a_damaged_file_is_told(sd_folder, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(sd_folder, folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be opened") as error:
        load(ModelSettings(folder))
    assert "\n" not in str(error.value)


def test_a_controlnet_must_be_one(sd):
    with pytest.raises(InputError, match="ControlNetModel"):
        load(ModelSettings(sd, controlnets=(sd.vae,)))


@pytest.mark.parametrize("attention", ["math", "flex"])
def test_a_kernel_that_a_unet_cannot_use_is_told(sd, attention):
    with pytest.raises(InputError, match="auto, sdpa or xformers"):
        load(ModelSettings(sd, attention=attention))


def test_xformers_is_an_option(sd, own):
    """Without a GPU, or without the package, that is said; with both it is used."""
    pipe = own(sd)
    if torch.cuda.is_available():
        pipe.to("cuda")
    try:
        loaded = load(ModelSettings(pipe, attention="xformers"))
    except InputError as error:
        assert "attention=xformers" in str(error)
        assert "auto" in str(error)
    else:
        processors = loaded.unet.attn_processors.values()
        assert all("XFormers" in type(processor).__name__ for processor in processors)


def test_want_of_memory_is_told_and_nothing_else_is_hidden():
    with pytest.raises(InputError, match="offload=sequential"), enough_memory("sdxl"):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    with pytest.raises(RuntimeError, match="shape"), enough_memory("sdxl"):
        raise RuntimeError("shape mismatch")


@pytest.mark.parametrize(
    ("free", "total", "largest", "offload"),
    [(24 * G, 3 * G, 2 * G, "none"), (8 * G, 6 * G, 2 * G, "model"),
     (6 * G, 12 * G, 6 * G, "sequential"), (None, 3 * G, 3 * G, "none")],
)  # fmt: skip
def test_the_layout_follows_the_free_memory(free, total, largest, offload):
    told = {"num_weights": total, "largest_weights": largest, "free_bytes": free}
    layout = memory_layout("cuda", **told)
    # Two bytes a weight and three GiB to work in.
    small = memory_layout(
        "cuda:1", **told | {"num_weights": total // 2, "largest_weights": largest // 2}
    )
    assert layout.dtype == small.dtype == "bfloat16"
    assert small.offload == offload
    assert small.tiling == (free is not None and free < 12 * G)


@pytest.mark.parametrize(("free", "offload"), [(7 * G, "model"), (6 * G, "sequential")])
def test_networks_that_stay_on_the_device_count_beside_the_largest(free, offload):
    """Sizes like those of Stable Diffusion 1.5 with three ControlNets: 2 + 2 GiB, and 3 to work."""
    found = memory_layout(
        "cuda", num_weights=5 * G // 2, largest_weights=G, resident_weights=G, free_bytes=free
    )
    assert found.offload == offload


def test_controlnets_are_among_those_that_stay(sd, controlnets, monkeypatch):
    nets = controlnets[:1]
    least = sum(weight.numel() for part in (sd.unet, *nets) for weight in part.parameters())
    assert sd.unet.num_parameters() > controlnets[0].num_parameters()
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    for missing, offload in ((0, "model"), (1, "sequential")):
        free = 2 * least + ROOM_BYTES - missing
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, free))
        found = _laid_out(sd, nets, torch.device("cuda"), ModelSettings(sd))
        assert found.offload == offload


def test_the_layout_of_other_devices_and_of_older_gpus():
    sizes = {"num_weights": G, "largest_weights": G, "free_bytes": None}
    assert memory_layout("cpu", **sizes).dtype == "float32"
    assert memory_layout("mps", **sizes).dtype == "float16"
    assert memory_layout("cuda", **sizes, bfloat16=False).dtype == "float16"
    assert memory_layout("cuda", **sizes, offload="sequential").offload == "sequential"
    with pytest.raises(InputError, match="leave it at auto"):
        memory_layout("cpu", **sizes, offload="model")
