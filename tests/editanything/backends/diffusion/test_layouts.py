"""Pictures from sketches and layouts, through an editor and as a verb of the command line."""

import numpy as np
import pytest
from PIL import Image

from editanything.cli import main
from editanything.editor import Editor
from editanything.errors import InputError
from editanything.layouts import from_picture, from_sketch
from editanything.ui.tabs.shared import Shared
from editanything.ui.tabs.sketch import Sketching
from editanything.ui.tabs.sketch import _Page as SketchPage

PRESET = """\
about: A test.
segmenter: {{name: classical}}
grounder: {{name: words}}
backends:
  - name: diffusion
    model: {folder}/base
    controlnets: [{{model: {folder}/net}}]
    size: 64
    steps: 2
    device: cpu
"""


@pytest.fixture(scope="module")
def preset(tmp_path_factory, sd, controlnets):
    """A preset whose networks lie in folders, as a user's do."""
    folder = tmp_path_factory.mktemp("layouts")
    sd.save_pretrained(folder / "base")
    controlnets[0].save_pretrained(folder / "net")
    path = folder / "photo.yaml"
    path.write_text(PRESET.format(folder=folder))
    return str(path)


def sheet():
    sketch = np.full((60, 80, 3), 255, np.uint8)
    sketch[10:40, 5:30] = (255, 0, 0)
    sketch[20:55, 40:75] = (0, 0, 255)
    return sketch


@pytest.mark.parity("P27")
def test_p27_a_sketch_becomes_a_picture_of_its_proportions(preset):
    editor = Editor.from_preset(preset)
    first, second = from_sketch(editor, sheet(), "a dog on grass", seeds=(0, 1))
    assert first.shape == (64, 72, 3)  # no side is below 64
    assert not np.array_equal(first, second)
    turned = [(0, 0, 255), (255, 0, 0)]
    (other,) = from_sketch(editor, sheet(), "a dog on grass", palette=turned)
    assert not np.array_equal(other, first)
    with pytest.raises(InputError, match="Say what the picture shall show"):
        from_sketch(editor, sheet(), " ")


@pytest.mark.parity("P28")
def test_p28_the_regions_of_a_picture_become_another(preset):
    editor = Editor.from_preset(preset)
    photo = np.where(sheet() == 255, 200, sheet()).astype(np.uint8)
    (made,) = from_picture(editor, photo, "a cat", size=(64, 96))
    assert made.shape == (64, 96, 3)
    (same,) = from_picture(editor, editor.look(photo), "a cat", size=(64, 96))
    assert np.array_equal(made, same)
    (other,) = from_picture(editor, photo[:, ::-1].copy(), "a cat", size=(64, 96))
    assert not np.array_equal(made, other)


def run(*words):
    return main(["draw", *(str(word) for word in words)])


@pytest.mark.parity("P27", "P29", door="cli")
def test_p27_the_verb_writes_what_python_gives(preset, tmp_path, capsys):
    Image.fromarray(sheet()).save(tmp_path / "in.png")
    out = tmp_path / "out.png"
    assert run(tmp_path / "in.png", "a dog", "-o", out, "--preset", preset, "--pictures", 2,
               "--seed", 3, "--palette", "blue,#ff0000", "--only-drawn", "--size", "96x64",
               ) == 0  # fmt: skip
    assert capsys.readouterr().out.split() == [str(out), str(tmp_path / "out-2.png")]
    made = from_sketch(
        Editor.from_preset(preset), sheet(), "a dog", palette=[(0, 0, 255), (255, 0, 0)],
        seeds=(3, 4), only_drawn=True, size=(64, 96),
    )  # fmt: skip
    assert np.array_equal(np.asarray(Image.open(out)), made[0])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out-2.png")), made[1])


@pytest.mark.parity("P28", door="cli")
def test_p28_the_layout_of_a_picture_from_the_command_line(preset, tmp_path):
    photo = np.where(sheet() == 255, 200, sheet()).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "in.png")
    out = tmp_path / "out.png"
    words = (tmp_path / "in.png", "a cat", "-o", out, "--layout", "--preset", preset)
    assert run(*words) == 0
    (made,) = from_picture(Editor.from_preset(preset), photo, "a cat")
    assert np.array_equal(np.asarray(Image.open(out)), made)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--preset", "default"], "has no diffusion backend"),
        (["--pictures", "20"], "--pictures is 1 to 12"),
        (["--palette", "blorange"], "no colour"),
        (["--size", "big"], "WxH"),
        (["--size", "100x100"], "multiples of 8"),
        (["--strength", "9"], "strength must be between 0 and 2"),
    ],
)
def test_bad_input_gets_one_sentence_and_no_file(preset, tmp_path, capsys, words, says):
    Image.fromarray(sheet()).save(tmp_path / "in.png")
    given = [tmp_path / "in.png", "a dog", "-o", tmp_path / "out.png", "--preset", preset]
    assert run(*given, *words) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


@pytest.fixture
def sketching(preset, edit_page, tmp_path):
    """The Sketch tab's handlers beside an Edit page, and how a browser calls them."""
    Image.fromarray(sheet()).save(tmp_path / "in.png")
    page = edit_page(Editor.from_preset(preset), tmp_path / "in.png")
    names = {name: name for name in SketchPage.__dataclass_fields__}
    do = Sketching(Shared(None, None, None, page.do, None), SketchPage(**names))
    do.open(str(tmp_path / "in.png"), page.request)

    def paint(kind, what, count=1, seed=0, strength=1.0, free=False):
        values = (kind, what, count, seed, strength, free)
        made = do.work(page.request, *values, progress=lambda *_: True)
        assert do.show(page.request, made)["gallery"]["value"] == [str(path) for path in made]
        return [np.asarray(Image.open(path)) for path in made]

    yield page, do, paint
    do.leave(page.request)


@pytest.mark.parity("P27", "P28", "P29", door="app")
def test_the_sketch_tab_paints_what_python_paints(preset, sketching):
    page, do, paint = sketching
    editor = Editor.from_preset(preset)
    made = paint("sketch", "a dog", count=2, seed=3, free=True)
    ours = from_sketch(editor, sheet(), "a dog", seeds=(3, 4), only_drawn=True)
    assert all(np.array_equal(*pair) for pair in zip(made, ours, strict=True))
    (by_layout,) = paint("layout", "a cat", strength=0.5)
    assert np.array_equal(by_layout, from_picture(editor, sheet(), "a cat", strength=0.5)[0])
    do.use(page.request)
    assert np.array_equal(page.pixels(), by_layout)


def test_the_sketch_tab_says_what_is_missing(sketching, edit_page, tmp_path):
    page, do, paint = sketching
    with pytest.raises(InputError, match="Say what the picture shall show"):
        paint("sketch", " ")
    with pytest.raises(InputError, match="1 to 12 pictures"):
        paint("sketch", "a dog", count=13)
    (tmp_path / "bad.png").write_bytes(b"nothing")
    said = do.open(str(tmp_path / "bad.png"), page.request)
    assert "bad.png" in said
    assert str(tmp_path) not in said
    do.drop("a-tab")
    with pytest.raises(InputError, match="Open a sketch or a picture first"):
        paint("sketch", "a dog")
    page.do.sessions.use("a-tab", Editor.from_preset())
    do.open(str(tmp_path / "in.png"), page.request)
    with pytest.raises(InputError, match="choose sd15-controlnet"):
        paint("sketch", "a dog")
