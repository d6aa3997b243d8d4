"""What each action does."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from app.core.errors import UserError
from app.core.recipe import Recipe
from app.document.commands import ClearMask, InvertMask, OpenPicture, PaintMask, SetFrame
from app.document.mask_commands import add_mask, choose_mask, delete_mask, duplicate_mask
from app.document.mask_edits import all_marked
from app.document.snapshot import snapshot
from app.library.additions import read_addition
from app.library.history import Kept
from app.ui.canvas.tools import TOOLS
from app.ui.icons import icon
from app.ui.mask_work import MASK_EDITS
from app.ui.notices import Help, Kind, Notice

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

_TURN = 15.0  # degrees
_ENTRY = "the entry"
_HELP_TITLE = "Painting with a full model"
_HELP_TEXT = (
    "Limner paints with any Stable Diffusion v1 model: one file (.safetensors, .ckpt), or a folder in diffusers "
    "layout. Drop it on the window, put it into the models folder, or choose “Add a model file…” in the list of models."
)


class WindowCommands(QObject):
    """The handlers of the actions. It knows the window's parts and none of their insides."""

    entry_shown = Signal()  # a picture of the history is the document's now

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._desk = window.desk
        self._document = window.desk.document
        self._canvas = window.canvas

    def handlers(self) -> dict[str, Callable[[], object]]:
        """By the ids of the actions."""
        canvas, undo = self._canvas, self._document.undo
        work = self._window.mask_work
        choose = self._desk.candidates
        tools = {f"tool_{id}": (lambda id=id: canvas.set_tool(id)) for id in TOOLS}
        masks = {f"mask_{id}": (lambda id=id: work.again(id)) for id in MASK_EDITS}
        return (
            tools
            | masks
            | self._window.extent_work.handlers()
            | self._window.file_commands.handlers()
            | {
                "copy": self._window.copying.picture,
                "copy_masked": self._window.copying.masked_part,
                "copy_settings": self._window.copying.settings,
                "data_folder": lambda: self._show_folder(self._window.folders.data),
                "quit": self._window.close,
                "undo": undo.undo,
                "redo": undo.redo,
                "mark_all": self.mark_all,
                "new_mask": lambda: undo.push(add_mask(self._document)),
                "duplicate_mask": lambda: undo.push(duplicate_mask(self._document)),
                "delete_mask": lambda: undo.push(delete_mask(self._document)),
                "next_mask": self.next_mask,
                "clear_mask": lambda: undo.push(ClearMask(self._document)),
                "invert_mask": lambda: undo.push(InvertMask(self._document)),
                "show_mask": self.toggle_mask,
                "mask_look": self._desk.mask_looks.next_style,
                "fit": canvas.fit,
                "actual_size": canvas.actual_size,
                "zoom_in": canvas.zoom_in,
                "zoom_out": canvas.zoom_out,
                "xray": lambda: canvas.set_xray(self._window.actions_by_id["xray"].isChecked()),
                "follow_mask": self.follow_mask,
                "wipe": lambda: canvas.comparison.set_wiping(self._window.actions_by_id["wipe"].isChecked()),
                "rotate_left": lambda: canvas.viewport.rotate_by(-_TURN),
                "rotate_right": lambda: canvas.viewport.rotate_by(_TURN),
                "mirror": canvas.viewport.mirror,
                "upright": canvas.viewport.set_upright,
                "pixel_grid": lambda: canvas.set_pixel_grid(self._window.actions_by_id["pixel_grid"].isChecked()),
                "navigator": lambda: self._window.navigator.set_wanted(
                    self._window.actions_by_id["navigator"].isChecked()
                ),
                "preview": lambda: self._window.painting.set_previews(
                    self._window.actions_by_id["preview"].isChecked()
                ),
                "full_screen": self._window.toggle_full_screen,
                "generate": self._window.painting.submit,
                "generate_next": self._desk.wishes.paint_next.emit,
                "generate_instead": self._desk.wishes.paint_instead.emit,
                "grid": self.ask_for_grid,
                "live": lambda: self._window.live.set_on(self._window.actions_by_id["live"].isChecked()),
                "live_keep": self._window.live.take,
                "queue_pause": self.toggle_pause,
                "queue_clear": self.clear_queue,
                "candidate_previous": lambda: choose.step(-1),
                "candidate_next": lambda: choose.step(1),
                "candidate_before": lambda: choose.compare(not choose.comparing),
                "candidate_star": self.star_candidate,
                "candidate_more": self._window.painting.more_like_it,
                "candidate_vary": self._window.painting.vary,
                "candidate_zoom": self.zoom_to_change,
                "candidate_steps": lambda: self._window.step_bar.set_wanted(
                    self._window.actions_by_id["candidate_steps"].isChecked()
                ),
                "step_back": lambda: self._window.kept_steps.move(-1),
                "step_on": lambda: self._window.kept_steps.move(1),
                "step_take": self._window.kept_steps.take,
                "step_branch": self._window.kept_steps.branch,
                "candidate_discard": choose.discard,
                "candidate_accept": self.accept_candidate,
                "cancel": self.escape,
                "engine_apart": lambda: self._desk.engine.set_apart(not self._desk.engine.apart),
                "model_help": self.show_model_help,
                "shortcuts": self.show_shortcuts,
                "about": self.show_about,
            }
        )

    # Masks

    def mark_all(self) -> None:
        changed = list(all_marked(self._document.mask))
        if changed:
            self._document.undo.push(PaintMask(self._document, changed, "Mark everything"))

    def next_mask(self) -> None:
        masks = self._document.masks
        if len(masks.items) > 1:
            self._document.undo.push(choose_mask(self._document, (masks.active + 1) % len(masks.items)))
            self._window.status_line.show_hint(f"“{self._document.masks.current.name}” is the mask now.")

    def follow_mask(self) -> None:
        if self._document.frame is not None:
            self._document.undo.push(SetFrame(self._document, None))

    # History

    def show_entry(self, id: int) -> None:
        def show(kept: Kept) -> None:
            self._document.undo.push(OpenPicture(self._document, kept.pixels, "Show from history"))
            self._window.files.provenance.opened(kept.pixels, kept.told, self._document.origin)
            self.entry_shown.emit()

        self._desk.history.fetch(id, show)

    def start_over(self, id: int) -> None:
        self._with_recipe(id, lambda recipe: self._window.recipes.start_over(recipe, _ENTRY))

    def use_settings(self, id: int, names: Collection[str] | None) -> None:
        self._with_recipe(id, lambda recipe: self._window.recipes.take(recipe, _ENTRY, names))

    def _with_recipe(self, id: int, act: Callable[[Recipe], object]) -> None:
        def taken(kept: Kept) -> None:
            if kept.recipe is None:
                self.tell(Notice(title="This picture does not tell how it was made."))
            else:
                act(kept.recipe)

        self._desk.history.fetch(id, taken)

    # Models and help

    def add_model_file(self) -> None:
        self.add_model(self._window.dialogs.model_file(self._window.folders.models))

    def add_model_folder(self) -> None:
        self.add_model(self._window.dialogs.model_folder(self._window.folders.models))

    def add_model(self, path: Path | None) -> None:
        if path is not None:
            self._window.model_files.add(path)

    def use_addition(self, path: Path) -> None:
        try:
            self.tell(Notice(title=self._desk.additions.use(read_addition(path))))
        except UserError as error:
            self.tell_error(error)

    def tell_error(self, error: UserError) -> None:
        self.tell(Notice(kind=Kind.ERROR, title=error.message, text=error.remedy))

    def show_model_help(self) -> None:
        missing = self._desk.shelf.current is None
        self.tell(
            Notice(
                kind=Kind.ERROR if missing else Kind.INFO,
                title="There is no model to paint with yet." if missing else _HELP_TITLE,
                text=_HELP_TEXT,
                help=Help(label="Open the models folder", act=lambda: self._show_folder(self._desk.shelf.folder)),
            )
        )

    def show_shortcuts(self) -> None:
        from app.ui.shortcut_dialog import ShortcutDialog

        ShortcutDialog(self._desk.shortcuts, self._window).open()

    def show_about(self) -> None:
        from app.ui.about import AboutDialog

        AboutDialog(self._window).open()

    # Painting

    def try_prompt(self, prompt: str) -> None:
        self._desk.store.update(prompt=prompt)
        self._window.painting.submit()

    def toggle_mask(self) -> None:
        shown = not self._canvas.mask_visible
        self._canvas.set_mask_visible(shown)
        action = self._window.actions_by_id["show_mask"]
        action.setChecked(shown)
        action.setIcon(icon("mask" if shown else "mask-off"))

    def escape(self) -> None:
        """Cancel the innermost thing there is."""
        if self._canvas.cancel_stroke() or self._window.notices.close_newest():
            return
        if self._canvas.comparison.wiping:
            self._window.actions_by_id["wipe"].trigger()
            return
        if self._window.live.drop():
            return
        if not self._window.painting.stop() and self._desk.candidates.waiting:
            self._desk.candidates.clear()
            self._window.status_line.show_hint("The candidates are put away; the history keeps them.")

    # Queue

    def ask_for_grid(self) -> None:
        from app.ui.grid_dialog import GridDialog

        if self._desk.shelf.current is None:
            self.show_model_help()
            return
        dialog = GridDialog(lambda: snapshot(self._document, self._desk.store.params), self._desk.queue, self._window)
        dialog.asked.connect(self._window.grids.paint)
        dialog.open()

    def toggle_pause(self) -> None:
        queue = self._desk.queue
        (queue.go_on if queue.paused else queue.pause)()

    def clear_queue(self) -> None:
        """Nothing waits any more; what is being painted goes on."""
        for job in reversed(self._desk.queue.waiting):
            self._desk.queue.cancel(job.id)

    # Candidates

    def accept_candidate(self) -> None:
        others = self._window.painting.accept()
        if others:
            many = "The other one is" if others == 1 else f"The other {others} are"
            self._window.status_line.show_hint(f"{many} in the history.")

    def zoom_to_change(self) -> None:
        """As large as it fits; where that is so already, the whole picture."""
        if (shown := self._desk.candidates.shown) is not None:
            box = QRectF(*astuple(shown.result.box))
            if not self._canvas.viewport.show_box(box):
                self._canvas.fit()

    def star_candidate(self) -> None:
        if (candidate := self._desk.candidates.star()) is not None:
            self._desk.history.star_candidate(candidate.job_id, candidate.result, candidate.starred)

    def tell(self, notice: Notice) -> None:
        self._window.notices.show_notice(notice)

    def _show_folder(self, folder: Path) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
