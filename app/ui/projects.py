"""Projects: everything that is on the desk in one layered file, and back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.core.errors import PictureError
from app.core.geometry import Size
from app.core.job import Result
from app.core.request import Pixels
from app.document import images
from app.document.commands import OpenLayers
from app.document.document import Origin, State
from app.document.layer_commands import picture_layer
from app.document.layers import looked
from app.document.masks import MOST_NAME, Masks, content_of, image_of
from app.document.masks import NamedMask as DocumentMask
from app.jobs.background import Background
from app.library.openraster import ENDING, over_white
from app.library.project import KeptCandidate, NamedMask, Project, load_project, save_project
from app.ui import session
from app.ui.candidates import Candidate, earlier_job
from app.ui.desk import Desk
from app.ui.files import PictureFiles
from app.ui.layer_items import items_of, shared, stack_of
from app.ui.notices import Kind, Notice
from app.ui.recipes import Recipes

log = logging.getLogger(__name__)

_KEPT = "Your picture is as it was."


class Projects(QObject):
    """Saves the desk as an OpenRaster file and opens such files. ``tell`` is given what the person should know."""

    saved = Signal(object, int)
    """The path that the project was written to, and how many bytes it has."""
    opened = Signal(object, bool)
    """The path of a project that is on the desk now, and whether it may be written over: a layered file of another
    program holds more than Limner shows of it."""

    def __init__(
        self,
        desk: Desk,
        files: PictureFiles,
        recipes: Recipes,
        background: Background,
        tell: Callable[[Notice], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._files = files
        self._recipes = recipes
        self._background = background
        self._tell = tell

    def save(self, path: Path, then: Callable[[], object] = lambda: None) -> None:
        """Write everything as it is now; ``then`` is called once it is safely on the disk, and only then."""
        document, state = self._desk.document, self._files.state(whole=True)
        # The images share the pixels; who writes them gets a copy of their own. All else is values.
        picture, mask, frame = document.picture.share(), QImage(document.mask), document.frame
        masks = document.masks
        layers, active = shared(document.layers), document.active.id if document.active is not None else None
        model = self._desk.shelf.current
        params = session.params_to_share(self._desk.store.params, model.name if model is not None else "")
        candidates = tuple(KeptCandidate(each.result, each.starred) for each in self._desk.candidates.waiting)
        tell = self._files.provenance.teller(document.origin)

        def write() -> int:
            pixels = images.to_pixels(picture)
            return save_project(
                path,
                Project(
                    size=Size(pixels.shape[1], pixels.shape[0]),
                    items=items_of(layers, active),
                    merged=pixels,
                    kinds=tuple(layer.kind.value for layer in reversed(layers)),
                    masks=tuple(_all_masks(masks, mask)),
                    active_mask=masks.active,
                    frame=frame,
                    params=params,
                    candidates=candidates,
                    told=tell(pixels),
                ),
            )

        def done(size: int) -> None:
            self._files.mark_saved(state)
            self.saved.emit(path, size)
            then()

        self._background.run(write, done, self._failed)

    def open(self, path: Path) -> None:
        """Put a project on the desk, as a step that undo takes back."""
        self._background.run(lambda: _loaded(path), lambda loaded: self._show(path, loaded), self._failed)

    def _show(self, path: Path, loaded: _Loaded) -> None:
        document, project = self._desk.document, loaded.project
        document.undo.push(OpenLayers(document, loaded.state, f"Open {path.name}"))
        self._files.provenance.opened(loaded.pixels, project.told, document.origin)
        # Written again it must not lose what only the other program knows of it.
        own = project.own and loaded.faithful
        self._files.mark_saved(self._files.state(whole=own))
        self.opened.emit(path, own)
        if project.params:
            for note in self._recipes.put(session.recipe_from_shared(project.params)):
                self._tell(Notice(title=note))
        waiting = [
            Candidate(
                job_id=earlier_job(),
                result=self._with_model(each.result),
                origin=document.origin,
                starred=each.starred,
            )
            for each in project.candidates
        ]
        self._desk.candidates.bring_back(waiting, 0)
        for note in (*project.notes, *loaded.notes):
            self._tell(Notice(title=note))

    def _with_model(self, result: Result) -> Result:
        """A file names no paths: those of this computer are put in their place."""
        request = result.request
        named = {"loras": request.loras, "embeddings": request.embeddings, "vae": request.vae}
        values, _ = self._desk.additions.settled(named)
        model = self._recipes.find_model(result.model_name) or ""
        return replace(result, request=replace(request, model=model, **values))

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PictureError):
            self._tell(Notice(kind=Kind.ERROR, title=error.message, text=f"{error.remedy} {_KEPT}"))
            return
        log.error("a project failed", exc_info=error)
        title = "Something went wrong with that project."
        self._tell(Notice(kind=Kind.ERROR, title=title, text=f"Try another file. {_KEPT}", details=repr(error)))


def is_project(path: Path) -> bool:
    """By its ending: a layered file."""
    return path.suffix.lower() == ENDING


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A project as the document can hold it."""

    project: Project
    state: State
    pixels: Pixels
    faithful: bool
    notes: tuple[str, ...]


def _loaded(path: Path) -> _Loaded:
    """Raises PictureError."""
    project = load_project(path)
    size = project.size
    stacked = stack_of(project.items, project.kinds)
    notes = [] if stacked.faithful else [f"Some layers of “{path.name}” mix in a way that Limner does not know."]
    stack, active = stacked.stack, stacked.active
    if not stack:
        stack = (picture_layer(images.to_qimage(over_white(project.merged))),)
        active = stack[0].id
    picture = looked(stack, size)  # here, where nobody waits for it
    mask = np.zeros((size.height, size.width), np.uint8)
    if project.masks:
        mask = project.masks[project.active_mask].pixels
    state = State(
        layers=stack,
        active=active,
        mask=images.to_qimage(mask),
        masks=_masks_of(project),
        origin=Origin.new(),
        picture=picture,
        painted=int(np.count_nonzero(mask)),
        frame=project.frame,
    )
    return _Loaded(project, state, images.to_pixels(picture), stacked.faithful, tuple(notes))


def _all_masks(masks: Masks, live: QImage) -> Iterator[NamedMask]:
    """As the file holds them. May run on any thread."""
    size = Size(live.width(), live.height())
    for number, item in enumerate(masks.items):
        image = live if number == masks.active else image_of(item.content, size)
        yield NamedMask(item.name, images.to_mask(image))


def _masks_of(project: Project) -> Masks:
    """As the document holds them; the pixels of the one in use are the document's mask."""
    if not project.masks:
        return Masks.one()
    items = []
    for number, kept in enumerate(project.masks):
        content = () if number == project.active_mask else content_of(images.to_qimage(kept.pixels))
        name = kept.name.strip()[:MOST_NAME] or f"Mask {number + 1}"
        items.append(DocumentMask.new(name, content))
    return Masks(items=tuple(items), active=project.active_mask)
