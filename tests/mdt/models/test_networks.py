import pytest
import torch
from torch import nn

import mdt.models as models
from mdt.models import MODELS, Text, build_model, draw_kept, drop_label

ADALN = {"hidden_size": 16, "depth": 4, "num_heads": 2}
TINY = {
    "mdt_s2": {**ADALN, "decode_layers": 2},
    "mdtv2_s2": {**ADALN, "decode_layers": 2},
    "dit_s2": ADALN,
    "uvit_s2": ADALN,
    "unet_s": {"width": 8, "multipliers": (1, 2), "num_blocks": 1, "attention_levels": (1,)},
}
MASKED = ("mdt_s2", "mdtv2_s2")


def tiny(name, **settings):
    torch.manual_seed(0)
    model = build_model(name, **{"input_size": 8, "num_classes": 3, **TINY[name], **settings})
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.1)
    return model


def call(model, size=(8, 8), label=(0, 2), **more):
    x = torch.randn(2, model.in_channels, *size, generator=torch.Generator().manual_seed(7))
    label = torch.tensor(label) if type(label) is tuple else label
    return model(x, torch.tensor([3, 700]), label, **more)


def text(lengths=(3, 5), length=5):
    g = torch.Generator().manual_seed(1)
    mask = torch.arange(length) < torch.tensor(lengths)[:, None]
    return Text(
        torch.randn(2, length, 6, generator=g), torch.randn(2, 7, generator=g), mask
    )  # fmt: skip


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("learn_sigma", [False, True])
@pytest.mark.parametrize("size", [(8, 8), (4, 12), (16, 8)])
def test_shapes_at_any_size(name, learn_sigma, size):
    """Other sizes than the network was made for interpolate positions and tables."""
    model = tiny(name, learn_sigma=learn_sigma, in_channels=3)
    assert call(model, size).shape == (2, 6 if learn_sigma else 3, *size)
    built_so = tiny(name, learn_sigma=learn_sigma, in_channels=3, input_size=list(size))
    assert call(built_so, size).shape == (2, 6 if learn_sigma else 3, *size)
    if name in MASKED:
        kept = draw_kept(2, model.num_tokens(torch.empty(2, 3, *size)), 0.5)
        assert call(model, size, kept=kept).isfinite().all()


@pytest.mark.parametrize("name", TINY)
def test_gradients_reach_every_parameter(name):
    model = tiny(name, skip_scale="gate") if name in ("mdtv2_s2", "unet_s") else tiny(name)
    loss = call(model).square().mean() + call(model, label=(3, 1)).square().mean()
    if name in MASKED:
        loss = loss + call(model, kept=torch.tensor([[1, 2, 9], [4, 0, 15]])).square().mean()
    loss.backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


@pytest.mark.parametrize("name", TINY)
def test_unconditional(name):
    model = tiny(name, num_classes=None)
    assert call(model, label=None).shape[0] == 2
    assert model.null_label(None) is None
    with pytest.raises(ValueError, match="built for no label; it got class labels"):
        call(model)


@pytest.mark.parametrize("name", TINY)
def test_classes(name):
    model = tiny(name)
    null = model.null_label(torch.tensor([0, 2]))
    assert null.tolist() == [3, 3]
    assert torch.equal(call(model, label=None), call(model, label=null))
    assert not torch.equal(call(model, label=None), call(model))
    for bad in ((0, 4), (-1, 0)):
        with pytest.raises(ValueError, match="this model knows 0 to 2"):
            call(model, label=bad)
    with pytest.raises(ValueError, match="2 pictures and 3 labels"):
        call(model, label=(0, 1, 2))
    with pytest.raises(ValueError, match="built for classes; it got text"):
        call(model, label=text())
    without = tiny(name, null_class=False)
    with pytest.raises(ValueError, match="null class"):
        without.null_label(torch.tensor([0]))
    with pytest.raises(ValueError, match="knows 0 to 2"):
        call(without, label=(0, 3))


