"""Things drawn from words: which words, where they land, and what stays."""

import json

import numpy as np
import pytest
import torch

import mdt
from editanything import Editor
from editanything.backends.mdt import Mdt
from editanything.backends.vocabulary import _USUAL, Vocabulary
from editanything.errors import Cancelled, InputError, Refusal
from editanything.examples import EXAMPLES
from editanything.types import Task
from mdt.models import build_model
from mdt.models.autoencoder import Autoencoder
from mdt.pipeline_folder import SHIPPED
from mdt.schedulers import make_scheduler

# Of diffusers' schedulers, which hand tensors to numpy 2's np.array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NAMES = {
    "red apple": ["fruit", "red"],
    "automobile": ["car"],
    "cat": ["pet"],
    "cat face": ["cat", "pet"],
    "ice cream": ["dessert"],
    "blue book": ["reading"],
}


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    """A folder as `mdt export` writes it, of a network that has learnt nothing."""
    torch.manual_seed(0)
    network = build_model(
        "mdtv2_s2", input_size=4, in_channels=4, hidden_size=32, depth=2, num_heads=2,
        decode_layers=0, num_words=16384, word_dim=8, mask_channel=True, learn_sigma=False,
    )  # fmt: skip
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    vae = Autoencoder(in_channels=4, latent_channels=4, width=16, fine_width=16)
    folder = tmp_path_factory.mktemp("generator") / "small"
    mdt.Pipeline(network, make_scheduler("flow"), vae).save_pretrained(folder)
    (folder / "names.json").write_text(json.dumps(NAMES))
    return str(folder)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("red apple", "red apple"),
        ("a Red Apples", "red apple"),
        ("blue apple", "blue apple"),
        ("green apples", "green apple"),
        ("blue cat", "blue cat"),
        ("gray cats", "grey cat"),
        ("small pet", "cat"),  # of two things with the tag, the shorter name
        ("car", "automobile"),
        ("pink car", "pink automobile"),
        ("ice creams", "ice cream"),
        ("red and blue cat", None),
        ("fluffy cat", None),
        ("", None),
        ("book", "blue book"),
        ("red book", "red book"),
    ],
)
def test_words_are_taken_for_what_has_been_learnt(said, told):
    known = Vocabulary({name: tuple(tags) for name, tags in NAMES.items()})
    assert known.prompt(said) == told


def test_a_name_with_a_colour_gives_it_up_for_another():
    known = Vocabulary({"red apple": ("apple",), "green book": ("book",)})
    assert known.prompt("blue apple") == "blue apple"
    assert known.prompt("apple") == "red apple"
    assert known.nearest("a book") == ["green book"]
    assert known.nearest("greenbook") == ["green book"]
    assert known.nearest("xyz") == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("lorry", "truck"),  # a tag that means the same
        ("kittens", "cat"),  # a tag that is a kind of it
        ("sofa", "couch"),  # no tag, but the same
        ("red sofa", "red couch"),
        ("king", None),  # a tag that only comes to mind
        ("man", None),
        ("cup", "hot beverage"),  # the tag of a bottle
        ("cake", "birthday cake"),  # not the shortest name that ends so
        ("balloon", None),
        ("red balloon", None),
    ],
)
def test_a_tag_is_another_word_and_not_what_comes_to_mind(said, told):
    known = Vocabulary(
        {
            "truck": ("lorry", "move"), "cat": ("kitten",), "couch": ("lamp",), "crown": ("king",),
            "snowman": ("man", "snow"), "bottle of sake": ("cup",), "hot beverage": ("coffee",),
            "moon cake": (), "birthday cake": (), "party popper": ("balloon",),
        }
    )  # fmt: skip
    assert known.prompt(said) == told


def test_every_usual_meaning_ships():
    known = Vocabulary.read(SHIPPED / "names.json")
    assert {known.prompt(word) for word in _USUAL} <= {*known.names, None}
    assert [word for word in _USUAL if known.prompt(word) is None] == ["balloon", "flag"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("orange", "tangerine"),
        ("an orange", "tangerine"),
        ("orange car", "orange car"),
        ("dark red apple", "red apple"),
        ("light blue apple", "blue apple"),
        ("light", "light bulb"),
    ],
)
def test_an_orange_is_a_fruit_and_shades_are_colours(said, told):
    assert Vocabulary.read(SHIPPED / "names.json").prompt(said) == told


