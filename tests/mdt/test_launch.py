import warnings

import pytest
import torch

from mdt.launch import check_launch, check_sharding, has_bf16, make_accelerator


def test_one_process_where_two_were_asked_for_is_refused(monkeypatch):
    """What `accelerate launch --cpu --num_processes 2` leaves in the environment."""
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    check_launch()
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(ValueError, match=r"starts only one.*torchrun --nproc_per_node 2"):
        check_launch()
    monkeypatch.setenv("WORLD_SIZE", "2")
    check_launch()


def test_fsdp_that_accelerate_does_not_do_is_refused(monkeypatch):
    accelerator = make_accelerator()
    check_sharding(accelerator)
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(ValueError, match="sharding=fsdp2"):
        check_sharding(accelerator)


@pytest.mark.parametrize(
    ("told", "native"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx2": True, "avx512_bf16": True, "amx_bf16": False}, True),
        ({"architecture": "arm64", "neon": True, "bf16": True}, True),
        ({}, False),
    ],
)
def test_auto_takes_bf16_where_the_cpu_has_it(monkeypatch, told, native):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert has_bf16(torch.device("cpu")) is native
    assert make_accelerator(precision="auto").mixed_precision == ("bf16" if native else "no")
    assert make_accelerator(precision="fp32").mixed_precision == "no"
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert make_accelerator(precision="bf16").mixed_precision == "bf16"
    slow = [w for w in said if "no bfloat16 of its own" in str(w.message)]
    assert len(slow) == (not native)
