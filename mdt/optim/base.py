"""What Adan and Win share: a step over lists of tensors, clipping, exact saving, checks.

The state of a parameter is kept in its *working dtype*: float32 for a bfloat16 or float16
parameter, the parameter's own dtype otherwise. Differences of gradients (Adan) and the look-ahead
sequences (Win) lose their meaning in 8 bits of mantissa. The update is computed in that dtype and
rounded once, when it is written to the parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, overload

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from mdt.optim import each

Group = dict[str, Any]

# Elements that go through one list operation together. On CPU more of them are slower, since
# nothing is still in cache when the next operation comes to it: small tensors go together, large
# ones in parts. On an accelerator the limit only bounds the temporary memory (256 MiB for each
# temporary list in float32).
CPU_BUCKET_ELEMENTS_PER_THREAD = 1 << 17
ACCELERATOR_BUCKET_ELEMENTS = 1 << 26


@dataclass
class Bucket:
    """Parameters that are updated together: one device, one dtype, one step count.

    Attributes:
        params: the live parameters, in the working dtype.
        grads: their gradients, in the working dtype. Not to be written to.
        states: their states, tensors by name, updated in place.
        k: how many steps they have seen, this one included.
    """

    params: list[Tensor]
    grads: list[Tensor]
    states: list[dict[str, Tensor]]
    k: int

    def state(self, name: str) -> list[Tensor]:
        """The tensors called `name`, one per parameter."""
        return [state[name] for state in self.states]


def working_dtype(p: Tensor) -> torch.dtype:
    """The dtype in which the state of `p` is kept and its update computed."""
    return torch.float32 if p.dtype in (torch.bfloat16, torch.float16) else p.dtype


def local(tensor: Tensor) -> Tensor:
    """This process's part of a sharded tensor, sharing its memory; a plain tensor itself."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def zeros(p: Tensor) -> Tensor:
    """A state tensor of zeros for `p`."""
    return torch.zeros_like(p, dtype=working_dtype(p), memory_format=torch.preserve_format)


