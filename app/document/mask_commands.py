"""Undoable edits of the list of masks: which there are, what they are called, and which one is in use."""

from __future__ import annotations

from dataclasses import replace

from app.document.commands import PaintMask
from app.document.document import Document
from app.document.masks import MOST_NAME, Combine, Content, Masks, NamedMask, combined, content_of, differing
from app.document.undo import Step


class ChangeMasks(Step):
    """The list becomes ``masks``, and the live mask ``content``; None: it stays as it is painted."""

    def __init__(self, document: Document, text: str, masks: Masks, content: Content | None = None) -> None:
        super().__init__(text)
        self._document = document
        self._before: tuple[Masks, Content | None] | None = (document.masks, None)
        if content is not None:
            self._before = (document.masks, content_of(document.mask))
        self._after: tuple[Masks, Content | None] | None = (masks, content)

    @property
    def stored_bytes(self) -> int:
        """What no other step or the document holds as well."""
        contents = [state[1] for state in (self._before, self._after) if state is not None and state[1] is not None]
        return sum(tile.stored_bytes for content in contents for tile in content)

    def forget(self) -> None:
        self._before = self._after = None

    def redo(self) -> None:
        self._become(self._after)

    def undo(self) -> None:
        self._become(self._before)

    def _become(self, state: tuple[Masks, Content | None] | None) -> None:
        if state is None:
            return
        masks, content = state
        self._document.set_masks(masks)
        if content is not None:
            self._document.write_mask(list(differing(self._document.mask, content)))


def add_mask(document: Document) -> ChangeMasks:
    """A new, empty one, in use at once."""
    masks = document.masks
    new = NamedMask.new(masks.free_name())
    grown = replace(masks, items=(*masks.items, new))
    return ChangeMasks(document, "New mask", grown.using(len(masks.items), content_of(document.mask)), ())


def duplicate_mask(document: Document) -> ChangeMasks:
    """The one in use once more, below it and in use; the first stays as it is."""
    masks, content = document.masks, content_of(document.mask)
    copy = NamedMask.new(masks.free_name(f"{masks.current.name} copy"[:MOST_NAME]))
    at = masks.active + 1
    grown = replace(masks, items=(*masks.items[:at], copy, *masks.items[at:]))
    return ChangeMasks(document, "Duplicate mask", grown.using(at, content))


def delete_mask(document: Document) -> ChangeMasks:
    """The one in use goes, and the one above it is used; the last one is only emptied."""
    masks, gone = document.masks, document.masks.active
    if len(masks.items) == 1:
        return ChangeMasks(document, "Delete mask", masks, ())
    rest = (*masks.items[:gone], *masks.items[gone + 1 :])
    at = max(0, gone - 1)
    content = rest[at].content
    items = tuple(replace(item, content=()) if number == at else item for number, item in enumerate(rest))
    return ChangeMasks(document, "Delete mask", Masks(items=items, active=at), content)


def choose_mask(document: Document, number: int) -> ChangeMasks:
    """Another one is used from now on. IndexError for one that is not there."""
    masks = document.masks
    content = masks.items[number].content
    return ChangeMasks(document, "Choose mask", masks.using(number, content_of(document.mask)), content)


def rename_mask(document: Document, number: int, name: str) -> ChangeMasks:
    """ValueError for no name."""
    name = " ".join(name.split())[:MOST_NAME]
    if not name:
        raise ValueError("a mask needs a name")
    return ChangeMasks(document, "Rename mask", document.masks.named(number, name))


def combine_mask(document: Document, number: int, how: Combine) -> PaintMask | None:
    """The one in use changes by one that waits; None when that makes no difference."""
    edits = list(combined(document.mask, document.masks.items[number].content, how))
    return PaintMask(document, edits, f"{how.value} mask") if edits else None
