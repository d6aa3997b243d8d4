"""Models in one file: they paint what the folder paints, and what is wrong with one is said before it is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.core.checkpoints import read_checkpoint
from app.core.errors import ModelError
from app.core.geometry import Size
from app.core.layout import text_layout, unet_layout, vae_layout
from app.core.request import Inpaint
from app.diffusion.bundle import load_bundle
from app.diffusion.engine import Engine
from app.diffusion.placement import Placement
from app.library.tokens import load_token_counter
from tests.engine_tools import RecordingHooks, aligned_mask, request_for, some_picture
from tests.single_files import Weights, copy_configs, original_weights, write_single
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)
SHAPES = {4: TinyShape(), 9: TinyShape(channels_in=9)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    root = tmp_path_factory.mktemp("folders")
    return {channels: make_tiny_model(root / str(channels), shape) for channels, shape in SHAPES.items()}


def painted(model: Path, channels: int) -> np.ndarray:
    size = Size(64, 48)
    task = {"task": Inpaint(image=some_picture(size), mask=aligned_mask(size))} if channels == 9 else {}
    return Engine(CPU).run(request_for(model, steps=3, **task), RecordingHooks()).image


@pytest.mark.parametrize("channels", [4, 9])
@pytest.mark.parametrize("ema", [False, True])
def test_a_single_file_paints_what_its_folder_paints(
    folders: dict[int, Path], channels: int, ema: bool, tmp_path: Path
) -> None:
    file = write_single(folders[channels], tmp_path / "Ünder 猫.safetensors", ema=ema)
    np.testing.assert_array_equal(painted(file, channels), painted(folders[channels], channels))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_less_precision_is_the_same_but_for_rounding(
    folders: dict[int, Path], dtype: torch.dtype, tmp_path: Path
) -> None:
    file = write_single(folders[4], tmp_path / "less.safetensors", dtype=dtype)
    bundle, whole = load_bundle(file, CPU), load_bundle(folders[4], CPU)
    assert bundle.unet.dtype == torch.float32
    for name, value in bundle.unet.state_dict().items():
        torch.testing.assert_close(value, whole.unet.state_dict()[name].to(dtype).float(), rtol=0, atol=0)


def test_what_a_bundle_knows_of_a_single_file(folders: dict[int, Path], tmp_path: Path) -> None:
    file = write_single(folders[9], tmp_path / "mine.safetensors")
    file.with_suffix(".json").write_text(json.dumps({"native_size": 96}))
    bundle = load_bundle(file, CPU)
    assert (bundle.name, bundle.concat, bundle.native_size, bundle.window) == ("mine", True, 96, 24)


def test_the_layout_is_what_the_networks_have(folders: dict[int, Path]) -> None:
    model = folders[4]
    configs = [json.loads((model / part / "config.json").read_text()) for part in ("unet", "vae", "text_encoder")]
    layout = unet_layout(configs[0]) | vae_layout(configs[1]) | text_layout(configs[2])
    there = {name: tuple(value.shape) for name, value in original_weights(model).items()}
    extra = {"alphas_cumprod", "cond_stage_model.transformer.text_model.embeddings.position_ids"}
    assert layout == {name: shape for name, shape in there.items() if name not in extra}


def test_a_word_that_merging_programs_leave_out(folders: dict[int, Path], tmp_path: Path) -> None:
    weights = {
        name.replace("cond_stage_model.transformer.text_model.", "cond_stage_model.transformer."): value
        for name, value in original_weights(folders[4]).items()
    }
    save_file(weights, tmp_path / "merged.safetensors")
    copy_configs(folders[4], tmp_path)
    load_bundle(tmp_path / "merged.safetensors", CPU)


# The schedule that the file, or what lies beside it, asks for


def marked(weights: Weights) -> None:
    weights["v_pred"] = torch.zeros(0)
    weights["ztsnr"] = torch.zeros(0)


@pytest.mark.parametrize(
    ("mark", "yaml", "notes", "predicts", "zero_snr"),
    [
        (None, None, None, "epsilon", None),
        (marked, None, None, "v_prediction", True),
        (None, 'model:\n  params:\n    parameterization: "v"\n', None, "v_prediction", None),
        (None, "    parameterization: v\n    zero_terminal_snr: true\n", None, "v_prediction", True),
        (None, "    parameterization: eps\n", None, "epsilon", None),
        (None, None, {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}, "v_prediction", True),
        (marked, None, {"prediction_type": "epsilon", "rescale_betas_zero_snr": False}, "epsilon", False),
        (None, "\x00\xff: [", {"prediction_type": None}, "epsilon", None),
    ],
)
def test_v_prediction_and_zero_snr_are_heeded(
    folders: dict[int, Path],
    tmp_path: Path,
    mark: Callable[[Weights], None] | None,
    yaml: str | None,
    notes: dict[str, object] | None,
    predicts: str,
    zero_snr: bool | None,
) -> None:
    weights = original_weights(folders[4])
    if mark is not None:
        mark(weights)
    file = tmp_path / "m.safetensors"
    save_file(weights, file)
    copy_configs(folders[4], tmp_path)
    if yaml is not None:
        file.with_suffix(".yaml").write_text(yaml)
    if notes is not None:
        file.with_suffix(".json").write_text(json.dumps(notes))
    config = load_bundle(file, CPU).scheduler_config
    assert config.get("prediction_type") == predicts
    assert config.get("rescale_betas_zero_snr") == zero_snr
    assert (config.get("timestep_spacing") == "trailing") is bool(zero_snr)


def test_nonsense_beside_a_file_is_a_sentence(folders: dict[int, Path], tmp_path: Path) -> None:
    file = write_single(folders[4], tmp_path / "m.safetensors")
    file.with_suffix(".json").write_text(json.dumps({"prediction_type": "odd"}))
    with pytest.raises(ModelError, match="predicts “odd”"):
        load_bundle(file, CPU)


# What is wrong


def lose(*names: str) -> Callable[[Weights], None]:
    def alter(weights: Weights) -> None:
        for name in names:
            del weights[name]

    return alter


def lose_part(beginning: str) -> Callable[[Weights], None]:
    return lambda weights: [weights.pop(name) for name in list(weights) if name.startswith(beginning)] and None


def put(name: str, value: float) -> Callable[[Weights], None]:
    return lambda weights: weights[name].view(-1).__setitem__(3, value)


MIDDLE = "model.diffusion_model.middle_block.0.in_layers.2.weight"
WRONG = [
    (lose(MIDDLE), f"is incomplete: it lacks {MIDDLE}."),
    (lose(MIDDLE, "first_stage_model.decoder.conv_out.bias"), f"it lacks {MIDDLE} and 1 more."),
    (lose_part("first_stage_model."), "is only a part of a model: it lacks the VAE."),
    (lose_part("cond_stage_model."), "it lacks the text encoder."),
    (put(MIDDLE, float("nan")), f"the weights {MIDDLE} hold values that are no numbers"),
    (put("first_stage_model.quant_conv.weight", float("inf")), "The vae of the model “m” cannot be read"),
    (put("cond_stage_model.transformer.text_model.final_layer_norm.weight", float("-inf")), "The text encoder"),
]


@pytest.mark.parametrize(("alter", "words"), WRONG, ids=[words for _, words in WRONG])
def test_each_fault_has_its_sentence(
    folders: dict[int, Path], tmp_path: Path, alter: Callable[[Weights], None], words: str
) -> None:
    weights = original_weights(folders[4])
    alter(weights)
    save_file(weights, tmp_path / "m.safetensors")
    copy_configs(folders[4], tmp_path)
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path / "m.safetensors", CPU)
    assert words in caught.value.message
    assert caught.value.remedy.endswith(".")


def test_configs_of_another_model_beside_a_file_are_not_taken(folders: dict[int, Path], tmp_path: Path) -> None:
    """The 9-channel configs do not fit: Limner falls back on its own, which say that the file is no v1 at all."""
    file = write_single(folders[4], tmp_path / "m.safetensors")
    copy_configs(folders[9], tmp_path)
    with pytest.raises(ModelError, match="is built otherwise than Stable Diffusion v1"):
        read_checkpoint(file)


def test_without_a_vocabulary_the_person_is_told_where_it_belongs(
    folders: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_single(folders[4], tmp_path / "m.safetensors")
    (tmp_path / "tokenizer" / "vocab.json").unlink()
    monkeypatch.setattr("app.core.checkpoints.usual_tokenizer", lambda: tmp_path / "nowhere")
    with pytest.raises(ModelError, match="vocabulary") as caught:
        load_bundle(file, CPU)
    assert "nowhere" in caught.value.remedy
    assert "make vocabulary" in caught.value.remedy


def test_a_vocabulary_of_another_model_is_refused(folders: dict[int, Path], tmp_path: Path) -> None:
    file = write_single(folders[4], tmp_path / "m.safetensors")
    vocabulary = tmp_path / "tokenizer" / "vocab.json"
    many = json.loads(vocabulary.read_text()) | {f"word{number}": 514 + number for number in range(1000)}
    vocabulary.write_text(json.dumps(many))
    with pytest.raises(ModelError, match="its text encoder knows 600"):
        load_bundle(file, CPU)


# A model that is loaded does not depend on its file


AFTERWARDS = """
import sys
from pathlib import Path
import torch
from app.diffusion.bundle import load_bundle
from app.diffusion.placement import Placement
from app.library.tokens import load_token_counter

