"""How a training run shows itself: a bar with time left, speed, grids of pictures; and its stop."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

import torch

from mdt import codec
from mdt.data import Batch
from mdt.draws import StepGenerators
from mdt.parallel import own_class, whole
from mdt.parts import Parts
from mdt.runs import Run
from mdt.settings import TrainSettings
from mdt.watch import Log, flops_per_picture


class Stop:
    """Notes the signals that ask a process to end, so that a step is finished and saved first.

    A second Ctrl+C ends it at once.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True


class Progress:
    """The bar, speed.jsonl, trackers and grids of a run; only the main process shows them."""

    def __init__(
        self, run: Run, parts: Parts, step: int, settings: TrainSettings, accelerator: Any
    ) -> None:
        self.run, self.parts, self.settings, self.accelerator = run, parts, settings, accelerator
        self.main = accelerator.is_main_process
        self.start = step
        self.flops: float | None = None
        self.speed = Log(run.folder / "speed.jsonl")
        self._since, self._at = time.monotonic(), step

    def __enter__(self) -> Progress:
        from tqdm import tqdm

        hidden = not (self.main and self.settings.progress)
        self.bar = tqdm(
            total=self.settings.steps,
            initial=self.start,
            unit="step",
            disable=hidden,
            smoothing=0.1,
        )
        if self.settings.tracker:
            self.accelerator.init_trackers(self.run.folder.name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.close()
        # Not `end_training`: it ends the processes' group too, and after a roll-back they go on.
        for tracker in self.accelerator.trackers:
            tracker.finish()
        self.accelerator.trackers.clear()

    def read(self, batch: Batch) -> None:
        """Count the operations of a step, once."""
        if self.flops is not None or not self.main:
            return
        self.flops = 0.0
        if self.settings.sharding or self.settings.compile:
            return  # a forward pass would wait for the other processes, or compile once more
        x = batch.x[:1].to(self.accelerator.device)
        if self.parts.encoder is not None:
            with torch.no_grad():
                x = codec.encode(x, self.parts.encoder)
        label = None if batch.label is None else batch.label[:1].to(x.device)
        generator = StepGenerators((0,), 0, range(1), 1)
        passes = self.parts.objective.passes(self.parts.network, x, label, generator=generator)
        runs = [lambda: next(passes)] * self.parts.objective.num_passes
        self.flops = flops_per_picture(self.parts.network, x, runs)

    def step(self, step: int) -> None:
        """A step is done."""
        self.bar.update(step - self.bar.n)

    def tell(self, line: dict[str, Any]) -> None:
        """Show a line of the log, and write how fast it went."""
        now, step = time.monotonic(), line["step"]
        if not self.main or step == self._at:
            return
        rate = (step - self._at) * self.settings.batch / max(now - self._since, 1e-9)
        self._since, self._at = now, step
        speed = {
            "step": step,
            "seconds": round(now, 3),
            "pictures_per_second": round(rate, 3),
            "gflops": round(rate * (self.flops or 0) / 1e9, 3) or None,
            "seconds_left": round((self.settings.steps - step) * self.settings.batch / rate, 1),
        }
        self.speed.write(speed)
        loss = line["masked_loss"] if line["loss"] is None else line["loss"]
        shown = {"loss": f"{loss:.4f}", "pictures/s": f"{rate:.1f}"}
        if speed["gflops"]:
            shown["GFLOP/s"] = f"{speed['gflops']:.0f}"
        self.bar.set_postfix(shown)
        if self.settings.tracker:
            levels = {f"loss_by_noise/{i}": v for i, v in enumerate(line["loss_by_noise"])}
            flat = {k: v for k, v in line.items() if k != "loss_by_noise"} | levels | speed
            self.accelerator.log({k: v for k, v in flat.items() if v is not None}, step=step)

    def draw(self, step: int) -> None:
        """A grid of pictures from the first average; all processes must call this."""
        from mdt import schedulers
        from mdt.files import written_beside
        from mdt.pipeline import Pipeline
        from mdt.sampling.outputs import make_grid

        parts, asked = self.parts, self.settings.sample
        average = parts.ema.averages[parts.ema.names[0]]
        weights = {key: whole(value) for key, value in average.items()}
        if not self.main:
            return
        # In a network of its own: the one in training may be cut, compiled or shared.
        network: Any = own_class(parts.network)
        network = network.from_config(parts.network.config)
        network.load_state_dict({**network.state_dict(), **weights})
        scheduler = schedulers.scheduler_of(self.settings.objective)
        pipe = Pipeline(network.eval().to(self.accelerator.device), scheduler, parts.vae)
        pipe.set_progress_bar_config(disable=True)
        classes = network.config.get("num_classes")
        label = [i % classes for i in range(asked.num_images)] if classes else None
        with self.accelerator.autocast():
            drawn = pipe(
                label,
                num_images=asked.num_images,
                num_inference_steps=asked.steps,
                guidance_scale=asked.guidance if classes else 1.0,
                seed=asked.seed,
            )
        folder = self.run.folder / "samples"
        folder.mkdir(exist_ok=True)
        with written_beside(folder / f"{step:08d}.png", overwrite=True) as new:
            make_grid(drawn.images).save(new)
