"""ControlNets without training."""

import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from editanything.errors import InputError
from editanything.training.__main__ import main
from editanything.training.frozen import open_part
from editanything.training.others import inpainting_pipeline
from editanything.training.transfer import carried_over, init_control, transfer_control


@pytest.fixture(scope="module")
def other(tiny, tmp_path_factory):
    """Another base of the same kind."""
    folder = tmp_path_factory.mktemp("other")
    pipe = tiny.tiny_sd(4)
    torch.manual_seed(7)
    with torch.no_grad():
        for value in pipe.unet.parameters():
            value += 0.1 * torch.randn_like(value)
    pipe.save_pretrained(folder)
    return str(folder)


@pytest.mark.parity("P33")
def test_p33_a_fresh_controlnet_is_the_encoder_with_zero_convolutions(base, tmp_path):
    init_control(base, tmp_path / "out")
    control = ControlNetModel.from_pretrained(tmp_path / "out", use_safetensors=True)
    unet = UNet2DConditionModel.from_pretrained(base, subfolder="unet")
    assert torch.equal(control.conv_in.weight, unet.conv_in.weight)
    for ours, theirs in zip(
        control.down_blocks.parameters(), unet.down_blocks.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)
    assert all(not conv.weight.any() for conv in control.controlnet_down_blocks)


@pytest.mark.parity("P33", door="cli")
def test_p33_a_transfer_adds_what_the_bases_differ_by(tiny, base, other, tmp_path, capsys):
    control = tiny.tiny_controlnet(3)
    control.save_pretrained(tmp_path / "control")
    command = ["transfer", str(tmp_path / "control"), base, other, "-o", str(tmp_path / "out")]
    assert main(command) == 0
    assert "tensors carried over" in capsys.readouterr().out
    new = ControlNetModel.from_pretrained(tmp_path / "out", use_safetensors=True).state_dict()
    was = control.state_dict()
    a, b = (
        UNet2DConditionModel.from_pretrained(one, subfolder="unet").state_dict()
        for one in (base, other)
    )
    shared = a.keys() & was.keys()
    assert len(shared) > 50
    for name in shared:
        assert torch.allclose(new[name], was[name] + b[name] - a[name], atol=1e-6)
    for name in was.keys() - shared:
        assert torch.equal(new[name], was[name])
    back = tmp_path / "back"
    transfer_control(tmp_path / "out", other, base, back)
    again = ControlNetModel.from_pretrained(back).state_dict()
    assert all(torch.allclose(again[name], was[name], atol=1e-6) for name in was)


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_a_base_of_half_precision_is_opened_in_float32(tiny, variant, tmp_path):
    """Files of fp16 alone too, as the hub has of the inpainting base of Stable Diffusion 1.5."""
    tiny.tiny_sd(9).to(torch.float16).save_pretrained(tmp_path, variant=variant)
    for part in ("unet", "vae", "text_encoder"):
        opened = open_part(str(tmp_path), part)
        assert {value.dtype for value in opened.parameters()} == {torch.float32}, part
    pipe = inpainting_pipeline(str(tmp_path), open_part(str(tmp_path), "unet"))
    assert pipe.text_encoder.dtype == pipe.vae.dtype == torch.float32


def test_what_does_not_fit_is_one_sentence(base, tmp_path):
    a = {"x": torch.zeros(2)}
    with pytest.raises(InputError, match="no part in common"):
        carried_over(a, {"y": torch.zeros(2)}, {"y": torch.zeros(2)})
    with pytest.raises(InputError, match="must be of one kind"):
        carried_over(a, {"x": torch.zeros(2)}, {"x": torch.zeros(3)})
    with pytest.raises(InputError, match="is no ControlNet"):
        transfer_control(tmp_path, base, base, tmp_path / "out")
    with pytest.raises(InputError, match="The unet of"):
        init_control(str(tmp_path), tmp_path / "out")
