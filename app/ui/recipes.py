"""Taking over what a picture tells: its settings, and where it is known what it was painted from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject

from app.core.geometry import Size
from app.core.recipe import Recipe
from app.document.commands import OpenPicture
from app.ui.desk import Desk
from app.ui.notices import Help, Notice, Notices
from app.ui.params import LEAST_SIDE, MOST_CLIP_SKIP, MOST_GUIDANCE, MOST_SIDE, MOST_STEPS

_MOST_LETTERS = 160
_ROOM: dict[str, tuple[float, float]] = {
    "steps": (1, MOST_STEPS),
    "guidance": (1.0, MOST_GUIDANCE),
    "clip_skip": (1, MOST_CLIP_SKIP),
}
"""What the panels can show; beyond it, a value would count that nobody sees."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reopened:
    """A file that tells how it was made. ``open`` makes its picture the document; None when it is that already."""

    name: str
    recipe: Recipe
    open: Callable[[], object] | None = None


class Recipes(QObject):
    """Offers recipes, and puts them into the panels and the document."""

    def __init__(self, desk: Desk, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._notices = notices
        self._offer: Notice | None = None
        desk.additions.found_again.connect(lambda said: notices.show_notice(Notice(title=said)))

    def offer(self, reopened: Reopened) -> None:
        """Let the person choose between the picture, its settings and both, on a card that is in nobody's way."""
        self._withdraw()
        recipe, name = reopened.recipe, reopened.name
        if not recipe.values:  # what was in there could not be read: the notes say so
            if reopened.open is not None:
                reopened.open()
            self._tell(recipe.notes)
            return
        show = reopened.open
        settings = "Settings" if show is not None else "Use its settings"  # the picture is open then
        choices = [Help(label=settings, act=lambda: self.take(recipe, name))]
        if show is not None:
            choices.insert(0, Help(label="Picture", act=show))
        if recipe.source is not None:
            choices.append(Help(label="Settings and source", act=lambda: self.start_over(recipe, name)))
        elif show is not None:
            choices.append(Help(label="Both", act=lambda: self._show_and_take(show, recipe, name)))
        title = f"“{name}” tells how it was made."
        self._offer = Notice(title=title, text=told_in_short(recipe), choices=tuple(choices), stays=bool(show))
        self._notices.show_notice(self._offer)

    def take(self, recipe: Recipe, name: str, fields: Iterable[str] | None = None) -> None:
        """Put its settings into the panels: those of the given names, or all of them."""
        notes = self.put(recipe, fields)
        whole = fields is None and recipe.exact and not notes
        again = whole and (recipe.source is None or self._source_is_open(recipe))
        text = "The seed is locked: the button paints the same picture again." if again else " ".join(notes)
        self._notices.show_notice(Notice(title=f"The settings of “{name}” are in use.", text=text))

    def put(self, recipe: Recipe, fields: Iterable[str] | None = None) -> tuple[str, ...]:
        """The same without a word; what the person should know."""
        values, notes = self._usable(recipe, fields)
        if "model" in values:  # first and alone, because a change of the model may bring another size
            self._desk.store.update(model=values.pop("model"))
        self._desk.store.update(**values)
        if recipe.hashes:
            names = set(recipe.values if fields is None else fields)
            self._desk.additions.look_for(
                {name: value for name, value in recipe.values.items() if name in names}, recipe.hashes
            )
        return notes

    def _show_and_take(self, show: Callable[[], object], recipe: Recipe, name: str) -> None:
        show()
        self.take(recipe, name)

    def start_over(self, recipe: Recipe, name: str) -> None:
        """Bring back the picture and the mask that it was painted from, in one step, and its settings."""
        if recipe.source is not None:
            step = OpenPicture(self._desk.document, recipe.source, f"Source of {name}", recipe.mask)
            self._desk.document.undo.push(step)
        self.take(recipe, name)

    def _source_is_open(self, recipe: Recipe) -> bool:
        document = self._desk.document
        if recipe.source is None or (document.size.height, document.size.width) != recipe.source.shape[:2]:
            return False
        same_mask = recipe.mask is None or bool((document.mask_pixels() == recipe.mask).all())
        return same_mask and bool((document.pixels() == recipe.source).all())

    def _usable(self, recipe: Recipe, fields: Iterable[str] | None) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The values to set, the model among them, and what the person should know."""
        notes = list(recipe.notes)
        values: dict[str, Any] = dict(recipe.values)
        for name, (least, most) in _ROOM.items():
            if name in values and not least <= values[name] <= most:
                notes.append(f"Its {name} of {values[name]:g} are beyond what can be set here ({least:g} to {most:g}).")
                values[name] = type(values[name])(min(max(values[name], least), most))
        if (size := values.get("size")) is not None and not _fits(size):
            notes.append(f"Its size of {size} cannot be set here and was left out.")
            del values["size"]
        values, missing = self._desk.additions.settled(values)
        if fields is None:
            notes += missing
        model = self.find_model(recipe.model_name)
        if model is not None:
            values["model"] = model
        elif recipe.model_name and (fields is None or "model" in fields):
            notes.append(f"It was painted with “{recipe.model_name}”, which is not here: another model is in use.")
        if fields is not None:
            wanted = set(fields)
            values = {name: value for name, value in values.items() if name in wanted}
        return values, tuple(notes)

    def find_model(self, name: str) -> str | None:
        """The model of this name, the one in use first."""
        shelf = self._desk.shelf
        current = [shelf.current] if shelf.current is not None else []
        for model in (*current, *shelf.models):
            if name.casefold() in (model.name.casefold(), model.path.name.casefold(), model.path.stem.casefold()):
                return model.id
        return None

    def _tell(self, notes: Iterable[str]) -> None:
        for note in notes:
            self._notices.show_notice(Notice(title=note))

    def _withdraw(self) -> None:
        if self._offer is not None:
            self._notices.withdraw(self._offer)
            self._offer = None


def told_in_short(recipe: Recipe) -> str:
    """The prompt, as much of it as a card has room for, and what else decides the picture."""
    prompt = " ".join(str(recipe.values.get("prompt", "")).split())
    short = prompt if len(prompt) <= _MOST_LETTERS else f"{prompt[:_MOST_LETTERS].rstrip()}…"
    facts = [f"“{short}”"] if short else []
    facts += [recipe.model_name] if recipe.model_name else []
    facts += [f"seed {recipe.values['seed']}"] if "seed" in recipe.values else []
    return " · ".join(facts)


def _fits(size: Size) -> bool:
    return all(LEAST_SIDE <= side <= MOST_SIDE for side in (size.width, size.height))
