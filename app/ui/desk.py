"""What the panels meet in."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.document.document import Document
from app.jobs.place import EnginePlace
from app.jobs.queue import JobQueue
from app.ui.additions import AdditionShelf
from app.ui.candidates import Candidates
from app.ui.history import HistoryShelf
from app.ui.looks import MaskLooks
from app.ui.models import ModelShelf
from app.ui.params import ParamStore
from app.ui.recent import RecentFiles
from app.ui.shortcuts import Shortcuts


class Wishes(QObject):
    """What the person asks for in a panel and the window does."""

    paint = Signal()
    paint_next = Signal()  # before those that wait
    paint_instead = Signal()  # in place of the one that is being painted
    stop = Signal()
    open_picture = Signal()
    open_file = Signal(object)
    """The path of a picture or project."""
    add_model_file = Signal()
    add_model_folder = Signal()
    convert_model = Signal(object)
    """A path."""
    add_addition = Signal(object)
    """A path: a LoRA, an embedding or a VAE."""
    tell = Signal(object)
    """A UserError that the person should see."""
    model_help = Signal()
    try_prompt = Signal(str)
    show_entry = Signal(int)  # of the history: its picture
    start_over = Signal(int)  # its source, mask and settings
    use_settings = Signal(int, object)  # its settings: of these names, or all for None
    follow_mask = Signal()  # the frame is to follow the mask again
    edit_mask = Signal(str, int)  # a row of MASK_EDITS, and by how many pixels


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The things that every panel may listen to and speak to; none of them knows a panel."""

    store: ParamStore
    document: Document
    queue: JobQueue
    engine: EnginePlace
    shelf: ModelShelf
    additions: AdditionShelf
    wishes: Wishes
    mask_looks: MaskLooks
    shortcuts: Shortcuts
    history: HistoryShelf
    candidates: Candidates
    recent: RecentFiles
