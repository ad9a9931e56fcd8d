"""Networks and objectives of a run: what is refused before step 1, and what all of them can do."""

import pytest

from mdt.cli import main
from mdt.runs import Run

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
