import hashlib
import json
from pathlib import Path

import pytest
import torch

import mdt
from mdt import codec
from mdt.convert import open_vae
from mdt.models import Autoencoder, build_model
from mdt.models.autoencoder import AutoencoderObjective

TINY = {"width": 16, "fine_width": 16, "encoder_depth": 1, "decoder_depth": 1}


def tiny(**settings):
    torch.manual_seed(0)
    return build_model(
        "autoencoder", **{**TINY, "in_channels": 4, "latent_channels": 6, **settings}
    )


def test_pictures_become_latents_and_pictures_again():
    network, x = tiny().eval(), torch.rand(2, 4, 32, 48) * 2 - 1
    latents = codec.encode(x, network)
    assert latents.shape == (2, 6, 4, 6)
    assert codec.decode(latents, network).shape == x.shape
    assert codec.pixels_per_latent(network) == 8


def test_scale_and_shift_are_the_codecs():
    network = tiny(scaling_factor=2.0, shift_factor=0.5).eval()
    x = torch.rand(1, 4, 16, 16)
    mean = network.encode(x).latent_dist.mode()
    torch.testing.assert_close(codec.encode(x, network), (mean - 0.5) * 2)
    torch.testing.assert_close(codec.decode((mean - 0.5) * 2, network), network.decode(mean).sample)


def test_it_learns_to_keep_a_picture():
    network = tiny()
    objective = AutoencoderObjective(kl=0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    x = (torch.rand(4, 4, 4, 4) * 2 - 1).repeat_interleave(4, 2).repeat_interleave(4, 3)
    losses = []
    for step in range(60):
        generator = torch.Generator().manual_seed(step)
        (terms,) = objective.passes(network, x, generator=generator)
        optimizer.zero_grad()
        terms["loss"].mean().backward()
        optimizer.step()
        losses.append(terms["loss"].detach().mean().item())
    assert losses[-1] < 0.75 * losses[0]
    assert terms["u"].tolist() == [0] * 4


def test_the_divergence_is_that_of_normals():
    """Against torch's own, with everything else held still."""
    network, x = tiny(), torch.zeros(2, 4, 16, 16)
    dist = network.encode(x).latent_dist
    normal = torch.distributions.Normal(dist.mean, dist.std)
    unit = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    expected = torch.distributions.kl_divergence(normal, unit).flatten(1).sum(1) / 4

    def loss(kl):
        generator = torch.Generator().manual_seed(0)
        (terms,) = AutoencoderObjective(kl=kl).passes(network, x, generator=generator)
        return terms["loss"]

    torch.testing.assert_close(loss(0.5) - loss(0.0), 0.5 * expected, rtol=1e-3, atol=1e-4)


def test_it_is_saved_and_opened_as_diffusers_do(tmp_path):
    network = tiny(scaling_factor=3.0).eval()
    network.save_pretrained(tmp_path / "ae")
    again = Autoencoder.from_pretrained(tmp_path / "ae").eval()
    x = torch.rand(1, 4, 16, 16)
    assert torch.equal(codec.encode(x, again), codec.encode(x, network))


@pytest.mark.parametrize("size", [(1, 3, 16, 16), (1, 4, 12, 16), (4, 16, 16)])
def test_what_does_not_fit_is_refused(size):
    with pytest.raises(ValueError, match=r"takes .B, 4, H, W. with sides that divide by 8"):
        tiny().encode(torch.zeros(size))


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="pixels_per_latent is 8"):
        tiny(pixels_per_latent=4)
    with pytest.raises(ValueError, match="0 or more"):
        AutoencoderObjective(kl=-1)


def test_the_shipped_one_is_what_its_card_says_and_keeps_a_drawing():
    folder = Path(mdt.__file__).parent / "weights" / "stickers" / "vae"
    card = json.loads((folder.parent / "card.json").read_text())["vae"]
    assert hashlib.sha256((folder / card["file"]).read_bytes()).hexdigest() == card["sha256"]
    network = open_vae(folder)
    rows, columns = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    away = torch.hypot(rows - 64.0, columns - 60.0)
    alpha = (40.5 - away).clamp(0, 1)
    disc = torch.stack([alpha * 0.9, alpha * (0.2 + rows / 400), alpha * 0.3, alpha])
    x = disc[None] * 2 - 1
    with torch.no_grad():
        latents = codec.encode(x, network)
        error = (codec.decode(latents, network) - x).square().mean() / 4
    assert -10 * torch.log10(error) > 28
    assert 0.3 < float(latents.std()) < 3
    assert latents.shape == (1, 16, 16, 16)
