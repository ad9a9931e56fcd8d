"""Networks, data and objectives of other packages, by a name that settings can hold."""

import pytest

from mdt.config import ConfigError
from mdt.data import open_source
from mdt.models import build_model, settings_of
from mdt.naming import imported
from mdt.parts import named_settings, objective_of


def test_a_name_with_a_colon_is_imported():
    from mdt.models import UNet

    assert imported("mdt.models:UNet") is UNet
    assert "width" in settings_of("mdt.models.unet:UNet")
    with pytest.raises(ValueError, match="has no setting 'widht'"):
        build_model("mdt.models.unet:UNet", widht=3)
    told = {"name": "mdt.models.autoencoder:AutoencoderObjective"}
    assert objective_of(told).num_passes == 1
    assert named_settings(told) == told
    with pytest.raises(ValueError, match="no/such/folder"):
        open_source("mdt.data:FolderSource", "/no/such/folder")


@pytest.mark.parametrize("name", ["no.such:Thing", "mdt.models:Nothing", ":x"])
def test_what_is_not_there_is_one_sentence(name):
    with pytest.raises(ConfigError, match="cannot be loaded"):
        build_model(name)
