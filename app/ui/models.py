"""The models there are to choose from, and which of them is in use."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.errors import ModelError
from app.core.geometry import Size
from app.core.params import Params
from app.core.prompt import PromptPlan
from app.core.settings import Folders
from app.library.importing import needs_converting
from app.library.models import Model, read_model, survey
from app.ui.params import ParamStore

if TYPE_CHECKING:
    from app.library.tokens import TokenCounter

log = logging.getLogger(__name__)


class ModelShelf(QObject):
    """Knows the models on disk and keeps ``Params.model`` pointing at one that is there."""

    changed = Signal()
    """The models, or the one in use, are others now."""

    def __init__(
        self, store: ParamStore, folders: Folders, added: Sequence[Path] = (), parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._folders = folders
        self._added = list(added)
        self._models: tuple[Model, ...] = ()
        self._pickled: tuple[Path, ...] = ()
        self._counter: tuple[str, TokenCounter | None] = ("", None)  # of the model that was asked about last
        store.changed.connect(self._on_params)
        self.look_again()

    @property
    def models(self) -> tuple[Model, ...]:
        return self._models

    @property
    def pickled(self) -> tuple[Path, ...]:
        """What lies in the models folder and must be converted before it can be used."""
        return self._pickled

    @property
    def added(self) -> tuple[Path, ...]:
        """Models that the person named, beside those in the models folder."""
        return tuple(self._added)

    @property
    def folder(self) -> Path:
        """Where a model is found by itself."""
        return self._folders.models

    @property
    def current(self) -> Model | None:
        return self._find(self._store.params.model)

    def look_again(self) -> None:
        """Read the folders anew; a model that is gone makes room for the first there is."""
        found, problems = survey(self._folders, self._added)
        self._models = tuple(found)
        self._pickled = tuple(problem.path for problem in problems if needs_converting(problem.path, self._folders))
        if self.current is None:
            self._store.update(model=self._models[0].id if self._models else "")
        self.changed.emit()

    def add(self, path: Path) -> Model:
        """Take a model in, a folder or a file, and use it. Raises ModelError with what is wrong with it."""
        model = read_model(path)
        self.use(model)
        return model

    def use(self, model: Model) -> None:
        """Take in a model that was read, and use it."""
        if self._find(model.id) is None:
            self._added.append(model.path)
        self.look_again()
        self._store.update(model=model.id)

    def read_prompt(self, prompt: str, embeddings: Mapping[str, int] | None = None) -> PromptPlan | None:
        """How the model in use reads a prompt; None where there is none, or its tokenizer cannot be read.

        ``embeddings``: by the words that call them, how many tokens each takes.
        """
        model = self.current
        if model is None:
            return None
        if self._counter[0] != model.id:
            self._counter = (model.id, _counter(model))
        counter = self._counter[1]
        return counter.plan(prompt, embeddings) if counter is not None else None

    def _find(self, id: str) -> Model | None:
        return next((model for model in self._models if model.id == id), None)

    def _on_params(self, params: Params, names: set[str]) -> None:
        if "model" not in names:
            return
        model = self._find(params.model)
        if model is not None and "size" not in names:
            self._store.update(size=suited(params, model).size)
        self.changed.emit()


def _counter(model: Model) -> TokenCounter | None:
    from app.library.tokens import load_token_counter  # tens of milliseconds that an empty prompt does not need

    try:
        return load_token_counter(model.path)
    except ModelError as error:
        log.info("prompts for %s are not counted: %s", model.path, error)
        return None


def suited(params: Params, model: Model) -> Params:
    """The parameters with a size that the model paints well: its own, unless the one set is near enough."""
    own = model.native_size
    if own * own / 2 <= params.size.area <= own * own * 2:
        return params
    return replace(params, size=Size(own, own))
