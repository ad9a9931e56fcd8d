"""Pictures from a generator: the shipped one, a training run, an exported folder. No Gradio here.

A picture is the one that `mdt sample` draws with the same seed and settings, bit for bit.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from editanything.errors import InputError
from editanything.libraries import networks
from editanything.progress import Progress, report, show

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from editanything.backends.vocabulary import Vocabulary
    from mdt.pipeline import Pipeline
    from mdt.sampling.labels import Labels
    from mdt.sampling.settings import SampleSettings

#: The generator that the package ships.
SHIPPED = "default"
#: Key of the text chunk in a PNG that says how it was drawn.
RECIPE_KEY = "mdt recipe"
MOST_PICTURES, MOST_STEPS = 64, 250
GROUNDS = ("transparent", "white")
ANIMATIONS = ("", "webp", "gif")
SAMPLERS = ("", "ddpm", "ddim", "euler", "heun", "dpmpp_2m", "unipc")
#: Opened generators that are held; the longest unused makes room.
_HELD = 2


@dataclass(frozen=True)
class Wish:
    """What to draw, and how.

    Attributes:
        source: "default", or the name of a folder among `sources`.
        what: names or words with commas between, in turn; empty: whatever is known, in turn.
        num_images: 1 to 64; picture i is drawn from seed + i.
        sampler: a key of `mdt.diffusion.SAMPLERS`; empty: the generator's own.
        style: of generators of words; empty: any.
        ground: of pictures with alpha: "transparent" or "white".
        animation: "webp" or "gif" to write how they came about; empty: none.

    Raises:
        InputError: values out of range.
    """

    source: str = SHIPPED
    what: str = ""
    num_images: int = 4
    seed: int = 0
    steps: int = 20
    guidance: float = 2.5
    sampler: str = ""
    style: str = "fluent"
    ground: str = "transparent"
    animation: str = ""

    def __post_init__(self) -> None:
        for key, most in (("num_images", MOST_PICTURES), ("steps", MOST_STEPS)):
            if not 1 <= getattr(self, key) <= most:
                raise InputError(f"{key} is 1 to {most}; got {getattr(self, key)}.")
        if not 0 <= self.seed < 2**62:
            raise InputError(f"seed is a whole number from 0 on; got {self.seed}.")
        if not 0 <= self.guidance <= 30:
            raise InputError(f"guidance is 0 to 30; got {self.guidance:g}.")
        for key, known in (
            ("ground", GROUNDS),
            ("animation", ANIMATIONS),
            ("sampler", SAMPLERS),
        ):
            if getattr(self, key) not in known:
                there = ", ".join(filter(None, known))
                raise InputError(f"{key} is one of {there}; got {getattr(self, key)!r}.")


@dataclass(frozen=True)
class Drawn:
    """What was drawn: a PNG for each picture with its recipe inside, and a grid of them all."""

    pictures: tuple[Path, ...]
    titles: tuple[str, ...]
    grid: Path
    animation: Path | None
    recipe: dict[str, Any]


class Drawer:
    """Opens generators and draws with them; safe to be shared by several threads.

    Args:
        root: the folder whose sub-folders (runs, exported generators) may be drawn with.
    """

    def __init__(self, root: str | Path = "runs") -> None:
        self.root = Path(root)
        self._held: OrderedDict[tuple[str, float], Pipeline] = OrderedDict()
        self._lock, self._turn = Lock(), Lock()

    def sources(self) -> list[str]:
        """Names of the generators at hand, the shipped one first."""
        found = sorted(self.root.iterdir()) if self.root.is_dir() else []
        return [SHIPPED, *(path.name for path in found if _is_generator(path))]

    def names(self, source: str = SHIPPED) -> list[str]:
        """What a generator can draw by name; empty where it knows no names.

        Raises:
            InputError: there is no such generator.
        """
        words = self._vocabulary(source)
        if words is not None:
            return list(words.names)
        return list(self._open(source).id2label.values())

    def draw(self, wish: Wish, folder: Path, progress: Progress | None = None) -> Drawn:
        """Draw, and write the files into `folder`.

        Raises:
            InputError: an unknown generator, name or setting; says what is near.
            Cancelled: the progress callback asked to stop; nothing is written.
        """
        report(progress, 0.0, "opening the generator")
        with _as_input_errors():
            networks()
            from mdt.sampling.labels import choose_labels

            pipe = self._open(wish.source)
            settings = self._settings(wish, pipe)
            labels, count = choose_labels(settings, pipe)
            with self._turn:  # a pipeline holds the state of one walk
                frames = _draw(pipe, settings, labels, count, bool(wish.animation), progress)
        return _write(wish, pipe, labels, frames, folder)

    def _settings(self, wish: Wish, pipe: Pipeline) -> SampleSettings:
        from mdt.sampling.settings import SampleSettings

        asked = [part.strip() for part in wish.what.split(",") if part.strip()]
        words = self._vocabulary(wish.source)
        if words is not None:
            asked = [_known(words, one) for one in asked]
        with_words = pipe.model.config.get("num_words") is not None
        has_classes = pipe.model.config.get("num_classes") is not None
        return SampleSettings(
            num_images=wish.num_images,
            seed=wish.seed,
            labels=",".join(asked) or "balanced",
            style=wish.style or None if with_words else None,
            sampler=wish.sampler or None,
            steps=wish.steps,
            guidance=wish.guidance if with_words or has_classes else 1.0,
        )

    def _open(self, source: str) -> Pipeline:
        path = self._path(source)
        key = (source, _version(path))
        with self._lock, _as_input_errors():
            if key not in self._held:
                networks()
                from diffusers.utils import logging

                from mdt.sample import open_source

                logging.disable_progress_bar()
                pipe = open_source(path)
                pipe.to(_device())
                pipe.set_progress_bar_config(disable=True)
                for old in [one for one in self._held if one[0] == source]:
                    del self._held[old]
                self._held[key] = pipe
                while len(self._held) > _HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]

    def _path(self, source: str) -> str | Path:
        if source == SHIPPED:
            return SHIPPED
        # A path would let a client of the server look at other folders.
        if source not in self.sources():
            there = ", ".join(self.sources())
            raise InputError(f"There is no generator {source!r}; there are: {there}.")
        return self.root / source

    def _vocabulary(self, source: str) -> Vocabulary | None:
        from editanything.backends.vocabulary import Vocabulary

        path = self._path(source)
        if path == SHIPPED:
            from mdt.pipeline_folder import SHIPPED as FOLDER

            path = FOLDER
        names = Path(path) / "names.json"
        return Vocabulary.read(names) if names.is_file() else None


class _Watched:
    """A pipeline that tells after every step how far it is, and stops when it is asked to."""

    def __init__(self, pipe: Pipeline, tell: Any) -> None:
        self.pipe, self.decode, self._tell = pipe, pipe.decode, tell

    def __call__(self, *args: Any, **settings: Any) -> Any:
        given = settings.pop("callback_on_step_end", None)

        def each(pipe: Any, index: int, at: Any, told: dict[str, Any]) -> dict[str, Any]:
            self._tell(index, lambda: pipe.decode(told["x0"]))
            return given(pipe, index, at, told) if given else {}

        settings["callback_on_step_end_tensor_inputs"] = ["latents", "x0"]
        return self.pipe(*args, callback_on_step_end=each, **settings)


def _draw(
    pipe: Pipeline,
    settings: SampleSettings,
    labels: Labels,
    count: int,
    animated: bool,
    progress: Progress | None,
) -> list[np.ndarray]:
    """Frames of each picture, uint8 (F, H, W, C)."""
    from mdt.sampling.draw import draw, rows_at_a_time

    rows = rows_at_a_time(settings, pipe.device)
    batches = [range(i, i + rows) for i in range(0, count, rows)]
    frames: list[np.ndarray] = []
    for number, batch in enumerate(batches):

        def tell(index: int, look: Any, number: int = number, batch: range = batch) -> None:
            share = (number + (index + 1) / settings.steps) / len(batches)
            what = f"drawing {min(batch.stop, count)} of {count}, step {index + 1}"
            report(progress, min(share, 1.0), what)
            show(progress, lambda: _side_by_side(look()[: count - batch.start]))

        frames += list(draw(_Watched(pipe, tell), settings, labels, batch, animated=animated))
    return frames[:count]


def _side_by_side(pictures: Any) -> np.ndarray:
    """Pictures (B, C, H, W) in 0 to 1 as one row, uint8 (H, B * W, 3 or 4)."""
    import numpy as np

    rows = (pictures * 255).round().byte().permute(2, 0, 3, 1).cpu().numpy()
    flat = rows.reshape(rows.shape[0], -1, rows.shape[3])
    return np.repeat(flat, 3, axis=2) if flat.shape[2] == 1 else flat


def _write(
    wish: Wish, pipe: Pipeline, labels: Labels, frames: list[np.ndarray], folder: Path
) -> Drawn:
    from mdt.sampling.draw import fingerprint
    from mdt.sampling.outputs import Animation, make_grid, to_image

    white = wish.ground == "white"
    recipe = {"made_by": fingerprint(pipe), **asdict(wish)}
    folder.mkdir(parents=True, exist_ok=True)
    images = [_on_ground(to_image(one[-1]), white=white) for one in frames]
    told = [labels.of(i, wish.seed) for i in range(len(frames))]
    names = pipe.id2label
    titles = [names.get(t, f"class {t}") if isinstance(t, int) else t or "" for t in told]
    paths = []
    for i, (image, title) in enumerate(zip(images, titles, strict=True)):
        paths.append(folder / f"{_file_name(title)}-{wish.seed + i}.png")
        own = recipe | {"what": title or wish.what, "seed": wish.seed + i, "num_images": 1}
        image.save(paths[-1], pnginfo=_info(own))
    grid = folder / "grid.png"
    make_grid(images).save(grid, pnginfo=_info(recipe))
    moving = folder / f"animation.{wish.animation}" if wish.animation else None
    if moving is not None:
        output = Animation(moving, None, overwrite=True)
        for i, one in enumerate(frames):
            output.add(i, _frames_on_white(one) if white or wish.animation == "gif" else one)
        output.finish(told)
    return Drawn(tuple(paths), tuple(titles), grid, moving, recipe)


def read_recipe(path: str | Path) -> dict[str, Any] | None:
    """How a PNG was drawn; None where it does not say."""
    from PIL import Image

    with Image.open(path) as image:
        text = image.info.get(RECIPE_KEY)
    return json.loads(text) if text else None


def _info(recipe: dict[str, Any]) -> Any:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt(RECIPE_KEY, json.dumps(recipe, sort_keys=True, ensure_ascii=False))
    return info


def _on_ground(image: Image.Image, *, white: bool) -> Image.Image:
    if not white or image.mode != "RGBA":
        return image
    from PIL import Image as Pil

    ground = Pil.new("RGBA", image.size, (255, 255, 255, 255))
    return Pil.alpha_composite(ground, image).convert("RGB")


def _frames_on_white(frames: np.ndarray) -> np.ndarray:
    import numpy as np
    from PIL import Image as Pil

    if frames.shape[-1] != 4:
        return frames
    return np.stack([np.asarray(_on_ground(Pil.fromarray(one), white=True)) for one in frames])


def _file_name(title: str) -> str:
    plain = "".join(c if c.isalnum() else "-" for c in title.split(",", maxsplit=1)[0].strip())
    return plain[:60].strip("-") or "picture"


def _known(words: Vocabulary, asked: str) -> str:
    prompt = words.prompt(asked)
    if prompt is not None:
        return prompt
    near = words.nearest(asked)
    hint = f"near it are {', '.join(near)}" if near else "such as apple or tiger"
    raise InputError(
        f"This generator draws {len(words.names)} things by name, and “{asked}” is none of them; "
        f"{hint}."
    )


def _is_generator(path: Path) -> bool:
    """Whether pictures can be drawn from a folder now: exported, or a run with a checkpoint."""
    if (path / "model_index.json").is_file():
        return True
    if not (path / "settings.yaml").is_file():
        return False
    networks()
    from mdt.runs import Run

    run = Run(path)
    steps = run.steps()
    if not steps:
        return False
    try:
        config = json.loads((run.place(steps[-1]) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    from mdt import models

    kind = getattr(models, str(config.get("_class_name")), None)
    return isinstance(kind, type) and issubclass(kind, models.Network)


def _version(path: str | Path) -> float:
    """Grows when a run has a new checkpoint."""
    place = Path(path) / "checkpoints"
    return place.stat().st_mtime if place.is_dir() else 0.0


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def _as_input_errors() -> Iterator[None]:
    """What `mdt` says of bad input, as this package says it."""
    try:
        yield
    except InputError:
        raise
    except (ValueError, OSError) as error:
        raise InputError(" ".join(str(error).split())) from None
