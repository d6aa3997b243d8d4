"""The engine as its callers see it: exact sizes, kept pixels, previews, cancel, one bundle, sentences for trouble."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.edges import mixing
from app.core.errors import Cancelled, ModelError, RequestError, UserError, is_out_of_memory
from app.core.geometry import Rect, Size
from app.core.job import Mode, Phase
from app.core.request import FrameChoice, ImageToImage, Inpaint
from app.diffusion.engine import Engine
from app.diffusion.placement import Placement, choose_placement
from tests.engine_tools import RecordingHooks, request_for, some_picture
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("engine") / "plain")


@pytest.fixture(scope="module")
def nine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("engine") / "nine", TinyShape(channels_in=9))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(CPU)


def _masked(size: Size) -> tuple[np.ndarray, np.ndarray]:
    picture = some_picture(size)
    mask = np.zeros((size.height, size.width), np.uint8)
    mask[size.height // 4 : size.height // 2, size.width // 4 : size.width // 2] = 255
    return picture, mask


@pytest.mark.parametrize("size", [Size(64, 64), Size(63, 65), Size(1, 1), Size(7, 90), Size(100, 9)])
def test_any_size_comes_out_exactly(engine: Engine, plain: Path, size: Size) -> None:
    hooks = RecordingHooks()
    result = engine.run(request_for(plain, size=size, steps=2), hooks)
    assert result.image.shape == (size.height, size.width, 3)
    assert result.image.dtype == np.uint8
    assert hooks.steps == [(1, 2), (2, 2)]
    assert all(p.box == Rect.whole(size) and p.pixels.shape[2] == 4 for p in hooks.previews)
    assert hooks.phases[-3:] == [Phase.ENCODING, Phase.DENOISING, Phase.DECODING]


@pytest.mark.parametrize("size", [Size(61, 47), Size(130, 90)])
@pytest.mark.parametrize("frame", [FrameChoice.WHOLE, FrameChoice.AUTO, Rect(3, 2, 50, 40)])
@pytest.mark.parametrize("model", ["plain", "nine"])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_inpainting_changes_the_mask_and_nothing_else(
    engine: Engine, model: str, size: Size, frame: Any, strength: float, request: pytest.FixtureRequest
) -> None:
    picture, mask = _masked(size)
    folder: Path = request.getfixturevalue(model)
    task = Inpaint(image=picture, mask=mask, strength=strength)
    result = engine.run(request_for(folder, size=size, steps=3, task=task, frame=frame), RecordingHooks())
    kept = mask == 0
    np.testing.assert_array_equal(result.image[kept], picture[kept])
    inside = (mask == 255) if not isinstance(frame, Rect) else _inside(mask, frame)
    assert result.ring is not None
    deep = mixing(np.where(inside, mask, 0).astype(np.uint8), result.ring, (False,) * 4) > 200
    assert (result.image[deep] != picture[deep]).any(axis=1).mean() > 0.9
    assert result.changed_outside == 0
    assert result.mode is (Mode.INPAINT_BLEND if model == "plain" else Mode.INPAINT_CONCAT)
    differs = (result.image != picture).any(axis=2)
    differs[result.box.slices] = False
    assert not differs.any(), "something changed outside the box that the result names"


def _inside(mask: np.ndarray, frame: Rect) -> np.ndarray:
    inside = np.zeros_like(mask, dtype=bool)
    inside[frame.slices] = mask[frame.slices] == 255
    return inside


def test_image_to_image_keeps_size_and_follows_strength(engine: Engine, plain: Path) -> None:
    size = Size(61, 47)
    picture = some_picture(size)
    result = engine.run(
        request_for(plain, size=size, steps=10, task=ImageToImage(image=picture, strength=0.5)), RecordingHooks()
    )
    assert result.image.shape == picture.shape
    assert result.steps == 5
    assert result.mode is Mode.IMAGE_TO_IMAGE


@pytest.mark.parametrize("inpaint", [False, True])
def test_strength_0_gives_the_source_bit_for_bit(engine: Engine, plain: Path, inpaint: bool) -> None:
    size = Size(40, 24)
    picture, mask = _masked(size)
    task = Inpaint(image=picture, mask=mask, strength=0.0) if inpaint else ImageToImage(image=picture, strength=0.0)
    result = engine.run(request_for(plain, size=size, task=task), RecordingHooks())
    np.testing.assert_array_equal(result.image, picture)
    assert result.steps == 0
    assert any("strength 0" in note for note in result.notes)


def test_a_9_channel_model_paints_from_text_too(engine: Engine, nine: Path) -> None:
    result = engine.run(request_for(nine, steps=2), RecordingHooks())
    assert result.mode is Mode.TEXT_TO_IMAGE
    assert result.image.std() > 0


def test_the_same_request_gives_the_same_picture_and_another_seed_another(engine: Engine, plain: Path) -> None:
    def run(seed: int) -> np.ndarray:
        return engine.run(request_for(plain, seed=seed, steps=3, sampler="euler_a"), RecordingHooks()).image

    first = run(5)
    np.testing.assert_array_equal(first, run(5))
    assert (first != run(6)).any()


@pytest.mark.parametrize("changes", [{"prompt": "night"}, {"negative": "lake"}, {"guidance": 9.0}])
def test_words_and_guidance_matter(engine: Engine, plain: Path, changes: dict[str, Any]) -> None:
    first = engine.run(request_for(plain, steps=3), RecordingHooks()).image
    assert (engine.run(request_for(plain, steps=3, **changes), RecordingHooks()).image != first).any()


def test_the_negative_prompt_does_nothing_at_guidance_1_and_the_unet_sees_one_picture(
    engine: Engine, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = engine.run(request_for(plain, steps=2, guidance=1.0), RecordingHooks())
    unet = engine._bundle.unet  # type: ignore[union-attr]
    batches: list[int] = []
    forward = unet.forward
    monkeypatch.setattr(unet, "forward", lambda x, *a, **k: (batches.append(x.shape[0]), forward(x, *a, **k))[1])
    second = engine.run(request_for(plain, steps=2, guidance=1.0, negative="lake"), RecordingHooks())
    np.testing.assert_array_equal(first.image, second.image)
    assert batches == [1, 1]
    engine.run(request_for(plain, steps=2, guidance=2.0), RecordingHooks())
    assert batches[2:] == [2, 2]


def test_guidance_works_within_its_interval_and_other_steps_cost_one_pass(
    engine: Engine, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(**changes: Any) -> np.ndarray:
        return engine.run(request_for(plain, steps=10, sampler="ddim", **changes), RecordingHooks()).image

    always, never = run(), run(guidance=1.0)
    unet = engine._bundle.unet  # type: ignore[union-attr]
    batches: list[int] = []
    forward = unet.forward
    monkeypatch.setattr(unet, "forward", lambda x, *a, **k: (batches.append(x.shape[0]), forward(x, *a, **k))[1])
    partly = run(guidance_interval=(0.25, 0.75))
    assert batches == [1, 1, 2, 2, 2, 2, 2, 1, 1, 1]  # of the timesteps 901, 801 .. 1, those from 750 to 250
    assert (partly != always).any()
    assert (partly != never).any()
    batches.clear()
    np.testing.assert_array_equal(run(guidance_interval=(0.0, 1.0)), always)
    assert batches == [2] * 10
    np.testing.assert_array_equal(run(guidance_interval=(0.992, 1.0)), run(guidance_interval=(0.995, 1.0)))


@pytest.mark.parametrize("after", [0, 1, 3])
def test_cancel_takes_effect_within_one_step_and_leaves_nothing_behind(engine: Engine, plain: Path, after: int) -> None:
    whole = engine.run(request_for(plain, steps=5), RecordingHooks()).image
    hooks = RecordingHooks(stop_after=after)
    with pytest.raises(Cancelled):
        engine.run(request_for(plain, steps=5), hooks)
    assert len(hooks.steps) == after
    assert Phase.DECODING not in hooks.phases
    np.testing.assert_array_equal(engine.run(request_for(plain, steps=5), RecordingHooks()).image, whole)


def test_the_bundle_is_kept_and_replaced(plain: Path, nine: Path) -> None:
    engine = Engine(CPU)

    def loaded(model: Path) -> bool:
        hooks = RecordingHooks()
        engine.run(request_for(model, steps=1), hooks)
        return Phase.LOADING in hooks.phases

    assert [loaded(plain), loaded(plain), loaded(nine), loaded(nine), loaded(plain)] == [True, False, True, False, True]


def test_a_model_that_changed_on_the_disk_is_loaded_anew(plain: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(plain, tmp_path / "changing"))
    engine = Engine(CPU)
    before = engine.run(request_for(folder, steps=2), RecordingHooks()).image
    shutil.rmtree(folder)
    make_tiny_model(folder, TinyShape(seed=99))
    assert (engine.run(request_for(folder, steps=2), RecordingHooks()).image != before).any()


def test_a_missing_model_is_a_sentence_and_the_engine_goes_on(engine: Engine, plain: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        engine.run(request_for(tmp_path / "gone"), RecordingHooks())
    engine.run(request_for(plain, steps=1), RecordingHooks())


def test_numbers_that_are_none_are_found_and_said(plain: Path) -> None:
    engine = Engine(CPU)
    engine.run(request_for(plain, steps=1), RecordingHooks())
    with torch.no_grad():
        engine._bundle.unet.conv_out.bias.fill_(float("nan"))  # type: ignore[union-attr]
    with pytest.raises(UserError, match="no numbers"):
        engine.run(request_for(plain, steps=1), RecordingHooks())


OOM = (
    "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"
)


@pytest.mark.parametrize("error", [RuntimeError(OOM), torch.OutOfMemoryError("CUDA out of memory."), MemoryError()])
def test_out_of_memory_is_a_sentence_and_the_next_picture_works(
    plain: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(CPU)
    good = engine.run(request_for(plain, steps=2), RecordingHooks()).image

    def fail(*args: object, **options: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(engine._bundle.unet, "forward", fail)  # type: ignore[union-attr]
        with pytest.raises(UserError, match="not enough memory"):
            engine.run(request_for(plain, steps=2), RecordingHooks())
    np.testing.assert_array_equal(engine.run(request_for(plain, steps=2), RecordingHooks()).image, good)


def test_other_errors_are_not_taken_for_memory() -> None:
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert not is_out_of_memory(ValueError("can't allocate memory"))


@pytest.mark.parametrize(
    ("cuda", "mps", "label"), [(True, False, "cuda fp16"), (False, True, "mps fp32"), (False, False, "cpu fp32")]
)
def test_placement(cuda: bool, mps: bool, label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_placement().label == label


def test_half_precision_keeps_latents_and_vae_in_full(plain: Path) -> None:
    """The path that a GPU takes, on the CPU: UNet and text encoder in bfloat16, all else in float32."""
    engine = Engine(Placement(torch.device("cpu"), torch.bfloat16))
    result = engine.run(request_for(plain, steps=2), RecordingHooks())
    bundle = engine._bundle
    assert bundle is not None
    assert (bundle.unet.dtype, bundle.text_encoder.dtype, bundle.vae.dtype) == (
        torch.bfloat16,
        torch.bfloat16,
        torch.float32,
    )
    full = Engine(CPU).run(request_for(plain, steps=2), RecordingHooks()).image
    assert np.abs(result.image.astype(int) - full).mean() < 12


def test_results_cross_a_process_border(engine: Engine, plain: Path) -> None:
    size = Size(40, 32)
    picture, mask = _masked(size)
    hooks = RecordingHooks()
    request = request_for(plain, size=size, steps=1, task=Inpaint(image=picture, mask=mask))
    result = engine.run(pickle.loads(pickle.dumps(request)), hooks)
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.image, result.image)
    assert again.request == request
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(hooks.previews[0])).pixels, hooks.previews[0].pixels)


def test_a_prompt_of_several_windows_is_read_to_its_end(engine: Engine, plain: Path) -> None:
    long = "a red house on the hill " * 8
    first = engine.run(request_for(plain, steps=1, prompt=long), RecordingHooks())
    second = engine.run(request_for(plain, steps=1, prompt=f"{long} night"), RecordingHooks())
    assert first.notes == ()
    assert (first.image != second.image).any()


def test_a_tokenizer_without_a_limit_takes_the_text_encoders(plain: Path, tmp_path: Path) -> None:
    expected = Engine(CPU).run(request_for(plain, steps=1), RecordingHooks()).image
    for limit in (None, 200):
        folder = Path(shutil.copytree(plain, tmp_path / f"limit {limit}"))
        file = folder / "tokenizer" / "tokenizer_config.json"
        config = json.loads(file.read_text())
        config.pop("model_max_length")
        file.write_text(json.dumps(config if limit is None else config | {"model_max_length": limit}))
        result = Engine(CPU).run(request_for(folder, steps=1), RecordingHooks())
        np.testing.assert_array_equal(result.image, expected)


def test_more_steps_than_the_model_has_levels(plain: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(plain, tmp_path / "few levels"))
    file = folder / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"num_train_timesteps": 100}))
    with pytest.raises(RequestError, match="100 noise levels"):
        Engine(CPU).run(request_for(folder, steps=150, sampler="ddim"), RecordingHooks())


def test_a_link_that_leads_nowhere_is_a_sentence(plain: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(plain, tmp_path / "links"))
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    weights.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="unet"):
        Engine(CPU).run(request_for(folder, steps=1), RecordingHooks())
