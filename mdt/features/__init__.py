"""Feature networks: pictures -> what is in them, as numbers that sets of pictures are compared by.

`FEATURES` is what `mdt evaluate --features` may say, beside `package.module:Attr` of one's own.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from mdt.features.base import FeatureNetwork, Features
from mdt.features.convnet import ConvNet, open_convnet

__all__ = [
    "FEATURES",
    "ConvNet",
    "FeatureNetwork",
    "Features",
    "open_convnet",
    "open_features",
]


def _cifar(weights: str | Path | None) -> FeatureNetwork:
    if weights is not None:
        raise ValueError(f"The features 'cifar' bring their weights; leave out {weights}.")
    return open_convnet("features-cifar")


def _convnet(weights: str | Path | None) -> FeatureNetwork:
    if weights is None:
        raise ValueError(
            "The features 'convnet' are those of a network of your own training (python -m "
            "mdt.features.train): name its .safetensors with --weights."
        )
    return open_convnet(Path(weights).stem, Path(weights).parent)


def _inception(weights: str | Path | None) -> FeatureNetwork:
    from mdt.features.inception import open_inception

    return open_inception(weights)


FEATURES: dict[str, Callable[[str | Path | None], FeatureNetwork]] = {
    "cifar": _cifar,
    "convnet": _convnet,
    "inception": _inception,
}


def open_features(name: str = "cifar", weights: str | Path | None = None) -> FeatureNetwork:
    """A feature network by its name in `FEATURES`, or by `package.module:Attr`.

    Args:
        name: one's own `Attr` is called without arguments, or with `weights` where it is given,
            and returns a `FeatureNetwork`.
        weights: file of the weights, for those that do not ship with the package.

    Raises:
        ValueError: unknown name, or weights that are missing, damaged or another network's.
    """
    if name in FEATURES:
        return FEATURES[name](weights)
    if ":" not in name:
        near = difflib.get_close_matches(name, FEATURES, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(FEATURES)}."
        raise ValueError(f"There are no features {name!r}; {hint}")
    module, _, member = name.partition(":")
    try:
        make: Any = getattr(import_module(module), member)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"The features {name!r} cannot be loaded: {error}.") from None
    network = make() if weights is None else make(weights)
    missing = [part for part in ("name", "sha256", "prepare") if not hasattr(network, part)]
    if missing or not callable(network):
        raise ValueError(
            f"The features {name!r} are no feature network: they lack "
            f"{', '.join(missing) or 'a call'} (see mdt.features.FeatureNetwork)."
        )
    return network
