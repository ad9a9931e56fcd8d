import json
import os
import resource
import runpy
import shutil
import signal
import threading
import warnings
from pathlib import Path

import pytest
import ranks
import torch

from mdt.cli import main
from mdt.config import ConfigError, load
from mdt.pipeline import Pipeline
from mdt.runs import Run, held, open_run, open_weights, reconstruct
from mdt.settings import TrainSettings
from mdt.train import train

# diffusers' scheduler has yet to learn numpy 2's way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).parents[2]
TRIALS = runpy.run_path(str(ROOT / "benchmarks" / "kill_resume.py"))

#: The loss of these settings; a refactoring must not move it.
GOLDEN = [1.309896, 1.386239, 1.275318, 1.36042, 1.245889, 1.355849]


@pytest.fixture(scope="session")
def done(file, pictures, tmp_path_factory):
    """A run that was never stopped."""
    folder = tmp_path_factory.mktemp("runs") / "done"
    assert train(load(TrainSettings, file, [f"data.path={pictures}"]), folder) == 12
    return folder


@pytest.fixture
def copy(done, tmp_path):
    """That run as it was at step 8."""
    shutil.copytree(done, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "checkpoints" / "00000012")
    return tmp_path / "copy"


def curve(run, key="loss"):
    rows = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(row)[key] for row in rows]


def test_it_learns_along_a_known_curve(done):
    assert curve(done) == pytest.approx(GOLDEN, rel=2e-3)
    assert curve(done, "step") == [2, 4, 6, 8, 10, 12]
    assert curve(done, "pictures")[-1] == 96
    assert curve(done, "lr") == [1e-3] * 6
    speed = [json.loads(row) for row in (done / "speed.jsonl").read_text().splitlines()]
    assert all(row["pictures_per_second"] > 0 and row["gflops"] > 0 for row in speed)


def test_what_a_run_leaves(done):
    run = Run(done)
    assert run.steps() == [8, 12]
    kept = {p.name for p in run.place(12).iterdir()}
    names = ("model", "optimizer", "ema_power_0.1", "ema_decay_0.9")
    wanted = {f"{name}.safetensors" for name in names}
    assert kept == wanted | {"settings.yaml", "state.json", "config.json"}
    assert run.read(12)["classes"] == ["disc", "square"]
    assert load(TrainSettings, run.place(12) / "settings.yaml").steps == 12
    assert not list(done.rglob(".new-*"))


def test_a_resumed_run_comes_out_the_same(done, copy, settings):
    with (copy / "metrics.jsonl").open("a") as log:
        log.write('{"step": 10, "torn')  # written after the checkpoint, cut by the kill
    (copy / "checkpoints" / ".new-00000012").mkdir()
    assert train(settings(), copy) == 12
    assert TRIALS["digest"](copy) == TRIALS["digest"](done)


def test_a_finished_run_stays_as_it_is(done, tmp_path, settings):
    shutil.copytree(done, tmp_path / "copy")
    assert train(settings(), tmp_path / "copy") == 12
    assert TRIALS["digest"](tmp_path / "copy") == TRIALS["digest"](done)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_saves_and_leaves(done, tmp_path, settings, number, capsys):
    """The step is finished first; the same command then goes on to the same end."""
    out = tmp_path / "run"
    log = out / "metrics.jsonl"

    def stop():
        while not (log.exists() and log.stat().st_size):
            pass
        os.kill(os.getpid(), number)

    watcher = threading.Thread(target=stop)
    watcher.start()
    step = train(settings("save_every=1000"), out)
    watcher.join()
    assert step < 12
    assert Run(out).steps() == [step]
    assert "run the same command to go on" in capsys.readouterr().out
    assert train(settings("save_every=4"), out) == 12
    assert TRIALS["digest"](out)["metrics.jsonl"] == TRIALS["digest"](done)["metrics.jsonl"]
    same = Run(out).tensors(12, "model"), Run(done).tensors(12, "model")
    assert all(torch.equal(same[0][name], same[1][name]) for name in same[1])


def test_killed_at_a_random_moment_it_comes_out_the_same():
    """SIGKILL, of two processes; benchmarks/kill_resume.py runs many, and of one process."""
    assert TRIALS["trials"](1, 2, seed=3, start=ranks.start) == 1


