"""The folder of a pipeline: what has to be in it, and how plain diffusers finds our class."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

#: The generator of the default preset.
SHIPPED = Path(__file__).parent / "weights" / "stickers"
#: diffusers takes classes that are not its own from a file of the folder, if the user trusts it.
_SIGNPOST = "pipeline_mdt"
_LINE = "from mdt.pipeline import Pipeline  # noqa: F401\n"


def check_folder(folder: str | Path) -> None:
    """Refuse what holds no pipeline.

    Raises:
        ValueError: says what is there, and what to give.
    """
    if (Path(folder) / "model_index.json").is_file():
        return
    if (Path(folder) / "config.json").is_file():
        what = "holds a model alone: run `mdt export` on it and open what that writes"
    else:
        there = Path(folder).is_dir()
        what = f"{'holds no pipeline' if there else 'does not exist'}; give a folder that"
        what += " `mdt export` wrote"
    raise ValueError(f"The folder {folder} {what}.")


def find_folder(folder: str | Path) -> Path:
    """The folder of a pipeline; "default" is the one that the package ships.

    Raises:
        ValueError: weights of the shipped one that are missing, or not those of its card.
    """
    if str(folder) != "default":
        return Path(folder)
    card = SHIPPED / "card.json"
    try:
        hashes = json.loads(card.read_text(encoding="utf-8"))["sha256"]
        for name, known in hashes.items():
            if hashlib.sha256((SHIPPED / name).read_bytes()).hexdigest() != known:
                raise ValueError(
                    f"The shipped weights {name} are damaged (their sha256 is not the one of the "
                    "card): install the package again."
                )
    except (OSError, LookupError, TypeError, AttributeError, json.JSONDecodeError) as error:
        what = getattr(error, "filename", None) or card
        raise ValueError(
            f"The shipped generator cannot be read ({Path(what).name} is missing or damaged): "
            "install the package again."
        ) from None
    return SHIPPED


def write_signpost(folder: str | Path) -> None:
    """Let `diffusers.DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)` find us."""
    index = Path(folder) / "model_index.json"
    config = json.loads(index.read_text(encoding="utf-8"))
    config["_class_name"] = [_SIGNPOST, config["_class_name"]]
    index.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (Path(folder) / f"{_SIGNPOST}.py").write_text(_LINE, encoding="utf-8")


def without_signpost(config: dict[str, Any]) -> dict[str, Any]:
    """The settings as if no code lay in the folder: whoever has the class needs none of it."""
    name = config.get("_class_name")
    return {**config, "_class_name": name[-1]} if isinstance(name, list) else config
