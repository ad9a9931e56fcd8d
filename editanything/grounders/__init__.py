"""From words to regions: a selector and a picture in, masks out, or one clear question back."""

# name -> "module:class"; a preset's `grounder: {name: ...}` is a key of this dict.
GROUNDERS: dict[str, str] = {
    "words": "editanything.grounders.words:Words",
    "grounding-dino": "editanything.grounders.detectors:grounding_dino",
    "owlv2": "editanything.grounders.detectors:owlv2",
    "clipseg": "editanything.grounders.detectors:clipseg",
    "florence-2": "editanything.grounders.detectors:florence2",
    "segmenter": "editanything.grounders.detectors:segmenter",
}
