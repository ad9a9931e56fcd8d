import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator, SamPredictor
from segment_anything.modeling import Sam

from mdt.models import Segmenter, build_model
from mdt.models.segmenter import Prompts, _mended
from mdt.models.segmenter_objective import (
    DRAWS,
    MAX_CLICKS,
    NUM_THINGS,
    ROW,
    SegmenterObjective,
    prompts_of,
    truth_of,
)

TINY = {
    "input_size": 64,
    "fine_width": 16,
    "mid_width": 16,
    "width": 48,
    "depth": 1,
    "prompt_width": 32,
}


def tiny(**settings):
    torch.manual_seed(0)
    return build_model("segmenter", **{**TINY, **settings})


def asked(boxed=(True, False), rounds=(1, 2), side=64):
    """Pictures with bright rectangles, and prompts for them."""
    x = torch.full((len(boxed), 4, side, side), -0.5)
    x[:, 3] = 0
    label = torch.zeros(len(boxed), NUM_THINGS, ROW, dtype=torch.long)
    label[..., 9::3] = -1
    for b in range(len(boxed)):
        for k in range(NUM_THINGS):
            x0, y0 = 4 + 20 * k, 10 + 12 * b
            x[b, :3, y0 : y0 + 16, x0 : x0 + 14] = 0.8
            x[b, 3, y0 : y0 + 16, x0 : x0 + 14] += 2**k
            label[b, k, :4] = torch.tensor([x0, y0, x0 + 14, y0 + 16])
            label[b, k, 4:7] = torch.tensor([int(boxed[b]), rounds[b], DRAWS // 3])
            label[b, k, 7:10] = torch.tensor([x0 + 7, y0 + 8, 1])
    return x, label


def test_the_package_runs_it_unchanged():
    network = tiny().eval()
    assert isinstance(network.sam, Sam)
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    predictor = SamPredictor(network.sam)
    predictor.set_image(picture)
    masks, quality, low = predictor.predict(
        point_coords=np.array([[30.0, 20.0], [3.0, 3.0]]), point_labels=np.array([1, 0])
    )
    assert masks.shape == (3, 40, 60)
    assert quality.shape == (3,)
    assert low.shape == (3, 32, 32)
    again, _, _ = predictor.predict(
        box=np.array([10, 10, 40, 30]), mask_input=low[:1], multimask_output=False
    )
    assert again.shape == (1, 40, 60)
    everything = SamAutomaticMaskGenerator(
        network.sam, points_per_side=3, pred_iou_thresh=-9.0, stability_score_thresh=-9.0
    ).generate(picture)
    assert all(one["segmentation"].shape == (40, 60) for one in everything)


@pytest.mark.parametrize(
    "prompt",
    [
        {"point_coords": np.array([[30.0, 20.0]]), "point_labels": np.array([1])},
        {"box": np.array([10, 10, 40, 30])},
    ],
)
def test_where_a_prompt_is_matters(prompt):
    """Also in a fresh network: prompts are drawn into the embedding."""
    predictor = SamPredictor(tiny().eval().sam)
    predictor.set_image(np.full((64, 64, 3), 90, np.uint8))
    here = predictor.predict(**prompt, return_logits=True)[0]
    moved = {k: v + 12 if v.max() > 1 else v for k, v in prompt.items()}
    there = predictor.predict(**moved, return_logits=True)[0]
    assert np.abs(here - there).max() > 1e-3


def test_clicks_and_box_are_drawn_where_they_are():
    encoder = tiny().sam.prompt_encoder
    points = torch.tensor([[[20.0, 44.0], [50.0, 8.0]]]), torch.tensor([[1.0, 0.0]])
    maps = encoder._maps(points, torch.tensor([[16.0, 24.0, 48.0, 56.0]]), 1)[0]
    assert maps.shape == (8, 8, 8)
    off, on = maps[0], maps[1]
    assert divmod(int(on.argmax()), 8) == (5, 2)  # row 44 / 8, column 20 / 8
    assert divmod(int(off.argmax()), 8) == (1, 6)
    box = maps[4].nonzero()
    assert box.min(0).values.tolist() == [3, 2]
    assert box.max(0).values.tolist() == [6, 5]
    assert encoder._maps(None, None, 2).abs().max() == 0


def test_numbers_become_prompts_and_truth():
    x, label = asked()
    prompts = prompts_of(label)
    assert prompts.boxed.tolist() == [True, False]
    assert prompts.rounds.tolist() == [1, 2]
    assert prompts.points.shape == (2, NUM_THINGS, MAX_CLICKS, 2)
    assert prompts.signs[0, 0].tolist() == [1] + [-1] * (MAX_CLICKS - 1)
    truth = truth_of(x[:, 3])
    assert truth.shape == (2, NUM_THINGS, 32, 32)
    assert truth[0, 0].sum() == 7 * 8
    ys, xs = truth[0, 1].nonzero(as_tuple=True)
    assert (int(xs.min()), int(ys.min())) == (12, 5)


def test_a_click_mends_a_mistake():
    truth = torch.zeros(2, 8, 8, dtype=torch.bool)
    truth[:, 2:6, 2:6] = True
    found = truth.clone()
    found[0, 5, 2:6] = False  # missing: a positive click there
    found[1, 0, 0] = True  # too much: a negative one
    first = torch.zeros(2, 1, 2), torch.ones(2, 1)
    points, signs = _mended(first, found, truth, torch.tensor([0.99, 0.5]))
    assert points[0, 1].tolist() == [5 * 2 + 0.5, 5 * 2 + 0.5]
    assert points[1, 1].tolist() == [0.5, 0.5]
    assert signs[:, 1].tolist() == [1, 0]
    points, signs = _mended(None, truth, truth, torch.tensor([0.0, 0.0]))
    assert points[0].tolist() == [[4.5, 4.5]]  # nothing to mend: on the thing
    assert signs.tolist() == [[1], [1]]


def test_it_learns_to_find_what_is_asked():
    network, (x, label) = tiny(), asked(boxed=(True, False), rounds=(1, 1))
    objective = SegmenterObjective()
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3)
    errors = []
    for _ in range(80):
        (terms,) = objective.passes(network, x, label, generator=None)
        optimizer.zero_grad()
        terms["loss"].mean().backward()
        optimizer.step()
        errors.append(terms["mse"].mean().item())
    assert terms["loss"].shape == terms["mse"].shape == (2,)
    assert errors[-1] < 0.5 < errors[0]


def test_the_loss_is_of_the_focal_and_dice_formulas():
    """Against torchvision's focal loss and a dice written out, for one answer."""
    from torchvision.ops import sigmoid_focal_loss

    from mdt.models.segmenter import Answer

    torch.manual_seed(1)
    logits, quality = torch.randn(1, 4, 8, 8), torch.zeros(1, 4)
    truth = torch.rand(1, 8, 8) > 0.5
    goal = truth.float()[:, None].expand_as(logits)
    focal = sigmoid_focal_loss(logits, goal).mean((-2, -1))[0]
    share = logits.sigmoid()
    dice = 1 - (2 * (share * goal).sum((-2, -1)) + 1) / (share + goal).sum((-2, -1)).add(1)
    each = 20 * focal + dice[0]
    found, known = logits[0] > 0, goal[0] > 0
    iou = (found & known).sum((-2, -1)) / (found | known).sum((-2, -1))
    expected = each[0] + each[1:].min() + iou.square().mean()
    loss, overlap = SegmenterObjective()._loss(Answer(0, logits, quality), truth)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(overlap, iou[0])


def test_more_rounds_are_asked_only_where_they_are_told():
    network, (x, label) = tiny().eval(), asked(boxed=(True, False), rounds=(1, 3))
    answers = network(x[:, :3], truth_of(x[:, 3]), prompts_of(label))
    assert [a.picture for a in answers] == [0, 1, 1, 1]
    assert answers[0].logits.shape == (NUM_THINGS, 4, 32, 32)
    assert isinstance(prompts_of(label), Prompts)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="multiple of 16; got 50"):
        tiny(input_size=50)
    with pytest.raises(ValueError, match="no setting 'dept'"):
        build_model("segmenter", dept=3)
    with pytest.raises(ValueError, match="focal and quality"):
        SegmenterObjective(focal=-1)
    with pytest.raises(ValueError, match=r"data\.name=prompted"):
        next(SegmenterObjective().passes(tiny(), torch.zeros(1, 3, 64, 64), generator=None))


def test_it_is_written_and_read_again(tmp_path):
    network = tiny().eval()
    network.save_pretrained(tmp_path)
    again = Segmenter.from_pretrained(tmp_path).eval()
    x = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(again.sam.image_encoder(x), network.sam.image_encoder(x))
    assert again.config.depth == 1
    from mdt.parts import _start_from

    fresh = build_model("segmenter", **TINY)
    _start_from(fresh, tmp_path)
    torch.testing.assert_close(fresh.sam.image_encoder(x), network.sam.image_encoder(x))
    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="cannot be read"):
        _start_from(fresh, tmp_path)