class ListOptimizer(torch.optim.Optimizer):
    """A torch optimizer whose update is written once, over lists of tensors.

    A subclass says how steps are counted, how a state starts, and what an update is.
    """

    # Settings that hold for the whole optimizer: the gradient norm runs over all groups.
    shared_settings: tuple[str, ...] = ("max_grad_norm",)

    def _count(self, group: Group, p: Tensor) -> int:
        """How many steps `p` has seen, this one included."""
        raise NotImplementedError

    def _start(self, group: Group, p: Tensor, g: Tensor) -> dict[str, Tensor]:
        """The state of `p` before its first step, of which `g` is the gradient."""
        raise NotImplementedError

    def _update(self, group: Group, bucket: Bucket) -> None:
        """Change `bucket.params` and `bucket.states` in place by one step."""
        raise NotImplementedError

    def _check(self, group: Group) -> None:
        """Raise ValueError if a setting of `group` cannot be used."""
        raise NotImplementedError

    def _state_names(self, group: Group) -> set[str]:
        """The names of the tensors that the state of each parameter of `group` holds."""
        raise NotImplementedError

    def _is_elementwise(self, group: Group) -> bool:  # noqa: ARG002
        """Whether the update of an element depends on that element's own values alone."""
        return True

    def _clip_eps(self) -> float:
        """What is added to the gradient norm before dividing by it."""
        return float(self.param_groups[-1]["eps"])

    @property
    def _name(self) -> str:
        return type(self).__name__

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters, with settings of their own where given.

        Raises:
            ValueError: if a setting cannot be used, or one that belongs to the whole optimizer
                differs.
        """
        merged = {**self.defaults, **param_group}
        for key in self.shared_settings:
            if merged[key] != self.defaults[key]:
                raise ValueError(
                    f"{self._name}: {key} holds for all parameter groups together; a group came "
                    f"with {merged[key]!r} instead of {self.defaults[key]!r}. Give it to the "
                    "constructor."
                )
        self._check(merged)
        super().add_param_group(param_group)
        for p in self.param_groups[-1]["params"]:
            if not p.is_floating_point():
                self.param_groups.pop()
                raise ValueError(
                    f"{self._name}: parameters must be real floating-point tensors; one is "
                    f"{p.dtype}. For complex numbers, optimize torch.view_as_real(parameter)."
                )

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update of every parameter that has a gradient; the others keep all their state.

        With clipping on, `p.grad` holds the clipped gradient afterwards.

        Args:
            closure: computes the loss and the gradients anew; its value is returned.

        Raises:
            ValueError: on a sparse gradient; nothing has changed then.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        live = [[p for p in group["params"] if p.grad is not None] for group in self.param_groups]
        grads = [_grad(p) for p in chain.from_iterable(live)]
        self._refuse_sparse(grads)
        self._refuse_cut(grads)
        if (max_norm := self.param_groups[0]["max_grad_norm"]) > 0:
            clip_(grads, max_norm, self._clip_eps())
        for group, params in zip(self.param_groups, live, strict=True):
            self._step_group(group, params)
        return loss

    def _step_group(self, group: Group, params: list[Tensor]) -> None:
        for k, together in self._buckets(group, params):
            originals, grads = [local(p) for p in together], [local(_grad(p)) for p in together]
            low = working_dtype(originals[0]) != originals[0].dtype
            bucket = Bucket(
                params=[p.float() for p in originals] if low else originals,
                grads=[g.float() for g in grads] if low else grads,
                states=[{key: local(v) for key, v in self.state[p].items()} for p in together],
                k=k,
            )
            for part in self._parts(group, bucket):
                self._update(group, part)
            if low:
                each.copy_(originals, bucket.params)

    def _parts(self, group: Group, bucket: Bucket) -> Iterator[Bucket]:
        """The bucket, or views of the parts of its one large tensor that go through the cache."""
        p, g, state = bucket.params[0], bucket.grads[0], dict(bucket.states[0])
        state.pop("step", None)
        most = _bucket_elements(group["foreach"], p.device)
        whole = not 0 < most < p.numel() or not self._is_elementwise(group)
        if whole or not all(t.is_contiguous() for t in (p, g, *state.values())):
            yield bucket
            return
        flat = [torch.split(t.view(-1), int(most)) for t in (p, g, *state.values())]
        for p, g, *rest in zip(*flat, strict=True):
            yield Bucket([p], [g], [dict(zip(state, rest, strict=True))], bucket.k)

    def _buckets(self, group: Group, params: list[Tensor]) -> Iterator[tuple[int, list[Tensor]]]:
        """The parameters with a gradient, as (step count, parameters to update together)."""
        kinds: dict[tuple[torch.device, torch.dtype, int], list[Tensor]] = {}
        for p in params:
            if not self.state[p]:
                self.state[p] = self._start(group, p, _grad(p))
            kinds.setdefault((p.device, p.dtype, self._count(group, p)), []).append(p)
        for (device, _, k), same in kinds.items():
            for bucket in _split(same, _bucket_elements(group["foreach"], device)):
                yield k, bucket

    def _refuse_sparse(self, grads: list[Tensor]) -> None:
        for grad in grads:
            if grad.layout != torch.strided:
                raise ValueError(
                    f"{self._name} cannot use a sparse gradient (of shape {tuple(grad.shape)}): "
                    "build the embedding with sparse=False, or optimize it with "
                    "torch.optim.SparseAdam."
                )

    def _refuse_cut(self, grads: list[Tensor]) -> None:
        if not any(isinstance(grad, DTensor) for grad in grads):
            return
        if self.param_groups[0]["max_grad_norm"] > 0:
            raise ValueError(
                f"{self._name} clips by the norm of the gradients that it sees, and sharded "
                "parameters show each process a part: set max_grad_norm=0 and clip with "
                "torch.nn.utils.clip_grad_norm_."
            )
        if not all(self._is_elementwise(group) for group in self.param_groups):
            raise ValueError(
                f"{self._name} with this base needs whole tensors (LAMB's trust ratio is a norm), "
                "so it cannot train sharded parameters; choose another base."
            )

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a saved state exactly; nothing is shared with `state_dict` afterwards.

        Raises:
            ValueError: if it was saved by another optimizer or for other parameters.
        """
        self._check_saved(state_dict)
        super().load_state_dict(dict(state_dict))
        # torch has cast the state to the parameter's dtype, which rounds it for bfloat16.
        for _, p, saved in self._paired(state_dict):
            for name, value in saved.items():
                # The counter stays on the CPU, where reading it does not wait for the device.
                counts = name == "step"
                device, dtype = ("cpu", value.dtype) if counts else (p.device, working_dtype(p))
                self.state[p][name] = value.to(device, dtype, copy=True)

    def _paired(
        self, state_dict: Mapping[str, Any]
    ) -> Iterator[tuple[Group, Tensor, dict[str, Tensor]]]:
        """(own group, parameter, its saved state) for every parameter that has one."""
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=False):
            for p, index in zip(group["params"], saved["params"], strict=False):
                if index in state_dict["state"]:
                    yield group, p, state_dict["state"][index]

    def _check_saved(self, state_dict: Mapping[str, Any]) -> None:
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=False):
            for key in ("base", "mode"):
                if key in group and saved.get(key) != group[key]:
                    raise ValueError(
                        f"The saved optimizer state has {key}={saved.get(key)!r}, this {self._name}"
                        f" {group[key]!r}: build it with the settings that it was saved with."
                    )
            # torch adds "differentiable" to the defaults of an optimizer that has loaded a state.
            if missing := sorted(set(self.defaults) - set(saved) - {"differentiable"}):
                raise ValueError(
                    f"The saved optimizer state lacks {', '.join(missing)}: "
                    f"it was not saved by {self._name}."
                )
        for group, p, state in self._paired(state_dict):
            if missing := sorted(self._state_names(group) - set(state)):
                raise ValueError(
                    f"The saved optimizer state lacks {', '.join(missing)} for a parameter of "
                    f"shape {tuple(p.shape)}: it was not saved by {self._name} with these settings."
                )
            for name in self._state_names(group) - {"step"}:
                if state[name].shape != p.shape:
                    raise ValueError(
                        f"The saved optimizer state has {name} of shape "
                        f"{tuple(state[name].shape)} for a parameter of shape {tuple(p.shape)}: "
                        "it was saved for another model."
                    )


