"""The look: neutral greys and one gold, dark or light as the system is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from PySide6.QtCore import QDir, QObject, Qt, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from app.core.settings import resources

GRID = 8
"""Logical pixels between things; half of it inside a group."""
RADIUS = 6
PANEL_WIDTH = 336


@dataclass(frozen=True, kw_only=True)
class Look:
    """The colours of one look. ``surround`` lies around the picture, ``panel`` is a step lighter, ``field`` is where
    one types, ``quiet`` is for text that is secondary but must be read."""

    name: str
    surround: str
    panel: str
    field: str
    button: str
    hover: str
    pressed: str
    line: str
    text: str
    quiet: str
    disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    error: str


DARK = Look(
    name="dark",
    surround="#2b2b2b",
    panel="#333333",
    field="#282828",
    button="#404040",
    hover="#4a4a4a",
    pressed="#2e2e2e",
    line="#4b4b4b",
    text="#e6e6e6",
    quiet="#b8b8b8",
    disabled="#929292",
    accent="#e0a84a",
    accent_hover="#ecb95f",
    on_accent="#1e1a12",
    error="#f08a7a",
)
LIGHT = Look(
    name="light",
    surround="#cfcfcf",
    panel="#ececec",
    field="#fbfbfb",
    button="#fafafa",
    hover="#ffffff",
    pressed="#dcdcdc",
    line="#bcbcbc",
    text="#1f1f1f",
    quiet="#505050",
    disabled="#7a7a7a",
    accent="#85560a",
    accent_hover="#96640f",
    on_accent="#ffffff",
    error="#a8261a",
)

_ROLES = {
    QPalette.ColorRole.Window: "panel",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "field",
    QPalette.ColorRole.AlternateBase: "panel",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.Button: "button",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "error",
    QPalette.ColorRole.ToolTipBase: "field",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.PlaceholderText: "quiet",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "on_accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.LinkVisited: "accent",
    QPalette.ColorRole.Light: "hover",
    QPalette.ColorRole.Midlight: "button",
    QPalette.ColorRole.Mid: "line",
    QPalette.ColorRole.Dark: "surround",
    QPalette.ColorRole.Shadow: "pressed",
}
_DISABLED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
    QPalette.ColorRole.PlaceholderText,
    QPalette.ColorRole.HighlightedText,
)


def palette(look: Look) -> QPalette:
    """The look as Qt knows it; ``QPalette.Dark`` is the surround of the picture."""
    made = QPalette()
    for role, name in _ROLES.items():
        made.setColor(role, QColor(getattr(look, name)))
    for role in _DISABLED:
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(look.disabled))
    made.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(look.line))
    return made


def style_sheet(look: Look) -> str:
    """What the palette alone cannot say: shapes and spacing."""
    values: Mapping[str, object] = vars(look) | {"radius": RADIUS, "inner": RADIUS - 2}
    return Template(_SHEET).substitute(values)


class Theme(QObject):
    """Keeps the application in the look that the system asks for, or in the one that was chosen."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        QDir.setSearchPaths("arrows", [str(resources() / "icons" / "arrows")])
        application.setStyle(QStyleFactory.create("Fusion"))
        application.styleHints().colorSchemeChanged.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Take the system's side; a system that has no opinion gets the dark look."""
        scheme = self._application.styleHints().colorScheme()
        self.wear(LIGHT if scheme is Qt.ColorScheme.Light else DARK)

    def wear(self, look: Look) -> None:
        self._application.setPalette(palette(look))
        self._application.setStyleSheet(style_sheet(look))


