"""The window's manners: names for screen readers, keys, wheel, notices, the look and the start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QScrollBar,
    QWidget,
)

from app.core.errors import ModelError
from app.core.settings import resources
from app.ui.actions import ACTIONS
from app.ui.canvas.view import CanvasView
from app.ui.menus import MENUS, RAIL
from app.ui.notices import Help, Kind, Notice
from app.ui.panels.prompt import unknown_words
from app.ui.words import minutes
from tests.fakes import FakeBackend
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_model, make_picture

INTERACTIVE = (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QPlainTextEdit,
    QProgressBar,
    CanvasView,
)
REQUIRED = (
    "promptEdit", "negativePromptEdit", "guidanceSlider", "strengthSlider", "stepsSpin", "seedSpin", "samplerCombo",
    "modelCombo", "generateButton", "cancelButton", "progressBar", "canvas",
)  # fmt: skip


def ours(widget: QWidget) -> bool:
    """Not a part that Qt puts into its own widgets."""
    inner = isinstance(widget, QScrollBar | QLineEdit) or widget.objectName().startswith("qt_")
    return not inner and not isinstance(widget.parent(), QComboBox | QAbstractSpinBox)


def test_every_control_has_a_name_an_accessible_name_and_a_tooltip(studio: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    help = Help(label="Help", act=lambda: None)
    studio.window.notices.show_notice(Notice(kind=Kind.ERROR, title="T", text="t", details="d", help=help))
    controls = [w for w in studio.window.findChildren(QWidget) if isinstance(w, INTERACTIVE) and ours(w)]
    assert len(controls) > 30
    for widget in controls:
        name = f"{type(widget).__name__} {widget.objectName()!r} {widget.accessibleName()!r}"
        assert widget.objectName(), name
        assert widget.accessibleName(), name
        if not isinstance(widget, CanvasView):  # a tooltip over the picture would be in the way
            assert widget.toolTip(), name


@pytest.mark.parametrize("name", REQUIRED)
def test_the_agreed_names_are_there(studio: Studio, name: str) -> None:
    assert len(studio.window.findChildren(QWidget, name)) == 1


def test_menus_and_rail_name_known_actions_and_every_action_is_reachable(studio: Studio) -> None:
    known = {row.id for row in ACTIONS}
    in_menus = {id for ids in MENUS.values() for id in ids if id}
    assert in_menus == known == set(studio.window.actions_by_id)
    assert {id for group in RAIL for id in group} <= known


def test_shortcuts_are_unique_and_told_in_the_tooltip(studio: Studio) -> None:
    keys = [key for row in ACTIONS for key in row.shortcuts]
    assert len(keys) == len(set(keys))
    for row in ACTIONS:
        action = studio.window.actions_by_id[row.id]
        assert row.tip in action.toolTip()
        assert not row.shortcuts or action.shortcut().toString() in action.toolTip()


def test_tool_keys_choose_tools_but_can_be_typed_into_the_prompt(studio: Studio) -> None:
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_E)
    assert studio.window.canvas.tool == "eraser"
    assert studio.window.actions_by_id["tool_eraser"].isChecked()
    studio.key(Qt.Key.Key_H)
    assert studio.window.canvas.tool == "pan"
    assert not studio.find("brushSizeField").isVisible()
    prompt = studio.find("promptEdit")
    prompt.setFocus()
    studio.qtbot.keyClicks(prompt, "bem")
    assert prompt.toPlainText() == "bem"
    assert studio.window.canvas.tool == "pan"
    assert studio.window.canvas.mask_visible


def test_one_can_type_at_once_and_tab_follows_the_reading_order(studio: Studio) -> None:
    assert studio.window.focusWidget() is studio.find("promptEdit")
    order = ["promptEdit", "negativePromptEdit", "segmentGenerate", "guidanceSlider", "moreButton", "generateButton"]
    first = widget = studio.find("promptEdit")
    chain = [first.objectName()]
    while (widget := widget.nextInFocusChain()) is not first:
        chain.append(widget.objectName())
    assert sorted(order, key=chain.index) == order


def test_a_picture_dragged_over_the_prompt_goes_to_the_window(studio: Studio, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.png"))])
    mime.setText("file:///a.png")
    assert not studio.find("promptEdit").canInsertFromMimeData(mime)
    text = QMimeData()
    text.setText("a lake")
    assert studio.find("promptEdit").canInsertFromMimeData(text)


def test_tab_leaves_the_prompt(studio: Studio) -> None:
    prompt = studio.find("promptEdit")
    studio.window.activateWindow()
    prompt.setFocus()
    studio.key(Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is studio.find("negativePromptEdit")
    assert prompt.toPlainText() == ""


def test_escape_cancels_the_innermost_thing(studio: Studio, backend: FakeBackend, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    backend.gated = True
    studio.click("generateButton")
    studio.wait(lambda: studio.queue.running is not None)
    studio.window.notices.show_notice(Notice(title="A notice"))
    canvas = studio.window.canvas
    canvas.setFocus()
    studio.qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center())
    studio.qtbot.mouseMove(canvas, pos=canvas.rect().center() + QPoint(30, 0))
    studio.key(Qt.Key.Key_Escape)
    assert studio.document.mask_empty
    assert studio.titles == ["A notice"]
    studio.key(Qt.Key.Key_Escape)
    assert studio.titles == []
    assert not studio.queue.running.cancel_asked
    studio.key(Qt.Key.Key_Escape)
    assert studio.queue.running is None or studio.queue.running.cancel_asked
    studio.qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center())
    studio.wait_idle()


def test_the_wheel_changes_a_slider_only_with_the_focus(studio: Studio) -> None:
    slider = studio.find("guidanceSlider")
    before = slider.value()

    def turn() -> None:
        at = QPointF(slider.rect().center())
        event = QWheelEvent(
            at, slider.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(slider, event)

    studio.find("promptEdit").setFocus()
    turn()
    assert slider.value() == before
    slider.setFocus()
    turn()
    assert slider.value() > before
    studio.qtbot.mouseDClick(slider, Qt.MouseButton.LeftButton)
    assert slider.value() == 60


def test_slider_number_and_store_stay_equal(studio: Studio) -> None:
    told = []
    studio.store.changed.connect(lambda params, names: told.append(names))
    spin = studio.find("guidanceSpin")
    spin.setFocus()
    spin.selectAll()
    studio.qtbot.keyClicks(spin, "12.3")
    assert studio.store.params.guidance == 12.3
    assert studio.find("guidanceSlider").value() == 123
    told.clear()
    studio.store.update(guidance=4.2)
    assert (spin.value(), studio.find("guidanceSlider").value()) == (4.2, 42)
    assert told == [{"guidance"}]  # nothing comes back
    studio.store.update(guidance=4.2)
    assert len(told) == 1


def test_small_brushes_have_room_on_the_slider(studio: Studio) -> None:
    slider, spin = studio.find("brushSizeSlider"), studio.find("brushSizeSpin")
    for tick, size in ((slider.minimum(), 1), (slider.maximum(), 1000)):
        slider.setValue(tick)
        assert spin.value() == size
        assert studio.window.canvas.brush.size == size
    spin.setValue(40)
    assert 0.2 < slider.value() / slider.maximum() < 0.4
    spin.setValue(41)  # every size can be set, also between two ticks
    assert studio.window.canvas.brush.size == 41


def test_the_pen_is_set_behind_its_button(studio: Studio) -> None:
    canvas = studio.window.canvas
    assert studio.find("penOptions").menu().isAncestorOf(studio.find("brushSmoothingSpin"))
    studio.find("brushSmoothingSpin").setValue(0.4)
    studio.find("penCurveSpin").setValue(2)
    studio.find("pen_sizeSwitch").click()
    studio.find("pen_opacitySwitch").click()
    brush = canvas.brush
    assert (brush.smoothing, brush.pen_curve, brush.pen_size, brush.pen_opacity) == (0.4, 2.0, False, True)
    canvas.set_tool("eraser")  # its own
    assert studio.find("pen_sizeSwitch").isChecked()
    assert studio.find("brushSmoothingSpin").value() == 0


def test_notices_stack_close_and_keep_long_texts_inside(studio: Studio) -> None:
    notices = studio.window.notices
    for number in range(5):
        notices.show_notice(Notice(title=f"Notice {number}", text="x" * 3000, details="trace " * 1000))
    assert studio.titles == ["Notice 4", "Notice 3", "Notice 2"]
    notices.show_notice(Notice(title="Notice 3", text="again"))
    assert studio.titles == ["Notice 3", "Notice 4", "Notice 2"]
    QApplication.processEvents()
    assert notices.width() <= studio.window.canvas_area.width()
    for label in notices.findChildren(QWidget, "noticeText"):
        assert label.sizeHint().width() <= notices.width()
    notices.show_notice(Notice(kind=Kind.ERROR, title="Error"))
    notices.clear_quiet()
    assert studio.titles == ["Error"]
    assert notices.close_newest()
    assert not notices.close_newest()


def test_details_fold_and_are_copied(studio: Studio) -> None:
    studio.window.notices.show_notice(Notice(kind=Kind.ERROR, title="It broke", details="line 1\nline 2"))
    assert not studio.find("noticeDetails").isVisible()
    studio.click("noticeDetailsFold")
    assert studio.find("noticeDetails").isVisible()
    studio.click("noticeCopy")
    assert "line 2" in QApplication.clipboard().text()


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("a calm lake", []),
        ("A Castle by the lake, castle", ["castle"]),
        ("snow-capped hills", ["snow", "capped", "hills"]),
        ("", []),
    ],
)
def test_words_that_the_small_model_does_not_know(prompt: str, unknown: list[str]) -> None:
    assert unknown_words(prompt, ("calm", "lake")) == unknown
    assert unknown_words(prompt, ()) == []


def test_the_prompt_tells_what_is_not_known(studio: Studio) -> None:
    line = studio.find("unknownWords")
    assert not line.isVisible()
    studio.store.update(prompt="a calm dragon")
    assert line.isVisible()
    assert line.text().endswith("dragon")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (65, "1:05"), (750, "12:30")])
def test_time_left_is_written_short(seconds: float, text: str) -> None:
    assert minutes(seconds) == text


def test_models_can_be_added_and_chosen(studio: Studio, tmp_path: Path) -> None:
    make_model(tmp_path / "big", channels=9, name="Big")
    combo = studio.find("modelCombo")
    assert [combo.itemText(row) for row in range(combo.count())] == ["Own", "Add a model file…", "Add a model folder…"]
    studio.desk.shelf.add(tmp_path / "big")
    assert combo.currentText() == "Big"
    assert studio.store.params.model == str(tmp_path / "big")
    with pytest.raises(ModelError):
        studio.desk.shelf.add(tmp_path)
    combo.setCurrentIndex(combo.count() - 1)
    combo.activated.emit(combo.count() - 1)  # asks, and shows the model in use meanwhile
    assert combo.currentText() == "Big"


@pytest.fixture
def no_folder_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.ui.dialogs.SystemDialogs.model_folder", lambda self, folder: None)


pytestmark = pytest.mark.usefixtures("no_folder_dialog")


def test_zoom_is_shown_and_follows(studio: Studio) -> None:
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert studio.find("zoomButton").text() == "100 %"


def test_the_mask_can_be_hidden(studio: Studio) -> None:
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_M)
    assert not studio.window.canvas.mask_visible
    studio.key(Qt.Key.Key_M)
    assert studio.window.canvas.mask_visible


def test_building_needs_no_torch() -> None:
    code = (
        "import sys; import app.main; "
        "bad = {'torch', 'diffusers', 'transformers', 'app.diffusion', 'PIL'} & set(sys.modules); "
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_second_window_can_live_beside_the_first(open_studio: Open) -> None:
    one, two = open_studio(), open_studio()
    one.store.update(prompt="one")
    assert two.store.params.prompt == ""


def test_a_prompt_is_counted_as_the_model_reads_it(open_studio: Open, data_with_model: Path) -> None:
    tokenizer = data_with_model / "models" / "own" / "tokenizer"
    (tokenizer / "tokenizer.json").unlink()
    for file in (resources() / "models" / "starter" / "tokenizer").iterdir():
        (tokenizer / file.name).write_bytes(file.read_bytes())
    studio = open_studio()
    count, negative = studio.find("promptCount"), studio.find("negativeCount")
    assert not count.isVisible()
    studio.qtbot.keyClicks(studio.find("promptEdit"), "a (red:1.2) house")
    assert count.isVisible()
    assert count.text() == "3/75"
    assert count.toolTip() == "<p>3 of 75 tokens: a red ×1.2 house</p>"
    assert not negative.isVisible()
    studio.store.update(prompt="snow, " * 40, negative="a house BREAK red")
    assert count.text() == "80/150"
    first, second = count.accessibleDescription().splitlines()
    assert first.startswith("Window 1 of 2, 74 of 75 tokens: snow , snow")
    assert second == "Window 2 of 2, 6 of 75 tokens: snow , snow , snow ,"
    assert negative.text() == "3/150"
    studio.store.update(prompt="<b>red</b>")
    assert "&lt;b&gt;" in count.toolTip().replace(" ", "")


def test_a_model_whose_tokenizer_cannot_be_read_counts_nothing(studio: Studio) -> None:
    studio.store.update(prompt="a red house")
    assert not studio.find("promptCount").isVisible()


def test_a_hint_that_has_no_room_ends_in_an_ellipsis_and_is_whole_in_its_tooltip(studio: Studio) -> None:
    hint, words = studio.find("hintLabel"), "many words for what the keys do " * 12
    studio.window.status_line.show_hint(words)
    assert hint.text().endswith("…")
    assert hint.fontMetrics().horizontalAdvance(hint.text()) <= hint.width()
    assert hint.toolTip() == words
    studio.window.status_line.show_hint("few words")
    assert hint.text() == "few words"


def test_without_a_picture_there_are_no_pixels_to_draw_a_grid_for(studio: Studio) -> None:
    canvas = studio.window.canvas
    canvas.zoom_to(12.0)
    canvas.set_pixel_grid(True)
    with_grid = canvas.grab().toImage()
    canvas.set_pixel_grid(False)
    assert canvas.grab().toImage() == with_grid
