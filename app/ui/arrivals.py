"""What comes in by drop or clipboard, brought to whoever takes it; where there is a choice, the person is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject

from app.core.request import MOST_PROMPT
from app.library import webui
from app.ui.drops import DroppedFiles, DroppedImage, DroppedLink, DroppedText, is_weights, read_drop
from app.ui.files import PictureFiles
from app.ui.layer_files import LayerFiles
from app.ui.links import Links
from app.ui.mask_files import MaskFiles
from app.ui.model_files import ModelFiles
from app.ui.notices import Help, Notice, Notices
from app.ui.params import ParamStore
from app.ui.projects import Projects, is_project
from app.ui.recipes import Recipes, Reopened

_NAMES_SHOWN = 4
_KEPT = "Your picture is as it was."
_MOST_LETTERS = 160


class Arrivals(QObject):
    """Takes drops and what is pasted."""

    def __init__(
        self,
        store: ParamStore,
        files: PictureFiles,
        projects: Projects,
        layer_files: LayerFiles,
        mask_files: MaskFiles,
        model_files: ModelFiles,
        recipes: Recipes,
        notices: Notices,
        has_picture: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._files = files
        self._projects = projects
        self._layer_files = layer_files
        self._mask_files = mask_files
        self._model_files = model_files
        self._recipes = recipes
        self._notices = notices
        self._has_picture = has_picture
        self._offer: Notice | None = None
        self.links = Links(
            notices.show_notice, notices.withdraw, lambda got: files.bring_bytes(got.data, got.name), self
        )

    def take(self, mime: QMimeData) -> None:
        """Open what was dropped or pasted, or say why that cannot be."""
        self._notices.clear_quiet()
        match read_drop(mime):
            case DroppedFiles(paths=paths):
                self._take_files(paths)
            case DroppedImage(image=image):
                self._files.bring_image(image)
            case DroppedLink(address=address):
                self.links.offer(address)
            case DroppedText(text=text):
                self._take_text(text)
            case None:
                self._tell("There is no picture in that.", f"Drop a picture file. {_KEPT}")

    def take_mask(self, mime: QMimeData) -> None:
        """Use what was dropped or pasted as the mask, or say why that cannot be."""
        self._notices.clear_quiet()
        match read_drop(mime):
            case DroppedFiles(paths=paths) if not is_weights(paths[0]):
                self._mask_files.load(paths[0])
                if len(paths) > 1:
                    self._tell("There is one mask: the first file was taken for it.")
            case DroppedImage(image=image):
                self._mask_files.take_image(image)
            case _:
                self._tell("There is no mask in that.", "A mask is a picture: white is repainted, black is kept.")

    def take_layer(self, mime: QMimeData) -> None:
        """Lay what was pasted over the picture, or say why that cannot be."""
        self._notices.clear_quiet()
        match read_drop(mime):
            case DroppedFiles(paths=paths) if not any(is_weights(path) or is_project(path) for path in paths):
                self._layer_files.load(paths)
            case DroppedImage(image=image):
                self._layer_files.take_image(image)
            case _:
                self._tell("There is no picture in that to make a layer of.")

    # Files

    def _take_files(self, paths: Sequence[Path]) -> None:
        for path in filter(is_weights, paths):
            self._model_files.add(path, ask=True)
        pictures = [path for path in paths if not is_weights(path)]
        if len(pictures) == 1:
            self._bring(pictures[0])
        elif pictures:
            self._ask_about_several(pictures)

    def _bring(self, path: Path) -> None:
        if is_project(path):
            self._projects.open(path)
        else:
            self._files.bring(path)

    def _open(self, path: Path) -> None:
        if is_project(path):
            self._projects.open(path)
        else:
            self._files.open(path)

    def _ask_about_several(self, paths: Sequence[Path]) -> None:
        choices: tuple[Help, ...] = (
            Help(label="Open the first", act=lambda: self._open(paths[0])),
            Help(label="One by one", act=lambda: self._open_next(tuple(paths))),
        )
        if self._has_picture() and not any(map(is_project, paths)):
            choices = (*choices, Help(label="As layers", act=lambda: self._layer_files.load(paths)))
        self._show_offer(Notice(title=f"{len(paths)} files were given.", text=_names(paths), choices=choices))

    def _open_next(self, paths: tuple[Path, ...]) -> None:
        """Open the first of them, and offer the next."""
        first, rest = paths[0], paths[1:]
        self._open(first)
        if rest:
            waiting = "One more picture waits" if len(rest) == 1 else f"{len(rest)} more pictures wait"
            choices = (
                Help(label="Open the next", act=partial(self._open_next, rest)),
                Help(label="Leave them", act=lambda: None),
            )
            self._show_offer(Notice(title=f"{waiting}.", text=_names(rest), choices=choices, stays=True))

    def _show_offer(self, notice: Notice) -> None:
        """One question about files at a time: a new one takes the place of the last."""
        if self._offer is not None:
            self._notices.withdraw(self._offer)
        self._offer = notice
        self._notices.show_notice(notice)

    # Words

    def _take_text(self, text: str) -> None:
        recipe = webui.parse(text)
        if recipe is not None:
            self._recipes.offer(Reopened(name="The text", recipe=recipe))
        elif len(text) > MOST_PROMPT:
            self._tell("That text is too long for a prompt.", f"A prompt may have {MOST_PROMPT:,} characters.")
        elif not self._store.params.prompt.strip():
            self._use_prompt(text)
        else:
            short = " ".join(text[: 2 * _MOST_LETTERS].split())
            short = short if len(short) <= _MOST_LETTERS else f"{short[:_MOST_LETTERS].rstrip()}…"
            choices = (
                Help(label="Replace the prompt", act=lambda: self._use_prompt(text)),
                Help(label="Add to it", act=lambda: self._add_to_prompt(text)),
            )
            self._notices.show_notice(Notice(title="Use that text in the prompt?", text=f"“{short}”", choices=choices))

    def _use_prompt(self, text: str) -> None:
        self._store.update(prompt=text)
        self._tell("That text is the prompt now.")

    def _add_to_prompt(self, text: str) -> None:
        before = self._store.params.prompt.rstrip().removesuffix(",")
        self._store.update(prompt=f"{before}, {text}" if before else text)

    def _tell(self, title: str, text: str = "") -> None:
        self._notices.show_notice(Notice(title=title, text=text))


def _names(paths: Sequence[Path]) -> str:
    shown = ", ".join(path.name for path in paths[:_NAMES_SHOWN])
    more = len(paths) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
