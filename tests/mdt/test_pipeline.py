import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

import mdt
from mdt.diffusion.inpaint import HIDE_ABOVE
from mdt.models import Text, build_model
from mdt.schedulers import make_scheduler

# Of diffusers' schedulers, which hand tensors to numpy 2's np.array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TINY = {"input_size": 8, "hidden_size": 32, "depth": 2, "num_heads": 4, "num_classes": 3}
SCHEDULERS = [
    diffusers.DDIMScheduler,
    diffusers.DPMSolverMultistepScheduler,
    diffusers.UniPCMultistepScheduler,
    diffusers.EulerDiscreteScheduler,
    diffusers.DDPMScheduler,
]


def tiny(name="mdtv2_s2", **settings):
    torch.manual_seed(0)
    model = build_model(name, **{**TINY, "in_channels": 3, "decode_layers": 0, **settings}).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    return model


def tiny_vae(**settings):
    torch.manual_seed(1)
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        **settings,
    ).eval()


def make(model=None, scheduler=None, vae=None):
    pipe = mdt.Pipeline(model or tiny(), scheduler, vae)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def draw(pipe, label=(0, 1), **more):
    more = {"num_inference_steps": 4, "output_type": "pt", **more}
    return pipe(label if label is None else list(label), **more).images


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)


@pytest.fixture
def hole():
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:5, 3:7] = True
    return mask


def test_the_outputs_agree():
    pipe = make()
    pt = draw(pipe)
    assert pt.shape == (2, 3, 8, 8)
    assert 0 <= pt.min() < pt.max() <= 1
    assert np.array_equal(draw(pipe, output_type="np"), pt.permute(0, 2, 3, 1).numpy())
    pil = draw(pipe, output_type="pil")
    assert np.array_equal(np.asarray(pil[1]), (255 * pt[1]).round().byte().permute(1, 2, 0))
    latent = draw(pipe, output_type="latent")
    assert torch.equal((latent / 2 + 0.5).clamp(0, 1), pt)
    assert torch.equal(
        pipe([0, 1], num_inference_steps=4, output_type="pt", return_dict=False)[0], pt
    )


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_schedulers_of_diffusers_walk(kind):
    pipe = make()
    pipe.scheduler = kind.from_config(pipe.scheduler.config)
    once = draw(pipe, output_type="latent")
    assert torch.isfinite(once).all()
    assert torch.equal(draw(pipe, output_type="latent"), once)
    assert not torch.equal(draw(pipe, output_type="latent", seed=9), once)


def test_our_ddim_and_that_of_diffusers_are_the_same():
    betas = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}
    theirs = diffusers.DDIMScheduler(**betas, clip_sample=False)
    pipe = make(scheduler=theirs)
    ours = draw(pipe, output_type="latent", sampler="ddim", guidance_scale=2.0)
    scale = ours.abs().max()
    walked = draw(pipe, output_type="latent", guidance_scale=2.0)
    assert (walked - ours).abs().max() < 1e-4 * scale


def test_a_learned_variance_goes_to_ddpm_alone():
    learned = diffusers.DDPMScheduler(
        beta_start=1e-4, beta_end=0.02, variance_type="learned_range", clip_sample=False
    )
    pipe = make(tiny(in_channels=4), learned)
    x = draw(pipe, output_type="latent")
    assert torch.isfinite(x).all()
    pipe.scheduler = diffusers.DDPMScheduler.from_config(
        learned.config, variance_type="fixed_small"
    )
    assert not torch.equal(draw(pipe, output_type="latent"), x)
    # DPM-Solver knows the setting and would cut the four channels to three.
    pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(learned.config)
    assert draw(pipe, output_type="latent").shape == (2, 4, 8, 8)


@pytest.mark.parametrize("name", ["ddpm", "ddim", "euler", "heun", "dpmpp_2m", "unipc"])
@pytest.mark.parametrize("schedule", ["linear", "flow"])
def test_our_samplers_walk(name, schedule):
    pipe = make(scheduler=make_scheduler(schedule))
    assert torch.isfinite(draw(pipe, sampler=name, output_type="latent")).all()


@pytest.mark.parametrize("theirs", [None, diffusers.FlowMatchEulerDiscreteScheduler()])
def test_flow_schedulers_walk(theirs):
    pipe = make(tiny(learn_sigma=False), theirs or make_scheduler("flow"))
    walked = draw(pipe, output_type="latent", num_inference_steps=20)
    ours = draw(pipe, output_type="latent", num_inference_steps=20, sampler="euler")
    bound = 1e-4 if theirs else 0.1  # the same method, or one of another order
    assert (walked - ours).abs().max() < bound * ours.abs().max()


