"""Schedulers by name; each is made from the settings of the model's own."""

from __future__ import annotations

from typing import Any

from editanything.errors import InputError

#: Our name -> class of diffusers, and what is set other than the model has it.
SCHEDULERS: dict[str, tuple[str, dict[str, Any]]] = {
    "unipc": ("UniPCMultistepScheduler", {}),
    "dpm++2m": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "dpm++2m-karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "dpm++sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "ddim": ("DDIMScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "deis": ("DEISMultistepScheduler", {}),
    "pndm": ("PNDMScheduler", {"skip_prk_steps": True}),
    "lcm": ("LCMScheduler", {}),
}


def make_scheduler(own: Any, name: str) -> Any:
    """A fresh scheduler, free of any earlier run's state.

    Args:
        own: the model's; it stays as it is.
        name: a key of `SCHEDULERS`, or "default": of the model's own kind.

    Raises:
        InputError: an unknown name, or one that the model was not made for.
    """
    if name == "default":
        return type(own).from_config(own.config)
    if name not in SCHEDULERS:
        raise InputError(
            f"There is no scheduler {name!r}; there are: default, {', '.join(sorted(SCHEDULERS))}."
        )
    import diffusers

    kind, changes = SCHEDULERS[name]
    if "FlowMatch" in type(own).__name__:
        raise InputError(
            f"scheduler={name} is for models of noise, and this one was made with flow matching; "
            "leave it at default."
        )
    return getattr(diffusers, kind).from_config(own.config, **changes)