model = Path(sys.argv[1])
bundle = load_bundle(model, Placement(torch.device("cpu"), torch.float32))
files = [model] if model.is_file() else sorted(model.rglob("*.safetensors"))
for file in files:
    file.write_bytes(b"")
print(sum(float(value.double().sum()) for part in (bundle.unet, bundle.vae, bundle.text_encoder)
          for value in part.parameters()))
"""


@pytest.mark.parametrize("single", [False, True])
def test_a_file_may_be_emptied_once_it_is_loaded(tmp_path: Path, single: bool) -> None:
    """Mapped weights would end the process with SIGBUS."""
    model = make_tiny_model(tmp_path / "model", TinyShape(text_width=64))
    if single:
        model = write_single(model, tmp_path / "single" / "m.safetensors")
    done = subprocess.run([sys.executable, "-c", AFTERWARDS, str(model)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert np.isfinite(float(done.stdout))


# The configs that Limner brings


def test_the_bundled_configs_are_stable_diffusion_v1() -> None:
    """The networks they describe have v1's known sizes, and the layout holds every one of their weights."""
    import diffusers
    import transformers

    from app.core.checkpoints import usual_config
    from tests.single_files import CONFIGS

    for channels in (4, 9):
        config = usual_config(channels)
        assert all((config / name).is_file() for name in CONFIGS)
        told = {
            part: json.loads((config / part / "config.json").read_text()) for part in ("unet", "vae", "text_encoder")
        }
        with torch.device("meta"):
            networks = {
                "unet": diffusers.UNet2DConditionModel.from_config(told["unet"]),
                "vae": diffusers.AutoencoderKL.from_config(told["vae"]),
                "text_encoder": transformers.CLIPTextModel(transformers.CLIPTextConfig(**told["text_encoder"])),
            }
        layouts = {
            "unet": unet_layout(told["unet"]),
            "vae": vae_layout(told["vae"]),
            "text_encoder": text_layout(told["text_encoder"]),
        }
        counts = {"unet": 859_520_964 + (channels - 4) * 320 * 9, "vae": 83_653_863, "text_encoder": 123_060_480}
        for part, network in networks.items():
            shapes = sorted(tuple(side for side in value.shape if side > 1) for value in network.parameters())
            assert sum(value.numel() for value in network.parameters()) == counts[part]
            assert sorted(tuple(side for side in shape if side > 1) for shape in layouts[part].values()) == shapes


