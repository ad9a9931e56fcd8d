"""Every builder under its name in lexicon/operations.txt."""

from __future__ import annotations

from editanything.command import adding, changing, filtering, framing
from editanything.command.clause import Builder, Clause, Operations, simple


def _replace(clause: Clause) -> Operations | None:
    """By something of another picture, or by something new."""
    return adding.replace_from(clause) or changing.replace_with(clause)


BUILDERS: dict[str, Builder] = {
    "add": adding.add,
    "background_from": adding.background_from,
    "compare": framing.compare,
    "crop": framing.crop,
    "duplicate": framing.duplicate,
    "edit_text": changing.edit_text,
    "exchange": changing.exchange,
    "filter_look": filtering.filter_look,
    "filter_quantity": filtering.filter_quantity,
    "filter_verb": filtering.filter_verb,
    "flip": framing.flip,
    "give": changing.give,
    "grow_shrink": framing.grow_shrink,
    "keep_only": changing.keep_only,
    "make_from": changing.make_from,
    "modify": changing.modify,
    "modify_loosely": changing.modify_loosely,
    "modify_attribute": changing.modify_attribute,
    "move": framing.move,
    "outpaint": framing.outpaint,
    "paste": adding.paste,
    "put_instead": changing.put_instead,
    "redo": framing.redo,
    "remove": changing.remove,
    "replace": _replace,
    "rotate": framing.rotate,
    "scene": changing.scene,
    "select": simple("select"),
    "select_of": simple("select"),
    "state": changing.state,
    "style": changing.style,
    "transfer_style": adding.transfer_style,
    "undo": framing.undo,
    "unsafe_strip": changing.unsafe_strip,
    "upscale": framing.upscale,
    "variations": framing.variations,
    "wear": adding.wear,
}
