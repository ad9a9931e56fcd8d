"""A generator of whole pictures, such as a training run's, redraws a part of a photo."""

import numpy as np
import pytest
import torch

import mdt
from editanything import Editor
from editanything.backends.masked import _hole
from editanything.backends.mdt import Mdt
from editanything.errors import InputError, Refusal
from editanything.examples import EXAMPLES
from editanything.types import Task
from editanything.ui.trainings import with_generator
from mdt.models import build_model
from mdt.schedulers import make_scheduler

# Of diffusers' schedulers, which hand tensors to numpy 2's np.array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
COFFEE = EXAMPLES["coffee"].path


def saved(folder, *, num_classes=2, names=("card", "tile"), channels=3):
    """A pipeline of a network that has learnt nothing."""
    torch.manual_seed(0)
    network = build_model(
        "mdtv2_s2", input_size=16, in_channels=channels, hidden_size=32, depth=2, num_heads=2,
        decode_layers=0, num_classes=num_classes, learn_sigma=False,
    )  # fmt: skip
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    pipe = mdt.Pipeline(network, make_scheduler("flow"), id2label=names)
    pipe.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("masked") / "mine")


class Watch:
    """A progress callback that looks at every picture it is offered."""

    def __init__(self):
        self.seen = []

    def __call__(self, _share, _what):
        return True

    def show(self, make):
        self.seen.append(make())


def test_the_box_is_redrawn_the_rest_is_in_view_and_stays(folder):
    editor, names = with_generator(Editor.from_preset(), folder)
    assert names == ["card", "tile"]
    watch = Watch()
    plan = editor.plan(COFFEE, "add a card on the right", seed=3)
    result = plan.apply(watch)
    before = editor.look(COFFEE).picture.rgb()
    differs = (result.picture.rgb() != before).any(2)
    assert differs.any()
    assert not (differs & ~result.mask).any()
    again = editor.edit(COFFEE, "add a card on the right", seed=3).picture
    assert again.digest() == result.picture.digest()
    other = editor.edit(COFFEE, "add a tile on the right", seed=3).picture
    assert other.digest() != result.picture.digest()
    assert len(watch.seen) >= 3
    for shown in watch.seen:
        assert (shown.shape, shown.dtype) == (before.shape, np.uint8)
        assert not ((shown != before).any(2) & ~result.mask).any()


def test_a_thing_is_replaced_and_what_it_does_not_know_it_says(folder):
    editor, _ = with_generator(Editor.from_preset(), folder)
    result = editor.edit(COFFEE, "replace the spoon with a tile")
    assert result.mask.any()
    with pytest.raises(Refusal, match="tiger"):
        editor.edit(COFFEE, "add a tiger")


def test_without_classes_it_answers_to_its_own_name(tmp_path):
    backend = Mdt(saved(tmp_path / "kittens", num_classes=None, names=None, channels=1), steps=2)
    assert list(backend.vocabulary.names) == ["kittens"]
    assert backend.can("add", {"prompt": "kittens"})
    changed = {"backends.1.model": str(tmp_path / "kittens"), "backends.1.steps": 2}
    result = Editor.from_preset("default", **changed).edit(COFFEE, "add a kittens in the middle")
    assert result.mask.any()


def test_a_folder_that_holds_none_is_one_sentence(tmp_path):
    with pytest.raises(InputError):
        with_generator(Editor.from_preset(), str(tmp_path))


def test_a_removal_is_seen_while_it_comes_about():
    watch = Watch()
    editor = Editor.from_preset()
    result = editor.plan(COFFEE, "remove the spoon").apply(watch)
    before = editor.look(COFFEE).picture.rgb()
    assert watch.seen
    for shown in watch.seen:
        assert shown.shape == before.shape
        assert not ((shown != before).any(2) & ~result.mask).any()


def test_other_things_in_the_box_are_not_redrawn():
    target, other = np.zeros((30, 40), bool), np.zeros((30, 40), bool)
    target[5:15, 5:25] = target[15:25, 5:10] = True
    other[15:25, 15:35] = True
    image = np.zeros((30, 40, 3), np.uint8)
    task = Task("replace", image, target, target | other, {"prompt": "card"}, 0, others=other)
    hole = _hole(task)
    assert hole[5:15, 5:25].all()
    assert hole[15:25, 10:15].all()
    assert not (hole & other).any()
