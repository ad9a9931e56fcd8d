"""Training runs that the web editor starts: real processes on a few small pictures."""

import json
import time

import numpy as np
import pytest
from PIL import Image

from editanything.errors import InputError
from editanything.ui.trainings import SIZES, Trainings, curve


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "my pictures = 1"
    for name, color in (("red", (200, 40, 30)), ("blue", (30, 60, 200))):
        (folder / name).mkdir(parents=True)
        for i in range(4):
            noise = rng.integers(0, 30, (40, 36, 3))
            pixels = np.clip(np.array(color) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def wait(until, seconds=120):
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.3)


def test_a_run_starts_stops_and_another_server_sees_it(pictures, tmp_path):
    runs = Trainings(tmp_path / "runs")
    assert runs.look_at(str(pictures)) == (8, ("blue", "red"))
    status = runs.start("mine", str(pictures), steps=100_000)
    assert status.state == "starting"
    other = Trainings(tmp_path / "runs")  # the page after a restart of the server
    try:
        wait(lambda: other.status("mine").state != "starting")
        seen = other.status("mine")
        assert (seen.state, seen.steps, seen.said) == ("running", 100_000, "")
        assert seen.seconds_left > 0
        assert seen.loss[0][1] > 0
        with pytest.raises(InputError, match="training already"):
            runs.resume("mine")
        with pytest.raises(InputError, match="still training"):
            runs.delete("mine")
    finally:
        other.stop("mine")
        wait(lambda: not runs.status("mine").alive)
    stopped = runs.status("mine")
    assert stopped.state == "stopped"
    assert stopped.can_draw
    assert (tmp_path / "runs" / "mine" / "checkpoints").is_dir()
    assert other.names() == ["mine"]
    runs.delete("mine")
    assert runs.names() == []


def test_a_folder_that_cannot_be_used_is_one_sentence(pictures, tmp_path):
    runs = Trainings(tmp_path / "runs")
    (tmp_path / "empty").mkdir()
    (pictures / "stray.png").write_bytes((pictures / "red" / "0.png").read_bytes())
    for folder, said in (
        ("", "Say which folder"),
        (str(tmp_path / "none"), "does not exist"),
        (str(tmp_path / "empty"), "holds no pictures"),
        (str(pictures), "beside class folders"),
    ):
        with pytest.raises(InputError, match=said):
            runs.start("mine", folder)
    for name in ("", "../up", "Ä b"):
        with pytest.raises(InputError, match="A run's name"):
            runs.start(name, str(tmp_path))
    with pytest.raises(InputError, match="tiny, small"):
        runs.start("mine", str(pictures), size="huge")
    assert not (tmp_path / "runs").exists()


def test_a_run_that_failed_says_why(pictures, tmp_path):
    place = tmp_path / "runs" / "mine"
    place.mkdir(parents=True)
    log = "mdt: an older trouble.\n"
    begins = len(log)
    log += "a warning\nmdt: The folder holds no pictures.\nTraceback\n"
    log += "subprocess.CalledProcessError: Command '[...]' returned non-zero exit status 2.\n"
    (place / "train.log").write_text(log)
    gone = {"pid": 2**22 - 1, "created": 0.0, "command": [], "log": begins}
    (place / "started.json").write_text(json.dumps(gone))
    status = Trainings(tmp_path / "runs").status("mine")
    assert (status.state, status.said) == ("failed", "The folder holds no pictures.")
    gone["log"] = len(log)
    (place / "started.json").write_text(json.dumps(gone))
    assert Trainings(tmp_path / "runs").status("mine").state == "stopped"


def test_every_size_is_a_recipe_that_trains_on_a_folder():
    from mdt.config import find_config, load
    from mdt.settings import TrainSettings

    for recipe, _ in SIZES.values():
        settings = load(TrainSettings, find_config("train", recipe))
        assert settings.data.name == "folder"
        assert settings.sample.every


def test_the_curve_falls_where_the_loss_falls():
    drawn = curve(((0, 2.0), (50, 1.5), (100, 1.0)), 100)
    path = drawn.split('<path d="M ')[1].split('"')[0]
    heights = [float(point.split()[1]) for point in path.split(" L ")]
    assert heights == sorted(heights)
    assert "2.000" in drawn
    assert curve((), 10) == ""
