"""Reading weights one at a time: what is read is what is there, no two copies meet, and a file may be cut meanwhile."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from app.core.errors import ModelError
from app.diffusion import folder as folders
from app.diffusion.bundle import load_bundle
from app.diffusion.loading import settled
from app.diffusion.packed import usable
from app.diffusion.placement import Placement
from app.diffusion.quick import load_quickened, quickened
from app.diffusion.reading import Read, Source, leave
from tests.tiny_models import make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)
ROOT = Path(__file__).parents[2]
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("reading") / "tiny")


@pytest.fixture
def model(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "tiny"))


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Any, Path]:
    """A network that is mapped from its file, as the libraries leave one."""
    file = tmp_path / "layers.safetensors"
    torch.manual_seed(0)
    save_file(nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 48)).state_dict(), file)
    with torch.device("meta"):
        network = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 48))
    network.load_state_dict(load_file(file), assign=True)
    return network.requires_grad_(False), file


def test_what_is_read_is_what_was_mapped(layers: tuple[Any, Path]) -> None:
    network, file = layers
    before = {name: value.clone() for name, value in network.state_dict().items()}
    settled("unet", network, [file], leave)
    file.write_bytes(b"gone")  # would end the process, were anything mapped still
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_name_that_the_library_changed_is_taken_from_the_library(layers: tuple[Any, Path], tmp_path: Path) -> None:
    network, file = layers
    save_file({"other." + name: value for name, value in load_file(file).items()}, tmp_path / "renamed.safetensors")
    before = network[1].weight.clone()
    settled("unet", network, [tmp_path / "renamed.safetensors"], leave)
    file.write_bytes(b"gone")
    assert torch.equal(network[1].weight, before)


def test_a_file_that_is_cut_while_it_is_read_is_an_error_and_not_the_end(layers: tuple[Any, Path]) -> None:
    network, file = layers

    def cut(part: str, network: Any, read: Read) -> None:
        with open(file, "r+b") as stream:
            stream.truncate(file.stat().st_size // 2)

    with pytest.raises(Exception, match=r"\w"):
        settled("unet", network, [file], cut)


def test_a_cut_names_the_part(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cutting(files: list[Path]) -> Source:
        for file in files:
            with open(file, "r+b") as stream:
                stream.truncate(file.stat().st_size // 2)
        return Source(files)

    monkeypatch.setattr("app.diffusion.loading.Source", cutting)
    with pytest.raises(ModelError, match=r"unet/diffusion_pytorch_model\.safetensors is cut short"):
        load_bundle(model, CPU)


@pytest.mark.parametrize("load", [load_bundle, load_quickened])
def test_a_number_that_is_none_names_its_weights(model: Path, load: Any) -> None:
    weights = load_file(model / UNET)
    weights["mid_block.resnets.0.conv1.weight"].view(-1)[5] = torch.nan
    save_file(weights, model / UNET)
    with pytest.raises(
        ModelError, match=r"The unet .*mid_block\.resnets\.0\.conv1\.weight hold values that are no numb"
    ):
        load(model, CPU)


def test_packed_while_it_is_read_is_what_packing_a_loaded_one_gives(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.diffusion.quick.TINY", 0)
    monkeypatch.setattr("app.diffusion.quick.SMALL", 0)
    one, other = load_quickened(good, CPU), quickened(load_bundle(good, CPU))
    x, texts = torch.randn(1, 4, 16, 16), torch.randn(1, 24, 32)
    assert one.shares == other.shares
    with torch.inference_mode():
        for bundle in (one, other):
            assert any("Packed" in type(layer).__name__ for layer in bundle.unet.modules()) is usable()
        answers = [b.unet(x, torch.tensor(5), encoder_hidden_states=texts)[0] for b in (one, other)]
        assert torch.equal(*answers)
        assert torch.equal(*(bundle.vae.decode(x)[0] for bundle in (one, other)))
        assert torch.equal(*(bundle.text_encoder(torch.tensor([[1, 5]]))[0] for bundle in (one, other)))


def test_where_two_files_could_be_meant_neither_is_read_by_name(model: Path, good: Path) -> None:
    part = model / "vae"
    load_bundle(good, CPU).vae.save_pretrained(part, max_shard_size="40KB")
    shutil.copy(good / "vae" / "diffusion_pytorch_model.safetensors", part)
    assert folders._files(part, "diffusion_pytorch_model") == []
    whole, part_by_part = (load_bundle(folder, CPU).vae.state_dict() for folder in (good, model))
    assert whole.keys() == part_by_part.keys()
    assert all(torch.equal(part_by_part[name], value) for name, value in whole.items())


_PEAK = """
import sys
from pathlib import Path
import torch
from safetensors import safe_open
from app.diffusion.loading import settled
from app.diffusion.placement import Placement
from app.diffusion.quick import quicken_network

def peak():
    # not getrusage: its peak is that of the parent until this process has more
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

def made():
    conv = [torch.nn.Conv2d(512, 512, 3, bias=False) for _ in range(COUNT // 2)]
    return torch.nn.Sequential(*conv, *(torch.nn.Linear(1024, 2304, bias=False) for _ in range(COUNT // 2)))

COUNT, file = 14, Path(sys.argv[1])
with torch.device("meta"):
    network = made()
with safe_open(file, framework="pt") as opened:
    network.load_state_dict({name: opened.get_tensor(name) for name in opened.keys()}, assign=True)
network.requires_grad_(False)
place = Placement(torch.device("cpu"), torch.float32)
quicken_network(torch.nn.Sequential(*(torch.nn.Linear(1536, 1536) for _ in range(2))).requires_grad_(False), place, 0.0)
before = peak()
settled("unet", network, [file], lambda part, network, read: quicken_network(network, place, 0.0, read=read))
print("packed", sum("Packed" in type(layer).__name__ for layer in network), peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux" or not usable(), reason="reads the peak as Linux counts it")
def test_the_plain_and_the_packed_weights_never_meet(tmp_path: Path) -> None:
    """The peak of what loading 126 MB adds, pages of the file among them, in a process of its own."""
    file = tmp_path / "layers.safetensors"
    torch.manual_seed(0)
    weights = {f"{n}.weight": torch.randn(512, 512, 3, 3) for n in range(7)}
    save_file(weights | {f"{n}.weight": torch.randn(2304, 1024) for n in range(7, 14)}, file)
    told = subprocess.run(
        [sys.executable, "-c", _PEAK, str(file)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    word, packed, peak = told.stdout.split()[-3:]
    assert (word, packed) == ("packed", "14")
    assert float(peak) < 1.4 * 126