@pytest.mark.parametrize("sampler", [None, "ddpm", "dpmpp_2m"])
def test_a_picture_does_not_depend_on_its_batch(sampler):
    pipe = make(scheduler=diffusers.DDPMScheduler() if sampler is None else None)
    settings = {"guidance_scale": 3.0, "guidance_power": 4.0, "sampler": sampler}
    together = draw(pipe, [0, 1, None], seed=5, **settings)
    alone = draw(pipe, [None], seed=7, **settings)
    assert torch.allclose(together[2:], alone, atol=1e-5)
    assert torch.allclose(draw(pipe, [1, None], seed=[6, 7], **settings), together[1:], atol=1e-5)
    generators = [torch.Generator().manual_seed(s) for s in (5, 6, 7)]
    assert torch.equal(draw(pipe, [0, 1, None], generator=generators, **settings), together)


def test_labels_guidance_and_given_noise_matter():
    pipe = make()
    plain = draw(pipe)
    assert not torch.allclose(draw(pipe, [2, 1])[0], plain[0])
    guided = draw(pipe, guidance_scale=4.0)
    assert not torch.allclose(guided, plain)
    assert not torch.allclose(draw(pipe, guidance_scale=4.0, guidance_power=4.0), guided)
    assert not torch.allclose(draw(pipe, guidance_scale=4.0, guidance_interval=(0, 0.5)), guided)
    assert torch.equal(draw(pipe, guidance_scale=4.0, guidance_interval=(0.0, 1.0)), guided)
    assert torch.equal(draw(pipe, guidance_scale=4.0, guidance_skip_below=3.1), plain)
    assert torch.equal(draw(pipe, None, num_images=2)[:1], draw(pipe, [None]))
    noise = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    given = draw(pipe, latents=noise)
    assert torch.equal(draw(pipe, latents=noise, seed=8), given)
    assert draw(pipe, None, size=(12, 16)).shape == (1, 3, 12, 16)


def test_unconditional_and_text_networks():
    assert draw(make(tiny(num_classes=None)), None).shape == (1, 3, 8, 8)
    words = Text(torch.randn(2, 5, 6), torch.randn(2, 7), torch.ones(2, 5, dtype=torch.bool))
    pipe = make(tiny(text_dims=(6, 7)))
    pictures = pipe(words, num_inference_steps=2, guidance_scale=2.0, output_type="pt").images
    assert pictures.shape == (2, 3, 8, 8)


def test_with_a_vae():
    vae = tiny_vae(scaling_factor=0.5, shift_factor=0.25)
    pipe = make(tiny(in_channels=4), vae=vae)
    latent = draw(pipe, output_type="latent")
    assert latent.shape == (2, 4, 8, 8)
    with torch.no_grad():
        pixels = vae.decode(latent / 0.5 + 0.25).sample
    assert torch.equal(draw(pipe), (pixels / 2 + 0.5).clamp(0, 1))
    assert draw(pipe, size=(16, 24)).shape == (2, 3, 16, 24)


@pytest.mark.parametrize("sampler", [None, "heun"])
def test_types_move(sampler):
    pipe = make(tiny(in_channels=4), vae=tiny_vae()).to(torch.bfloat16)
    assert pipe.model.dtype == pipe.vae.dtype == torch.bfloat16
    pictures = draw(pipe, sampler=sampler, guidance_scale=2.0)
    assert pictures.dtype == torch.float32
    assert torch.isfinite(pictures).all()
    assert draw(pipe.to(torch.float64), sampler=sampler).dtype == torch.float32


@pytest.mark.parametrize("sampler", [None, "ddim", "dpmpp_2m"])
def test_a_callback_sees_changes_and_stops(sampler):
    pipe, seen = make(), []

    def watch(pipe, i, t, given):
        seen.append((i, float(t), given["latents"].clone()))
        return given

    whole = draw(pipe, sampler=sampler, output_type="latent", callback_on_step_end=watch)
    assert [i for i, _, _ in seen] == [0, 1, 2, 3]
    assert [t for _, t, _ in seen] == sorted((t for _, t, _ in seen), reverse=True)
    assert torch.equal(seen[-1][2], whole)

    def stop(pipe, i, t, given):
        pipe._interrupt = i == 1
        return {}

    stopped = draw(pipe, sampler=sampler, output_type="latent", callback_on_step_end=stop)
    assert torch.equal(stopped, seen[1][2])
    assert pipe.interrupt

    def zero(pipe, i, t, given):
        return {"latents": torch.zeros_like(given["latents"])}

    changed = draw(pipe, sampler=sampler, output_type="latent", callback_on_step_end=zero)
    assert not changed.any()
    assert not pipe.interrupt

    def cancel(pipe, i, t, given):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        draw(pipe, sampler=sampler, callback_on_step_end=cancel)
    assert torch.equal(draw(pipe, sampler=sampler, output_type="latent"), whole)


