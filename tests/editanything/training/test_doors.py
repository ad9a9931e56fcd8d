"""The trainings from the command line: build, train, export."""

import pytest

from editanything.training.__main__ import main

SHORT = [
    "batch=2", "micro_batch=0", "steps=2", "save_every=2", "progress=false", "data.size=32",
    "data.workers=0", "precision=fp32", "checkpointing=false",
]  # fmt: skip


def goes(*argv):
    assert main([str(one) for one in argv]) == 0


def trained(name, tmp_path, *changes):
    goes("train", f"photo/{name}", *SHORT, f"output={tmp_path / 'run'}", *changes)
    goes("export", tmp_path / "run", "-o", tmp_path / "out")
    return sorted(file.name for file in (tmp_path / "out").iterdir())


@pytest.mark.parity("P31", "P32", door="cli")
def test_a_folder_becomes_shards_and_these_a_controlnet(pictures, base, tmp_path, capsys):
    goes(
        "build", pictures, "-o", tmp_path / "shards", "--segmenter", "classical",
        "--segmenter-set", "max_regions=12", "--side", "32", "--order", "area",
    )  # fmt: skip
    found = trained(
        "sam_controlnet", tmp_path, f"data.path={tmp_path / 'shards'}", f"model.base={base}"
    )
    assert found == ["config.json", "diffusion_pytorch_model.safetensors"]
    assert "6 pictures" in capsys.readouterr().out


@pytest.mark.parity("P23", door="cli")
def test_a_word(pictures, base, tmp_path):
    paths = f"data.path={pictures}", f"model.base={base}"
    found = trained("textual_inversion", tmp_path, *paths, "model.like=dog")
    assert found == ["learned_embeds.safetensors"]


@pytest.mark.parity("P34", door="cli")
def test_a_dreambooth_base(pictures, inpaint_base, tmp_path):
    found = trained(
        "dreambooth_inpaint", tmp_path, f"data.path={pictures}", f"model.base={inpaint_base}"
    )
    assert {"model_index.json", "unet", "vae", "text_encoder"} <= set(found)


@pytest.mark.parity("P35", door="cli")
def test_a_lora(pictures, inpaint_base, tmp_path):
    paths = f"data.path={pictures}", f"model.base={inpaint_base}"
    found = trained("lora_inpaint", tmp_path, *paths, "model.text_encoder=true")
    assert found == ["pytorch_lora_weights.safetensors"]
