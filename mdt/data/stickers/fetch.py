"""Published packages, by name, version and hash, through the package client that is installed."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mdt.data.source import DataError

TIMEOUT_S = 900


@dataclass(frozen=True)
class Package:
    """A version of a package that never changes.

    Attributes:
        name: on npm.
        version: the one that is meant.
        sha512: of the archive, base64, as npm's `integrity` says it.
        licence: SPDX name.
    """

    name: str
    version: str
    sha512: str
    licence: str

    @property
    def spec(self) -> str:
        """Name and version, as the client wants them."""
        return f"{self.name}@{self.version}"


FLUENT = Package(
    "@lobehub/fluent-emoji-3d",
    "1.1.0",
    "Wlq2lVStTnr8BDpIJ0pEnTKO4LuDxxqTEhTvRtD1DLRF0me7ogeRQjKoehDHXuVJ2Qaecgl5wRBv60lUAG3h7g==",
    "MIT",
)
NOTO = Package(
    "@iconify-json/noto",
    "1.2.9",
    "DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZVAuaw==",
    "Apache-2.0",
)
NAMES = Package(
    "emojibase-data",
    "17.0.0",
    "Yvgb5AWoHViHV/gq1qr5ZAarcBip+B27/ZLRsUJkbgAEaLlZ/fof9g882LTpmEpyhBNEC0m2SEmItljHsTygjA==",
    "MIT",
)


def fetch(package: Package) -> bytes:
    """The archive of a package, through `npm pack`; none of its scripts is run.

    Raises:
        DataError: npm is missing or fails, or the archive is not the one that was published.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DataError(
            f"{package.spec} is got with npm, which is not installed: install Node.js, which "
            "brings it."
        )
    with tempfile.TemporaryDirectory(prefix="mdt-") as place:
        command = [npm, "pack", package.spec, "--pack-destination", place, "--ignore-scripts"]
        try:
            done = subprocess.run(  # noqa: S603
                command, cwd=place, capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise DataError(
                f"npm has not brought {package.spec} within {TIMEOUT_S // 60} minutes: see to the "
                "network and try again."
            ) from None
        found = sorted(Path(place).glob("*.tgz"))
        if done.returncode or not found:
            raise DataError(
                f"npm could not get {package.spec} ({_reason(done.stderr)}): see to the network, "
                "or to npm's settings, and try again."
            )
        data = found[0].read_bytes()
    check(package, data)
    return data


def check(package: Package, data: bytes) -> None:
    """Refuse an archive that is not the one that was published.

    Raises:
        DataError: its hash is another.
    """
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != package.sha512:
        raise DataError(
            f"What npm brought as {package.spec} has another SHA-512 than the published archive, "
            "so it is not used: see where npm gets its packages from."
        )


def members(data: bytes, start: str, ending: str) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, in memory: (path after `start`, bytes).

    Args:
        data: of the archive, .tgz.
        start: of the paths that are wanted, after the archive's top folder.
        ending: of these paths.
    """
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            path = member.name.split("/", 1)[-1]
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None and path.startswith(start) and path.endswith(ending):
                yield path[len(start) :], file.read()


def member(data: bytes, path: str) -> bytes:
    """One file of an archive.

    Raises:
        DataError: there is none.
    """
    for _, found in members(data, path, path):
        return found
    raise DataError(f"The package holds no file {path}.")


def _reason(stderr: bytes) -> str:
    text = stderr.decode("utf-8", "replace")
    code = re.search(r"^npm (?:error|ERR!) code (\S+)", text, re.MULTILINE)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return code[1] if code else (lines[-1] if lines else "it says nothing")