@pytest.mark.parametrize("optimizer", ["adamw, lr: 1.0e-3", "win, base: adan, lr: 1.0e-3"])
def test_every_kind_of_optimizer_resumes(tmp_path, settings, optimizer):
    name, *more = optimizer.split(", ")
    changes = [f"optimizer={{name: {name}, {', '.join(more)}}}", "steps=8", "keep=9"]
    train(settings(*changes), tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    shutil.rmtree(tmp_path / "b" / "checkpoints" / "00000008")
    train(settings(*changes), tmp_path / "b")
    assert TRIALS["digest"](tmp_path / "b") == TRIALS["digest"](tmp_path / "a")


def test_two_processes_learn_as_one(done, tmp_path, file, pictures, torchrun):
    """The same global batch: copies (DDP), and weights that are cut (fully_shard).

    The cut run is taken back to a checkpoint and comes out the same.
    """
    asked = (file, f"data.path={pictures}", "micro_batch=2")
    out = tmp_path / "copies"
    told = torchrun(*asked, f"output={out}")
    assert told.returncode == 0, told.stderr
    assert curve(out) == pytest.approx(curve(done), abs=1e-4)
    out = tmp_path / "cut"
    asked = (*asked, f"output={out}", "sharding=fsdp2")
    told = torchrun(*asked)
    assert told.returncode == 0, told.stderr
    assert curve(out) == pytest.approx(curve(done), abs=1e-4)
    pipe = open_run(out)
    assert pipe(label=[0], num_inference_steps=2, output_type="np").images.shape == (1, 16, 16, 3)
    before = TRIALS["digest"](out)
    shutil.rmtree(Run(out).place(12))
    told = torchrun(*asked)
    assert told.returncode == 0, told.stderr
    assert TRIALS["digest"](out) == before


def test_micro_batches_and_checkpointing_change_nothing(done, tmp_path, settings):
    train(settings("micro_batch=3", "checkpointing=true"), tmp_path / "run")
    assert curve(tmp_path / "run") == pytest.approx(curve(done), abs=1e-5)


@pytest.mark.filterwarnings("ignore:This device has no bfloat16")
def test_half_precision_and_compilation(tmp_path, settings):
    """The compiler's own machinery without its slow last stage; the curve is near the plain one."""
    changes = ["precision=bf16", "compile=aot_eager", "objective.mask_ratio=0.5", "steps=2"]
    train(settings(*changes), tmp_path / "run")
    assert curve(tmp_path / "run")[0] == pytest.approx(GOLDEN[0], rel=0.1)
    assert all(v.dtype == torch.float32 for v in Run(tmp_path / "run").tensors(2, "model").values())


@pytest.mark.parametrize(("native", "took"), [(True, "bf16"), (False, "fp32")])
def test_automatic_precision_stays_what_the_run_began_with(
    tmp_path, settings, monkeypatch, native, took
):
    """Also where it goes on with another processor."""
    asked = settings("precision=auto", "steps=2", "save_every=1", "keep=9")
    monkeypatch.setattr("mdt.launch.has_bf16", lambda device: native)
    train(asked, tmp_path / "run")
    run = Run(tmp_path / "run")
    assert run.settings().precision == took
    before = TRIALS["digest"](tmp_path / "run")
    shutil.rmtree(run.place(2))
    monkeypatch.setattr("mdt.launch.has_bf16", lambda device: not native)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This device has no bfloat16")
        train(asked, tmp_path / "run")
    assert TRIALS["digest"](tmp_path / "run") == before


def test_pictures_while_training_and_after(done, tmp_path, settings):
    changes = ["sample.every=4", "sample.num_images=4", "sample.steps=2", "steps=4"]
    train(settings(*changes), tmp_path / "run")
    assert [p.name for p in (tmp_path / "run" / "samples").iterdir()] == ["00000004.png"]
    pipe = open_run(done)
    assert len(pipe([0, 1], num_inference_steps=2).images) == 2
    one, other = (
        open_run(done, ema=name).model.state_dict()["final_layer.linear.weight"]
        for name in ("power_0.1", "decay_0.9")
    )
    assert not torch.equal(one, other)
    with pytest.raises(ValueError, match=r"no average 'power_0\.2'; it has model, decay_0\.9"):
        open_run(done, ema="power_0.2")
    with pytest.raises(ValueError, match="no checkpoint of step 5"):
        open_run(done, step=5)


def test_any_width_after_the_run(done):
    weights = reconstruct(done, 0.1)
    kept = open_weights(Run(done).place(12), "power_0.1").state_dict()
    for name, value in weights.items():
        torch.testing.assert_close(value, kept[name], rtol=2e-3, atol=1e-4)  # half precision
    assert reconstruct(done, 0.2, step=6).keys() == weights.keys()
    with pytest.raises(ValueError, match="no snapshots"):
        reconstruct(done / "checkpoints", 0.1)


def test_a_run_starts_from_another(done, tmp_path, settings):
    train(settings(f"init={done}", "steps=2", "optimizer.lr=0"), tmp_path / "run")
    before = open_weights(Run(done).place(12)).state_dict()
    after = Run(tmp_path / "run").tensors(2, "model")
    assert all(torch.equal(after[name], before[name]) for name in before)
    with pytest.raises(ValueError, match="does not fit the model"):
        train(settings(f"init={done}", "model.hidden_size=64"), tmp_path / "wide")


def test_checkpoints_are_pruned_by_rule(tmp_path, settings):
    train(settings("save_every=2", "keep=2", "keep_every=4"), tmp_path / "run")
    assert Run(tmp_path / "run").steps() == [4, 8, 10, 12]


def test_numbers_that_are_not_finite_name_the_layer_and_go_back(tmp_path, settings, capsys):
    with pytest.raises(ValueError, match=r"Step 2: the .* of .* is not finite.*attempt 2"):
        train(settings("optimizer.lr=1e37", "max_rollbacks=1", "save_every=100"), tmp_path / "run")
    assert "Going back to step 0" in capsys.readouterr().out


def test_a_roll_back_can_save_a_run(copy, settings, capsys):
    """A weight at the edge of float32 in the newest checkpoint: it is refused again and again."""
    from safetensors.torch import save_file

    place = Run(copy).place(8)
    weights = Run(copy).tensors(8, "model")
    weights["x_embedder.proj.weight"].fill_(1e38)
    save_file(weights, place / "model.safetensors")
    with pytest.raises(ValueError, match="last checkpoint is whole"):
        train(settings("max_rollbacks=1"), copy)
    assert "Going back to step 8" in capsys.readouterr().out
    assert Run(copy).steps() == [4, 8] or Run(copy).steps() == [8]


def test_a_full_disk_leaves_the_old_checkpoint(copy, settings, capsys):
    """Files may not grow beyond 100 kB: what a full disk does to a checkpoint."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(
            ValueError, match=r"step 12 could not be written.*newest one is of step 8"
        ):
            train(settings("ema.snapshot_every=6", "save_every=2"), copy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Training goes on; the old one stays." in capsys.readouterr().err
    assert Run(copy).steps() == [8]
    assert not list((copy / "checkpoints").glob(".new-*"))
    assert train(settings(), copy) == 12


def test_two_runs_do_not_share_a_folder(tmp_path, settings):
    with held(tmp_path / "run"), pytest.raises(ValueError, match="Another process is training"):
        train(settings(), tmp_path / "run")


def test_changed_settings_are_named(copy, settings):
    with pytest.raises(
        ConfigError, match=r"at step 8 .*batch: 8 -> 4; optimizer\.lr: 0\.001 -> 0\.01"
    ):
        train(settings("batch=4", "optimizer.lr=1e-2", "keep=5"), copy)
    assert train(settings("keep=5", "progress=false", "data.workers=0"), copy) == 12


def test_cached_latents_train_and_draw(settings, pictures, tmp_path):
    """`mdt encode`, then training on what it wrote, with the VAE for the grids alone."""
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        norm_num_groups=4,
    )
    vae.eval().save_pretrained(tmp_path / "vae")
    out = tmp_path / "latents"
    words = [f"folder:{pictures}", "--vae", str(tmp_path / "vae"), "-o", str(out), "--size", "16"]
    assert main(["encode", *words]) == 0
    changes = [f"vae={tmp_path / 'vae'}", "steps=4", "sample.every=4", "sample.num_images=1"]
    cached = [f"data={{name: latents, path: {out}, size: 0, flip: false}}", "sample.steps=1"]
    train(settings(*changes, *cached, "model.patch_size=2"), tmp_path / "cached")
    train(settings(*changes, "data.flip=false", "model.patch_size=2"), tmp_path / "plain")
    assert open_run(tmp_path / "cached").model.config.in_channels == 4
    assert curve(tmp_path / "cached") == pytest.approx(curve(tmp_path / "plain"), rel=1e-2)


def test_changed_pictures_are_noticed(copy, settings, pictures, tmp_path):
    shutil.copytree(pictures, tmp_path / "more")
    shutil.copy(tmp_path / "more" / "disc" / "001.png", tmp_path / "more" / "disc" / "999.png")
    with pytest.raises(ConfigError, match="begun with 24 pictures; now there are 25"):
        train(settings(f"data.path={tmp_path / 'more'}"), copy)
    (tmp_path / "more" / "disc" / "001.png").unlink()
    with pytest.raises(ConfigError, match="begun with 24 pictures; now they are others"):
        train(settings(f"data.path={tmp_path / 'more'}"), copy)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("data.path=", "Say where the pictures are"),
        ("data.path=/nowhere", "/nowhere"),
        ("data.size=0", "Say how large the pictures"),
        ("data.name=foldr", "did you mean 'folder'"),
        ("model.num_classes=5", "the data has 2 classes"),
        ("model.in_channels=4", "in_channels is 4"),
        ("model.name=mdtv2_z2", "no model 'mdtv2_z2'"),
        ("model.dept=3", "did you mean 'depth'"),
        ("objective.name=mdt2", "no objective 'mdt2'"),
        ("optimizer.name=adamm", "did you mean 'adam"),
        ("optimizer.beta=3", "has no setting 'beta'"),
        ("optimizer.lr=null", "needs a learning rate"),
        ("optimizer={name: adamw, lr: fast}", "optimizer.lr is a number; got 'fast'"),
        ("optimizer={name: adamw, lr: 1e-3, betas: [0.9]}", "cannot work with lr=0.001, betas="),
        ("schedule={name: cosine, warmup_steps: soon}", "warmup_steps must be a finite number"),
        ("objective.mask_ratio=0.3,0.5", "mask_ratio is a number, or two: [0.3,0.5]"),
        ("objective.label_drop=often", "label_drop is a number; got 'often'"),
        ("objective.prediction=x0", "got schedule 'flow' and prediction 'x0'"),
        ("objective={name: dit, prediction: flow}", "got schedule 'linear' and prediction 'flow'"),
        ("objective.schedule=karras", "no schedule 'karras'"),
        ("objective.mask_ratio=[0.3,0.4,0.5]", "or two: [0.3,0.5]; got (0.3, 0.4, 0.5)"),
        ("schedule.name=cosin", "did you mean 'cosine'"),
        ("precision=fp16", "There is no precision 'fp16'"),
        ("sharding=fsdp2", "this run has one"),
        ("stepps=3", "did you mean 'steps'"),
        ("steps=0", "steps is 1 or more"),
        ("data.crops=random", "crops"),
        ("tracker=tensorbord", "no tracker 'tensorbord'"),
        ("ema.widths=[0.5]", "up to 0.28"),
    ],
)
def test_bad_settings_are_one_sentence(file, pictures, tmp_path, change, words, capsys):
    out = tmp_path / "run"
    assert main(["train", str(file), f"data.path={pictures}", f"output={out}", change]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert words in told
    assert not (out / "checkpoints").exists()


def test_a_newcomers_folder_from_pictures_to_pictures(file, tmp_path, capsys):
    """Pictures without classes: one command trains, one draws."""
    (tmp_path / "mine").mkdir()
    TRIALS["draw_pictures"](tmp_path / "drawn", count=8)
    for path in (tmp_path / "drawn").rglob("*.png"):
        shutil.copy(path, tmp_path / "mine")
    out = tmp_path / "run"
    words = [str(file), f"data.path={tmp_path / 'mine'}", f"output={out}", "steps=4"]
    assert main(["train", *words]) == 0
    assert f"mdt sample {out} -o pictures.png" in capsys.readouterr().out
    words = ["sample", str(out), "-o", str(tmp_path / "drawn.png"), "-n", "2", "--steps", "2"]
    assert main(words) == 0
    assert main(["export", str(out), "-o", str(tmp_path / "generator")]) == 0
    pipe = Pipeline.from_pretrained(tmp_path / "generator")
    assert pipe(num_inference_steps=2).images[0].size == (16, 16)
