"""Pickled weights: genuine ones are read, and nothing that a file wants to run is ever run."""

from __future__ import annotations

import importlib
import operator
import os
import pickle
import runpy
import shutil
import subprocess
import timeit
import webbrowser
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from app.core.errors import ModelError
from app.diffusion.pickles import convert, read_pickle
from tests.pickled import Calls, lightning, write_old, write_raw, write_zip

WEIGHTS = {"a.weight": torch.arange(12.0).reshape(3, 4), "b": torch.tensor([1, 2], dtype=torch.int64)}


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in WEIGHTS.items()}


def assert_same(found: dict[str, torch.Tensor]) -> None:
    assert found.keys() == WEIGHTS.keys()
    for name, value in WEIGHTS.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0)


# Genuine files


@pytest.mark.parametrize("write", [write_zip, write_old])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda weights: weights,
        lambda weights: {"state_dict": weights},
        lambda weights: {"state_dict": weights, "global_step": 3},
        lambda weights: {"model": weights, "epoch": 3},
        lambda weights: {"state_dict": defaultdict(int, weights)},
        lambda weights: {name: torch.nn.Parameter(value, requires_grad=False) for name, value in weights.items()},
        lambda weights: {"state_dict": weights | {"model_ema.x": torch.zeros(2)}},
        lightning,
    ],
)
def test_genuine_checkpoints_are_read(
    tmp_path: Path, weights: dict[str, torch.Tensor], write: Callable[..., Path], wrap: Callable[..., Any]
) -> None:
    assert_same(read_pickle(write(tmp_path / "m.ckpt", wrap(weights))))


def test_views_and_tied_weights_become_tensors_of_their_own(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    content = {"whole": whole, "same": whole, "row": whole[1], "turned": whole.T}
    convert(write_zip(tmp_path / "m.ckpt", content), tmp_path / "m.safetensors")
    found = load_file(tmp_path / "m.safetensors")
    for name, value in content.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["plain", "parameter", "dictionary"])
def test_an_embedding_of_the_first_trainers(tmp_path: Path, kind: str) -> None:
    vectors = torch.randn(3, 32, generator=torch.Generator().manual_seed(1))
    parameters: Any = {"*": torch.nn.Parameter(vectors) if kind == "parameter" else vectors}
    if kind == "dictionary":
        parameters = torch.nn.ParameterDict({"star": torch.nn.Parameter(vectors)})
    content = {"string_to_token": {"*": 265}, "string_to_param": parameters, "name": "cat", "step": 500}
    found = read_pickle(write_zip(tmp_path / "cat.pt", content))
    torch.testing.assert_close(found["emb_params"], vectors)


def test_what_is_converted_can_be_read_by_all_and_leaves_no_litter(
    tmp_path: Path, weights: dict[str, torch.Tensor]
) -> None:
    mask = os.umask(0o022)
    try:
        convert(write_zip(tmp_path / "m.ckpt", weights), tmp_path / "m.safetensors")
    finally:
        os.umask(mask)
    assert (tmp_path / "m.safetensors").stat().st_mode & 0o777 == 0o644
    assert sorted(os.listdir(tmp_path)) == ["m.ckpt", "m.safetensors"]


# Files that want to run something


def touch(sentinel: Path) -> str:
    return f"open({str(sentinel)!r}, 'w')"


