"""Pickled weights are converted once, in a child process with limits, and found again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from app.cli import main
from app.cli.unpickle import INTRUSION as CHILDS_INTRUSION
from app.core.errors import Cancelled, ModelError
from app.core.settings import Folders
from app.diffusion.bundle import load_bundle
from app.diffusion.placement import Placement
from app.library import importing, models
from app.library.importing import INTRUSION, converted, import_weights, needs_converting, prepared
from app.library.models import find_models, read_model, survey
from tests.fakes import FakeBackend
from tests.pickled import Calls, lightning, write_zip
from tests.single_files import copy_configs, original_weights
from tests.tiny_models import make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture
def places(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.setattr(models, "resources", lambda: tmp_path / "none")
    folders = Folders(data_dir)
    folders.make()
    return folders


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


def no_child(*_: object) -> None:
    raise AssertionError("a child was started")


def litter(places: Folders) -> list[str]:
    return [str(path) for path in places.imported.rglob("*")]


def test_a_lightning_checkpoint_becomes_a_model_once(
    folder: Path, places: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_configs(folder, places.models / "mine")
    source = write_zip(places.models / "mine" / "sd-v1 猫.ckpt", lightning(original_weights(folder)))
    source.with_suffix(".yaml").write_text("parameterization: v\n")
    assert needs_converting(source, places)
    found, problems = survey(places)
    assert not found
    assert "is a pickle file, which can run programs" in problems[0].error.message
    made = prepared(source, places)
    monkeypatch.setattr(importing, "run_child", no_child)
    assert prepared(source, places) == made == prepared(made, places)
    assert made.name == "sd-v1 猫.safetensors"
    assert [model.name for model in find_models(places)] == ["sd-v1 猫"]
    assert source not in [problem.path for problem in survey(places)[1]]  # its conversion stands for it
    bundle, plain = load_bundle(made, CPU), load_bundle(folder, CPU)
    assert bundle.scheduler_config["prediction_type"] == "v_prediction"
    for name, value in plain.unet.state_dict().items():
        torch.testing.assert_close(bundle.unet.state_dict()[name], value, rtol=0, atol=0)
    os.utime(source, (1, 1))
    with pytest.raises(AssertionError, match="a child was started"):
        prepared(source, places)  # another file now


def test_a_malicious_file_runs_nothing_and_leaves_nothing(places: Folders, tmp_path: Path) -> None:
    sentinel = tmp_path / "sentinel"
    evil = write_zip(tmp_path / "m.ckpt", {"a": torch.ones(2), "x": Calls(os.system, f"touch '{sentinel}'")})
    with pytest.raises(ModelError, match=r"wants to run (posix|nt)\.system"):
        import_weights(evil, places)
    assert not sentinel.exists()
    assert litter(places) == []


def test_a_tensor_that_would_fill_the_memory_is_stopped(places: Folders, tmp_path: Path) -> None:
    trap = write_zip(tmp_path / "m.ckpt", {"a": torch.zeros(1).expand(10**12)})
    with pytest.raises(ModelError, match="needs more memory than a file of its size should"):
        import_weights(trap, places)
    assert litter(places) == []


def test_cancelling_ends_the_child(places: Folders, tmp_path: Path) -> None:
    source = write_zip(tmp_path / "m.ckpt", {"a": torch.ones(2)})
    began = time.monotonic()
    with pytest.raises(Cancelled):
        import_weights(source, places, lambda: time.monotonic() > began + 0.2)
    assert litter(places) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by its limits"),
        ("print('no json')", "was ended by its limits"),
        (f"import sys; sys.exit({INTRUSION})", "tried to run something and was stopped"),
        ("""print('{"message": "It is odd.", "remedy": "Take another."}')""", "It is odd. Take another."),
    ],
)
def test_whatever_the_child_does_is_a_sentence(
    code: str, words: str, places: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "own_command", lambda: [sys.executable, "-c", code])
    source = write_zip(tmp_path / "m.ckpt", {"a": torch.ones(2)})
    with pytest.raises(ModelError, match=words):
        import_weights(source, places)
    assert litter(places) == []


@pytest.mark.parametrize(
    "attempt",
    [
        "os.system('touch sentinel')",
        "subprocess.run(['touch', 'sentinel'])",
        "socket.create_connection(('127.0.0.1', 9))",
        "pickle.loads(b'cos\\nsystem\\n(S\"touch sentinel\"\\ntR.')",
        "os.execv('/usr/bin/touch', ['touch', 'sentinel'])",
    ],
)
def test_the_child_ends_before_an_intruder_acts(attempt: str, tmp_path: Path) -> None:
    code = f"import os, pickle, socket, subprocess, sys, app.cli.unpickle as own; \
        sys.addaudithook(own._stop_intruders); {attempt}; print('went on')"
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (INTRUSION, b"")
    assert os.listdir(tmp_path) == []
    assert CHILDS_INTRUSION == INTRUSION


def test_a_pickled_model_that_is_named_on_the_command_line_paints(
    folder: Path,
    places: Folders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fake_backend: FakeBackend,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(importing, "run_child", as_child)
    copy_configs(folder, tmp_path)
    source = write_zip(tmp_path / "old.ckpt", original_weights(folder))
    words = ["--data-dir", str(places.data), "render", "x", "--model", str(source), "-o", str(tmp_path / "x.png")]
    assert main(words, make_backend=lambda: fake_backend) == 0
    assert Path(fake_backend.requests[0].model) == converted(source, places)
    assert "Converting old.ckpt to safetensors; this is done once." in capsys.readouterr().err
    assert main(words, make_backend=lambda: fake_backend) == 0
    assert "Converting" not in capsys.readouterr().err


# Folders with pickled parts


def as_child(source: Path, target: Path, _: object = None) -> None:
    """What the child does, in this process."""
    from app.diffusion.pickles import convert

    convert(source, target)


def pickle_part(folder: Path, part: str, stem: str, pickled: str) -> None:
    weights = folder / part / f"{stem}.safetensors"
    write_zip(folder / part / f"{pickled}.bin", load_file(weights))
    weights.unlink()


def pickle_everything(folder: Path) -> None:
    pickle_part(folder, "unet", "diffusion_pytorch_model", "diffusion_pytorch_model")
    pickle_part(folder, "vae", "diffusion_pytorch_model", "diffusion_pytorch_model.fp16")
    pickle_part(folder, "text_encoder", "model", "pytorch_model")


def pickle_shards(folder: Path) -> None:
    unet = folder / "unet"
    weights = load_file(unet / "diffusion_pytorch_model.safetensors")
    names = sorted(weights)
    halves = {"00001-of-00002": names[: len(names) // 2], "00002-of-00002": names[len(names) // 2 :]}
    weight_map = {}
    for number, part in halves.items():
        file = f"diffusion_pytorch_model-{number}.bin"
        write_zip(unet / file, {name: weights[name] for name in part})
        weight_map |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    (unet / "diffusion_pytorch_model.bin.index.json").write_text(json.dumps(index))
    (unet / "diffusion_pytorch_model.safetensors").unlink()


@pytest.mark.parametrize("damage", [pickle_everything, pickle_shards])
def test_pickled_parts_of_a_folder_are_converted_beside_themselves(
    folder: Path,
    places: Folders,
    tmp_path: Path,
    damage: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importing, "run_child", as_child)
    model = Path(shutil.copytree(folder, tmp_path / "model"))
    damage(model)
    with pytest.raises(ModelError, match="are a pickle file"):
        read_model(model)
    assert needs_converting(model, places)
    assert prepared(model, places) == model
    assert not needs_converting(model, places)
    assert read_model(model).channels == 4
    bundle, plain = load_bundle(model, CPU), load_bundle(folder, CPU)
    for part in ("unet", "vae", "text_encoder"):
        for name, value in getattr(plain, part).state_dict().items():
            np.testing.assert_array_equal(getattr(bundle, part).state_dict()[name].numpy(), value.numpy())


def test_a_conversion_that_was_cut_short_is_done_again(
    folder: Path, places: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(shutil.copytree(folder, tmp_path / "model"))
    pickle_shards(model)
    calls: list[Path] = []

    def dies_at_the_second(source: Path, target: Path, _: object = None) -> None:
        calls.append(source)
        if len(calls) == 2:
            raise Cancelled
        as_child(source, target)

    monkeypatch.setattr(importing, "run_child", dies_at_the_second)
    with pytest.raises(Cancelled):
        prepared(model, places)
    assert needs_converting(model, places)
    prepared(model, places)
    load_bundle(model, CPU)
