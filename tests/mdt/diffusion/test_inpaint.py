import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.diffusion import (
    SAMPLERS,
    denoiser,
    guided,
    inpaint,
    make_generators,
    masked_denoiser,
    resampled,
)
from mdt.diffusion.inpaint import kept_tokens, pinned, renoise
from mdt.diffusion.prediction import Denoised
from mdt.diffusion.samplers import ddim, ddpm, dpmpp_2m, euler
from mdt.diffusion.schedule import Flow, linear

WAYS = {
    **SAMPLERS,
    "ddim_half": partial(ddim, eta=0.5),
    "repaint": resampled(ddpm, resamplings=3, jump=2),
    "repaint_2m": resampled(dpmpp_2m, resamplings=2, jump=3),
}


def known(batch=2, seed=0):
    return torch.randn(batch, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


def half(height=8, width=8):
    mask = torch.zeros(1, 1, height, width, dtype=torch.bool)
    mask[..., width // 2 :] = True
    return mask


def pair_denoiser(correlation):
    """Pictures of unit variance whose halves are correlated; E[x0 | x] is a 2 by 2 system."""

    def denoise(x, level):
        a, v = level.alpha, level.sigma**2
        left, right = x.chunk(2, dim=-1)
        # Sums and differences of the halves are independent, with variances 1 ± ρ (over 2).
        plus, minus = (1 + correlation), (1 - correlation)
        total = a * plus / (a * a * plus + v) * (left + right) / 2
        gap = a * minus / (a * a * minus + v) * (left - right) / 2
        return Denoised(torch.cat([total + gap, total - gap], dim=-1))

    return denoise


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("schedule", [linear(), Flow()])
def test_known_pixels_are_bit_exact(gaussian, name, schedule):
    picture, mask = known(), half()
    before = picture.clone()
    out = inpaint(
        gaussian.denoise,
        picture,
        mask,
        schedule.levels(8),
        generator=make_generators([1, 2]),
        sampler=WAYS[name],
    )
    assert torch.equal(out[..., :4], picture[..., :4])
    assert not torch.equal(out[..., 4:], picture[..., 4:])
    assert torch.equal(picture, before)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["ddpm", "dpmpp_2m", "repaint"]), st.booleans())
