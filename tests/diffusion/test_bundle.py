"""Loading a model folder: what works, and a sentence for everything that does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from app.core.errors import ModelError
from app.diffusion.bundle import load_bundle
from app.diffusion.folder import PARTS
from app.diffusion.placement import Placement
from app.diffusion.preview import SD1_BIAS, SD1_MATRIX
from app.library.models import read_model
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("bundle") / "Tiny 猫")


@pytest.fixture
def model(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / good.name))


def test_a_plain_model(good: Path) -> None:
    bundle = load_bundle(good, CPU)
    assert (bundle.name, bundle.concat, bundle.factor, bundle.channels, bundle.native_size) == (
        "Tiny 猫",
        False,
        8,
        4,
        64,
    )
    assert bundle.tokenizer.model_max_length == 24
    assert not any(p.requires_grad for p in bundle.unet.parameters())


@pytest.mark.parametrize(
    ("shape", "factor", "native", "concat"),
    [
        (TinyShape(channels_in=9), 8, 64, True),
        (TinyShape(vae_levels=3, sample_size=12), 4, 48, False),
        (TinyShape(text_width=48, tokens=77), 8, 64, False),
        (TinyShape(vae="AutoencoderTiny"), 8, 64, False),
    ],
)
def test_nothing_is_assumed(tmp_path: Path, shape: TinyShape, factor: int, native: int, concat: bool) -> None:
    bundle = load_bundle(make_tiny_model(tmp_path / "m", shape), CPU)
    assert (bundle.factor, bundle.native_size, bundle.concat) == (factor, native, concat)
    assert bundle.tokenizer.model_max_length == shape.tokens


def test_fp16_variant_files_are_found(model: Path) -> None:
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    assert load_bundle(model, CPU).unet.dtype == torch.float32


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_weights_in_shards_are_found(good: Path, model: Path, variant: str | None) -> None:
    plain = load_bundle(good, CPU)
    for part, network in (("unet", plain.unet), ("vae", plain.vae), ("text_encoder", plain.text_encoder)):
        for file in (model / part).glob("*.safetensors"):
            file.unlink()
        network.save_pretrained(model / part, max_shard_size="40KB", variant=variant)
        assert len(list((model / part).glob("*-of-*.safetensors"))) > 1
    assert read_model(model).channels == 4
    bundle = load_bundle(model, CPU)
    for name, value in plain.unet.state_dict().items():
        torch.testing.assert_close(bundle.unet.state_dict()[name], value, rtol=0, atol=0)


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_is_named(model: Path, part: str) -> None:
    shutil.rmtree(model / part)
    with pytest.raises(ModelError, match=rf"its {part.replace('_', ' ')} is missing"):
        load_bundle(model, CPU)


@pytest.mark.parametrize("part", PARTS)
def test_an_empty_part_is_named(model: Path, part: str) -> None:
    for file in (model / part).iterdir():
        file.unlink()
    with pytest.raises(ModelError, match=part.replace("_", " ")):
        load_bundle(model, CPU)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _html(file: Path) -> None:
    file.write_text("<html>404 not found</html>")


def _empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [_cut, _html, _empty])
@pytest.mark.parametrize(
    ("part", "file"),
    [
        ("unet", "diffusion_pytorch_model.safetensors"),
        ("vae", "diffusion_pytorch_model.safetensors"),
        ("text_encoder", "model.safetensors"),
        ("unet", "config.json"),
        ("scheduler", "scheduler_config.json"),
        ("tokenizer", "vocab.json"),
    ],
)
def test_a_damaged_file_names_its_part(model: Path, damage: Callable[[Path], None], part: str, file: str) -> None:
    damage(model / part / file)
    with pytest.raises(ModelError) as caught:
        load_bundle(model, CPU)
    assert part.replace("_", " ") in caught.value.message
    assert caught.value.remedy


def test_a_pickle_is_refused_in_words(model: Path) -> None:
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ModelError, match="pickle"):
        load_bundle(model, CPU)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder"):
        load_bundle(tmp_path / "nowhere", CPU)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model_index\.json"):
        load_bundle(tmp_path, CPU)


def test_a_strange_number_of_channels(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "m", TinyShape(channels_in=5))
    with pytest.raises(ModelError, match="takes 5 channels"):
        load_bundle(folder, CPU)


def test_a_9_channel_unet_beside_the_wrong_text_encoder(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "m", TinyShape(channels_in=9, unet_text_width=40))
    with pytest.raises(ModelError, match="width 40, its text encoder writes 32"):
        load_bundle(folder, CPU)


def test_an_unknown_vae_class(model: Path) -> None:
    index = json.loads((model / "model_index.json").read_text())
    index["vae"] = ["diffusers", "AutoencoderDC"]
    (model / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="AutoencoderDC"):
        load_bundle(model, CPU)


def test_the_preview_map_is_the_known_one_for_the_known_vae(good: Path) -> None:
    preview = load_bundle(good, CPU).preview
    torch.testing.assert_close(preview.matrix, torch.tensor(SD1_MATRIX))
    torch.testing.assert_close(preview.bias, torch.tensor(SD1_BIAS))


def test_a_stored_preview_map_wins_and_a_broken_one_does_no_harm(model: Path) -> None:
    stored = {"matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], "bias": [0, 0, 0]}
    (model / "limner.json").write_text(json.dumps({"name": "Named", "preview": stored}))
    bundle = load_bundle(model, CPU)
    assert bundle.name == "Named"
    torch.testing.assert_close(bundle.preview.matrix, torch.tensor(stored["matrix"]).float())
    (model / "limner.json").write_text(json.dumps({"preview": {"matrix": [[1]], "bias": "x"}}))
    torch.testing.assert_close(load_bundle(model, CPU).preview.matrix, torch.tensor(SD1_MATRIX))


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000])
def test_a_broken_index_is_a_sentence(model: Path, text: str) -> None:
    (model / "model_index.json").write_text(text)
    with pytest.raises(ModelError, match=r"model_index\.json"):
        load_bundle(model, CPU)


def test_notes_beside_a_model_that_nobody_can_read_do_no_harm(model: Path) -> None:
    (model / "limner.json").write_text("[" * 100_000)
    assert load_bundle(model, CPU).name == model.name


@pytest.mark.parametrize(
    "nonsense",
    [{"beta_schedule": "odd"}, {"prediction_type": "odd"}, {"beta_start": "odd"}, {"num_train_timesteps": 0}],
)
def test_a_schedule_of_nonsense_is_a_sentence(model: Path, nonsense: dict[str, object]) -> None:
    file = model / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | nonsense))
    with pytest.raises(ModelError, match="scheduler"):
        load_bundle(model, CPU)


def test_a_config_that_is_a_list_does_not_speak_of_the_network(model: Path) -> None:
    (model / "unet" / "config.json").write_text("[]")
    with pytest.raises(ModelError, match="unet") as caught:
        load_bundle(model, CPU)
    assert "http" not in caught.value.message
