from dataclasses import dataclass, field

import pytest

from mdt.config import ConfigError, find_config, load, save


@dataclass(frozen=True)
class Inner:
    depth: int = 2


@dataclass(frozen=True)
class Settings:
    lr: float
    name: str = "x"
    inner: Inner = field(default_factory=Inner)
    tags: list[str] = field(default_factory=list)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("lr: 3e-4\ntags: [a, b]\n")
    return path


def test_numbers_defaults_and_overrides(file):
    settings = load(Settings, file, ("inner.depth=5", "name=y"))
    assert settings == Settings(3e-4, "y", Inner(5), ["a", "b"])


def test_save_and_load_are_inverse(file, tmp_path):
    settings = load(Settings, file, ("lr=1e-5",))
    save(settings, tmp_path / "b.yaml")
    assert load(Settings, tmp_path / "b.yaml") == settings


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("nam=z", "did you mean 'name'"),
        ("inner.dept=3", "dept"),
        ("lr=fast", "lr"),
        ("lr", "key=value"),
    ],
)
def test_a_bad_override_is_one_sentence(file, override, words):
    with pytest.raises(ConfigError, match=words) as caught:
        load(Settings, file, (override,))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[1, 2]", "lr: [", "\x00", "lr: 1\nlr2: 2"])
def test_a_bad_file_is_one_sentence(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(Settings, path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_an_unknown_preset_say_what_there_is(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        load(Settings, tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="did you mean 'default'"):
        find_config("edit", "defalt")
    with pytest.raises(ConfigError, match=r"there are: .*default"):
        find_config("edit", "zzzz")