_SHEET = """
QMainWindow, #panelColumn, #panelScroll, #panelScroll > QWidget > QWidget { background: $panel; }
QMainWindow::separator { width: 1px; height: 1px; background: $line; }
QToolTip { background: $field; color: $text; border: 1px solid $line; padding: 4px 6px; }

QMenuBar { background: $panel; padding: 2px 4px; border-bottom: 1px solid $line; }
QMenuBar::item { padding: 4px 8px; border-radius: ${inner}px; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $panel; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 24px; border-radius: ${inner}px; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }

#toolRail, #toolOptions, #statusLine { background: $panel; }
#toolRail { border-right: 1px solid $line; }
#railLine { background: $line; }
#toolOptions { border-bottom: 1px solid $line; }
#statusLine { border-top: 1px solid $line; }
#runPanel, #queuePanel { border-top: 1px solid $line; }
QToolButton[fold="true"] { padding: 4px 6px 4px 0; }
#modelHelp { padding: 2px 0; color: $quiet; }
#modelHelp:hover { background: transparent; color: $text; text-decoration: underline; }
QSplitter::handle { background: $line; }
#statusLine QLabel, QLabel[quiet="true"] { color: $quiet; }
QLabel[heading="true"] { font-weight: 600; }

QPlainTextEdit, QLineEdit, QAbstractSpinBox, QComboBox {
  background: $field; border: 1px solid $line; border-radius: ${radius}px; padding: 3px 6px;
  selection-background-color: $accent; selection-color: $on_accent; }
QPlainTextEdit { padding: 4px 4px; }
QAbstractSpinBox, QComboBox { min-height: 20px; }
QPlainTextEdit:focus, QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus { border: 1px solid $accent; }
QAbstractSpinBox:disabled, QComboBox:disabled, QPlainTextEdit:disabled { color: $disabled; background: $panel; }

QAbstractSpinBox { padding-right: 20px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {
  subcontrol-origin: border; width: 18px; border: none; background: transparent; margin: 1px; }
QAbstractSpinBox::up-button { subcontrol-position: top right; border-top-right-radius: ${inner}px; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; border-bottom-right-radius: ${inner}px; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover; }
QAbstractSpinBox::up-arrow { image: url(arrows:up-$name.svg); width: 10px; height: 8px; }
QAbstractSpinBox::down-arrow { image: url(arrows:down-$name.svg); width: 10px; height: 8px; }
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off { image: url(arrows:up-$name-off.svg); }
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off { image: url(arrows:down-$name-off.svg); }
QComboBox { padding-right: 20px; }
QComboBox::drop-down { subcontrol-origin: border; subcontrol-position: center right; width: 22px; border: none; }
QComboBox::down-arrow { image: url(arrows:down-$name.svg); width: 12px; height: 10px; }
QComboBox QAbstractItemView { background: $field; border: 1px solid $line; padding: 4px; outline: none; }
QComboBox QAbstractItemView::item { padding: 4px 6px; min-height: 20px; border-radius: ${inner}px; }
QComboBox QAbstractItemView::item:selected { background: $hover; color: $text; }

QPushButton, QToolButton {
  background: $button; border: 1px solid $line; border-radius: ${radius}px; padding: 5px 12px; }
QToolButton { padding: 4px; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $pressed; }
QPushButton:focus, QToolButton:focus { border: 1px solid $accent; }
QPushButton:disabled, QToolButton:disabled { color: $disabled; background: $panel; }
QToolButton[flat="true"], QPushButton[flat="true"] { background: transparent; border: 1px solid transparent; }
QToolButton[flat="true"]:hover, QPushButton[flat="true"]:hover { background: $hover; }
QToolButton[flat="true"]:focus, QPushButton[flat="true"]:focus { border: 1px solid $accent; }
QToolButton[popupMode="1"] { padding-right: 20px; }
QToolButton[popupMode="2"]::menu-indicator { image: none; }
QToolButton::menu-button { border: none; width: 18px; }
#penOptions { padding: 4px; }
#penOptions::menu-indicator, #generateWays::menu-indicator { image: none; }
QToolButton::menu-arrow { image: url(arrows:down-$name.svg); width: 10px; height: 8px; }
QToolButton::menu-arrow:disabled { image: url(arrows:down-$name-off.svg); }

#candidateStrip, #stepBar { background: $panel; border-top: 1px solid $line; }
#candidateList { background: transparent; border: none; }
#candidateList::item { padding: 2px; border: 2px solid transparent; border-radius: ${inner}px; }
#candidateList::item:selected { border-color: $accent; background: transparent; }
#candidate_beforeButton:checked, #candidate_stepsButton:checked { border: 1px solid $accent; }
#candidate_acceptButton { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: 600; }
#candidate_acceptButton:hover { background: $accent_hover; }
#candidate_acceptButton:focus { border: 2px solid $text; }
#generateButton { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: 600; padding: 8px; }
#generateButton:hover { background: $accent_hover; border-color: $accent_hover; }
#generateButton:pressed { background: $accent; }
#generateButton:focus { border: 2px solid $text; padding: 7px; }

#toolRail QToolButton { background: transparent; border: 1px solid transparent; padding: 6px; }
#toolRail QToolButton:hover { background: $hover; }
#toolRail QToolButton:checked { background: $field; border: 1px solid $accent; }
#toolRail #show_maskButton:checked { background: transparent; border: 1px solid transparent; }
#toolRail #show_maskButton:checked:hover { background: $hover; }
#toolRail QToolButton:focus, #toolRail #show_maskButton:focus { border: 1px solid $accent; }

#segments { background: $field; border: 1px solid $line; border-radius: ${radius}px; }
#segments QPushButton {
  background: transparent; border: 2px solid transparent; border-radius: ${inner}px; padding: 3px 1px; color: $text; }
#segments QPushButton:hover:!checked:!disabled { background: $panel; }
#segments QPushButton:checked { background: $hover; font-weight: 600; border-bottom: 2px solid $accent; }
#segments QPushButton:focus { border: 1px solid $accent; padding: 4px 2px; }
#segments QPushButton:disabled { color: $disabled; }

QCheckBox { spacing: 8px; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $quiet; border-radius: 3px; background: $field; }
QCheckBox::indicator:hover { border-color: $text; }
QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked {
  background: $accent; border-color: $accent; image: url(arrows:check-$name.svg); }
QCheckBox::indicator:disabled { border-color: $disabled; background: $panel; }
QCheckBox::indicator:checked:disabled { background: $disabled; border-color: $disabled; }

QSlider { min-height: 20px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $line; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $quiet; }
QSlider::handle:horizontal {
  width: 14px; height: 14px; margin: -6px 0; border-radius: 8px; background: $text; border: 1px solid $panel; }
QSlider::handle:horizontal:hover { background: $accent; }
QSlider::handle:horizontal:focus { background: $accent; }
QSlider::handle:horizontal:disabled, QSlider::sub-page:horizontal:disabled { background: $disabled; }

QProgressBar { background: $line; border: none; border-radius: 2px; min-height: 4px; max-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QListWidget { background: $field; border: 1px solid $line; border-radius: ${radius}px; padding: 2px; outline: none; }
QListWidget:focus { border: 1px solid $accent; }
QListWidget::item { padding: 3px 6px; border-radius: ${inner}px; }
QListWidget::item:selected { background: $pressed; color: $text; border-left: 3px solid $accent; }
QTreeWidget { background: $field; border: 1px solid $line; border-radius: ${radius}px; outline: none; }
QTreeWidget:focus { border: 1px solid $accent; }
QTreeWidget::item { padding: 5px 6px; }
QTreeWidget::item:selected { background: $line; color: $text; }
QTreeWidget::item:disabled { color: $disabled; }
QHeaderView::section { background: $panel; color: $quiet; border: none; border-bottom: 1px solid $line;
  padding: 5px 6px; }
QToolButton[anchor="true"]:checked { background: $accent; color: $on_accent; border-color: $accent; }

QScrollArea { border: none; background: $panel; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 3px; margin: 2px; min-height: 24px; min-width: 24px; }
QScrollBar::handle:hover { background: $disabled; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

#noticeCard, #emptyState { background: $panel; border: 1px solid $line; border-radius: ${radius}px; }
#noticeCard[kind="error"] { border-left: 3px solid $error; }
#emptyState QPushButton[card="true"] { text-align: left; padding: 8px 12px; }
QPushButton[chip="true"] { padding: 3px 10px; text-align: left; }
#dropVeil { background: transparent; border: 2px solid $accent; border-radius: ${radius}px; }
#dropVeil QLabel { background: $panel; border-radius: ${radius}px; padding: 12px 20px; font-weight: 600;
  border: 2px solid $line; }
#dropVeil QLabel[chosen="true"] { border: 2px solid $accent; }
"""