@pytest.mark.parametrize("name", TINY)
def test_text(name):
    model, label = tiny(name, text_dims=(6, 7)), text()
    out = call(model, label=label)
    garbage = torch.where(label.mask[..., None], label.tokens, 99.0)
    same = call(model, label=label._replace(tokens=garbage))
    assert torch.allclose(out, same, atol=1e-6), "padding must not be seen"
    longer = Text(
        nn.functional.pad(label.tokens, (0, 0, 0, 3)), label.pooled,
        nn.functional.pad(label.mask, (0, 3)),
    )  # fmt: skip
    assert torch.allclose(out, call(model, label=longer), atol=1e-6)
    for changed in (
        label._replace(tokens=-label.tokens),
        label._replace(pooled=-label.pooled),
        model.null_label(label),
    ):
        assert not torch.allclose(out, call(model, label=changed), atol=5e-6, rtol=0)
    null = model.null_label(label)
    other = model.null_label(label._replace(tokens=-label.tokens, pooled=-label.pooled))
    assert torch.allclose(call(model, label=null), call(model, label=other), atol=1e-6)
    if name in MASKED:
        kept = torch.tensor([[1, 2, 9], [4, 0, 15]])
        out = call(model, label=label, kept=kept)
        same = call(model, label=label._replace(tokens=garbage), kept=kept)
        assert torch.allclose(out, same, atol=1e-6)
    for bad, says in (
        (label._replace(pooled=torch.zeros(2, 8)), "width 7; got 6 and 8"),
        (label._replace(mask=torch.ones(2, 5)), r"must be bool \(2, 5\)"),
        (None, "needs a Text"),
        (Text(*(part[:1] for part in label)), "2 pictures and 1 labels"),
    ):
        with pytest.raises(ValueError, match=says):
            call(model, label=bad)


@pytest.mark.parametrize("name", TINY)
def test_saved_folder_gives_the_same_network(name, tmp_path):
    model = tiny(name, input_size=(4, 8)).eval()
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path)
    assert torch.equal(call(again, (4, 8)), call(model, (4, 8)))
    assert dict(again.config)["num_classes"] == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ]


@pytest.mark.parametrize("name", TINY)
def test_gradient_checkpointing_changes_nothing(name):
    grads = []
    kept = torch.tensor([[1, 2, 9], [4, 0, 15]]) if name in MASKED else None
    for on in (False, True):
        model = tiny(name)
        if on:
            model.enable_gradient_checkpointing()
        call(model, kept=kept).square().mean().backward()
        grads.append([p.grad for p in model.parameters() if p.grad is not None])
    for a, b in zip(*grads, strict=True):
        assert torch.allclose(a, b, atol=1e-7)


@pytest.mark.parametrize("name", TINY)
def test_half_precision(name):
    model = tiny(name).to(torch.bfloat16)
    x = torch.randn(2, 4, 8, 8, dtype=torch.bfloat16)
    out = model(x, torch.tensor([3, 700]), torch.tensor([0, 1]))
    assert out.dtype == torch.bfloat16
    model = tiny(name)
    with torch.autocast("cpu", torch.bfloat16):
        call(model).float().square().mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("name", MASKED)
def test_masked_pass(name):
    model = tiny(name).eval()
    assert torch.equal(
        call(model, kept=torch.tensor([[1, 2, 9]])),
        call(model, kept=torch.tensor([[1, 2, 9]] * 2)),
    ), "one draw for the batch"
    kept = torch.tensor([[1, 2, 9], [4, 0, 15]])
    assert torch.allclose(call(model, kept=kept), call(model, kept=kept.flip(1)), atol=1e-6)
    everything = torch.arange(16).expand(2, -1)
    assert torch.allclose(call(model, kept=everything), call(model), atol=1e-6)


def test_the_encoder_sees_kept_tokens_only():
    """v1 predicts from context alone; v2's decoder has its shortcut to every token."""
    kept = torch.tensor([[0, 1, 4, 5]] * 2)  # the upper left quarter
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(7))
    changed = x.clone()
    changed[:, :, 4:] += 1
    t, label = torch.tensor([3, 700]), torch.tensor([0, 1])
    for name, sees in (("mdt_s2", False), ("mdtv2_s2", True)):
        model = tiny(name)
        same = torch.equal(model(x, t, label, kept), model(changed, t, label, kept))
        assert same != sees


@pytest.mark.parametrize("name", ["dit_s2", "uvit_s2", "unet_s"])
def test_networks_without_a_masked_pass_say_so(name):
    with pytest.raises(ValueError, match="has no masked pass"):
        call(tiny(name), kept=torch.tensor([[0], [1]]))


