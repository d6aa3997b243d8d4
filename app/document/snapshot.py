"""Document and Params -> Request: the moment at which everything that decides a picture is frozen."""

from __future__ import annotations

from typing import assert_never

from app.core.errors import RequestError
from app.core.geometry import Rect
from app.core.params import Intent, Params
from app.core.request import FrameChoice, ImageToImage, Inpaint, Request, Task, TextToImage
from app.document.document import Document
from app.document.surroundings import source_under


def snapshot(document: Document, params: Params) -> Request:
    """What ``params.intent`` asks for, with read-only copies of the pixels: painting on changes nothing in it.

    Raises RequestError when something is missing (a model, a picture, a mask) or out of range.
    """
    if not params.model:
        raise RequestError("There is no model to paint with yet.", "Choose a model, or add one first.")
    task = _task(document, params)
    generate = isinstance(task, TextToImage)
    return Request(
        prompt=params.prompt,
        negative=params.negative,
        model=params.model,
        size=params.size if generate else document.size,
        seed=params.seed,
        variation=params.variation,
        count=params.count,
        steps=params.steps,
        guidance=params.guidance,
        sampler=params.sampler,
        guidance_interval=params.guidance_interval,
        clip_skip=params.clip_skip,
        draft=params.draft,
        loras=params.loras,
        embeddings=params.embeddings,
        vae=params.vae,
        task=task,
        frame=_frame(document, task, params),
        beginnings=params.beginnings,
        stop_at=params.stop_at,
    )


def _task(document: Document, params: Params) -> Task:
    match params.intent:
        case Intent.GENERATE:
            return TextToImage()
        case Intent.REFINE:
            _need_picture(document, "refine")
            return ImageToImage(image=source_under(document), strength=params.strength)
        case Intent.INPAINT:
            _need_picture(document, "repaint a part of")
            mask = document.mask_pixels()
            return Inpaint(
                image=source_under(document, mask),
                mask=mask,
                strength=params.inpaint_strength,
                seam=params.seam,
            )
        case _:
            assert_never(params.intent)


def _frame(document: Document, task: Task, params: Params) -> FrameChoice | Rect:
    """A frame drawn by hand counts wherever there is a picture."""
    match task:
        case TextToImage():
            return FrameChoice.WHOLE
        case ImageToImage():
            return document.frame or FrameChoice.AUTO
        case Inpaint():
            return document.frame or params.frame
        case _:
            assert_never(task)


def _need_picture(document: Document, verb: str) -> None:
    if not document.has_picture:
        raise RequestError(f"There is no picture to {verb} yet.", "Open or drop a picture, or generate one first.")
