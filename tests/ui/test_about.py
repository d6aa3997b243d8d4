"""About shows the version and every licence that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QDialog, QListWidget, QPlainTextEdit

from app import __version__
from app.library.licences import find_licences
from tests.ui.conftest import Studio


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program with licences beside its resources."""
    folder = tmp_path / "licences"
    folder.mkdir()
    (folder / "torch 2.0.txt").write_text("torch 2.0: BSD-3-Clause\n\nRedistribution and use 猫\n", "utf-8")
    (folder / "Aaa.txt").write_text("Aaa: MIT\n\nPermission is hereby granted\n", "utf-8")
    (tmp_path / "LICENSE").write_text("Apache License\n", "utf-8")
    monkeypatch.setattr("app.library.licences.resources", lambda: tmp_path / "resources")
    return tmp_path


def test_the_licences_of_a_bundle_are_found(bundled: Path) -> None:
    assert [(row.name, row.kind) for row in find_licences()] == [
        ("Limner", "Apache-2.0"),
        ("Aaa", "MIT"),
        ("torch 2.0", "BSD-3-Clause"),
    ]


def test_a_checkout_has_its_own_licence() -> None:
    own = find_licences()[0]
    assert own.name == "Limner"
    assert "Apache License" in own.text()


def about_of(studio: Studio) -> Any:
    studio.window.actions_by_id["about"].trigger()
    return studio.window.findChild(QDialog, "aboutDialog")


@pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform cannot
def test_choosing_a_component_shows_its_licence(studio: Studio, bundled: Path) -> None:
    dialog = about_of(studio)
    assert dialog.isVisible()
    assert __version__ in dialog.findChild(object, "aboutTitle").text()
    names, text = dialog.findChild(QListWidget, "licenceList"), dialog.findChild(QPlainTextEdit, "licenceText")
    assert text.toPlainText() == "Apache License\n"
    names.setCurrentRow(2)
    assert "Redistribution and use 猫" in text.toPlainText()
    assert names.item(2).toolTip() == "BSD-3-Clause"
    dialog.close()


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_a_licence_that_is_gone_is_said(studio: Studio, bundled: Path) -> None:
    dialog = about_of(studio)
    (bundled / "licences" / "Aaa.txt").unlink()
    dialog.findChild(QListWidget, "licenceList").setCurrentRow(1)
    assert "cannot be read" in dialog.findChild(QPlainTextEdit, "licenceText").toPlainText()
    dialog.close()
