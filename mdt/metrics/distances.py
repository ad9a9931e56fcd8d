"""The distances themselves, each from features (n, d) or their moments, with where it is from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import xlogy

#: Rows of a matrix of distances that are in memory at once.
_BLOCK = 1024


def frechet_distance(
    mean1: np.ndarray, cov1: np.ndarray, mean2: np.ndarray, cov2: np.ndarray
) -> float:
    """Squared Fréchet distance of two Gaussians (Dowson & Landau 1982; FID: arXiv:1706.08500).

    |m1 - m2|² + tr C1 + tr C2 - 2 tr (C1^½ C2 C1^½)^½, where the last trace is the sum of the
    singular values of C1^½ C2^½: both roots come from `eigh`, so the result is real and finite
    for covariances of any rank. A plain `sqrtm(C1 @ C2)` is not, and its error depends on BLAS.

    Args:
        mean1: (d,).
        cov1: (d, d), symmetric.
        mean2: of the others.
        cov2: of the others.

    Raises:
        ValueError: sizes that differ.
    """
    if mean1.shape != mean2.shape or cov1.shape != cov2.shape:
        raise ValueError(
            f"Features of {len(mean1)} and of {len(mean2)} values cannot be compared; both sets "
            "of pictures must go through one feature network."
        )
    apart = np.asarray(mean1, np.float64) - np.asarray(mean2, np.float64)
    shared = np.linalg.svd(_root(cov1) @ _root(cov2), compute_uv=False).sum()
    distance = apart @ apart + np.trace(cov1) + np.trace(cov2) - 2 * shared
    return max(float(distance), 0.0)


def kernel_distance(
    x: np.ndarray, y: np.ndarray, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Squared MMD with the kernel (x·y/d + 1)³, unbiased (KID: arXiv:1801.01401), and its error.

    Args:
        x: features (n, d).
        y: features (m, d).
        subsets: how many pairs of subsets are drawn.
        subset_size: rows of a subset, n or m where these are smaller.
        seed: of the draw.

    Returns:
        The mean over the subsets, and its standard error. Subsets of one set overlap: the error
        counts only as many of them as fit into the smaller set side by side. It is right where the
        distributions differ, and up to (n / subset_size)^½ times too large where they are equal.

    Raises:
        ValueError: sizes that do not fit.
    """
    size = min(len(x), len(y), subset_size)
    if size < 2 or x.shape[1] != y.shape[1]:
        raise ValueError(
            f"The kernel distance takes 2 pictures or more on either side, with features of one "
            f"network; got features of shape {x.shape} and {y.shape}."
        )
    draw = np.random.default_rng(seed)
    found = np.empty(subsets)
    for i in range(subsets):
        a = x[draw.choice(len(x), size, replace=False)].astype(np.float64)
        b = y[draw.choice(len(y), size, replace=False)].astype(np.float64)
        found[i] = _unbiased_mmd(a, b)
    independent = max(1, min(subsets, min(len(x), len(y)) // size))
    return float(found.mean()), float(found.std(ddof=1 if subsets > 1 else 0) / independent**0.5)


def precision_recall(
    samples: np.ndarray, reference: np.ndarray, *, k: int = 3
) -> tuple[float, float]:
    """Improved precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991, eq. 1 and 2).

    Precision: the share of samples that lie in a ball around some reference picture that reaches
    to its k-th neighbour; recall: with the two sets exchanged.

    Args:
        samples: features (n, d).
        reference: features (m, d).
        k: which neighbour.

    Raises:
        ValueError: sets of k pictures or fewer.
    """
    if min(len(samples), len(reference)) <= k:
        raise ValueError(
            f"Precision and recall take more than {k} pictures on either side; got {len(samples)} "
            f"and {len(reference)}."
        )
    samples, reference = np.asarray(samples, np.float64), np.asarray(reference, np.float64)
    reach, reach_back = _radii(reference, k), _radii(samples, k)
    inside = np.zeros(len(samples), dtype=bool)
    covered = np.zeros(len(reference), dtype=bool)
    for rows, distances in _squared_distances(samples, reference):
        inside[rows] = (distances <= reach).any(1)
        covered |= (distances <= reach_back[rows, None]).any(0)
    return float(inside.mean()), float(covered.mean())


def inception_score(probabilities: np.ndarray, *, splits: int = 10) -> tuple[float, float]:
    """The Inception score, exp E KL(p(class | picture) | p(class)) (arXiv:1606.03498).

    Args:
        probabilities: (n, classes), rows that sum to 1.
        splits: parts that are scored alone. Pictures are shuffled first, always alike, so that
            neither pictures in order of class nor classes in turn do harm.

    Returns:
        Mean and standard deviation over the parts.

    Raises:
        ValueError: fewer pictures than parts.
    """
    if len(probabilities) < splits:
        raise ValueError(
            f"The Inception score takes {splits} pictures or more; got {len(probabilities)}."
        )
    p = np.asarray(probabilities, np.float64)
    p = p[np.random.default_rng(0).permutation(len(p))]
    scores = []
    for i in range(splits):
        part, mean = p[i::splits], p[i::splits].mean(0)
        divergence = xlogy(part, part).sum(1).mean() - xlogy(mean, mean).sum()
        scores.append(np.exp(divergence))
    return float(np.mean(scores)), float(np.std(scores))


def _root(cov: np.ndarray) -> np.ndarray:
    """The symmetric square root; rounding's negative eigenvalues count as 0."""
    cov = np.asarray(cov, np.float64)
    values, vectors = np.linalg.eigh((cov + cov.T) / 2)
    root: np.ndarray = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root


def _unbiased_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Gretton et al. 2012, eq. 3, for sets of equal size n."""
    n, d = x.shape
    within = (x @ x.T / d + 1) ** 3, (y @ y.T / d + 1) ** 3
    across = (x @ y.T / d + 1) ** 3
    off_diagonal = sum(float(k.sum() - np.trace(k)) for k in within)
    return off_diagonal / (n * (n - 1)) - 2 * float(across.mean())


def _radii(rows: np.ndarray, k: int) -> np.ndarray:
    """Squared distance (n,) of every row to its k-th neighbour."""
    found = np.empty(len(rows))
    for part, distances in _squared_distances(rows, rows):
        # A row is its own nearest; by rounding it may stand at 1e-14 instead of 0.
        distances[np.arange(len(distances)), np.arange(len(rows))[part]] = -1.0
        found[part] = np.partition(distances, k, axis=1)[:, k]
    return found


def _squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows of x, distances (rows, m)), block by block."""
    lengths = (y * y).sum(1)
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(x)))
        part = x[rows]
        found = (part * part).sum(1)[:, None] + lengths - 2 * (part @ y.T)
        yield rows, np.maximum(found, 0.0, out=found)
