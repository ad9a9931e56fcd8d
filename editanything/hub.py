"""Open a network and its processor of `transformers`: of the hub, of a folder, or as they are.

Weights are safetensors only. Whatever hinders is told in one sentence with the way out.
"""

from __future__ import annotations

import re
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from safetensors import SafetensorError

from editanything.errors import InputError

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
#: Of a network's weights, what a file may lack before it is taken for one of another kind.
_MAY_LACK = 0.05
#: How long the hub may take to answer at all, in seconds.
_ANSWERS_WITHIN_S = 5.0
DTYPES = ("auto", "float32", "bfloat16", "float16")
#: What `transformers` and `safetensors` raise where files are missing, broken or of another kind.
_HINDRANCES = (
    OSError, ValueError, ImportError, RuntimeError, KeyError, AttributeError, TypeError,
    SafetensorError,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Opened:
    """A network in eval() on its device, with what prepares its input."""

    model: Any
    processor: Any
    device: str

    @property
    def dtype(self) -> Any:
        """Of the network's weights, a `torch.dtype`."""
        return self.model.dtype

    def place(self, inputs: Any) -> dict[str, Any]:
        """A processor's tensors on the network's device; floating ones in its dtype."""
        import torch

        out = {}
        for name, value in inputs.items():
            if isinstance(value, torch.Tensor):
                floats = value.is_floating_point()
                value = value.to(self.device, self.dtype if floats else None)
            out[name] = value
        return out


def open_network(
    kind: str,
    processor_kind: str,
    model: Any,
    processor: Any = None,
    *,
    device: str = "auto",
    dtype: str = "float32",
) -> Opened:
    """A network with its processor, opened once a process for the same settings.

    Args:
        kind: class of `transformers`, such as "Sam2Model".
        processor_kind: class of its processor.
        model: hub id, folder, or a network that is already open (then with its processor).
        processor: hub id, folder or object; None: it lies beside the model.
        device: of torch; "auto": CUDA where there is one.
        dtype: one of `DTYPES`; "auto": bfloat16 on CUDA, else float32.

    Raises:
        InputError: no such model, no network, no such device, a missing package, or weights of
            another kind.
    """
    where = device_of(device)
    if dtype not in DTYPES:
        raise InputError(f"dtype is one of {', '.join(DTYPES)}; got {dtype!r}.")
    beside = model if processor is None else processor
    if not isinstance(model, str | Path):
        _check_kind(model, kind)
        if processor is None:
            raise InputError(f"A {kind} that is already open needs its processor beside it.")
        ready = _open_processor(processor_kind, beside)
        return Opened(_moved(model, where), ready, where)
    network = _open_model(kind, str(model), where, _dtype_name(dtype, where))
    return Opened(network, _open_processor(processor_kind, beside), where)


def device_of(device: str) -> str:
    """The device that a setting means.

    Raises:
        InputError: there is no such device here.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise InputError(f"There is no device {device!r}; say cpu, cuda or auto.") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError("No CUDA device is at hand: set device to cpu (or auto).")
    return device


def is_hub_id(source: str) -> bool:
    """Whether a model's name is one of the hub, and no folder here."""
    return bool(_HUB_ID.fullmatch(source)) and not Path(source).is_dir()


def hub_answers() -> bool:
    """Whether the hub can be asked: told in seconds, where its client would try for a minute."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return False
    try:
        asked = urllib.request.Request(constants.ENDPOINT, method="HEAD")  # noqa: S310 - the hub's
        urllib.request.urlopen(asked, timeout=_ANSWERS_WITHIN_S).close()  # noqa: S310
    except HTTPError:  # it answers, if not to this
        return True
    except OSError:
        return False
    return True


def only_here(source: str) -> dict[str, bool]:
    """Of `from_pretrained`: look only on this machine where the hub does not answer."""
    return {"local_files_only": True} if is_hub_id(source) and not hub_answers() else {}


def _dtype_name(dtype: str, device: str) -> str:
    if dtype != "auto":
        return dtype
    return "bfloat16" if device.startswith("cuda") else "float32"


def _check_kind(model: Any, kind: str) -> None:
    names = {one.__name__ for one in type(model).__mro__}
    if kind not in names:
        raise InputError(f"model is a hub id, a folder or a {kind}; got a {type(model).__name__}.")


def _moved(model: Any, device: str) -> Any:
    return model.to(device).eval()


@lru_cache(maxsize=8)
def _open_model(kind: str, source: str, device: str, dtype: str) -> Any:
    import torch
    import transformers

    maker = getattr(transformers, kind)
    try:
        model, told = maker.from_pretrained(
            source,
            use_safetensors=True,
            dtype=getattr(torch, dtype),
            output_loading_info=True,
            **only_here(source),
        )
        model = _moved(model, device)
    except torch.OutOfMemoryError:
        raise InputError(
            f"{source} does not fit into the memory of {device}: set device to cpu, dtype to "
            "bfloat16, or choose a smaller model."
        ) from None
    except _HINDRANCES as error:
        raise _in_words(kind, source, error) from None
    lacks, has = len(told["missing_keys"]), len(model.state_dict())
    if lacks > _MAY_LACK * has or told.get("mismatched_keys"):
        raise InputError(
            f"{source} is no {kind}: {lacks} of its {has} weights are missing there; give the "
            "folder or hub id of such a network."
        )
    return model


def _open_processor(kind: str, source: Any) -> Any:
    return _read_processor(kind, str(source)) if isinstance(source, str | Path) else source


@lru_cache(maxsize=16)
def _read_processor(kind: str, source: str) -> Any:
    import transformers

    try:
        return getattr(transformers, kind).from_pretrained(source, **only_here(source))
    except _HINDRANCES as error:
        raise _in_words(kind, source, error) from None


def _in_words(kind: str, source: str, error: Exception) -> InputError:
    """What hinders a network from opening, and the way out."""
    from huggingface_hub import errors
    from huggingface_hub.constants import is_offline_mode

    if isinstance(error, ImportError):
        first = str(error).strip().split("\n")[0][:160]
        return InputError(f"{source} needs a package that is not installed: {first}")
    if Path(source).is_dir():
        lines = str(error).strip().split("\n")
        return InputError(f"{source} cannot be opened as a {kind}: {lines[0][:200]}")
    if not _HUB_ID.fullmatch(source):
        return InputError(f"{source} does not exist: give a folder of a {kind}, or a hub id.")
    chain = _chain(error)
    if any(isinstance(one, errors.GatedRepoError) for one in chain):
        return InputError(
            f"{source} is open only to those who accepted its licence: accept it on its page of "
            "the hub, then `hf auth login`."
        )
    if any(isinstance(one, errors.RepositoryNotFoundError) for one in chain):
        return InputError(f"There is no {source} on the hub, and no such folder here.")
    out = " (HF_HUB_OFFLINE is set)" if is_offline_mode() else ""
    if "safetensors" in str(error) and not out:
        return InputError(f"{source} has no safetensors of a {kind}; other files are not opened.")
    return InputError(
        f"{source} is not on this machine, and the hub cannot be reached{out}: run "
        f"`hf download {source}` where there is a network, or give its folder."
    )


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = one.__cause__ or one.__context__
    return found
