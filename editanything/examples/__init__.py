"""Photos that come with the package, their parts already named.

A command about "the cat" needs something that knows what a cat is. For these photos that is
written down, so that every door (Python, command line, app) can be tried by words at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from editanything.types import Mask, Region

__all__ = ["EXAMPLES", "Example", "regions_of"]

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """A photo, what it shows, and sentences to try on it.

    Attributes:
        name: its key in `EXAMPLES`; "coffee" for coffee.jpg and coffee.masks.png.
        title: what the photo shows.
        credit: who took it.
        licence: on which terms it is shared; see LICENCES.md.
        labels: the noun of each region, in the order of the mask file.
        digests: `Picture.digest()` of the bundled file, and of scikit-image's lossless original.
        commands: sentences that the default preset carries out.
    """

    name: str
    title: str
    credit: str
    licence: str
    labels: tuple[str, ...]
    digests: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The photo's file."""
        return _HERE / f"{self.name}.jpg"

    def regions(self) -> tuple[Region, ...]:
        """The named regions, ids from 1; parts ("eye") overlap what they are part of ("cat")."""
        return _read_regions(self.name, self.labels)


@lru_cache
def _read_regions(name: str, labels: tuple[str, ...]) -> tuple[Region, ...]:
    """The regions of the mask file: one bilevel picture, the masks stacked from top to bottom."""
    import cv2
    import numpy as np

    data = np.fromfile(_HERE / f"{name}.masks.png", np.uint8)
    stack = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert stack is not None, name
    masks = np.split(stack > 0, len(labels))
    return tuple(
        Region(index + 1, Mask.of(mask), label)
        for index, (mask, label) in enumerate(zip(masks, labels, strict=True))
    )


def regions_of(digest: str) -> tuple[Region, ...]:
    """The named regions of the picture with this `Picture.digest()`; () where it is no example."""
    for example in EXAMPLES.values():
        if digest in example.digests:
            return example.regions()
    return ()


EXAMPLES: dict[str, Example] = {
    example.name: example
    for example in (
        Example(
            name="coffee",
            title="A cup of espresso on a saucer, with a spoon",
            credit="Rachel Michetti, courtesy of Pikolo Espresso Bar",
            licence="CC0 1.0",
            labels=("cup", "saucer", "spoon", "coffee", "handle", "rim", "table"),
            digests=(
                "9ef2d6a87a1266a7a7c49ae93d36ae22df75e07ec0d8f20fb677a9c5a988b023",
                "9fcf716957a0985d466b982f21c32a863a8ac3f731786c3a93f28a113de703cd",
            ),
            commands=(
                "remove the spoon",
                "make the saucer teal",
                "blur the background",
                "desaturate the table",
                "brighten the coffee",
                "extend the picture to the right by 25%",
            ),
        ),
        Example(
            name="cat",
            title="Chelsea the cat",
            credit="Stefan van der Walt",
            licence="CC0 1.0",
            labels=("cat", "eye", "eye", "nose", "ear", "ear"),
            digests=(
                "e22426311e0d0c025ee39bfa502cbc2c3ef12c8b7869623ad0e2ea0911694246",
                "9a1778652d6f45433eaa3b520e39a2ffb60ed23449a28a0a23b1d63c88f5ae5f",
            ),
            commands=(
                "make the eyes blue",
                "blur the background",
                "make the nose pink",
                "pixelate the left eye",
                "make the background white",
                "desaturate the cat",
            ),
        ),
        Example(
            name="astronaut",
            title="Eileen Collins, astronaut, 1992",
            credit="NASA",
            licence="Public domain",
            labels=("woman", "suit", "face", "hair", "helmet", "patch", "shuttle", "flag"),
            digests=(
                "c751213d75f2d8233fce3adbb7bf6884b610abef44cb2066b887948dc94bdc68",
                "d961dff1bd8d054ab18091f252ea76297cb342bb2597e646751f99f413d4acb8",
            ),
            commands=(
                "remove the shuttle",
                "make the suit blue",
                "blur the background",
                "desaturate the patch",
                "move the shuttle to the left by 40 px",
                "make the hair darker",
            ),
        ),
        Example(
            name="rocket",
            title="A Falcon 9 with DSCOVR before its launch, 2015",
            credit="SpaceX",
            licence="Public domain",
            labels=("rocket", *("tower",) * 4, "sky", "base", *("lamp",) * 7),
            digests=(
                "93ac6a0284b234e912fe0777f617ab4e69fafd1ed1fde2b0e32e9f27c9f2441b",
                "56acf43571014ffac27448cbca8fb56ac94583671eaac1c5b6fb11ffdd9a1b8a",
            ),
            commands=(
                "remove the rocket",
                "make the sky purple",
                "remove all the towers",
                "brighten the sky",
                "move the rocket to the right",
                "remove the lamps",
            ),
        ),
        Example(
            name="galaxies",
            title="The Hubble eXtreme Deep Field, 2012",
            credit="NASA, ESA and the Hubble Space Telescope",
            licence="Public domain",
            labels=("star", "star", *("galaxy",) * 13),
            digests=(
                "ff7b3630f2f751167561a79943416c84073b0a89c07cd59f25a06048d5bc5c8e",
                "5247b90608ae8ad5b581deeb7635e7fedb5c1e394e0b261ea9f09cc403a0a1e7",
            ),
            commands=(
                "remove the stars",
                "make the biggest galaxy blue",
                "duplicate the biggest galaxy",
                "remove all the galaxies",
                "extend the picture to the top by 20%",
            ),
        ),
    )
}
