"""From a session to what the page's components show."""

from __future__ import annotations

from html import escape
from itertools import count
from typing import Any

import gradio as gr

from editanything import masks
from editanything.plan import EditPlan
from editanything.planning.change import has_strength
from editanything.relations import name_of
from editanything.types import Mask, Related
from editanything.ui.page import COMPARE, PICTURE, Page
from editanything.ui.pointing import Pointing
from editanything.ui.session import Session
from editanything.ui.tries import of_seen, sentences
from editanything.ui.view import View
from editanything.ui.widgets import file_value

Updates = dict[Any, Any]
VARIATION_PX = 360
_TURNS = count(1)  # by which a page knows the newest of several answers


def status(kind: str, text: str, share: float | None = None, left: str = "") -> str:
    """The line under the command: `kind` is "busy", "done", "ask" or "info"; `left` a time."""
    bar = ""
    if share is not None:
        bar = (
            f'<div class="ea-bar" role="progressbar" aria-valuenow="{100 * share:.0f}" '
            f'aria-label="Progress"><i style="width:{share:.1%}"></i></div>'
        )
    role = "alert" if kind == "ask" else "status"
    rest = f'<small class="ea-left">{escape(left)}</small>' if left else ""
    said = f"<span>{escape(text)}</span>{rest}{bar}"
    return f'<div class="ea-status ea-{kind}" role="{role}">{said}</div>'


def waiting(count: int) -> str:
    """The line of somebody who waits for a turn behind `count` others."""
    where = f"{count} before you" if count else "you are next"
    return status("busy", f"Waiting: {where}", 0.0)


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
        page.suggestions: suggestions(session),
        **second(page, session, view),
        **plan(page, session),
        **variations(page, session, view),
        **mode(page, session, view, compare=compare and has_past if compare is not None else None),
    }


def mode(page: Page, session: Session, view: View, *, compare: bool | None) -> Updates:
    """Which of the stage and the slider is shown."""
    state, before = session.history.current, session.other
    if compare is None:
        return {}
    updates: Updates = {
        page.mode: gr.update(value=COMPARE if compare else PICTURE, visible=before is not None),
        page.stage: (stage(session, view) or {}) | {"comparing": compare},
        page.slider: gr.update(visible=compare),
    }
    if compare and state is not None and before is not None:
        files = view.pair(before, state)
        updates[page.slider] = gr.update(value=tuple(map(str, files)), visible=True)
    return updates


def stage(session: Session, view: View) -> dict[str, Any] | None:
    """The picture that is edited, as a stage's value."""
    here = session.picture
    if here is None:
        return None
    kin = kin_of(session)
    return stage_value(here, view, marked_area(session), kin) | {
        "related": related(here, kin, view)
    }


def stage_value(
    here: Pointing, view: View, marked: Mask | None, kin: tuple[Related, ...] = ()
) -> dict[str, Any]:
    """The value of a stage; `marked` is shown beside the selection, and so is the `kin`."""
    height, width = here.shape
    selection = here.selection
    regions = here.shown()
    return {
        "turn": next(_TURNS),
        "picture": file_value(view.picture(here)),
        "overlay": file_value(view.overlay(here, marked, kin)),
        "map": file_value(view.region_map(here)) if regions else None,
        "marks": file_value(view.related_map(here.shape, kin)) if kin else None,
        "divided": here.divided,
        "width": width,
        "height": height,
        "regions": [
            {"id": region.id, "label": region.label, "at": at}
            for region, at in zip(regions, view.anchors(here), strict=True)
        ],
        "points": [[p.x, p.y, p.positive] for p in selection.points] if selection else [],
        "selected": selection is not None,
        "facts": facts(here),
    }


def kin_of(session: Session) -> tuple[Related, ...]:
    """What belongs to the plan's targets, so far as it lies in the picture as it is now."""
    if session.planned is None or session.picture is None:
        return ()
    found = session.planned.plan.related
    shape = session.picture.shape
    return found if all(one.region.shape == shape for one in found) else ()


def related(here: Pointing, kin: tuple[Related, ...], view: View) -> list[dict[str, Any]]:
    """The names over the related regions."""
    found = []
    for i, one in enumerate(kin):
        if one.region.area:
            name, at = _name_in(here, one), view.anchor(one.region)
            found.append({"number": i, "name": name, "on": one.on, "at": at})
    return found


def names_of(session: Session, kin: tuple[Related, ...]) -> list[str]:
    """What each of the `kin` is called: by its region's name, else by what it is to the target."""
    here = session.picture
    same_frame = here is not None and all(one.region.shape == here.shape for one in kin)
    return [_name_in(here, one) if here and same_frame else name_of(one.type) for one in kin]


def _name_in(here: Pointing, one: Related) -> str:
    mask = one.region
    same = (r.label for r in here.shown() if (r.mask.box, r.mask.area) == (mask.box, mask.area))
    return next(filter(None, same), "") or name_of(one.type)


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
    """The history as a tree's value."""
    current, places = session.history.current, session.history.places()
    return [
        {
            "number": state.number,
            "row": places[state.number][0],
            "column": places[state.number][1],
            "from": -1 if state.parent is None else places[state.parent][0],
            "image": file_value(view.thumb(state)),
            "caption": state.title,
            "current": state is current,
            "compared": state.number == session.compared,
        }
        for state in session.history
    ]


def variations(page: Page, session: Session, view: View) -> Updates:
    """The variations to choose from."""
    items = [
        {
            "image": file_value(view.small(result.picture, VARIATION_PX)),
            "caption": f"seed {result.plan.edit.seed}",
            "title": "Take this one",
            "ours": True,
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
    """The plan as a list of steps, with what belongs to it and what the user should know."""
    if session.planned is None:
        return {page.plan: gr.update(visible=False)}
    made = session.planned.plan
    notes = "".join(f"<li>{escape(note)}</li>" for note in made.notes)
    return {
        page.plan: gr.update(visible=True),
        page.steps: {
            "steps": [step_item(made, i) for i in range(len(made.steps))],
            "related": [
                {
                    "name": name,
                    "kind": name_of(r.type) if name != name_of(r.type) else "",
                    "share": f"{r.score:.0%}",
                    "evidence": r.evidence,
                    "on": r.on,
                }
                for r, name in zip(made.related, names_of(session, made.related), strict=True)
            ],
        },
        page.notes: f'<ul translate="no">{notes}</ul>' if notes else "",
    }


def step_item(plan: EditPlan, i: int) -> dict[str, Any]:
    """One step as the list shows it: null for a setting that it does not have."""
    step = plan.steps[i]
    has_prompt = plan.command.ops[step.clause].value is not None
    return {
        "what": step.what,
        "on": step.on,
        "clause": step.clause,
        "prompt": step.prompt if has_prompt else None,
        "strength": round(step.strength, 2) if has_strength(step.op) else None,
        "feather_px": round(step.feather_px, 1),
        "seed": step.seed,
    }


def suggestions(session: Session) -> list[dict[str, Any]]:
    """Sentences to try on the picture as it is now."""
    here, state = session.picture, session.history.current
    if here is None:
        return []
    labels = [region.label for region in here.shown()]
    as_it_came = labels and state is not None and state.parent is None
    example = session.name if as_it_came else None
    seen = here.glimpsed
    if seen is None or any(labels) or here.mask is not None:
        tries = sentences(labels, selected=here.mask is not None, example=example)
    else:
        shown = [region.label for region in seen.regions]
        tries = of_seen(shown, stands_out=seen.subject is not None)
    return [{"caption": sentence} for sentence in tries]
