"""How a run saves memory: what it needs is estimated, what there is is measured, and a ladder leads further down."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psutil
import torch
from accelerate.hooks import ModelHook, add_hook_to_module, remove_hook_from_module

from app.core.geometry import Size
from app.diffusion.bundle import ModelBundle
from app.diffusion.placement import Placement

# Peak memory of one pass, over the size of its widest feature map (area x first width x bytes a number); measured on a
# CPU with Stable Diffusion v1's VAE at 256 and 384 px, and with its UNet at a fifth of its width.
_UNET_PEAK, _DECODE_PEAK, _ENCODE_PEAK = 40, 11, 5
_USABLE = 0.9
"""Of what is free: allocators need some slack."""
TILES = (512, 256)
"""Pixels a side of what a tiled VAE works on at a time: the larger show fewer seams, the smaller need less."""


@dataclass(frozen=True, kw_only=True)
class Thrift:
    """One rung of the ladder. ``at_once``: candidates painted together. ``passes``: the prompt and the negative prompt
    go through the UNet one after the other. ``sliced``: attention by heads, the VAE by tiles. ``in_turns``: only the
    network at work is on the device. ``on_cpu``: all is done on the processor. ``full``: in full precision.

    ``told``: the sentence that says so.
    """

    at_once: int = 1
    passes: bool = False
    sliced: bool = False
    in_turns: bool = False
    on_cpu: bool = False
    full: bool = False
    told: str = ""


def most_at_once(device: str, count: int) -> int:
    """All candidates on a graphics card. On a CPU one after another, so that each is the picture of its seed bit for
    bit and the first is there early; the starter model would be a quarter quicker in larger batches."""
    return 1 if device == "cpu" else count


def ladder(device: str, count: int, guided: bool) -> tuple[Thrift, ...]:
    """The ways to paint, each needing less memory than the one before it and taking longer. ``guided``: with CFG."""
    rungs = [Thrift(at_once=most_at_once(device, count))]
    fewer = "Memory was short: fewer candidates were painted at once."
    while rungs[-1].at_once > 1:
        rungs.append(Thrift(at_once=rungs[-1].at_once // 2, told=fewer))
    if guided:
        rungs.append(Thrift(passes=True, told="Memory was short: prompt and negative prompt were worked on in turns."))
    # attention by heads needs more than what a CPU does by itself, and the VAE's tiles are all that helps there
    rungs.append(Thrift(passes=guided, sliced=True, told="Memory was short: the picture was worked on in parts."))
    if device != "cpu":
        short = replace(rungs[-1], in_turns=True, told="Memory was short: the parts of the model took turns.")
        rungs += [short, Thrift(on_cpu=True, told="Memory was short: it was painted on the processor.")]
    return tuple(rungs)


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What decides the memory of a run, in bytes: of one row through the UNet, of encoding the whole canvas and of
    encoding a tile of it, and of the networks that rest while the UNet works."""

    row: int
    encoding: int
    tile: int
    resting: int

    def of(self, thrift: Thrift, guided: bool) -> int:
        """Bytes that must be free on the device."""
        if thrift.on_cpu:
            return 0
        rows = 1 if thrift.passes else thrift.at_once * (2 if guided else 1)
        needed = max(rows * self.row, self.tile if thrift.sliced else self.encoding)
        return max(0, needed - self.resting) if thrift.in_turns else needed


def needs(bundle: ModelBundle, canvas: Size) -> Needs:
    latents = canvas.area // bundle.factor**2
    width = int(bundle.unet.config.block_out_channels[0])
    encoding = _ENCODE_PEAK * _widest(bundle.vae, canvas.area)
    return Needs(
        row=_UNET_PEAK * latents * width * bundle.unet.dtype.itemsize,
        encoding=encoding,
        tile=min(encoding, _ENCODE_PEAK * _widest(bundle.vae, TILES[-1] ** 2)),
        resting=_bytes(bundle.vae) + _bytes(bundle.text_encoder),
    )


def decoding_needs(vae: Any, canvas: Size) -> int:
    """Bytes for decoding a canvas at once."""
    return _DECODE_PEAK * _widest(vae, canvas.area)


def _widest(vae: Any, area: int) -> int:
    return area * int(vae.config.block_out_channels[0]) * vae.dtype.itemsize


def _bytes(network: Any) -> int:
    return sum(value.numel() * value.element_size() for value in network.parameters())


def fitting(rungs: Sequence[Thrift], needed: Needs, guided: bool, free: int) -> tuple[Thrift, ...]:
    """The rungs from the first that fits into ``free`` bytes; the last one whatever it needs."""
    for number, rung in enumerate(rungs):
        if needed.of(rung, guided) <= free * _USABLE:
            return tuple(rungs[number:])
    return tuple(rungs[-1:])


