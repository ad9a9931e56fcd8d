import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import ranks
import torch
from PIL import Image

from mdt.cli import build_parser
from mdt.evaluate import add_arguments, compare, evaluate, run
from mdt.features import FEATURES, Features, open_features
from mdt.features.counting import EVERYTHING, Counting, count
from mdt.features.pictures import ArraySource, open_pictures
from mdt.metrics import METRICS, Statistics

ROOT = Path(__file__).resolve().parents[2]


def pictures(n, seed=0, side=16, strength=40.0):
    """Smooth random pictures, uint8 (n, side, side, 3)."""
    draw = np.random.default_rng(seed)
    coarse = draw.normal(128, strength, (n, 4, 4, 3)).clip(0, 255).astype(np.uint8)
    return np.stack([np.asarray(Image.fromarray(c).resize((side, side))) for c in coarse])


def write_folder(folder, array):
    folder.mkdir(parents=True)
    for i, picture in enumerate(array):
        Image.fromarray(picture).save(folder / f"{i:05d}.png")
    return folder


class Plain:
    """A feature network of one's own: the means and spreads of the colours."""

    name = "plain"
    sha256 = "00" * 32

    def prepare(self, picture):
        return torch.from_numpy(picture.copy()).permute(2, 0, 1).float() / 255

    def __call__(self, x):
        flat = x.flatten(2)
        return Features(torch.cat([flat.mean(2), flat.std(2)], 1))


def count_with(array, keep=EVERYTHING, network=None, **settings):
    return count(array, Counting(network or open_features("cifar"), keep=keep, **settings))


def test_every_metric_tells_near_from_far():
    reference, near, far = pictures(120, 0), pictures(90, 1), pictures(90, 2, strength=1)
    close, away = evaluate(near, reference), evaluate(far, reference)
    assert close.keys() == {
        *("frechet", "sfid", "kid", "kid_error", "precision", "recall", "is", "is_std")
    }
    assert close["frechet"] < 0.5 * away["frechet"]
    assert close["sfid"] < 0.5 * away["sfid"]
    assert close["kid"] + 2 * close["kid_error"] < away["kid"]
    assert close["precision"] > 0.5 and close["recall"] > 0.5 > away["recall"]
    assert 1 < close["is"] < 10
    itself = evaluate(reference, reference, metrics=["frechet", "precision"])
    assert itself["frechet"] == pytest.approx(0, abs=1e-9)
    assert (itself["precision"], itself["recall"]) == (1, 1)


def test_the_batch_and_the_workers_do_not_matter():
    array, reference = pictures(23, 3), count_with(pictures(30, 4))
    first = count_with(array, batch=23)
    for settings in ({"batch": 1}, {"batch": 7}, {"batch": 100, "workers": 1}):
        other = count_with(array, **settings)
        for name, value in other.arrays().items():
            assert np.array_equal(value, getattr(first, name)), name
        one, two = (compare(x, reference, ["frechet", "kid", "is"]) for x in (first, other))
        assert one == two


def test_features_stay_in_the_order_of_the_pictures():
    array = pictures(11, 5)
    kept = count_with(array, network=Plain(), batch=4)
    np.testing.assert_allclose(kept.pooled[:, :3], array.mean((1, 2)) / 255, atol=1e-6)
    assert kept.count == 11


def test_counting_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    count_with(pictures(4), workers=1)
    assert torch.equal(before, torch.get_rng_state())


def test_only_what_the_metrics_ask_for_is_kept():
    kept = count_with(pictures(6), keep=frozenset())
    assert kept.arrays().keys() == {"mean", "cov"}
    assert evaluate(pictures(6), pictures(6, 1), metrics=["kid"]).keys() == {"kid", "kid_error"}


