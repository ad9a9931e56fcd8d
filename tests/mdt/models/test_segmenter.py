import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator, SamPredictor
from segment_anything.modeling import Sam

from mdt.models import Segmenter, build_model
from mdt.models.segmenter import Answers, mending
from mdt.models.segmenter_decoder import COARSE, DETAIL, Maps, Points, drawn_maps, filtered
from mdt.models.segmenter_objective import (
    DRAWS,
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


def asked(number=2, side=64):
    """Pictures with bright rectangles, and prompts for them."""
    x = torch.full((number, 4, side, side), -0.5)
    x[:, 3] = 0
    label = torch.zeros(number, NUM_THINGS, ROW, dtype=torch.long)
    for b in range(number):
        for k in range(NUM_THINGS):
            x0, y0 = 2 + 15 * k, 10 + 12 * b
            x[b, :3, y0 : y0 + 16, x0 : x0 + 12] = 0.8
            x[b, 3, y0 : y0 + 16, x0 : x0 + 12] += 2**k
            label[b, k, :4] = torch.tensor([x0, y0, x0 + 12, y0 + 16])
            label[b, k, 4:6] = torch.tensor([x0 + 6, y0 + 8])
            label[b, k, 6:] = torch.tensor([DRAWS // 3, DRAWS // 7, k * DRAWS // 4])
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
    """Also in a fresh network: filters run over maps of where the prompts are."""
    predictor = SamPredictor(tiny().eval().sam)
    predictor.set_image(np.full((64, 64, 3), 90, np.uint8))
    here = predictor.predict(**prompt, return_logits=True)[0]
    moved = {k: v + 12 if v.max() > 1 else v for k, v in prompt.items()}
    there = predictor.predict(**moved, return_logits=True)[0]
    assert np.abs(here - there).max() > 1e-3


def test_prompts_become_points():
    points = Points(32, 8, 64)
    clicks = torch.tensor([[[19.5, 43.5], [49.5, 7.5], [0.0, 0.0]]]), torch.tensor([[1.0, 0, -1]])
    sparse, dense = points(clicks, torch.tensor([[16.0, 24.0, 48.0, 56.0]]), None)
    assert sparse.shape == (1, 3 + 2 + 16, 3 + 32)
    assert dense.shape == (1, 0, 1, 1)
    torch.testing.assert_close(sparse[0, 0, :3], torch.tensor([20 / 64, 44 / 64, 2]))
    assert sparse[0, 1:3, 2].tolist() == [1, 0]
    torch.testing.assert_close(sparse[0, 4, :3], torch.tensor([48 / 64, 56 / 64, 4]))
    inside = sparse[0, 5:, :2] * 64
    torch.testing.assert_close(inside[0], torch.tensor([20.0, 28.0]))
    torch.testing.assert_close(inside[-1], torch.tensor([44.0, 52.0]))
    assert sparse[0, 5:, 2].tolist() == list(range(5, 21))
    assert points(None, None, torch.zeros(2, 1, 8, 8))[1].shape == (2, 1, 8, 8)


def test_clicks_box_and_earlier_mask_are_drawn_where_they_are():
    points = Points(32, 8, 64)
    clicks = torch.tensor([[[21.5, 45.5], [49.5, 5.5]]]), torch.tensor([[1.0, 0.0]])
    sparse, _ = points(clicks, torch.tensor([[16.0, 24.0, 48.0, 56.0]]), None)
    earlier = torch.full((1, 1, 1, 32, 32), -9.0)
    earlier[..., 16:, :] = 9
    maps = drawn_maps(sparse[None], earlier, 16)[0, 0].view(6, 16, 16)
    assert divmod(int(maps[3].argmax()), 16) == (11, 5)  # row 46 / 4, column 22 / 4
    assert divmod(int(maps[4].argmax()), 16) == (1, 12)
    box = (maps[2] >= 1).nonzero()
    assert box.min(0).values.tolist() == [6, 4]
    assert box.max(0).values.tolist() == [13, 11]
    torch.testing.assert_close(maps[0, 0, 0], torch.tensor(4 * (0.5 / 16 - 0.5)))
    torch.testing.assert_close(maps[1, 0, 0], torch.tensor(4 * (0.5 / 16 - 40 / 64)))
    assert (maps[5].sign() == earlier[0, 0, 0, ::2, ::2].sign()).all()
    alone, none = points((clicks[0], torch.tensor([[0.0, 0.0]])), None, None)
    maps = drawn_maps(alone[None], none[None], 16)[0, 0]
    torch.testing.assert_close(maps[0, 0], torch.tensor(4 * (0.5 / 16 - 36 / 64)))
    assert maps[2].abs().max() == maps[3].abs().max() == maps[5].abs().max() == 0


def test_filters_are_three_layers_and_a_fine_one():
    """Against the same written out for one mask."""
    torch.manual_seed(0)
    maps = Maps(torch.randn(2, 8, 2, 2), torch.randn(2, COARSE, 4, 4), torch.randn(2, DETAIL, 8, 8))
    again = Maps.of(maps.packed(), 8)
    assert all(torch.equal(a, b) for a, b in zip(maps, again, strict=True))
    drawn, weights = torch.randn(2, 3, 6, 16), torch.randn(2, 3, 2, 281)
    logits = filtered(maps, drawn, weights)
    assert logits.shape == (2, 3, 2, 8, 8)
    w = weights[1, 2, 1]
    first = torch.cat([w[:128].view(8, 16), w[128:176].view(8, 6)], 1)
    seen = torch.cat([maps.coarse[1].flatten(1), drawn[1, 2]])
    h = (first @ seen + w[176:184, None]).relu()
    h = (w[184:248].view(8, 8) @ h + w[248:256, None]).relu()
    coarse = (w[256:264] @ h + w[264]).view(1, 1, 4, 4)
    large = torch.nn.functional.interpolate(coarse, scale_factor=2, mode="bilinear")[0, 0]
    expected = large + torch.einsum("c,chw->hw", w[265:], maps.detail[1])
    torch.testing.assert_close(logits[1, 2, 1], expected)


def test_prompts_of_one_picture_do_not_change_each_other():
    network, (x, label) = tiny().eval(), asked()
    truth, prompts = truth_of(x[:, 3]), prompts_of(label)
    together = network(x[:, :3], truth, prompts)
    one = network(x[:1, :3], truth[:1, 2:3], type(prompts)(*(p[:1, 2:3] for p in prompts)))
    for kind, answers in one.items():
        torch.testing.assert_close(answers.logits[0, 0], together[kind].logits[0, 2])


def test_numbers_become_prompts_and_truth():
    x, label = asked()
    prompts = prompts_of(label)
    assert prompts.click[0, 1].tolist() == [17 + 6, 18]
    assert prompts.box[1, 0].tolist() == [2, 22, 14, 38]
    torch.testing.assert_close(prompts.draws[0, 2], torch.tensor([1 / 3, 1 / 7, 0.5]))
    truth = truth_of(x[:, 3])
    assert truth.shape == (2, NUM_THINGS, 32, 32)
    assert truth[0, 0].sum() == 6 * 8
    ys, xs = truth[0, 2].nonzero(as_tuple=True)
    assert (int(xs.min()), int(ys.min())) == (16, 5)


def test_clicks_mend_mistakes():
    truth = torch.zeros(1, 3, 8, 8, dtype=torch.bool)
    truth[:, :, 2:6, 2:6] = True
    found = truth.clone()
    found[0, 0, 5, 2:6] = False  # missing: positive clicks there
    found[0, 1, 0, 0] = True  # too much: negative ones
    draws = torch.tensor([[[0.99, 0.0], [0.5, 0.7], [0.0, 0.999]]])
    places, signs = mending(found, truth, draws)
    assert places[0, 0].tolist() == [[10.5, 10.5], [4.5, 10.5]]
    assert places[0, 1].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert places[0, 2].tolist() == [[4.5, 4.5], [10.5, 10.5]]  # nothing to mend: on the thing
    assert signs[0].tolist() == [[True, True], [False, False], [True, True]]


def test_it_learns_to_find_what_is_asked():
    network, (x, label) = tiny(), asked()
    objective = SegmenterObjective()
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3)
    errors = []
    for _ in range(45):
        (terms,) = objective.passes(network, x, label, generator=None)
        optimizer.zero_grad()
        terms["loss"].mean().backward()
        optimizer.step()
        errors.append(terms["mse"].mean().item())
    assert terms["loss"].shape == terms["mse"].shape == (2,)
    assert errors[-1] < 0.4 < errors[0]


def test_the_loss_is_of_the_focal_and_dice_formulas():
    """Against torchvision's focal loss and a dice written out, for one prompt."""
    from torchvision.ops import sigmoid_focal_loss

    torch.manual_seed(1)
    logits, quality = torch.randn(1, 1, 4, 8, 8), torch.zeros(1, 1, 4)
    truth = torch.rand(1, 1, 8, 8) > 0.5
    goal = truth.float()[:, :, None].expand_as(logits)
    focal = sigmoid_focal_loss(logits, goal).mean((-2, -1))[0, 0]
    share = logits.sigmoid()
    dice = 1 - (2 * (share * goal).sum((-2, -1)) + 1) / (share + goal).sum((-2, -1)).add(1)
    each = 20 * focal + dice[0, 0]
    found, known = logits[0, 0] > 0, goal[0, 0] > 0
    iou = (found & known).sum((-2, -1)) / (found | known).sum((-2, -1))
    loss, overlap = SegmenterObjective()._loss(Answers(logits, quality), truth)
    expected = each[0] + each[1:].min() + iou.square().mean()
    torch.testing.assert_close(loss, expected[None], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(overlap, iou[:1])
    one = Answers(logits[:, :, :1], quality[:, :, :1])
    loss, _ = SegmenterObjective()._loss(one, truth)
    torch.testing.assert_close(loss, (each[0] + iou[0].square())[None], rtol=1e-4, atol=1e-4)


def test_the_best_by_its_own_word_is_shown():
    logits = torch.arange(3.0)[None, None, :, None, None].expand(1, 2, 3, 4, 4)
    quality = torch.tensor([[[0.2, 0.9, 0.1], [0.2, 0.1, 0.8]]])
    assert Answers(logits, quality).shown()[0, :, 0, 0].tolist() == [1, 2]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="multiple of 16; got 50"):
        tiny(input_size=50)
    with pytest.raises(ValueError, match="fine_width of a segmenter is a multiple of 16; got 20"):
        tiny(fine_width=20)
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