GADGETS: dict[str, Callable[[Path], Calls]] = {
    "posix.system": lambda sentinel: Calls(os.system, f"touch '{sentinel}'"),
    "subprocess.Popen": lambda sentinel: Calls(subprocess.Popen, ["touch", str(sentinel)]),
    "subprocess.check_output": lambda sentinel: Calls(subprocess.check_output, ["touch", str(sentinel)]),
    "builtins.eval": lambda sentinel: Calls(eval, touch(sentinel)),
    "builtins.exec": lambda sentinel: Calls(exec, touch(sentinel)),
    "builtins.compile": lambda sentinel: Calls(compile, touch(sentinel), "x", "exec"),
    "io.open": lambda sentinel: Calls(open, str(sentinel), "w"),
    "builtins.getattr": lambda sentinel: Calls(getattr, Calls(importlib.import_module, "os"), "system"),
    "importlib.import_module": lambda sentinel: Calls(importlib.import_module, "antigravity"),
    "runpy._run_code": lambda sentinel: Calls(runpy._run_code, touch(sentinel), {}),
    "runpy.run_path": lambda sentinel: Calls(runpy.run_path, str(sentinel.with_suffix(".py"))),
    "timeit.timeit": lambda sentinel: Calls(timeit.timeit, touch(sentinel)),
    "shutil.copyfile": lambda sentinel: Calls(shutil.copyfile, __file__, str(sentinel)),
    "os.putenv": lambda sentinel: Calls(os.putenv, "X", "Y"),
    "webbrowser.open": lambda sentinel: Calls(webbrowser.open, f"file://{sentinel}"),
    "pickle.loads": lambda sentinel: Calls(pickle.loads, pickle.dumps(Calls(eval, touch(sentinel)))),
    "operator.methodcaller": lambda sentinel: Calls(operator.methodcaller, "touch"),
    "torch.load": lambda sentinel: Calls(torch.load, str(sentinel)),
    "torch.hub.load": lambda sentinel: Calls(torch.hub.load, str(sentinel), "x"),
    "pathlib.Path.touch": lambda sentinel: Calls(Path.touch, sentinel),
}
FORMS = {
    **{f"zip, protocol {number}": (write_zip, number, "m.ckpt") for number in (2, 3, 4, 5)},
    **{f"old, protocol {number}": (write_old, number, "m.pt") for number in (2, 4)},
    **{f"raw, protocol {number}": (write_raw, number, "m.bin") for number in (0, 1, 2, 3, 4, 5)},
    "renamed": (write_zip, 2, "m.safetensors"),
}


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("gadget", GADGETS)
def test_nothing_is_run_and_what_it_wanted_is_named(
    tmp_path: Path, weights: dict[str, torch.Tensor], gadget: str, form: str
) -> None:
    write, protocol, name = FORMS[form]
    sentinel = tmp_path / "sentinel"
    sentinel.with_suffix(".py").write_text(touch(sentinel))
    file = write(tmp_path / name, {"state_dict": weights, "extra": GADGETS[gadget](sentinel)}, protocol)
    with pytest.raises(ModelError) as caught:
        read_pickle(file)
    assert not sentinel.exists()
    called = gadget.rsplit(".", 1)[1]
    assert "wants to run" in caught.value.message
    assert called in caught.value.message or "getattr" in caught.value.message  # a method is fetched from its class
    assert "Do not use it" in caught.value.remedy


def test_a_call_behind_a_harmless_name(tmp_path: Path) -> None:
    """An object that does nothing stands for the name, so that calling it does nothing either."""
    import tests.pickled as pickled

    sentinel = tmp_path / "sentinel"
    function = pickled._class("pytorch_lightning.utilities.cli", "run")
    file = write_zip(tmp_path / "m.ckpt", {"a": torch.ones(2), "x": Calls(function, f"touch {sentinel}")})
    assert list(read_pickle(file)) == ["a"]
    assert not sentinel.exists()


# Files that are none


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:90])


def bomb(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", pickle.dumps({}))
        archive.writestr("m/data/0", bytes(50_000_000))


def other_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "hello")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "is damaged, or is no file of weights"),
        (cut_short, "is damaged, or is no file of weights"),
        (lambda file: file.write_bytes(b"\x80\x02" + os.urandom(0) + b"\xff" * 50), "is damaged"),
        (lambda file: file.write_bytes(b"nothing of the kind"), "is damaged"),
        (other_zip, "is damaged"),
        (bomb, "would fill the memory"),
        (lambda file: write_zip(file, [1, 2, 3]), "holds no weights"),
        (lambda file: write_zip(file, {"epoch": 3}), "holds no weights"),
        (lambda file: write_zip(file, {"string_to_param": {}}), "an embedding of 0 words"),
    ],
)
def test_each_damage_has_its_sentence(
    tmp_path: Path, weights: dict[str, torch.Tensor], damage: Callable[[Path], object], words: str
) -> None:
    file = write_zip(tmp_path / "m.ckpt", weights)
    damage(file)
    with pytest.raises(ModelError) as caught:
        read_pickle(file)
    assert words in caught.value.message
    assert caught.value.remedy
