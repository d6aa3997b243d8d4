"""LoRAs, embeddings and VAEs are told apart by their headers and found where a person puts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import ModelError
from app.core.kinds import Kind
from app.core.settings import Folders
from app.library.additions import find_additions, read_addition
from tests.library.folders import safetensors
from tests.ui.studio import make_model

LORA = {
    "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight": [4, 768],
    "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight": [32, 4],
}
EMBEDDING = {"emb_params": [3, 768]}
VAE = {"decoder.conv_in.weight": [8, 4, 3, 3], "encoder.conv_in.weight": [8, 3, 3, 3]}
FLUX = {"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": [8, 3072]}


@pytest.fixture
def places(data_dir: Path) -> Folders:
    folders = Folders(data_dir)
    folders.make()
    return folders


def write(path: Path, tensors: dict[str, list[int]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(safetensors(tensors))
    return path


def test_each_kind_is_read(tmp_path: Path) -> None:
    lora = read_addition(write(tmp_path / "ink 猫.safetensors", LORA))
    assert (lora.kind, lora.name, lora.vectors) == (Kind.LORA, "ink 猫", 0)
    embedding = read_addition(write(tmp_path / "mood.safetensors", EMBEDDING))
    assert (embedding.kind, embedding.vectors) == (Kind.EMBEDDING, 3)
    assert read_addition(write(tmp_path / "flat.safetensors", {"emb_params": [768]})).vectors == 1
    assert read_addition(write(tmp_path / "sharp.safetensors", VAE)).kind is Kind.VAE


def test_they_are_found_in_the_models_folder_and_its_folders_and_nowhere_in_models(places: Folders) -> None:
    write(places.models / "b.safetensors", LORA)
    write(places.models / "loras" / "faces" / "a.safetensors", LORA)
    write(places.models / "embeddings" / "mood.safetensors", EMBEDDING)
    write(places.imported / "0123" / "old.safetensors", VAE)
    write(places.models / "loras" / "a" / "too" / "deep.safetensors", LORA)
    write(places.models / ".half.safetensors", LORA)
    write(places.models / "flux.safetensors", FLUX)
    (places.models / "broken.safetensors").write_bytes(b"<html>")
    write(make_model(places.models / "whole") / "vae" / "sharp.safetensors", VAE)
    found = find_additions(places)
    assert [(one.kind, one.name) for one in found] == [
        (Kind.LORA, "a"),
        (Kind.LORA, "b"),
        (Kind.EMBEDDING, "mood"),
        (Kind.VAE, "old"),
    ]


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "it.safetensors", LORA)
    assert read_addition(path).kind is Kind.LORA
    write(path, EMBEDDING)
    assert read_addition(path).kind is Kind.EMBEDDING


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (FLUX, "is a LoRA for Flux; a LoRA, an embedding or a VAE for Stable Diffusion v1 can be added"),
        ({"something": [4, 4]}, "is a file of weights that Limner does not know"),
    ],
)
def test_what_adds_nothing_is_said(tensors: dict[str, list[int]], words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words):
        read_addition(write(tmp_path / "it.safetensors", tensors))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    for name in ("gone.safetensors", "n\0o.safetensors", "x" * 300):
        with pytest.raises(ModelError, match="There is no file"):
            read_addition(tmp_path / name)
