"""Makes the pictures of the canvas page, each tool at work: ``python -m tests.ui.tool_pictures OUT [TOOL...]``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packaging" / "starter"))

from dataset import sample
from PIL import Image
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtWidgets import QApplication

from app.core.params import Intent
from app.document.strokes import Brush
from app.main import build
from app.ui.canvas.mask_look import MaskStyle
from app.ui.main_window import MainWindow
from app.ui.theme import DARK, Theme
from tests.fakes import FakeBackend, result_of
from tests.ui.canvas.gestures import drag, move, press, release
from tests.ui.look import settle
from tests.ui.studio import make_model

SIDE = 1024  # of the scene
SCENE, OTHER = (3, 8), (3, 4)  # which of the starter's own drawings
WINDOW = (1180, 760)


class Desk:
    """The window with a scene in it, and words for what a hand does to it, in the scene's pixels."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.canvas = window.canvas

    def at(self, point: tuple[float, float]) -> QPointF:
        return self.canvas.to_view(QPointF(*point))

    def take(self, tool: str, **settings: float) -> None:
        self.canvas.set_tool(tool)
        if self.canvas.toolbox.active.paints:
            self.canvas.set_brush(replace(self.canvas.brush, **settings))  # type: ignore[arg-type]
        elif settings:
            toolbox = self.canvas.toolbox
            toolbox.set_area(replace(toolbox.area, **settings))  # type: ignore[arg-type]

    def draw(self, points: Sequence[tuple[float, float]]) -> None:
        drag(self.canvas, *(self.at(point) for point in points))

    def hold(self, points: Sequence[tuple[float, float]]) -> None:
        """Draw without letting go."""
        press(self.canvas, self.at(points[0]))
        for point in points[1:]:
            move(self.canvas, self.at(point))


def curve(points: Sequence[tuple[float, float]], steps: int = 14) -> list[tuple[float, float]]:
    """A smooth way through the points (Catmull and Rom's spline)."""
    way = []
    ends = [points[0], *points, points[-1]]
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for step in range(steps):
            t = step / steps
            way.append(tuple(_spline(p, q, r, s, t) for p, q, r, s in zip(a, b, c, d, strict=True)))
    return [*way, points[-1]]  # type: ignore[list-item]


def _spline(p: float, q: float, r: float, s: float, t: float) -> float:
    return 0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t**3)


TENT = [(385, 890), (455, 790), (530, 690), (620, 685), (690, 715), (725, 870), (610, 905), (490, 915)]


def brush(desk: Desk) -> None:
    desk.take("brush", size=90, hardness=0.75)
    desk.draw(curve([(420, 860), (490, 770), (555, 725), (620, 780), (670, 850)]))
    desk.hold(curve([(670, 850), (580, 865), (500, 850), (560, 790)]))


def eraser(desk: Desk) -> None:
    desk.take("brush", size=220, hardness=0.6)
    desk.draw(curve([(430, 830), (540, 760), (680, 800), (560, 860)]))
    desk.take("eraser", size=70, hardness=0.8)
    desk.hold(curve([(350, 720), (430, 740), (500, 680), (560, 640)]))


def rectangle(desk: Desk) -> None:
    desk.take("rectangle")
    desk.hold([(780, 310), (850, 380), (950, 480)])


def ellipse(desk: Desk) -> None:
    desk.take("ellipse", feather=12)
    desk.hold([(765, 295), (860, 390), (965, 495)])


def lasso(desk: Desk) -> None:
    desk.take("lasso")
    desk.hold(curve(TENT))


def polygon(desk: Desk) -> None:
    desk.take("polygon")
    for point in ((240, 575), (330, 420), (430, 240), (520, 330), (640, 500)):
        press(desk.canvas, desk.at(point))
        release(desk.canvas, desk.at(point))
    move(desk.canvas, desk.at((560, 560)))


def wand(desk: Desk) -> None:
    desk.take("wand", tolerance=40)
    desk.draw([(300, 860)])


