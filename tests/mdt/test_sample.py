import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

from mdt.cli import build_parser
from mdt.config import config_folder, find_config, load, save
from mdt.models import build_model
from mdt.pipeline import Pipeline
from mdt.runs import Run
from mdt.sample import open_source, sample
from mdt.sampling.draw import draw
from mdt.sampling.group import Group
from mdt.sampling.labels import Labels, choose_labels
from mdt.sampling.settings import SampleSettings
from mdt.schedulers import make_scheduler
from mdt.settings import TrainSettings

# Of diffusers' schedulers, which hand tensors to numpy 2's np.array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NAMES = ["tench, Tinca tinca", "crane", "Crane, lifter"]
FAST = SampleSettings(steps=2, num_images=6)
TINY_UNET = {"input_size": 8, "width": 16, "multipliers": (1, 2), "num_blocks": 1, "head_width": 8}
# Of a network that says the picture itself: few of its values are cut to 0 or 255.
SCHEDULER = make_scheduler("cosine", "x0")
RECIPES = sorted((config_folder() / "sample").glob("*.yaml"))


def network(name="mdtv2_s2", **settings):
    torch.manual_seed(0)
    sizes = {"input_size": 8, "hidden_size": 32, "depth": 2, "num_heads": 4}
    sizes |= {"decode_layers": 0} if name.startswith("mdtv2") else {}
    sizes = TINY_UNET if name.startswith("unet") else sizes
    model = build_model(name, **{"num_classes": 3, "in_channels": 3, **sizes, **settings}).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A pixel generator with class names."""
    place = tmp_path_factory.mktemp("generator")
    Pipeline(network(), SCHEDULER, id2label=NAMES).save_pretrained(place)
    return place


def read(folder):
    paths = sorted(folder.glob("*.png"))
    assert [path.name for path in paths] == [f"{i:06d}.png" for i in range(len(paths))]
    return np.stack([np.array(Image.open(path)) for path in paths])


def test_the_outputs_hold_the_same_pictures(folder, tmp_path):
    assert sample(folder, tmp_path / "x.png", FAST, columns=3) == 6
    assert sample(folder, tmp_path / "x.npz", FAST) == 6
    assert sample(folder, tmp_path / "x", FAST) == 6
    with np.load(tmp_path / "x.npz") as saved:
        pictures, labels = saved["arr_0"], saved["arr_1"]
    assert (pictures.dtype, pictures.shape) == (np.uint8, (6, 8, 8, 3))
    assert labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert np.array_equal(read(tmp_path / "x"), pictures)
    grid = np.array(Image.open(tmp_path / "x.png"))
    assert np.array_equal(grid[8:, 16:], pictures[5])
    assert len({picture.tobytes() for picture in pictures}) == 6
    assert np.isin(pictures, (0, 255)).mean() < 0.5
    # The library draws the same, but for the order of sums in another batch.
    drawn = Pipeline.from_pretrained(folder)([2], seed=5, num_inference_steps=2, output_type="np")
    assert abs(255 * drawn.images[0] - pictures[5]).max() < 0.51
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "x.npz", "x.png"]


@pytest.mark.parametrize("kind", ["mdtv2_s2", "mdt_s2", "uvit_s2", "unet_s", "vae"])
def test_a_picture_is_the_same_in_any_company(kind, tmp_path):
    vae = None
    if kind == "vae":
        torch.manual_seed(1)
        vae = diffusers.AutoencoderKL(
            block_out_channels=(8, 8),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            norm_num_groups=4,
            latent_channels=4,
        ).eval()
    model = network("mdtv2_s2" if vae else kind, in_channels=4 if vae else 3)
    Pipeline(model, SCHEDULER, vae).save_pretrained(tmp_path / "p")
    settings = replace(FAST, guidance=2.0, sampler="ddpm", labels="random", num_images=9)

    def pictures(**changes):
        out = tmp_path / "x.npz"
        sample(tmp_path / "p", out, replace(settings, **changes), overwrite=True)
        with np.load(out) as saved:
            return saved["arr_0"], saved["arr_1"]

    whole, labels = pictures()
    assert len({picture.tobytes() for picture in whole}) == 9
    for changes in ({"batch": 1}, {"batch": 7}, {"num_images": 2}, {"num_images": 5}):
        again, told = pictures(**changes)
        assert np.array_equal(again, whole[: len(again)])
        assert np.array_equal(told, labels[: len(again)])
    # The next picture has the next seed; in another row of the batch the last bits may differ.
    later, told = pictures(seed=3, num_images=6)
    assert np.array_equal(told, labels[3:])
    assert abs(later.astype(int) - whole[3:]).max() <= 1


def test_a_folder_keeps_what_is_there(folder, tmp_path):
    out = tmp_path / "x"
    sample(folder, out, replace(FAST, num_images=5))
    before = {path.name: path.read_bytes() for path in out.glob("*.png")}
    (out / "000001.png").unlink()
    (out / "000003.png").write_bytes(b"mine")
    (out / ".mdt-left").mkdir()  # by a process that was killed
    assert sample(folder, out, replace(FAST, num_images=7, batch=3)) == 3
    assert (out / "000001.png").read_bytes() == before["000001.png"]
    assert (out / "000003.png").read_bytes() == b"mine"
    names = [f"{i:06d}.png" for i in range(7)]
    assert sorted(path.name for path in out.iterdir()) == [*names, "samples.json"]
    assert sample(folder, out, replace(FAST, num_images=7)) == 0
    for changes, word in (({"seed": 1}, "seed"), ({"labels": "1"}, "classes")):
        with pytest.raises(ValueError, match=f"with another {word}"):
            sample(folder, out, replace(FAST, **changes))
    assert sample(folder, out, replace(FAST, seed=1), overwrite=True) == 6
    assert len(read(out)) == 6
    Pipeline(network(depth=4)).save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match="another made_by"):
        sample(tmp_path / "other", out, replace(FAST, seed=1))


def test_a_failed_write_leaves_no_half(folder, tmp_path, monkeypatch):
    def full(self, place, **settings):
        place.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    for out in ("x.png", "x"):
        with pytest.raises(OSError, match="No space"):
            sample(folder, tmp_path / out, FAST)
    assert [path.name for path in tmp_path.rglob("*")] == ["x", "samples.json"]


@pytest.mark.parametrize("ending", ["webp", "gif"])
def test_an_animation_ends_with_the_pictures(folder, tmp_path, ending):
    moving = tmp_path / f"x.{ending}"
    sample(folder, tmp_path / "x.png", replace(FAST, steps=4), animation=moving, columns=2)
    with Image.open(moving) as film:
        # The last guess of this sampler is the picture, and equal frames are one.
        assert film.n_frames == 4
        frames = []
        for i in range(4):
            film.seek(i)
            frames.append(np.array(film.convert("RGB")).astype(int))
    grid = np.array(Image.open(tmp_path / "x.png")).astype(int)
    assert frames[0].shape == grid.shape == (24, 16, 3)
    if ending == "webp":
        assert np.array_equal(frames[-1], grid)
    distances = [abs(frame - grid).mean() for frame in frames]
    assert distances[0] > distances[-1]
    many = replace(FAST, num_images=65)
    with pytest.raises(ValueError, match="up to 64"):
        sample(folder, tmp_path / "y", many, animation=moving, overwrite=True)
    assert not (tmp_path / "y").exists()


def test_labels(folder, tmp_path):
    pipe = open_source(folder)

    def told(count=6, **changes):
        labels, found = choose_labels(replace(SampleSettings(), **changes), pipe)
        return [labels.of(i, 10) for i in range(count)], found

    assert told() == ([0, 1, 2, 0, 1, 2], 1)
    assert told(labels="none", num_images=4) == ([None] * 6, 4)
    assert told(labels="2, Tinca tinca") == ([2, 0] * 3, 2)
    assert told(labels="lifter,CRANE") == ([2, 1] * 3, 2)
    (tmp_path / "x.txt").write_text("tench, Tinca tinca\n\n1\n")
    assert told(label_file=str(tmp_path / "x.txt")) == ([0, 1] * 3, 2)
    random = Labels((0, 1, 2), random=True)
    drawn = [random.of(i, 10) for i in range(300)]
    assert min(np.bincount(drawn)) > 70
    assert drawn[5:] == [random.of(i, 15) for i in range(295)]
    with pytest.raises(ValueError, match="did you mean 'lifter'"):
        told(labels="liftr")
    with pytest.raises(ValueError, match="no class 3"):
        told(labels="3")
    with pytest.raises(ValueError, match="cannot be read"):
        told(label_file=str(tmp_path / "none.txt"))
    (tmp_path / "x.txt").write_text("\n")
    with pytest.raises(ValueError, match="empty"):
        told(label_file=str(tmp_path / "x.txt"))


def test_networks_without_classes(tmp_path):
    Pipeline(network(num_classes=None), SCHEDULER).save_pretrained(tmp_path / "p")
    sample(tmp_path / "p", tmp_path / "x.npz", FAST)
    with np.load(tmp_path / "x.npz") as saved:
        assert saved.files == ["arr_0"]
    with pytest.raises(ValueError, match="no classes"):
        sample(tmp_path / "p", tmp_path / "y.npz", replace(FAST, labels="1"))


def test_a_training_run(tmp_path):
    model = network()
    average = {key: 0.5 * value for key, value in model.state_dict().items()}
    settings = TrainSettings(objective={"name": "mdtv2", "schedule": "cosine", "prediction": "x0"})
    run = Run(tmp_path / "run")
    for step in (10, 20):
        weights = {"model": model.state_dict(), "ema_power_0.05": average}
        state = {"ema": ["power_0.05"], "classes": NAMES}
        run.write(step, weights, state, settings, json.loads(model.to_json_string()))
    save(settings, tmp_path / "run" / "settings.yaml")
    told = replace(FAST, labels="lifter")
    sample(tmp_path / "run", tmp_path / "average.png", told)
    sample(tmp_path / "run", tmp_path / "model.png", told, ema="model", step=10)
    pictures = [np.array(Image.open(tmp_path / f"{name}.png")) for name in ("average", "model")]
    assert pictures[0].shape == (16, 24, 3)
    assert not np.array_equal(*pictures)
    with pytest.raises(ValueError, match="no checkpoint of step 30"):
        sample(tmp_path / "run", tmp_path / "x.png", told, step=30)


def test_settings_reach_the_pictures(folder):
    pipe = open_source(folder)
    pipe.set_progress_bar_config(disable=True)
    labels = Labels((0, 1, 2))
    base = replace(FAST, steps=3, guidance=4.0)

    def drawn(**changes):
        return draw(pipe, replace(base, **changes), labels, range(4), animated=False)

    plain = drawn()
    seen = {plain.tobytes()}
    for changes in (
        {"guidance": 1.0},
        {"power": 4.0},
        {"interval": [0.0, 0.5]},
        {"channels": "1"},
        {"sampler": "heun"},
        {"steps": 4},
        {"seed": 4},
    ):
        seen.add(drawn(**changes).tobytes())
    assert len(seen) == 8
    assert np.array_equal(drawn(skip_below=5.0), drawn(guidance=1.0))


def test_half_precision(folder, tmp_path):
    sample(folder, tmp_path / "a", FAST)
    sample(folder, tmp_path / "b", replace(FAST, precision="bf16"))
    apart = abs(read(tmp_path / "a").astype(int) - read(tmp_path / "b"))
    assert 0 < apart.mean() < 8


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_draws(path, folder, tmp_path):
    settings = load(SampleSettings, find_config("sample", path.stem))
    assert settings.about
    assert path.read_text().startswith("# ")
    assert settings.guidance > 1
    sample(folder, tmp_path / "x.png", replace(settings, steps=2))
    assert load(SampleSettings, path, [f"{k}={v}" for k, v in {"steps": 3}.items()]).steps == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "steps is 1 or more"),
        ({"num_images": 0}, "num_images"),
        ({"seed": -1}, "seed is 0 or more"),
        ({"precision": "int4"}, "fp32, bf16, fp16"),
        ({"channels": "some"}, "channels"),
        ({"interval": [0.5]}, "interval"),
        ({"interval": [0.5, 0.2]}, "interval"),
    ],
)
def test_settings_out_of_range(changes, words):
    with pytest.raises(ValueError, match=words):
        SampleSettings(**{**asdict(SampleSettings()), **changes})


def test_outputs_that_cannot_be(folder, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"a")
    for out, words in (
        ("x.jpg", "a .png"),
        ("photos", "other things"),
        ("no/x", "does not exist"),
        ("no/x.npz", "does not exist"),
    ):
        with pytest.raises(ValueError, match=words):
            sample(folder, tmp_path / out, FAST, overwrite=True)
    with pytest.raises(ValueError, match=r"\.webp or \.gif"):
        sample(folder, tmp_path / "x.png", FAST, animation=tmp_path / "x.mp4")
    with pytest.raises(ValueError, match="of training runs"):
        sample(folder, tmp_path / "x.png", FAST, ema="power_0.05")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_the_commands_of_the_page_are_understood():
    page = (Path(__file__).resolve().parents[2] / "docs" / "sampling.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
    for words in lines:
        begin = words.index("mdt.sample") if "mdt.sample" in words else words.index("sample")
        assert build_parser().parse_args(["sample", *words[begin + 1 :]]).output
    assert len(lines) == 7


def test_rounds_share_in_order():
    group = Group("cpu")
    group.world, seen = 3, []
    for rank in range(3):
        group.rank = rank
        seen.append(list(group.rounds(range(7))))
    assert [some for some, _ in seen[0]] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [[mine for _, mine in rounds] for rounds in seen] == [
        [0, 3, 6],
        [1, 4, None],
        [2, 5, None],
    ]


def test_two_processes_draw_what_one_does(folder, tmp_path):
    settings = replace(FAST, num_images=11, guidance=2.0)
    one, two = tmp_path / "one", tmp_path / "two"
    sample(folder, one, settings, animation=tmp_path / "one.webp")
    words = ["-n", "11", "--steps", "2", "--guidance", "2", "--device", "cpu"]
    launch = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        "-m",
        "mdt.sample",
    ]
    more = ["-o", str(two), "--animation", str(tmp_path / "two.webp"), *words]
    threads = str(torch.get_num_threads())
    done = subprocess.run(
        [sys.executable, *launch, str(folder), *more],
        env=dict(os.environ, ACCELERATE_USE_CPU="true", OMP_NUM_THREADS=threads),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{two}: 11 pictures drawn.\n"
    assert (tmp_path / "two.webp").read_bytes() == (tmp_path / "one.webp").read_bytes()
    for path in one.iterdir():
        assert (two / path.name).read_bytes() == path.read_bytes()
    assert len(list(two.iterdir())) == 12
    assert json.loads((two / "samples.json").read_text())["steps"] == 2
