"""Another VAE and embeddings in a Request: what they do, what does not fit, and that the model stays as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.core.additions import EmbeddingUse
from app.core.errors import ModelError, RequestError
from app.core.job import Phase
from app.diffusion.bundle import load_bundle
from app.diffusion.engine import Engine
from app.diffusion.extras import load_embedding
from app.diffusion.placement import Placement
from tests.engine_tools import RecordingHooks, request_for
from tests.single_files import original_weights, vae_entry, write_single
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("extras") / "tiny")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("extras") / "other", TinyShape(seed=5))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(CPU)


def paint(engine: Engine, model: Path, **changes: Any) -> np.ndarray:
    return engine.run(request_for(model, steps=2, **changes), RecordingHooks()).image


# VAE


def original_vae(other: Path, folder: Path) -> Path:
    """One file, and its config beside it, as in a repository that holds both."""
    weights = load_file(other / "vae" / "diffusion_pytorch_model.safetensors")
    folder.mkdir(exist_ok=True)
    save_file(
        {name: value.contiguous() for name, value in (vae_entry(*entry) for entry in weights.items())},
        folder / "v.safetensors",
    )
    (folder / "vae").mkdir()
    shutil.copyfile(other / "vae" / "config.json", folder / "vae" / "config.json")
    return folder / "v.safetensors"


def diffusers_vae(other: Path, folder: Path) -> Path:
    (folder / "vae").mkdir(parents=True)
    shutil.copyfile(other / "vae" / "config.json", folder / "vae" / "config.json")
    return Path(shutil.copyfile(other / "vae" / "diffusion_pytorch_model.safetensors", folder / "v.safetensors"))


@pytest.mark.parametrize(
    "place",
    [
        lambda other, folder: other / "vae",
        lambda other, folder: other,
        original_vae,
        diffusers_vae,
        lambda other, folder: write_single(other, folder / "whole.safetensors"),
    ],
    ids=["folder", "model folder", "original file", "diffusers file", "whole model"],
)
def test_a_vae_takes_the_place_of_the_models_own(
    engine: Engine, model: Path, other: Path, place: Callable[[Path, Path], Path], tmp_path: Path
) -> None:
    plain = paint(engine, model)
    mixed = Path(shutil.copytree(model, tmp_path / "mixed"))
    shutil.rmtree(mixed / "vae")
    shutil.copytree(other / "vae", mixed / "vae")
    file = place(other, tmp_path / "own")
    hooks = RecordingHooks()
    paint(engine, model)
    result = engine.run(request_for(model, steps=2, vae=str(file)), hooks)
    assert Phase.LOADING not in hooks.phases
    np.testing.assert_array_equal(result.image, paint(Engine(CPU), mixed))
    np.testing.assert_array_equal(paint(engine, model), plain)


def test_a_small_vae_in_one_file(engine: Engine, model: Path, tmp_path: Path) -> None:
    torch.manual_seed(2)
    small = diffusers.AutoencoderTiny()
    save_file(small.state_dict(), tmp_path / "taesd.safetensors")
    assert not np.array_equal(paint(engine, model, vae=str(tmp_path / "taesd.safetensors")), paint(engine, model))


def with_config(**values: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        kind = diffusers.AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(8, 8, 16, 16),
            norm_num_groups=4,
            **values,
        )
        kind.save_pretrained(folder)
        return folder

    return make


def written(weights: dict[str, torch.Tensor]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        folder.mkdir()
        save_file(weights, folder / "x.safetensors")
        return folder / "x.safetensors"

    return make


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (with_config(latent_channels=8), "it has 8 channels of 8 pixels, the model 4 of 8"),
        (with_config(scaling_factor=0.13025), "was made for another kind of model: its latents are scaled by 0.13025"),
        (lambda folder: folder, "There is no VAE"),
        (written({"emb_params": torch.ones(1, 32)}), "is an embedding for Stable Diffusion v1, not a VAE"),
        (written({"decoder.conv_in.weight": torch.ones(8, 16, 3, 3)}), "is a VAE of 16 channels"),
        (written({"decoder.conv_in.weight": torch.ones(8, 4, 3, 3)}), "The VAE “x” cannot be read"),
    ],
)
def test_each_misfit_of_a_vae_has_its_sentence(
    engine: Engine, model: Path, make: Callable[[Path], Path], words: str, tmp_path: Path
) -> None:
    plain = paint(engine, model)
    with pytest.raises(ModelError) as caught:
        paint(engine, model, vae=str(make(tmp_path / "vae")))
    assert words in caught.value.message
    assert caught.value.remedy
    np.testing.assert_array_equal(paint(engine, model), plain)


def test_a_folder_that_is_no_vae(engine: Engine, model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="it has no config"):
        paint(engine, model, vae=str(tmp_path))


# Embeddings


def test_a_word_means_what_its_file_says(engine: Engine, model: Path, tmp_path: Path) -> None:
    """The learned vectors of a word that the model knows anyway say what that word says."""
    bundle = load_bundle(model, CPU)
    ids = bundle.tokenizer("red house", add_special_tokens=False).input_ids
    table = bundle.text_encoder.get_input_embeddings().weight.detach()
    save_file({"emb_params": table[ids].clone()}, tmp_path / "cottage.safetensors")
    embedding = EmbeddingUse(file=str(tmp_path / "cottage.safetensors"))
    plain = paint(engine, model, prompt="a red house on the hill")
    learned = paint(engine, model, prompt="a cottage on the hill", embeddings=(embedding,))
    np.testing.assert_array_equal(learned, plain)
    renamed = EmbeddingUse(file=embedding.file, word="<thing>")
    np.testing.assert_array_equal(paint(engine, model, prompt="a <thing> on the hill", embeddings=(renamed,)), plain)
    assert not np.array_equal(paint(engine, model, prompt="a cottage on the hill"), plain)


@pytest.mark.parametrize(
    ("weights", "shape"),
    [
        ({"emb_params": torch.ones(3, 32)}, (3, 32)),
        ({"<cat>": torch.ones(32)}, (1, 32)),
        ({"emb_params": torch.ones(2, 32, dtype=torch.float16)}, (2, 32)),
    ],
)
def test_forms_of_embeddings(weights: dict[str, torch.Tensor], shape: tuple[int, int], tmp_path: Path) -> None:
    save_file(weights, tmp_path / "e.safetensors")
    vectors = load_embedding(tmp_path / "e.safetensors")
    assert (tuple(vectors.shape), vectors.dtype) == (shape, torch.float32)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"emb_params": torch.ones(1, 48)}, "was made for another kind of model"),
        ({"emb_params": torch.ones(1, 1024)}, "is an embedding for Stable Diffusion 2, not an embedding for Stable"),
        ({"clip_l": torch.ones(1, 768), "clip_g": torch.ones(1, 1280)}, "an embedding for Stable Diffusion XL, not an"),
        ({"a": torch.ones(32), "b": torch.ones(32)}, "is an embedding of 2 words"),
        ({"emb_params": torch.full((1, 32), float("nan"))}, "The embedding “e” is damaged"),
        ({"m.lora_down.weight": torch.ones(4, 32)}, "is a LoRA for Stable Diffusion v1, not an embedding"),
    ],
)
def test_each_misfit_of_an_embedding_has_its_sentence(
    engine: Engine, model: Path, weights: dict[str, torch.Tensor], words: str, tmp_path: Path
) -> None:
    save_file(weights, tmp_path / "e.safetensors")
    with pytest.raises(ModelError) as caught:
        paint(engine, model, prompt="e", embeddings=(EmbeddingUse(file=str(tmp_path / "e.safetensors")),))
    assert words in caught.value.message
    assert caught.value.remedy


def test_a_file_that_was_replaced_is_read_again(engine: Engine, model: Path, tmp_path: Path) -> None:
    file = tmp_path / "e.safetensors"
    pictures = []
    for seed in (1, 2):
        save_file({"emb_params": torch.randn(seed, 32, generator=torch.Generator().manual_seed(seed))}, file)
        pictures.append(paint(engine, model, prompt="e", embeddings=(EmbeddingUse(file=str(file)),)))
    assert not np.array_equal(*pictures)


def test_words_that_cannot_be() -> None:
    with pytest.raises(RequestError, match="are called “cat”"):
        request_for(Path("m"), embeddings=(EmbeddingUse(file="a/cat.pt"), EmbeddingUse(file="b", word="CAT")))
    with pytest.raises(RequestError, match="too long"):
        EmbeddingUse(file="a", word="x" * 101)
    with pytest.raises(RequestError, match="no file"):
        EmbeddingUse(file="")
    with pytest.raises(RequestError, match="no file"):
        request_for(Path("m"), vae=" ")


def test_weights_of_a_single_file_can_be_given_as_its_own_vae(engine: Engine, model: Path, tmp_path: Path) -> None:
    file = write_single(model, tmp_path / "m.safetensors")
    assert len(original_weights(model)) > 100
    np.testing.assert_array_equal(paint(engine, file, vae=str(file)), paint(engine, file))
