import pytest

from mdt.launch import check_launch, check_sharding, make_accelerator


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
