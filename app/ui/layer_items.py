"""Layers of the document as layered files hold them, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.document import images
from app.document.layers import MOST_NAME, Layer, LayerKind, Stack
from app.document.raster import Raster
from app.library.openraster import NORMAL, OraGroup, OraItem, OraLayer

_PLAIN = frozenset((NORMAL, ""))


def shared(stack: Stack) -> Stack:
    """The same with images that share the pixels: who writes them from now on gets a copy of their own."""
    return tuple(replace(layer, image=layer.image.share()) for layer in stack)


def items_of(stack: Stack, active: int | None) -> tuple[OraItem, ...]:
    """What a file holds of the layers, the uppermost first."""
    return tuple(
        OraLayer(
            name=layer.name,
            pixels=images.layer_part(layer.image, layer.image.rect()),
            x=layer.x,
            y=layer.y,
            opacity=layer.opacity,
            visible=layer.visible,
            selected=layer.id == active,
        )
        for layer in reversed(stack)
    )


@dataclass(frozen=True)
class Stacked:
    """``faithful``: they look as the file means them."""

    stack: Stack
    active: int | None
    faithful: bool


def stack_of(items: Sequence[OraItem], kinds: Sequence[str]) -> Stacked:
    """Layers for the document. Groups are taken apart; ways of mixing that the document does not know are left out."""
    plain = list(_taken_apart(items))
    faithful = all(_is_plain(item) for item in items)
    layers = []
    active = None
    for number, item in enumerate(plain):
        kind = next((each for each in LayerKind if number < len(kinds) and each.value == kinds[number]), None)
        layer = Layer(
            name=item.name[:MOST_NAME] or f"Layer {len(plain) - number}",
            kind=kind or LayerKind.PAINT,
            image=_image(item),
            x=item.x,
            y=item.y,
            opacity=item.opacity,
            visible=item.visible,
        )
        active = layer.id if item.selected else active
        layers.append(layer)
    layers.reverse()
    return Stacked(tuple(layers), active if active is not None or not layers else layers[-1].id, faithful)


def _taken_apart(items: Sequence[OraItem], opacity: float = 1.0, visible: bool = True) -> Iterator[OraLayer]:
    for item in items:
        if isinstance(item, OraGroup):
            yield from _taken_apart(item.items, opacity * item.opacity, visible and item.visible)
        else:
            yield replace(item, opacity=opacity * item.opacity, visible=visible and item.visible)


def _is_plain(item: OraItem) -> bool:
    if item.blend not in _PLAIN:
        return False
    if isinstance(item, OraLayer):
        return True
    # Taken apart, a half transparent group looks the same only if nothing in it lies on anything else of it.
    return all(map(_is_plain, item.items)) and (item.opacity == 1.0 or len(item.items) < 2)


def _image(item: OraLayer) -> Raster:
    opaque = int(item.pixels[..., 3].min()) == 255
    return Raster.of(images.to_qimage(np.ascontiguousarray(item.pixels[..., :3]) if opaque else item.pixels))
