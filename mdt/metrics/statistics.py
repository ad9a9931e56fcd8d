"""What is kept of a set of pictures: moments, and rows where a metric needs them; as one file."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdt.files import written_beside

_ARRAYS = ("mean", "cov", "spatial_mean", "spatial_cov", "pooled", "probabilities")
_KIND = "mdt statistics 1"


@dataclass(frozen=True, eq=False)
class Statistics:
    """Features of `count` pictures, and what made them.

    Attributes:
        count: pictures.
        network: name of the feature network.
        sha256: of its weights.
        source: what the pictures are called, and the digest of what they are.
        size: (H, W) of the pictures before the feature network resized them.
        mean: (d,) of the pooled features.
        cov: (d, d) of the same, unbiased.
        spatial_mean: (s,) of the spatial features; None: not counted, as for those below.
        spatial_cov: (s, s).
        pooled: (n, d) float32, row i of picture i.
        probabilities: (n, classes) float32.
    """

    count: int
    network: str
    sha256: str
    source: str
    size: tuple[int, int]
    mean: np.ndarray
    cov: np.ndarray
    spatial_mean: np.ndarray | None = None
    spatial_cov: np.ndarray | None = None
    pooled: np.ndarray | None = None
    probabilities: np.ndarray | None = None

    def __post_init__(self) -> None:
        d = len(self.mean)
        fits = self.cov.shape == (d, d) and self.count > 1
        if self.pooled is not None:
            fits = fits and self.pooled.shape == (self.count, d)
        if self.probabilities is not None:
            fits = fits and len(self.probabilities) == self.count
        if self.spatial_mean is not None and self.spatial_cov is not None:
            fits = fits and self.spatial_cov.shape == 2 * self.spatial_mean.shape
        if not fits or not all(np.isfinite(a).all() for a in self.arrays().values()):
            raise ValueError("the arrays do not fit each other, or are not finite")

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that there are, by name."""
        all_ = {name: getattr(self, name) for name in _ARRAYS}
        return {name: value for name, value in all_.items() if value is not None}

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write all of it as one .npz file.

        Raises:
            ValueError: another ending, or the file is there and may not be replaced.
        """
        check_statistics_name(path)
        fields = dataclasses.fields(self)
        about = {f.name: getattr(self, f.name) for f in fields if f.name not in _ARRAYS}
        about_text = json.dumps({"kind": _KIND, **about})
        with written_beside(path, overwrite=overwrite) as new:
            np.savez(new, about=np.array(about_text), **self.arrays())  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | Path) -> Statistics:
        """Read what `save` wrote.

        Raises:
            ValueError: it cannot be read, or is something else.
        """
        try:
            # Opened here: of a broken file, `np.load` leaves its own open.
            with Path(path).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                arrays = {name: file[name] for name in _ARRAYS if name in file.files}
            return cls._from(about, arrays)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise ValueError(
                f"{path} cannot be read as statistics ({reason}); make it anew with "
                "--save-statistics."
            ) from None

    @classmethod
    def _from(cls, about: dict[str, Any], arrays: dict[str, Any]) -> Statistics:
        if about.pop("kind", None) != _KIND:
            raise ValueError(f"it is not of the kind {_KIND!r}")
        height, width = about.pop("size")
        return cls(**about, size=(height, width), **arrays)


def check_comparable(samples: Statistics, reference: Statistics) -> None:
    """Refuse to compare what was made in different ways.

    Raises:
        ValueError: feature networks or picture sizes that differ.
    """
    if samples.sha256 != reference.sha256:
        raise ValueError(
            f"{reference.source} was counted with the feature network {reference.network} "
            f"({reference.sha256[:12]}) and the samples with {samples.network} "
            f"({samples.sha256[:12]}): count the reference again with this one."
        )
    if samples.size != reference.size:
        (h, w), (height, width) = samples.size, reference.size
        raise ValueError(
            f"The samples are {w}x{h} pixels and the reference {width}x{height}: give a --size "
            "that both are cropped to."
        )


def check_statistics_name(path: str | Path) -> None:
    """Refuse a file name that `numpy.savez` would change.

    Raises:
        ValueError: an ending other than .npz.
    """
    if Path(path).suffix != ".npz":
        raise ValueError(f"Statistics are written as .npz; got the name {path}.")


def is_statistics(path: str | Path) -> bool:
    """Whether a file is an .npz of statistics rather than one of pictures."""
    try:
        with zipfile.ZipFile(path) as file:
            return "about.npy" in file.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
