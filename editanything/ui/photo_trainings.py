"""Trainings on Stable Diffusion bases as the Train tab offers them; no Gradio."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from editanything.errors import InputError
from editanything.preset import names_code, read_settings

MODULE = "editanything.training"


@dataclass(frozen=True)
class PhotoKind:
    """One of these trainings.

    Attributes:
        recipe: in configs/train.
        about: what it learns.
        words: the setting that takes the user's words; "" where none are asked.
        use: the preset's setting that takes the file which is written.
    """

    recipe: str
    about: str
    words: str
    use: str


KINDS = {
    "lora": PhotoKind(
        "photo/lora_inpaint", "LoRA: a thing or a style, a few megabytes", "data.settings.prompt",
        'backends.0.loras=[{{"model": "{out}"}}]',
    ),
    "word": PhotoKind(
        "photo/textual_inversion", "A new word for a thing or a style", "model.token",
        'backends.0.embeddings=[{{"model": "{out}", "file": "learned_embeds.safetensors", '
        '"token": "{words}"}}]',
    ),
    "dreambooth": PhotoKind(
        "photo/dreambooth_inpaint", "DreamBooth: a whole base that knows a thing",
        "data.settings.prompt", "backends.0.model={out}",
    ),
    "controlnet": PhotoKind(
        "photo/sam_controlnet", "ControlNet for region maps", "",
        "backends.0.controlnets.0.model={out}",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class PhotoWish:
    """What the user asks for.

    Attributes:
        kind: a key of `KINDS`.
        base: folder or hub id of the Stable Diffusion pipeline.
        words: the new word, or what the pictures show; empty: as the recipe has it.
        settings: of the trainer, KEY=VALUE, one a line.
        segmenter: of a ControlNet: what finds the regions.
        carry: of a ControlNet: folder of one to begin with, made for another base.
        carry_base: that other base.
    """

    kind: str
    base: str
    words: str = ""
    settings: str = ""
    segmenter: str = "sam2"
    carry: str = ""
    carry_base: str = ""


def photo_command(wish: PhotoWish, pictures: Path, place: Path) -> list[str]:
    """The command that trains, after `accelerate launch -m`.

    Raises:
        InputError: an unknown kind, no base, or settings that are none.
    """
    if wish.kind not in KINDS:
        raise InputError(f"There is no kind {wish.kind!r}; there are: {', '.join(KINDS)}.")
    if not wish.base.strip():
        raise InputError("Say which base is trained on: a folder of Stable Diffusion, or a hub id.")
    kind = KINDS[wish.kind]
    shards = place.resolve() / "shards"
    told = {
        "model.base": json.dumps(_folder(wish.base)),
        "data.path": json.dumps(str(shards if wish.kind == "controlnet" else pictures)),
        "output": json.dumps(str(place.resolve())),
        "progress": "false",
    }
    if kind.words and wish.words.strip():
        told[kind.words] = json.dumps(wish.words.strip())
    if wish.kind == "word" and wish.words.strip():
        told["data.settings.prompt"] = json.dumps(wish.words.strip())
    typed = read_settings(wish.settings.splitlines())
    for key, value in typed.items():
        if key in told or names_code(value) or "${" in value:
            raise InputError(f"{key} cannot be set to {value!r} here.")
    command = [MODULE, "train", kind.recipe, *(f"{k}={v}" for k, v in (typed | told).items())]
    return command + (_of_regions(wish, pictures) if wish.kind == "controlnet" else [])


def _of_regions(wish: PhotoWish, pictures: Path) -> list[str]:
    from editanything.segmenters import SEGMENTERS

    if wish.segmenter not in SEGMENTERS:
        known = ", ".join(sorted(SEGMENTERS))
        raise InputError(f"There is no segmenter {wish.segmenter!r}; there are: {known}.")
    more = ["--pictures", str(pictures), "--segmenter", wish.segmenter]
    if bool(wish.carry.strip()) != bool(wish.carry_base.strip()):
        raise InputError("To begin with a ControlNet of another base, give it and that base.")
    if wish.carry.strip():
        more += ["--carry", _folder(wish.carry), _folder(wish.carry_base)]
    return more


def _folder(text: str) -> str:
    """A folder of this machine by its whole path; a hub id as it is."""
    path = Path(text.strip()).expanduser()
    return str(path.resolve()) if path.exists() else text.strip()


def write_out(place: Path, command: list[str]) -> tuple[Path, str]:
    """Write a run's newest weights for diffusers; the folder, and how a preset takes it.

    Raises:
        InputError: no checkpoint yet, or a folder that cannot be written.
    """
    from editanything.training.export import export

    kind = next((kind for kind in KINDS.values() if kind.recipe in command), None)
    if command[0] != MODULE or kind is None:
        raise InputError("This run draws by itself: press “Draw with it”.")
    out = place.resolve() / "for-diffusers"
    try:
        export(place, out, overwrite=True)
    except ValueError as error:
        raise InputError(str(error)) from None
    words = [c.partition("=")[2] for c in command if c.startswith(f"{kind.words}=")] or ['""']
    return out, kind.use.format(out=out, words=json.loads(words[0]))
