"""Classes by number or by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

Names = dict[int, str]


def check_names(id2label: Any, num_classes: int | None) -> Names:
    """Class names by number.

    Args:
        id2label: {number: name}, as JSON has it with numbers as strings, or the names in order.
        num_classes: of the network; None: it takes no classes.

    Raises:
        ValueError: names that are no such thing, or of classes that the network does not have.
    """
    pairs = id2label.items() if isinstance(id2label, Mapping) else _in_order(id2label)
    names: Names = {}
    for key, name in pairs:
        if not str(key).isdecimal() or not isinstance(name, str) or not name.strip():
            raise ValueError(f"Class names are {{number: name}}; got {key!r}: {name!r}.")
        names[int(key)] = name.strip()
    if num_classes is None:
        raise ValueError("This network was built for no classes; it takes no class names.")
    if names and max(names) >= num_classes:
        raise ValueError(
            f"There is a name for class {max(names)}, and this model knows 0 to {num_classes - 1}."
        )
    return dict(sorted(names.items()))


def _in_order(names: Any) -> Sequence[tuple[int, Any]]:
    if not isinstance(names, Sequence) or isinstance(names, str):
        raise ValueError(  # noqa: TRY004
            f"Class names are a list or {{number: name}}; got {names!r}."
        )
    return list(enumerate(names))


def names_to_numbers(names: Names) -> dict[str, int]:
    """{name: number} in order of number; of names with commas each part counts too, as in ImageNet.

    A part that stands for two classes is left out.
    """
    found: dict[str, int] = {}
    twice: set[str] = set()
    for number, name in names.items():
        for part in {name: None} | dict.fromkeys(part.strip() for part in name.split(",")):
            if found.setdefault(part, number) != number:
                twice.add(part)
    return {name: number for name, number in found.items() if name not in twice}


def find_label(label: int | str, names: Names, num_classes: int) -> int:
    """The number of a class that is given by number, as text or not, or by name.

    Raises:
        ValueError: there is no such class; names the nearest.
    """
    if isinstance(label, str) and not label.strip().removeprefix("-").isdecimal():
        return _by_name(label.strip(), names)
    number = int(label)
    if not 0 <= number < num_classes:
        raise ValueError(f"There is no class {number}; this model knows 0 to {num_classes - 1}.")
    return number


def _by_name(label: str, names: Names) -> int:
    if not names:
        raise ValueError(
            f"There is no class {label!r}: this model has no class names; give numbers, or names "
            "to `mdt export --classes`."
        )
    known = names_to_numbers(names)
    if label in known:
        return known[label]
    for name, number in known.items():
        if name.casefold() == label.casefold():
            return number
    near = difflib.get_close_matches(label, known, n=1, cutoff=0.5)
    some = ", ".join(list(known)[:5]) + (", ..." if len(known) > 5 else "")
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {some}."
    raise ValueError(f"There is no class {label!r}; {hint}")
