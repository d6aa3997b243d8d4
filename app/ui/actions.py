"""Actions, shortcuts and menus, as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from app.ui.canvas.tools import TOOLS
from app.ui.icons import icon
from app.ui.mask_work import MASK_EDITS

if TYPE_CHECKING:
    from app.ui.shortcuts import Shortcuts  # which reads this table


@dataclass(frozen=True, kw_only=True)
class ActionRow:
    """One thing that can be done. The first shortcut is shown, the others work as well."""

    id: str
    text: str
    tip: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    fixed: bool = False  # its keys are not for change


TOOL_ROWS = tuple(
    ActionRow(
        id=f"tool_{tool.id}",
        text=tool.label,
        tip=tool.tip,
        shortcuts=(tool.shortcut,),
        icon=tool.icon,
        checkable=True,
    )
    for tool in TOOLS.values()
)
MASK_ROWS = tuple(
    ActionRow(
        id=f"mask_{edit.id}",
        text=f"{edit.label} mask" if edit.sized else edit.label,
        tip=f"{edit.tip[:-1]} (as many as last time; the mask panel sets it)." if edit.sized else edit.tip,
    )
    for edit in MASK_EDITS.values()
)
CANDIDATE_ROWS = (
    ActionRow(
        id="candidate_previous",
        text="Previous candidate",
        tip="Show the previous candidate",
        shortcuts=(",",),
        icon="chevron-left",
    ),
    ActionRow(
        id="candidate_next",
        text="Next candidate",
        tip="Show the next candidate",
        shortcuts=(".",),
        icon="chevron-right",
    ),
    ActionRow(
        id="candidate_before",
        text="Before",
        tip="Show the picture from before, and the candidate again",
        shortcuts=("C",),
        icon="compare",
        checkable=True,
    ),
    ActionRow(
        id="candidate_star",
        text="Star candidate",
        tip="Star it, so that the history always keeps it",
        shortcuts=("S",),
        icon="star",
    ),
    ActionRow(
        id="candidate_more",
        text="More like it",
        tip="Paint more like this candidate: the same settings, other seeds",
        icon="more-like",
    ),
    ActionRow(
        id="candidate_vary",
        text="Vary it",
        tip="Paint small variations of this candidate: a little of other seeds is mixed in",
        shortcuts=("N",),
        icon="vary",
    ),
    ActionRow(
        id="candidate_zoom",
        text="Zoom to the change",
        tip="Show the part that is another as large as it fits, and the whole picture again",
        shortcuts=("J",),
        icon="zoom-change",
    ),
    ActionRow(
        id="candidate_steps",
        text="Steps",
        tip="Show the steps that led to this candidate: look at any of them, take it, or go on from it",
        shortcuts=("T",),
        icon="steps",
        checkable=True,
    ),
    ActionRow(
        id="candidate_discard",
        text="Discard",
        tip="Put this candidate away; the history keeps it",
        shortcuts=("D",),
        icon="close",
    ),
    ActionRow(
        id="candidate_accept",
        text="Accept",
        tip="Take this candidate, as a step that undo takes back; the history keeps the others",
        shortcuts=("A",),
    ),
)
STEP_ROWS = (
    ActionRow(
        id="step_back", text="Step before", tip="Look at the step before", shortcuts=("Alt+Left",), icon="chevron-left"
    ),
    ActionRow(
        id="step_on", text="Step after", tip="Look at the step after", shortcuts=("Alt+Right",), icon="chevron-right"
    ),
    ActionRow(
        id="step_take",
        text="Take this step",
        tip="Make a candidate of what is shown at this step",
        shortcuts=("Shift+A",),
    ),
    ActionRow(
        id="step_branch",
        text="Go on from here",
        tip="Paint on from this step with the prompt, the guidance and the mask that are set now",
        shortcuts=("Shift+N",),
    ),
)
STEP_ACTIONS = tuple(row.id for row in STEP_ROWS)
"""What stands beside the steps of a candidate."""
CANDIDATE_ACTIONS = tuple(row.id for row in CANDIDATE_ROWS)
"""What stands on the strip of candidates."""
ACTIONS = (
    ActionRow(id="open", text="Open…", tip="Open a picture or a project", shortcuts=("Ctrl+O",), icon="open"),
    ActionRow(
        id="save",
        text="Save",
        tip="Save into the file that this came from or went to; asks for one the first time",
        shortcuts=("Ctrl+S",),
        icon="save",
    ),
    ActionRow(
        id="save_as",
        text="Save as…",
        tip="Save the picture as PNG, JPEG or WebP, or everything as a layered project (.ora)",
        shortcuts=("Ctrl+Shift+S",),
    ),
    ActionRow(
        id="export",
        text="Export…",
        tip="Write a copy as PNG, JPEG or WebP, with a name made of a template",
        shortcuts=("Ctrl+E",),
    ),
    ActionRow(
        id="batch",
        text="Refine a folder…",
        tip="Refine every picture of a folder with the prompt and settings of the panels",
    ),
    ActionRow(
        id="save_tells",
        text="Save how it was made",
        tip="Write the prompt and the settings into saved pictures, for Limner and for other programs",
        checkable=True,
    ),
    ActionRow(
        id="save_embeds",
        text="Save source and mask too",
        tip="Write what was painted from into saved PNGs, to paint them again; whoever gets the file can see it",
        checkable=True,
    ),
    ActionRow(
        id="copy", text="Copy picture", tip="Copy the picture to the clipboard", shortcuts=("Ctrl+C",), icon="copy"
    ),
    ActionRow(
        id="copy_masked",
        text="Copy marked part",
        tip="Copy what the mask marks to the clipboard, transparent around it",
        shortcuts=("Ctrl+Alt+C",),
    ),
    ActionRow(
        id="copy_settings",
        text="Copy settings",
        tip="Copy how the picture was made as text that other programs read",
        shortcuts=("Ctrl+Shift+C",),
    ),
    ActionRow(
        id="paste",
        text="Paste",
        tip="Open the picture in the clipboard, or take its text for the prompt",
        shortcuts=("Ctrl+V",),
    ),
    ActionRow(
        id="paste_layer",
        text="Paste as layer",
        tip="Lay the picture in the clipboard over this one, in its own size",
        shortcuts=("Ctrl+Shift+V",),
    ),
    ActionRow(
        id="paste_mask",
        text="Paste as mask",
        tip="Use the picture in the clipboard as the mask: white is repainted",
        shortcuts=("Ctrl+Alt+V",),
    ),
    ActionRow(id="data_folder", text="Open data folder", tip="Show where models, settings and the log are kept"),
    ActionRow(id="quit", text="Quit", tip="Close Limner", shortcuts=("Ctrl+Q",)),
    ActionRow(id="undo", text="Undo", tip="Take back the last step", shortcuts=("Ctrl+Z",), icon="undo"),
    ActionRow(id="redo", text="Redo", tip="Do the step again", shortcuts=("Ctrl+Shift+Z", "Ctrl+Y"), icon="redo"),
    ActionRow(id="mark_all", text="Mark everything", tip="Repaint the whole picture", shortcuts=("Ctrl+A",)),
    ActionRow(
        id="clear_mask", text="Clear mask", tip="Mark nothing any more", shortcuts=("Ctrl+Shift+A",), icon="clear"
    ),
    ActionRow(
        id="invert_mask", text="Invert mask", tip="Mark what is not marked", shortcuts=("Ctrl+I",), icon="invert"
    ),
    *MASK_ROWS,
    ActionRow(
        id="new_mask",
        text="New mask",
        tip="Add an empty mask and choose it; the others wait in the Mask panel",
        shortcuts=("Ctrl+Shift+N",),
    ),
    ActionRow(id="duplicate_mask", text="Duplicate mask", tip="Copy the chosen mask, and choose the copy"),
    ActionRow(id="delete_mask", text="Delete mask", tip="Delete the chosen mask; the last one is emptied"),
    ActionRow(
        id="next_mask",
        text="Next mask",
        tip="Choose the mask after this one, round and round",
        shortcuts=("Ctrl+Shift+M",),
    ),
    ActionRow(
        id="crop_frame",
        text="Crop to the frame",
        tip="Keep what lies in the frame set by hand; undo brings the rest back",
    ),
    ActionRow(
        id="crop_mask",
        text="Crop to the mask",
        tip="Keep the smallest box that holds the mask; undo brings the rest back",
    ),
    ActionRow(
        id="canvas_size",
        text="Canvas size…",
        tip="Make the canvas larger or smaller around the picture, which keeps its scale",
        shortcuts=("Ctrl+Alt+K",),
    ),
    ActionRow(
        id="scale_picture",
        text="Scale picture…",
        tip="Make the picture larger or smaller, with all that belongs to it",
        shortcuts=("Ctrl+Alt+I",),
    ),
    ActionRow(id="load_mask", text="Load mask…", tip="Take a mask from a picture file: white is repainted"),
    ActionRow(id="save_mask", text="Save mask…", tip="Save the mask as a PNG file: white is repainted"),
    ActionRow(
        id="transparency_mask",
        text="Mask from transparency…",
        tip="Mark what is transparent in a picture file, the open one for example",
    ),
    ActionRow(
        id="show_mask",
        text="Show mask",
        tip="Show the mask or hide it: hidden, it still counts, and its outline stays",
        shortcuts=("M",),
        icon="mask",
        checkable=True,
    ),
    ActionRow(
        id="mask_look",
        text="Next mask look",
        tip="Show the mask in colour, hatched, as an outline or as a map of its strength, in turn",
        shortcuts=("Shift+M",),
    ),
    ActionRow(
        id="xray",
        text="X-ray",
        tip="Show before painting what will happen: what the model is given, at which size, and how far it reaches",
        shortcuts=("Q",),
        checkable=True,
    ),
    ActionRow(
        id="follow_mask", text="Let the frame follow the mask", tip="Let the frame be planned around the mask again"
    ),
    ActionRow(id="fit", text="Fit in window", tip="Show the whole picture", shortcuts=("Ctrl+0",), icon="fit"),
    ActionRow(
        id="actual_size", text="100 %", tip="One pixel of the picture to one of the screen", shortcuts=("Ctrl+1",)
    ),
    ActionRow(id="zoom_in", text="Zoom in", tip="Show the picture larger", shortcuts=("Ctrl++", "Ctrl+=")),
    ActionRow(id="zoom_out", text="Zoom out", tip="Show the picture smaller", shortcuts=("Ctrl+-",)),
    ActionRow(
        id="rotate_left",
        text="Turn view left",
        tip="Turn the view by 15° to the left; the picture stays as it is",
        shortcuts=("Ctrl+,",),
    ),
    ActionRow(
        id="rotate_right",
        text="Turn view right",
        tip="Turn the view by 15° to the right; the picture stays as it is",
        shortcuts=("Ctrl+.",),
    ),
    ActionRow(
        id="mirror",
        text="Mirror view",
        tip="Change left and right of the view; the picture stays as it is",
        shortcuts=("Ctrl+M",),
    ),
    ActionRow(
        id="upright",
        text="Upright view",
        tip="Show the picture neither turned nor mirrored",
        shortcuts=("Ctrl+Shift+0",),
    ),
    ActionRow(
        id="wipe",
        text="Before and after",
        tip="Part the view by a line: on its left the picture from before the last result (while candidates wait: the "
        "picture without them), on its right the one of now. Hold Z to see the one from before everywhere",
        shortcuts=("Y",),
        checkable=True,
    ),
    ActionRow(id="pixel_grid", text="Pixel grid", tip="Part the pixels by lines, from 800 % on", checkable=True),
    ActionRow(
        id="navigator",
        text="Navigator",
        tip="Show the whole picture, small, while a part of it is out of sight",
        checkable=True,
    ),
    ActionRow(
        id="preview",
        text="Preview while painting",
        tip="Draw the picture in its place while it forms; off, it is seen when it is finished",
        checkable=True,
    ),
    ActionRow(
        id="full_screen",
        text="Only the canvas",
        tip="Nothing but the canvas on the whole screen, and back",
        shortcuts=("F11",),
        checkable=True,
    ),
    *TOOL_ROWS,
    ActionRow(id="generate", text="Paint", tip="Do what the button says", shortcuts=("Ctrl+Return", "Ctrl+Enter")),
    ActionRow(
        id="generate_next",
        text="Paint next",
        tip="Do what the button says before everything that waits",
        shortcuts=("Ctrl+Shift+Return", "Ctrl+Shift+Enter"),
    ),
    ActionRow(
        id="generate_instead",
        text="Paint instead",
        tip="Stop what is being painted, and do what the button says in its place",
        shortcuts=("Ctrl+Alt+Return", "Ctrl+Alt+Enter"),
    ),
    ActionRow(
        id="queue_pause",
        text="Pause the queue",
        tip="Begin nothing more until it goes on; what is being painted is finished",
        shortcuts=("Ctrl+Shift+Space",),
        checkable=True,
    ),
    ActionRow(
        id="live",
        text="Live",
        tip="Paint the picture again in a few steps after each stroke, and show it until you keep it",
        shortcuts=("Ctrl+L",),
        icon="live",
        checkable=True,
    ),
    ActionRow(
        id="live_keep",
        text="Keep what is shown live",
        tip="Take what live mode shows into the picture, as a step that undo takes back",
        shortcuts=("K",),
    ),
    ActionRow(
        id="grid",
        text="Paint a grid…",
        tip="Paint a picture many times with one or two of its settings changing, and compare them on a sheet",
        shortcuts=("Ctrl+G",),
    ),
    ActionRow(id="queue_clear", text="Empty the queue", tip="Take out all that waits"),
    ActionRow(
        id="cancel",
        text="Cancel",
        tip="Cancel the innermost thing: stroke, notice, then job",
        shortcuts=("Esc",),
        fixed=True,
    ),
    *CANDIDATE_ROWS,
    *STEP_ROWS,
    ActionRow(
        id="engine_apart",
        text="Engine in a process of its own",
        tip="Should painting ever crash, the window stays; without it the engine is part of the window",
        checkable=True,
    ),
    ActionRow(id="model_help", text="How to use a full model", tip="What to do with a Stable Diffusion v1 model"),
    ActionRow(
        id="shortcuts",
        text="Keyboard shortcuts…",
        tip="Look up keys, and choose others",
        shortcuts=("F1",),
    ),
    ActionRow(id="about", text="About Limner", tip="Version, and the licences of everything inside"),
)


def make_actions(
    parent: QWidget, handlers: Mapping[str, Callable[[], object]], shortcuts: Shortcuts
) -> dict[str, QAction]:
    """Every action of the table with its handler. Raises KeyError for a row that has none."""
    tools = QActionGroup(parent)
    made = {}
    for row in ACTIONS:
        action = _make(row, parent)
        action.triggered.connect(_without_checked(handlers[row.id]))
        if row.id.startswith("tool_"):
            tools.addAction(action)
        parent.addAction(action)  # so that its shortcut works wherever the focus is
        made[row.id] = action

    def dress() -> None:
        for row in ACTIONS:
            made[row.id].setShortcuts([QKeySequence(key) for key in shortcuts.keys(row.id)])
            made[row.id].setToolTip(shortcuts.told(row.tip, row.id))

    shortcuts.changed.connect(dress)
    dress()
    return made


def _make(row: ActionRow, parent: QWidget) -> QAction:
    action = QAction(row.text, parent)
    action.setObjectName(row.id)
    action.setCheckable(row.checkable)
    if row.icon:
        action.setIcon(icon(row.icon))
        action.setIconVisibleInMenu(False)
    action.setStatusTip(row.tip)
    return action


def _without_checked(handler: Callable[[], object]) -> Callable[[bool], None]:
    def call(_checked: bool = False) -> None:
        handler()

    return call
