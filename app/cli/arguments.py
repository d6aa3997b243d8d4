"""The words of the command line, read by argparse; what cannot be read becomes one sentence."""

from __future__ import annotations

import os
import re
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import NoReturn

from app import __version__
from app.cli.seam import add_seam
from app.core.additions import EmbeddingUse, LoraUse
from app.core.environment import GRAPHS_HELP
from app.core.errors import UserError
from app.core.geometry import Size
from app.core.samplers import DEFAULT_SAMPLER
from app.core.variation import Variation

IMAGE_STRENGTH = 0.65
MASK_STRENGTH = 1.0
STEPS = 20

_ABOUT = """\
Limner paints with Stable Diffusion v1 on your own machine.
“limner” alone opens the studio; the commands below work without a window.
"""
_EXAMPLES = """\
examples:
  limner render "a lighthouse at dusk" -o lighthouse.png
  limner render "in winter" -o winter.png --image photo.jpg --strength 0.5
  limner render "a red boat" -o boat.png --image photo.jpg --mask mask.png --seed 7
  limner render "a hill" -o hill.png --count 4 --json
A prompt that begins with a dash goes last, after --
"""


class UsageError(UserError):
    """The command line cannot be understood."""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:].rstrip('.')}.", f"See “{self.prog} --help”.")


def parse(arguments: list[str]) -> Namespace:
    """The command and its options. Raises UsageError; SystemExit after --help and --version."""
    return _parser().parse_args(arguments)


def _parser() -> ArgumentParser:
    parser = _Parser(prog="limner", description=_ABOUT, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"Limner {__version__}")
    _add_data_dir(parser, default=None)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    render = commands.add_parser(
        "render",
        help="make a picture",
        description="Make a picture from a prompt, from another picture, or inside a mask.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_render(render)
    _add_data_dir(render)
    for name, help in _OTHERS.items():
        _add_data_dir(commands.add_parser(name, help=help, description=f"{help.capitalize()}.", allow_abbrev=False))
    own = commands.add_parser("unpickle", allow_abbrev=False)  # without help it is not listed
    own.add_argument("source", type=Path)
    own.add_argument("target", type=Path)
    _add_data_dir(own)
    return parser


_OTHERS = {
    "samplers": "list the samplers",
    "models": "list the models that are found",
    "doctor": "show versions, device, memory and folders",
}


def _add_data_dir(parser: ArgumentParser, default: str | None = SUPPRESS) -> None:
    # SUPPRESS: a command that is not given the option leaves the value that stood before the command.
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", default=default, help="where models, settings and the log are kept"
    )


