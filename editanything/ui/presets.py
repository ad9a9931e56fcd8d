"""The presets that there are: what each is made of, which files it needs, and which are here."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from editanything.captions import CAPTIONERS
from editanything.errors import InputError
from editanything.preset import HOMES, load_preset

#: A repository of the hub, with "@revision" behind it where it is not the usual one.
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?")
#: Licences of models by how their hub names begin, as their pages say; look there before use.
LICENCES = {
    "stable-diffusion-v1-5/": "CreativeML OpenRAIL-M",
    "stabilityai/stable-diffusion-2": "CreativeML OpenRAIL++-M",
    "sd2-community/": "CreativeML OpenRAIL++-M",
    "stabilityai/stable-diffusion-xl": "CreativeML OpenRAIL++-M",
    "diffusers/stable-diffusion-xl": "CreativeML OpenRAIL++-M",
    "stabilityai/stable-diffusion-3": "Stability AI Community",
    "black-forest-labs/": "FLUX.1 [dev] Non-Commercial",
    "Qwen/": "Apache-2.0",
    "facebook/sam3": "SAM License",
    "facebook/sam": "Apache-2.0",
    "IDEA-Research/grounding-dino": "Apache-2.0",
    "google/owlv2": "Apache-2.0",
    "lllyasviel/": "CreativeML OpenRAIL-M",
    "Salesforce/blip2-opt": "MIT; its language model OPT under Meta's own licence",
}
#: Files of repositories that this package never opens; some hold the same weights three times.
_NEVER_READ = ("*.bin", "*.ckpt", "*.pt", "*.msgpack", "*.h5", "*.onnx*")
_HOMES = {**HOMES, "captioner": ("editanything.captions", "CAPTIONERS")}
ELSEWHERE = "see its page on the hub"
OURS = "Apache-2.0 (this package)"


@dataclass(frozen=True)
class Need:
    """A model's files.

    Attributes:
        name: of the hub, or a folder.
        here: whether they are in the hub's local cache, or the folder is there.
        licence: as far as it is known.
    """

    name: str
    here: bool
    licence: str


@dataclass(frozen=True)
class PresetCard:
    """A preset as it is shown.

    Attributes:
        parts: its segmenter, grounder and backends, by name.
        needs: files that do not ship with the package.
        trouble: why it cannot be opened here; "" if it can.
    """

    name: str
    about: str
    parts: tuple[str, ...]
    needs: tuple[Need, ...]
    trouble: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the models whose files are not here."""
        return tuple(need.name for need in self.needs if not need.here)

    def said(self) -> str:
        """In a sentence, whether it can be used now."""
        if self.trouble:
            return self.trouble
        if self.missing:
            return f"Missing here: {', '.join(self.missing)}. Get with: {self.command}"
        return "Ready."

    @property
    def command(self) -> str:
        """What downloads the files that are missing; one model a call."""
        calls = (name.replace("@", " --revision ") for name in self.missing)
        spared = "".join(f' --exclude "{pattern}"' for pattern in _NEVER_READ)
        return " && ".join(f"hf download {one}{spared}" for one in calls)


def preset_names() -> list[str]:
    """Names of the shipped presets, the default one first."""
    from mdt.config import config_folder

    found = sorted(path.stem for path in (config_folder() / "edit").glob("*.yaml"))
    return sorted(found, key=lambda name: name != "default")


def preset_card(name: str, overrides: Mapping[str, Any] | None = None) -> PresetCard:
    """What a preset is made of and needs, with some settings replaced.

    Raises:
        InputError: there is none.
    """
    preset = load_preset(name, overrides or {})
    given = [("segmenter", preset.segmenter), ("grounder", preset.grounder)]
    given += [("backend", backend) for backend in preset.backends]
    given += [("captioner", one) for backend in preset.backends if (one := _captioner(backend))]
    names = [one for kind, settings in given for one in _models(kind, settings)]
    trouble = next(filter(None, (_trouble(kind, settings) for kind, settings in given)), "")
    needs = tuple(Need(one, _is_here(one), _licence(one)) for one in dict.fromkeys(names))
    parts = tuple(str(settings.get("name")) for kind, settings in given if kind != "captioner")
    return PresetCard(name, preset.about, parts, needs, trouble)


@cache
def hardware() -> str:
    """What this machine computes on, in words."""
    import torch

    if not torch.cuda.is_available():
        return "No CUDA GPU here: presets that need one run on the CPU, if at all, very slowly."
    memory = torch.cuda.get_device_properties(0).total_memory / 2**30
    return f"{torch.cuda.get_device_name(0)} with {memory:.0f} GB."


def _models(kind: str, settings: dict[str, Any]) -> Iterator[str]:
    """Hub names and folders among the settings of a part, or its default model."""
    for key, value in settings.items():
        if key == "name":
            continue
        yield from (text for text in _texts(value) if _HUB_ID.fullmatch(text))
    if "model" not in settings:
        standard = _parameters(kind, settings).get("model")
        text = getattr(standard, "default", None)
        if isinstance(text, str) and _HUB_ID.fullmatch(text):
            yield text


def _captioner(backend: Mapping[str, Any]) -> dict[str, Any] | None:
    """The settings of what words pictures for a backend; None where nothing does."""
    told = backend.get("caption")
    if isinstance(told, Mapping):
        return dict(told)
    return {"name": told} if isinstance(told, str) and told in CAPTIONERS else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _parameters(kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    place, _, member = _target(kind, settings).partition(":")
    try:
        module = import_module(place)
        found = dict(inspect.signature(getattr(module, member)).parameters)
        if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in found.values()):
            # A function that hands its options on to the class of its name.
            alike = {name.lower(): value for name, value in vars(module).items()}
            behind = alike.get(member.replace("_", "").lower())
            found |= dict(inspect.signature(behind).parameters) if behind else {}
    except (ImportError, AttributeError, ValueError, TypeError):
        return {}
    return found


def _target(kind: str, settings: dict[str, Any]) -> str:
    module, attribute = _HOMES[kind]
    known: dict[str, str] = getattr(import_module(module), attribute)
    name = str(settings.get("name"))
    return known.get(name, name)


def _trouble(kind: str, settings: dict[str, Any]) -> str:
    """Why a part cannot be made here; no file is opened for it."""
    module, _, member = _target(kind, settings).partition(":")
    try:
        getattr(import_module(module), member)
    except (ImportError, AttributeError, ValueError) as error:
        return f"The {kind} {settings.get('name')!r} cannot be loaded: {error}."
    return ""


def _is_here(name: str) -> bool:
    if Path(name).is_dir():
        return True
    from huggingface_hub.constants import HF_HUB_CACHE

    repository, _, revision = name.partition("@")
    root = Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    if revision:  # a branch has a file that names its snapshot, a commit is one
        return (root / "refs" / revision).is_file() or (root / "snapshots" / revision).is_dir()
    snapshots = root / "snapshots"
    return snapshots.is_dir() and any(snapshots.iterdir())


def _licence(name: str) -> str:
    return next((text for start, text in LICENCES.items() if name.startswith(start)), ELSEWHERE)


def checked_name(name: str) -> str:
    """`name`, if it is a shipped preset's; a path would let a client read files and run code.

    Raises:
        InputError: if it is none.
    """
    if name not in preset_names():
        raise InputError(f"There is no preset {name!r}; there are: {', '.join(preset_names())}.")
    return name
