"""Model settings -> a loaded pipeline: cached, locked, laid out for its device.

Whoever runs a loaded pipeline, or changes anything of it, holds its `lock` meanwhile.
"""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editanything.backends.diffusion.hindrances import told
from editanything.backends.diffusion.memory import Layout, memory_layout
from editanything.backends.diffusion.offloading import offload, offload_of
from editanything.backends.diffusion.settings import ATTENTIONS, ModelSettings
from editanything.backends.diffusion.weights import open_weights
from editanything.errors import InputError
from editanything.hub import only_here
from editanything.libraries import networks
from editanything.progress import Progress, report

if TYPE_CHECKING:
    import torch

__all__ = ["Loaded", "load"]

#: How many loaded pipelines are kept: a preset that is changed back and forth costs no reloading,
#: and memory does not fill up.
KEPT = 2


@dataclass(eq=False)
class Loaded:
    """A pipeline that is ready to run.

    Attributes:
        pipe: the pipeline of diffusers.
        controlnets: beside it, in the order of the settings.
        device: where it computes.
        dtype: of its weights.
        layout: where its weights lie.
        name: for messages.
        lock: held by whoever runs or changes it.
        adapters: what has been loaded into it (see `adapters.py`).
    """

    pipe: Any
    controlnets: tuple[Any, ...]
    device: torch.device
    dtype: torch.dtype
    layout: Layout
    name: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    adapters: dict[str, Any] = field(default_factory=dict)

    @property
    def unet(self) -> Any:
        """The UNet, or None where the pipeline has a transformer."""
        return getattr(self.pipe, "unet", None)


_cache: OrderedDict[tuple[Any, ...], tuple[ModelSettings, Loaded]] = OrderedDict()
_cache_lock = threading.Lock()


def load(settings: ModelSettings, progress: Progress | None = None) -> Loaded:
    """The pipeline of `settings`; the same settings give the same object.

    Raises:
        InputError: no such model, no network, no GPU, too little memory, a missing package; one
            sentence with the way out.
        Cancelled: the progress callback asked to stop.
    """
    with _cache_lock:
        key = settings.key()
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key][1]
        if len(_cache) >= KEPT:
            while len(_cache) >= KEPT:
                _cache.popitem(last=False)
            _give_back()
        loaded = _load(settings, progress)
        _cache[key] = settings, loaded  # the settings keep objects alive, and so their ids
        return loaded


def forget() -> None:
    """Let go of all loaded pipelines."""
    with _cache_lock:
        _cache.clear()
        _give_back()


def _give_back() -> None:
    """The memory of pipelines that were let go of, before the layout of the next is decided.

    Hooks and derived pipelines point back at what they belong to, so it does not come back by
    itself; and torch keeps a device's freed memory for its own next tensors.
    """
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _load(settings: ModelSettings, progress: Progress | None) -> Loaded:
    import torch

    name = _name(settings.model)
    given = not isinstance(settings.model, (str, Path))
    if given:
        pipe = settings.model
        if not hasattr(pipe, "components"):
            raise InputError(
                f"model is a hub id, a folder or a diffusers pipeline; got {type(pipe).__name__}."
            )
        device, dtype = _device_of(pipe, settings), _dtype_of(pipe)
        controlnets = _controlnets(settings, dtype, progress)
        kind = str(dtype).removeprefix("torch.")
        layout = memory_layout("cpu", num_weights=0, largest_weights=0, free_bytes=None, dtype=kind)
        layout = replace(layout, offload=offload_of(pipe))
        for net in controlnets:
            net.to(device)
    else:
        device = _device(settings.device)
        dtype = getattr(torch, _dtype_name(settings, device))
        report(progress, 0.0, f"loading {name}")
        pipe = _open_pipeline(settings, name, dtype)
        controlnets = _controlnets(settings, dtype, progress)
        layout = _laid_out(pipe, controlnets, device, settings)
        report(progress, 0.8, f"moving {name} to {device}")
        with told(name):
            _place(pipe, controlnets, device, layout)
    for part in (*pipe.components.values(), *controlnets):
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(False)
    _upcast_decoder(pipe)
    _set_attention(pipe, controlnets, settings.attention)
    pipe.set_progress_bar_config(disable=True)
    report(progress, 1.0, f"{name} is loaded")
    return Loaded(pipe, controlnets, device, dtype, layout, name)


def _name(model: Any) -> str:
    return str(model) if isinstance(model, (str, Path)) else type(model).__name__


def _device(asked: str) -> torch.device:
    import torch

    if asked == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(asked)
    except RuntimeError:
        raise InputError(f"There is no device {asked!r}; say auto, cpu, cuda or mps.") from None
    missing = (device.type == "cuda" and not torch.cuda.is_available()) or (
        device.type == "mps" and not torch.backends.mps.is_available()
    )
    if missing:
        raise InputError(
            f"There is no {asked} device on this machine: set device=cpu (slow), or run where "
            "there is a GPU."
        )
    return device


def _device_of(pipe: Any, settings: ModelSettings) -> torch.device:
    """Of a pipeline that is given: where it lies, unless a device is asked for."""
    import torch

    if settings.device != "auto":
        device = _device(settings.device)
        pipe.to(device)
        return device
    return torch.device(getattr(pipe, "_execution_device", pipe.device))


def _dtype_of(pipe: Any) -> torch.dtype:
    network = getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)
    if network is None:
        raise InputError(
            f"{type(pipe).__name__} has neither a UNet nor a transformer; give a pipeline that "
            "paints."
        )
    return network.dtype


