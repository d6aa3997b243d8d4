"""Which signals of the window's parts lead where, and what of the window follows from each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.job import Place, Result
from app.core.params import Params
from app.library.saving import Saved
from app.ui.actions import CANDIDATE_ACTIONS
from app.ui.icons import icon
from app.ui.mask_work import MASK_EDITS
from app.ui.notices import Notice
from app.ui.words import in_bytes

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow


class Wiring(QObject):
    """Joins the parts of the finished window, and shows how things stand from then on."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._desk = window.desk
        self._document = window.desk.document
        self._commands = window.commands
        self._files = window.file_commands
        self._connect_wishes()
        self._connect_canvas()
        self._connect_work()
        self._connect_document()
        self._show_beginning()

    def _connect_wishes(self) -> None:
        wishes, window, commands = self._desk.wishes, self._window, self._commands
        wishes.paint.connect(lambda: window.painting.submit())
        wishes.paint_next.connect(lambda: window.painting.submit(Place.FIRST))
        wishes.paint_instead.connect(window.painting.submit_instead)
        wishes.stop.connect(window.painting.stop)
        wishes.open_picture.connect(self._files.open)
        wishes.open_file.connect(self._files.open_recent)
        wishes.add_model_file.connect(commands.add_model_file)
        wishes.add_model_folder.connect(commands.add_model_folder)
        wishes.convert_model.connect(commands.add_model)
        wishes.add_addition.connect(commands.use_addition)
        wishes.tell.connect(commands.tell_error)
        window.model_files.installed.connect(lambda _, path: commands.use_addition(path))
        wishes.model_help.connect(commands.show_model_help)
        wishes.try_prompt.connect(commands.try_prompt)
        wishes.show_entry.connect(commands.show_entry)
        wishes.start_over.connect(commands.start_over)
        wishes.use_settings.connect(commands.use_settings)
        wishes.edit_mask.connect(window.mask_work.edit)

    def _connect_canvas(self) -> None:
        window, canvas, status = self._window, self._window.canvas, self._window.status_line
        self._desk.mask_looks.changed.connect(canvas.set_mask_look)
        canvas.zoom_changed.connect(status.show_zoom)
        canvas.pointer_moved.connect(status.show_pointer)
        canvas.hint_changed.connect(status.show_hint)
        canvas.said.connect(lambda text: window.screen_reader.say(text))
        canvas.tool_changed.connect(lambda id: window.actions_by_id[f"tool_{id}"].setChecked(True))
        status.zoom_asked.connect(canvas.fit)
        self._desk.shortcuts.changed.connect(self._on_shortcuts)
        canvas.comparison.possible_changed.connect(self._on_comparable)

    def _connect_work(self) -> None:
        window, status = self._window, self._window.status_line
        for signal in (self._desk.candidates.changed, self._desk.candidates.shown_changed):
            signal.connect(self._on_candidates)
        self._desk.queue.lined_up.connect(self._on_lined_up)
        self._desk.engine.changed.connect(self._on_engine_place)
        window.live.changed.connect(self._on_live)
        window.live.told.connect(self._commands.tell_error)
        window.kept_steps.changed.connect(self._on_steps)
        window.kept_steps.told.connect(self._commands.tell_error)
        self._desk.history.told.connect(self._commands.tell)
        self._commands.entry_shown.connect(lambda: self._on_opened(None))
        window.painting.arrived.connect(self._on_arrived)
        window.files.reopened.connect(window.recipes.offer)
        window.files.opened.connect(self._on_opened)
        window.files.mark_transparent.connect(lambda mask: window.mask_files.put(mask, "Mask from transparency"))
        window.files.saved.connect(self._on_saved)
        window.projects.opened.connect(self._on_project_opened)
        window.projects.saved.connect(self._on_project_saved)
        window.mask_files.saved.connect(lambda path: status.show_hint(f"The mask is saved as {path.name}."))

    def _connect_document(self) -> None:
        document = self._document
        document.undo.trimmed.connect(self._on_trimmed)
        for signal in (document.reset, document.changed, document.mask_emptied, document.frame_changed,
                       document.masks_changed, document.undo.indexChanged):  # fmt: skip
            signal.connect(self._on_document)
        self._desk.store.changed.connect(self._on_params)

    def _show_beginning(self) -> None:
        canvas, status, actions = self._window.canvas, self._window.status_line, self._window.actions_by_id
        actions["show_mask"].setChecked(canvas.mask_visible)
        for id in ("pixel_grid", "navigator", "preview"):
            actions[id].setChecked(True)
        actions[f"tool_{canvas.tool}"].setChecked(True)
        status.show_zoom(canvas.zoom)
        status.show_hint(canvas.hint)
        self._on_shortcuts()
        self._files.show_save_choices()
        self._on_engine_place()
        self._on_candidates()
        self._on_comparable(canvas.comparison.possible)
        self._on_lined_up()
        self._on_live()
        self._on_steps()
        self._on_params(self._desk.store.params, {"size"})
        self._on_document()

    def _on_shortcuts(self) -> None:
        self._window.status_line.show_fit_key(self._desk.shortcuts.shown("fit"))
        bindings = self._desk.shortcuts.bindings
        self._window.canvas.set_bindings(bindings)
        self._window.tool_options.show_keys(bindings)

    def _on_comparable(self, possible: bool) -> None:
        action = self._window.actions_by_id["wipe"]
        action.setEnabled(possible)
        action.setChecked(self._window.canvas.comparison.wiping)

    def _on_live(self) -> None:
        live, actions = self._window.live, self._window.actions_by_id
        actions["live"].setChecked(live.on)
        actions["live_keep"].setEnabled(live.ghost is not None)
        if live.ghost is not None:
            self._window.status_line.show_hint("Live: K keeps what is shown, Esc puts it away.")

    def _on_steps(self) -> None:
        steps, actions = self._window.kept_steps, self._window.actions_by_id
        last = 0 if steps.trail is None else len(steps.trail)
        for id, possible in (
            ("candidate_steps", last > 0),
            ("step_back", steps.step > 1),
            ("step_on", steps.step < last),
            ("step_take", steps.takable),
            ("step_branch", steps.branchable),
        ):
            actions[id].setEnabled(possible)

    def _on_lined_up(self) -> None:
        queue, actions = self._desk.queue, self._window.actions_by_id
        actions["queue_pause"].setChecked(queue.paused)
        actions["queue_clear"].setEnabled(bool(queue.waiting))

    def _on_engine_place(self) -> None:
        self._window.actions_by_id["engine_apart"].setChecked(self._desk.engine.apart)

    def _on_candidates(self) -> None:
        candidates, actions = self._desk.candidates, self._window.actions_by_id
        shown = candidates.shown
        for id in CANDIDATE_ACTIONS:
            actions[id].setEnabled(shown is not None and (id != "candidate_steps" or shown.result.trail is not None))
        for id in ("candidate_previous", "candidate_next"):
            actions[id].setEnabled(len(candidates.waiting) > 1)
        actions["candidate_before"].setChecked(candidates.comparing)
        starred = shown is not None and shown.starred
        actions["candidate_star"].setIcon(icon("star-filled" if starred else "star"))

    def _on_arrived(self, result: Result) -> None:
        self._window.status_line.show_result(result)
        self._window.files.provenance.painted(result, self._document.origin)

    def _on_opened(self, path: Path | None) -> None:
        self._window.intents.picture_opened()
        self._window.status_line.forget_result()
        self._files.name = path.name if path else "Untitled"
        self._files.own_file = None  # what was opened is not written over unasked
        if path is not None:
            self._files.open_folder = path.parent
            self._desk.recent.add(path)
        self._on_document()

    def _on_project_opened(self, path: Path, own: bool) -> None:
        self._on_opened(path)
        self._files.own_file = path if own else None

    def _on_project_saved(self, path: Path, size: int) -> None:
        self._belongs_to(path)
        self._window.status_line.show_hint(f"Saved as {path.name}: {in_bytes(size)}.")
        self._on_document()

    def _belongs_to(self, path: Path) -> None:
        """The document is in this file."""
        self._files.name, self._files.own_file = path.name, path
        self._desk.recent.add(path)

    def _on_saved(self, path: Path, saved: Saved) -> None:
        self._belongs_to(path)
        told = f", {in_bytes(saved.told_size)} of it how it was made" if saved.told_size else ""
        self._window.status_line.show_hint(f"Saved as {path.name}: {in_bytes(saved.size)}{told}.")
        for note in saved.notes:
            self._commands.tell(Notice(title=note))
        self._on_document()

    def _on_trimmed(self, count: int) -> None:
        what = "The oldest step" if count == 1 else f"The {count} oldest steps"
        self._window.status_line.show_hint(f"{what} can no longer be undone: undo has used up its memory (Steps).")
        self._on_document()

    def _on_params(self, params: Params, names: set[str]) -> None:
        if "size" in names:
            self._document.resize_blank(params.size)

    def _on_document(self, *_: object) -> None:
        document, undo, window = self._document, self._document.undo, self._window
        enabled = {
            **dict.fromkeys(("save", "save_as", "export"), document.has_picture),
            "copy": document.has_picture,
            **dict.fromkeys(("paste_mask", "paste_layer"), document.has_picture),
            **dict.fromkeys(
                ("clear_mask", "save_mask", "copy_masked", *(f"mask_{id}" for id in MASK_EDITS)),
                not document.mask_empty,
            ),
            "follow_mask": document.frame is not None,
            "next_mask": len(document.masks.items) > 1,
            "delete_mask": len(document.masks.items) > 1 or not document.mask_empty,
            **window.extent_work.enabled(),
            "undo": undo.canUndo(),
            "redo": undo.canRedo(),
        }
        for id, possible in enabled.items():
            window.actions_by_id[id].setEnabled(possible)
        for id, word, step in (("undo", "Undo", undo.undoText()), ("redo", "Redo", undo.redoText())):
            window.actions_by_id[id].setText(f"{word} {step[:1].lower()}{step[1:]}" if step else word)
        window.status_line.show_size(document.size)
        window.setWindowTitle(f"{self._files.name}[*] — Limner")
        window.setWindowModified(window.files.unsaved)
