"""How a repainted part joins its picture and what of the picture the model is given, as options."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from typing import Any

from app.core.errors import RequestError
from app.core.geometry import Rect
from app.core.request import Frame, FrameChoice
from app.core.seam import Fill, Seam

_FILLS = ", ".join(fill.value for fill in Fill if fill is not Fill.COLOUR)


def add_seam(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--frame",
        type=_frame,
        default=FrameChoice.WHOLE,
        metavar="whole|auto|parts|X,Y,W,H",
        help="what the model sees: all of the image, the mask’s surroundings, each far part’s, or a box (whole)",
    )
    add("--grow", type=int, metavar="PX", help="let the model repaint that far beyond the mask (default: planned)")
    add("--feather", type=int, metavar="PX", help="and from there less and less over that far (default: planned)")
    add(
        "--ring", type=int, metavar="PX", help="mix result and image that far inside the mask's edge (default: planned)"
    )
    add(
        "--fill",
        type=_fill,
        metavar="F",
        help=f"what the mask is filled with to start from: {_FILLS}, or a colour such as #80a0c0 (default: original)",
    )
    add(
        "--color-match",
        action=BooleanOptionalAction,
        default=None,
        help="bring the colours of the result to those around the mask (default: yes)",
    )


def seam_from(options: Namespace) -> Seam:
    """Raises RequestError for widths that cannot be used."""
    fill: dict[str, Any] = options.fill or {}
    matched = True if options.color_match is None else options.color_match
    return Seam(grow=options.grow, feather=options.feather, ring=options.ring, colour_match=matched, **fill)


def check_unused(options: Namespace) -> None:
    """Without a mask: raises UserError where one of these was given that works on a mask, or a frame on no picture."""
    if isinstance(options.frame, Rect) and options.image is None:
        raise RequestError("There is no picture to lay a frame on.", "Give one with --image, or ask for a --size.")
    for name in ("grow", "feather", "ring", "fill", "color_match"):
        if getattr(options, name) is not None:
            raise RequestError(f"--{name.replace('_', '-')} works on a mask.", "Give one with --mask.")


def _frame(text: str) -> Frame:
    box = re.fullmatch(r"(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})", text.strip())
    if box is not None:
        return Rect(*map(int, box.groups()))
    try:
        return FrameChoice(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is no frame; write whole, auto, parts, or X,Y,WIDTH,HEIGHT") from None


def _fill(text: str) -> dict[str, Any]:
    if colour := re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text.strip()):
        return {"fill": Fill.COLOUR, "colour": tuple(int(part, 16) for part in colour.groups())}
    try:
        fill = Fill(text)
    except ValueError:
        fill = Fill.COLOUR
    if fill is Fill.COLOUR:
        raise ArgumentTypeError(f"“{text}” is no filling; write {_FILLS}, or a colour such as #80a0c0")
    return {"fill": fill}
