"""The Backend: keeps the loaded bundle, decides where it computes, and answers what may go wrong."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from pathlib import Path

import torch

from app.core.errors import UserError, is_out_of_memory
from app.core.job import Hooks, Phase, Result
from app.core.request import Request
from app.diffusion.beginnings import paint_from_beginnings
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.extras import Extras, Fitted
from app.diffusion.generate import generate
from app.diffusion.parts import generate_parts
from app.diffusion.placement import Placement, choose_placement
from app.diffusion.quick import load_quickened

log = logging.getLogger(__name__)

_Stamp = tuple[str, int]


class Engine:
    """Does Requests on this machine, one at a time; holds one bundle, the last one used."""

    def __init__(
        self,
        placement: Placement | None = None,
        collect: Callable[[], object] = gc.collect,
        prepare: Callable[[ModelBundle], ModelBundle] | None = None,
    ) -> None:
        """``collect``: frees what only reference cycles still hold; a program with a window must do that on its own
        thread. ``prepare``: gets the model as it was loaded, in place of one that is made quick while it is read; left
        as it is, it computes what diffusers does, bit for bit."""
        self._prepare = prepare
        self._collect = collect
        self._placement = placement or choose_placement()
        self._bundle: ModelBundle | None = None
        self._stamp: _Stamp | None = None
        self._extras: Extras | None = None

    def run(self, request: Request, hooks: Hooks) -> Result:
        """See ``app.core.job.Backend``."""
        try:
            if request.beginnings and request.resume is None:
                return paint_from_beginnings(self._run_one, request, hooks)
            fitted = self._fitted(request, hooks)
            return generate_parts(fitted.bundle, request, hooks, fitted.embeddings, self._free, fitted.notes)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            log.info("out of memory", exc_info=True)
        # outside the handler, so that the error's frames no longer hold the tensors
        self._free()
        raise UserError(
            f"There was not enough memory for a picture of {request.size}.",
            "Choose a smaller size, or close other programs and try again.",
        )

    def _run_one(self, request: Request, hooks: Hooks) -> Result:
        fitted = self._fitted(request, hooks)
        return generate(fitted.bundle, request, hooks, fitted.embeddings, self._free, fitted.notes)

    def _fitted(self, request: Request, hooks: Hooks) -> Fitted:
        """The model with what the Request adds to it."""
        bundle = self._loaded(request.model, hooks)
        if self._extras is None:
            self._extras = Extras(bundle)
        return self._extras.fit(request)

    def _loaded(self, model: str, hooks: Hooks) -> ModelBundle:
        path = Path(model)
        stamp = _stamp_of(path)
        if self._bundle is None or self._stamp != stamp:
            hooks.entered(Phase.LOADING)
            self._bundle = self._stamp = self._extras = None  # never two models in memory
            self._free()
            self._bundle = self._load(path)
            self._stamp = stamp
        return self._bundle

    def _load(self, path: Path) -> ModelBundle:
        if self._prepare is None:
            return load_quickened(path, self._placement)
        return self._prepare(load_bundle(path, self._placement))

    def _free(self) -> None:
        self._collect()
        if self._placement.device.type == "cuda":
            torch.cuda.empty_cache()


def _stamp_of(model: Path) -> _Stamp:
    """Tells a model from another, and from itself after its files were replaced."""
    if model.is_file():
        files = [model, *(model.with_suffix(ending) for ending in (".yaml", ".json")), *model.parent.glob("*/*.json")]
    else:
        files = [*model.glob("*.json"), *model.glob("*/*")]
    return str(model.absolute()), max((_changed_at(file) for file in files), default=0)


def _changed_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:  # not there, a link that leads nowhere, or a file that vanished: loading will say so in words
        return 0
