from lumi.config.vision import VisionSettings


def test_whoever_names_a_model_has_one_of_its_own() -> None:
    assert not VisionSettings().own
    assert VisionSettings(model="llava").own
    assert VisionSettings(base_url="http://x").own
