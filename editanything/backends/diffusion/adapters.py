"""What goes into a loaded pipeline and comes out again: LoRAs, learned words, IP-Adapters.

The networks are shared by all that were loaded from the same settings: before each run, under the
lock, they are brought to what that run asks for. Files are safetensors only.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editanything.backends.diffusion.hindrances import told
from editanything.backends.diffusion.offloading import at_rest
from editanything.backends.diffusion.options import Adapter
from editanything.errors import InputError

if TYPE_CHECKING:
    from editanything.backends.diffusion.loading import Loaded

_LORAS, _WORDS, _IMAGES = "loras", "embeddings", "ip_adapter"


def set_loras(loaded: Loaded, loras: Sequence[Adapter]) -> None:
    """Bring the networks to these LoRAs, of our own trainers, diffusers' or kohya's files.

    Raises:
        InputError: a file that is missing, of another kind, or the package peft.
    """
    pipe = loaded.pipe
    have: tuple[Adapter, ...] = loaded.adapters.get(_LORAS, ())
    wanted = tuple(loras)
    if [_source(one) for one in have] != [_source(one) for one in wanted]:
        with at_rest(loaded):
            if have:
                pipe.unload_lora_weights()
            loaded.adapters[_LORAS] = ()
            try:
                for i, lora in enumerate(wanted):
                    _load_lora(loaded, lora, f"lora{i}")
            except InputError:
                if hasattr(pipe, "unload_lora_weights"):
                    pipe.unload_lora_weights()  # whatever part of it went in
                raise
    if wanted:
        pipe.set_adapters([f"lora{i}" for i in range(len(wanted))], [one.weight for one in wanted])
    loaded.adapters[_LORAS] = wanted


def _load_lora(loaded: Loaded, lora: Adapter, name: str) -> None:
    pipe = loaded.pipe
    _check(lora)
    with told(str(lora.model)), warnings.catch_warnings():
        # peft warns of several LoRAs in one network, which is what is asked for.
        warnings.filterwarnings("ignore", message="Already found a `peft_config`")
        _can(pipe, "load_lora_weights", "LoRAs")
        where, file = _where(lora)
        pipe.load_lora_weights(where, adapter_name=name, **_named(file))
        if name not in {one for names in pipe.get_list_adapters().values() for one in names}:
            raise InputError(f"{lora.model} has no weights for {loaded.name}.")


def set_embeddings(loaded: Loaded, embeddings: Sequence[Adapter]) -> None:
    """Bring the text networks to these learned words.

    Raises:
        InputError: a file that is missing or of another kind.
    """
    pipe = loaded.pipe
    have: tuple[Adapter, ...] = loaded.adapters.get(_WORDS, ())
    wanted = tuple(embeddings)
    if have == wanted:
        return
    with at_rest(loaded):
        if have:
            pipe.unload_textual_inversion()
        loaded.adapters[_WORDS] = ()
        for i, word in enumerate(wanted):
            _load_word(pipe, word)
            loaded.adapters[_WORDS] = wanted[: i + 1]


def _load_word(pipe: Any, word: Adapter) -> None:
    _check(word)
    with told(str(word.model)):
        _can(pipe, "load_textual_inversion", "learned words")
        where, file = _where(word)
        source = str(Path(where) / file) if file and Path(where).is_dir() else where
        more = _named(file) if source == where else {}
        pipe.load_textual_inversion(source, token=word.token or None, use_safetensors=True, **more)


def set_ip_adapter(loaded: Loaded, adapter: Adapter | None) -> None:
    """Bring the UNet to this IP-Adapter, or to none.

    Raises:
        InputError: a file that is missing or of another kind.
    """
    pipe = loaded.pipe
    have: Adapter | None = loaded.adapters.get(_IMAGES)
    if have is not None and (adapter is None or _source(have) != _source(adapter)):
        with at_rest(loaded):
            pipe.unload_ip_adapter()
        loaded.adapters[_IMAGES] = have = None
    if adapter is None:
        return
    if have is None:
        _check(adapter)
        with told(str(adapter.model)), at_rest(loaded):
            _load_ip_adapter(loaded, adapter)
    pipe.set_ip_adapter_scale(adapter.weight)
    loaded.adapters[_IMAGES] = adapter


def _load_ip_adapter(loaded: Loaded, adapter: Adapter) -> None:
    pipe = loaded.pipe
    _can(pipe, "load_ip_adapter", "IP-Adapters")
    where, file = _where(adapter)
    folder, _, name = file.rpartition("/")
    pipe.load_ip_adapter(
        where, subfolder=folder, weight_name=name, image_encoder_folder="image_encoder"
    )
    # Networks that take turns on the device are brought there when they are asked.
    where_to = {"device": loaded.device} if loaded.layout.offload == "none" else {}
    for part in (pipe.unet, getattr(pipe, "image_encoder", None)):
        if part is not None:
            part.to(dtype=loaded.dtype, **where_to).eval()


def _source(adapter: Adapter) -> tuple[Any, str, str]:
    return adapter.model, adapter.file, adapter.token


def _can(pipe: Any, method: str, what: str) -> None:
    if not hasattr(pipe, method):
        raise InputError(f"{type(pipe).__name__} takes no {what}.")


def _check(adapter: Adapter) -> None:
    if not isinstance(adapter.model, (str, Path)):
        raise InputError(
            f"An adapter is a hub id, a folder or a file; got {type(adapter.model).__name__}."
        )
    for name in (str(adapter.model), adapter.file):
        suffix = Path(name).suffix.lower()
        if suffix in (".bin", ".pt", ".pth", ".ckpt"):
            raise InputError(
                f"{name} is a pickle, and only safetensors files are opened; convert it."
            )


def _where(adapter: Adapter) -> tuple[str, str]:
    """A folder or hub id, and a file in it; the only safetensors of a folder is meant."""
    path = Path(str(adapter.model)).expanduser()
    if path.is_file():
        return str(path.parent), path.name
    if path.is_dir() and not adapter.file:
        files = sorted(path.glob("*.safetensors"))
        if len(files) != 1:
            raise InputError(f"{path} holds {len(files)} safetensors files; say which as file=.")
        return str(path), files[0].name
    return (str(path) if path.is_dir() else str(adapter.model)), adapter.file


def _named(file: str) -> dict[str, str]:
    return {"weight_name": file} if file else {}
