import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdt.metrics import (
    METRICS,
    Moments,
    Statistics,
    check_comparable,
    distances,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
)

rng = np.random.default_rng


def moments_of(rows):
    moments = Moments()
    moments.add(rows)
    return moments.result()


def random_cov(d, rank, seed):
    a = rng(seed).normal(size=(d, rank))
    return a @ a.T


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_moments_do_not_depend_on_how_the_stream_is_cut(cuts):
    rows = rng(0).normal(3.0, 2.0, (1300, 5)).astype(np.float32)
    whole, pieces = Moments(), Moments()
    whole.add(rows)
    for part in np.split(rows, np.cumsum(cuts)):
        pieces.add(part)
    assert pieces.count == whole.count == 1300
    for a, b in zip(whole.result(), pieces.result(), strict=True):
        assert np.array_equal(a, b)


def test_moments_are_mean_and_covariance_and_may_go_on():
    rows = rng(1).normal(size=(1100, 4)) + 1e7  # a sum of squares would lose all digits
    moments = Moments()
    for part in np.split(rows, [3, 600]):
        moments.add(part)
        if moments.count > 1:
            mean, cov = moments.result()
            done = rows[: moments.count]
            np.testing.assert_allclose(mean, done.mean(0), rtol=5e-15)
            np.testing.assert_allclose(cov, np.cov(done.T), rtol=0, atol=1e-8)


def test_moments_refuse_what_is_no_feature():
    moments = Moments()
    moments.add(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="at least 2 pictures; got 1"):
        moments.result()
    with pytest.raises(ValueError, match="not finite"):
        moments.add(np.full((2, 3), np.nan))
    with pytest.raises(ValueError, match="one width"):
        moments.add(np.zeros((2, 4)))


def test_frechet_of_one_dimension_is_the_closed_form():
    found = frechet_distance(
        np.array([1.0]), np.array([[4.0]]), np.array([-2.0]), np.array([[9.0]])
    )
    assert found == pytest.approx(9 + (2 - 3) ** 2, abs=1e-12)


def test_frechet_of_covariances_with_one_basis_is_the_closed_form():
    basis, _ = np.linalg.qr(rng(2).normal(size=(40, 40)))
    a, b = rng(3).uniform(0, 5, (2, 40))
    m, n = rng(4).normal(size=(2, 40))
    found = frechet_distance(m, basis * a @ basis.T, n, basis * b @ basis.T)
    exact = ((m - n) ** 2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    assert found == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_frechet_of_any_two_by_two_is_the_closed_form(seed):
    a, b = random_cov(2, 2, seed), random_cov(2, 2, seed + 100)
    # The root of a 2x2 matrix M has trace (tr M + 2 det(M)^½)^½, and M = A B need not be symmetric.
    shared = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a) * np.linalg.det(b)))
    exact = np.trace(a) + np.trace(b) - 2 * shared
    assert frechet_distance(np.zeros(2), a, np.zeros(2), b) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("rank", [1, 7, 30])
def test_frechet_of_singular_covariances_is_finite_symmetric_and_zero_to_itself(rank):
    a, b, m = random_cov(64, rank, 5), random_cov(64, 20, 6), np.zeros(64)
    there, back = frechet_distance(m, a, m, b), frechet_distance(m, b, m, a)
    assert there > 0
    assert there == pytest.approx(back, rel=1e-9)
    assert frechet_distance(m, a, m, a) == pytest.approx(0, abs=1e-9 * np.trace(a))
    # A part that no rounding of the other can hide: b scaled has the same root, scaled.
    assert frechet_distance(m, b, m, 4 * b) == pytest.approx(np.trace(b), rel=1e-6)


def test_frechet_refuses_features_of_two_networks():
    with pytest.raises(ValueError, match="Features of 2 and of 3 values"):
        frechet_distance(np.zeros(2), np.eye(2), np.zeros(3), np.eye(3))


def test_kernel_distance_of_whole_sets_is_the_sum_over_pairs():
    x, y = rng(0).normal(size=(2, 6, 3))

    def kernel(a, b):
        return (a @ b / 3 + 1) ** 3

    within = sum(
        kernel(z[i], z[j]) / 30 for z in (x, y) for i in range(6) for j in range(6) if i != j
    )
    across = sum(kernel(a, b) / 36 for a in x for b in y)
    value, error = kernel_distance(x, y, subsets=3)
    assert value == pytest.approx(within - 2 * across, rel=1e-12)
    assert error == pytest.approx(0, abs=1e-12)  # every subset is the whole


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_kernel_distance_is_unbiased_and_its_error_is_honest(shift):
    found = []
    for seed in range(40):
        x, y = rng(seed).normal(size=(2, 400, 4))
        found.append(kernel_distance(x, y + shift, subsets=20, subset_size=100))
    values, errors = np.array(found).T
    spread = values.std(ddof=1)
    if shift:
        assert errors.mean() == pytest.approx(spread, rel=0.4)
        assert values.min() > 3 * errors.mean()
    else:
        assert abs(values.mean()) < 3 * spread / 40**0.5
        assert spread < errors.mean() < 4 * spread


def test_kernel_distance_draws_the_same_subsets_again():
    x, y = rng(7).normal(size=(2, 50, 4))
    one, two, three = (
        kernel_distance(x, y, subsets=2, subset_size=10, seed=seed) for seed in (0, 0, 1)
    )
    assert one == two != three
    with pytest.raises(ValueError, match="2 pictures or more"):
        kernel_distance(x[:1], y)