@pytest.mark.parametrize("schedule", ["linear", "flow"])
def test_a_callback_sees_what_is_guessed(schedule):
    scheduler = diffusers.DDIMScheduler(beta_end=0.02, beta_start=1e-4, clip_sample=False)
    pipe = make(scheduler=make_scheduler("flow") if schedule == "flow" else scheduler)

    def guesses(sampler):
        seen = []

        def watch(pipe, i, t, given):
            assert sorted(given) == ["latents", "x0"]
            seen.append(given["x0"].clone())
            return {}

        asked = {"callback_on_step_end": watch, "sampler": sampler}
        asked["callback_on_step_end_tensor_inputs"] = ["latents", "x0"]
        x = draw(pipe, output_type="latent", **asked)
        assert torch.allclose(seen[-1], x, rtol=1e-3, atol=1e-3 * float(x.abs().max()))
        return torch.stack(seen)

    theirs, ours = guesses(None), guesses("ddim" if schedule == "linear" else "dpmpp_2m")
    # diffusers' DPM-Solver++ begins just below the time 1, ours at it.
    bound = 1e-3 if schedule == "linear" else 0.1
    assert (theirs - ours).abs().max() < bound * ours.abs().max()


def test_class_names(tmp_path):
    names = {0: "tench, Tinca tinca", 2: "crane"}
    pipe = mdt.Pipeline(tiny(), id2label=names)
    assert pipe.labels == {"tench, Tinca tinca": 0, "tench": 0, "Tinca tinca": 0, "crane": 2}
    pipe.save_pretrained(tmp_path)
    pipe = mdt.Pipeline.from_pretrained(tmp_path)
    pipe.set_progress_bar_config(disable=True)
    assert pipe.id2label == names
    by_name, by_number = draw(pipe, ["Crane", "tench", None]), draw(pipe, [2, 0, 3])
    assert torch.equal(by_name, by_number)
    one = pipe("crane", num_images=2, num_inference_steps=4, output_type="pt").images
    assert torch.equal(one, draw(pipe, [2, 2]))
    pipe.set_labels(["a", "b", "b, c"])
    assert pipe.labels == {"a": 0, "b, c": 2, "c": 2}  # "b" stands for two
    pipe.set_labels(None)
    assert pipe.labels == {}
    for wrong in ("cat", {"x": "cat"}, {0: 7}, {3: "cat"}):
        with pytest.raises(ValueError, match=r"[Cc]lass"):
            pipe.set_labels(wrong)
    with pytest.raises(ValueError, match="no classes"):
        mdt.Pipeline(tiny(num_classes=None), id2label=["a"])


@pytest.mark.parametrize("sampler", [None, "ddpm", "unipc"])
def test_the_progress_bar_counts_steps(sampler, capsys):
    pipe = make()
    pipe.set_progress_bar_config(disable=False)
    draw(pipe, sampler=sampler)
    assert "4/4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("way", "hide_tokens"),
    [
        *((kind, False) for kind in SCHEDULERS),
        ("ddpm", False),
        ("dpmpp_2m", True),
        (diffusers.DDIMScheduler, True),
    ],
)
def test_inpainting_keeps_known_pixels(way, hide_tokens, picture, hole):
    pipe, sampler = make(), way if isinstance(way, str) else None
    if sampler is None:
        pipe.scheduler = way.from_config(pipe.scheduler.config)
    before = picture.copy()
    settings = {"image": picture, "mask": hole, "sampler": sampler, "hide_tokens": hide_tokens}
    settings |= {"num_inference_steps": 3}
    for drawn in draw(pipe, output_type="pil", guidance_scale=2.0, **settings):
        assert np.array_equal(np.asarray(drawn)[~hole], picture[~hole])
        assert (np.asarray(drawn)[hole] != picture[hole]).any()
    assert np.array_equal(picture, before)
    # What lies under the mask is not looked at.
    other = np.where(hole[..., None], 0, picture).astype(np.uint8)
    blind = draw(pipe, **{**settings, "image": Image.fromarray(other)})
    assert torch.equal(blind, draw(pipe, **settings))


