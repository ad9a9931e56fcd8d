"""The formulas of a drag against independent computations in numpy."""

import numpy as np
import pytest
import torch

from editanything.backends.diffusion.drag import DragSettings
from editanything.backends.diffusion.drag.adain import Statistics, normalised
from editanything.backends.diffusion.drag.bank import Tokens, mask_at, size_of
from editanything.backends.diffusion.drag.fitting import fit_reference
from editanything.backends.diffusion.drag.fourier import mix_amplitudes
from editanything.backends.diffusion.drag.hooks import Hooks
from editanything.backends.diffusion.drag.layers import attentions, normalisations
from editanything.errors import InputError
from editanything.types import Mask, Reference


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def blob(height, width, box):
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


@pytest.mark.parity("P18")
def test_p18_the_bank_holds_the_tokens_of_the_mask_and_no_other():
    normed, mask = drawn(2, 48, 5), blob(6, 8, (2, 1, 5, 4))
    tokens = Tokens.of(normed, mask)
    where = np.flatnonzero(mask.numpy().ravel())
    np.testing.assert_array_equal(tokens.taken.numpy(), normed.numpy()[:, where])
    grid = normed.numpy().reshape(2, 6, 8, 5).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(tokens.map.numpy(), grid * mask.numpy())


@pytest.mark.parity("P20")
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_p20_amplitudes_are_mixed_and_phases_stay(share):
    features, reference = drawn(2, 3, 5, 8), drawn(2, 3, 5, 8, seed=1)
    own = np.fft.fft2(features.numpy().astype(float))
    other = np.abs(np.fft.fft2(reference.numpy().astype(float)))
    amplitude = (1 - share) * np.abs(own) + share * other
    expected = np.fft.ifft2(amplitude * np.exp(1j * np.angle(own))).real
    found = mix_amplitudes(features, reference, share)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)
    if share == 0:
        assert torch.equal(found, features)


@pytest.mark.parity("P19")
def test_p19_the_edited_pixels_get_mean_and_spread_of_what_is_taken():
    features, reference = drawn(2, 3, 6, 7), 3 * drawn(2, 3, 6, 7, seed=1) + 2
    edited, taken = blob(6, 7, (1, 1, 5, 4)), blob(6, 7, (3, 2, 7, 6))
    found = normalised(features, edited, Statistics.of(reference, taken)).numpy()
    inside, goal = edited.numpy(), reference.numpy()[:, :, taken.numpy()]
    own = features.numpy()[:, :, inside]
    expected = (own - own.mean(2, keepdims=True)) / own.std(2, keepdims=True)
    expected = expected * goal.std(2, keepdims=True) + goal.mean(2, keepdims=True)
    np.testing.assert_allclose(found[:, :, inside], expected, atol=1e-5)
    np.testing.assert_array_equal(found[:, :, ~inside], features.numpy()[:, :, ~inside])


@pytest.mark.parity("P19")
def test_p19_flat_features_do_not_explode():
    flat, goal = torch.ones(1, 2, 4, 4), Statistics.of(drawn(1, 2, 4, 4), blob(4, 4, (0, 0, 4, 4)))
    found = normalised(flat, blob(4, 4, (0, 0, 4, 4)), goal)
    torch.testing.assert_close(found, goal.mean[..., None].expand(1, 2, 4, 4))