def test_any_mask(seed, name, channels):
    mask = torch.rand(2, 3 if channels else 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    mask = mask < (seed % 11) / 10  # from nothing to everything
    picture = known()
    out = inpaint(
        pair_denoiser(0.5),
        picture,
        mask,
        linear().levels(4),
        generator=torch.Generator().manual_seed(1),
        sampler=WAYS[name],
    )
    keep = ~mask.expand_as(picture)
    assert torch.equal(out[keep], picture[keep])
    assert bool(torch.isfinite(out).all())


def test_what_lies_under_the_mask_does_not_matter(gaussian):
    picture, mask = known(), half()
    broken = picture.clone()
    broken[..., 4:] = math.nan
    draw = partial(inpaint, gaussian.denoise, mask=mask, levels=linear().levels(5))
    one = draw(picture, generator=make_generators([1, 2]))
    other = draw(broken, generator=make_generators([1, 2]))
    assert torch.equal(one, other)


@pytest.mark.parametrize("sampler", [euler, dpmpp_2m, SAMPLERS["heun"], SAMPLERS["unipc"]])
def test_the_known_part_keeps_the_right_noise(gaussian, sampler):
    """On the way, deterministic samplers see α·known + σ·ε with one and the same ε."""
    picture, mask, seen = known().double(), half(), []

    def watching(x, level):
        seen.append((level, x.clone()))
        return gaussian.denoise(x, level)

    levels = linear().levels(9)
    inpaint(watching, picture, mask, levels, generator=make_generators([1, 2]), sampler=sampler)
    eps = [(x - level.alpha * picture) / level.sigma for level, x in seen]
    for other in eps[1:]:
        torch.testing.assert_close(other[..., :4], eps[0][..., :4], rtol=0, atol=1e-6)


@pytest.mark.parametrize("learned", [False, True])
def test_ddpm_noises_the_known_part_rightly(gaussian, learned):
    """Given x0, x at every level is N(α·known, σ²), also where the variance is learned."""
    picture = torch.full((1, 1, 200, 100), 0.7)
    mask = torch.zeros(1, 1, 200, 100, dtype=torch.bool)
    mask[..., :1] = True
    seen = []

    def watching(x, level):
        seen.append((level, x[..., 1:]))
        guess = gaussian.denoise(x, level)
        return Denoised(guess.x0, torch.ones_like(x)) if learned else guess

    inpaint(
        watching,
        picture,
        mask,
        linear().levels(10),
        generator=torch.Generator().manual_seed(0),
        sampler=ddpm,
    )
    for level, x in seen:
        assert float(x.mean()) == pytest.approx(0.7 * level.alpha, abs=0.03 * level.sigma)
        assert float(x.std()) == pytest.approx(level.sigma, rel=0.03)


def test_renoise_is_the_forward_chain():
    levels = linear().levels(10)
    here, there = levels[7], levels[3]
    x0 = torch.full((1, 1, 200, 100), 0.7)
    x = here.alpha * x0 + here.sigma * torch.randn(
        x0.shape, generator=torch.Generator().manual_seed(0)
    )
    up = renoise(x, here, there, torch.Generator().manual_seed(1))
    assert float(up.mean()) == pytest.approx(0.7 * there.alpha, abs=0.03)
    assert float(up.std()) == pytest.approx(there.sigma, rel=0.02)


def agreement(sampler, num_steps):
    """The correlation of the drawn half with the known one; truth 0.9."""
    picture = torch.randn(64, 1, 8, 16, generator=torch.Generator().manual_seed(3))
    out = inpaint(
        pair_denoiser(0.9),
        picture,
        half(8, 16),
        linear().levels(num_steps),
        generator=torch.Generator().manual_seed(4),
        sampler=sampler,
    )
    left, right = out.chunk(2, dim=-1)
    return float(torch.corrcoef(torch.stack([left.flatten(), right.flatten()]))[0, 1])


def test_resampling_makes_the_parts_agree():
    """Plain replacement falls short of the known correlation; RePaint nears it."""
    plain = agreement(ddpm, 30)
    repaint = agreement(resampled(ddpm, resamplings=10, jump=3), 30)
    assert plain > 0.3
    assert repaint > plain + 0.05
    assert repaint == pytest.approx(0.9, abs=0.05)


def test_picture_seven_does_not_depend_on_the_batch(gaussian):
    picture = known(8)

    def run(rows):
        return inpaint(
            gaussian.denoise,
            picture[rows],
            half(),
            linear().levels(4),
            generator=make_generators(rows),
            sampler=WAYS["repaint"],
        )

    assert torch.equal(run(list(range(8)))[7], run([7])[0])


def test_begin_reminds_of_a_picture(gaussian):
    """Late levels keep what the masked part began with."""
    picture, mask = known(), half()
    levels = linear().levels(50)[46:]  # begins with noise of spread 0.21
    draw = partial(
        inpaint, gaussian.denoise, picture, mask, levels, generator=torch.Generator().manual_seed(0)
    )
    for value in (-1.0, 1.0):
        out = draw(begin=torch.full_like(picture, value))
        # The data's own mean of 0.3 pulls a little.
        assert float(out[..., 4:].mean()) == pytest.approx(value, abs=0.3)
        assert torch.equal(out[..., :4], picture[..., :4])


@pytest.mark.parametrize("above", [0.0, 500.0])
@pytest.mark.parametrize("name", ["mdt_s2", "mdtv2_s2"])
def test_mdts_own_way(tiny, name, above):
    """Known tokens are kept above `above`, the whole picture is seen below; known pixels exact."""
    model, kept_seen = tiny(name), []

    def watching(x, t, label, kept=None):
        kept_seen.append((float(t[0]), kept))
        return model(x, t, label, kept=kept)

    watching.null_label = model.null_label
    picture = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    mask = half()
    guide = guided(watching, torch.tensor([1, 2]), 2.0)
    out = inpaint(
        masked_denoiser(guide, mask, model.patch_size, above=above, clip=4.0),
        picture,
        mask,
        linear().levels(6),
        generator=make_generators([0, 1]),
        sampler=ddpm,
    )
    assert torch.equal(out[..., :4], picture[..., :4])
    assert bool(torch.isfinite(out).all())
    for t, kept in kept_seen:
        if t >= above:
            assert kept.tolist() == [[0, 1, 4, 5, 8, 9, 12, 13]]
        else:
            assert kept is None


def test_mdts_own_way_on_masks_that_differ(tiny):
    """Each picture is drawn as if alone, though their masks hide different counts of tokens."""
    model = tiny()
    picture = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(3, 1, 8, 8, dtype=torch.bool)
    mask[0, :, :3, :3], mask[1, :, 2:, :] = True, True
    mask[2] = True
    label = torch.tensor([1, 2, 3])

    def run(rows):
        guide = guided(model, label[rows], 2.0)
        return inpaint(
            masked_denoiser(guide, mask[rows], 2, clip=4.0),
            picture[rows],
            mask[rows],
            linear().levels(4),
            generator=make_generators(rows),
            sampler=ddpm,
        )

    together = run([0, 1, 2])
    for i in range(3):
        torch.testing.assert_close(together[i : i + 1], run([i]), rtol=1e-3, atol=1e-4)


def test_hidden_tokens_do_not_reach_v1s_encoder(tiny):
    """v1 learns nothing of the noise under the mask; that is why it needs the full pass later."""
    model, mask = tiny("mdt_s2"), half()
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    other = torch.where(mask, torch.zeros_like(x), x)
    level = linear().level(500)
    denoise = masked_denoiser(guided(model, torch.tensor([1]), 1.0), mask, 2, "x0")
    with torch.no_grad():
        assert torch.equal(denoise(x, level).x0, denoise(other, level).x0)
        full = denoiser(guided(model, torch.tensor([1]), 1.0), "x0")
        assert not torch.equal(full(x, level).x0, full(other, level).x0)


def test_kept_tokens():
    mask = torch.zeros(1, 1, 4, 6, dtype=torch.bool)
    assert kept_tokens(mask, 2).tolist() == [[0, 1, 2, 3, 4, 5]]
    mask[0, 0, 1, 2] = True
    assert kept_tokens(mask, 2).tolist() == [[0, 2, 3, 4, 5]]
    two = torch.cat([mask, ~mask])
    assert [row.tolist() for row in kept_tokens(two, 2)] == [[0, 2, 3, 4, 5], []]
    assert kept_tokens(torch.ones_like(mask), 2) is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: pinned(d, known(), half().float()), "bool .* float32"),
        (lambda d: pinned(d, known(), half(8, 4)), "must be bool"),
        (lambda d: pinned(d, known(), half().expand(3, 1, 8, 8)), "must be bool"),
        (lambda d: pinned(d, known(), half()[0]), "must be bool"),
        (lambda d: resampled(ddpm, resamplings=0), "1 or more"),
        (lambda d: kept_tokens(half(8, 6), 4), "8x6 mask"),
        (lambda d: kept_tokens(half().float(), 2), "must be bool"),
        (
            lambda d: inpaint(
                d, known(), half(), linear().levels(4)[:-1], generator=torch.Generator()
            ),
            "end without noise",
        ),
    ],
)
def test_bad_input(gaussian, call, words):
    with pytest.raises(ValueError, match=words):
        call(gaussian.denoise)
