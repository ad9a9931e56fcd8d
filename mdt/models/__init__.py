"""The networks, by name: `build_model("mdtv2_s2", input_size=32, num_classes=10)`."""

from __future__ import annotations

import difflib
import inspect
from typing import Any

# diffusers looks for this name beside a class, to know how a pipeline's part is loaded.
from diffusers.models.modeling_utils import ModelMixin  # noqa: F401

from mdt.models.autoencoder import Autoencoder as Autoencoder  # opened by its name
from mdt.models.conditioning import Text, drop_label
from mdt.models.dit import DiT
from mdt.models.masking import draw_kept
from mdt.models.mdtv1 import MDTv1
from mdt.models.mdtv2 import MDTv2
from mdt.models.network import Network
from mdt.models.segmenter import Segmenter as Segmenter  # opened by its name
from mdt.models.skips import probe_norms
from mdt.models.unet import UNet
from mdt.models.uvit import UViT
from mdt.models.words import WordRegions as WordRegions
from mdt.naming import imported

__all__ = [
    "MODELS",
    "DiT",
    "MDTv1",
    "MDTv2",
    "Network",
    "Text",
    "UNet",
    "UViT",
    "build_model",
    "draw_kept",
    "drop_label",
    "probe_norms",
]


_DIT_SIZES: dict[str, dict[str, Any]] = {
    "s": {"hidden_size": 384, "depth": 12, "num_heads": 6},
    "b": {"hidden_size": 768, "depth": 12, "num_heads": 12},
    "l": {"hidden_size": 1024, "depth": 24, "num_heads": 16},
    "xl": {"hidden_size": 1152, "depth": 28, "num_heads": 16},
}
# U-ViT's own names for these are S, M, L and H.
_UVIT_SIZES: dict[str, dict[str, Any]] = {
    "s": {"hidden_size": 512, "depth": 12, "num_heads": 8},
    "b": {"hidden_size": 768, "depth": 16, "num_heads": 12},
    "l": {"hidden_size": 1024, "depth": 20, "num_heads": 16},
    "xl": {"hidden_size": 1152, "depth": 28, "num_heads": 16},
}
# MDTv2's decoder: 6 in the published recipe of S/2, 4 elsewhere.
_MDTV2_SIZES = {
    name: {**size, "decode_layers": 6 if name == "s" else 4} for name, size in _DIT_SIZES.items()
}
_FAMILIES: dict[str, tuple[type[Network], dict[str, dict[str, Any]]]] = {
    "mdt": (MDTv1, _DIT_SIZES),
    "mdtv2": (MDTv2, _MDTV2_SIZES),
    "dit": (DiT, _DIT_SIZES),
    "uvit": (UViT, _UVIT_SIZES),
}

#: name -> (class, settings that the name stands for)
MODELS: dict[str, tuple[type[Network], dict[str, Any]]] = {
    f"{family}_{size}{patch}": (network, {**settings, "patch_size": patch})
    for family, (network, sizes) in _FAMILIES.items()
    for size, settings in sizes.items()
    for patch in (2, 4, 8)
} | {
    "unet_s": (UNet, {"width": 128, "multipliers": (1, 2, 2)}),
    "unet_b": (UNet, {"width": 192, "multipliers": (1, 2, 3)}),
    "unet_l": (UNet, {"width": 256, "multipliers": (1, 2, 4)}),
}

#: The same for networks that are no denoisers.
OTHERS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "autoencoder": (Autoencoder, {}),
    "segmenter": (Segmenter, {}),
    "words": (WordRegions, {}),
}


def build_model(name: str, **settings: Any) -> Any:
    """A network with fresh weights.

    Args:
        name: a key of `MODELS`: mdt, mdtv2, dit or uvit with size s, b, l, xl and patch 2, 4, 8
            ("mdtv2_s2"), or unet_s, unet_b, unet_l; or autoencoder; or "package.module:Attr", a
            class or a function of your own that makes a `ModelMixin` of diffusers.
        settings: what to change: input_size, in_channels, num_classes, learn_sigma, text_dims,
            hidden_size, depth, num_heads, ... ; see the class of the family.

    Raises:
        ValueError: an unknown name or setting (names the nearest), or sizes that do not fit.
    """
    known = list(settings_of(name))
    network, preset = _entry(name)
    for key in settings:
        if key not in known:
            raise ValueError(f"{name} has no setting {key!r}{_nearest(key, known)}")
    return network(**{**preset, **settings})


def settings_of(name: str) -> tuple[str, ...]:
    """What may be set of a model.

    Raises:
        ValueError: an unknown name (names the nearest).
    """
    return tuple(inspect.signature(_entry(name)[0]).parameters)


def _entry(name: str) -> tuple[Any, dict[str, Any]]:
    """What makes the network, and the settings that the name stands for."""
    if ":" in name:
        return imported(name), {}
    if name not in MODELS | OTHERS:
        raise ValueError(f"There is no model {name!r}{_nearest(name, [*MODELS, *OTHERS])}")
    return (MODELS | OTHERS)[name]


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(str(name).lower().replace("-", "_"), known, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    shown = known if len(known) < 20 else [*known[:4], "...", *known[-3:]]
    return f"; there are: {', '.join(shown)}."
