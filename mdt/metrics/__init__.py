"""How far two sets of pictures are apart, from their features; pure functions in float64."""

from mdt.metrics.distances import (
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
)
from mdt.metrics.measures import METRICS, Metric
from mdt.metrics.moments import Moments
from mdt.metrics.statistics import Statistics, check_comparable

__all__ = [
    "METRICS",
    "Metric",
    "Moments",
    "Statistics",
    "check_comparable",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "precision_recall",
]
