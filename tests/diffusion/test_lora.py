"""LoRAs: what diffusers' own pipeline paints with them, several at once, and not a trace after them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from app.core.additions import LoraUse
from app.core.errors import ModelError, RequestError
from app.core.job import Phase, Result
from app.diffusion.bundle import load_bundle
from app.diffusion.engine import Engine
from app.diffusion.lora import put_on, read_lora, take_off
from app.diffusion.placement import Placement
from tests.engine_tools import RecordingHooks, request_for
from tests.loras import Pairs, Weights, in_old_form, in_peft_form, kohya, random_pairs, write
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("lora") / "tiny")


@pytest.fixture(scope="module")
def pairs(model: Path) -> Pairs:
    return random_pairs(model)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(CPU)


def paint(engine: Engine, model: Path, *uses: LoraUse) -> Result:
    return engine.run(request_for(model, steps=2, loras=uses), RecordingHooks())


def use(file: Path, weight: float = 1.0) -> LoraUse:
    return LoraUse(file=str(file), weight=weight)


# What they do


@pytest.mark.parametrize("form", [kohya, in_peft_form, in_old_form])
@pytest.mark.parametrize("weight", [1.0, 0.4, -0.5])
def test_networks_answer_as_diffusers_own(
    model: Path, pairs: Pairs, form: Callable[[Pairs], Weights], weight: float, tmp_path: Path
) -> None:
    file = write(tmp_path / "style.safetensors", form(pairs))
    bundle = load_bundle(model, CPU)
    put_on(bundle, [(read_lora(file, bundle), use(file, weight))])
    theirs = diffusers.StableDiffusionPipeline.from_pretrained(model, local_files_only=True)
    theirs.load_lora_weights(str(tmp_path), weight_name=file.name, adapter_name="style")
    theirs.set_adapters(["style"], [weight])
    ids = torch.tensor([[512, 300, 301, 513]])
    x, t = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3)), torch.tensor(500)
    with torch.inference_mode():
        texts = [encoder(ids)[0] for encoder in (bundle.text_encoder, theirs.text_encoder)]
        torch.testing.assert_close(texts[0], texts[1])
        answers = [network(x, t, texts[0], return_dict=False)[0] for network in (bundle.unet, theirs.unet)]
        torch.testing.assert_close(answers[0], answers[1])
        plain = load_bundle(model, CPU)
        assert not torch.allclose(answers[0], plain.unet(x, t, texts[0], return_dict=False)[0], atol=1e-3)
        assert not torch.allclose(texts[0], plain.text_encoder(ids)[0], atol=1e-3)


def test_several_at_once_add_up(model: Path, pairs: Pairs, tmp_path: Path) -> None:
    """One layer is linear in its LoRAs: its own answer plus each one's."""
    other = random_pairs(model, rank=2, seed=9)
    files = [write(tmp_path / "one.safetensors", kohya(pairs)), write(tmp_path / "two.safetensors", kohya(other))]
    bundle = load_bundle(model, CPU)
    path = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
    x = torch.randn((3, 32), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = bundle.unet.get_submodule(path)(x)
        for weight, (down, up) in ((0.5, pairs["unet", path]), (-2.0, other["unet", path])):
            expected = expected + weight * (2.0 / down.shape[0]) * (x @ down.T @ up.T)
        put_on(
            bundle,
            [(read_lora(files[0], bundle), use(files[0], 0.5)), (read_lora(files[1], bundle), use(files[1], -2))],
        )
        torch.testing.assert_close(bundle.unet.get_submodule(path)(x), expected, rtol=1e-4, atol=1e-4)


def test_a_lora_without_alpha_counts_as_one_of_its_rank(model: Path, pairs: Pairs, tmp_path: Path) -> None:
    bundle = load_bundle(model, CPU)
    path = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    file = write(tmp_path / "x.safetensors", kohya(pairs, alpha=None))
    x = torch.randn((3, 16), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        down, up = pairs["unet", path]
        expected = bundle.unet.get_submodule(path)(x) + x @ down.T @ up.T
        put_on(bundle, [(read_lora(file, bundle), use(file))])
        torch.testing.assert_close(bundle.unet.get_submodule(path)(x), expected, rtol=1e-4, atol=1e-4)


# What they leave behind: nothing


def test_putting_on_and_taking_off_never_loads_the_model_again(
    engine: Engine, model: Path, pairs: Pairs, tmp_path: Path
) -> None:
    file = write(tmp_path / "style.safetensors", kohya(pairs))
    plain = paint(engine, model)
    assert (plain.notes, plain.more) == ((), ())
    hooks = RecordingHooks()
    with_lora = engine.run(request_for(model, steps=2, loras=(use(file),)), hooks)
    assert Phase.LOADING not in hooks.phases
    assert not np.array_equal(with_lora.image, plain.image)
    weaker = paint(engine, model, use(file, 0.3))
    assert not np.array_equal(weaker.image, with_lora.image)
    np.testing.assert_array_equal(paint(engine, model, use(file)).image, with_lora.image)
    np.testing.assert_array_equal(paint(engine, model, use(file, 0)).image, plain.image)
    np.testing.assert_array_equal(paint(engine, model).image, plain.image)


def test_taking_off_gives_back_the_very_same_layers(model: Path, pairs: Pairs, tmp_path: Path) -> None:
    bundle = load_bundle(model, CPU)
    before = [dict(network.named_modules()) for network in (bundle.unet, bundle.text_encoder)]
    lora = read_lora(write(tmp_path / "style.safetensors", kohya(pairs)), bundle)
    put_on(bundle, [(lora, use(tmp_path / "style.safetensors"))])
    assert len(dict(bundle.unet.named_modules())) > len(before[0])
    assert read_lora(tmp_path / "style.safetensors", bundle).pairs.keys() == lora.pairs.keys()  # while another is on
    take_off(bundle)
    for was, network in zip(before, (bundle.unet, bundle.text_encoder), strict=True):
        now = dict(network.named_modules())
        assert now.keys() == was.keys()
        assert all(now[path] is was[path] for path in was)
        assert not hasattr(network, "peft_config")


def test_a_failure_half_way_leaves_the_model_as_it_was(
    engine: Engine, model: Path, pairs: Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import app.diffusion.lora as subject

    plain = paint(engine, model)
    file = write(tmp_path / "style.safetensors", kohya(pairs))
    calls: list[int] = []
    real = subject.set_peft_model_state_dict

    def breaks_at_the_second(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("it broke\nin many lines")
        return real(*arguments, **options)

    monkeypatch.setattr(subject, "set_peft_model_state_dict", breaks_at_the_second)
    with pytest.raises(ModelError, match=r"The LoRA “style” cannot be used \(it broke\)"):
        paint(engine, model, use(file))
    np.testing.assert_array_equal(paint(engine, model).image, plain.image)
    monkeypatch.setattr(subject, "set_peft_model_state_dict", real)
    assert not np.array_equal(paint(engine, model, use(file)).image, plain.image)


# What does not fit


def test_what_fits_nothing_is_counted_and_said(engine: Engine, model: Path, pairs: Pairs, tmp_path: Path) -> None:
    weights = kohya(pairs)
    strange = "lora_unet_down_blocks_7_attentions_0_proj_in"
    weights |= {f"{strange}.lora_down.weight": torch.ones(4, 16), f"{strange}.lora_up.weight": torch.ones(16, 4)}
    weights[f"{strange}.alpha"] = torch.tensor(1.0)
    weights["lora_unet_conv_in.lora_mid.weight"] = torch.ones(4, 4, 3, 3)
    one_sided = next(name for name in weights if name.endswith(".lora_up.weight"))
    del weights[one_sided]
    result = paint(engine, model, use(write(tmp_path / "odd.safetensors", weights)))
    assert result.notes == (
        f"3 of {len(pairs) + 2} parts of the LoRA “odd” fit nothing in this model and were left out.",
    )


def rename(weights: Weights) -> Weights:
    return {name.replace("block", "blob").replace("lora_te_", "lora_te_x_"): value for name, value in weights.items()}


def other_width(weights: Weights) -> Weights:
    return {
        name: torch.ones(4, 1024) if name.endswith("attn2_to_k.lora_down.weight") else value
        for name, value in weights.items()
    }


def other_shape(weights: Weights) -> Weights:
    return {
        name: torch.ones(4, 99) if name.endswith("proj_in.lora_down.weight") else value
        for name, value in weights.items()
    }


def not_numbers(weights: Weights) -> Weights:
    return weights | {next(iter(weights)): torch.full_like(next(iter(weights.values())), float("nan"))}


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (rename, "Nothing of the LoRA “x” fits this model."),
        (other_width, "“x.safetensors” is a LoRA for Stable Diffusion 2; it does not fit this model."),
        (other_shape, "The LoRA “x” does not fit this model: its part unet."),
        (not_numbers, "The LoRA “x” is damaged: the weights"),
        (lambda _: {"emb_params": torch.ones(1, 32)}, "is an embedding for Stable Diffusion v1, not a LoRA."),
        (lambda _: {"m.lokr_w1": torch.ones(4, 32)}, "is a LyCORIS file (LoHa, LoKr and the like), not a LoRA."),
        (lambda _: {"transformer.single_transformer_blocks.0.a.lora_A.weight": torch.ones(4, 9)}, "a LoRA for Flux"),
    ],
)
def test_each_misfit_has_its_sentence_and_changes_nothing(
    engine: Engine, model: Path, pairs: Pairs, alter: Callable[[Weights], Weights], words: str, tmp_path: Path
) -> None:
    plain = paint(engine, model)
    file = write(tmp_path / "x.safetensors", alter(kohya(pairs)))
    with pytest.raises(ModelError) as caught:
        paint(engine, model, use(file))
    assert words in caught.value.message
    assert caught.value.remedy
    np.testing.assert_array_equal(paint(engine, model).image, plain.image)


def test_files_that_are_none(engine: Engine, model: Path, tmp_path: Path) -> None:
    (tmp_path / "page.safetensors").write_text("<html>404</html>")
    (tmp_path / "old.pt").write_bytes(b"\x80\x02}.")
    for name, words in (("none", "There is no LoRA"), ("page.safetensors", "web page"), ("old.pt", "pickle file")):
        with pytest.raises(ModelError, match=words):
            paint(engine, model, use(tmp_path / name))


def test_a_lora_for_a_wider_model(tmp_path: Path, pairs: Pairs, engine: Engine) -> None:
    wide = make_tiny_model(tmp_path / "wide", TinyShape(text_width=48))
    file = write(tmp_path / "x.safetensors", kohya(pairs))
    with pytest.raises(ModelError, match="does not fit this model"):
        paint(engine, wide, use(file))


def test_weights_that_cannot_be() -> None:
    for weight in (float("nan"), float("inf"), 11.0, -11.0):
        with pytest.raises(RequestError, match="weight"):
            LoraUse(file="x", weight=weight)
    for file in ("", " ", "a\0b"):
        with pytest.raises(RequestError, match="no file"):
            LoraUse(file=file)
    with pytest.raises(RequestError, match="named twice"):
        request_for(Path("m"), loras=(LoraUse(file="a"), LoraUse(file="a", weight=0.5)))
    with pytest.raises(RequestError, match="too many"):
        request_for(Path("m"), loras=tuple(LoraUse(file=str(number)) for number in range(17)))