def free_memory(device: torch.device) -> int:
    """Bytes that can be had on the device now, with what torch holds there in reserve."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    return int(psutil.virtual_memory().available)


# Applying


@contextlib.contextmanager
def applied(bundle: ModelBundle, thrift: Thrift) -> Iterator[ModelBundle]:
    """The bundle as it works with that thrift; its networks are afterwards as they were."""
    with contextlib.ExitStack() as stack:
        if thrift.on_cpu:
            bundle = stack.enter_context(_moved(bundle, Placement(torch.device("cpu"), torch.float32)))
        elif thrift.full:
            bundle = stack.enter_context(_moved(bundle, replace(bundle.placement, dtype=torch.float32)))
        if thrift.in_turns:
            stack.enter_context(_in_turns(bundle))
        if thrift.sliced:
            stack.enter_context(tiled(bundle.vae, TILES[-1], bundle.factor))
            if bundle.placement.device.type != "cpu":
                stack.enter_context(_sliced(bundle.unet))
        if thrift.passes or thrift.in_turns:  # networks that take turns have to hear that they are called
            bundle = replace(bundle, unet=OneByOne(bundle.unet), shares=False)
        yield replace(bundle, records=False) if thrift != Thrift(at_once=thrift.at_once) else bundle


class OneByOne:
    """A UNet that works on one row of its batch at a time: slower, with less memory, and the same up to rounding."""

    def __init__(self, unet: Any) -> None:
        self._unet = unet
        self.config = unet.config
        self.dtype: torch.dtype = unet.dtype

    def __call__(
        self, batch: torch.Tensor, t: torch.Tensor, *, encoder_hidden_states: torch.Tensor, return_dict: bool
    ) -> tuple[torch.Tensor]:
        rows = zip(batch.split(1), encoder_hidden_states.split(1), strict=True)
        done = [self._unet(row, t, encoder_hidden_states=text, return_dict=return_dict)[0] for row, text in rows]
        return (torch.cat(done),)


@contextlib.contextmanager
def tiled(vae: Any, side: int, factor: int) -> Iterator[None]:
    """While open, the VAE works on overlapping tiles of ``side`` pixels; ``factor`` of them are a latent."""
    before = vae.use_tiling, vae.tile_sample_min_size, vae.tile_latent_min_size
    vae.use_tiling, vae.tile_sample_min_size, vae.tile_latent_min_size = True, side, side // factor
    try:
        yield
    finally:
        vae.use_tiling, vae.tile_sample_min_size, vae.tile_latent_min_size = before


@contextlib.contextmanager
def _sliced(unet: Any) -> Iterator[None]:
    processors = dict(unet.attn_processors)
    unet.set_attention_slice("auto")
    try:
        yield
    finally:
        unet.set_attn_processor(processors)


@contextlib.contextmanager
def _moved(bundle: ModelBundle, placement: Placement) -> Iterator[ModelBundle]:
    networks = (bundle.unet, bundle.text_encoder, bundle.vae)
    before = [(network, network.device, network.dtype) for network in networks]
    try:
        for network in networks:
            network.to(placement.device, placement.dtype)
        yield replace(bundle, placement=placement)
    finally:
        for network, device, dtype in before:
            network.to(device, dtype)


class _Turn(ModelHook):
    """Brings its network to the device when it is called, after sending the others away."""

    def __init__(self, device: torch.device, others: Sequence[Any]) -> None:
        self._device, self._others = device, others

    def pre_forward(self, module: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        for other in self._others:
            other.to("cpu")
        module.to(self._device)
        return args, kwargs


@contextlib.contextmanager
def _in_turns(bundle: ModelBundle) -> Iterator[None]:
    networks = (bundle.text_encoder, bundle.unet, bundle.vae)
    device = bundle.placement.device
    try:
        for network in networks:
            add_hook_to_module(network, _Turn(device, [other for other in networks if other is not network]))
            network.to("cpu")
        yield
    finally:
        for network in networks:
            remove_hook_from_module(network)
            network.to(device)


class Descent:
    """Where on the ladder a Request is painted: as high as the free memory allows, and lower each time that it ran out
    all the same."""

    def __init__(self, bundle: ModelBundle, canvas: Size, count: int, guided: bool) -> None:
        device = bundle.placement.device
        rungs = ladder(device.type, count, guided)
        self._rungs = fitting(rungs, needs(bundle, canvas), guided, free_memory(device))
        self._half = bundle.unet.dtype != torch.float32
        self._full = False

    @property
    def rung(self) -> Thrift:
        return replace(self._rungs[0], full=self._full)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should read about the rung."""
        ran_over = "It was painted in full precision: in half of it, the model's values ran over." if self._full else ""
        return tuple(note for note in (self._rungs[0].told, ran_over) if note)

    def down(self) -> bool:
        """To the next rung; False where there is none."""
        if len(self._rungs) == 1:
            return False
        self._rungs = self._rungs[1:]
        return True

    def refine(self) -> bool:
        """To full precision; False where that is in use already."""
        if self._full or not self._half:
            return False
        self._full = True
        return True
