"""Pictures -> features -> statistics, on one process or many, with the same result.

The values depend neither on the number of processes (features are gathered in order of picture
number) nor on the batch (the network sees blocks of one size).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mdt.data import Source
from mdt.features.base import FeatureNetwork
from mdt.features.pictures import open_pictures
from mdt.metrics import METRICS, Moments, Statistics
from mdt.metrics.statistics import is_statistics

Pictures = str | Path | np.ndarray | Source | Statistics
#: All that a metric may ask to be kept.
EVERYTHING = frozenset(name for metric in METRICS.values() for name in metric.keep)


@dataclass(frozen=True)
class Counting:
    """How pictures are counted.

    Attributes:
        network: that gives the features.
        keep: which arrays of `Statistics` beside mean and covariance, of `EVERYTHING`.
        batch: pictures read at a time, on each process.
        size: side that pictures are filled and cropped to first, as in training; None: their own.
        workers: processes that read pictures, beside each process; 0: none.
        accelerator: of accelerate; None: this process alone.
        bar: whether to show progress, on stderr.
    """

    network: FeatureNetwork
    keep: frozenset[str] = EVERYTHING
    batch: int = 64
    size: int | None = None
    workers: int = 0
    accelerator: Any = None
    bar: bool = False

    @property
    def place(self) -> tuple[int, int]:
        """This process's number, and how many there are."""
        shared = self.accelerator
        return (0, 1) if shared is None else (shared.process_index, shared.num_processes)


def count(pictures: Pictures, how: Counting) -> Statistics | None:
    """Features of all pictures, as statistics; None on processes other than the first.

    Raises:
        ValueError: pictures that cannot be used.
    """
    if isinstance(pictures, str | Path) and is_statistics(pictures):
        pictures = Statistics.load(pictures)
    if isinstance(pictures, Statistics):
        return pictures if how.place[0] == 0 else None
    source, name = open_pictures(pictures, how.size)
    moments, spatial = Moments(), Moments()
    rows: dict[str, list[np.ndarray]] = {"pooled": [], "probabilities": []}
    for found in _features(source, how):
        moments.add(found["pooled"])
        if "spatial" in found:
            spatial.add(found["spatial"])
        for key, value in found.items():
            if key in rows and key in how.keep:
                rows[key].append(value)
    if how.place[0] != 0:
        return None
    mean, cov = moments.result()
    statistics = Statistics(
        count=moments.count,
        network=how.network.name,
        sha256=how.network.sha256,
        source=name,
        size=source.shape[1:],
        mean=mean,
        cov=cov,
        **{key: np.concatenate(value) for key, value in rows.items() if value},
    )
    if spatial.count:
        mean, cov = spatial.result()
        statistics = replace(statistics, spatial_mean=mean, spatial_cov=cov)
    return statistics


class _Prepared(torch.utils.data.Dataset[Tensor]):
    """A source's pictures as the network takes them."""

    def __init__(self, source: Source, network: FeatureNetwork) -> None:
        self.source, self.prepare = source, network.prepare

    def __getitem__(self, index: int) -> Tensor:
        return self.prepare(self.source.read(index)[0])


#: Pictures that the network sees at a time.
NUM_ROWS = 16


@torch.no_grad()
def _features(source: Source, how: Counting) -> Iterator[dict[str, np.ndarray]]:
    """Features of all pictures in order, on every process; each computes its share of them.

    Batch b holds pictures [b * batch, (b + 1) * batch) and goes to process b % processes. The
    last ones are filled up with the last picture. The network sees `NUM_ROWS` pictures at a time,
    picture i in row i % NUM_ROWS, whatever the batch: kernels round alike for one shape alone.
    """
    rank, world = how.place
    total = len(source)
    batch = -(-min(how.batch, total) // NUM_ROWS) * NUM_ROWS
    rounds = -(-total // (batch * world))
    starts = [(i * world + rank) * batch for i in range(rounds)]
    mine = [[min(i, total - 1) for i in range(start, start + batch)] for start in starts]
    device = torch.device("cpu") if how.accelerator is None else how.accelerator.device
    network: Any = how.network
    if isinstance(network, torch.nn.Module):
        network = network.to(device).eval()
    loader = torch.utils.data.DataLoader(
        _Prepared(source, how.network),
        batch_sampler=mine,
        num_workers=how.workers,
        generator=torch.Generator(),  # else the loader draws from the global one
    )
    left = total
    for x in _with_bar(loader, how):
        # Full precision and one algorithm: features shall be the same tomorrow.
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            parts = [network(part.to(device)) for part in x.split(NUM_ROWS)]
        rows = {"pooled": torch.cat([part.pooled for part in parts])}
        if "spatial_mean" in how.keep and parts[0].spatial is not None:
            rows["spatial"] = torch.cat([part.spatial for part in parts])
        if "probabilities" in how.keep and parts[0].probabilities is not None:
            rows["probabilities"] = torch.cat([part.probabilities for part in parts])
        if how.accelerator is not None:
            rows = {key: how.accelerator.gather(value) for key, value in rows.items()}
        yield {key: value[:left].float().cpu().numpy() for key, value in rows.items()}
        left -= batch * world


def _with_bar(loader: Any, how: Counting) -> Any:
    from tqdm import tqdm

    hidden = not how.bar or how.place[0] != 0
    return tqdm(loader, unit="batch", disable=hidden, leave=False, file=sys.stderr)
