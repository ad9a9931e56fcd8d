"""Mean and covariance of a stream of features, the same however the stream is cut."""

from __future__ import annotations

import numpy as np

#: Rows that are summed at once: fixed, so that batch size and number of processes change no bit.
_BLOCK = 512
#: Count, mean (d,), and sum of squared deviations (d, d).
_Sums = tuple[int, np.ndarray, np.ndarray]


class Moments:
    """Running mean and covariance of rows, in float64.

    Rows are taken in blocks of fixed size, whatever the pieces that they come in, and blocks are
    joined by the pairwise formula of Chan, Golub & LeVeque (1983), which does not cancel when the
    mean is large.
    """

    def __init__(self) -> None:
        self._joined: _Sums | None = None
        self._waiting: list[np.ndarray] = []

    def add(self, rows: np.ndarray) -> None:
        """Count (n, d) more rows.

        Raises:
            ValueError: another width than before, or values that are not finite.
        """
        rows = np.asarray(rows, dtype=np.float64)
        if rows.ndim != 2 or (self._waiting and rows.shape[1:] != self._waiting[0].shape[1:]):
            raise ValueError(f"Features are rows (n, d) of one width; got shape {rows.shape}.")
        if not np.isfinite(rows).all():
            raise ValueError("The feature network gave values that are not finite.")
        waiting = np.concatenate([*self._waiting, rows])
        while len(waiting) >= _BLOCK:
            self._joined = _join(self._joined, waiting[:_BLOCK])
            waiting = waiting[_BLOCK:]
        self._waiting = [waiting]

    @property
    def count(self) -> int:
        """How many rows came."""
        before = 0 if self._joined is None else self._joined[0]
        return before + sum(len(rows) for rows in self._waiting)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean (d,) and unbiased covariance (d, d); more rows may follow.

        Raises:
            ValueError: of fewer than two rows.
        """
        if self.count < 2:
            raise ValueError(f"A covariance takes at least 2 pictures; got {self.count}.")
        whole = self._joined
        for rows in self._waiting:
            whole = _join(whole, rows)
        assert whole is not None
        count, mean, scatter = whole
        return mean, scatter / (count - 1)


def _join(joined: _Sums | None, rows: np.ndarray) -> _Sums | None:
    if not len(rows):
        return joined
    mean = rows.mean(0)
    scatter = (rows - mean).T @ (rows - mean)
    if joined is None:
        return len(rows), mean, scatter
    count, old_mean, old_scatter = joined
    total, apart = count + len(rows), mean - old_mean
    spread = np.outer(apart, apart) * (count * len(rows) / total)
    return total, old_mean + apart * (len(rows) / total), old_scatter + scatter + spread
