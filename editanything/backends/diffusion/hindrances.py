"""What can hinder networks from being loaded or run, each in one sentence with the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from editanything.errors import InputError


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what opening `name` raises into one sentence.

    Raises:
        InputError: missing, damaged or of another kind; no network; no memory; no package.
    """
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
        raise InputError(_sentence(name, error)) from error
    except RuntimeError as error:
        raise _of_memory(name, error) from error


@contextmanager
def enough_memory(name: str) -> Iterator[None]:
    """Turn a device's want of memory into one sentence; all else goes through.

    Raises:
        InputError: too little memory.
    """
    try:
        yield
    except RuntimeError as error:
        if not _wants_memory(error):
            raise
        raise _of_memory(name, error) from error


def _wants_memory(error: RuntimeError) -> bool:
    text = str(error).lower()
    return type(error).__name__ == "OutOfMemoryError" or "out of memory" in text


def _of_memory(name: str, error: RuntimeError) -> InputError:
    if _wants_memory(error):
        return InputError(
            f"There is too little GPU memory for {name}: set offload=model or offload=sequential, "
            "or a smaller size, or device=cpu."
        )
    return InputError(f"{name} cannot be used: {_first_line(error)}")


def _sentence(name: str, error: Exception) -> str:
    if name.startswith("attention="):
        return f"{name} cannot be used here: {_first_line(error)} Leave attention at auto."
    if isinstance(error, ImportError):
        return f"{name} needs a package that is not installed: {_first_line(error)}"
    looks_local = name.startswith((".", "/", "~")) or "\\" in name or name.count("/") != 1
    if Path(name).expanduser().is_file():
        return f"{name} cannot be used here: {_first_line(error)}"
    if Path(name).expanduser().is_dir():
        return _of_folder(name, error)
    if looks_local:
        return (
            f"There is no folder {name!r}: give the folder of a diffusers pipeline, or a hub id "
            "such as owner/name."
        )
    return _of_hub(name, error)


def _of_folder(name: str, error: Exception) -> str:
    root = Path(name).expanduser()
    pickled = [f for f in root.rglob("*.bin") if not any(f.parent.glob("*.safetensors"))]
    if pickled or not any(root.rglob("*.safetensors")):
        where = pickled[0].relative_to(root).parent.as_posix() if pickled else "."
        return (
            f"{name} holds no safetensors files (in {where}), and nothing else is opened: convert "
            "the weights with diffusers' save_pretrained."
        )
    return f"{name} cannot be opened as a diffusers model: {_first_line(error)}"


def _of_hub(name: str, error: Exception) -> str:
    from huggingface_hub import errors

    causes = list(_chain(error))
    if any(isinstance(cause, errors.GatedRepoError) for cause in causes):
        return (
            f"{name} is open only to those who accepted its licence: accept it on its page of the "
            "hub, then `hf auth login`."
        )
    if any(isinstance(cause, errors.RepositoryNotFoundError) for cause in causes):
        return f"There is no {name} on the hub, and no such folder here."
    if "safetensors" in str(error) and not _no_network(causes):
        return f"{name} has no safetensors files, and nothing else is opened; choose a mirror."
    return (
        f"{name} is not on this machine and the hub cannot be reached: run `hf download {name}` "
        "where there is a network, or give its folder as model."
    )


def _no_network(causes: list[BaseException]) -> bool:
    from huggingface_hub import errors
    from huggingface_hub.constants import is_offline_mode

    offline = (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, ConnectionError)
    return is_offline_mode() or any(isinstance(cause, offline) for cause in causes)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".") + "."
