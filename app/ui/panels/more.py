"""The settings that are rarely touched, folded away: model, steps, sampler, seed and size."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.geometry import Size
from app.core.params import Intent, Params
from app.core.samplers import SAMPLERS
from app.ui.desk import Desk
from app.ui.finer import finer_rows
from app.ui.fold import fold_button
from app.ui.icons import icon
from app.ui.params import LEAST_SIDE, MOST_COUNT, MOST_SIDE, MOST_STEPS, bind, random_seed
from app.ui.seam import seam_rows
from app.ui.seed import SeedSpin
from app.ui.slider import calm_wheel, make_number, named_number
from app.ui.theme import GRID
from app.ui.variation import VariationField

_ADD_A_FILE, _ADD_A_FOLDER = object(), object()
"""Mark the rows of the model list that are no models."""


class MorePanel(QWidget):
    """A line that opens and closes the settings below it."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("morePanel")
        settings = _Settings(desk)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        tip = "Model, steps, sampler, seed and size; how a mask joins."
        fold = fold_button(settings, name="moreButton", text="More", label="More settings", tip=tip)
        column.addWidget(fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(settings)


class _Settings(QWidget):
    """Model, steps, sampler, seed and size, one beneath the other."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("moreSettings")
        self._desk = desk
        self._size = _SizeFields(desk)
        self._size_label = QLabel("Size")
        self._seam = seam_rows(desk)
        rows = (
            (QLabel("Model"), ModelCombo(desk)),
            (QLabel("Pictures"), self._make_count()),
            (QLabel("Steps"), self._make_steps()),
            (QLabel("Sampler"), self._make_sampler()),
            (QLabel("Seed"), self._make_seed()),
            (QLabel("Variation"), VariationField(desk)),
            (self._size_label, self._size),
            *((row.label, row.field) for row in finer_rows(desk)),
            *((row.label, row.field) for row in self._seam),
        )
        # A grid and no QFormLayout: that one does not centre its labels on the fields.
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID)
        grid.setColumnStretch(1, 1)
        for number, (label, field) in enumerate(rows):
            label.setBuddy(field)
            grid.addWidget(label, number, 0)
            grid.addWidget(field, number, 1)
        desk.store.changed.connect(self._show_what_matters)
        self._show_what_matters()

    def _show_what_matters(self, *_: object) -> None:
        for widget in (self._size_label, self._size):
            widget.setVisible(self._desk.store.params.intent is Intent.GENERATE)
        for row in self._seam:
            row.show(self._desk.store.params.intent is Intent.INPAINT)

    def _make_count(self) -> QSpinBox:
        tip = "How many pictures to paint at once, each with a seed of its own, to choose from (batch)."
        count = make_number("countSpin", "Pictures", tip, 1, MOST_COUNT)
        bind(self._desk.store, "count", count)
        return count

    def _make_steps(self) -> QSpinBox:
        tip = "More refines the picture and takes longer; 15 to 30 suits most samplers (sampling steps)."
        steps = make_number("stepsSpin", "Steps", tip, 1, MOST_STEPS)
        bind(self._desk.store, "steps", steps)
        return steps

    def _make_sampler(self) -> QComboBox:
        combo = _combo("samplerCombo", "Sampler", "The method that takes the noise away, step by step.")
        for row in SAMPLERS.values():
            combo.addItem(row.label, row.id)
        bind(self._desk.store, "sampler", combo)
        return combo

    def _make_seed(self) -> QWidget:
        tip = "The number that the noise is made from: the same seed and settings give the same picture."
        seed = named_number(SeedSpin(), "seedSpin", "Seed", tip)
        bind(self._desk.store, "seed", seed)
        dice = _icon_button("seedDice", "dice", "New seed", "Take a new random seed.")
        dice.clicked.connect(lambda: self._desk.store.update(seed=random_seed()))
        lock = _icon_button(
            "seedLock", "unlock", "Keep the seed", "Keep this seed; while open, each picture gets a new one."
        )
        lock.setCheckable(True)
        bind(self._desk.store, "seed_locked", lock)
        self._desk.store.changed.connect(lambda params, _: lock.setIcon(_lock_icon(params)))
        lock.setIcon(_lock_icon(self._desk.store.params))
        return _row(seed, dice, lock)


class _SizeFields(QWidget):
    """Width and height of a new picture."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("sizeFields")
        self._desk = desk
        tip = "{} of a new picture in pixels; far from the model's own size, pictures fall apart."
        self._spins = [
            make_number(f"{name.lower()}Spin", name, tip.format(name), LEAST_SIDE, MOST_SIDE)
            for name in ("Width", "Height")
        ]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(self._spins[0], 1)
        row.addWidget(QLabel("×"))
        row.addWidget(self._spins[1], 1)
        for spin in self._spins:
            spin.setSingleStep(8)
            spin.setSuffix(" px")
            spin.valueChanged.connect(self._edited)
        desk.store.changed.connect(lambda params, _: self._show(params))
        self._show(desk.store.params)

    def _edited(self) -> None:
        width, height = (spin.value() for spin in self._spins)
        self._desk.store.update(size=Size(width, height))

    def _show(self, params: Params) -> None:
        for spin, side in zip(self._spins, (params.size.width, params.size.height), strict=True):
            if spin.value() != side:
                with QSignalBlocker(spin):
                    spin.setValue(side)


class ModelCombo(QComboBox):
    """The models on the shelf, and a last row that asks for another."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setObjectName("modelCombo")
        self.setAccessibleName("Model")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        calm_wheel(self)
        self.activated.connect(self._on_activated)
        desk.shelf.changed.connect(self._fill)
        self._fill()

    def showPopup(self) -> None:
        self._desk.shelf.look_again()  # a folder may have been put there a moment ago
        super().showPopup()

    def _fill(self) -> None:
        shelf = self._desk.shelf
        with QSignalBlocker(self):
            self.clear()
            for model in shelf.models:
                self.addItem(model.name, model.id)
                self.setItemData(self.count() - 1, model.description or str(model.path), Qt.ItemDataRole.ToolTipRole)
            if not shelf.models:
                self.addItem("No model yet", None)
            for path in shelf.pickled:
                self.addItem(f"Convert {path.name}…", path)
                self.setItemData(
                    self.count() - 1, f"{path}: converted once to safetensors", Qt.ItemDataRole.ToolTipRole
                )
            self.addItem("Add a model file…", _ADD_A_FILE)
            self.addItem("Add a model folder…", _ADD_A_FOLDER)
            self._show_current()
        current = shelf.current
        way = "" if current is None else f" In use: {current.name}, made for {current.native_size} px."
        tip = "The model that paints: one file, or a folder in diffusers layout." + way
        self.setToolTip(tip)
        self.setAccessibleDescription(tip)

    def _show_current(self) -> None:
        current = self._desk.shelf.current
        self.setCurrentIndex(max(0, self.findData(current.id)) if current else 0)

    def _on_activated(self, row: int) -> None:
        chosen = self.itemData(row)
        if isinstance(chosen, str):
            self._desk.store.update(model=chosen)
            return
        with QSignalBlocker(self):
            self._show_current()
        if isinstance(chosen, Path):
            self._desk.wishes.convert_model.emit(chosen)
        elif chosen is _ADD_A_FILE:
            self._desk.wishes.add_model_file.emit()
        elif chosen is _ADD_A_FOLDER:
            self._desk.wishes.add_model_folder.emit()


def _lock_icon(params: Params) -> QIcon:
    return icon("lock" if params.seed_locked else "unlock")


def _combo(name: str, label: str, tip: str) -> QComboBox:
    combo = QComboBox()
    combo.setObjectName(name)
    combo.setAccessibleName(label)
    combo.setAccessibleDescription(tip)
    combo.setToolTip(tip)
    calm_wheel(combo)
    return combo


def _icon_button(name: str, picture: str, label: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setIcon(icon(picture))
    button.setIconSize(QSize(18, 18))
    button.setAccessibleName(label)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _row(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID // 2)
    for widget in widgets:
        row.addWidget(widget, 1 if widget is widgets[0] else 0)
    return holder
