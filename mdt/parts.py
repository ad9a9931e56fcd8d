"""What a training run is made of, built from its settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from mdt import models
from mdt.config import ConfigError
from mdt.data import CACHED, Source, open_source
from mdt.diffusion.objective import Objective, make_objective, settings_of
from mdt.ema import Ema
from mdt.models import Network, build_model
from mdt.models.autoencoder import AutoencoderObjective
from mdt.models.segmenter_objective import SegmenterObjective
from mdt.models.words import WordsObjective
from mdt.naming import imported
from mdt.optim import OPTIMIZERS, SCHEDULES, make_schedule
from mdt.parallel import put, shard
from mdt.runs import Run, draws_pictures, open_weights
from mdt.settings import DataSettings, TrainSettings

#: Objectives of networks that are no denoisers.
OTHER_OBJECTIVES: dict[str, Callable[..., Any]] = {
    "autoencoder": AutoencoderObjective,
    "segmenter": SegmenterObjective,
    "words": WordsObjective,
}


def objective_of(told: dict[str, Any]) -> Any:
    """The objective that settings name.

    Raises:
        ValueError: an unknown name or setting.
    """
    name = told["name"]
    kind = imported(name) if ":" in name else OTHER_OBJECTIVES.get(name)
    if kind is None:
        return make_objective(**told)
    try:
        return kind(**{key: v for key, v in told.items() if key != "name"})
    except TypeError as error:
        raise ConfigError(f"The objective {name}: {str(error).split('() ')[-1]}.") from None


def named_settings(told: dict[str, Any]) -> dict[str, Any]:
    """The settings of a denoiser's objective, by `settings_of`; of another one, as they are."""
    other = told["name"] in OTHER_OBJECTIVES or ":" in told["name"]
    return told if other else settings_of(**told)


class Parts(NamedTuple):
    """A run's parts; `model` is the network as the processes share it."""

    source: Source
    network: Network
    model: nn.Module
    vae: Any  # that decodes what the network draws
    encoder: Any  # that encodes the pictures of a batch; None: they are what the network takes
    objective: Objective | AutoencoderObjective | WordsObjective
    optimizer: torch.optim.Optimizer
    peak: float  # the learning rate that the schedule multiplies
    rate: Callable[[float], float]
    ema: Ema


def open_data(data: DataSettings, input_size: Any, vae: str, factor: int) -> Source:
    """The pictures that `data` names.

    Args:
        data: of the settings.
        input_size: of the network, where the settings say it.
        vae: folder of the VAE; "": none.
        factor: pixels to a latent.

    Raises:
        ValueError: no path, no pictures, or settings that do not fit.
    """
    if not data.path:
        raise ConfigError("Say where the pictures are: data.path=FOLDER.")
    more = {**({} if data.labels else {"labels": False}), **data.settings}
    if data.name in CACHED:
        more["vae"] = vae or None
    else:
        size = data.size or _pixels(input_size, factor)
        if size is None:
            raise ConfigError("Say how large the pictures shall be: data.size=PIXELS.")
        more["size"] = size
    return open_source(data.name, data.path, **more)


def _pixels(input_size: Any, factor: int) -> Any:
    if input_size is None:
        return None
    if isinstance(input_size, int):
        return input_size * factor
    return tuple(int(side) * factor for side in input_size)


