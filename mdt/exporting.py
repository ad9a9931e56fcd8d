"""`mdt export` of a run whose network draws no pictures: the network as a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mdt import codec
from mdt.config import load
from mdt.data import Source
from mdt.data.batches import Row, read_rows
from mdt.files import check_output, written_beside
from mdt.models import Autoencoder
from mdt.parts import open_data
from mdt.runs import Run, open_weights
from mdt.settings import TrainSettings

_NUM_MEASURED, _AT_A_TIME = 256, 16


def export_network(folder: str | Path, out: str | Path, *, overwrite: bool = False) -> str:
    """Write the newest averaged weights of a run by `save_pretrained`; returns what was written.

    An autoencoder's scale and shift are measured first, on up to 256 pictures of the run's data.

    Raises:
        ValueError: no run, no checkpoint yet, pictures that are gone, or an output that cannot be
            written.
    """
    check_output(out, overwrite=overwrite)
    run = Run(folder)
    place = run.newest()
    network: Any = open_weights(place)
    millions = sum(p.numel() for p in network.parameters()) / 1e6
    told = f"{type(network).__name__}, {millions:.1f} million parameters, config and safetensors"
    if isinstance(network, Autoencoder):
        data = load(TrainSettings, place / "settings.yaml").data
        shift, scale = measure(network, open_data(data, None, "", 1))
        network.register_to_config(shift_factor=shift, scaling_factor=scale)
        told += f"; a VAE for --vae and vae=, whose latents are scaled by {scale:g}"
    with written_beside(out, overwrite=overwrite) as new:
        network.save_pretrained(str(new))
    return f"{told}."


def measure(vae: Any, source: Source) -> tuple[float, float]:
    """(shift, scale) that bring the latents of these pictures to no mean and unit variance."""
    step = max(1, len(source) // _NUM_MEASURED)
    numbers = range(0, len(source), step)[:_NUM_MEASURED]
    vae.register_to_config(shift_factor=0.0, scaling_factor=1.0)
    latents = torch.cat(list(_latents(vae, source, numbers))).double()
    return round(float(latents.mean()), 4), round(1 / float(latents.std()), 4)


@torch.no_grad()
def _latents(vae: Any, source: Source, numbers: range) -> Iterator[Tensor]:
    parts = [numbers[i : i + _AT_A_TIME] for i in range(0, len(numbers), _AT_A_TIME)]
    for x, _ in read_rows(source, [[Row(number) for number in part] for part in parts]):
        yield codec.encode(x, vae)
