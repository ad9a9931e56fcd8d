import json
import os
import re
import shutil
import subprocess
import sys

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

from mdt.cli import VERBS, main
from mdt.convert import open_model
from mdt.models import build_model

# Of diffusers' schedulers, which hand tensors to numpy 2's np.array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TINY = {"input_size": 8, "hidden_size": 32, "depth": 2, "num_heads": 4, "num_classes": 3}


def tiny(name, **settings):
    torch.manual_seed(0)
    model = build_model(name, **{**TINY, "in_channels": 3, **settings}).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    return model


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A pixel generator, from a published checkpoint by the two verbs."""
    home = tmp_path_factory.mktemp("generator")
    torch.save(tiny("mdtv2_s2", decode_layers=0).state_dict(), home / "x.pt")
    assert main(["convert", str(home / "x.pt"), "-o", str(home / "model")]) == 0
    assert main(["export", str(home / "model"), "-o", str(home / "pipe")]) == 0
    assert sorted(path.name for path in home.iterdir()) == ["model", "pipe", "x.pt"]
    return home


def pixels(path):
    with Image.open(path) as picture:
        return np.array(picture)


def refused(capsys, *command):
    """The one sentence of a refusal."""
    capsys.readouterr()
    try:
        code = main([str(word) for word in command])
    except SystemExit as exit_:
        code = exit_.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    return err


def test_help_imports_nothing_heavy():
    code = "import sys; from mdt.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'torch', 'diffusers', 'numpy', 'PIL', 'yaml'} & set(sys.modules)\n"
    code += "try: main(['sample', '--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'torch', 'diffusers'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in VERBS)


@pytest.mark.parametrize(
    ("name", "settings", "options"),
    [
        ("mdt_s2", {"decode_layers": 1}, ["--decode-layers", "1"]),
        ("mdtv2_s2", {"depth": 3, "decode_layers": 1}, []),
        ("dit_s2", {}, ["--num-heads", "4"]),
    ],
)
def test_convert_keeps_the_network(tmp_path, name, settings, options):
    model = tiny(name, **settings)
    torch.save(model.state_dict(), tmp_path / "x.pt")
    assert main(["convert", str(tmp_path / "x.pt"), "-o", str(tmp_path / "m"), *options]) == 0
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ]
    x, t = torch.linspace(-1, 1, 192).view(1, 3, 8, 8), torch.tensor([500])
    again = type(model).from_pretrained(tmp_path / "m")
    weights = model.state_dict()
    for read in (again, open_model(tmp_path / "m")):
        assert type(read) is type(model)
        assert not read.training
        assert read.state_dict().keys() == weights.keys()
        assert all(torch.equal(value, weights[key]) for key, value in read.state_dict().items())
        with torch.no_grad():
            out, expected = (f(x, t, torch.tensor([1])) for f in (read, model))
        # Sums may depend on where in memory the weights lie.
        assert torch.allclose(out, expected, atol=1e-5)


def test_an_exported_pipeline_opens_in_a_fresh_process(exported):
    index = json.loads((exported / "pipe" / "model_index.json").read_text())
    assert index["_class_name"] == ["pipeline_mdt", "Pipeline"]
    assert index["model"] == ["mdt.models", "MDTv2"]
    # By plain diffusers too, which asks whether the folder is trusted.
    code = (
        "import sys, numpy, diffusers\n"
        "pipe = diffusers.DiffusionPipeline.from_pretrained(sys.argv[1], trust_remote_code=True)\n"
        "import mdt; assert type(pipe) is mdt.Pipeline\n"
        "assert type(mdt.Pipeline.from_pretrained(sys.argv[1])) is mdt.Pipeline\n"
        "numpy.save(sys.argv[2], pipe([2], num_inference_steps=2, output_type='np').images)"
    )
    saved = exported / "x.npy"
    done = subprocess.run(
        [sys.executable, "-c", code, exported / "pipe", saved],
        env=dict(os.environ, HF_MODULES_CACHE=str(exported / "modules")),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(exported / "modules")
    import mdt

    pipe = mdt.Pipeline.from_pretrained(exported / "pipe")
    pictures = pipe([2], num_inference_steps=2, output_type="np").images
    assert np.allclose(np.load(saved), pictures, atol=1e-5)
    saved.unlink()


def test_export_with_a_vae(tmp_path):
    tiny("mdtv2_s2", in_channels=4, decode_layers=0).save_pretrained(tmp_path / "m")
    vae = diffusers.AutoencoderTiny(
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        num_encoder_blocks=(1, 1),
        num_decoder_blocks=(1, 1),
        upsampling_scaling_factor=2,
    )
    vae.save_pretrained(tmp_path / "vae")
    command = ["export", tmp_path / "m", "--vae", tmp_path / "vae", "-o", tmp_path / "p"]
    assert main([*map(str, command), "--schedule", "flow"]) == 0
    out = tmp_path / "x.png"
    assert main(["sample", str(tmp_path / "p"), "-o", str(out), "--steps", "2"]) == 0
    assert pixels(out).shape == (16, 16, 3)


def test_sample_draws_a_grid_that_batches_do_not_change(exported, tmp_path, capsys):
    common = ["sample", str(exported / "pipe"), "--labels", "0,2", "--steps", "2", "--seed", "4"]
    common += ["--guidance", "3", "--power", "4", "--sampler", "heun", "-n", "5"]
    whole, pieces = tmp_path / "whole.png", tmp_path / "pieces.png"
    assert main([*common, "-o", str(whole)]) == 0
    assert main([*common, "-o", str(pieces), "--batch", "2"]) == 0
    assert capsys.readouterr().err == ""
    a, b = (pixels(path).astype(int) for path in (whole, pieces))
    assert a.shape == (16, 24, 3)
    assert not a[8:, 16:].any()
    assert np.array_equal(a, b)
    assert abs(a[:8, :8] - a[:8, 16:]).max() > 1


def test_classes_by_name(exported, tmp_path, capsys):
    names, pipe = tmp_path / "names.json", tmp_path / "p"
    names.write_text('{"0": "tench, Tinca tinca", "2": "crane"}')
    export = ["export", str(exported / "model"), "-o", str(pipe), "--classes"]
    assert main([*export, str(names)]) == 0
    common = ["--steps", "2", "-n", "3", "--labels"]
    for out, labels in (("a.png", "crane,Tench"), ("b.png", "2,0")):
        assert main(["sample", str(pipe), "-o", str(tmp_path / out), *common, labels]) == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    bad = ["sample", pipe, "-o", tmp_path / "c.png", "--labels", "crain"]
    assert "did you mean 'crane'" in refused(capsys, *bad)
    assert main([*export, "a,b,c", "--overwrite"]) == 0
    index = json.loads((pipe / "model_index.json").read_text())
    assert index["id2label"] == {"0": "a", "1": "b", "2": "c"}


def test_options_override_a_recipe(exported, tmp_path):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("num_images: 2\nsteps: 2\nlabels: none\nseed: 5\n")
    outs = [tmp_path / name for name in ("a.npz", "b.npz", "c.npz")]
    source = str(exported / "pipe")
    given = ["-n", "2", "--steps", "2", "--labels", "none", "--seed"]
    assert main(["sample", source, "-o", str(outs[0]), "--config", str(recipe)]) == 0
    assert main(["sample", source, "-o", str(outs[1]), *given, "5"]) == 0
    seed = ["--config", str(recipe), "--seed", "6"]
    assert main(["sample", source, "-o", str(outs[2]), *seed]) == 0
    a, b, c = (np.load(out)["arr_0"] for out in outs)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_nothing_is_replaced_unasked(exported, tmp_path, capsys):
    checkpoint, folder = exported / "x.pt", tmp_path / "m"
    convert = ["convert", checkpoint, "-o", folder]
    assert main([str(word) for word in convert]) == 0
    (folder / "note").write_text("mine")
    assert "exists" in refused(capsys, *convert)
    assert (folder / "note").exists()
    assert main([*map(str, convert), "--overwrite"]) == 0
    assert not (folder / "note").exists()
    other = tmp_path / "photos"
    other.mkdir()
    (other / "a.jpg").write_bytes(b"a")
    message = refused(capsys, "convert", checkpoint, "-o", other, "--overwrite")
    assert "other things" in message
    picture = tmp_path / "x.png"
    picture.write_bytes(b"mine")
    assert "exists" in refused(capsys, "sample", exported / "pipe", "-o", picture)
    assert picture.read_bytes() == b"mine"
    refused(capsys, "convert", checkpoint, "-o", picture, "--overwrite")
    assert picture.read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "photos", "x.png"]


def test_a_failed_write_leaves_the_old_one(exported, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "m"
    command = ["convert", str(exported / "x.pt"), "-o", str(folder), "--overwrite"]
    assert main(command) == 0
    before = (folder / "config.json").read_bytes()

    def full(self, place, **settings):
        (tmp_path / place).mkdir()
        raise OSError("No space left on device")

    monkeypatch.setattr("mdt.models.MDTv2.save_pretrained", full)
    assert "No space left" in refused(capsys, *command)
    assert (folder / "config.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["convert", "@none.pt", "-o", "@out"], "does not exist"),
        (["convert", "@text.pt", "-o", "@out"], "truncated or another kind"),
        (["convert", "@x.pt", "-o", "@no/out"], "does not exist"),
        (["convert", "@x.pt", "-o", "@out", "--num-heads", "3"], "has 4 heads"),
        (["convert", "@x.pt", "-o", "@out", "--num-heads", "many"], "invalid int"),
        (["export", "@text.pt", "-o", "@out"], "is a file, not a folder"),
        (["export", "@empty", "-o", "@out"], "holds no model"),
        (["export", "@broken", "-o", "@out"], "cannot be read"),
        (["export", "@short", "-o", "@out"], "do not fit"),
        (["export", "@model", "-o", "@out", "--vae", "@model"], "no VAE"),
        (["export", "@model", "-o", "@out", "--schedule", "cosin"], "'cosine'"),
        (["sample", "@model", "-o", "@out.png"], "mdt export"),
        (["sample", "@pipe", "-o", "@out.jpg"], ".png"),
        (["sample", "@pipe", "-o", "@out.png", "--labels", "cat"], "no class names"),
        (["sample", "@pipe", "-o", "@out.png", "--labels", "7"], "no class 7"),
        (["sample", "@pipe", "-o", "@out.png", "--steps", "0"], "from 1 on"),
        (["sample", "@pipe", "-o", "@out.png", "--interval", "low"], "two shares"),
        (["sample", "@pipe", "-o", "@out.png", "--interval", "0.9,0.1"], "within 0 to 1"),
        (["sample", "@pipe", "-o", "@out.png", "--precision", "int8"], "bf16"),
        (["sample", "@pipe", "-o", "@out.png", "--config", "score"], "'scores'"),
        (["sample", "@pipe", "-o", "@out.png", "--config", "@text.pt"], "no sample preset"),
        (["sample", "@pipe", "-o", "@out.png", "--label-file", "@none"], "cannot be read"),
        (["sample", "@pipe", "-o", "@out.png", "--animation", "@x.mp4"], ".gif"),
        (["sample", "@pipe", "-o", "@out.png", "--ema", "power"], "training runs"),
        (["sample", "@pipe", "-o", "@empty/no/out"], "does not exist"),
        (["export", "@model", "-o", "@out", "--classes", "a,b,c,d"], "knows 0 to 2"),
        (["export", "@model", "-o", "@out", "--classes", "@none.json"], "as JSON"),
        (["sample", "@pipe", "-o", "@out.png", "--sampler", "hun"], "'heun'"),
        (["sample", "@pipe", "-o", "@out.png", "--device", "abacus"], "no device"),
        (["sing"], "invalid choice"),
    ],
)
def test_bad_input_gets_one_sentence(exported, tmp_path, capsys, command, words):
    (tmp_path / "text.pt").write_text("no checkpoint")
    (tmp_path / "empty").mkdir()
    for name in ("x.pt", "model", "pipe"):
        (tmp_path / name).symlink_to(exported / name)
    weights = "diffusion_pytorch_model.safetensors"
    for name in ("broken", "short"):
        (tmp_path / name).mkdir()
        config = (exported / "model" / "config.json").read_text()
        if name == "short":  # a deeper network than the weights are of
            config = re.sub(r'"depth": \d+', '"depth": 4', config)
        (tmp_path / name / "config.json").write_text(config)
        content = (exported / "model" / weights).read_bytes()
        (tmp_path / name / weights).write_bytes(content[:-500] if name == "broken" else content)
    before = sorted(path.name for path in tmp_path.iterdir())
    message = refused(capsys, *(word.replace("@", f"{tmp_path}/") for word in command))
    assert words in message
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_stop_says_no_more_than_is_true(monkeypatch, capsys):
    """Pictures, shards and checkpoints that were written by then stay."""

    def stopped(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setitem(VERBS, "sample", ("", lambda _verb: None, stopped))
    assert main(["sample"]) == 130
    assert capsys.readouterr().err == "mdt: stopped.\n"
