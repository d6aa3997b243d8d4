"""What can be added to the model, found on the disk, and what is in use of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.core.additions import EmbeddingUse, LoraUse
from app.core.beginning import Beginning
from app.core.errors import ModelError, RequestError
from app.core.kinds import Kind
from app.core.settings import Folders
from app.jobs.background import Background
from app.library.additions import Addition, find_additions, read_addition
from app.library.fingerprints import fingerprint
from app.ui.params import ParamStore

log = logging.getLogger(__name__)

_PARAM = {Kind.LORA: "loras", Kind.EMBEDDING: "embeddings"}


class AdditionShelf(QObject):
    """Knows the LoRAs, embeddings and VAEs in the models folder, and puts them into the Params and out again."""

    changed = Signal()
    """Files have come or gone."""
    found_again = Signal(str)
    """A sentence on a file that was looked for by what is in it, and is in use now."""

    def __init__(self, store: ParamStore, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._folders = folders
        self._background = Background(self)
        self._found: tuple[Addition, ...] = ()
        self._chosen: dict[Path, Addition] = {}  # from elsewhere than the models folder

    @property
    def busy(self) -> bool:
        return self._background.busy

    @property
    def known(self) -> tuple[Addition, ...]:
        """Those found, and those that were chosen from elsewhere since the start."""
        found = {addition.path for addition in self._found}
        return (*self._found, *(one for path, one in self._chosen.items() if path not in found))

    def look_again(self) -> None:
        """Look into the models folder; ``changed`` says when there is something else in it."""

        def done(found: list[Addition]) -> None:
            if tuple(found) != self._found:
                self._found = tuple(found)
                self.changed.emit()

        folders, in_use = self._folders, tuple(self._paths_in_use())
        self._background.run(
            lambda: [*find_additions(folders), *_elsewhere(in_use, folders)],
            done,
            lambda error: log.error("the models folder cannot be looked into", exc_info=error),
        )

    def use(self, addition: Addition) -> str:
        """Add it to the model; returns a sentence on what is in use now. Raises RequestError where it does not go
        together with the others."""
        self._chosen.setdefault(addition.path, addition)
        params, file, name = self._store.params, str(addition.path), addition.name
        match addition.kind:
            case Kind.VAE:
                self._store.update(vae=file)
                return f"The VAE {name} is used in place of the model's own."
            case Kind.LORA:
                if all(use.file != file for use in params.loras):
                    self._store.update(loras=(*params.loras, LoraUse(file=file)))
                return f"The LoRA {name} is added to the model."
            case _:
                return self._use_embedding(EmbeddingUse(file=file))

    def _use_embedding(self, use: EmbeddingUse) -> str:
        others = self._store.params.embeddings
        if all(other.file != use.file for other in others):
            if any(other.word.casefold() == use.word.casefold() for other in others):
                raise RequestError(f"Two embeddings are called “{use.word}”.", "Give the other one another word first.")
            self._store.update(embeddings=(*others, use))
        return f"The embedding is added: write “{use.word}” in a prompt to call it."

    def remove(self, kind: Kind, file: str) -> None:
        if kind is Kind.VAE:
            self._store.update(vae="")
            return
        name = _PARAM[kind]
        self._store.update(**{name: tuple(use for use in getattr(self._store.params, name) if use.file != file)})

    def weigh(self, file: str, weight: float) -> None:
        """How strongly a LoRA counts."""
        loras = self._store.params.loras
        self._store.update(loras=tuple(replace(use, weight=weight) if use.file == file else use for use in loras))

    def call(self, file: str, word: str) -> None:
        """The word by which prompts call an embedding; its own name if empty. Raises RequestError for one in use."""
        embeddings = self._store.params.embeddings
        new = EmbeddingUse(file=file, word=word)
        if any(use.file != file and use.word.casefold() == new.word.casefold() for use in embeddings):
            raise RequestError(f"Two embeddings are called “{new.word}”.", "Give one of them another word.")
        self._store.update(embeddings=tuple(new if use.file == file else use for use in embeddings))

    def tokens(self) -> dict[str, int]:
        """By the words of the embeddings in use, how many tokens each takes in a prompt."""
        sizes = {str(addition.path): addition.vectors for addition in self.known}
        return {use.word: sizes[use.file] for use in self._store.params.embeddings if sizes.get(use.file)}

    def settled(self, values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Parameters that name additions by file name, as pictures tell them, with the files that have these names
        here; and sentences on those that are not here."""
        values, notes = dict(values), list[str]()
        for kind, name in _PARAM.items():
            if name in values:
                values[name] = tuple(self._here(kind, values[name], notes))
        if values.get("beginnings"):
            values["beginnings"] = tuple(self._begun_here(beginning, notes) for beginning in values["beginnings"])
        if values.get("vae"):
            wanted, values["vae"] = values["vae"], self._file(Kind.VAE, values["vae"]) or ""
            if not values["vae"]:
                notes.append(f"It was painted with a VAE that is not here: “{Path(wanted).stem}”.")
        return values, notes

    def _begun_here(self, beginning: Beginning, notes: list[str]) -> Beginning:
        found: dict[str, Any] = {
            name: tuple(self._here(kind, getattr(beginning, name), notes)) for kind, name in _PARAM.items()
        }
        return replace(beginning, **found)

    def look_for(self, values: Mapping[str, Any], hashes: Mapping[str, str]) -> None:
        """Use what ``values`` name and is here under another name only, as soon as it is found by its ``hashes``."""
        wanted: list[tuple[Kind, Any]] = []
        for kind, name in _PARAM.items():
            wanted += [(kind, use) for use in values.get(name, ()) if self._file(kind, use.file) is None]
        if values.get("vae") and self._file(Kind.VAE, values["vae"]) is None:
            wanted.append((Kind.VAE, values["vae"]))
        sought = [(kind, use, hashes[name]) for kind, use in wanted if (name := _name(use)) in hashes]
        known, folders = self.known, self._folders

        def search() -> list[tuple[Any, Addition]]:
            there = {addition.path: addition for addition in (*find_additions(folders), *known)}
            return [
                (use, addition)
                for kind, use, digits in sought
                for addition in there.values()
                if addition.kind is kind and fingerprint(addition.path) == digits
            ]

        if sought:
            self._background.run(search, self._use_found, lambda error: log.error("not found", exc_info=error))

    def _use_found(self, found: list[tuple[Any, Addition]]) -> None:
        for use, addition in found:
            file, params = str(addition.path), self._store.params
            if addition.kind is Kind.VAE:
                self._store.update(vae=file)
            else:
                name = _PARAM[addition.kind]
                others = getattr(params, name)
                if any(other.file == file for other in others):
                    continue
                self._store.update(**{name: (*others, replace(use, file=file))})
            self.found_again.emit(f"“{Path(_name(use)).stem}” was found again: it is called “{addition.name}” here.")

    def stop(self) -> None:
        self._background.stop()

    def _here(self, kind: Kind, uses: Iterable[Any], notes: list[str]) -> Iterator[LoraUse | EmbeddingUse]:
        for use in uses:
            file = self._file(kind, use.file)
            if file is not None:
                yield replace(use, file=file)
            else:
                notes.append(f"It was painted with {kind.value} that is not here: “{Path(use.file).stem}”.")

    def _file(self, kind: Kind, name: str) -> str | None:
        """The known file of this kind and name; a path that is there is taken as it is."""
        for addition in self.known:
            if addition.kind is kind and name in (str(addition.path), addition.path.name):
                return str(addition.path)
        return None

    def _paths_in_use(self) -> Iterator[Path]:
        params = self._store.params
        yield from (Path(use.file) for use in params.loras)
        yield from (Path(use.file) for use in params.embeddings)
        if params.vae:
            yield Path(params.vae)


def _name(use: LoraUse | EmbeddingUse | str) -> str:
    """The file's own name."""
    return Path(use if isinstance(use, str) else use.file).name


def _elsewhere(paths: tuple[Path, ...], folders: Folders) -> Iterator[Addition]:
    """What is in use from another place than the models folder, as far as it is still there."""
    for path in paths:
        if not path.is_relative_to(folders.data):
            try:
                yield read_addition(path)
            except ModelError as error:
                log.info("%s is in use and cannot be read: %s", path, error)
