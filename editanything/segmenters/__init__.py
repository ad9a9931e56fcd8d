"""Segmenters: a picture in, regions and clickable things out."""

from __future__ import annotations

# name -> "module:class"; a preset's `segmenter: {name: ...}` is a key of this dict.
SEGMENTERS: dict[str, str] = {
    "classical": "editanything.segmenters.classical:Classical",
    "guided": "editanything.segmenters.guided:Guided",
    "sam": "editanything.segmenters.sam:SamSegmenter",
    "sam2": "editanything.segmenters.sam2:Sam2Segmenter",
    "sam3": "editanything.segmenters.sam3:Sam3Segmenter",
    "labelled": "editanything.segmenters.labelled:Labelled",
}
