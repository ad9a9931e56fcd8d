"""From a session to what the page's components show."""

from __future__ import annotations

from html import escape
from itertools import count
from typing import Any

import gradio as gr

from editanything import masks
from editanything.examples import EXAMPLES
from editanything.relations import name_of
from editanything.types import Mask
from editanything.ui.page import COMPARE, PICTURE, Page
from editanything.ui.pointing import Pointing
from editanything.ui.session import Session
from editanything.ui.view import View
from editanything.ui.widgets import file_value

Updates = dict[Any, Any]
_TURNS = count(1)  # by which a page knows the newest of several answers
#: Sentences for a picture that nobody knows: they need a selection first, which the words say.
FIRST_TRIES = ("remove it", "make it teal", "blur the background", "brighten the picture")


def status(kind: str, text: str, share: float | None = None) -> str:
    """The line under the command: `kind` is "busy", "done", "ask" or "info"."""
    bar = ""
    if share is not None:
        bar = (
            f'<div class="ea-bar" role="progressbar" aria-valuenow="{share:.0%}" '
            f'aria-label="Progress"><i style="width:{share:.1%}"></i></div>'
        )
    role = "alert" if kind == "ask" else "status"
    return f'<div class="ea-status ea-{kind}" role="{role}"><span>{escape(text)}</span>{bar}</div>'


def everything(page: Page, session: Session, view: View, *, compare: bool | None = None) -> Updates:
    """All that the page shows of a session; `compare` chooses the view, None leaves it."""
    here = session.picture
    if here is None:
        return {
            page.start: gr.update(visible=True),
            page.work: gr.update(visible=False),
            page.stage: None,
        }
    has_past = session.history.before is not None
    return {
        page.start: gr.update(visible=False),
        page.work: gr.update(visible=True),
        page.stage: stage(session, view),
        page.undo: gr.update(interactive=has_past),
        page.redo: gr.update(interactive=session.history.after is not None),
        page.history: history_items(session, view),
        **second(page, session, view),
        **plan(page, session),
        **variations(page, session, view),
        **mode(page, session, view, compare=compare and has_past if compare is not None else None),
    }


def mode(page: Page, session: Session, view: View, *, compare: bool | None) -> Updates:
    """Which of the stage and the slider is shown."""
    state, before = session.history.current, session.history.before
    if compare is None:
        return {}
    updates: Updates = {
        page.mode: gr.update(value=COMPARE if compare else PICTURE, visible=before is not None),
        page.stage: gr.update(value=stage(session, view), visible=not compare),
        page.slider: gr.update(visible=compare),
    }
    if compare and state is not None and before is not None:
        files = view.pair(before, state)
        updates[page.slider] = gr.update(value=tuple(map(str, files)), visible=True)
    return updates


def stage(session: Session, view: View) -> dict[str, Any] | None:
    """The picture that is edited, as a stage's value."""
    here = session.picture
    return stage_value(here, view, marked_area(session)) if here is not None else None


def stage_value(here: Pointing, view: View, marked: Mask | None) -> dict[str, Any]:
    """The value of a stage; `marked` is shown beside the selection."""
    height, width = here.shape
    selection = here.selection
    return {
        "turn": next(_TURNS),
        "picture": file_value(view.picture(here)),
        "overlay": file_value(view.overlay(here, marked)),
        "map": file_value(view.region_map(here)) if here.divided else None,
        "width": width,
        "height": height,
        "regions": [
            {"id": region.id, "label": region.label}
            for region in (here.regions() if here.divided else here.named())
        ],
        "points": [[p.x, p.y, p.positive] for p in selection.points] if selection else [],
        "selected": selection is not None,
        "facts": facts(here),
    }


def facts(here: Pointing) -> str:
    """One line about a picture and the selection in it."""
    height, width = here.shape
    samples = here.looked.picture.samples
    parts = [f"{width} × {height}"]
    if samples.dtype.itemsize > 1:
        parts.append("16 bit")
    if here.looked.picture.has_alpha:
        parts.append("transparency")
    if here.mask is not None:
        share = here.mask.area / (height * width)
        parts.append(f"{share:.1%} selected" if share >= 0.001 else f"{here.mask.area} px selected")
    return " · ".join([*parts, *here.looked.picture.notes])


def marked_area(session: Session) -> Mask | None:
    """What a question is about, else where the plan may change the picture."""
    if session.picture is None:
        return None
    if session.candidates:
        asked = [r.mask for r in session.picture.named() if r.id in session.candidates]
        return masks.union(*asked) if asked else None
    if session.planned is None:
        return None
    shape = session.picture.shape
    areas = [s.area for s in session.planned.plan.steps if s.on and s.area.shape == shape]
    return masks.union(*areas) if areas else None


def history_items(session: Session, view: View) -> list[dict[str, Any]]:
    """The history as a strip's value."""
    current = session.history.current
    return [
        {
            "image": file_value(view.thumb(state)),
            "caption": state.title,
            "title": f"Go to: {state.title}",
            "current": state is current,
        }
        for state in session.history
    ]


def variations(page: Page, session: Session, view: View) -> Updates:
    """The variations to choose from."""
    items = [
        {
            "image": file_value(view.small(result.picture.preview(144))),
            "caption": f"seed {result.plan.edit.seed}",
            "title": "Take this one",
        }
        for result in session.variations
        if len(session.variations) > 1
    ]
    return {page.variations: gr.update(value=items, visible=bool(items))}


def second(page: Page, session: Session, view: View) -> Updates:
    """The second picture."""
    held = session.second
    return {
        page.second: stage_value(held, view, None) if held else None,
        page.drop_second: gr.update(visible=held is not None),
    }


def plan(page: Page, session: Session) -> Updates:
    """The plan as check boxes, with what the user should know."""
    if session.planned is None:
        return {page.plan: gr.update(visible=False)}
    made = session.planned.plan
    notes = "".join(f"<li>{escape(note)}</li>" for note in made.notes)
    return {
        page.plan: gr.update(visible=True),
        page.steps: gr.update(
            choices=[(step.what, str(i)) for i, step in enumerate(made.steps)],
            value=[str(i) for i, step in enumerate(made.steps) if step.on],
        ),
        page.related: gr.update(
            visible=bool(made.related),
            choices=[
                (f"{name_of(r.type)} ({r.score:.0%}): {r.evidence}", str(i))
                for i, r in enumerate(made.related)
            ],
            value=[str(i) for i, r in enumerate(made.related) if r.on],
        ),
        page.notes: f"<ul>{notes}</ul>" if notes else "",
    }


def suggestions(name: str | None) -> list[dict[str, Any]]:
    """Sentences to try on a picture: those of the example `name`, else some for any picture."""
    sentences = EXAMPLES[name].commands if name in EXAMPLES else FIRST_TRIES
    return [{"caption": sentence} for sentence in sentences]