def _add_render(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("prompt", metavar="PROMPT", help="what to paint; (word:1.3) weighs more, [word] less, BREAK parts")
    add("-o", "--output", type=Path, required=True, metavar="OUT.png", help="where the picture goes")
    add("--name", metavar="TEMPLATE", help="with a folder as --image: names in the folder OUT ({name}.png)")
    add("--negative", default="", metavar="T", help="what to keep away from")
    add("--model", metavar="NAME|FOLDER", help="a model by name or path (default: the first of “limner models”)")
    add("--size", type=_size, metavar="WxH", help="size in pixels (default: the model's own, or the image's)")
    add("--steps", type=int, metavar="N", help=f"steps of the sampler (default: {STEPS})")
    add("--guidance", type=float, metavar="F", help="how closely to follow the prompt (default: the model's own, or 7)")
    add(
        "--guidance-interval",
        type=_interval,
        default=(0.0, 1.0),
        metavar="FROM:TO",
        help="guide only there on the way from noise (0) to picture (1), such as 0.2:0.9; other steps cost half (0:1)",
    )
    add("--clip-skip", type=int, default=1, metavar="N", help="listen to the N-th last layer of the text encoder (1)")
    add("--draft", action="store_true", help="most of the model at every third step only: quicker, and less faithful")
    add("--graphs", action="store_true", help=GRAPHS_HELP)
    add("--sampler", metavar="ID", help=f"see “limner samplers” (default: {DEFAULT_SAMPLER})")
    add("--seed", type=int, metavar="N", help="start of the noise; the same seed gives the same picture")
    add(
        "--variation",
        type=_variation,
        default=Variation(),
        metavar="SEED:AMOUNT",
        help="mix in another seed's noise: 0 is --seed's own picture, 1 the other's; --count counts its seed on",
    )
    add("--count", type=int, default=1, metavar="N", help="that many pictures, saved as OUT-SEED.png")
    add("--image", type=Path, metavar="FILE", help="start from this picture, or each of this folder")
    add("--strength", type=float, metavar="F", help=f"0 to 1 (default: {IMAGE_STRENGTH}, with a mask {MASK_STRENGTH})")
    add("--mask", type=Path, metavar="FILE", help="repaint the image where this picture is white")
    add_seam(parser)
    add(
        "--lora",
        type=_lora,
        action="append",
        default=[],
        metavar="FILE[:WEIGHT]",
        help="add a LoRA (again for each; weight 1 if none is given)",
    )
    add(
        "--embedding",
        type=_embedding,
        action="append",
        default=[],
        metavar="[WORD=]FILE",
        help="let a word of the prompt mean an embedding (default word: the file's name)",
    )
    add("--vae", type=Path, metavar="FILE", help="a VAE to use in place of the model's own")
    add("--preview-dir", type=Path, metavar="DIR", help="write one PNG a step there")
    add(
        "--no-metadata", dest="metadata", action="store_false", help="do not write into the pictures how they were made"
    )
    add("--embed-source", action="store_true", help="write the source and the mask into PNGs, to paint them again")
    add("--keep-steps", type=Path, metavar="DIR", help="keep the latents of every step there, to go on from later")
    add(
        "--from-step",
        type=_kept_step,
        metavar="FILE:N",
        help="go on after step N of a kept run, with this prompt, guidance, image and mask; --seed draws other numbers",
    )
    add("--as-is", action="store_true", help="with --from-step: show that step as a picture and paint nothing")
    add("--json", action="store_true", help="print what was used and made as one JSON object")


def _variation(text: str) -> Variation:
    match = re.fullmatch(r"(\d{1,19}):(\d*\.?\d+)", text)
    try:
        if match is not None:
            return Variation(seed=int(match[1]), amount=float(match[2]))
    except UserError as error:
        raise ArgumentTypeError(f"{error.message.rstrip('.')}") from error
    raise ArgumentTypeError(f"{text!r} is not a seed and an amount from 0 to 1, such as 42:0.1")


def _kept_step(text: str) -> tuple[Path, int]:
    file, _, step = text.rpartition(":")
    if not file or not step.isdecimal() or len(step) > 9:
        raise ArgumentTypeError(f"“{text}” is no kept step; write FILE:N, such as boat.steps.npz:7")
    return Path(file), int(step)


def _interval(text: str) -> tuple[float, float]:
    try:
        first, last = map(float, text.split(":"))
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is no interval; write FROM:TO, such as 0.2:0.9") from None
    return first, last


def _lora(text: str) -> LoraUse:
    file, _, weight = text.rpartition(":")
    try:
        return LoraUse(file=file, weight=float(weight)) if file else LoraUse(file=text)
    except ValueError:  # no weight: a path may hold a colon
        return LoraUse(file=text)


def _embedding(text: str) -> EmbeddingUse:
    word, _, file = text.partition("=")
    return EmbeddingUse(file=file, word=word) if file and not os.path.exists(text) else EmbeddingUse(file=text)


def _size(text: str) -> Size:
    match = re.fullmatch(r"(\d{1,9}) ?[xX×] ?(\d{1,9})", text.strip())
    if match is None:
        raise ArgumentTypeError(f"“{text}” is no size; write WIDTHxHEIGHT, such as 512x384")
    return Size(int(match[1]), int(match[2]))
