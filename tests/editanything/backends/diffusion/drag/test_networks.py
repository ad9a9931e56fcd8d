"""Drags through whole networks: what they change, what they leave, and that they are gone."""

import copy
import threading

import pytest
import torch

from editanything.backends.diffusion.drag import DragSettings
from editanything.backends.diffusion.drag.adain import Statistics
from editanything.backends.diffusion.drag.layers import normalisations
from editanything.backends.diffusion.drag.run import Control, Taken, dragging
from editanything.errors import InputError

# Of numpy, about the schedulers of diffusers.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
TIME = torch.tensor(401)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def area(box, size=8):
    mask = torch.zeros(size, size, dtype=torch.bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


TAKEN, EDITED = area((1, 2, 5, 7)), area((2, 2, 7, 7))


def taken(pictures=1, **more):
    parts = {
        "latents": drawn(1, 4, 8, 8, seed=1),
        "noise": drawn(pictures, 4, 8, 8, seed=2),
        "mask": TAKEN,
        "prompt": drawn(1, 7, 32, seed=3),
    }
    return Taken(**parts | more)


def step(sd, controlnets=(), *, halves=2, pictures=1, sample=None):
    """One step's pass as a pipeline makes it: ControlNets, then the UNet."""
    sample = drawn(pictures, 4, 8, 8, seed=4) if sample is None else sample
    sample = sample.repeat(halves, 1, 1, 1)
    words = torch.cat([drawn(1, 7, 32, seed=5 + i) for i in range(halves)])
    words = words.repeat_interleave(pictures, 0)
    told, downs, middle = {}, None, None
    with torch.no_grad():
        for i, net in enumerate(controlnets):
            seen = drawn(1, 3, 64, 64, seed=9 + i).expand(len(sample), -1, -1, -1)
            down, mid = net(sample, TIME, words, seen, return_dict=False)
            downs = [a + b for a, b in zip(downs, down, strict=True)] if downs else down
            middle = mid if middle is None else middle + mid
        if downs:
            told = {
                "down_block_additional_residuals": downs,
                "mid_block_additional_residual": middle,
            }
        return sd.unet(sample, TIME, words, return_dict=False, **told)[0]


def controls(nets):
    guide, content = nets
    return (
        Control(guide, drawn(1, 3, 64, 64, seed=9), 0.3),
        Control(content, drawn(1, 3, 64, 64, seed=11).sigmoid(), 0.2, takes=True),
    )


def drag(sd, nets=(), *, pictures=1, edited=EDITED, source=None, settings=None, **more):
    given = source or taken(pictures)
    of_nets = controls(nets) if nets else ()
    with dragging(
        sd.unet, sd.scheduler, given, edited, controls=of_nets, settings=settings or DragSettings()
    ):
        return step(sd, nets, pictures=pictures, **more)


@pytest.mark.parity("P18")
def test_p18_output_is_bit_equal_before_and_after_a_drag(sd, controlnets):
    before = step(sd, controlnets)
    during = drag(sd, controlnets)
    assert not torch.equal(before, during)
    assert torch.equal(before, step(sd, controlnets))
    every = [m for net in (sd.unet, *controlnets) for m in net.modules()]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in every)


@pytest.mark.parity("P18")
def test_p18_hooks_are_gone_after_an_error_too(sd):
    before = step(sd)
    with pytest.raises(RuntimeError), dragging(sd.unet, sd.scheduler, taken(), EDITED):
        sd.unet(drawn(2, 3, 8, 8), TIME, drawn(2, 7, 32))  # 3 channels
    assert torch.equal(before, step(sd))


