"""Every builder under its name in lexicon/operations.txt."""

from __future__ import annotations

from editanything.command import (
    acting,
    adding,
    becoming,
    changing,
    cleaning,
    filtering,
    framing,
    looks,
    session,
    shaping,
    sizing,
    transferring,
)
from editanything.command.clause import Builder, Clause, Operations, simple


def _replace(clause: Clause) -> Operations | None:
    """By something of another picture, or by something new."""
    return transferring.replace_from(clause) or changing.replace_with(clause)


def _put_instead(clause: Clause) -> Operations | None:
    """The same, said the other way round."""
    return transferring.replace_from(clause) or changing.put_instead(clause)


def _give(clause: Clause) -> Operations | None:
    """What another picture shows, or something new."""
    return transferring.give_from(clause) or becoming.give(clause)


#: Builders that know what a minus sign before their number means.
SIGNED = frozenset(
    {"filter_look", "filter_quantity", "filter_verb", "move", "rotate", "straighten"}
)
BUILDERS: dict[str, Builder] = {
    "act": acting.act,
    "change_of_state": acting.change_of_state,
    "add": adding.add,
    "add_some": adding.add_some,
    "add_text": adding.add_text,
    "background_from": transferring.background_from,
    "clean_up": cleaning.clean_up,
    "compare": session.compare,
    "crop": framing.crop,
    "crop_ratio": framing.crop_ratio,
    "duplicate": shaping.duplicate,
    "duplicate_like": shaping.duplicate_like,
    "edit_text": changing.edit_text,
    "exchange": changing.exchange,
    "fade": cleaning.fade,
    "fill_frame": framing.fill_frame,
    "filter_look": filtering.filter_look,
    "filter_quantity": filtering.filter_quantity,
    "filter_verb": filtering.filter_verb,
    "flip": shaping.flip,
    "furnish": adding.furnish,
    "give": _give,
    "grow_shrink": sizing.grow_shrink,
    "grow_shrink_like": sizing.grow_shrink_like,
    "groom": acting.groom,
    "hide_behind": adding.hide_behind,
    "how_many": sizing.how_many,
    "keep_only": changing.keep_only,
    "make_from": becoming.make_from,
    "match": acting.match,
    "mend": cleaning.mend,
    "modify": becoming.modify,
    "modify_loosely": becoming.modify_loosely,
    "modify_attribute": becoming.modify_attribute,
    "move": shaping.move,
    "outpaint": framing.outpaint,
    "paste": transferring.paste,
    "put_instead": _put_instead,
    "redo": session.redo,
    "remove": changing.remove,
    "replace": _replace,
    "right_way_up": shaping.right_way_up,
    "rotate": shaping.rotate,
    "scene": looks.scene,
    "select": simple("select"),
    "select_of": simple("select"),
    "state": acting.state,
    "straighten": shaping.straighten,
    "style": looks.style,
    "transfer_style": transferring.transfer_style,
    "undo": session.undo,
    "unsafe_strip": changing.unsafe_strip,
    "upscale": framing.upscale,
    "variations": session.variations,
    "wear": transferring.wear,
}
