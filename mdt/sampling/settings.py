"""How pictures are drawn: the settings of `configs/sample/*.yaml`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mdt.config import ConfigError

PRECISIONS = ("fp32", "bf16", "fp16")


@dataclass(frozen=True)
class SampleSettings:
    """Which pictures are drawn, and how.

    Args:
        about: what the recipe is for.
        num_images: how many; None: one for each label that is given, or one.
        seed: of picture 0; picture i is drawn from seed + i.
        labels: "balanced" (picture i: class i mod classes; nothing where there are none),
            "random" (from the picture's seed), "none", or classes by number or name, in turn, with
            commas between. For networks of words: what to draw, in words.
        label_file: a text file with a class on each line, in turn; in place of labels.
        style: told with the words, such as "fluent"; None: any.
        sampler: a key of `mdt.diffusion.SAMPLERS`; None: the pipeline's scheduler.
        steps: of the sampler.
        guidance: scale w; 1: none.
        power: of power-cosine guidance; None: w everywhere.
        interval: [low, high] shares of the time that are guided, 0 = clean; None: all.
        channels: how many are guided: "all", or a number.
        skip_below: the null branch is left out where |w - 1| is at most this; 0: never.
        batch: pictures at a time on CUDA; on a CPU it is always four.
        precision: of the networks: fp32, bf16 or fp16; the sampler's arithmetic stays float32.
        compile: whether to run the network through torch.compile.

    Raises:
        ConfigError: values out of range.
    """

    about: str = ""
    num_images: int | None = None
    seed: int = 0
    labels: str = "balanced"
    label_file: str | None = None
    style: str | None = None
    sampler: str | None = None
    steps: int = 25
    guidance: float = 1.0
    power: float | None = None
    interval: list[float] | None = None
    channels: str = "all"
    skip_below: float = 0.05
    batch: int = 16
    precision: str = "fp32"
    compile: bool = False

    def __post_init__(self) -> None:
        for key in ("num_images", "steps", "batch"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ConfigError(f"{key} is 1 or more; got {value}.")
        if self.seed < 0:
            raise ConfigError(f"seed is 0 or more; got {self.seed}.")
        if self.precision not in PRECISIONS:
            raise ConfigError(f"precision is {', '.join(PRECISIONS)}; got {self.precision!r}.")
        if self.channels != "all" and not (self.channels.isdecimal() and int(self.channels)):
            raise ConfigError(f"channels is all, or a number from 1 on; got {self.channels!r}.")
        ends = self.interval
        if ends is not None and not (len(ends) == 2 and 0 <= ends[0] < ends[1] <= 1):
            raise ConfigError(f"interval is [low, high] within 0 to 1; got {ends}.")

    def of_call(self) -> dict[str, Any]:
        """As `Pipeline.__call__` names them."""
        return {
            "num_inference_steps": self.steps,
            "sampler": self.sampler,
            "guidance_scale": self.guidance,
            "guidance_power": self.power,
            "guidance_interval": None if self.interval is None else tuple(self.interval),
            "guidance_channels": self.channels if self.channels == "all" else int(self.channels),
            "guidance_skip_below": self.skip_below,
        }

    def of_pictures(self) -> dict[str, Any]:
        """Those that picture i depends on, for JSON; its label apart."""
        free = ("about", "num_images", "labels", "label_file", "batch", "compile")
        return {key: value for key, value in asdict(self).items() if key not in free}
