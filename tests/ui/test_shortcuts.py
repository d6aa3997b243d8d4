"""Keys of one's own: looked up, chosen, warned about, kept; tooltips follow."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QPushButton, QTreeWidget, QTreeWidgetItem

from app.ui.actions import ACTIONS
from app.ui.canvas.key_table import CANVAS_KEYS, Bindings
from app.ui.menus import MENUS
from app.ui.shortcuts import FIXED, Shortcuts
from tests.ui.conftest import Open, Studio

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform cannot


class Keys:
    """The dialog, as a person uses it."""

    def __init__(self, studio: Studio) -> None:
        studio.window.actions_by_id["shortcuts"].trigger()
        self.dialog: Any = studio.window.findChild(QDialog, "shortcutDialog")
        self.list: Any = self.dialog.findChild(QTreeWidget, "shortcutList")
        self.field: Any = self.dialog.findChild(object, "shortcutField")

    def row(self, text: str) -> QTreeWidgetItem:
        return next(item for item in self.rows if item.text(0) == text)

    @property
    def rows(self) -> list[QTreeWidgetItem]:
        return [self.list.topLevelItem(number) for number in range(self.list.topLevelItemCount())]

    def choose(self, text: str, key: str = "") -> None:
        self.list.setCurrentItem(self.row(text))
        if key:
            self.field.setKeySequence(QKeySequence(key))

    def press(self, name: str) -> None:
        button = self.dialog.findChild(QPushButton, name)
        assert button.isEnabled()
        button.click()

    @property
    def warning(self) -> str:
        text: str = self.dialog.findChild(QLabel, "shortcutWarning").text()
        return text

    @property
    def can_set(self) -> bool:
        enabled: bool = self.dialog.findChild(QPushButton, "shortcutSet").isEnabled()
        return enabled


def test_a_key_is_changed_works_and_shows_in_every_tooltip(studio: Studio) -> None:
    keys = Keys(studio)
    keys.choose("Fit in window", "Ctrl+Shift+F")
    assert keys.warning == ""
    keys.press("shortcutSet")
    assert keys.row("Fit in window").text(1) == "Ctrl+Shift+F"
    action = studio.window.actions_by_id["fit"]
    assert "Ctrl+Shift+F" in action.toolTip()
    assert "Ctrl+Shift+F" in studio.find("zoomButton").toolTip()
    keys.dialog.close()
    studio.window.canvas.zoom_to(3.0)
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert studio.window.canvas.zoom != 3.0


def test_the_button_s_tooltip_follows_and_a_key_may_be_removed(studio: Studio) -> None:
    keys = Keys(studio)
    keys.choose("Paint", "Ctrl+P")
    keys.press("shortcutSet")
    assert "Ctrl+P" in studio.generate_button.toolTip()
    keys.press("shortcutClear")
    assert keys.row("Paint").text(1) == ""
    assert "Ctrl" not in studio.generate_button.toolTip()


def test_a_key_that_is_taken_is_warned_about_and_moves(studio: Studio) -> None:
    keys = Keys(studio)
    keys.choose("X-ray", "B")
    assert keys.warning == "“B” is the key of “Brush”. Setting it here takes it away there."
    keys.press("shortcutSet")
    assert keys.row("Brush").text(1) == ""
    studio.window.canvas.set_tool("eraser")
    studio.window.canvas.setFocus()
    keys.dialog.close()
    studio.key(Qt.Key.Key_B)
    assert studio.window.canvas.tool == "eraser"
    assert studio.window.canvas.xray_shown


@pytest.mark.parametrize("key", ["Return", "Esc", "Left", "Tab"])
def test_fixed_keys_are_refused(studio: Studio, key: str) -> None:
    keys = Keys(studio)
    keys.choose("X-ray", key)
    assert "fixed" in keys.warning
    assert not keys.can_set
    with pytest.raises(ValueError, match=r"cannot be|belongs"):
        studio.desk.shortcuts.put("xray", key)


def test_the_list_is_searched_by_name_and_by_key(studio: Studio) -> None:
    keys = Keys(studio)
    search = keys.dialog.findChild(QLineEdit, "shortcutSearch")
    search.setText("grow mask")
    assert [item.text(0) for item in keys.rows if not item.isHidden()] == ["Grow mask"]
    search.setText("ctrl+shift+z")
    assert "Redo" in [item.text(0) for item in keys.rows if not item.isHidden()]
    search.clear()
    assert not any(item.isHidden() for item in keys.rows)


def test_own_keys_are_kept_and_given_back(open_studio: Open) -> None:
    first = open_studio()
    first.desk.shortcuts.put("xray", "Ctrl+Alt+X")
    first.desk.shortcuts.clear("mirror")
    first.window.close()
    second = open_studio()
    assert second.window.actions_by_id["xray"].shortcut() == QKeySequence("Ctrl+Alt+X")
    assert second.window.actions_by_id["mirror"].shortcuts() == []
    keys = Keys(second)
    keys.choose("X-ray")
    keys.press("shortcutReset")
    assert keys.row("X-ray").text(1) == "Q"
    keys.press("shortcutResetAll")
    assert not second.desk.shortcuts.own


@pytest.mark.parametrize(
    "values",
    [
        {"nobody": ["A"]},
        {"xray": "Q"},
        {"xray": [7, None]},
        {"xray": ["B"]},  # the brush has it
        {"xray": ["Space"]},
        {"canvas_peek": ["Return"]},
        {"canvas_hand": ["B"], "canvas_swap": ["F9"], "mirror": ["F9"]},
        {"cancel": ["Q"]},
        {"xray": ["F9"], "mirror": ["F9"]},
    ],
)
def test_nonsense_in_the_settings_gives_no_key_to_two(qapp: object, values: dict[str, Any]) -> None:
    shortcuts = Shortcuts()
    shortcuts.restore(values)
    keys = [key for row in (*ACTIONS, *CANVAS_KEYS) for key in shortcuts.keys(row.id)]
    assert len(keys) == len(set(keys))
    assert not set(keys) & set(FIXED)
    assert shortcuts.keys("cancel") == ("Esc",)


def test_the_table_gives_no_key_to_two_and_none_of_the_canvas(qapp: object) -> None:
    keys = [QKeySequence(key).toString() for row in (*ACTIONS, *CANVAS_KEYS) for key in row.shortcuts]
    assert len(keys) == len(set(keys))
    assert not set(keys) & set(FIXED)


# The keys of the canvas


def test_a_key_of_the_canvas_is_changed_works_and_is_told(studio: Studio) -> None:
    canvas = studio.window.canvas
    keys = Keys(studio)
    keys.choose("Larger brush (on the canvas)", "F2")
    assert keys.warning == ""
    keys.press("shortcutSet")
    keys.choose("Pan while held (on the canvas)", "B")
    assert keys.warning == "“B” is the key of “Brush”. Setting it here takes it away there."
    keys.press("shortcutSet")
    keys.dialog.close()
    assert "[ F2 size" in canvas.hint
    assert "B pan" in canvas.hint
    assert "([ and F2)" in studio.find("brushSizeSlider").toolTip()
    before = canvas.brush.size
    QTest.keyClick(canvas, Qt.Key.Key_F2)
    larger = canvas.brush.size
    assert larger > before
    QTest.keyClick(canvas, Qt.Key.Key_BracketRight)
    assert canvas.brush.size == larger
    QTest.keyPress(canvas, Qt.Key.Key_B)
    assert canvas.toolbox.active.id == "pan"
    QTest.keyRelease(canvas, Qt.Key.Key_B)
    assert canvas.toolbox.active.id == "brush"
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    assert canvas.toolbox.active.id == "brush"


def test_an_action_may_take_a_key_of_the_canvas_and_it_is_warned_about(studio: Studio) -> None:
    keys = Keys(studio)
    keys.choose("X-ray", "V")
    assert keys.warning == "“V” is the key of “Without the mask while held”. Setting it here takes it away there."
    keys.press("shortcutSet")
    assert keys.row("Without the mask while held (on the canvas)").text(1) == ""
    keys.dialog.close()
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_V)
    assert studio.window.canvas.xray_shown
    studio.desk.shortcuts.reset("canvas_peek")
    assert studio.desk.shortcuts.keys("xray") == ()
    assert studio.window.canvas._keys.bindings.told("<peek> look") == "V look"


def test_keys_of_the_canvas_are_kept(open_studio: Open) -> None:
    first = open_studio()
    first.desk.shortcuts.put("canvas_opacity_50", "F5")
    first.window.close()
    second = open_studio()
    canvas = second.window.canvas
    QTest.keyClick(canvas, Qt.Key.Key_F5)
    assert canvas.brush.opacity == 0.5
    QTest.keyClick(canvas, Qt.Key.Key_7)
    assert canvas.brush.opacity == 0.7
    QTest.keyClick(canvas, Qt.Key.Key_5)
    assert canvas.brush.opacity == 0.7


def test_hints_leave_out_what_has_no_key(qapp: object) -> None:
    keys = {row.id: () if row.id in ("canvas_hand", "canvas_smaller") else row.shortcuts for row in CANVAS_KEYS}
    bindings = Bindings(keys)
    assert bindings.told("<smaller> <larger> size   Shift line   <hand> pan") == "– ] size   Shift line"
    assert bindings.told("(<opacity>)") == "(1–0)"


@pytest.mark.parametrize(
    ("code", "held", "text", "expected"),
    [
        (Qt.Key.Key_BracketLeft, Qt.KeyboardModifier.GroupSwitchModifier, "[", "canvas_smaller"),  # AltGr+8
        (Qt.Key.Key_8, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier, "[", "canvas_smaller"),
        (Qt.Key.Key_BraceRight, Qt.KeyboardModifier.ShiftModifier, "}", "canvas_harder"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5", "canvas_opacity_50"),
        (Qt.Key.Key_0, Qt.KeyboardModifier.NoModifier, "0", "canvas_opacity_100"),
        (Qt.Key.Key_X, Qt.KeyboardModifier.NoModifier, "x", "canvas_swap"),
        (Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier, "\x18", None),
        (Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier, "1", None),
        (Qt.Key.Key_V, Qt.KeyboardModifier.ShiftModifier, "V", None),
    ],
)
def test_what_is_typed_counts_wherever_it_lies(
    qapp: object, code: Qt.Key, held: Qt.KeyboardModifier, text: str, expected: str | None
) -> None:
    row = Bindings().row_of(QKeyEvent(QEvent.Type.KeyPress, code, held, text))
    assert (row.id if row is not None else None) == expected


def test_every_action_is_reached_by_keyboard(studio: Studio) -> None:
    """Through a menu, each of which has its letter."""
    reached = {id for ids in MENUS.values() for id in ids}
    assert {row.id for row in ACTIONS} <= reached
    letters = [title[title.index("&") + 1] for title in MENUS]
    assert len(letters) == len(set(letters))
