"""What stands in the menus and on the rail of tools, and in which order."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenuBar

from app.ui.actions import CANDIDATE_ROWS, MASK_ROWS, STEP_ROWS, TOOL_ROWS

_LINES = ("tool_paint", "tool_move")
"""Tools before which there is a line: those above mark, those between put down colour, those below arrange."""


def _tools() -> list[tuple[str, ...]]:
    ids = [row.id for row in TOOL_ROWS]
    ends = [*(ids.index(first) for first in _LINES), len(ids)]
    return [tuple(ids[first:end]) for first, end in zip([0, *ends[:-1]], ends, strict=True)]


RAIL = (*_tools(), ("clear_mask", "invert_mask", "show_mask"), ("undo", "redo"))
"""What stands on the rail beside the canvas, in groups."""

MENUS: Mapping[str, tuple[str, ...]] = {
    "&File": (
        *("open", "", "save", "save_as", "export", "batch", "", "save_tells", "save_embeds", ""),
        *("data_folder", "", "quit"),
    ),
    "&Edit": ("undo", "redo", "", "copy", "copy_masked", "copy_settings", "", "paste", "paste_layer", "paste_mask"),
    "P&icture": ("tool_crop", "crop_frame", "crop_mask", "", "canvas_size", "scale_picture"),
    "&Mask": (
        *("mark_all", "clear_mask", "invert_mask", "", *(row.id for row in MASK_ROWS), ""),
        *("new_mask", "duplicate_mask", "delete_mask", "next_mask", ""),
        *("load_mask", "transparency_mask", "save_mask", "", "show_mask", "mask_look"),
    ),
    "&Tools": tuple(id for group in _tools() for id in ("", *group))[1:],
    "&View": (
        *("fit", "actual_size", "zoom_in", "zoom_out", "", "rotate_left", "rotate_right", "mirror", "upright"),
        *("", "xray", "follow_mask", "wipe", "", "preview", "pixel_grid", "navigator", "", "full_screen"),
    ),
    "&Paint": (
        *("generate", "generate_next", "generate_instead", "cancel", "", "live", "live_keep", "grid", ""),
        *("queue_pause", "queue_clear", "", "engine_apart"),
    ),
    "&Candidates": (*(row.id for row in CANDIDATE_ROWS), "", *(row.id for row in STEP_ROWS)),
    "&Help": ("model_help", "shortcuts", "about"),
}
"""Ids of actions; an empty one is a line."""


def fill_menus(bar: QMenuBar, actions: Mapping[str, QAction]) -> None:
    """Build the menus of the table."""
    for title, ids in MENUS.items():
        menu = bar.addMenu(title)
        menu.setObjectName(f"menu{title.replace('&', '')}")
        menu.setToolTipsVisible(True)
        for id in ids:
            if id:
                menu.addAction(actions[id])
            else:
                menu.addSeparator()
