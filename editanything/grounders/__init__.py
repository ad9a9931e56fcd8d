"""From words to regions: a selector and a picture in, masks out, or one clear question back."""

# name -> "module:class"; a preset's `grounder: {name: ...}` is a key of this dict.
GROUNDERS: dict[str, str] = {
    "words": "editanything.grounders.words:Words",
}