@pytest.mark.parametrize("squeeze", [np.savez, np.savez_compressed])
def test_the_same_pictures_score_the_same_from_folder_array_and_npz(tmp_path, squeeze):
    array = pictures(6, 6)
    write_folder(tmp_path / "png", array)
    squeeze(tmp_path / "adm.npz", array, np.arange(6))
    squeeze(tmp_path / "named.npz", pictures=array)
    sources = [array, tmp_path / "png", f"folder:{tmp_path / 'png'}"]
    sources += [tmp_path / "adm.npz", str(tmp_path / "named.npz")]
    counted = [count_with(source) for source in sources]
    for other in counted[1:]:
        assert np.array_equal(other.pooled, counted[0].pooled)
        assert other.size == (16, 16)
    mapped = ArraySource.open(tmp_path / "adm.npz").pictures
    assert isinstance(mapped, np.memmap) == (squeeze is np.savez)


def test_classes_of_a_folder_are_read_as_one_set(tmp_path):
    write_folder(tmp_path / "all" / "a", pictures(3, 0))
    write_folder(tmp_path / "all" / "b", pictures(2, 1))
    assert count_with(tmp_path / "all").count == 5


def test_a_size_crops_pictures_of_any_size_first(tmp_path):
    wide = np.concatenate([pictures(4, 7), 255 * np.ones((4, 16, 8, 3), np.uint8)], 2)
    write_folder(tmp_path / "wide", wide)
    for source in (wide, tmp_path / "wide"):
        opened, _ = open_pictures(source, 8)
        assert opened.shape == (3, 8, 8)
        assert opened.read(0)[0].shape == (8, 8, 3)
    same = count_with(wide, size=16), count_with(tmp_path / "wide", size=16)
    assert np.array_equal(same[0].pooled, same[1].pooled)
    with pytest.raises(ValueError, match=r"are 24x16 pixels and the reference 16x16.*--size"):
        evaluate(wide, pictures(4))
    assert evaluate(wide, pictures(4), size=12, metrics=["frechet"])["frechet"] > 0


def test_what_cannot_be_measured_is_one_sentence(tmp_path):
    write_folder(tmp_path / "flat", pictures(3))
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "float.npz", np.zeros((2, 4, 4, 3)))
    np.savez(tmp_path / "two.npz", a=pictures(2), b=pictures(2))
    np.savez(tmp_path / "objects.npz", np.array([{}], dtype=object))
    cases = {
        "does not exist": tmp_path / "none",
        "there is no such file": tmp_path / "none.npz",
        "cannot be read as pictures": tmp_path / "text.npz",
        r"uint8 \(N, H, W, 3\); it holds float64": tmp_path / "float.npz",
        "no item named 'arr_0.npy'": tmp_path / "two.npz",
        "Object arrays": tmp_path / "objects.npz",
        "holds no pictures": np.zeros((0, 4, 4, 3), np.uint8),
        "at least 2 pictures; got 1": pictures(1),
    }
    for sentence, source in cases.items():
        with pytest.raises(ValueError, match=sentence) as said:
            evaluate(source, tmp_path / "flat")
        assert "\n" not in str(said.value)
    with pytest.raises(ValueError, match="no metric 'fid'; there are: frechet, sfid, kid"):
        evaluate(pictures(3), pictures(3), metrics=["fid"])
    with pytest.raises(ValueError, match="'kid' compares samples with a REFERENCE"):
        evaluate(pictures(3), metrics=["kid"])
    with pytest.raises(ValueError, match="hold no probabilities"):
        evaluate(pictures(3), pictures(3), features=Plain(), metrics=["is"])


