import numpy as np
import pytest
from skimage import data

import editanything
from editanything.examples import EXAMPLES, regions_of
from editanything.image import Picture

ORIGINALS = {
    "cat": "chelsea",
    "coffee": "coffee",
    "astronaut": "astronaut",
    "rocket": "rocket",
    "galaxies": "hubble_deep_field",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_known_by_its_file_and_by_the_original(name):
    example = EXAMPLES[name]
    picture = Picture.open(example.path)
    original = Picture.open(getattr(data, ORIGINALS[name])())
    assert example.digests == (picture.digest(), original.digest())
    for digest in example.digests:
        assert regions_of(digest) == example.regions()
    drift = np.abs(picture.rgb().astype(int) - original.rgb()).mean()
    assert drift < 4, "the photo was saved again, but is the same photo"


@pytest.mark.parametrize("name", EXAMPLES)
def test_regions_lie_in_the_photo_and_have_nouns(name):
    example = EXAMPLES[name]
    regions = example.regions()
    shape = Picture.open(example.path).shape
    assert [region.label for region in regions] == list(example.labels)
    assert [region.id for region in regions] == list(range(1, len(regions) + 1))
    for region in regions:
        assert region.mask.shape == shape
        assert region.mask.area >= 200
        assert region.label.isalpha()
        assert region.label.islower()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_sentences_are_understood_and_speak_of_named_regions(name):
    example = EXAMPLES[name]
    for text in example.commands:
        parsed = editanything.parse(text, images=("A",), selection=False).to_dict()
        assert parsed["status"] == "ok", (text, parsed)
        for op in parsed["ops"]:
            noun = op.get("target", {"noun": "@image"})["noun"]
            assert noun in (*example.labels, "background", "@image"), text


def test_a_picture_of_someone_else_has_no_names():
    assert regions_of("0" * 64) == ()
    edited = Picture.open(EXAMPLES["cat"].path).rgb().copy()
    edited[0, 0] ^= 1
    assert regions_of(Picture.open(edited).digest()) == ()


def test_parts_lie_in_what_they_are_part_of():
    def labelled(name):
        return {region.label: region.mask.full() for region in EXAMPLES[name].regions()}

    cat, coffee, astronaut = labelled("cat"), labelled("coffee"), labelled("astronaut")
    for whole, part in (
        (cat["cat"], cat["eye"]),
        (cat["cat"], cat["nose"]),
        (coffee["cup"], coffee["coffee"]),
        (coffee["cup"], coffee["rim"]),
        (coffee["cup"], coffee["handle"]),
        (astronaut["woman"], astronaut["face"]),
        (astronaut["woman"], astronaut["hair"]),
        (astronaut["suit"], astronaut["patch"]),
    ):
        assert (part & whole).sum() > 0.97 * part.sum()
    assert not (coffee["cup"] & coffee["spoon"]).any()
    assert not (astronaut["woman"] & astronaut["helmet"]).any()


def test_the_photos_are_small_and_their_licences_are_named():
    folder = EXAMPLES["cat"].path.parent
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 1_500_000
    licences = (folder / "LICENCES.md").read_text(encoding="utf-8")
    for example in EXAMPLES.values():
        assert f"{example.path.name} |" in licences
        assert 4 <= len(example.commands) <= 6