@pytest.mark.parity("P18")
def test_p18_the_write_pass_is_the_second_picture_at_the_same_time(sd, controlnets):
    """What the read pass is normalised to is what the networks say of it by themselves."""
    given, wanted = taken(), {}
    layers = normalisations(sd.unet, 1.0)
    noised = sd.scheduler.add_noise(given.latents, given.noise, TIME[None])
    nets = controls(controlnets)
    handles = [
        layer.register_forward_hook(
            lambda m, _a, out: wanted.__setitem__(m, Statistics.of(out, _at(out)))
        )
        for layer in layers
    ]
    with torch.no_grad():
        residuals = [
            c.net(noised, TIME, given.prompt, c.condition, c.scale, return_dict=False) for c in nets
        ]
        downs = [a + b for a, b in zip(*(r[0] for r in residuals), strict=True)]
        middle = residuals[0][1] + residuals[1][1]
        sd.unet(
            noised, TIME, given.prompt,
            down_block_additional_residuals=downs, mid_block_additional_residual=middle,
        )  # fmt: skip
    for handle in handles:
        handle.remove()
    found = {}

    def keep_first(layer, _args, out):
        if layer not in found:
            found[layer] = Statistics.of(out, _at(out))

    for layer in layers:  # ahead of the drag's own hooks: these see the write pass untouched
        layer.register_forward_hook(keep_first)
    try:
        drag(sd, controlnets, settings=DragSettings(attention=False))
    finally:
        for layer in layers:
            layer._forward_hooks.clear()
    assert found.keys() == wanted.keys()
    for layer in layers:
        torch.testing.assert_close(found[layer].mean, wanted[layer].mean, atol=1e-5, rtol=0)
        torch.testing.assert_close(found[layer].variance, wanted[layer].variance)


def _at(out):
    from editanything.backends.diffusion.drag.bank import mask_at

    return mask_at(TAKEN, tuple(out.shape[2:]))


@pytest.mark.parity("P19")
def test_p19_normalisation_reaches_the_edited_part_and_not_what_is_kept(sd):
    last = sd.unet.up_blocks[1].resnets[-1]
    seen = []
    with dragging(sd.unet, sd.scheduler, taken(), EDITED, settings=DragSettings(attention=False)):
        handle = last.register_forward_hook(lambda _m, _a, out: seen.append(out))
        step(sd)
        handle.remove()
    goal = Statistics.of(seen[0], TAKEN)  # the write pass
    found = Statistics.of(seen[1], EDITED)  # the read pass, behind the drag's own hook
    torch.testing.assert_close(found.mean, goal.mean.expand_as(found.mean), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        found.variance, goal.variance.expand_as(found.variance), rtol=1e-3, atol=1e-4
    )
    kept = Statistics.of(seen[1], ~EDITED)
    assert (kept.mean - goal.mean).abs().max() > 1e-2


@pytest.mark.parity("P21")
def test_p21_full_style_fidelity_leaves_the_unconditional_half_plain(sd, controlnets):
    plain = step(sd, controlnets)
    found = drag(sd, controlnets, settings=DragSettings(style_fidelity=1.0, frequency=0.5))
    torch.testing.assert_close(found[:1], plain[:1], atol=1e-5, rtol=0)
    assert (found[1:] - plain[1:]).abs().max() > 1e-3


@pytest.mark.parity("P21")
def test_p21_every_setting_changes_something(sd, controlnets):
    base = drag(sd, controlnets)
    for name, value in {
        "attention": False, "adain": False, "attention_weight": 0.3, "groupnorm_weight": 0.3,
        "style_fidelity": 0.5, "frequency": 0.5, "position_scale": 0.9, "content_scale": 0.9,
    }.items():  # fmt: skip
        settings = DragSettings(**{name: value})
        if name.endswith("_scale"):
            nets = controls(controlnets)
            scales = (settings.position_scale, settings.content_scale)
            nets = [
                Control(c.net, c.condition, s, c.takes) for c, s in zip(nets, scales, strict=True)
            ]
            with dragging(sd.unet, sd.scheduler, taken(), EDITED, controls=nets):
                found = step(sd, controlnets)
        else:
            found = drag(sd, controlnets, settings=settings)
        assert (found - base).abs().max() > 1e-5, name


def test_weights_of_nothing_are_no_drag(sd, controlnets):
    nothing = DragSettings(attention_weight=0, groupnorm_weight=0)
    assert torch.equal(drag(sd, controlnets, settings=nothing), step(sd, controlnets))


