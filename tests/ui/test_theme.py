"""The look: text can be read in both, computed from the palette (WCAG 2.1)."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QColor, QPalette

from app.core.settings import resources
from app.ui.actions import ACTIONS
from app.ui.icons import icon
from app.ui.theme import DARK, LIGHT, Look, palette, style_sheet

Group, Role = QPalette.ColorGroup, QPalette.ColorRole
LOOKS = pytest.mark.parametrize("look", [DARK, LIGHT], ids=lambda look: look.name)


def luminance(colour: QColor) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@LOOKS
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        (Role.WindowText, Role.Window),
        (Role.Text, Role.Base),
        (Role.ButtonText, Role.Button),
        (Role.ToolTipText, Role.ToolTipBase),
        (Role.HighlightedText, Role.Highlight),
        (Role.PlaceholderText, Role.Base),
        (Role.WindowText, Role.Light),
        (Role.BrightText, Role.Window),
    ],
)
def test_text_can_be_read(qapp, look: Look, text: Role, ground: Role) -> None:
    made = palette(look)
    assert contrast(made.color(Group.Active, text), made.color(Group.Active, ground)) >= 4.5


@LOOKS
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        (Role.WindowText, Role.Window),
        (Role.ButtonText, Role.Button),
        (Role.ButtonText, Role.Window),
        (Role.Text, Role.Base),
    ],
)
def test_disabled_text_can_be_made_out(qapp, look: Look, text: Role, ground: Role) -> None:
    made = palette(look)
    assert contrast(made.color(Group.Disabled, text), made.color(Group.Disabled, ground)) >= 3.0


@LOOKS
def test_quiet_text_and_the_accent_stand_out(look: Look) -> None:
    assert contrast(QColor(look.quiet), QColor(look.panel)) >= 4.5
    assert contrast(QColor(look.accent), QColor(look.panel)) >= 3.0  # focus rings and the chosen tool
    assert contrast(QColor(look.on_accent), QColor(look.accent_hover)) >= 4.5


@LOOKS
def test_greys_have_no_tint(look: Look) -> None:
    for name in ("surround", "panel", "field", "button", "hover", "pressed", "line", "text", "quiet", "disabled"):
        colour = QColor(getattr(look, name))
        assert colour.red() == colour.green() == colour.blue(), name


@LOOKS
def test_the_style_sheet_names_files_that_are_there(look: Look) -> None:
    sheet = style_sheet(look)
    assert "$" not in sheet
    for name in re.findall(r"url\(arrows:(.+?)\)", sheet):
        assert (resources() / "icons" / "arrows" / name).is_file(), name


@pytest.mark.parametrize("name", sorted({row.icon for row in ACTIONS if row.icon}))
def test_icons_are_drawn_in_the_palette_s_colour(qapp, name: str) -> None:
    image = icon(name).pixmap(24, 24).toImage()
    wanted = qapp.palette().color(Role.ButtonText)
    inked = [image.pixelColor(x, y) for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 250]
    assert inked
    assert all(abs(colour.red() - wanted.red()) <= 2 for colour in inked)