def _dtype_name(settings: ModelSettings, device: torch.device) -> str:
    """What the memory layout will choose; it does not depend on the networks' sizes."""
    return memory_layout(
        str(device),
        num_weights=0,
        largest_weights=0,
        free_bytes=None,
        dtype=settings.dtype,
        bfloat16=_has_bfloat16(device),
    ).dtype


def _has_bfloat16(device: torch.device) -> bool:
    import torch

    return device.type != "cuda" or torch.cuda.get_device_capability(device)[0] >= 8


def _options(settings: ModelSettings, dtype: torch.dtype, name: str) -> dict[str, Any]:
    options: dict[str, Any] = {"dtype": dtype}
    return options | ({"local_files_only": True} if settings.local_only else only_here(name))


def _open_pipeline(settings: ModelSettings, name: str, dtype: torch.dtype) -> Any:
    networks()
    from diffusers import DiffusionPipeline

    options = _options(settings, dtype, name)
    options |= {k: v for k in ("variant", "revision") if (v := getattr(settings, k))}
    options |= dict.fromkeys(settings.skip)
    source = str(Path(name).expanduser()) if Path(name).expanduser().exists() else name
    with _quiet(), told(name):
        pipe = open_weights(DiffusionPipeline.from_pretrained, source, **options)
        if getattr(pipe, "safety_checker", None) is not None:
            pipe.register_modules(safety_checker=None)  # it paints black over what it dislikes
        return pipe


def _controlnets(
    settings: ModelSettings, dtype: torch.dtype, progress: Progress | None
) -> tuple[Any, ...]:
    from diffusers import ControlNetModel

    nets = []
    for i, given in enumerate(settings.controlnets):
        if not isinstance(given, (str, Path)):
            if not hasattr(given, "controlnet_down_blocks"):
                raise InputError(
                    "A ControlNet is a hub id, a folder or a ControlNetModel; got "
                    f"{type(given).__name__}."
                )
            nets.append(given)
            continue
        report(progress, 0.5 + 0.2 * i / len(settings.controlnets), f"loading {given}")
        name, _, revision = str(given).partition("@")
        if not revision or Path(str(given)).exists():
            name, revision = str(given), ""
        options = _options(settings, dtype, name) | ({"revision": revision} if revision else {})
        with _quiet(), told(name):
            nets.append(open_weights(ControlNetModel.from_pretrained, name, **options))
    return tuple(nets)


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of a library: `progress` tells the story."""
    import diffusers.utils.logging as ours
    import transformers.utils.logging as theirs

    shown = [bars for bars in (ours, theirs) if bars.is_progress_bar_enabled()]
    for bars in shown:
        bars.disable_progress_bar()
    try:
        yield
    finally:
        for bars in shown:
            bars.enable_progress_bar()


def _laid_out(
    pipe: Any, controlnets: Sequence[Any], device: torch.device, settings: ModelSettings
) -> Layout:
    import torch

    taking_turns = [
        _num_weights(part) for part in pipe.components.values() if isinstance(part, torch.nn.Module)
    ]
    resident = sum(_num_weights(net) for net in controlnets)  # see `_place`
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None
    return memory_layout(
        str(device),
        num_weights=sum(taking_turns) + resident,
        largest_weights=max(taking_turns, default=0),
        resident_weights=resident,
        free_bytes=free,
        dtype=settings.dtype,
        offload=settings.offload,
        bfloat16=_has_bfloat16(device),
    )


def _num_weights(network: Any) -> int:
    return sum(weight.numel() for weight in network.parameters())


def _place(pipe: Any, controlnets: Sequence[Any], device: torch.device, layout: Layout) -> None:
    vae = getattr(pipe, "vae", None)
    if vae is not None and layout.slicing and hasattr(vae, "enable_slicing"):
        vae.enable_slicing()
    if vae is not None and layout.tiling and hasattr(vae, "enable_tiling"):
        vae.enable_tiling()
    if layout.offload == "none":
        pipe.to(device)
    offload(pipe, device, layout.offload)
    for net in controlnets:
        if layout.offload == "sequential":
            from accelerate import cpu_offload

            cpu_offload(net, device)
        else:
            net.to(device)  # called in every step beside the UNet: moving it would cost the most


def _upcast_decoder(pipe: Any) -> None:
    """SDXL's autoencoder overflows in float16: black pictures."""
    import torch

    vae = getattr(pipe, "vae", None)
    is_xl = getattr(pipe, "unet", None) is not None and hasattr(pipe, "text_encoder_2")
    if is_xl and vae is not None and vae.dtype == torch.float16 and vae.config.force_upcast:
        vae.to(torch.float32)


def _set_attention(pipe: Any, controlnets: Sequence[Any], name: str) -> None:
    """The attention kernel by name; a UNet knows torch's own and xformers'.

    Raises:
        InputError: a kernel that is not installed, or that the networks cannot use.
    """
    kernel = ATTENTIONS[name]
    if kernel is None:
        return
    unet = getattr(pipe, "unet", None)
    with told(f"attention={name}"):
        if unet is None:
            pipe.transformer.set_attention_backend(kernel)
        elif name == "xformers":
            for part in (unet, *controlnets):
                part.enable_xformers_memory_efficient_attention()
        elif name != "sdpa":
            raise InputError(
                f"attention={name} is for transformers; a UNet takes auto, sdpa or xformers."
            )