def attention(width=12, heads=3):
    from diffusers.models.attention_processor import Attention

    torch.manual_seed(3)
    return Attention(query_dim=width, heads=heads, dim_head=width // heads).eval()


def by_hand(layer, queries, keys):
    """Attention in numpy, from the layer's own weights."""
    weights = {k: v.detach().double().numpy() for k, v in layer.state_dict().items()}
    q = queries @ weights["to_q.weight"].T
    k, v = keys @ weights["to_k.weight"].T, keys @ weights["to_v.weight"].T
    b, n, c = q.shape
    split = lambda x: x.reshape(b, -1, layer.heads, c // layer.heads).transpose(0, 2, 1, 3)  # noqa: E731
    q, k, v = split(q), split(k), split(v)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(c // layer.heads)
    share = np.exp(scores - scores.max(-1, keepdims=True))
    out = (share / share.sum(-1, keepdims=True)) @ v
    out = out.transpose(0, 2, 1, 3).reshape(b, n, c)
    return out @ weights["to_out.0.weight"].T + weights["to_out.0.bias"]


@pytest.mark.parity("P21")
@pytest.mark.parametrize(("fidelity", "frequency"), [(0.0, 0.0), (0.4, 0.0), (1.0, 0.5), (0.3, 1)])
def test_p21_reading_attends_to_both_and_style_fidelity_frees_the_unconditional_half(
    fidelity, frequency
):
    layer, taken = attention(), blob(4, 6, (1, 0, 4, 3))
    settings = DragSettings(style_fidelity=fidelity, frequency=frequency)
    hooks = Hooks(settings, taken, blob(4, 6, (0, 0, 6, 4)), pictures=2)
    hooks.attend([layer])
    written, read = drawn(2, 24, 12), drawn(4, 24, 12, seed=1)
    with torch.no_grad():
        hooks.mode = "write"
        layer(written)
        hooks.mode = "read"
        found = layer(read).numpy()
        hooks.remove()
        again = layer(read).numpy()
    plain = read.double().numpy()
    reference, mask = written.double().numpy(), taken.numpy().ravel()
    bank = np.tile(reference[:, mask], (2, 1, 1))
    grid = lambda x: x.transpose(0, 2, 1).reshape(-1, 12, 4, 6)  # noqa: E731
    spectrum = np.fft.fft2(grid(plain))
    other = np.abs(np.fft.fft2(np.tile(grid(reference * mask[None, :, None]), (2, 1, 1, 1))))
    amplitude = (1 - frequency) * np.abs(spectrum) + frequency * other
    mixed = np.fft.ifft2(amplitude * np.exp(1j * np.angle(spectrum))).real
    mixed = mixed.reshape(4, 12, 24).transpose(0, 2, 1)
    expected = by_hand(layer, mixed, np.concatenate([mixed, bank], 1))
    alone = by_hand(layer, plain, plain)
    expected[:2] = fidelity * alone[:2] + (1 - fidelity) * expected[:2]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(again, alone, atol=1e-5)


@pytest.mark.parity("P21")
def test_p21_weights_choose_layers(sd, controlnets):
    blocks = [m for m in sd.unet.modules() if type(m).__name__ == "BasicTransformerBlock"]
    widest = [b.attn1 for b in blocks if b.norm1.normalized_shape[0] == 64]
    assert attentions(sd.unet, 0) == [] == normalisations(sd.unet, 0)
    assert set(attentions(sd.unet, 1)) == {b.attn1 for b in blocks}
    first = attentions(sd.unet, 1 / len(blocks))
    assert len(first) == 1
    assert first[0] in widest
    # Block 0 of 2 goes down without cross-attention (weight 1), block 1 of 2 up (weight 1/2).
    down, up = sd.unet.down_blocks[0].resnets, sd.unet.up_blocks[1].resnets
    assert normalisations(sd.unet, 0.4) == [sd.unet.mid_block]
    assert normalisations(sd.unet, 0.5) == [sd.unet.mid_block, *up]
    assert normalisations(sd.unet, 1) == [sd.unet.mid_block, *down, *up]
    control = controlnets[1]
    assert normalisations(control, 0.1) == [control.mid_block, *control.down_blocks[0].resnets]
    assert len(attentions(control, 0.01, whole=True)) == 2


def test_masks_at_layers_never_vanish():
    speck = blob(8, 8, (3, 3, 4, 4))
    assert mask_at(speck, (2, 2)).sum() == 1
    half = blob(8, 8, (0, 0, 4, 8))
    assert torch.equal(mask_at(half, (4, 4)), blob(4, 4, (0, 0, 2, 4)))
    assert size_of(64, (8, 8)) == (8, 8)
    assert size_of(12, (6, 7)) == (3, 4)
    with pytest.raises(InputError, match="no halving"):
        size_of(13, (6, 7))


def test_settings_check_themselves():
    with pytest.raises(InputError, match="attention or adain"):
        DragSettings(attention=False, adain=False)
    with pytest.raises(InputError, match="style_fidelity must be between 0 and 1; got 2"):
        DragSettings(style_fidelity=2)
    with pytest.raises(InputError, match="there are: crop"):
        DragSettings(fit="squeeze")


def disc_picture(height=60, width=120, radius=20):
    ys, xs = np.mgrid[:height, :width]
    mask = (ys - height / 2 + 0.5) ** 2 + (xs - width / 3) ** 2 < radius**2
    image = np.zeros((height, width, 3), np.uint8)
    image[mask] = (250, 40, 10)
    return Reference(image, Mask.of(mask))


@pytest.mark.parity("P18")
@pytest.mark.parametrize("fit", ["crop", "letterbox", "stretch"])
def test_p18_the_second_picture_keeps_its_proportions_unless_told(fit):
    fitted = fit_reference(disc_picture(), (96, 96), fit)
    assert fitted.image.shape == (96, 96, 3)
    rows, columns = np.flatnonzero(fitted.mask.any(1)), np.flatnonzero(fitted.mask.any(0))
    high, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert abs(wide / high - (0.5 if fit == "stretch" else 1)) < 0.08
    assert (fitted.image[fitted.mask].mean(0) > (200, 20, 0)).all()
    if fit == "crop":  # the thing fills the frame
        assert high > 60


def test_a_thing_thinner_than_a_pixel_is_still_taken():
    mask = np.zeros((400, 400), bool)
    mask[200, 100:110] = True
    fitted = fit_reference(
        Reference(np.zeros((400, 400, 3), np.uint8), Mask.of(mask)), (32, 32), "letterbox"
    )
    assert fitted.mask.any()