def slow_precision(samples, reference, k):
    reach = [np.sort(np.linalg.norm(reference - r, axis=1))[k] for r in reference]
    inside = [
        any(np.linalg.norm(s - r) <= d for r, d in zip(reference, reach, strict=True))
        for s in samples
    ]
    return np.mean(inside)


@pytest.mark.parametrize("block", [5, 1024])
def test_precision_and_recall_are_the_definition_in_any_blocks(monkeypatch, block):
    monkeypatch.setattr(distances, "_BLOCK", block)
    x, y = rng(8).normal(size=(2, 33, 3))
    y = y[:28] * 1.3 + 0.8
    found = precision_recall(x, y, k=3)
    assert found == pytest.approx((slow_precision(x, y, 3), slow_precision(y, x, 3)), abs=1e-12)
    assert 0.1 < min(found) < max(found) < 1


def test_a_dropped_mode_costs_recall_and_an_invented_one_precision():
    one, two = rng(9).normal(size=(200, 4)), rng(10).normal(size=(200, 4)) + 50
    both = np.concatenate([one, two])
    fresh = rng(11).normal(size=(200, 4))
    precision, recall = precision_recall(fresh, both)
    assert precision > 0.8 and 0.4 < recall < 0.5
    precision, recall = precision_recall(np.concatenate([fresh, fresh + 100]), one)
    assert recall > 0.8 and 0.4 < precision < 0.5
    with pytest.raises(ValueError, match="more than 3 pictures"):
        precision_recall(one[:3], two)


def test_inception_score_of_certain_and_of_clueless_networks():
    certain = np.eye(7)[np.arange(700) // 100]  # in order of class
    assert inception_score(certain, splits=1) == pytest.approx((7, 0), abs=1e-9)
    assert inception_score(np.full((50, 7), 1 / 7)) == pytest.approx((1, 0), abs=1e-9)
    with pytest.raises(ValueError, match="10 pictures or more; got 9"):
        inception_score(certain[:9])


def statistics(n=40, d=4, seed=0, **changes):
    rows = rng(seed).normal(size=(n, d)).astype(np.float32)
    mean, cov = moments_of(rows)
    values = {
        "count": n,
        "network": "net",
        "sha256": "ab" * 32,
        "source": "pictures",
        "size": (16, 24),
        "mean": mean,
        "cov": cov,
        "pooled": rows,
        "probabilities": np.full((n, 3), 1 / 3, np.float32),
    }
    return Statistics(**{**values, **changes})


def test_statistics_come_back_as_they_were(tmp_path):
    kept = statistics()
    kept.save(tmp_path / "a.npz")
    back = Statistics.load(tmp_path / "a.npz")
    assert (back.count, back.size, back.sha256, back.source) == (
        40,
        (16, 24),
        "ab" * 32,
        "pictures",
    )
    assert back.arrays().keys() == {"mean", "cov", "pooled", "probabilities"}
    for name, value in back.arrays().items():
        assert np.array_equal(value, getattr(kept, name))
    with pytest.raises(ValueError, match=r"a\.npz exists"):
        kept.save(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"written as \.npz"):
        kept.save(tmp_path / "a.bin")


@pytest.mark.parametrize("damage", ["cut", "text", "other", "object", "missing"])
def test_damaged_statistics_are_one_sentence(tmp_path, damage):
    path = tmp_path / "a.npz"
    statistics().save(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-700])
    elif damage == "text":
        path.write_text("hello")
    elif damage == "other":
        np.savez(path, about=np.array('{"kind": "else"}'))
    elif damage == "object":
        np.savez(path, about=np.array({"kind": 1}, dtype=object))
    else:
        path.unlink()
    with pytest.raises(
        ValueError, match=r"a\.npz cannot be read as statistics \(.+\); make"
    ) as said:
        Statistics.load(path)
    assert "\n" not in str(said.value)


def test_statistics_check_themselves():
    with pytest.raises(ValueError, match="fit each other"):
        statistics(cov=np.eye(5))
    with pytest.raises(ValueError, match="fit each other"):
        statistics(pooled=np.zeros((3, 4), np.float32))
    with pytest.raises(ValueError, match="finite"):
        statistics(mean=np.full(4, np.inf))


def test_only_what_was_made_alike_is_compared():
    check_comparable(statistics(), statistics(seed=1))
    with pytest.raises(ValueError, match=r"net .cdcdcdcdcdcd.*count the reference again"):
        check_comparable(statistics(), statistics(sha256="cd" * 32))
    with pytest.raises(ValueError, match=r"24x16 pixels and the reference 8x8.*--size"):
        check_comparable(statistics(), statistics(size=(8, 8)))


def test_a_metric_says_what_the_statistics_lack():
    for name in ("kid", "precision", "is", "sfid"):
        bare = statistics(pooled=None, probabilities=None)
        with pytest.raises(
            ValueError, match=r"The statistics of pictures hold no .+: save them anew"
        ):
            METRICS[name].run(bare, bare)


@pytest.mark.parametrize("order", ["in turn", "one after the other"])
def test_the_order_of_classes_does_not_move_the_inception_score(order):
    """Sure pictures of ten equally frequent classes score ten in either order."""
    labels = np.arange(1000) % 10 if order == "in turn" else np.arange(1000) // 100
    score, spread = inception_score(np.eye(10)[labels])
    assert score == pytest.approx(10, abs=0.6)
    assert spread < 0.5