def test_names_that_are_missing_are_one_sentence(tmp_path):
    with pytest.raises(InputError, match="install the package again"):
        Vocabulary.read(tmp_path / "names.json")
    (tmp_path / "names.json").write_text("[1")
    with pytest.raises(InputError, match="install the package again"):
        Vocabulary.read(tmp_path / "names.json")


def test_what_it_does_not_know_is_said_with_what_is_near(generator):
    backend = Mdt(generator)
    assert backend.can("add", {"prompt": "cats"})
    assert backend.can("replace", {"prompt": "car"})
    assert not backend.can("add", {"prompt": "spaceship"})
    assert not backend.can("replace", {"color": (1, 2, 3)})
    assert not backend.can("remove", {})
    assert backend.why_not("remove", {}) == ""
    assert backend.why_not("add", {"prompt": "cat"}) == ""
    assert "“cat face”" in backend.why_not("add", {"prompt": "catty face"})
    editor = Editor.from_preset(
        "default", backends=f"[{{name: classical}}, {{name: mdt, model: {generator}}}]"
    )
    with pytest.raises(Refusal, match="draws about 6 things by name, and “spaceship” is none"):
        editor.plan(EXAMPLES["coffee"].path, "add a spaceship")


def test_a_drawn_thing_stands_in_its_box_and_the_rest_stays(generator):
    editor = Editor.from_preset(
        "default", backends=f"[{{name: classical}}, {{name: mdt, model: {generator}, steps: 3}}]"
    )
    looked = editor.look(EXAMPLES["coffee"].path)
    before = looked.picture.rgb()
    for text in ("add a car on the right", "replace the cup with a cat", "add two cats"):
        result = editor.edit(looked, text, seed=3)
        assert np.array_equal(result.image[~result.mask], before[~result.mask])
        assert not np.array_equal(result.image[result.mask], before[result.mask])
        again = editor.edit(looked, text, seed=3)
        assert np.array_equal(again.image, result.image)
    steps = editor.plan(looked, "add two cats").steps
    assert [step.op for step in steps] == ["add", "add"]
    assert steps[0].seed != steps[1].seed
    assert steps[0].target.box != steps[1].target.box
    assert steps[0].prompt == "cat"
    chained = editor.plan(looked, "add a cat on the right and make it red")
    assert [step.op for step in chained.steps] == ["add", "modify"]
    assert chained.steps[1].target.area > 0


def test_drawing_can_be_stopped(generator):
    backend = Mdt(generator, steps=4)
    target = np.zeros((60, 80), bool)
    target[10:50, 20:60] = True
    task = Task("add", np.zeros((60, 80, 3), np.uint8), target, target, {"prompt": "cat"}, seed=0)
    seen = []

    def stop(share, what):
        seen.append(share)
        return len(seen) < 3

    with pytest.raises(Cancelled):
        backend.paint(task, stop)
    assert len(seen) == 3


def test_a_shadow_falls_beside_the_thing_only_where_it_is_asked_for(generator):
    backend = Mdt(generator, steps=2, relight=0.0)
    target = np.zeros((120, 160), bool)
    target[30:90, 50:110] = True
    area = np.ones_like(target)
    grey = np.full((120, 160, 3), 200, np.uint8)
    plain = backend.paint(Task("add", grey, target, area, {"prompt": "cat"}, seed=0)).image
    shaded = backend.paint(
        Task("add", grey, target, area, {"prompt": "cat", "shadow": True}, seed=0)
    ).image
    assert (shaded.astype(int) <= plain.astype(int) + 1).all()
    assert (shaded < plain).any()
    line = np.zeros_like(target)
    line[60, 20:140] = True  # next to no thing at all: there is no shadow, and no error either
    task = Task("add", grey, line, area, {"prompt": "cat", "shadow": True}, seed=0)
    assert backend.paint(task).image.shape == grey.shape
