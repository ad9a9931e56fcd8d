"""Weights that are cut over processes by torch's `fully_shard`, and the whole tensors they make.

Everything here also takes plain tensors, so that a checkpoint is the same files either way.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor


def shard(model: nn.Module, blocks: Mapping[str, nn.Module]) -> None:
    """Cut the parameters over all processes, block by block, in place [FSDP2].

    Args:
        model: the network; its parameters become `DTensor`s.
        blocks: its parts that are gathered one at a time, such as `Network.depth_blocks()`.
    """
    from torch.distributed.fsdp import fully_shard

    # The networks return a view of their last layer, which nothing here writes to.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
    for block in blocks.values():
        fully_shard(block)
    fully_shard(model)


def own_class(model: nn.Module) -> type:
    """The class of a network, also of one that `fully_shard` has given a class of its own."""
    from torch.distributed.fsdp import FSDPModule

    return next(kind for kind in type(model).__mro__ if not issubclass(kind, FSDPModule))


def whole(tensor: Tensor) -> Tensor:
    """The tensor on the CPU, gathered from all processes where it is cut; all must call this."""
    tensor = tensor.detach()
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).cpu()


def cut_like(value: Tensor, like: Tensor) -> Tensor:
    """The whole tensor `value`, cut and placed as `like` is; all processes must call this."""
    value = value.to(like.device)
    if not isinstance(like, DTensor) or value.shape != like.shape:
        return value
    return distribute_tensor(value, like.device_mesh, like.placements)


@torch.no_grad()
def put(targets: Mapping[str, Tensor], values: Mapping[str, Tensor], what: str) -> None:
    """Write whole tensors into those of a model, by name, bit for bit.

    Raises:
        ValueError: names or shapes that differ.
    """
    if odd := sorted(targets.keys() ^ values.keys()):
        raise ValueError(
            f"{what} does not fit the model: {len(odd)} names differ, such as {odd[0]}."
        )
    for name, target in targets.items():
        if target.shape != values[name].shape:
            raise ValueError(
                f"{what} does not fit the model: {name} is {tuple(values[name].shape)}, not "
                f"{tuple(target.shape)}."
            )
        target.copy_(cut_like(values[name], target))


def optimizer_tensors(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """The optimizer's state as whole tensors, named "parameter/key"; all processes must call this.

    Raises:
        ValueError: an optimizer whose state is more than tensors and numbers.
    """
    found: dict[str, Tensor] = {}
    for name, p in model.named_parameters():
        for key, value in optimizer.state.get(p, {}).items():
            if not isinstance(value, Tensor | float | int):
                raise ValueError(  # noqa: TRY004
                    f"{type(optimizer).__name__} keeps {key} as {type(value).__name__}, which "
                    "cannot be saved; choose an optimizer of mdt.optim or torch."
                )
            tensor = value if isinstance(value, Tensor) else torch.tensor(value)
            found[f"{name}/{key}"] = whole(tensor).clone()
    return found


def optimizer_groups(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """The settings and counters of the optimizer's groups, for JSON."""
    return [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]


def load_optimizer(
    optimizer: torch.optim.Optimizer,
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    groups: Sequence[Mapping[str, Any]],
) -> None:
    """Give back what `optimizer_tensors` and `optimizer_groups` told; all processes call this."""
    names = {id(p): name for name, p in model.named_parameters()}
    kept: dict[str, dict[str, Tensor]] = {}
    for path, value in tensors.items():
        name, key = path.rsplit("/", 1)
        kept.setdefault(name, {})[key] = value
    fresh = optimizer.state_dict()
    flat = [p for group in optimizer.param_groups for p in group["params"]]
    numbers = [i for group in fresh["param_groups"] for i in group["params"]]
    state: dict[int, Any] = {}
    for p, number in zip(flat, numbers, strict=True):
        if own := kept.get(names[id(p)]):
            state[number] = {
                key: cut_like(value, p) if value.shape == p.shape and value.ndim else value
                for key, value in own.items()
            }
    for group, saved in zip(fresh["param_groups"], groups, strict=True):
        # JSON has lists where optimizers have tuples.
        group |= {k: tuple(v) if isinstance(v, list) else v for k, v in saved.items()}
    optimizer.load_state_dict({"state": state, "param_groups": fresh["param_groups"]})