@pytest.mark.parity("P18")
def test_p18_without_guidance_and_over_the_whole_picture(sd, controlnets):
    whole = torch.ones(8, 8, dtype=torch.bool)
    alone = drag(sd, controlnets, halves=1, edited=whole)
    assert alone.shape == (1, 4, 8, 8)
    assert torch.isfinite(alone).all()
    assert not torch.equal(alone, step(sd, controlnets, halves=1))


@pytest.mark.parity("P29")
def test_p29_each_of_several_pictures_is_as_it_is_alone(sd, controlnets):
    sample = drawn(3, 4, 8, 8, seed=4)
    noise = drawn(3, 4, 8, 8, seed=2)
    settings = DragSettings(style_fidelity=0.3, frequency=0.2)
    together = drag(
        sd, controlnets, pictures=3, sample=sample, source=taken(noise=noise), settings=settings
    )
    for k in range(3):
        one = drag(
            sd, controlnets, sample=sample[k : k + 1], source=taken(noise=noise[k : k + 1]),
            settings=settings,
        )  # fmt: skip
        both = together[[k, 3 + k]]
        # Kernels for other sizes of a batch round otherwise: by 3e-5 on some machines.
        torch.testing.assert_close(one, both, atol=1e-4, rtol=0)


def test_another_thread_sees_nothing_of_a_drag(sd):
    plain, found = step(sd), []
    with dragging(sd.unet, sd.scheduler, taken(), EDITED):
        dragged = step(sd)
        other = threading.Thread(target=lambda: found.append(step(sd)))
        other.start()
        other.join()
        assert torch.equal(step(sd), dragged)
    assert torch.equal(found[0], plain)
    assert not torch.equal(dragged, plain)


@pytest.mark.parity("P18")
@pytest.mark.parametrize("scheduler", ["UniPCMultistepScheduler", "EulerDiscreteScheduler"])
def test_p18_an_inpainting_base_in_its_own_pipeline(sd_inpaint, scheduler):
    import diffusers

    pipe = copy.copy(sd_inpaint)
    pipe.scheduler = getattr(diffusers, scheduler).from_config(sd_inpaint.scheduler.config)
    words = drawn(1, 77, 32, seed=3)
    given = taken(latents=drawn(1, 4, 8, 8), prompt=words)

    def painted():
        return pipe(
            image=drawn(1, 3, 64, 64).sigmoid(), mask_image=torch.ones(1, 1, 64, 64),
            prompt_embeds=words, negative_prompt_embeds=drawn(1, 77, 32, seed=6), height=64,
            width=64, num_inference_steps=3, output_type="pt",
            generator=torch.Generator().manual_seed(0),
        ).images  # fmt: skip

    before = painted()
    with dragging(pipe.unet, pipe.scheduler, given, EDITED):
        during = painted()
    assert not torch.equal(before, during)
    assert torch.equal(before, painted())


@pytest.mark.parity("P18")
def test_p18_sdxl_in_its_own_pipeline(sdxl):
    given = taken(prompt=drawn(1, 77, 64), pooled=drawn(1, 32))

    def painted():
        return sdxl(
            "a dog", height=64, width=64, num_inference_steps=2, output_type="latent",
            generator=torch.Generator().manual_seed(0),
        ).images  # fmt: skip

    before = painted()
    with dragging(sdxl.unet, sdxl.scheduler, given, EDITED):
        during = painted()
    assert not torch.equal(before, during)
    assert torch.equal(before, painted())


def test_what_cannot_be_dragged_is_told(sd, ip2p):
    with (
        pytest.raises(InputError, match="4 or 9 channels of input; this one has 8"),
        dragging(ip2p.unet, ip2p.scheduler, taken(), EDITED),
    ):
        pass
    with pytest.raises(InputError, match="nothing is taken"):
        taken(mask=torch.zeros(8, 8, dtype=torch.bool))
    with (
        pytest.raises(InputError, match="nothing of the picture is edited"),
        dragging(sd.unet, sd.scheduler, taken(), torch.zeros(8, 8, dtype=torch.bool)),
    ):
        pass
