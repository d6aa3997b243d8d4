"""The little XML that a layered file holds, from strangers: no entities, no depth, no end without bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from app.core.errors import PictureError

_MOST_ELEMENTS = 10_000
_MOST_DEPTH = 64


@dataclass
class Element:
    """A tag with its attributes and what is inside it; text is passed over."""

    tag: str
    attributes: Mapping[str, str]
    children: list[Element] = field(default_factory=list)


class _Refused(Exception):  # noqa: N818 - it never leaves this file
    pass


def read_xml(data: bytes, name: str) -> Element:
    """The outermost element; ``name`` is what sentences call the file it came in. Raises PictureError."""
    root = Element("", {})
    open_elements, count = [root], 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MOST_ELEMENTS or len(open_elements) > _MOST_DEPTH:
            raise _Refused("it is too large")
        element = Element(tag, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def doctype(*_: object) -> None:
        raise _Refused("it brings definitions of its own")  # whose entities could grow without end, or read files

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except (_Refused, expat.ExpatError, ValueError, LookupError) as error:
        how = str(error) if isinstance(error, _Refused) else "it is no XML"
        raise PictureError(
            f"“{name}” is damaged: its list of layers cannot be read ({how}).",
            "Save it anew in the program that made it.",
        ) from error
    return root.children[0]
