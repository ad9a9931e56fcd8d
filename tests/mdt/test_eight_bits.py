"""Weights in 8 bits: each number within half a step of its row, small tensors in fp16."""

import pytest
import torch

from mdt.eight_bits import LEAST_NUMBERS, packed, unpacked


def some_tensors():
    draws = torch.Generator().manual_seed(0)
    rows = torch.exp(3 * torch.randn(64, 1, generator=draws))
    return {
        "matrix": rows * torch.randn(64, 80, generator=draws),
        "kernel": torch.randn(64, 16, 3, 3, generator=draws),
        "small": torch.randn(8, 8, generator=draws),
        "bias": torch.randn(LEAST_NUMBERS, generator=draws),
        "nothing": torch.zeros(64, 64),
    }


def test_every_number_is_within_half_a_step_of_its_row():
    came = some_tensors()
    back = unpacked(packed(came))
    assert back.keys() == came.keys()
    for name in ("matrix", "kernel", "nothing"):
        rows, error = came[name].flatten(1), (back[name] - came[name]).flatten(1).abs()
        assert (error.amax(1) <= rows.abs().amax(1) * 0.5001 / 127).all()
    for name in ("small", "bias"):
        assert torch.equal(back[name], came[name].half().float())


def test_it_takes_half_of_fp16_and_a_second_time_changes_nothing():
    matrix = {"matrix": torch.randn(256, 1024, generator=torch.Generator().manual_seed(1))}
    once = packed(matrix)
    assert sum(t.numel() * t.element_size() for t in once.values()) < 256 * 1024 * 1.01
    assert once["matrix"].dtype == torch.int8
    again = packed(unpacked(once))
    assert all(torch.equal(once[name], again[name]) for name in once)
    assert packed(matrix, least=10**6)["matrix"].dtype == torch.float16


def test_a_missing_scale_is_told():
    held = packed(some_tensors())
    del held["matrix/scale"]
    with pytest.raises(ValueError, match="matrix is in 8 bits, but its scale is missing"):
        unpacked(held)
