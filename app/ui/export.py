"""The card on which one says how a picture is exported, and the work itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import UserError
from app.core.naming import FIELDS, USUAL_TEMPLATE, NameFacts
from app.document import images
from app.jobs.background import Background
from app.library.exporting import FORMATS, Export, export_path
from app.library.saving import Saved, save_picture
from app.ui.desk import Desk
from app.ui.notices import Kind, Notice
from app.ui.provenance import Provenance
from app.ui.session import Values
from app.ui.theme import GRID
from app.ui.words import in_bytes


class Exporting(QObject):
    """Exports the picture as ``choices`` say. The document does not belong to what was exported."""

    exported = Signal(object)
    """A path."""

    def __init__(
        self,
        desk: Desk,
        provenance: Provenance,
        background: Background,
        tell: Callable[[Notice], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._provenance = provenance
        self._background = background
        self._tell = tell
        self.choices = Export(folder=Path.home())

    def facts(self, source: str) -> NameFacts:
        """What a name can be made of now; ``source``: the name that the picture has."""
        desk, params = self._desk, self._desk.store.params
        model = desk.shelf.current
        return NameFacts(
            prompt=params.prompt,
            seed=params.seed,
            model=model.name if model is not None else "",
            width=desk.document.size.width,
            height=desk.document.size.height,
            source=source,
            now=datetime.now(),
        )

    def export(self, choices: Export, source: str) -> None:
        """Write the picture as it is now. What cannot be is told."""
        self.choices = choices
        picture, facts = self._desk.document.picture.share(), self.facts(source)
        tell = self._provenance.teller(self._desk.document.origin) if choices.tells else None

        def write() -> tuple[Path, Saved]:
            pixels = images.to_pixels(picture)
            told = tell(pixels) if tell is not None else None
            path = export_path(choices, facts)
            without = told.without_parts() if told is not None else None
            return path, save_picture(path, pixels, without, choices.quality)

        def done(written: tuple[Path, Saved]) -> None:
            path, saved = written
            self._tell(Notice(title=f"Exported as {path.name}: {in_bytes(saved.size)}.", text=" ".join(saved.notes)))
            self.exported.emit(path)

        self._background.run(write, done, self._failed)

    def values(self) -> dict[str, object]:
        """The choices as the settings hold them."""
        it = self.choices
        return {"folder": str(it.folder), "template": it.template, "ending": it.ending, "quality": it.quality,
                "tells": it.tells}  # fmt: skip

    def restore(self, values: Values) -> None:
        """Those of the last time, as far as they can be used."""
        told = {name: values.get(name) for name in ("folder", "template", "ending", "quality", "tells")}
        if isinstance(told["folder"], str) and Path(told["folder"]).is_absolute():
            self.choices = replace(self.choices, folder=Path(told["folder"]))
        if isinstance(told["template"], str) and 0 < len(told["template"]) < 1000:
            self.choices = replace(self.choices, template=told["template"])
        if told["ending"] in FORMATS:
            self.choices = replace(self.choices, ending=str(told["ending"]))
        if type(told["quality"]) is int and 1 <= told["quality"] <= 100:
            self.choices = replace(self.choices, quality=told["quality"])
        self.choices = replace(self.choices, tells=told["tells"] is True)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self._tell(Notice(kind=Kind.ERROR, title=error.message, text=error.remedy))
        else:
            self._tell(Notice(kind=Kind.ERROR, title="The picture could not be exported.", details=repr(error)))


class ExportDialog(QDialog):
    """Format, quality, folder and name, with the name that comes of them."""

    def __init__(self, exporting: Exporting, source: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("exportDialog")
        self.setWindowTitle("Export")
        self._exporting = exporting
        self._source = source
        self._facts = exporting.facts(source)
        choices = exporting.choices
        self._format = QComboBox()
        for ending, label in FORMATS.items():
            self._format.addItem(label, ending)
        self._format.setCurrentIndex(self._format.findData(choices.ending))
        self._quality = QSpinBox()
        self._quality.setRange(1, 100)
        self._quality.setValue(choices.quality)
        self._quality.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._quality.setFixedWidth(12 * GRID)
        self._folder = QLineEdit(str(choices.folder))
        self._browse = QPushButton("Choose…")
        self._template = QLineEdit(choices.template)
        self._template.setPlaceholderText(USUAL_TEMPLATE)
        self._tells = QCheckBox("Say how it was made")
        self._tells.setChecked(choices.tells)
        self._name = QLabel()
        self._name.setWordWrap(True)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._go = self._buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self._name_all()
        self._lay_out()
        for signal in (self._format.currentIndexChanged, self._quality.valueChanged, self._folder.textChanged,
                       self._template.textChanged):  # fmt: skip
            signal.connect(self._refresh)
        self._browse.clicked.connect(self._choose_folder)
        self._buttons.accepted.connect(self._export)
        self._buttons.rejected.connect(self.reject)
        self._refresh()

    def _name_all(self) -> None:
        parts = "".join(f"<p>{{{name}}}: {what}</p>" for name, what in FIELDS.items())
        for widget, name, label, tip in (
            (self._format, "exportFormat", "Format", "PNG keeps every pixel; JPEG and WebP are smaller."),
            (self._quality, "exportQuality", "Quality", "More looks better and takes more room. PNG has no loss."),
            (self._folder, "exportFolder", "Folder", "Where the picture goes."),
            (self._browse, "exportBrowse", "Choose the folder", "Choose the folder."),
            (self._template, "exportTemplate", "Name", f"<p>What the name is made of:</p>{parts}"),
            (self._tells, "exportTells", "Say how it was made", "Write prompt and settings into the file."),
            (self._name, "exportName", "The name that comes of it", "The file that will be written."),
            (self._go, "exportGo", "Export", "Write the file (Enter)."),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(label)
            widget.setToolTip(tip)

    def _lay_out(self) -> None:
        grid = QGridLayout()  # a QFormLayout puts its labels above the middle of padded fields
        grid.setSpacing(GRID)
        grid.setColumnStretch(1, 1)
        fields = (
            ("Format", self._format),
            ("Quality", self._quality),
            ("Folder", self._folder),
            ("Name", self._template),
        )
        for row, (text, field) in enumerate(fields):
            label = QLabel(text)
            label.setBuddy(field)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1, 1, 1 if field is self._folder else 2)
        grid.addWidget(self._quality, 1, 1, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self._browse, 2, 2)
        grid.addWidget(self._name, len(fields), 1, 1, 2)
        grid.addWidget(self._tells, len(fields) + 1, 1, 1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(grid)
        column.addWidget(self._buttons)
        self.setMinimumWidth(480)

    def _chosen(self) -> Export:
        return Export(
            folder=Path(self._folder.text()),
            template=self._template.text() or USUAL_TEMPLATE,
            ending=self._format.currentData(),
            quality=self._quality.value(),
            tells=self._tells.isChecked(),
        )

    def _refresh(self, *_: object) -> None:
        chosen = self._chosen()
        self._quality.setEnabled(chosen.ending != ".png")
        try:
            if not chosen.folder.is_dir():
                raise UserError("That folder is not there.", "Choose another one.")
            self._name.setText(export_path(chosen, self._facts).name)
            possible = True
        except (UserError, OSError, ValueError) as error:
            self._name.setText(str(error))
            possible = False
        self._go.setEnabled(possible)

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Choose a folder", self._folder.text())
        if name:
            self._folder.setText(name)

    def _export(self) -> None:
        self._exporting.export(self._chosen(), self._source)
        self.accept()
