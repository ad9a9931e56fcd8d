"""Pipelines with a transformer, called as they are: FLUX Fill, FLUX, Kontext, SD 3, Qwen."""

import numpy as np
import pytest
import torch

from editanything.backends.diffusion.backend import Diffusion
from editanything.backends.diffusion.call import is_instructed, painter
from editanything.editor import Editor
from editanything.errors import Cancelled
from editanything.types import Task


def _photo():
    return np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)


def _task(**more):
    area = np.zeros((70, 90), bool)
    area[20:50, 30:60] = True
    given = {
        "op": "redraw", "image": _photo(), "target": area, "area": area, "seed": 1,
        "params": {"prompt": "a red dog", "kind": "thing"}, "what": "make it a dog",
    }  # fmt: skip
    return Task(**{**given, **more})


def _listened(backend, monkeypatch):
    """What the pipeline is called with."""
    pipe = backend.load().pipe
    made = painter(pipe)
    backend.load().adapters["painter"] = made
    asked = []
    whole = type(made).__call__

    def listen(self, **told):
        asked.append(told)
        return whole(self, **told)

    listen.__signature__ = __import__("inspect").signature(whole)
    monkeypatch.setattr(type(made), "__call__", listen)
    return asked


KINDS = ["flux_fill", "flux", "kontext", "sd3"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_crop_is_painted_told_and_repeatable(kind, request):
    pipe = request.getfixturevalue(kind)
    backend = Diffusion(pipe, size=64, steps=2, negative="", scheduler="default")
    heard = []
    one = backend.paint(_task(), lambda share, what: heard.append(share)).image
    assert one.shape == (70, 90, 3)
    assert one.dtype == np.uint8
    assert heard == sorted(heard)
    assert len(heard) > 3
    assert np.array_equal(one, backend.paint(_task()).image)
    assert not np.array_equal(one, backend.paint(_task(seed=2)).image)
    with pytest.raises(Cancelled):
        backend.paint(_task(), lambda share, what: share < 0.5)
    assert np.array_equal(one, backend.paint(_task()).image)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_told_in_its_way(kind, request, monkeypatch):
    pipe = request.getfixturevalue(kind)
    backend = Diffusion(pipe, size=64, steps=3, guidance=2.0)
    asked = _listened(backend, monkeypatch)
    backend.paint(_task())
    (told,) = asked
    assert is_instructed(pipe) == (kind == "kontext")
    assert told["prompt"].startswith("make it a dog" if kind == "kontext" else "a red dog, best")
    assert told["num_inference_steps"] == 3
    assert told["guidance_scale"] == 2.0
    assert ("negative_prompt" in told) == (kind == "sd3")
    assert told["height"] % 16 == told["width"] % 16 == 0
    assert abs(told["height"] * told["width"] - 64 * 64) < 0.3 * 64 * 64
    mask = np.asarray(told["mask_image"])
    assert set(np.unique(mask)) == {0, 255}
    assert told["image"].size == told["mask_image"].size == (told["width"], told["height"])


@pytest.fixture
def preset(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "about: t\nsegmenter: {name: classical}\ngrounder: {name: words}\n"
        "backends: [{name: diffusion, model: none, size: 64, steps: 1}, {name: classical}]\n"
    )
    return str(path)


@pytest.mark.parametrize("kind", KINDS)
def test_from_a_sentence_and_the_rest_stays(kind, preset, request):
    pipe = request.getfixturevalue(kind)
    photo, area = _photo(), _task().area
    editor = Editor.from_preset(preset, **{"backends.0.model": pipe})
    result = editor.edit(photo, "replace it with a dog", selection=area)
    assert result.plan.steps[0].op == "redraw"
    assert np.array_equal(result.image[~result.mask], photo[~result.mask])
    assert (result.image[area] != photo[area]).mean() > 0.5
    assert torch.is_grad_enabled()


def test_qwen_is_told_what_to_do_and_shown_where_and_the_rest_stays(qwen, preset, monkeypatch):
    photo, area = _photo(), _task().area
    given = {"backends.0.model": qwen, "backends.0.guidance": 3.0, "backends.0.negative": "blurry"}
    editor = Editor.from_preset(preset, **given)
    asked = _listened(editor.backends[0], monkeypatch)
    result = editor.edit(photo, "replace it with a dog", selection=area)
    (told,) = asked
    assert is_instructed(qwen)
    assert type(painter(qwen)).__name__ == "QwenImageEditInpaintPipeline"
    assert told["prompt"].startswith("replace the selection with dog")
    assert told["true_cfg_scale"] == 3.0
    assert set(np.unique(np.asarray(told["mask_image"]))) == {0, 255}
    assert np.array_equal(result.image[~result.mask], photo[~result.mask])
    assert (result.image[area] != photo[area]).mean() > 0.5


@pytest.mark.parametrize("kind", ["sd", "flux_fill", "kontext", "sd3"])
def test_a_large_picture_is_painted_at_its_own_size_in_a_crop(kind, preset, request):
    photo = np.random.default_rng(1).integers(0, 256, (700, 901, 3), dtype=np.uint8)
    mask = np.zeros((700, 901), bool)
    mask[640:700, 845:901] = True  # in the corner, where stitching goes wrong first
    pipe = request.getfixturevalue(kind)
    editor = Editor.from_preset(preset, **{"backends.0.model": pipe})
    seen = []
    paint = editor.backends[0].paint
    editor.backends[0].paint = lambda task, *rest: (seen.append(task.image), paint(task, *rest))[1]
    result = editor.edit(photo, "replace it with a dog", selection=mask)
    (crop,) = seen
    assert crop.shape[0] < 300
    assert crop.shape[1] < 300
    assert np.array_equal(crop, photo[-crop.shape[0] :, -crop.shape[1] :])
    assert result.image.shape == photo.shape
    assert np.array_equal(result.image[~result.mask], photo[~result.mask])
    assert (result.image[mask] != photo[mask]).mean() > 0.5