def bucket(desk: Desk) -> None:
    desk.take("brush", size=26, hardness=0.9)
    desk.draw(curve([*TENT, TENT[0]]))
    desk.take("bucket")
    desk.draw([(560, 800)])


def frame(desk: Desk) -> None:
    brush(desk)
    release(desk.canvas, desk.at((560, 790)))
    desk.window.desk.store.update(intent=Intent.INPAINT)
    desk.take("frame")
    settle(lambda: bool(desk.canvas._xray.outlooks), 5)


def strength(desk: Desk) -> None:
    desk.window.desk.mask_looks.update(style=MaskStyle.HEAT, opacity=0.6)
    desk.take("brush", size=330, hardness=0.0, opacity=1.0)
    desk.draw(curve([(250, 480), (430, 400), (620, 480)]))
    desk.take("brush", size=160, hardness=0.2, opacity=0.45)
    desk.draw(curve([(640, 860), (780, 800), (900, 860)]))


def compare(desk: Desk) -> None:
    desk.window.desk.store.update(intent=Intent.REFINE, steps=1)
    desk.window.painting.submit()
    settle(lambda: desk.canvas.comparison.possible and desk.window.desk.queue.current is None, 10)
    desk.window.actions_by_id["wipe"].trigger()


SUN = [(805, 150), (840, 120), (880, 150), (860, 195), (815, 190)]


def paint(desk: Desk) -> None:
    colours = desk.canvas.toolbox.colours
    colours.choose((250, 190, 60))
    desk.take("paint", size=80, hardness=0.9)
    desk.draw(curve(SUN))
    colours.choose((190, 60, 50))
    desk.take("paint", size=46, hardness=0.8)
    desk.hold(curve([(330, 800), (420, 760), (520, 790), (600, 750)]))


def fill(desk: Desk) -> None:
    desk.canvas.toolbox.colours.choose((120, 90, 170))
    desk.take("fill", tolerance=40)
    desk.draw([(300, 860)])


def extend(desk: Desk) -> None:
    desk.take("crop")
    settle(seconds=0.2)
    desk.hold([(1024, 512), (1200, 520), (1344, 520)])


def crop(desk: Desk) -> None:
    desk.take("crop")
    settle(seconds=0.2)
    desk.draw([(400, 180), (800, 600), (1000, 880)])


TOOLS: tuple[Callable[[Desk], None], ...] = (
    brush, eraser, rectangle, ellipse, lasso, polygon, wand, bucket, frame, strength, compare,
    paint, fill, extend, crop,
)  # fmt: skip
ALONE = (wand, bucket, frame, strength, compare, fill, extend, crop)  # where the pointer has nothing to show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("tools", nargs="*", help="only these")
    given = parser.parse_args()
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    Theme(application).wear(DARK)
    scene, other = (sample(seed, index, SIDE)[0] for seed, index in (SCENE, OTHER))
    backend = FakeBackend(make_result=lambda request: result_of(request, other))
    for tool in (tool for tool in TOOLS if not given.tools or tool.__name__ in given.tools):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_model(folder / "models" / "own", name="Landscapes")
            window = build(backend, folder)
            window.resize(*WINDOW)
            window.show()
            Image.fromarray(scene).save(folder / "scene.png")
            window.files.open(folder / "scene.png")
            settle(lambda window=window: window.desk.document.has_picture, 10)  # type: ignore[misc]
            settle(seconds=0.3)
            window.canvas.set_brush(Brush(size=90))
            tool(Desk(window))
            settle(seconds=0.4)
            if tool in ALONE:
                QApplication.sendEvent(window.canvas, QEvent(QEvent.Type.Leave))
            path = out / f"{tool.__name__}.png"
            window.grab().save(str(path))
            Image.open(path).convert("RGB").save(path, optimize=True)
            window.canvas.cancel_stroke()
            window.close()


if __name__ == "__main__":
    main()
