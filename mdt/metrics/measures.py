"""Metrics by name: what each needs to be kept of the pictures, and what it makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mdt.metrics.distances import (
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
)
from mdt.metrics.statistics import Statistics

Scores = dict[str, float]


@dataclass(frozen=True)
class Metric:
    """A metric of samples against a reference.

    `keep` names the arrays of `Statistics` that it reads beside mean and covariance; `run` gives
    its scores by name. Without `compares` it reads the samples alone, given twice.
    """

    keep: tuple[str, ...]
    run: Callable[[Statistics, Statistics], Scores]
    compares: bool = True


def _frechet(samples: Statistics, reference: Statistics) -> Scores:
    moments = samples.mean, samples.cov, reference.mean, reference.cov
    return {"frechet": frechet_distance(*moments)}


def _sfid(samples: Statistics, reference: Statistics) -> Scores:
    names = "spatial_mean", "spatial_cov"
    moments = [_had(part, name) for part in (samples, reference) for name in names]
    return {"sfid": frechet_distance(*moments)}


def _kid(samples: Statistics, reference: Statistics) -> Scores:
    value, error = kernel_distance(_had(samples, "pooled"), _had(reference, "pooled"))
    return {"kid": value, "kid_error": error}


def _precision(samples: Statistics, reference: Statistics) -> Scores:
    found = precision_recall(_had(samples, "pooled"), _had(reference, "pooled"))
    return {"precision": found[0], "recall": found[1]}


def _is(samples: Statistics, _: Statistics) -> Scores:
    value, spread = inception_score(_had(samples, "probabilities"))
    return {"is": value, "is_std": spread}


def _had(statistics: Statistics, name: str) -> np.ndarray:
    found: np.ndarray | None = getattr(statistics, name)
    if found is None:
        raise ValueError(
            f"The statistics of {statistics.source} hold no {name.replace('_', ' ')}: save them "
            "anew with the metrics that you ask for, or leave those out."
        )
    return found


METRICS: dict[str, Metric] = {
    "frechet": Metric((), _frechet),
    "sfid": Metric(("spatial_mean", "spatial_cov"), _sfid),
    "kid": Metric(("pooled",), _kid),
    "precision": Metric(("pooled",), _precision),
    "is": Metric(("probabilities",), _is, compares=False),
}
