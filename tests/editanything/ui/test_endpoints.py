"""The named endpoints, through Gradio's own client and through plain HTTP."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editanything import parse
from editanything.editor import Editor
from editanything.examples import EXAMPLES
from editanything.image import Picture


@pytest.fixture(scope="module")
def client(web_editor, tmp_path_factory):
    from gradio_client import Client

    folder = tmp_path_factory.mktemp("downloads")
    client = Client(web_editor, verbose=False, download_files=folder)
    yield client
    client.close()


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset()


@pytest.fixture
def deep(tmp_path):
    """A 16 bit picture with transparency, and a mask for it."""
    samples = np.random.default_rng(0).integers(0, 65536, (60, 80, 4), np.uint16)
    Picture.open(samples).save(tmp_path / "deep.png")
    mask = np.zeros((60, 80), bool)
    mask[10:40, 20:60] = True
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path / "deep.png", tmp_path / "mask.png", mask


def sent(path):
    from gradio_client import handle_file

    return handle_file(str(path))


def test_only_the_promised_endpoints_are_shown(client):
    shown = client.view_api(return_format="dict")
    names = ["/batch", "/edit", "/generate", "/parse", "/plan", "/segment"]
    assert sorted(shown["named_endpoints"]) == names
    assert not shown["unnamed_endpoints"]
    names = [p["parameter_name"] for p in shown["named_endpoints"]["/edit"]["parameters"]]
    assert names == ["image", "text", "mask", "reference", "preset", "seed"]


def test_edit_gives_the_bytes_that_python_gives(client, editor, tmp_path):
    path = EXAMPLES["coffee"].path
    image, mask, plan, recipe = client.predict(
        image=sent(path), text="make the saucer teal", seed=5, api_name="/edit"
    )
    direct = editor.edit(path, "make the saucer teal", seed=5)
    direct.save(tmp_path / "direct.png")
    assert Path(image).read_bytes() == (tmp_path / "direct.png").read_bytes()
    assert np.array_equal(np.array(Image.open(mask)) > 127, direct.mask)
    assert plan == json.loads(json.dumps(direct.plan.to_dict()))
    assert recipe == json.loads(direct.recipe.to_json())
    assert recipe["edits"][0]["seed"] == 5


def test_edit_keeps_16_bit_and_transparency(client, editor, deep, tmp_path):
    path, mask_path, mask = deep
    image, changed, _, _ = client.predict(
        image=sent(path),
        text="make it teal",
        mask=sent(mask_path),
        reference=None,
        preset="default",
        seed=0,
        api_name="/edit",
    )
    editor.edit(path, "make it teal", selection=mask).save(tmp_path / "direct.png")
    assert Path(image).read_bytes() == (tmp_path / "direct.png").read_bytes()
    back, original = Picture.open(image).samples, Picture.open(path).samples
    outside = np.array(Image.open(changed)) < 128
    assert back.dtype == np.uint16
    assert np.array_equal(back[outside], original[outside])
    assert not np.array_equal(back, original)


def test_a_reference_is_taken_from(client, editor, tmp_path):
    coffee, rocket = EXAMPLES["coffee"].path, EXAMPLES["rocket"].path
    text = "use image B as the background"
    image = client.predict(image=sent(coffee), text=text, reference=sent(rocket), api_name="/edit")[
        0
    ]
    editor.edit(coffee, text, reference=rocket).save(tmp_path / "direct.png")
    assert Path(image).read_bytes() == (tmp_path / "direct.png").read_bytes()


def test_plan_paints_nothing_and_says_what_would_be_done(client, editor):
    path = EXAMPLES["cat"].path
    text = "make the eyes blue and blur the background"
    plan = client.predict(image=sent(path), text=text, api_name="/plan")
    assert plan == json.loads(json.dumps(editor.plan(path, text).to_dict()))
    assert len(plan["steps"]) == 2


def test_parse_is_the_parser(client):
    answer = client.predict(
        text="put the dog from image B here", images=["A", "B"], selection=True, api_name="/parse"
    )
    direct = parse("put the dog from image B here", images=("A", "B"), selection=True)
    assert answer == json.loads(json.dumps(direct.to_dict()))
    assert client.predict(text="", api_name="/parse")["reason"] == "empty"


def test_segment_gives_a_mask_and_the_regions(client, editor):
    path = EXAMPLES["coffee"].path
    mask, regions = client.predict(
        image=sent(path), points=[[300, 120, True]], box=None, api_name="/segment"
    )
    white = np.array(Image.open(mask)) > 127
    assert white.shape == (400, 600)
    assert white[120, 300]
    assert "saucer" in [region["label"] for region in regions]
    boxed, _ = client.predict(image=sent(path), box=[100, 50, 420, 390], api_name="/segment")
    assert np.array(Image.open(boxed)).any()
    nothing, _ = client.predict(image=sent(path), api_name="/segment")
    assert not np.array(Image.open(nothing)).any()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_generate_draws_what_the_package_draws(client, tmp_path):
    from editanything.ui.drawing import Drawer, Wish

    grid, pictures, recipe = client.predict(
        what="tiger", seed=3, steps=2, num_images=2, api_name="/generate"
    )
    wish = Wish(what="tiger", seed=3, steps=2, num_images=2)
    drawn = Drawer(tmp_path / "none").draw(wish, tmp_path / "drawn")
    assert Path(grid).read_bytes() == drawn.grid.read_bytes()
    given = [Path(picture).read_bytes() for picture in pictures]
    assert given == [path.read_bytes() for path in drawn.pictures]
    assert recipe["seed"] == 3


def test_batch_edits_several_and_names_the_one_that_it_cannot(client, editor, tmp_path):
    coffee, cat = EXAMPLES["coffee"].path, EXAMPLES["cat"].path
    made, lines = client.predict(
        images=[sent(coffee), sent(cat)], text="remove the spoon", api_name="/batch"
    )
    editor.edit(coffee, "remove the spoon").save(tmp_path / "direct.png")
    assert [Path(path).read_bytes() for path in made] == [(tmp_path / "direct.png").read_bytes()]
    assert [line["status"] for line in lines] == ["done", "failed"]
    assert [line["file"] for line in lines] == [coffee.name, cat.name]
    assert "spoon" in lines[1]["said"]


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("/edit", {"text": "make the dragon red"}, "dragon"),
        ("/edit", {"text": ""}, "What should be changed"),
        ("/edit", {"text": "make it red"}, "?"),
        ("/edit", {"text": "blur the cup", "preset": "sd99"}, "sd99"),
        ("/plan", {"text": "blur the cup", "preset": "../../secret"}, "shipped preset"),
        ("/plan", {"text": "blur the cup", "preset": "os:system"}, "shipped preset"),
        ("/segment", {"points": [[5000, 1, True]]}, "outside"),
        ("/segment", {"points": "everywhere"}, "points"),
        ("/segment", {"box": [1, 2, 3]}, "box"),
        ("/segment", {"box": [9, 9, 2, 2]}, "x0 < x1"),
        ("/generate", {"what": "tigr"}, "tiger"),
        ("/generate", {"what": "cat", "source": "../.."}, "there are: default"),
        ("/generate", {"what": "cat", "num_images": 1000}, "1 to 64"),
    ],
)
def test_bad_input_and_refusals_are_one_sentence(client, name, given, said):
    from gradio_client.exceptions import AppError

    picture = {} if name == "/generate" else {"image": sent(EXAMPLES["coffee"].path)}
    with pytest.raises(AppError) as error:
        client.predict(**picture, api_name=name, **given)
    message = str(error.value)
    assert said in message
    assert "Traceback" not in message
    assert "\n" not in message


def test_a_broken_file_is_named_by_its_name_only(client, tmp_path):
    from gradio_client.exceptions import AppError

    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    with pytest.raises(AppError) as error:
        client.predict(image=sent(broken), text="make it red", api_name="/edit")
    assert "broken.png" in str(error.value)
    assert "gradio" not in str(error.value)


def post(address, name, data):
    body = json.dumps({"data": data}).encode()
    request = urllib.request.Request(
        f"{address}/gradio_api/call/{name}", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}/gradio_api/call/{name}/{event}", timeout=30) as answer:
        return answer.read().decode()


def test_plain_http_works_too(web_editor):
    answer = post(web_editor, "parse", ["remove the cup", ["A"], False])
    assert "event: complete" in answer
    assert json.loads(answer.split("data: ", 1)[1])[0]["ops"][0]["op"] == "remove"


def test_the_server_fetches_no_address_and_opens_no_file_of_its_own(web_editor):
    for path in ("http://127.0.0.1:9/x.png", "https://example.org/x.png", "/etc/passwd"):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        answer = post(web_editor, "plan", [file, "blur it", None, None, "default", 0])
        assert "event: error" in answer
        assert "root:" not in answer


@pytest.mark.parametrize("route", ["file=http://127.0.0.1:9/x", "file=https://example.org/x"])
def test_the_file_route_is_no_proxy(web_editor, route):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{web_editor}/gradio_api/{route}", timeout=20)
    assert error.value.code == 403
    error.value.close()
