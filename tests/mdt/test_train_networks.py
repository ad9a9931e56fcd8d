"""Networks and objectives of a run: what is refused before step 1, and what all of them can do."""

import importlib
import sys

import pytest
import torch
from torch.distributed.fsdp import FSDPModule

from mdt import codec
from mdt.cli import main
from mdt.config import ConfigError
from mdt.convert import open_vae
from mdt.data import open_source
from mdt.data.batches import Row, read_rows
from mdt.parallel import own_class
from mdt.pipeline import Pipeline
from mdt.runs import Run, open_weights

# diffusers' scheduler has yet to learn numpy 2's way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def plain(tmp_path, pictures):
    """Write a settings file; the words of `mdt train` with it, and the folder of its run."""

    def write(model, **more):
        told = {"steps": 2, "batch": 4, "progress": "false", "log_every": 1, **more}
        lines = [f"model: {model}", f"data: {{name: folder, size: 16, path: {pictures}}}"]
        path = tmp_path / "plain.yaml"
        path.write_text("\n".join(lines + [f"{key}: {value}" for key, value in told.items()]))
        return ["train", str(path), f"output={tmp_path / 'run'}"], tmp_path / "run"

    return write


@pytest.mark.parametrize("name", ["uvit_s4", "unet_s", "dit_s4"])
def test_an_objective_that_hides_tokens_needs_a_masked_pass(plain, name, capsys):
    words, out = plain(f"{{name: {name}}}", objective="{name: mdt_flow, alternate: 0.5}")
    assert main(words) == 2
    told = capsys.readouterr().err
    assert f"hides tokens, and {name} has no masked pass: set objective.mask_ratio=null" in told
    assert told.count("\n") == 1
    assert not out.exists() or not Run(out).steps()


def test_two_processes_learn_without_a_masked_pass(tmp_path, file, pictures, torchrun):
    """Though asked to keep the parts that only such a pass reaches."""
    changes = ["objective={name: flow}", "model.maskable=true", "steps=3"]
    told = torchrun(file, f"data.path={pictures}", f"output={tmp_path / 'run'}", *changes)
    assert told.returncode == 0, told.stderr
    assert Run(tmp_path / "run").steps() == [3]


MINE = """
from diffusers.models.modeling_utils import ModelMixin
from mdt.models import DiT

class Mine(DiT):
    def forward(self, x, t, label=None, kept=None):
        return 3 + 0 * super().forward(x, t, label, kept)
"""


def test_a_network_of_ones_own_comes_back_as_it_is(plain, tmp_path, monkeypatch):
    (tmp_path / "nets_of_mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    sizes = "hidden_size: 32, depth: 2, num_heads: 2, patch_size: 4"
    grids = "{every: 2, num_images: 1, steps: 1}"
    words, out = plain(
        f"{{name: 'nets_of_mine:Mine', {sizes}}}", objective="{name: flow}", sample=grids
    )
    assert main(words) == 0
    model = open_weights(Run(out).place(2))
    assert type(model).__name__ == "Mine"
    assert (model(torch.zeros(1, 3, 16, 16), torch.zeros(1)) == 3).all()
    assert main(["export", str(out), "-o", str(tmp_path / "pipe")]) == 0
    assert type(Pipeline.from_pretrained(tmp_path / "pipe").model) is type(model)
    # As `fully_shard` remakes it.
    model.__class__ = type("FSDPMine", (FSDPModule, type(model)), {})
    assert own_class(model).__name__ == "Mine"
    (tmp_path / "nets_of_mine.py").unlink()
    monkeypatch.delitem(sys.modules, "nets_of_mine")
    importlib.invalidate_caches()
    with pytest.raises(ConfigError, match="'nets_of_mine:Mine' cannot be loaded"):
        open_weights(Run(out).place(2))


def test_an_autoencoders_run_becomes_a_vae(plain, tmp_path, pictures, capsys):
    sizes = "latent_channels: 4, width: 16, fine_width: 16, encoder_depth: 1, decoder_depth: 1"
    words, out = plain(f"{{name: autoencoder, {sizes}}}", objective="{name: autoencoder}")
    assert main(words) == 0
    told = capsys.readouterr().out
    assert f"Write its network with: mdt export {out} -o FOLDER" in told
    assert "mdt sample" not in told
    assert main(["sample", str(out), "-o", str(tmp_path / "x.png")]) == 2
    assert f"mdt export {out} -o FOLDER writes it" in capsys.readouterr().err
    assert main(["export", str(out), "-o", str(tmp_path / "vae")]) == 0
    assert "a VAE for --vae and vae=, whose latents are scaled by" in capsys.readouterr().out
    vae = open_vae(tmp_path / "vae")
    weights = open_weights(Run(out).place(2)).state_dict()
    assert all(torch.equal(value, weights[key]) for key, value in vae.state_dict().items())
    source = open_source("folder", pictures, size=16)
    ((x, _),) = read_rows(source, [[Row(i) for i in range(len(source))]])
    with torch.no_grad():
        latents = codec.encode(x, vae)
    assert abs(float(latents.mean())) < 1e-3
    assert float(latents.std()) == pytest.approx(1, abs=2e-3)
