"""Exporting: a copy with a quality and a name of one's own, and nothing written over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QDialogButtonBox

from app.core.errors import PictureError
from app.core.naming import NameFacts
from app.library.exporting import Export, export_path
from app.library.metadata import read_told
from app.ui.export import ExportDialog
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform cannot


@pytest.fixture
def dialog(studio: Studio, tmp_path: Path) -> ExportDialog:
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    studio.store.update(prompt="a calm lake", seed=7)
    (tmp_path / "out").mkdir()
    studio.window.actions_by_id["export"].trigger()
    found = studio.window.findChild(ExportDialog)
    studio.find("exportFolder").setText(str(tmp_path / "out"))
    studio.find("exportTemplate").setText("{name}-{prompt}-{seed}")
    return found


def go(studio: Studio) -> None:
    button = next(b for b in studio.window.findChildren(QDialogButtonBox)[-1].buttons() if b.text() == "Export")
    button.click()
    studio.wait(lambda: any(title.startswith("Exported as") for title in studio.titles))


def test_quality_and_name(studio: Studio, dialog: ExportDialog, tmp_path: Path) -> None:
    studio.find("exportFormat").setCurrentIndex(1)
    studio.find("exportQuality").setValue(20)
    assert studio.find("exportName").text() == "photo-a-calm-lake-7.jpg"
    go(studio)
    written = tmp_path / "out" / "photo-a-calm-lake-7.jpg"
    picture = Image.open(written)
    assert (picture.format, picture.size) == ("JPEG", (96, 64))
    assert read_told(written.read_bytes()) is None
    assert studio.window.file_commands.own_file is None
    assert "photo.png" in studio.window.windowTitle()
    again = export_path(studio.window.exporting.choices, studio.window.exporting.facts("photo"))
    assert again.name == "photo-a-calm-lake-7-2.jpg"


def test_png_has_no_quality_and_every_pixel(studio: Studio, dialog: ExportDialog, tmp_path: Path) -> None:
    studio.find("exportFormat").setCurrentIndex(0)
    assert not studio.find("exportQuality").isEnabled()
    go(studio)
    written = tmp_path / "out" / "photo-a-calm-lake-7.png"
    np.testing.assert_array_equal(np.asarray(Image.open(written)), studio.document.pixels())


def test_a_bad_template_or_folder_is_said_where_it_is_typed(studio: Studio, dialog: ExportDialog) -> None:
    studio.find("exportTemplate").setText("{sead}")
    assert "“{sead}” is no part" in studio.find("exportName").text()
    assert not studio.find("exportGo").isEnabled()
    studio.find("exportTemplate").setText("{seed}")
    assert studio.find("exportGo").isEnabled()
    studio.find("exportFolder").setText("/no such folder")
    assert "folder is not there" in studio.find("exportName").text()
    assert not studio.find("exportGo").isEnabled()
    dialog.reject()


def test_the_choices_are_remembered(open_studio: Open, studio: Studio, dialog: ExportDialog, tmp_path: Path) -> None:
    studio.find("exportFormat").setCurrentIndex(2)
    studio.find("exportQuality").setValue(33)
    go(studio)
    chosen = studio.window.exporting.choices
    assert (chosen.ending, chosen.quality, chosen.folder) == (".webp", 33, tmp_path / "out")
    studio.window.close()
    assert open_studio().window.exporting.choices == chosen


def test_names_that_are_taken(tmp_path: Path) -> None:
    from datetime import datetime

    facts = NameFacts(now=datetime(2026, 1, 1))
    counted = Export(folder=tmp_path, template="a-{counter:03}", ending=".png")
    (tmp_path / "a-001.png").touch()
    assert export_path(counted, facts).name == "a-002.png"
    assert export_path(counted, facts, {tmp_path / "a-002.png"}).name == "a-003.png"
    plain = Export(folder=tmp_path, template="b", ending=".png")
    (tmp_path / "b.png").touch()
    (tmp_path / "b-2.png").touch()
    assert export_path(plain, facts).name == "b-3.png"


def test_where_every_name_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import datetime

    monkeypatch.setattr("app.library.exporting._MOST_TRIES", 1)
    (tmp_path / "b.png").touch()
    with pytest.raises(PictureError, match="is taken"):
        export_path(Export(folder=tmp_path, template="b", ending=".png"), NameFacts(now=datetime(2026, 1, 1)))