def test_a_full_size_file_is_read_by_its_header_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sparse on the disk: 4 GB that were never written, told apart in milliseconds."""
    from app.core.checkpoints import usual_config

    parts = {part: json.loads((usual_config(9) / part / "config.json").read_text()) for part in ("unet", "vae")}
    text = json.loads((usual_config(9) / "text_encoder" / "config.json").read_text())
    layout = unet_layout(parts["unet"]) | vae_layout(parts["vae"]) | text_layout(text)
    header, at = {}, 0
    for name, shape in layout.items():
        end = at + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, end]}
        at = end
    content = json.dumps(header).encode()
    file = tmp_path / "sd-v1-5-inpainting.safetensors"
    with open(file, "wb") as stream:
        stream.write(len(content).to_bytes(8, "little") + content)
        stream.truncate(8 + len(content) + at)
    vocabulary = make_tiny_model(tmp_path / "tiny") / "tokenizer"
    monkeypatch.setattr("app.core.checkpoints.usual_tokenizer", lambda: vocabulary)
    checkpoint = read_checkpoint(file)
    assert (checkpoint.channels, checkpoint.native_size, checkpoint.config) == (9, 512, usual_config(9))


def test_an_unfinished_write_is_no_model(folders: dict[int, Path], tmp_path: Path) -> None:
    file = write_single(folders[4], tmp_path / "m.safetensors")
    assert len(load_file(file)) > 100
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="cut short"):
        load_bundle(file, CPU)


def test_a_file_that_was_replaced_is_loaded_again(folders: dict[int, Path], tmp_path: Path) -> None:
    file = write_single(folders[4], tmp_path / "m.safetensors")
    engine = Engine(CPU)
    first = engine.run(request_for(file, steps=2), RecordingHooks()).image
    weights = original_weights(folders[4])
    weights["first_stage_model.decoder.conv_out.bias"] += 0.5
    save_file(weights, file)
    assert not np.array_equal(first, engine.run(request_for(file, steps=2), RecordingHooks()).image)


def test_the_prompt_field_counts_as_the_single_file_reads(folders: dict[int, Path], tmp_path: Path) -> None:
    counter = load_token_counter(write_single(folders[4], tmp_path / "m.safetensors"))
    assert counter.room == 22
    assert counter.plan("a red house").words(0) == load_token_counter(folders[4]).plan("a red house").words(0)