def build_network(settings: TrainSettings, source: Source, shape: tuple[int, int, int]) -> Network:
    """The network with fresh weights, drawn from the seed; its sizes are the data's.

    Args:
        settings: of the run.
        source: whose labels it learns.
        shape: (C, h, w) of what it works on.

    Raises:
        ConfigError: settings that do not fit the data.
    """
    told = dict(settings.model)
    name = str(told.pop("name"))
    classes = len(source.classes) if source.classes else None
    if told.get("mask_channel"):
        shape = ((shape[0] - 1) // 2, *shape[1:])  # the picture, what is known, and where
    if told.get("num_classes", classes) != classes and told.get("text_dims") is None:
        has = "no labels" if classes is None else f"{classes} classes"
        raise ConfigError(
            f"model.num_classes is {told['num_classes']}, but the data has {has}; leave it out to "
            "take what the data has."
        )
    if told.get("in_channels", shape[0]) != shape[0]:
        raise ConfigError(
            f"model.in_channels is {told['in_channels']}, but the data has {shape[0]}; leave it "
            "out to take what the data has."
        )
    size = shape[1] if shape[1] == shape[2] else list(shape[1:])
    known = models.settings_of(name)
    asked = named_settings(settings.objective)
    told = {"input_size": size, **told, "num_classes": classes, "in_channels": shape[0]}
    if asked.get("mask_ratio") is None:
        told.setdefault("maskable", False)  # parts that only the masked pass needs never learn
    if asked.get("schedule") == "flow":
        told.setdefault("learn_sigma", False)  # a variance belongs to discrete times
    # What the data or the objective says, where the network has such a setting.
    implied = {"input_size", "num_classes", "in_channels", "maskable", "learn_sigma"}
    told = {
        key: value
        for key, value in told.items()
        if key in known or key not in implied or key in settings.model
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = build_model(name, **told)
    masked = getattr(network, "has_masked_pass", hasattr(network, "num_tokens"))
    if asked.get("mask_ratio") is not None and not masked:
        raise ConfigError(
            f"The objective {settings.objective['name']} hides tokens, and {name} has no masked "
            "pass: set objective.mask_ratio=null, or take a model that has one, MDT v1 or v2."
        )
    return network


def build(settings: TrainSettings, accelerator: Any) -> Parts:
    """All parts of a run, on this process's device.

    Raises:
        ValueError: settings that cannot be used.
    """
    from mdt import codec
    from mdt.convert import open_vae
    from mdt.schedulers import scheduler_of

    if draws_pictures(settings):
        scheduler_of(settings.objective)  # a run that nothing could sample ends here
    vae = open_vae(settings.vae).to(accelerator.device) if settings.vae else None
    factor = codec.pixels_per_latent(vae)
    source = open_data(settings.data, settings.model.get("input_size"), settings.vae, factor)
    channels, height, width = source.shape
    encoder: Any = None if settings.data.name in CACHED else vae
    if encoder is not None:
        channels, height, width = encoder.config.latent_channels, height // factor, width // factor
    network = build_network(settings, source, (channels, height, width))
    if settings.init:
        _start_from(network, Path(settings.init))
    objective = objective_of(settings.objective)
    if settings.checkpointing:
        network.enable_gradient_checkpointing()
    network.to(accelerator.device).train()
    if settings.compile:
        network.compile(backend=settings.compile)
    if settings.sharding:
        _check_processes(accelerator)
        shard(network, network.depth_blocks())
        optimizer, peak = make_optimizer(settings.optimizer, network)
        model: nn.Module = network
    else:
        optimizer, peak = make_optimizer(settings.optimizer, network)
        model, optimizer = accelerator.prepare(network, optimizer)
        optimizer = optimizer.optimizer
    ema = Ema(network, settings.ema.widths, settings.ema.decays)
    rate = make_rate(settings)
    return Parts(source, network, model, vae, encoder, objective, optimizer, peak, rate, ema)


def make_optimizer(told: dict[str, Any], model: nn.Module) -> tuple[torch.optim.Optimizer, float]:
    """(optimizer, peak learning rate).

    Raises:
        ConfigError: an unknown name or setting, or no lr.
    """
    from mdt.diffusion.schedule import nearest

    more: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in told.items()}
    name = str(more.pop("name"))
    if name not in OPTIMIZERS:
        raise ConfigError(f"There is no optimizer {name!r}{nearest(name, OPTIMIZERS)}")
    usual = {k: p.default for k, p in inspect.signature(OPTIMIZERS[name]).parameters.items()}
    known = [key for key in usual if key != "params"]
    for key, value in more.items():
        if key not in known:
            raise ConfigError(f"The optimizer {name} has no setting {key!r}{nearest(key, known)}")
        if type(usual[key]) in (int, float) and type(value) not in (int, float, type(None)):
            raise ConfigError(f"optimizer.{key} is a number; got {value!r}.")
    if more.get("lr") is None:
        raise ConfigError("The optimizer needs a learning rate: optimizer.lr=1e-3.")
    params = [p for p in model.parameters() if p.requires_grad]
    try:
        return OPTIMIZERS[name](params, **more), float(more["lr"])
    except (TypeError, IndexError):  # torch's own look at numbers and no further
        came = ", ".join(f"{key}={value}" for key, value in more.items())
        raise ConfigError(f"The optimizer {name} cannot work with {came}.") from None


def make_rate(settings: TrainSettings) -> Callable[[float], float]:
    """Step -> factor of the peak learning rate."""
    told = dict(settings.schedule)
    name = str(told.pop("name"))
    function = SCHEDULES.get(name)
    if function is not None and "total_steps" in inspect.signature(function).parameters:
        told.setdefault("total_steps", settings.steps)
    return make_schedule(name, **told)


def _start_from(network: Network, folder: Path) -> None:
    """Take the weights of a run (its first average) or of a model's folder."""
    from mdt.convert import open_model, open_segmenter, open_vae, open_word_regions

    run = Run(folder)
    steps = run.steps()
    if steps:
        other = open_weights(run.place(steps[-1]))
    elif isinstance(network, models.Autoencoder):
        other = open_vae(folder)
    elif isinstance(network, models.Segmenter):
        other = open_segmenter(folder)
    elif isinstance(network, models.WordRegions):
        other = open_word_regions(folder)
    else:
        other = open_model(folder)
    put(network.state_dict(), other.state_dict(), f"init={folder}")


def _check_processes(accelerator: Any) -> None:
    if accelerator.num_processes == 1:
        raise ConfigError(
            "sharding=fsdp2 cuts the weights over several processes, and this run has one; launch "
            "it with accelerate launch (GPUs) or torchrun (CPUs), or leave sharding out."
        )
