"""The generator as a diffusers pipeline: `Pipeline.from_pretrained(folder)(label=[3, 7])`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput
from torch import Tensor

from mdt import codec, models, schedulers
from mdt.diffusion import denoiser, draw_noise, find_sampler, guided, make_generators
from mdt.diffusion.inpaint import hiding, pinned
from mdt.diffusion.prediction import split_variance
from mdt.diffusion.samplers import Step
from mdt.draws import Generators
from mdt.known import Known, known_picture, latent_side, set_into, shown
from mdt.labels import check_names, find_label, names_to_numbers
from mdt.models import Text
from mdt.models.conditioning import Label
from mdt.models.layers import pair
from mdt.pipeline_calls import (
    InFloat32,
    Stop,
    agree,
    check_steps,
    seeds_of,
    telling,
    words_of,
)
from mdt.pipeline_folder import check_folder, find_folder, without_signpost, write_signpost

OUTPUTS = ("pil", "np", "pt", "latent")


class Asked(NamedTuple):
    """How to walk from noise to latents."""

    predict: Callable[..., Tensor]  # (x, t) -> output, guided, float32
    known: Known | None
    num_steps: int
    generators: Generators
    report: Callable[..., Tensor]  # (index, time, x, () -> x0) -> x


class Pipeline(DiffusionPipeline):  # type: ignore[misc]
    """Pictures from a network, a scheduler and, for latents, a VAE.

    Args:
        model: a network of `mdt.models`.
        scheduler: of diffusers; its settings say how the network was trained (βs, prediction).
            None: DPM-Solver++(2M) for the published linear schedule and noise prediction.
        vae: of diffusers; None: the network works on pixels in [-1, 1].
        id2label: names of the classes, {number: name} or in order; None: they have none. Of a
            network of words: names of what it has learnt to draw.
    """

    model_cpu_offload_seq = "model->vae"
    _optional_components = ["scheduler", "vae"]  # noqa: RUF012
    _callback_tensor_inputs = ["latents", "x0"]  # noqa: RUF012

    def __init__(
        self, model: Any, scheduler: Any = None, vae: Any = None, id2label: Any = None
    ) -> None:
        super().__init__()
        if vae is not None and vae.config.latent_channels != model.config.in_channels:
            raise ValueError(
                f"The VAE makes {vae.config.latent_channels} channels and the network takes "
                f"{model.config.in_channels}; they do not belong together."
            )
        scheduler = schedulers.make_scheduler() if scheduler is None else scheduler
        self.register_modules(model=model, scheduler=scheduler, vae=vae)
        self.set_labels(id2label)
        self._interrupt = False

    @classmethod
    def from_pretrained(cls, folder: str | Path, **settings: Any) -> Pipeline:
        """Open a folder that `save_pretrained` or `mdt export` wrote. Never asks the network.

        "default" is the generator that the package ships.

        Raises:
            ValueError: no such folder, or one that holds no pipeline; damaged weights.
        """
        folder = find_folder(folder)
        check_folder(folder)
        return super().from_pretrained(
            str(folder), **{"local_files_only": True, "use_safetensors": True, **settings}
        )

    def save_pretrained(self, folder: str | Path, **settings: Any) -> None:
        """Write all parts, so that `from_pretrained` reads them; see diffusers."""
        kind = type(self.model)
        if getattr(models, kind.__name__, None) is kind:
            # By its public name, which stays when files move.
            self.register_to_config(model=("mdt.models", kind.__name__))
        super().save_pretrained(str(folder), **settings)
        write_signpost(folder)

    @classmethod
    def load_config(cls, *args: Any, **settings: Any) -> Any:
        """See diffusers; code in a folder is not looked at, since this class is known."""
        loaded = super().load_config(*args, **settings)
        if isinstance(loaded, tuple):
            return without_signpost(loaded[0]), *loaded[1:]
        return without_signpost(loaded)

    def set_labels(self, id2label: Any) -> None:
        """Name the classes: {number: name}, the names in order, or None.

        Raises:
            ValueError: names of classes that the network does not have.
        """
        if id2label is not None:
            limit = self.model.config.get("num_classes")
            if self.model.config.get("num_words") is not None:
                limit = len(id2label)  # things whose names it was trained on
            names = check_names(id2label, limit)
            id2label = {str(number): name for number, name in names.items()}
        self.register_to_config(id2label=id2label)

    @property
    def id2label(self) -> dict[int, str]:
        """The names of the classes by number; empty where they have none."""
        return {int(number): name for number, name in (self.config.id2label or {}).items()}

    @property
    def labels(self) -> dict[str, int]:
        """The numbers of the classes by name, in order; parts of names with commas too."""
        return names_to_numbers(self.id2label)

    @property
    def interrupt(self) -> bool:
        """Whether a callback has asked to stop, by `pipe._interrupt = True`."""
        return self._interrupt

    @torch.no_grad()
    def __call__(
        self,
        label: int | str | Sequence[int | str | None] | Label = None,
        *,
        prompt: str | Sequence[str] | None = None,
        style: str | None = None,
        num_images: int | None = None,
        num_inference_steps: int = 25,
        guidance_scale: float = 1.0,
        guidance_power: float | None = None,
        guidance_channels: str | int = "all",
        guidance_interval: tuple[float, float] | None = None,
        guidance_skip_below: float = 0.05,
        sampler: str | None = None,
        seed: int | Sequence[int] = 0,
        generator: Generators | None = None,
        size: int | tuple[int, int] | None = None,
        latents: Tensor | None = None,
        image: Any = None,
        mask: Any = None,
        hide_tokens: bool = False,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: Callable[..., dict[str, Any]] | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ) -> Any:
        """Draw pictures.

        Args:
            label: a class by number or name for all pictures, one for each (None among them: no
                class), a `Text`, or None: no condition.
            prompt: words in place of a label, for networks that were trained on words: one text
                for all pictures or one for each; "" is no condition, and beside an image nor are
                words that are in none of the names that the network knows.
            style: of the pictures, told with the prompt; None: any.
            num_images: how many; by default one for each label, or one.
            num_inference_steps: steps of the sampler.
            guidance_scale: w, 1: none. MDT published 3.8 with power 4 for scores, and 4
                with 0.01 for looks.
            guidance_power: of power-cosine guidance; None: w everywhere.
            guidance_channels: see `mdt.diffusion.guided`, as for the next two.
            guidance_interval: (low, high) shares of the time that are guided.
            guidance_skip_below: 0: never leave the null branch out, as published.
            sampler: a key of `mdt.diffusion.SAMPLERS`; None: the pipeline's scheduler.
            seed: picture i is drawn from seed + i, or from the i-th of a list, in any batch.
            generator: used in place of seeds; one for the batch, or one for each picture.
            size: of the pictures in pixels, (height, width) or one number; by default as trained.
            latents: (B, c, h, w) noise of unit variance to begin with.
            image: RGB uint8 (H, W, 3) or PIL, to be drawn anew where the mask is; (H, W) for
                networks of one channel, RGBA for networks of pictures with alpha.
            mask: bool (H, W), or PIL with white = True. All other pixels come back exactly.
            hide_tokens: inpaint MDT's way: at high noise the encoder sees the known tokens alone.
            output_type: "pil", "np" (B, H, W, C) or "pt" (B, C, H, W) in 0 to 1, or "latent".
            return_dict: False: a tuple of the pictures.
            callback_on_step_end: called as diffusers does, (pipe, index, time, {"latents": x}) ->
                changed values. `pipe._interrupt = True` ends the walk; what is there is returned.
            callback_on_step_end_tensor_inputs: "latents", and "x0": the clean latents as guessed in
                this step, which may only be looked at.

        Returns:
            ImagePipelineOutput, with the pictures as `images`; with alpha: RGBA, straight.

        Raises:
            ValueError: arguments that do not fit the network or each other.
        """
        self._check(output_type, callback_on_step_end_tensor_inputs)
        self._interrupt = False
        device = self._execution_device
        known = self._known(image, mask, size)
        if prompt is not None:
            names = () if known is None else self.id2label.values()
            label = words_of(self.model, label, prompt, style, names)
        told, count = self._labels(label, num_images, device)
        generators = generator or make_generators(seeds_of(seed, count))
        if latents is None:
            noise = draw_noise(self._shape(count, size, known), generators, device=device)
        else:
            noise = self._given(latents, count).to(device, torch.float32)
        network: Any = InFloat32(self.model)
        if self.model.config.get("mask_channel"):
            network = telling(network, known, noise)
        num_times = self.scheduler.config.num_train_timesteps
        predict = guided(
            network,
            told,
            guidance_scale,
            guidance_power,
            guidance_channels,
            guidance_skip_below,
            interval=guidance_interval,
            num_times=num_times,
        )
        if hide_tokens:
            if known is None:
                raise ValueError("hide_tokens is for inpainting: give image= and mask=.")
            predict = hiding(predict, known.hidden, self.model.config.get("patch_size") or 1)
        report = self._reporter(callback_on_step_end, callback_on_step_end_tensor_inputs)
        asked = Asked(predict, known, num_inference_steps, generators, report)
        x = self._walk(asked, noise) if sampler is None else self._sample(asked, noise, sampler)
        if known is not None:
            x = torch.where(known.hidden, x, known.latent)
        pictures = self._pictures(x, known, output_type)
        self.maybe_free_model_hooks()
        return ImagePipelineOutput(images=pictures) if return_dict else (pictures,)

    def _walk(self, asked: Asked, noise: Tensor) -> Tensor:
        """By the pipeline's scheduler."""
        scheduler = schedulers.fresh(self.scheduler)
        check_steps(asked.num_steps, scheduler.config.num_train_timesteps)
        schedulers.set_times(scheduler, asked.num_steps, noise.device)
        told = schedulers.noise_schedule(scheduler)
        more = schedulers.step_settings(scheduler, asked.generators)
        x = noise * float(getattr(scheduler, "init_noise_sigma", 1.0))
        with self.progress_bar(total=len(scheduler.timesteps)) as bar:
            for i, t in enumerate(scheduler.timesteps):
                shown = schedulers.scaled_input(scheduler, x, t)
                out = asked.predict(shown, t.float().expand(len(x)))
                if asked.known is not None:
                    latent, hidden = asked.known.latent, asked.known.hidden
                    out = schedulers.pin(out, shown, float(t), latent, hidden, told)
                if not schedulers.takes_variance(scheduler):
                    out, _ = split_variance(out, x.shape[1])
                x = scheduler.step(out, t, x, return_dict=False, **more)[0]
                x = asked.report(i, t, x, partial(schedulers.guess, out, shown, float(t), told))
                bar.update()
                if self._interrupt:
                    break
        return x

    def _sample(self, asked: Asked, noise: Tensor, name: str) -> Tensor:
        """By one of our own samplers, over the schedule of the scheduler's settings."""
        sampler = find_sampler(name)
        _, prediction = schedulers.noise_schedule(self.scheduler)
        config = self.scheduler.config
        clip = config.get("clip_sample_range", 1.0) if config.get("clip_sample") else None
        denoise = denoiser(asked.predict, prediction, clip=clip)
        levels = schedulers.levels_of(self.scheduler, asked.num_steps)
        x = noise
        if asked.known is not None:
            latent = asked.known.latent.expand_as(noise)
            denoise = pinned(denoise, latent, asked.known.hidden)
            seen = levels[0].alpha * latent + levels[0].sigma * noise
            x = torch.where(asked.known.hidden, noise, seen)

        def callback(step: Step) -> None:
            new = asked.report(step.done - 1, levels[step.done - 1].t, step.x, lambda: step.x0)
            if new is not step.x:
                step.x.copy_(new)  # the sampler goes on from here
            if self._interrupt:
                raise Stop(step.x)

        more: dict[str, Any] = {"callback": callback, "progress": self.progress_bar}
        if "generator" in inspect.signature(sampler).parameters:
            more["generator"] = asked.generators
        try:
            return sampler(denoise, x, levels, **more)
        except Stop as stop:
            return stop.x

    def _check(self, output_type: str, inputs: Sequence[str]) -> None:
        if output_type not in OUTPUTS:
            raise ValueError(f"output_type is one of {', '.join(OUTPUTS)}; got {output_type!r}.")
        channels = self.model.config.in_channels
        if output_type != "latent" and self.vae is None and channels not in (1, 3):
            raise ValueError(
                f"This network makes latents of {channels} channels and the pipeline has no VAE: "
                "export it with one, or ask for output_type='latent'."
            )
        for name in inputs:
            if name not in self._callback_tensor_inputs:
                raise ValueError(f"A callback is given 'latents' and 'x0'; there is no {name!r}.")

    def _labels(self, label: Any, num_images: int | None, device: Any) -> tuple[Label, int]:
        """(labels on the device, number of pictures)."""
        if num_images is not None and num_images < 1:
            raise ValueError(f"num_images is 1 or more; got {num_images}.")
        if label is None:
            return None, num_images or 1
        if isinstance(label, Text):
            parts = (label.tokens.to(self.model.dtype), label.pooled.to(self.model.dtype))
            told = Text(*(part.to(device) for part in (*parts, label.mask)))
            return told, agree(len(told.tokens), num_images)
        if isinstance(label, Tensor) and label.ndim == 3:
            count = num_images or len(label)
            label = label.expand(count, -1, -1) if len(label) == 1 else label
            return label.to(device), agree(len(label), num_images)
        classes = self.model.config.get("num_classes")
        if classes is None:
            raise ValueError("This network was built for no classes; leave the label out.")
        if isinstance(label, int | str):
            label = [label] * (num_images or 1)
        # The number after the last class is the null class, as in the published tables.
        numbers = [
            classes if one in (None, classes) else find_label(one, self.id2label, classes)
            for one in label
        ]
        return torch.tensor(numbers, device=device), agree(len(numbers), num_images)

    def _shape(self, count: int, size: Any, known: Known | None) -> tuple[int, ...]:
        channels = self.model.config.in_channels
        if known is not None:
            return (count, channels, *known.latent.shape[2:])
        if size is None:
            return (count, channels, *pair(self.model.config.input_size))
        height, width = pair(size)
        return (count, channels, latent_side(height, self.vae), latent_side(width, self.vae))

    def _given(self, latents: Tensor, count: int) -> Tensor:
        channels = self.model.config.in_channels
        if latents.ndim != 4 or latents.shape[:2] != (count, channels):
            raise ValueError(
                f"latents must be ({count}, {channels}, h, w) for {count} pictures; got "
                f"{tuple(latents.shape)}."
            )
        return latents

    def _known(self, image: Any, mask: Any, size: Any) -> Known | None:
        """The picture to be drawn into, on the device."""
        if image is None and mask is None:
            return None
        if image is None or mask is None or size is not None:
            raise ValueError("Inpainting takes image= and mask=, both, and no size=.")
        return known_picture(
            image,
            mask,
            vae=self.vae,
            num_channels=self.num_channels,
            device=self._execution_device,
        )

    @property
    def num_channels(self) -> int:
        """Of the pictures: 1, 3, or 4: RGBA."""
        if self.vae is None:
            return int(self.model.config.in_channels)
        return int(self.vae.config.get("in_channels") or 3)

    def _reporter(self, callback: Any, wanted: Sequence[str]) -> Callable[..., Tensor]:
        def report(i: int, t: Any, x: Tensor, x0: Callable[[], Tensor]) -> Tensor:
            if callback is None:
                return x
            told = {"latents": x} | ({"x0": x0()} if "x0" in wanted else {})
            changed = callback(self, i, t, told) or {}
            return changed.get("latents", x)

        return report

    def decode(self, latents: Tensor) -> Tensor:
        """Latents (B, c, h, w) -> pictures (B, C, H, W) in 0 to 1, float32; alpha is straight."""
        return shown(codec.decode(latents, self.vae))

    def _pictures(self, x: Tensor, known: Known | None, output_type: str) -> Any:
        if output_type == "latent":
            return x
        pictures = self.decode(x) if known is None else set_into(x, known, self.vae)
        if output_type == "pt":
            return pictures
        array = pictures.permute(0, 2, 3, 1).cpu().numpy()
        return array if output_type == "np" else self.numpy_to_pil(array)
