"""What is aimed at, and why a row of the bench falls short of it: sentences written by people, read by the report."""

from __future__ import annotations

AIMS: dict[tuple[str, str], dict[tuple[int, int], float]] = {
    ("unet", "diffusers"): {(512, 512): 1.4, (256, 256): 1.65},
    ("unet", "openvino"): {(512, 512): 1.1, (256, 256): 1.1},
    ("decode", "diffusers"): {(512, 512): 1.7, (256, 256): 1.7},
    ("picture", "diffusers"): {(512, 512): 1.4},
}
"""Ratios by stage and peer, then size; everywhere else the aim is to win."""

_LOAD = (
    "Limner reads all weights and lays them out once for how they are read; diffusers leaves them in the file, and "
    "orders them at every step."
)
_PASTE = (
    "diffusers pastes with the mask as it is; Limner mixes over a ring inside it, matches colours with what is around, "
    "and counts the pixels outside that differ. It is a fiftieth of a step at 512 px."
)
_UNET = (
    "Winograd saves nothing in linear layers and attention, and little on the smallest pictures: the smaller, the "
    "larger is their part of a step."
)
_DECODE = (
    "Stock convolutions on the large pictures of a VAE run near the machine's own rate: only Winograd's fewer "
    "multiplications win, less the transforms of its tiles."
)
_TEXT = (
    "The text encoder's linear layers are packed, all else in it is as torch computes it. It works once for a prompt, "
    "which is kept."
)
WHY: dict[tuple[str, str], str] = {
    ("load", "diffusers"): _LOAD,
    ("paste", "diffusers"): _PASTE,
    ("text", "openvino"): _TEXT,
    ("unet", "diffusers"): _UNET,
    ("unet", "openvino"): _UNET,
    ("decode", "diffusers"): _DECODE,
    ("encode", "diffusers"): _DECODE,
}
"""By stage and peer."""


def aim(stage: str, width: int, height: int, peer: str) -> float:
    return AIMS.get((stage, peer), {}).get((width, height), 1.0)


def why(stage: str, peer: str) -> str:
    return WHY.get((stage, peer), "No reason is known yet.")
