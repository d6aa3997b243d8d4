"""OpenVINO as somebody would run it: diffusers' networks, converted once and compiled for each size, and a loop."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import torch

NETWORKS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "encode": ("encode",),
    "unet": ("unet",),
    "decode": ("decode",),
    "picture": ("text", "unet", "decode"),
}
"""Networks that a stage needs."""
T = 501


class OpenVino:
    """UNet, VAE and text encoder in float32. ``prepare`` comes before a stage, and counts apart."""

    def __init__(self, model: Path, prompt: str, negative: str) -> None:
        import diffusers
        import openvino
        import transformers

        self._words = negative, prompt
        self._core = openvino.Core()
        self._files = convert(model)
        self._compiled: dict[tuple[str, int, int], Any] = {}
        self._schedule = diffusers.DDIMScheduler.from_pretrained(model / "scheduler")
        self._tokenizer = transformers.CLIPTokenizer.from_pretrained(model / "tokenizer", local_files_only=True)

    def prepare(self, stage: str, width: int, height: int) -> None:
        """Compile what the stage needs at this size, and let the rest go: two sizes at once do not fit in memory
        beside the other engines."""
        wanted = {(name, *_size(name, width, height)) for name in NETWORKS[stage]}
        for key in set(self._compiled) - wanted:
            del self._compiled[key]
        for key in wanted - set(self._compiled):
            self._compiled[key] = self._compile(*key)

    def _compile(self, name: str, width: int, height: int) -> Any:
        network = self._core.read_model(self._files / f"{name}.xml")
        if name != "text":
            shape = {"encode": [1, 3, height, width], "decode": [1, 4, height // 8, width // 8]}
            first = shape.get(name, [2, 4, height // 8, width // 8])
            network.reshape({network.inputs[0]: first})
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        return self._core.compile_model(network, "CPU", settings)

    def text(self) -> torch.Tensor:
        rows = []
        for words in self._words:
            ids = self._tokenizer(words, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
            rows.append(self._call("text", 0, 0, ids.input_ids))
        return torch.cat(rows)

    def unet(self, x: torch.Tensor, texts: torch.Tensor, t: torch.Tensor | None = None) -> torch.Tensor:
        height, width = (8 * side for side in x.shape[2:])
        at = torch.tensor(T) if t is None else t
        without, with_prompt = self._call("unet", width, height, torch.cat([x, x]), at, texts).chunk(2)
        return without + 7.0 * (with_prompt - without)

    def decode(self, x: torch.Tensor) -> torch.Tensor:
        return self._call("decode", 8 * x.shape[3], 8 * x.shape[2], x)

    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        return self._call("encode", picture.shape[3], picture.shape[2], picture)

    def picture(self, width: int, height: int, steps: int) -> Any:
        """Text to image with diffusers' own schedule: H x W x 3 in 0..1."""
        texts = self.text()
        self._schedule.set_timesteps(steps)
        x = torch.randn((1, 4, height // 8, width // 8), generator=torch.Generator().manual_seed(0))
        x = x * self._schedule.init_noise_sigma
        for t in self._schedule.timesteps:
            noise = self.unet(self._schedule.scale_model_input(x, t), texts, t)
            x = self._schedule.step(noise, t, x).prev_sample
        return (self.decode(x)[0].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1).numpy()

    def _call(self, name: str, width: int, height: int, *inputs: torch.Tensor) -> torch.Tensor:
        made = self._compiled[(name, width, height)]([one.numpy() for one in inputs])[0]
        return torch.from_numpy(made)


def _size(name: str, width: int, height: int) -> tuple[int, int]:
    return (0, 0) if name == "text" else (width, height)


@torch.no_grad()
def convert(model: Path) -> Path:
    """The networks in OpenVINO's own files beside the model (4 GB), unless they are there already."""
    folder = model.parent / "openvino"
    if (folder / "done").is_file():
        return folder
    import diffusers
    import transformers

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    text = transformers.CLIPTextModel.from_pretrained(model / "text_encoder", local_files_only=True)
    _save(folder / "text.xml", _Text(text), (torch.ones((1, 77), dtype=torch.long),), [[1, 77]])
    vae = diffusers.AutoencoderKL.from_pretrained(model / "vae", local_files_only=True)
    _save(folder / "decode.xml", _Decoder(vae), (torch.randn(1, 4, 32, 32),), [[1, 4, -1, -1]])
    _save(folder / "encode.xml", _Encoder(vae), (torch.randn(1, 3, 256, 256),), [[1, 3, -1, -1]])
    del text, vae
    unet = diffusers.UNet2DConditionModel.from_pretrained(model / "unet", local_files_only=True)
    example = (torch.randn(2, 4, 32, 32), torch.tensor(T), torch.randn(2, 77, 768))
    _save(folder / "unet.xml", _UNet(unet), example, [[2, 4, -1, -1], [], [2, 77, 768]])
    (folder / "done").touch()
    return folder


def _save(file: Path, network: torch.nn.Module, example: tuple[torch.Tensor, ...], shapes: list[list[int]]) -> None:
    import openvino

    _tell_apart(network)
    shaped = [openvino.PartialShape(shape) for shape in shapes]
    converted = openvino.convert_model(network.eval(), example_input=example, input=shaped)
    openvino.save_model(converted, file, compress_to_fp16=False)


def _tell_apart(network: torch.nn.Module) -> None:
    """Layers of one shape have the same random weights here, and OpenVINO would keep them only once, in the file and in
    memory: no trained model is like that. Their first numbers are moved by one rounding, in a pattern of each own."""
    for number, weight in enumerate(one for one in network.parameters() if one.ndim > 1):
        first = weight.data.view(-1)[:16]
        up = torch.tensor([number >> bit & 1 for bit in range(16)], dtype=torch.bool)
        first.copy_(torch.where(up, torch.nextafter(first, torch.tensor(torch.inf)), first))


class _Network(torch.nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network


class _Text(_Network):
    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.network(ids)[0]


class _UNet(_Network):
    def forward(self, x: torch.Tensor, t: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        return self.network(x, t, encoder_hidden_states=texts, return_dict=False)[0]


class _Decoder(_Network):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network.decode(x / self.network.config.scaling_factor, return_dict=False)[0]


class _Encoder(_Network):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network.encode(x).latent_dist.mean


if __name__ == "__main__":
    convert(Path(sys.argv[1]))
