"""Words, a mask channel, and drawing into a known picture: from stickers to a pipeline."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import mdt
from mdt.data import DataError, batches, open_source
from mdt.data.alpha import premultiplied
from mdt.data.regions import INDEX, prompt_ids
from mdt.data.stickers.examples import cut_out, of_scene, painted_thing, pair, part, thing
from mdt.diffusion.inpaint import Telling
from mdt.diffusion.objective import make_objective
from mdt.known import _step_at_rim, known_picture, set_into
from mdt.models import build_model
from mdt.models.autoencoder import Autoencoder
from mdt.regions import EVERYDAY, encode_regions, find_groups, read_names
from mdt.runs import open_run
from mdt.schedulers import make_scheduler
from mdt.settings import DataSettings, TrainSettings
from mdt.train import train

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NETWORK = {
    "hidden_size": 32, "depth": 2, "num_heads": 2, "decode_layers": 0, "num_words": 16384,
    "word_dim": 8, "mask_channel": True,
}  # fmt: skip


def network():
    torch.manual_seed(0)
    model = build_model("mdtv2_s2", input_size=4, in_channels=4, learn_sigma=False, **NETWORK)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(scope="module")
def vae(tmp_path_factory):
    torch.manual_seed(1)
    made = Autoencoder(in_channels=4, latent_channels=4, width=16, fine_width=16, encoder_depth=1)
    folder = tmp_path_factory.mktemp("vae") / "vae"
    made.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def regions(stickers, vae, tmp_path_factory):
    folder = tmp_path_factory.mktemp("regions") / "small"
    count = encode_regions(stickers, folder, vae=vae, size=32, paints=2, parts=1, pairs=6, scenes=8)
    assert count > 20
    return folder


def test_examples_of_every_kind_hide_what_they_say(stickers):
    source = open_source("stickers", stickers, size=64, split="train")
    scenes = open_source("scenes", stickers, size=64)
    apple = source.names.index("red apple")
    number = list(source.labels).index(apple)
    rng = np.random.default_rng(0)
    assert thing(source, number).hidden.all()
    assert thing(source, number).prompt == "red apple"
    painted = [painted_thing(rng, source, number) for _ in range(8)]
    words = {example.prompt.split()[0] for example in painted if example is not None}
    assert words
    assert "red" not in words
    for _ in range(20):
        assert 0 < part(rng, source, number).hidden.mean() < 1
        two = pair(rng, source, number)
        assert two.prompt.startswith("two ")
        assert two.prompt.endswith("apples")
        assert two.image.shape == (64, 64, 4)
    kinds = set()
    for i in range(30):
        scene = scenes.scene(i)
        example = of_scene(rng, scene)
        kinds.add((example.prompt == scene.caption, example.prompt == scene.where))
        if example.prompt not in (scene.caption, scene.where):
            shown = [
                t for t in scene.things if t.noun.split()[-1].rstrip("s")[:3] in example.prompt
            ]
            assert any(example.hidden[t.mask].all() for t in shown if t.mask.any())
        clear = cut_out(example)
        assert not clear[example.hidden].any()
        assert np.array_equal(clear[~example.hidden], example.image[~example.hidden])
    assert (True, False) in kinds
    assert (False, True) in kinds


def test_a_prompt_is_ids_with_the_style_as_one_more(regions):
    plain, styled = prompt_ids("a red apple"), prompt_ids("a red apple", "fluent")
    assert np.array_equal(plain[:-1], styled[:-1])
    assert not plain[-1].any()
    assert styled[-1].any()
    assert not np.array_equal(styled[-1], prompt_ids("a red apple", "noto")[-1])
    source = open_source("regions", regions)
    assert source.shape == (9, 4, 4)
    rows = {row["kind"] for row in source.rows}
    assert rows == {"thing", "painted", "part", "pair", "scene"}
    seen_alone = seen_styled = 0
    for i in range(len(source)):
        pixels, ids = source.read(i)
        assert pixels.shape == (9, 4, 4)
        assert set(np.unique(pixels[-1])) <= {0.0, 1.0}
        seen_alone += not ids[0].any()
        seen_styled += bool(ids[-1].any())
    assert 0 < seen_alone < len(source)
    assert 0 < seen_styled < len(source)
    only = open_source("regions", regions, shares={"thing": 1})
    assert {only.rows[number]["kind"] for number, _ in only._order} == {"thing"}


def test_what_cannot_be_read_is_said(regions, vae, tmp_path):
    with pytest.raises(DataError, match="mdt regions"):
        open_source("regions", tmp_path)
    with pytest.raises(DataError, match="shares"):
        open_source("regions", regions, shares={"cats": 1})
    other = Autoencoder(in_channels=4, latent_channels=4, width=16, fine_width=16)
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(DataError, match="another VAE"):
        open_source("regions", regions, vae=tmp_path / "other")
    with pytest.raises(DataError, match="0 or more"):
        encode_regions(tmp_path, tmp_path / "new", vae=vae, scenes=-1)
    assert find_groups("") is None
    assert find_groups("-people,symbols") == [
        "smileys",
        "animals",
        "food",
        "travel",
        "activities",
        "objects",
    ]
    assert find_groups("food") == ["food"]


def test_names_come_from_a_file_or_from_the_list_that_ships(tmp_path, stickers, vae):
    everyday = read_names("everyday")
    assert everyday == read_names(str(EVERYDAY))
    assert len(everyday) == len(set(everyday)) > 268
    assert {"car", "red apple", "umbrella"} < set(everyday)
    assert read_names("") is None
    file = tmp_path / "names.txt"
    file.write_text("red apple\n\n cat \n")
    assert read_names(str(file)) == ["red apple", "cat"]
    file.write_text("\n")
    with pytest.raises(ValueError, match="names nothing"):
        read_names(str(file))
    with pytest.raises(ValueError, match="no list of names"):
        read_names(str(tmp_path / "none.txt"))
    source = open_source("stickers", stickers, split="train")
    first = source.names[source.labels[0]]
    out, few = tmp_path / "out", {"paints": 0, "parts": 0, "pairs": 0, "scenes": 0, "size": 32}
    encode_regions(stickers, out, vae=vae, names=[first], **few)
    rows = json.loads((out / INDEX).read_text())["rows"]
    assert {row["prompt"] for row in rows} == {first}
    with pytest.raises(ValueError, match="no name 'no such thing' of stickers"):
        encode_regions(stickers, tmp_path / "x", vae=vae, names=["no such thing"], **few)


def test_only_what_is_drawn_is_noised_and_counts(regions):
    model = network()
    source = open_source("regions", regions, shares={"part": 1})
    x, label, _ = next(batches(source, batch=4, seed=0))
    assert label.shape == (4, 8, 16)
    objective = make_objective("mdt_flow", mask_ratio=0.5)

    def loss(x):
        terms = objective.terms(model, x, label, generator=torch.Generator().manual_seed(3))
        return terms["loss"]

    plain = loss(x)
    mask = x[:, -1:]
    moved = x.clone()
    moved[:, :4] += 10 * (1 - mask)  # the target where it is known already
    assert torch.equal(loss(moved), plain)
    moved = x.clone()
    moved[:, 4:8] += 10 * mask  # what is said to be known where it is not
    assert torch.equal(loss(moved), plain)
    moved = x.clone()
    moved[:, 4:8] += 1 - mask
    assert not torch.equal(loss(moved), plain)


def test_no_words_are_the_null_label_and_padding_does_not_count():
    model = network()
    x, t = torch.randn(2, 5, 4, 4), torch.tensor([10.0, 500.0])
    label = torch.from_numpy(np.stack([prompt_ids("red apple"), prompt_ids("")]))
    out = model(x, t, label)
    none = model(x, t, None)
    assert torch.allclose(none[1], out[1], atol=1e-5)
    assert not torch.allclose(none[0], out[0], atol=1e-3)
    assert not model.null_label(label).any()
    shorter = label[:, :4]
    assert torch.allclose(model(x, t, shorter), out, atol=1e-5)
    with pytest.raises(ValueError, match="int64 ids"):
        model(x, t, torch.tensor([1, 2]))
    with pytest.raises(ValueError, match="16384"):
        model(x, t, torch.full((2, 3, 2), 16384))


def test_telling_shows_what_is_known_and_what_is_not():
    seen = []

    def look(x, t, label):
        seen.append(x)
        return x[:, :2]

    known, mask = torch.full((1, 2, 2, 2), 7.0), torch.zeros(1, 1, 2, 2)
    mask[..., 0] = 1
    Telling(look, known, mask)(torch.zeros(3, 2, 2, 2), torch.zeros(3))
    assert seen[0].shape == (3, 3, 2, 2)
    assert not seen[0][:, :2, :, 0].any()
    assert (seen[0][:, :2, :, 1] == 7).all()
    assert torch.equal(seen[0][:, 2:], mask.expand(3, -1, -1, -1))


def test_a_run_on_regions_is_a_pipeline_of_words_that_keeps_what_is_known(regions, vae, tmp_path):
    settings = TrainSettings(
        output=str(tmp_path / "run"),
        model={"name": "mdtv2_s2", **NETWORK},
        data=DataSettings(name="regions", path=str(regions)),
        vae=str(vae),
        objective={"name": "mdt_flow", "mask_ratio": 0.5, "alternate": 0.5},
        steps=3,
        batch=4,
        save_every=3,
        progress=False,
    )
    assert train(settings, tmp_path / "run") == 3
    pipe = open_run(tmp_path / "run")
    pipe.set_progress_bar_config(disable=True)
    pipe.save_pretrained(tmp_path / "pipe")
    pipe = mdt.Pipeline.from_pretrained(tmp_path / "pipe")
    pipe.set_progress_bar_config(disable=True)
    drawn = pipe(
        prompt=["red apple", "blue cat"], style="fluent", guidance_scale=2.0, num_inference_steps=3
    ).images
    assert [picture.mode for picture in drawn] == ["RGBA", "RGBA"]
    assert drawn[0].size == (32, 32)
    known = np.random.default_rng(0).integers(0, 256, (32, 32, 4), dtype=np.uint8)
    mask = np.zeros((32, 32), bool)
    mask[4:20, 6:30] = True
    more = {"image": known, "mask": mask, "num_inference_steps": 3, "guidance_scale": 2.0}
    (filled,) = pipe(prompt="red apple", **more).images
    assert np.array_equal(np.asarray(filled)[~mask], known[~mask])
    assert not np.array_equal(np.asarray(filled)[mask], known[mask])
    hidden = known.copy()
    hidden[mask] = 200
    (again,) = pipe(prompt="red apple", **{**more, "image": hidden}).images
    assert np.array_equal(np.asarray(again), np.asarray(filled))  # what was there is not looked at
    rgb = Image.fromarray(known[..., :3])
    (opaque,) = pipe(prompt="", **{**more, "image": rgb}).images
    assert np.array_equal(np.asarray(opaque)[~mask][:, :3], known[~mask][:, :3])
    with pytest.raises(ValueError, match="not both"):
        pipe(torch.zeros(1, 2, 2, dtype=torch.int64), prompt="cat")
    plain = mdt.Pipeline(
        build_model(
            "mdtv2_s2", input_size=4, hidden_size=32, depth=2, num_heads=2, decode_layers=0
        ),
        make_scheduler(),
    )
    with pytest.raises(ValueError, match="not trained on words"):
        plain(prompt="cat", output_type="latent")


def test_a_step_at_the_rim_fades_into_what_is_drawn_as_a_screened_membrane():
    mask = torch.zeros(1, 1, 12, 40, dtype=torch.bool)
    mask[..., 8:] = True
    known = torch.full((1, 4, 12, 40), 0.7)
    drawn = torch.where(mask, torch.tensor(0.4), torch.tensor(0.9)).expand(1, 4, 12, 40)
    told = _step_at_rim(known, drawn, mask, reach_px=3)
    middle = 2 + 3**-2  # of e[n - 1] - middle e[n] + e[n + 1] = 0, whose solution is 0.3 root**n
    root = (middle - (middle**2 - 4) ** 0.5) / 2
    exact = 0.3 * root ** torch.arange(1.0, 13.0)
    assert torch.allclose(told[..., 8:20], exact, atol=2e-3)
    assert not told[..., :8].any()


def test_no_step_at_the_rim_changes_nothing():
    mask = torch.zeros(1, 1, 12, 12, dtype=torch.bool)
    mask[..., 3:9, 3:9] = True
    drawn = torch.full((1, 4, 12, 12), 0.25)
    assert not _step_at_rim(drawn, drawn, mask).any()
    everything = torch.ones_like(mask)
    assert not _step_at_rim(drawn, drawn + 1, everything).any()


def test_what_is_known_stays_exact_beside_what_is_drawn(vae):
    from mdt import codec
    from mdt.convert import open_vae

    network = open_vae(vae)
    levels = np.zeros((32, 32, 4), np.uint8)
    levels[..., 0], levels[..., 3] = 200, 255
    mask = np.zeros((32, 32), bool)
    mask[:, 16:] = True
    known = known_picture(levels, mask, vae=network, num_channels=4, device=torch.device("cpu"))
    whole = premultiplied(torch.from_numpy(levels).permute(2, 0, 1)[None])
    with torch.no_grad():
        drawn = set_into(
            torch.where(known.hidden, codec.encode(whole, network), known.latent), known, network
        )
    assert torch.equal(drawn[..., :16], known.image[..., :16])
    assert drawn.shape == (1, 4, 32, 32)
