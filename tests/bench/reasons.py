"""What is aimed at, and why a row of the bench falls short of it: sentences written by people, read by the report."""

from __future__ import annotations

AIMS: dict[tuple[str, str], dict[tuple[int, int], float]] = {
    (
        "paste",
        "diffusers",
    ): "diffusers pastes with the mask as it is; Limner mixes over a ring inside it, matches colours with "
    "what is around, and counts the pixels outside that differ. Next to a painting it takes no time.",
    ("unet", "diffusers"): {(512, 512): 1.4, (256, 256): 1.65},
    ("unet", "openvino"): {(512, 512): 1.1, (256, 256): 1.1},
    ("decode", "diffusers"): {(512, 512): 1.7, (256, 256): 1.7},
    ("picture", "diffusers"): {(512, 512): 1.4},
}
"""Ratios by stage and peer, then size; everywhere else the aim is to win."""

WHY: dict[tuple[str, str], str] = {
    ("load", "diffusers"): "Limner reads all weights and lays them out once for how they are read; diffusers leaves "
    "them in the file, and reads and orders them at every step.",
    (
        "paste",
        "diffusers",
    ): "diffusers pastes with the mask as it is; Limner mixes over a ring inside it, matches colours with "
    "what is around, and counts the pixels outside that differ. Next to a painting it takes no time.",
    ("unet", "diffusers"): "At 256 px more of a step is linear layers and attention on small pictures, where Winograd "
    "saves nothing.",
    ("unet", "openvino"): "At 256 px the small pictures decide, on which both engines compute the same products.",
    ("decode", "diffusers"): "Stock convolutions on the large pictures of a VAE already run near the machine's own "
    "rate: only Winograd's fewer multiplications win, less the transforms of its tiles.",
}
"""By stage and peer."""


def aim(stage: str, width: int, height: int, peer: str) -> float:
    return AIMS.get((stage, peer), {}).get((width, height), 1.0)


def why(stage: str, peer: str) -> str:
    return WHY.get((stage, peer), "No reason is known yet.")
