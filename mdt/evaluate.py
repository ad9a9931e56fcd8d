"""`mdt evaluate`: how far samples are from a reference, by features of both."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

# The rest is imported where it is used: `mdt --help` reads the options below without torch.
from mdt import options

if TYPE_CHECKING:
    from mdt.features import FeatureNetwork
    from mdt.features.counting import Pictures
    from mdt.metrics import Statistics


def evaluate(
    samples: Pictures,
    reference: Pictures | None = None,
    *,
    features: str | FeatureNetwork = "cifar",
    metrics: Sequence[str] | None = None,
    **settings: Any,
) -> dict[str, float]:
    """Scores of samples against a reference, by name.

    Args:
        samples: a folder of pictures, "folder:PATH" or another kind of data and its path, an .npz
            of pictures (arr_0, as ADM writes) or of statistics, uint8 (N, H, W, 3), or a source.
        reference: the same; None: only what reads the samples alone.
        features: a name (see `mdt.features.open_features`), or a network.
        metrics: names in `mdt.metrics.METRICS`; None: all that there is the material for.
        settings: of `Counting`.

    Raises:
        ValueError: names, pictures or statistics that cannot be used, or do not fit each other.
    """
    from mdt.features import open_features
    from mdt.features.counting import Counting, count

    network = open_features(features) if isinstance(features, str) else features
    how = Counting(network, keep=_keep(metrics), **settings)
    counted = count(samples, how), None if reference is None else count(reference, how)
    return compare(*counted, metrics, how.accelerator)


def compare(
    samples: Statistics | None,
    reference: Statistics | None,
    metrics: Sequence[str] | None = None,
    accelerator: Any = None,
) -> dict[str, float]:
    """Scores by name, on every process; the first one has the statistics and computes.

    Raises:
        ValueError: statistics that do not fit each other or lack what a metric needs.
    """
    if accelerator is None or accelerator.num_processes == 1:
        assert samples is not None
        return _scores(samples, reference, metrics)
    from accelerate.utils import broadcast_object_list

    told: list[Any] = [None, None]
    if samples is not None:
        try:
            told[0] = _scores(samples, reference, metrics)
        except ValueError as error:  # the others wait for an answer, whatever it is
            told[1] = str(error)
    broadcast_object_list(told)
    if told[1] is not None:
        raise ValueError(told[1])
    return told[0]


def _scores(
    samples: Statistics, reference: Statistics | None, names: Sequence[str] | None
) -> dict[str, float]:
    from mdt.metrics import METRICS, check_comparable

    if reference is not None:
        check_comparable(samples, reference)
    both = [samples] if reference is None else [samples, reference]
    if names is None:
        arrays = [part.arrays() for part in both]
        names = [
            name
            for name, metric in METRICS.items()
            if all(key in part for key in metric.keep for part in arrays[: 1 + metric.compares])
            and not (metric.compares and reference is None)
        ]
    scores: dict[str, float] = {}
    for name in names:
        if METRICS[name].compares and reference is None:
            raise ValueError(f"The metric {name!r} compares samples with a REFERENCE; name one.")
        scores |= METRICS[name].run(samples, reference or samples)
    return scores


def _keep(metrics: Sequence[str] | None) -> frozenset[str]:
    from mdt.features.counting import EVERYTHING
    from mdt.metrics import METRICS

    if metrics is None:
        return EVERYTHING
    check_metrics(metrics)
    return frozenset(name for metric in metrics for name in METRICS[metric].keep)


def check_metrics(names: Sequence[str]) -> list[str]:
    """The names, if there are such metrics.

    Raises:
        ValueError: an unknown name, or none.
    """
    from mdt.metrics import METRICS

    for name in names:
        if name not in METRICS:
            raise ValueError(f"There is no metric {name!r}; there are: {', '.join(METRICS)}.")
    if not names:
        raise ValueError(f"Name a metric; there are: {', '.join(METRICS)}.")
    return list(names)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `mdt evaluate`."""
    kinds = "folder, kind:PATH of data (as in training) or .npz of pictures"
    parser.add_argument("samples", metavar="SAMPLES", help=kinds)
    parser.add_argument(
        "reference", metavar="REFERENCE", nargs="?", help="the same, or an .npz of statistics"
    )
    parser.add_argument(
        "--features",
        default="cifar",
        metavar="F",
        help="cifar, convnet, inception, or package.module:Attr (cifar)",
    )
    parser.add_argument(
        "--weights", metavar="FILE", help="of the features, for convnet and inception"
    )
    parser.add_argument(
        "--metrics",
        type=_names,
        metavar="M,...",
        help="frechet,sfid,kid,precision,is (all that there is the material for)",
    )
    parser.add_argument(
        "--batch", type=options.from_1, default=64, metavar="N", help="at a time (64)"
    )
    parser.add_argument(
        "--size", type=options.from_1, metavar="N", help="crop all pictures to NxN first"
    )
    parser.add_argument(
        "--workers",
        type=options.from_0,
        default=0,
        metavar="N",
        help="processes that read pictures (0)",
    )
    parser.add_argument(
        "--save-statistics",
        metavar="FILE",
        help="write what was counted of REFERENCE (of SAMPLES, alone), to be a REFERENCE later",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE")


def run(arguments: argparse.Namespace) -> None:
    """Print a table, then one JSON line; on the first process alone.

    Raises:
        ValueError: see `evaluate`.
    """
    from mdt.features import open_features
    from mdt.features.counting import Counting, count
    from mdt.files import check_output
    from mdt.launch import make_accelerator, part
    from mdt.metrics.statistics import check_statistics_name

    metrics, saved = arguments.metrics, arguments.save_statistics
    if saved is not None:
        check_statistics_name(saved)
        check_output(saved, overwrite=arguments.overwrite)
    accelerator = make_accelerator()
    how = Counting(
        open_features(arguments.features, arguments.weights),
        keep=_keep(metrics),
        batch=arguments.batch,
        size=arguments.size,
        workers=arguments.workers,
        accelerator=accelerator,
        bar=sys.stderr.isatty(),
    )
    samples = count(arguments.samples, how)
    reference = None if arguments.reference is None else count(arguments.reference, how)
    scores = compare(samples, reference, metrics, accelerator)
    part()
    if samples is None:
        return
    if saved is not None:
        (reference or samples).save(saved, overwrite=arguments.overwrite)
    _print(samples, reference, scores)


def _print(samples: Statistics, reference: Statistics | None, scores: dict[str, float]) -> None:
    about: dict[str, Any] = {
        "samples": samples.source,
        "num_samples": samples.count,
        "reference": None if reference is None else reference.source,
        "num_reference": None if reference is None else reference.count,
        "features": samples.network,
        "sha256": samples.sha256,
    }
    for name, value in (about | scores).items():
        if value is not None:
            print(f"{name:14} {f'{value:.6g}' if isinstance(value, float) else value}")  # noqa: T201
    print(json.dumps(about | scores))  # noqa: T201


def _names(text: str) -> list[str]:
    try:
        return check_metrics([part.strip() for part in text.split(",") if part.strip()])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None