def parse(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def test_the_help_names_all_there_is_without_torch():
    code = (
        "import argparse, sys; from mdt.evaluate import add_arguments; p = argparse.ArgumentParser();"
        "add_arguments(p); p.print_help(); assert 'torch' not in sys.modules"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    words = set(re.findall(r"[\w]+", said.stdout))
    assert {*METRICS, *FEATURES} <= words


def test_the_verb_prints_a_table_and_one_json_line(tmp_path, capsys):
    samples = write_folder(tmp_path / "samples", pictures(12, 1))
    np.savez(tmp_path / "reference.npz", pictures(12, 2))
    run(parse(samples, tmp_path / "reference.npz", "--metrics", "frechet,is", "--batch", 5))
    lines = capsys.readouterr().out.splitlines()
    found = json.loads(lines[-1])
    assert found["num_samples"] == found["num_reference"] == 12
    assert found["features"] == "features-cifar" and len(found["sha256"]) == 64
    assert {"frechet", "is", "is_std"} < found.keys() and "kid" not in found
    assert any(line.split() == ["frechet", f"{found['frechet']:.6g}"] for line in lines[:-1])
    again = evaluate(samples, tmp_path / "reference.npz", metrics=["frechet", "is"], batch=5)
    assert {key: found[key] for key in again} == again


def test_statistics_are_kept_and_stand_for_their_pictures(tmp_path, capsys):
    samples, reference = pictures(12, 1), write_folder(tmp_path / "reference", pictures(14, 2))
    np.savez(tmp_path / "samples.npz", samples)
    kept = tmp_path / "kept.npz"
    few = "--metrics", "frechet,kid,precision"
    run(parse(tmp_path / "samples.npz", reference, "--save-statistics", kept, *few))
    fresh = json.loads(capsys.readouterr().out.splitlines()[-1])
    run(parse(tmp_path / "samples.npz", kept, *few))
    cached = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert cached == fresh
    assert str(tmp_path) not in kept.read_bytes().decode("latin-1")
    # Alone, the samples' own are kept.
    run(parse(reference, "--save-statistics", tmp_path / "alone.npz"))
    assert np.array_equal(Statistics.load(tmp_path / "alone.npz").cov, Statistics.load(kept).cov)
    with pytest.raises(ValueError, match=r"kept\.npz exists"):
        run(parse(reference, "--save-statistics", kept))
    with pytest.raises(ValueError, match=r"written as \.npz"):
        run(parse(reference, "--save-statistics", tmp_path / "kept"))
    with pytest.raises(ValueError, match=r"feature network features-cifar .* and the samples with"):
        evaluate(samples, kept, features=Plain())


def test_metrics_that_the_cached_statistics_lack_are_left_out_or_refused(tmp_path):
    kept = count_with(pictures(12, 2), keep=frozenset())
    assert evaluate(pictures(12), kept).keys() == {"frechet", "is", "is_std"}
    with pytest.raises(ValueError, match="hold no pooled: save them anew"):
        evaluate(pictures(12), kept, metrics=["kid"])


def test_bad_options_are_one_sentence(capsys):
    for words in (
        ["--metrics", "fid"],
        ["--metrics", ","],
        ["--batch", "0"],
        ["--size", "x"],
        ["--workers", "-1"],
    ):
        with pytest.raises(SystemExit):
            parse("a", "b", *words)
        assert "Traceback" not in capsys.readouterr().err


def test_the_commands_of_the_page_are_understood():
    text = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")
    lines = re.findall(r"^.*\bmdt(?:\.cli)? (evaluate .*)$", text, re.MULTILINE)
    lines = [line for line in lines if "`" not in line]
    assert len(lines) == 6
    for line in lines:
        assert build_parser().parse_args(line.split()).verb == "evaluate"


SCRIPT = """
import argparse, sys
from mdt.evaluate import add_arguments, run
parser = argparse.ArgumentParser()
add_arguments(parser)
run(parser.parse_args())
"""


def test_two_processes_give_the_values_of_one(tmp_path, capsys):
    np.savez(tmp_path / "samples.npz", pictures(21, 1))
    np.savez(tmp_path / "reference.npz", pictures(26, 2))
    words = [str(tmp_path / "samples.npz"), str(tmp_path / "reference.npz"), "--batch", "4"]
    run(parse(*words))
    lines = capsys.readouterr().out.splitlines()
    alone, spoken = json.loads(lines[-1]), len(lines)
    script = tmp_path / "evaluate.py"
    script.write_text(SCRIPT)
    words += ["--save-statistics", str(tmp_path / "kept.npz")]
    told = ranks.run([script, *words])
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert len(lines) == spoken  # one process speaks
    together = json.loads(lines[-1])
    assert together.keys() == alone.keys() and set(METRICS) <= alone.keys() | {"precision"}
    for name, value in alone.items():
        if isinstance(value, float):
            assert together[name] == pytest.approx(value, rel=1e-9, abs=1e-9)
        else:
            assert together[name] == value
    assert Statistics.load(tmp_path / "kept.npz").count == 26
