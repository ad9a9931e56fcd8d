"""Pictures from a generator, as the Generate tab and the endpoint ask for them."""

import numpy as np
import pytest
from PIL import Image

from editanything.errors import Cancelled, InputError
from editanything.ui.drawing import Drawer, Wish, read_recipe

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def drawer(tmp_path_factory):
    return Drawer(tmp_path_factory.mktemp("none"))


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def test_a_picture_is_the_one_that_mdt_sample_draws(drawer, tmp_path):
    from mdt.sample import sample
    from mdt.sampling.settings import SampleSettings

    told = []
    wish = Wish(what="red apple, tiger", num_images=2, seed=3, steps=2, animation="webp")
    drawn = drawer.draw(wish, tmp_path / "a", lambda share, what: told.append((share, what)))
    settings = SampleSettings(
        num_images=2, seed=3, labels="red apple,tiger", steps=2, guidance=2.5, style="fluent"
    )
    sample("default", tmp_path / "b", settings, device="cpu")
    for i, path in enumerate(drawn.pictures):
        ours, theirs = pixels(path), pixels(tmp_path / "b" / f"{i:06d}.png")
        assert ours.shape == (128, 128, 4)
        assert np.array_equal(ours, theirs)
    assert [path.name for path in drawn.pictures] == ["red-apple-3.png", "tiger-4.png"]
    assert read_recipe(drawn.pictures[1])["seed"] == 4
    assert read_recipe(drawn.pictures[1])["what"] == "tiger"
    with Image.open(drawn.animation) as moving:
        assert moving.n_frames == 3  # two guesses and the picture
    assert pixels(drawn.grid).shape == (128, 256, 4)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert "step 2" in told[-1][1]


def test_its_recipe_draws_it_again(drawer, tmp_path):
    first = drawer.draw(Wish(what="cat", num_images=2, steps=1, ground="white"), tmp_path / "a")
    recipe = read_recipe(first.pictures[1])
    recipe.pop("made_by")
    again = drawer.draw(Wish(**recipe), tmp_path / "b")
    one, two = pixels(first.pictures[1]), pixels(again.pictures[0])
    assert one.shape == (128, 128, 3)
    # In another row of its batch: the last bits may differ.
    assert np.abs(one.astype(int) - two).max() <= 1


def test_words_that_it_does_not_know_are_refused_with_what_is_near(drawer, tmp_path):
    with pytest.raises(InputError, match=r"972 things by name.*“tigr”.*tiger"):
        drawer.draw(Wish(what="cat, tigr"), tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert "tiger" in drawer.names()


def test_stopping_leaves_nothing_behind(drawer, tmp_path):
    calls = []

    def stop(share, what):
        calls.append(share)
        return len(calls) < 3

    with pytest.raises(Cancelled):
        drawer.draw(Wish(what="cat", steps=20), tmp_path / "a", stop)
    assert len(calls) == 3
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"num_images": 0}, "num_images is 1 to 64"),
        ({"steps": 999}, "steps is 1 to 250"),
        ({"seed": -1}, "seed"),
        ({"guidance": 99}, "guidance is 0 to 30"),
        ({"ground": "green"}, "transparent, white"),
        ({"animation": "mov"}, "webp, gif"),
        ({"sampler": "magic"}, "ddim"),
    ],
)
def test_wishes_out_of_range_are_one_sentence(given, said):
    with pytest.raises(InputError, match=said):
        Wish(**given)


def test_only_folders_below_the_root_are_drawn_with(drawer, tmp_path):
    for source in ("../secret", str(tmp_path), "nothing"):
        with pytest.raises(InputError, match="there are: default"):
            drawer.draw(Wish(source=source), tmp_path / "a")
