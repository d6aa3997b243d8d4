"""Model folders: what they are is read from their files in milliseconds, and each way to be unusable has a sentence."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import ModelError
from app.core.settings import Folders
from app.library import models
from app.library.models import MODEL_PARTS, default_model, find_models, read_model, resolve_model
from tests.library.folders import TEXT, UNET, VAE, make_model, safetensors, unet_weights


def change(file: Path, **values: Any) -> None:
    content = json.loads(file.read_text())
    for key, value in values.items():
        if value is None:
            content.pop(key, None)
        else:
            content[key] = value
    file.write_text(json.dumps(content))


@pytest.fixture
def places(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """A data folder, and resources of our own with no model in them."""
    (tmp_path / "resources" / "models").mkdir(parents=True)
    monkeypatch.setattr(models, "resources", lambda: tmp_path / "resources")
    folders = Folders(data_dir)
    folders.make()
    return folders


# What a good folder is


@pytest.mark.parametrize("channels", [4, 9])
def test_a_model_is_read(channels: int, tmp_path: Path) -> None:
    path = make_model(tmp_path / "My model 猫", channels=channels)
    model = read_model(path)
    assert (model.id, model.path, model.name) == (str(path), path, "My model 猫")
    assert (model.channels, model.native_size, model.starter) == (channels, 192, False)
    assert model.vocabulary == model.example_prompts == ()


def test_limner_json_tells_more(tmp_path: Path) -> None:
    told = {
        "name": "Starter",
        "description": "Draws shapes.",
        "native_size": 128,
        "vocabulary": ["red", "blue"],
        "example_prompts": ["a red ball"],
        "preview": [[0, 0, 0]],
    }
    model = read_model(make_model(tmp_path / "m", **told))
    assert (model.name, model.description, model.native_size) == ("Starter", "Draws shapes.", 128)
    assert (model.vocabulary, model.example_prompts) == (("red", "blue"), ("a red ball",))


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"name": 5, "native_size": "big", "vocabulary": "red", "description": []}',
        b'{"native_size": true, "vocabulary": [1, null, " "]}',
    ],
)
def test_a_damaged_limner_json_is_passed_over(content: bytes, tmp_path: Path) -> None:
    path = make_model(tmp_path / "m")
    (path / "limner.json").write_bytes(content)
    model = read_model(path)
    assert (model.name, model.native_size, model.vocabulary, model.description) == ("m", 192, (), "")


TINY_VAE = {"block_out_channels": None, "decoder_block_out_channels": [8, 8, 8], "_class_name": "AutoencoderTiny"}


@pytest.mark.parametrize(
    ("unet", "vae", "side"),
    [
        ({"sample_size": 64}, {}, 512),
        ({"sample_size": [64, 64]}, {}, 512),
        ({"sample_size": [64, 96]}, {}, 768),
        ({"sample_size": 64}, {"block_out_channels": [8]}, 64),
        ({"sample_size": 64}, TINY_VAE, 256),
        ({"sample_size": 64}, TINY_VAE | {"decoder_block_out_channels": None}, 512),
        ({"sample_size": None}, {}, 100),
        ({"sample_size": "odd"}, {"sample_size": None}, 512),
        ({"sample_size": 0}, {"sample_size": [300, 200]}, 300),
        ({"sample_size": [1, 2, 3]}, {"sample_size": -4}, 512),
    ],
)
def test_native_size_is_read_and_not_assumed(
    unet: dict[str, Any], vae: dict[str, Any], side: int, tmp_path: Path
) -> None:
    path = make_model(tmp_path / "m")
    change(path / "unet/config.json", **unet)
    change(path / "vae/config.json", **vae)
    assert read_model(path).native_size == side


def rename_to(name: str) -> Callable[[Path], None]:
    return lambda path: (path / UNET).rename(path / "unet" / name) and None


def split_in_shards(path: Path) -> None:
    (path / UNET).rename(path / "unet/diffusion_pytorch_model-00001-of-00002.safetensors")
    (path / "unet/diffusion_pytorch_model-00002-of-00002.safetensors").write_bytes(safetensors({"b": [2]}))
    weight_map = {"conv_in.weight": "diffusion_pytorch_model-00001-of-00002.safetensors"}
    weight_map["b"] = "diffusion_pytorch_model-00002-of-00002.safetensors"
    index = path / "unet/diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))


@pytest.mark.parametrize(
    "alter",
    [
        rename_to("diffusion_pytorch_model.fp16.safetensors"),
        split_in_shards,
        lambda path: (path / "tokenizer/vocab.json").rename(path / "tokenizer/tokenizer.json"),
        lambda path: change(path / "unet/config.json", cross_attention_dim=[32, 32]),
        lambda path: (path / "unet/diffusion_pytorch_model.bin").write_bytes(b"beside the good file"),
        lambda path: change(path / "model_index.json", _class_name="StableDiffusionInpaintPipeline"),
        lambda path: change(path / "model_index.json", _class_name="LatentConsistencyModelPipeline"),
    ],
)
def test_other_forms_of_good_folders(alter: Callable[[Path], object], tmp_path: Path) -> None:
    path = make_model(tmp_path / "m")
    alter(path)
    assert read_model(path).channels == 4


# What is wrong


def write(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda path: (path / name).write_bytes(content)


def lose(name: str) -> Callable[[Path], object]:
    def alter(path: Path) -> None:
        target = path / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return alter


def configure(part: str, **values: Any) -> Callable[[Path], object]:
    return lambda path: change(path / part, **values)


def only_pickle(path: Path) -> None:
    (path / UNET).unlink()
    (path / "unet/diffusion_pytorch_model.bin").write_bytes(b"\x80\x02.")


def lose_a_shard(path: Path) -> None:
    split_in_shards(path)
    (path / "unet/diffusion_pytorch_model-00002-of-00002.safetensors").unlink()


def break_the_index(path: Path) -> None:
    split_in_shards(path)
    (path / "unet/diffusion_pytorch_model.safetensors.index.json").write_text('{"weight_map": 5}')


def file_of(**tensors: tuple[str, list[int], int, int]) -> bytes:
    """A file whose header says what it is told to, with as many bytes behind it as it speaks of."""
    header = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
        for name, (dtype, shape, begin, end) in tensors.items()
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(max((entry[3] for entry in tensors.values()), default=0))


GOOD = unet_weights(4)
HEADER_LENGTH = struct.unpack("<Q", GOOD[:8])[0]
WRONG = [
    (lose("model_index.json"), "it has no model_index.json"),
    (write("model_index.json", b"{"), "model_index.json of the model “m” is damaged"),
    (write("model_index.json", b"[1]"), "model_index.json of the model “m” is damaged"),
    (write("model_index.json", b"[" * 100_000), "model_index.json of the model “m” is damaged"),
    (write("model_index.json", b"{}"), "does not say what it is"),
    *((lose(part), f"lacks its part “{part}”") for part in MODEL_PARTS),
    *(
        (lose(f"{part}/config.json"), f"The part “{part}” of the model “m” lacks config.json")
        for part in ("unet", "vae", "text_encoder")
    ),
    (lose("tokenizer/vocab.json"), "The part “tokenizer” of the model “m” lacks tokenizer.json or vocab.json"),
    (lose("scheduler/scheduler_config.json"), "The part “scheduler” of the model “m” lacks scheduler_config.json"),
    *(
        (write(f"{part}/config.json", b'{"a": '), f"{part}/config.json of the model “m” is damaged")
        for part in ("unet", "vae", "text_encoder")
    ),
    *(
        (configure("model_index.json", _class_name=kind), f"is {label}, not Stable Diffusion v1")
        for kind, label in [
            ("StableDiffusionXLPipeline", "Stable Diffusion XL"),
            ("StableDiffusionXLInpaintPipeline", "Stable Diffusion XL"),
            ("StableDiffusion3Pipeline", "Stable Diffusion 3"),
            ("FluxPipeline", "Flux"),
            ("StableVideoDiffusionPipeline", "Stable Video Diffusion"),
            ("StableDiffusionUpscalePipeline", "an upscaler"),
            ("NovelPipeline", "NovelPipeline"),
        ]
    ),
    (configure("unet/config.json", cross_attention_dim=1024), "is Stable Diffusion 2, not Stable Diffusion v1"),
    (configure("unet/config.json", cross_attention_dim=2048), "is Stable Diffusion XL, not Stable Diffusion v1"),
    (configure("unet/config.json", addition_embed_type="text_time"), "is Stable Diffusion XL"),
    (configure("unet/config.json", _class_name="UNet3DConditionModel"), "built on UNet3DConditionModel"),
    (
        configure("unet/config.json", cross_attention_dim=64),
        "do not belong together: its text encoder gives 32 numbers a word, its UNet takes 64",
    ),
    (configure("unet/config.json", in_channels=8), "takes 8 channels"),
    (configure("unet/config.json", in_channels=[4]), "channels"),
    (configure("unet/config.json", in_channels=9), "has 4 input channels, but its config says 9"),
    (configure("vae/config.json", latent_channels=16), "has 16 channels"),
    *((lose(name), f"lacks the weights of its part “{name.split('/')[0]}”") for name in (UNET, VAE, TEXT)),
    (rename_to("diffusion_pytorch_model.non_ema.safetensors"), "lacks the weights of its part “unet”"),
    (only_pickle, "are a pickle file"),
    (lose_a_shard, "lacks unet/diffusion_pytorch_model-00002-of-00002.safetensors"),
    (break_the_index, "unet/diffusion_pytorch_model.safetensors.index.json of the model “m” is damaged"),
    (write(UNET, b""), "is empty"),
    (write(UNET, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"), "is a Git LFS pointer"),
    (write(UNET, b"<!DOCTYPE html><html>Sign in</html>"), "is a web page"),
    (write(UNET, b"\n\n<html lang=en>"), "is a web page"),
    (write(UNET, b"PK\x03\x04" + bytes(100)), "is a pickle file, which can run programs"),
    (write(UNET, GOOD[:5]), "is cut short or is no safetensors file"),
    (write(UNET, GOOD[: HEADER_LENGTH - 3]), "is cut short or is no safetensors file"),
    (write(UNET, GOOD[:-300]), "is cut short: 49 % of it is there"),
    (write(UNET, GOOD + b"x"), "is longer than its header says"),
    (write(UNET, file_of(a=("F16", [2], 0, 4), b=("F16", [2], 2, 6))), "two of its tensors overlap"),
    (write(UNET, file_of(a=("F16", [2], 0, 4), b=("F16", [2], 6, 10))), "there is a gap between its tensors"),
    (write(UNET, file_of(a=("F32", [2], 0, 4))), "its header contradicts itself about “a”"),
    (write(UNET, file_of()), "holds no weights"),
    (write(UNET, file_of(a=("F16", [-2], 0, 4))), "its header cannot be read"),
    (write(UNET, struct.pack("<Q", 2) + b"[]"), "its header cannot be read"),
    (write(UNET, struct.pack("<Q", 5) + b"{{{{{"), "its header cannot be read"),
    (write(UNET, struct.pack("<Q", 11) + b'{"a": "bc"}'), "its header cannot be read"),
]


@pytest.mark.parametrize(("alter", "words"), WRONG, ids=[words for _, words in WRONG])
def test_each_fault_has_its_sentence(alter: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    path = make_model(tmp_path / "m")
    alter(path)
    with pytest.raises(ModelError) as caught:
        read_model(path)
    assert words in caught.value.message
    assert "m" in caught.value.message
    assert caught.value.remedy.endswith(".")


def test_places_that_are_no_model(tmp_path: Path) -> None:
    (tmp_path / "sd.safetensors").write_bytes(GOOD)
    (tmp_path / "empty").mkdir()
    for path, words in (
        (tmp_path / "none", "There is no model “"),
        (tmp_path / "sd.safetensors", "is a file of weights that Limner does not know"),
        (tmp_path / "empty", "is not a model folder"),
        (tmp_path / ("x" * 300), "There is no model “"),
        (Path("a\0b"), "There is no model “"),
    ):
        with pytest.raises(ModelError, match=words):
            read_model(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["in_channels", "cross_attention_dim", "sample_size", "addition_embed_type", "_class_name", "hidden_size"]
KEYS += ["latent_channels", "block_out_channels", "decoder_block_out_channels"]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.sampled_from(KEYS), part=st.sampled_from(["unet", "vae", "text_encoder"]), value=JSON)
def test_odd_values_in_configs_are_no_crash(key: str, part: str, value: Any, tmp_path: Path) -> None:
    path = make_model(tmp_path / "m")
    change(path / part / "config.json", **{key: value})
    try:
        model = read_model(path)
    except ModelError:
        return
    assert model.channels in (4, 9)
    assert model.native_size > 0


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=64), at=st.integers(0, 200), header=JSON)
def test_odd_weight_files_are_no_crash(data: bytes, at: int, header: Any, tmp_path: Path) -> None:
    path = tmp_path / "m" if (tmp_path / "m").exists() else make_model(tmp_path / "m")
    text = json.dumps(header).encode()
    for content in (data, GOOD[:at] + data + GOOD[at + len(data) :], struct.pack("<Q", len(text)) + text + data):
        (path / UNET).write_bytes(content)
        try:
            read_model(path)
        except ModelError:
            continue


def test_reading_takes_milliseconds(tmp_path: Path) -> None:
    """With a header as long as that of a real UNet, 686 tensors."""
    path = make_model(tmp_path / "m")
    shapes = {f"down_blocks.{i}.attentions.0.transformer_blocks.0.attn1.to_q.weight": [2, 2] for i in range(686)}
    (path / UNET).write_bytes(safetensors({"conv_in.weight": [8, 4, 3, 3]} | shapes))
    took = []
    for _ in range(20):
        began = time.perf_counter()
        read_model(path)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.02


# Finding


def test_starters_come_first_and_strange_folders_are_passed_over(places: Folders, tmp_path: Path) -> None:
    starter = make_model(tmp_path / "resources/models/zz", name="Zebra")
    make_model(places.models / "b", name="beta")
    make_model(places.models / "a", name="Alpha")
    make_model(places.models / ".half-done")
    (places.models / "notes.txt").write_text("x")
    (places.models / "empty").mkdir()
    broken = make_model(places.models / "broken")
    (broken / UNET).unlink()
    extra = make_model(tmp_path / "elsewhere", name="Gamma")
    found = find_models(places, [extra, starter, tmp_path / "none"])
    assert [model.name for model in found] == ["Zebra", "Alpha", "beta", "Gamma"]
    assert [model.starter for model in found] == [True, False, False, False]
    assert default_model(places).name == "Zebra"


def test_no_models_and_no_folders(places: Folders) -> None:
    shutil.rmtree(places.models)
    assert find_models(places) == []
    with pytest.raises(ModelError) as caught:
        default_model(places)
    assert str(places.models) in caught.value.remedy


def test_a_model_is_found_by_name_folder_or_path(
    places: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_model(places.models / "folder-name", name="Display Name")
    elsewhere = make_model(tmp_path / "elsewhere")
    for wanted in ("Display Name", "display name", "folder-name", "FOLDER-NAME", " folder-name ", str(path)):
        assert resolve_model(wanted, places).path == path
    assert resolve_model(str(elsewhere), places).path == elsewhere
    monkeypatch.chdir(tmp_path)
    for wanted in ("elsewhere", "./elsewhere", f"elsewhere{os.sep}"):
        assert resolve_model(wanted, places).path == elsewhere
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_model("~/elsewhere", places).path == elsewhere


def test_an_unknown_name_lists_the_known_ones(places: Folders) -> None:
    make_model(places.models / "one", name="One")
    make_model(places.models / "two", name="Two")
    for wanted in ("three", ""):
        with pytest.raises(ModelError) as caught:
            resolve_model(wanted, places)
        assert caught.value.message == f"There is no model called “{wanted}”."
        assert "“One”, “Two”" in caught.value.remedy


def test_a_broken_model_that_is_named_says_what_is_wrong(places: Folders) -> None:
    path = make_model(places.models / "broken")
    (path / UNET).unlink()
    with pytest.raises(ModelError, match="lacks the weights"):
        resolve_model("broken", places)


def test_models_are_read_without_torch() -> None:
    code = "import sys, app.library.models, app.library.pictures, app.library.metadata; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "PySide6", "PIL"}.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    ("told", "guidance"), [(4.5, 4.5), (5, 5.0), (None, 7.0), ("x", 7.0), (0, 7.0), (float("nan"), 7.0), ([], 7.0)]
)
def test_a_model_may_tell_the_guidance_that_suits_it(tmp_path: Path, told: object, guidance: float) -> None:
    folder = make_model(tmp_path / "m")
    (folder / "limner.json").write_text(json.dumps({"guidance": told}))
    assert read_model(folder).guidance == guidance