def test_stripped_models_refuse_the_masked_pass():
    with pytest.raises(ValueError, match="mask token"):
        call(tiny("mdt_s2", maskable=False), kept=torch.tensor([[0], [1]]))


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("mdtv2_s2", {"depth": 12, "decode_layers": 5}, "must be even; got 12 - 5 = 7"),
        ("mdtv2_s2", {"depth": 12, "decode_layers": 13}, "lies in 0 to depth=12"),
        ("mdt_s2", {"decode_layers": -1}, "lies in 0 to depth"),
        ("uvit_s2", {"depth": 13}, "depth must be even; got 13"),
        ("mdt_s2", {"num_heads": 5}, "384 does not divide into 5"),
        ("mdt_s4", {"input_size": 30}, "30x30 .* patches of 4"),
        ("mdt_s2", {"input_size": (8, 8, 8)}, "one whole number or"),
        ("dit_s2", {"hidden_size": 6, "num_heads": 1}, "divides by 4"),
        ("unet_s", {"input_size": 30}, "halves its input 2 times"),
        ("unet_s", {"multipliers": ()}, "at least one level"),
        ("unet_s", {"width": 100}, "does not divide into heads|do not divide"),
        ("dit_s2", {"num_classes": 0}, "1 or more, or None"),
        ("dit_s2", {"text_dims": (3,)}, "text_dims"),
        ("dit_s2", {"num_head": 3}, "did you mean 'num_heads'"),
        ("mdtv2_s3", {}, "did you mean 'mdtv2_s"),
        ("MDTv2-S2", {}, "did you mean 'mdtv2_s2'"),
        ("resnet", {}, "there is no model|There is no model"),
    ],
)
def test_bad_settings_get_one_sentence(name, settings, says):
    with pytest.raises(ValueError, match=says) as caught, torch.device("meta"):
        build_model(name, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", TINY)
def test_bad_inputs_get_one_sentence(name):
    model = tiny(name)
    t = torch.tensor([1])
    with pytest.raises(ValueError, match=r"takes \(B, 4, h, w\); got \(1, 3, 8, 8\)"):
        model(torch.zeros(1, 3, 8, 8), t)
    with pytest.raises(ValueError, match="does not divide"):
        model(torch.zeros(1, 4, 7, 8), t)
    with pytest.raises(ValueError, match="did you mean 'math'"):
        model.set_attention_backend("maths")


@pytest.mark.parametrize("name", MODELS)
def test_every_name_builds(name):
    with torch.device("meta"):
        model = build_model(name)
    assert f"{'x' if 'xl' in name else ''}" in name
    assert sum(p.numel() for p in model.parameters()) > 20e6


@pytest.mark.parametrize("name", ["mdt_s2", "mdtv2_s2", "dit_s2", "unet_s"])
def test_fresh_networks_start_at_zero(name):
    """adaLN-Zero and the zeroed last layer: the first prediction is nothing."""
    torch.manual_seed(0)
    model = build_model(name, input_size=8, num_classes=3, **TINY[name])
    assert not call(model).any()


def test_label_drop():
    g = torch.Generator().manual_seed(0)
    label = torch.arange(1000) % 3
    null = torch.full_like(label, 3)
    dropped = drop_label(label, null, 0.1, g)
    share = (dropped == 3).float().mean()
    assert 0.07 < share < 0.13
    assert torch.equal(dropped[dropped != 3], label[dropped != 3])
    assert drop_label(label, null, 0.0) is label
    assert drop_label(None, None, 0.5) is None
    words = text()
    gone = words._replace(mask=torch.zeros_like(words.mask))
    assert torch.equal(drop_label(words, gone, 1.0).mask, gone.mask)
    assert torch.equal(drop_label(words, gone, 1e-9).mask, words.mask)


def test_the_door_is_small():
    assert len(models.__all__) <= 12
    assert all(hasattr(models, name) for name in models.__all__)


@pytest.mark.parametrize("name", MASKED)
def test_one_graph_for_the_compiler(name):
    """Nothing in a step, masked or not, makes torch.compile break its graph."""
    model = tiny(name)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    kept = torch.tensor([[1, 2, 9], [4, 0, 15]])
    arguments = torch.randn(2, 4, 8, 8), torch.tensor([3, 700]), torch.tensor([0, 2])
    assert torch.allclose(compiled(*arguments, kept), model(*arguments, kept), atol=1e-6)