@pytest.mark.parametrize("sampler", [None, "ddim"])
def test_tokens_are_hidden_at_high_noise_alone(sampler, picture, hole, monkeypatch):
    """An MDT v1 that hides them to the end draws noise."""
    pipe, asked = make(tiny("mdt_s2")), {}
    forward = pipe.model.forward

    def noted(x, t, label=None, kept=None):
        asked[float(t[0])] = kept is not None
        return forward(x, t, label, kept)

    monkeypatch.setattr(pipe.model, "forward", noted)
    settings = {"image": picture, "mask": hole, "num_inference_steps": 10}
    draw(pipe, [1], sampler=sampler, hide_tokens=True, **settings)
    assert {time: time >= HIDE_ABOVE for time in asked} == asked
    assert set(asked.values()) == {True, False}


def test_both_ways_of_inpainting_agree(picture, hole):
    pipe = make(
        scheduler=diffusers.DDIMScheduler(beta_end=0.02, beta_start=1e-4, clip_sample=False)
    )
    settings = {"image": picture, "mask": hole, "output_type": "latent", "num_inference_steps": 20}
    ours, theirs = draw(pipe, sampler="ddim", **settings), draw(pipe, **settings)
    assert (ours - theirs).abs().max() < 0.05 * ours.abs().max()


def test_inpainting_through_a_vae_keeps_known_pixels(picture, hole):
    pipe = make(tiny(in_channels=4), vae=tiny_vae())
    shown = Image.fromarray((hole * 255).astype(np.uint8))
    (drawn,) = draw(pipe, [1], image=picture, mask=shown, output_type="pil")
    assert np.array_equal(np.asarray(drawn)[~hole], picture[~hole])


def test_save_and_load(tmp_path):
    scheduler = diffusers.UniPCMultistepScheduler.from_config(make_scheduler("cosine", "v").config)
    pipe = make(tiny(in_channels=4), scheduler, tiny_vae())
    pipe.save_pretrained(tmp_path)
    again = mdt.Pipeline.from_pretrained(tmp_path)
    again.set_progress_bar_config(disable=True)
    assert type(again.scheduler) is diffusers.UniPCMultistepScheduler
    for settings in ({"guidance_scale": 2.0}, {"sampler": "heun"}):
        assert torch.allclose(draw(again, **settings), draw(pipe, **settings), atol=1e-4)


@pytest.mark.parametrize(
    ("label", "settings", "words"),
    [
        ([3, 4], {}, "There is no class 4; this model knows 0 to 2"),
        ([0], {"num_images": 2}, "2 pictures and 1 labels"),
        ([0], {"seed": [1, 2]}, "1 pictures and 2 seeds"),
        (None, {"guidance_scale": 2.0}, "nothing to be guided by"),
        ([0], {"sampler": "dpm++2m"}, "did you mean 'dpmpp_2m'"),
        ([0], {"output_type": "png"}, "one of pil, np, pt, latent"),
        ([0], {"num_inference_steps": 0}, "1 to 1000"),
        ([0], {"size": 9}, "does not divide"),
        ([0], {"latents": torch.zeros(1, 4, 8, 8)}, "must be"),
        ([0], {"image": np.zeros((8, 8, 3), np.uint8)}, "image= and mask="),
        ([0], {"image": np.zeros((8, 8, 3)), "mask": np.ones((8, 8), bool)}, "uint8"),
        ([0], {"image": np.zeros((8, 8, 3), np.uint8), "mask": np.ones((8, 7), bool)}, "mask"),
        ([0], {"hide_tokens": True}, "inpainting"),
        ([0], {"callback_on_step_end_tensor_inputs": ["prompt"]}, "prompt"),
    ],
)
def test_bad_calls_get_one_sentence(label, settings, words):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as caught:
        draw(make(), label, **settings)
    assert words in str(caught.value)


def test_parts_that_do_not_fit():
    with pytest.raises(ValueError, match="no VAE"):
        draw(make(tiny(in_channels=4)))
    with pytest.raises(ValueError, match="belong together"):
        make(tiny(), vae=tiny_vae())
    with pytest.raises(ValueError, match="no classes"):
        draw(make(tiny(num_classes=None)), [1])
    with pytest.raises(ValueError, match="go together"):
        make_scheduler("linear", "flow")


def test_folders_that_hold_no_pipeline(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        mdt.Pipeline.from_pretrained(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no pipeline"):
        mdt.Pipeline.from_pretrained(tmp_path)
    tiny().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="mdt export"):
        mdt.Pipeline.from_pretrained(tmp_path)
