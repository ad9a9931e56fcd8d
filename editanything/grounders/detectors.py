"""Networks of `transformers` that find what a phrase names: the detectors that presets choose from.

Each is opened when it is first asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from editanything.errors import InputError
from editanything.grounders.detect import Boxes, Concepts, DetectedNames, Detecting, Spot
from editanything.hub import Opened, open_network
from editanything.types import RGB


@dataclass(frozen=True)
class GroundingDino:
    """Grounding DINO [Liu et al. 2023]: boxes of what a phrase names.

    Attributes:
        model: hub id, folder, or a `GroundingDinoForObjectDetection`.
        processor: a `GroundingDinoProcessor`, where `model` is a network.
        device: of torch; "auto": CUDA where there is one.
        dtype: float32, bfloat16, float16 or auto.
        threshold: least score of a box, 0 to 1.
    """

    model: Any = "IDEA-Research/grounding-dino-base"
    processor: Any = None
    device: str = "auto"
    dtype: str = "float32"
    threshold: float = 0.25

    def __post_init__(self) -> None:
        _check(self.threshold)

    @cached_property
    def network(self) -> Opened:
        """The network, open."""
        return _open("GroundingDinoForObjectDetection", "GroundingDinoProcessor", self)

    def detect(self, image: RGB, phrase: str) -> list[Spot]:
        """See `Detector.detect`."""
        asked = {"text": f"{phrase.lower().strip(' .')}."}
        inputs, answer = _ask(self.network, image, asked)
        found = self.network.processor.post_process_grounded_object_detection(
            answer,
            inputs["input_ids"],
            threshold=self.threshold,
            text_threshold=self.threshold,
            target_sizes=[image.shape[:2]],
        )[0]
        return _spots(found["boxes"], found["scores"])


@dataclass(frozen=True)
class Owlv2:
    """OWLv2 [Minderer et al. 2023]: boxes of what a phrase names; see `GroundingDino`."""

    model: Any = "google/owlv2-base-patch16-ensemble"
    processor: Any = None
    device: str = "auto"
    dtype: str = "float32"
    threshold: float = 0.2

    def __post_init__(self) -> None:
        _check(self.threshold)

    @cached_property
    def network(self) -> Opened:
        """The network, open."""
        return _open("Owlv2ForObjectDetection", "Owlv2Processor", self)

    def detect(self, image: RGB, phrase: str) -> list[Spot]:
        """See `Detector.detect`."""
        _, answer = _ask(self.network, image, {"text": [[f"a photo of a {phrase}"]]})
        found = self.network.processor.post_process_grounded_object_detection(
            answer, threshold=self.threshold, target_sizes=[image.shape[:2]]
        )[0]
        return _spots(found["boxes"], found["scores"])


@dataclass(frozen=True)
class ClipSeg:
    """CLIPSeg [Lüddecke & Ecker 2022]: how much each pixel is what a phrase names.

    Connected parts above the threshold are things; things of a kind that touch are one.

    Attributes:
        boxes: whether the segmenter cuts the mask out of each part's box; else the part itself,
            with soft borders of some pixels, is the mask.
        least_share: of the picture that a part covers.
    """

    model: Any = "CIDAS/clipseg-rd64-refined"
    processor: Any = None
    device: str = "auto"
    dtype: str = "float32"
    threshold: float = 0.4
    boxes: bool = False
    least_share: float = 0.001

    def __post_init__(self) -> None:
        _check(self.threshold)

    @cached_property
    def network(self) -> Opened:
        """The network, open."""
        return _open("CLIPSegForImageSegmentation", "CLIPSegProcessor", self)

    def detect(self, image: RGB, phrase: str) -> list[Spot]:
        """See `Detector.detect`."""
        import torch

        _, answer = _ask(self.network, image, {"text": [phrase]})
        height, width = image.shape[:2]
        small = torch.sigmoid(answer.logits.float()).cpu().numpy().reshape(answer.logits.shape[-2:])
        chance = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(
            (chance > self.threshold).astype(np.uint8)
        )
        out = []
        for part in range(1, count):
            x, y, w, h, area = (int(value) for value in stats[part])
            if area >= self.least_share * height * width:
                mask = labels == part
                kept = None if self.boxes else mask
                out.append(Spot((x, y, x + w, y + h), float(chance[mask].max()), kept))
        return out


@dataclass(frozen=True)
class Florence2:
    """Florence-2 [Xiao et al. 2024]: writes the boxes of what a phrase names, without scores.

    Attributes:
        task: OPEN_VOCABULARY_DETECTION or CAPTION_TO_PHRASE_GROUNDING.
        num_beams: of the search for the likeliest answer.
    """

    model: Any = "florence-community/Florence-2-base"
    processor: Any = None
    device: str = "auto"
    dtype: str = "float32"
    task: str = "OPEN_VOCABULARY_DETECTION"
    num_beams: int = 3
    max_new_tokens: int = 256

    def __post_init__(self) -> None:
        known = ("OPEN_VOCABULARY_DETECTION", "CAPTION_TO_PHRASE_GROUNDING")
        if self.task not in known:
            raise InputError(f"task is one of {', '.join(known)}; got {self.task!r}.")

    @cached_property
    def network(self) -> Opened:
        """The network, open."""
        return _open("Florence2ForConditionalGeneration", "Florence2Processor", self)

    def detect(self, image: RGB, phrase: str) -> list[Spot]:
        """See `Detector.detect`."""
        import torch

        processor, task = self.network.processor, f"<{self.task}>"
        inputs = _inputs(self.network, image, {"text": task + phrase})
        with torch.inference_mode():
            written = self.network.model.generate(
                **inputs, num_beams=self.num_beams, max_new_tokens=self.max_new_tokens
            )
        text = processor.batch_decode(written, skip_special_tokens=False)[0]
        size = (image.shape[1], image.shape[0])
        found = processor.post_process_generation(text, task=task, image_size=size)[task]
        outlines = [one for polygons in found.get("polygons", []) for one in polygons]
        boxes = [*found.get("bboxes", []), *map(_box_around, outlines)]
        return [Spot((box[0], box[1], box[2], box[3]), 1.0) for box in boxes]


def grounding_dino(**options: Any) -> Detecting:
    """The grounder `grounding-dino`; options of `GroundingDino`."""
    return Detecting(DetectedNames(Boxes(GroundingDino(**options))))


def owlv2(**options: Any) -> Detecting:
    """The grounder `owlv2`; options of `Owlv2`."""
    return Detecting(DetectedNames(Boxes(Owlv2(**options))))


def clipseg(**options: Any) -> Detecting:
    """The grounder `clipseg`; options of `ClipSeg`."""
    return Detecting(DetectedNames(Boxes(ClipSeg(**options))))


def florence2(**options: Any) -> Detecting:
    """The grounder `florence-2`; options of `Florence2`."""
    return Detecting(DetectedNames(Boxes(Florence2(**options))))


def segmenter() -> Detecting:
    """The grounder `segmenter`: a segmenter that understands words itself, such as `sam3`."""
    return Detecting(DetectedNames(Concepts()))


def _check(threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold is 0 to 1; got {threshold:g}.")


def _open(kind: str, processor_kind: str, settings: Any) -> Opened:
    return open_network(
        kind,
        processor_kind,
        settings.model,
        settings.processor,
        device=settings.device,
        dtype=settings.dtype,
    )


def _inputs(network: Opened, image: RGB, asked: dict[str, Any]) -> dict[str, Any]:
    made = network.processor(
        images=np.array(image), input_data_format="channels_last", return_tensors="pt", **asked
    )
    return network.place(made)


def _ask(network: Opened, image: RGB, asked: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    import torch

    inputs = _inputs(network, image, asked)
    with torch.inference_mode():
        return inputs, network.model(**inputs)


def _spots(boxes: Any, scores: Any) -> list[Spot]:
    """Boxes (n, 4) XYXY and scores (n,), as tensors."""
    pairs = zip(boxes.float().tolist(), scores.float().tolist(), strict=True)
    return [Spot((box[0], box[1], box[2], box[3]), score) for box, score in pairs]


def _box_around(outline: Any) -> tuple[float, float, float, float]:
    """The box of an outline x, y, x, y, ..."""
    xs, ys = outline[0::2], outline[1::2]
    return min(xs), min(ys), max(xs), max(ys)
