"""The table of abilities, docs/parity.md: written from the tests that show each.

A test shows a row by `@pytest.mark.parity("P7")` (`door="cli"` or `door="app"` where it goes
through one of those) or by its name: `test_p07_...`, `test_p07_p13_...`; in a file of the command
line's or the web editor's tests it counts for that door. `python tests/editanything/parity/
test_parity.py` writes the table anew.
"""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
TABLE = TESTS.parent / "docs" / "parity.md"
DOORS = ("python", "cli", "app")

ROWS = {
    1: "click with positive and negative points, clear, reset",
    2: "brush a mask",
    3: "give a mask as a picture",
    4: "work on all of the picture",
    5: "captions written by a model go before the prompt",
    6: "control map: regions numbered exactly as in the ControlNets' training",
    7: "region ControlNet with a strength",
    8: "inpainting ControlNet beside it, so that any ordinary base edits",
    9: "inpainting bases with nine channels",
    10: "alignment: the share of the steps that hold on to the picture",
    11: "mixing with the noised picture",
    12: "a strength of the ControlNet for each pixel",
    13: "guess mode",
    14: "refinement with the tile ControlNet",
    15: "prompts of any length, with weights",
    16: "LoRA: load, weigh, take out",
    17: "another base or ControlNet",
    18: "drag: attention to a part of a second picture",
    19: "drag: normalisation to its statistics",
    20: "drag: its amplitudes in the spectrum",
    21: "drag: style fidelity, two weights, two scales",
    22: "drag: prompt written by a model",
    23: "textual inversion: train and load",
    24: "things found by words",
    25: "parts found by words",
    26: "a label for every region",
    27: "sketch in flat colours to picture",
    28: "picture from a layout",
    29: "1 to 12 pictures, each with its seed",
    30: "tried words for hair, clothes, eyes, people, things",
    31: "data for a region ControlNet from a folder of pictures",
    32: "train a region ControlNet",
    33: "make, carry over and convert a ControlNet",
    34: "DreamBooth for inpainting",
    35: "DreamBooth LoRA for inpainting",
    36: "seasons and styles with the layout kept",
    37: "a Python class without a user interface",
}
HEAD = """\
# What the published demo could do, and the test that shows it here

Written by `python tests/editanything/parity/test_parity.py`; a test holds it to the tests that there are. A row is open
where no test shows it through that door. All networks in these tests are tiny and their weights random: they show that the
wiring and the arithmetic are right, not how pictures look. Those of the web editor call the page's handlers as its events
do; its journeys in a browser are in `tests/browser/`.

| row | ability | Python | command line | web editor |
|---|---|---|---|---|
"""


def shown(folder=TESTS):
    """(row, door) -> tests, by reading the files; nothing is run."""
    found = {}
    for path in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module = _of_marks(_module_marks(tree))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                rows = module | _of_marks(node.decorator_list) | _of_name(node.name)
                for row, door in rows:
                    door = door or _door_of(path, node.name)
                    tests = found.setdefault((row, door), [])
                    tests.append(f"{path.relative_to(TESTS).as_posix()}::{node.name}")
    return {key: list(dict.fromkeys(tests)) for key, tests in found.items()}


def _module_marks(tree):
    """`pytestmark = pytest.mark.parity(...)`, one or a list."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "pytestmark":
            return [node.value]
    return []


def _of_marks(nodes):
    """Rows of all `parity(...)` calls within; in lists of parameters too."""
    rows = set()
    for node in nodes:
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "parity":
                door = next((k.value.value for k in call.keywords if k.arg == "door"), None)
                rows |= {
                    (int(arg.value.lstrip("P")), door)
                    for arg in call.args
                    if isinstance(arg, ast.Constant)
                }
    return rows


def _of_name(name):
    head = re.match(r"test_((?:p\d\d_)+)", name)
    return {(int(n), None) for n in re.findall(r"p(\d\d)_", head[1])} if head else set()


def _door_of(path, name):
    if "ui" in path.parts or "browser" in path.parts:
        return "app"
    by_line = "command_line" in name or name.startswith("test_by_cli")
    return "cli" if by_line or path.name == "test_cli.py" else "python"


def table(found):
    lines = []
    for row, ability in ROWS.items():
        cells = []
        for door in DOORS:
            tests = found.get((row, door), [])
            cells.append(f"`{tests[0].removeprefix('editanything/')}`" if tests else "open")
        lines.append(f"| P{row} | {ability} | {' | '.join(cells)} |")
    counts = [sum((row, door) in found for row in ROWS) for door in DOORS]
    told = "Shown: {} of 37 in Python, {} by the command line, {} in the web editor.".format(
        *counts
    )
    return HEAD + "\n".join(lines) + f"\n\n{told}\n"


def test_the_table_is_what_the_tests_show():
    """Every test that it names is there and shows the row; no row is called open that is shown."""
    found = shown()
    again = "run: python tests/editanything/parity/test_parity.py"
    lines = re.findall(r"^\| P(\d+) \|.*$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(row) for row in lines] == list(ROWS)
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("| P"):
            continue
        row, ability, *cells = (cell.strip(" `") for cell in line.strip("|").split("|"))
        assert ability == ROWS[int(row[1:])], again
        for door, cell in zip(DOORS, cells, strict=True):
            tests = [t.removeprefix("editanything/") for t in found.get((int(row[1:]), door), [])]
            assert cell in (tests or ["open"]), (again, row, door, cell)


def test_no_row_is_open():
    """Each ability is shown through each of the three doors."""
    found = shown()
    assert not [(row, door) for row in ROWS for door in DOORS if (row, door) not in found]


def test_marks_name_rows_and_doors_that_there_are():
    for row, door in shown():
        assert row in ROWS, row
        assert door in DOORS, door


def test_marks_and_names_are_read(tmp_path):
    (tmp_path / "test_a.py").write_text(
        "import pytest\n"
        "def test_p07_p13_both(): pass\n"
        '@pytest.mark.parity("P3", door="cli")\n'
        "def test_b(): pass\n"
        "def test_p99x(): pass\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "TESTS", tmp_path)
        assert shown(tmp_path) == {
            (7, "python"): ["test_a.py::test_p07_p13_both"],
            (13, "python"): ["test_a.py::test_p07_p13_both"],
            (3, "cli"): ["test_a.py::test_b"],
        }


if __name__ == "__main__":
    TABLE.write_text(table(shown()), encoding="utf-8")
