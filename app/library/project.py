"""Project files: OpenRaster for every program, with masks, frame, settings and candidates in Limner's own part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import PictureError
from app.core.geometry import Rect, Size
from app.core.job import Result
from app.core.request import Mask
from app.library.decoding import decode_layers
from app.library.kept_results import PackedResult, packed_result, unpacked_result
from app.library.metadata import Told
from app.library.openraster import OpenRaster, OraItem, load_openraster, save_openraster
from app.library.pictures import encode_png

FOLDER = "limner"
VERSION = 1
"""Raised when an older Limner could not read the file any more; new fields alone do not need it."""
_MAIN = "project.json"
_MOST_MASKS = 200
_MOST_CANDIDATES = 500


@dataclass(frozen=True, eq=False)
class NamedMask:
    """``pixels``: H x W of the picture, 0 keeps, 255 repaints."""

    name: str
    pixels: Mask


@dataclass(frozen=True, eq=False)
class KeptCandidate:
    result: Result
    starred: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Project:
    """``items``: layers and groups, the uppermost first. ``merged``: all of them as they look, H x W x 3 or 4.

    ``kinds``: where each layer came from, in Limner's words, in their order. ``masks``: all that there are;
    ``active_mask``: which of them is painted on. ``params``: what the panels hold, as JSON can hold it. ``told``: how
    the picture was made. ``own``: Limner wrote the file, so that nothing is lost when it is written again.
    """

    size: Size
    items: tuple[OraItem, ...]
    merged: NDArray[np.uint8]
    kinds: tuple[str, ...] = ()
    masks: tuple[NamedMask, ...] = ()
    active_mask: int = 0
    frame: Rect | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    candidates: tuple[KeptCandidate, ...] = ()
    told: Told | None = None
    notes: tuple[str, ...] = ()
    own: bool = True


def save_project(path: Path, project: Project) -> int:
    """Write it, whole or not at all. How many bytes it has. Raises PictureError."""
    own: dict[str, bytes] = {}
    main: dict[str, Any] = {"version": VERSION, "params": dict(project.params), "masks": [], "candidates": []}
    main["kinds"] = list(project.kinds)
    if project.frame is not None:
        frame = project.frame
        main["frame"] = [frame.x, frame.y, frame.width, frame.height]
    if project.told is not None:
        main["told"] = {"text": project.told.text, "record": project.told.record}
        for number, part in enumerate(project.told.parts):
            own[f"told/{number}.png"] = part
    main["active_mask"] = project.active_mask
    for number, mask in enumerate(project.masks):
        file = f"masks/{number:03}.png"
        own[file] = encode_png(mask.pixels)
        main["masks"].append({"name": mask.name, "file": file})
    for number, candidate in enumerate(project.candidates):
        file = f"candidates/{number:03}.png"
        packed = packed_result(candidate.result)
        own[file] = packed.png
        item: dict[str, Any] = {"file": file, "starred": candidate.starred, "facts": dict(packed.facts)}
        if packed.blend is not None:
            item["blend"] = f"candidates/{number:03}-blend.png"
            own[item["blend"]] = packed.blend
        main["candidates"].append(item)
    text = json.dumps(main, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    picture = OpenRaster(size=project.size, items=project.items, merged=project.merged, own={_MAIN: text, **own})
    return save_openraster(path, picture, FOLDER)


def load_project(path: Path) -> Project:
    """Any program's OpenRaster file; without Limner's part it is a picture of layers. Raises PictureError."""
    picture = load_openraster(path, FOLDER)
    notes = list(picture.notes)
    bare = Project(size=picture.size, items=picture.items, merged=picture.merged, notes=picture.notes, own=False)
    if _MAIN not in picture.own:
        return bare
    try:
        main = json.loads(picture.own[_MAIN])
        version = main["version"]
        if not isinstance(version, int) or not isinstance(main.get("params", {}), dict):
            raise ValueError("no project")
    except (ValueError, KeyError, TypeError, RecursionError):
        return _without_own(bare, f"Limner's part of “{path.name}” is damaged: only its layers were taken.")
    if version > VERSION:
        return _without_own(bare, f"“{path.name}” was saved by a newer Limner: only its layers were taken.")
    reader = _Reader(picture, path.name, notes)
    masks = tuple(reader.masks(main.get("masks")))
    return Project(
        size=picture.size,
        items=picture.items,
        merged=picture.merged,
        kinds=tuple(str(kind)[:40] for kind in main["kinds"]) if isinstance(main.get("kinds"), list) else (),
        masks=masks,
        active_mask=_place(main.get("active_mask"), len(masks)),
        frame=reader.frame(main.get("frame")),
        params=main.get("params", {}),
        candidates=tuple(reader.candidates(main.get("candidates"))),
        told=reader.told(main.get("told")),
        notes=tuple(notes),
    )


def _without_own(bare: Project, note: str) -> Project:
    return Project(size=bare.size, items=bare.items, merged=bare.merged, notes=(*bare.notes, note), own=False)


class _Reader:
    """Takes Limner's part of a file apart; what cannot be used is left out, with a note."""

    def __init__(self, picture: OpenRaster, name: str, notes: list[str]) -> None:
        self._own = picture.own
        self._size = picture.size
        self._name = name
        self._notes = notes

    def masks(self, plain: Any) -> list[NamedMask]:
        made = []
        for item in _tables(plain, _MOST_MASKS):
            try:
                pixels = self._mask(self._own[item["file"]])
            except (PictureError, KeyError, TypeError):
                self._notes.append(f"A mask in “{self._name}” could not be read.")
                continue
            made.append(NamedMask(str(item.get("name", ""))[:200], pixels))
        return made

    def _mask(self, png: bytes) -> Mask:
        colour = decode_layers(png, self._name, managed=False).colour
        if colour.shape[:2] != (self._size.height, self._size.width):
            raise PictureError("A mask does not fit.", "")
        mask: Mask = np.ascontiguousarray(colour[..., 0])
        mask.flags.writeable = False
        return mask

    def frame(self, plain: Any) -> Rect | None:
        if not isinstance(plain, list) or len(plain) != 4 or not all(type(number) is int for number in plain):
            return None
        frame = Rect(*plain)
        return frame if frame.width > 0 and frame.height > 0 and frame.inside(self._size) else None

    def candidates(self, plain: Any) -> list[KeptCandidate]:
        made = []
        for item in _tables(plain, _MOST_CANDIDATES):
            try:
                blend = self._own[item["blend"]] if "blend" in item else None
                packed = PackedResult(self._own[item["file"]], blend, item["facts"])
                result = unpacked_result(packed, self._name)
            except (PictureError, KeyError, TypeError):
                self._notes.append(f"A candidate in “{self._name}” could not be read.")
                continue
            made.append(KeptCandidate(result, item.get("starred") is True))
        return made

    def told(self, plain: Any) -> Told | None:
        if not isinstance(plain, dict):
            return None
        text, record = plain.get("text"), plain.get("record")
        if not isinstance(text, str) or not isinstance(record, str):
            return None
        parts = list[bytes]()
        while (part := self._own.get(f"told/{len(parts)}.png")) is not None:
            parts.append(part)
        return Told(text, record, tuple(parts))


def _place(plain: Any, count: int) -> int:
    return plain if type(plain) is int and 0 <= plain < count else 0


def _tables(plain: Any, most: int) -> list[dict[str, Any]]:
    items = plain[:most] if isinstance(plain, list) else []
    return [item for item in items if isinstance(item, dict)]
