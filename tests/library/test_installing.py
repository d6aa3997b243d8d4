"""Models and what adds to them come into Limner's folders whole, once, and under a name of their own."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from app.core.errors import Cancelled, ModelError
from app.core.kinds import Kind
from app.core.settings import Folders
from app.library import installing
from app.library.installing import destination, install, is_inside
from app.library.models import find_models
from tests.ui.studio import make_model, make_single


def weights(path: Path, shapes: dict[str, tuple[int, ...]], fill: int = 0) -> Path:
    """A safetensors file of zeros."""
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes([fill]) * at)
    return path


LORA = {
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight": (4, 768),
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight": (320, 4),
}
EMBEDDING = {"emb_params": (2, 768)}


@pytest.fixture
def places(data_dir: Path) -> Folders:
    return Folders(data_dir)


def test_each_kind_has_its_place(places: Folders, tmp_path: Path) -> None:
    lora, word = weights(tmp_path / "l.safetensors", LORA), weights(tmp_path / "e.safetensors", EMBEDDING)
    model = make_single(tmp_path / "m" / "m.safetensors")
    folder = make_model(tmp_path / "folder")
    found = [destination(path, places) for path in (lora, word, model, folder)]
    assert [each.kind for each in found] == [Kind.LORA, Kind.EMBEDDING, Kind.MODEL, Kind.MODEL]
    assert [each.folder.name for each in found] == ["loras", "embeddings", "models", "models"]
    assert found[0].size == lora.stat().st_size
    foreign = {"double_blocks.0.img_attn.qkv.weight": (4, 4)}
    with pytest.raises(ModelError, match="is Flux"):
        destination(weights(tmp_path / "f.safetensors", foreign), places)


def test_a_file_is_copied_once_and_never_over_another(places: Folders, tmp_path: Path) -> None:
    told: list[float] = []
    lora = weights(tmp_path / "l.safetensors", LORA)
    first = install(lora, places.loras, told.append)
    assert first == places.loras / "l.safetensors"
    assert first.read_bytes() == lora.read_bytes()
    assert told[-1] == 1.0
    assert is_inside(first, places)
    assert not is_inside(lora, places)
    assert install(lora, places.loras) == first
    other = install(weights(tmp_path / "l.safetensors", LORA, fill=1), places.loras)
    assert other.name == "l (2).safetensors"
    assert sorted(path.name for path in places.loras.iterdir()) == ["l (2).safetensors", "l.safetensors"]


def test_a_model_is_found_where_it_was_copied_to(places: Folders, tmp_path: Path) -> None:
    places.make()
    file = make_single(tmp_path / "m" / "small.safetensors")
    (tmp_path / "m" / "small.yaml").write_text("model: {}")
    single = install(file, places.models)
    assert single.with_suffix(".yaml").is_file()
    folder = install(make_model(tmp_path / "big"), places.models)
    assert {single, folder} <= {model.path for model in find_models(places)}


@pytest.mark.parametrize("make", [lambda path: weights(path / "l.safetensors", LORA), lambda path: make_model(path)])
def test_a_cancel_leaves_nothing_behind(make, places: Folders, tmp_path: Path) -> None:
    source = make(tmp_path / "source") if (tmp_path / "source").mkdir() is None else None
    with pytest.raises(Cancelled):
        install(source, places.loras, cancelled=lambda: True)
    assert list(places.loras.iterdir()) == []


def test_a_full_or_unwritable_disk_is_told(places: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lora = weights(tmp_path / "l.safetensors", LORA)
    monkeypatch.setattr(installing, "_ROOM", 10**18)
    with pytest.raises(ModelError, match="are free"):
        install(lora, places.loras)
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be copied"):
        install(lora, tmp_path / "file" / "loras")