def clip_(grads: list[Tensor], max_norm: float, eps: float) -> None:
    """Clip in place: g <- g * min(1, max_norm / (|g| + eps)), one norm over all of `grads`.

    Nothing waits for the device. Of sharded parameters each process sees its own part only: clip
    those with the trainer's own function.
    """
    kinds: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    for grad in grads:
        kinds.setdefault((grad.device, grad.dtype), []).append(grad)
    if not kinds:
        return
    wide = torch.float64 if any(dtype == torch.float64 for _, dtype in kinds) else torch.float32
    norms = [
        norm.to(grads[0].device, wide)
        for same in kinds.values()
        for norm in each.norm(same, 2, dtype=working_dtype(same[0]))
    ]
    total = torch.linalg.vector_norm(torch.stack(norms))
    scale = torch.clamp(max_norm / (total + eps), max=1.0)
    if scale.device.type == "cpu" and scale >= 1:
        return
    for (device, dtype), same in kinds.items():
        each.mul_(same, scale.to(device, torch.promote_types(dtype, torch.float32)))


def check_number(owner: str, name: str, value: Any, *, below: float = math.inf) -> None:
    """Raise ValueError unless `value` is a number in [0, below)."""
    try:
        fine = 0 <= float(value) < below
    except (TypeError, ValueError):
        fine = False
    if not fine:
        wanted = "a finite number, at least 0" if below == math.inf else f"in [0, {below:g})"
        raise ValueError(f"{owner}: {name} must be {wanted}; got {value!r}.")


def check_betas(owner: str, betas: Any, num: int) -> None:
    """Raise ValueError unless `betas` are `num` numbers in [0, 1)."""
    if not isinstance(betas, (tuple, list)) or len(betas) != num:
        raise ValueError(f"{owner}: betas must be {num} numbers in [0, 1); got {betas!r}.")
    for i, beta in enumerate(betas):
        check_number(owner, f"betas[{i}]", beta, below=1)


def _grad(p: Tensor) -> Tensor:
    assert p.grad is not None
    return p.grad


def _bucket_elements(foreach: bool | None, device: torch.device) -> float:
    if foreach is not None:
        return math.inf if foreach else 0
    if device.type == "cpu":
        return CPU_BUCKET_ELEMENTS_PER_THREAD * torch.get_num_threads()
    return ACCELERATOR_BUCKET_ELEMENTS


def _split(params: list[Tensor], max_elements: float) -> Iterator[list[Tensor]]:
    """Runs of `params` of at most `max_elements` together; a larger tensor goes alone."""
    run: list[Tensor] = []
    num = 0
    for p in params:
        if run and num + p.numel() > max_elements:
            yield run
            run, num = [], 0
        run.append(p)
        num += p.numel()
    if run:
        yield run
