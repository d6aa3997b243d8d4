"""What the UNet hears: weights, several windows, skipped layers and learned words."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from app.core.errors import ModelError, RequestError
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.placement import Placement
from app.diffusion.texts import Embeddings, embed, read_prompt
from app.library.tokens import load_token_counter
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)
WINDOW = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("texts") / "tiny", TinyShape(tokens=WINDOW))


@pytest.fixture(scope="module")
def bundle(folder: Path) -> ModelBundle:
    bundle = load_bundle(folder, CPU)
    with torch.no_grad():  # as in a trained encoder, the states have a mean
        bundle.text_encoder.final_layer_norm.bias.add_(0.25)
    return bundle


@torch.inference_mode()
def states(
    bundle: ModelBundle, *prompts: str, clip_skip: int = 1, embeddings: Embeddings | None = None
) -> torch.Tensor:
    return embed(bundle, prompts, clip_skip, embeddings or {})


def test_brackets_that_weigh_nothing_change_nothing(bundle: ModelBundle) -> None:
    plain = states(bundle, "a red house")
    assert torch.equal(states(bundle, "(a red:1.0) house"), plain)
    assert not torch.equal(states(bundle, "a (red:1.5) house"), plain)


def test_a_weight_multiplies_its_tokens_and_the_mean_stays(bundle: ModelBundle) -> None:
    plain, weighted = states(bundle, "a red house"), states(bundle, "a (red:1.5) house")
    ratio = (weighted / plain)[0, :, 0]
    assert weighted.mean() == pytest.approx(plain.mean().item(), rel=1e-5)
    torch.testing.assert_close(ratio[2] / ratio[1], torch.tensor(1.5))  # start, a, red
    torch.testing.assert_close(ratio[[0, 1, 3, 4, 20]], ratio[[1]].expand(5))


def test_states_without_a_mean_are_weighted_all_the_same(folder: Path) -> None:
    bundle = load_bundle(folder, CPU)  # a random encoder's last norm has no bias: the mean is a rounding error
    plain, weighted = states(bundle, "a red house"), states(bundle, "a (red:1.5) house")
    torch.testing.assert_close(weighted[0, 2], plain[0, 2] * 1.5)
    torch.testing.assert_close(weighted[0, 3:], plain[0, 3:])


def test_a_long_prompt_is_its_windows_one_after_another(bundle: ModelBundle) -> None:
    first, second = "a red house on the hill " * 3, "a night on the lake"
    whole = states(bundle, f"{first} BREAK {second}")
    assert whole.shape == (1, 2 * WINDOW, 32)
    assert torch.equal(whole, torch.cat([states(bundle, first), states(bundle, second)], dim=1))


def test_the_shorter_prompt_gets_empty_windows(bundle: ModelBundle) -> None:
    both = states(bundle, "snow", "a red house on the hill " * 5)
    assert both.shape == (2, 2 * WINDOW, 32)
    assert torch.equal(both[:1], torch.cat([states(bundle, "snow"), states(bundle, "")], dim=1))


def test_the_engine_reads_prompts_as_the_counter_tells(folder: Path, bundle: ModelBundle) -> None:
    prompt = r"A (red:1.2) house, \(on the Hill\) 猫 BREAK [night] " + "snow, lake " * 12
    assert read_prompt(bundle, prompt, {}) == load_token_counter(folder).plan(prompt)


def test_a_learned_word_stands_in_its_place_and_leaves_the_model_as_it_was(bundle: ModelBundle) -> None:
    plain = states(bundle, "a red house")
    table = bundle.text_encoder.get_input_embeddings().weight
    red = bundle.tokenizer("red", add_special_tokens=False).input_ids
    assert len(red) == 1
    learned = {"my-red": table[red].detach().clone()}
    assert torch.equal(states(bundle, "a my-red house", embeddings=learned), plain)
    twice = states(bundle, "a My-Red house", embeddings={"my-red": torch.full((2, 32), 0.5)})
    assert not torch.equal(twice[0, :2], plain[0, 2:4])
    assert torch.equal(twice[0, :2], plain[0, :2])  # what comes before does not look ahead
    assert torch.equal(states(bundle, "a red house"), plain)


def test_an_embedding_of_another_width_is_a_sentence(bundle: ModelBundle) -> None:
    with pytest.raises(ModelError, match="“x” was made for another kind of model"):
        states(bundle, "x", embeddings={"x": torch.zeros(1, 48)})


def test_more_layers_cannot_be_skipped_than_there_are(bundle: ModelBundle) -> None:
    assert not torch.equal(states(bundle, "a", clip_skip=2), states(bundle, "a"))
    with pytest.raises(RequestError, match="clip skip 3 is too large"):
        states(bundle, "a", clip_skip=3)
