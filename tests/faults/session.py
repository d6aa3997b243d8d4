"""A session that does what an artist does, quickly and by a seed, until it is killed: the child of the kill test.

``python -m tests.faults.session DATA WITNESS SEED``. It first brings back what is offered.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image
from PySide6.QtCore import QPointF, QTimer
from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QApplication

from app.core.geometry import Rect
from app.core.job import Hooks, Result
from app.core.request import Request
from app.document import layer_commands as layers
from app.document import mask_commands as masks
from app.document.commands import ClearMask, InvertMask, SetFrame
from app.document.journal import contents
from app.document.masks import Combine
from app.library.journal.entries import Entry, Moved, Stepped, Told
from app.main import build
from app.ui.main_window import MainWindow
from tests.fakes import FakeBackend
from tests.faults.witness import Witness, look, stack, word
from tests.ui.canvas.gestures import drag

_PAUSE_MS = 25
_MOST_CANDIDATES = 4
_MOST_LAYERS = 5
_MOST_MASKS = 4


class _Painter(FakeBackend):
    """Takes a moment for each step, and paints another colour for each seed."""

    def run(self, request: Request, hooks: Hooks) -> Result:
        self.colour = (request.seed % 251, request.seed % 241, request.seed % 239)
        return super().run(request, hooks)

    def _wait(self, hooks: Hooks) -> None:
        time.sleep(0.004)
        super()._wait(hooks)


class Script:
    """Does one thing after another, and tells the witness of each change where it happens."""

    def __init__(self, window: MainWindow, witness: Witness, seed: int, folder: Path) -> None:
        self._window = window
        self._desk = window.desk
        self._document = window.desk.document
        self._undo = window.desk.document.undo
        self._witness = witness
        self._random = random.Random(seed)
        self._folder = folder
        self._looks: list[str] = []
        self._timer = QTimer(window, interval=_PAUSE_MS)
        self._timer.timeout.connect(self._act)
        self._actions: list[tuple[int, Callable[[], Any]]] = [
            (10, self._stroke),
            (4, self._type),
            (3, self._undo.undo),
            (2, self._undo.redo),
            (2, self._paint),
            (2, self._choose),
            (2, self._save),
            (1, self._open),
            (1, self._frame),
            (4, self._arrange),
            (3, self._change_masks),
            (1, lambda: self._undo.push(ClearMask(self._document))),
            (1, lambda: self._undo.push(InvertMask(self._document))),
            (1, window.memory.save),
        ]

    def begin(self, looks: list[str]) -> None:
        """``looks``: how the document looks at each index, as far as it is known."""
        self._looks = looks
        self._see_before_it_is_written()
        self._desk.store.changed.connect(lambda *_: self._see_settings())
        self._desk.candidates.changed.connect(self._see_candidates)
        self._window.files.saved.connect(lambda path, _: self._witness.say({"saved": path.name}))
        self._desk.history.changed.connect(lambda: self._witness.say({"kept": True}))
        self.see_all()
        self._desk.queue.go_on()
        self._timer.start()

    def _see_before_it_is_written(self) -> None:
        """Or a kill between the two would leave what nobody has seen."""
        writer = self._window.journal._writer
        put = writer.put

        def seen(entry: Entry) -> None:
            match entry:
                case Stepped() | Moved():
                    self._on_index(self._undo.index())
                case Told(name="queue"):
                    self._see_queue()
            put(entry)

        writer.put = seen  # type: ignore[method-assign]

    def see_all(self) -> None:
        self._see_document()
        self._see_settings()
        self._see_candidates()
        self._see_queue()

    # What is seen

    def _on_index(self, index: int) -> None:
        now = look(*contents(self._document))
        if self._undo.pushing:
            del self._looks[index:]
            self._looks.append(now)
        elif self._looks[index] != now:
            self._witness.say({"wrong": f"after {index} steps it does not look as it did"})
        self._see_document()

    def _see_document(self) -> None:
        texts = [self._undo.text(number) for number in range(self._undo.count())]
        self._witness.saw("document", stack(self._looks, texts, self._undo.index()))

    def _see_settings(self) -> None:
        params = self._desk.store.params
        self._witness.saw("settings", word([params.prompt, params.steps, params.seed]))

    def _see_candidates(self) -> None:
        waiting = self._desk.candidates.waiting
        self._witness.saw("candidates", word([[one.result.request.seed, one.starred] for one in waiting]))

    def _see_queue(self) -> None:
        queue = self._desk.queue
        running = [queue.running] if queue.running is not None and not queue.running.cancel_asked else []
        self._witness.saw("queue", word([job.request.seed for job in (*running, *queue.waiting)]))

    # What is done

    def _act(self) -> None:
        weights = [weight for weight, _ in self._actions]
        (action,) = self._random.choices([action for _, action in self._actions], weights)
        action()

    def _stroke(self) -> None:
        canvas, size = self._window.canvas, self._document.size
        points = [
            canvas.to_view(QPointF(self._random.uniform(0, size.width), self._random.uniform(0, size.height)))
            for _ in range(4)
        ]
        drag(canvas, *points)

    def _type(self) -> None:
        prompt = self._desk.store.params.prompt
        word = self._random.choice(["house ", "lake ", "red ", "dusk ", "猫 "])
        self._desk.store.update(prompt=(prompt + word)[-60:], steps=self._random.randint(2, 5))

    def _paint(self) -> None:
        if len(self._desk.queue.waiting) < 2:
            self._desk.store.update(count=self._random.choice([1, 1, 2]), steps=self._random.randint(2, 5))
            self._window.painting.submit()

    def _choose(self) -> None:
        candidates = self._desk.candidates
        if not candidates.waiting:
            return
        if len(candidates.waiting) > _MOST_CANDIDATES:
            candidates.clear()
        else:
            self._random.choice([self._window.commands.accept_candidate, candidates.discard, candidates.star])()

    def _save(self) -> None:
        if self._document.has_picture:
            self._window.files.save(self._folder / f"{self._random.randint(0, 5)}.png")

    def _open(self) -> None:
        self._window.files.open(self._folder / "photo.png")

    def _change_masks(self) -> None:
        """Something about the list of masks."""
        document, many = self._document, len(self._document.masks.items)
        other = self._random.randrange(many)
        if many < 2 or (many < _MOST_MASKS and self._random.random() < 0.3):
            step: QUndoCommand | None = self._random.choice([masks.add_mask, masks.duplicate_mask])(document)
        elif self._random.random() < 0.3:
            step = masks.delete_mask(document)
        elif self._random.random() < 0.5:
            step = masks.choose_mask(document, other)
        elif self._random.random() < 0.3:
            step = masks.rename_mask(document, other, self._random.choice(["sky", "hand", "猫"]))
        else:
            step = masks.combine_mask(document, other, self._random.choice(list(Combine)))
        if step is not None:
            self._undo.push(step)

    def _arrange(self) -> None:
        """Something about the layers."""
        document, stack = self._document, self._document.layers
        if not stack:
            return
        layer = self._random.choice(stack)
        if len(stack) > _MOST_LAYERS or self._random.random() < 0.2:
            step = (*layers.without(document, layer.id), "Delete layer")
        elif self._random.random() < 0.3 and layer is not stack[0]:
            step = (*layers.merged_down(document, layer.id), "Merge down")
        elif self._random.random() < 0.4:
            twin = layers.duplicated(document, layer)
            step = (layers.added(document, twin), twin.id, "Duplicate layer")
        elif self._random.random() < 0.4:
            x, y = layer.x + self._random.randint(-40, 40), layer.y + self._random.randint(-40, 40)
            step = (layers.changed(stack, layer.id, x=x, y=y), layer.id, "Drag layer")
        elif self._random.random() < 0.5:
            step = (layers.moved(stack, layer.id, self._random.randrange(len(stack))), layer.id, "Move layer")
        else:
            seen, dim = self._random.random() < 0.7, self._random.choice([0.25, 0.5, 1.0])
            step = (layers.changed(stack, layer.id, opacity=dim, visible=seen), layer.id, "Change layer")
        self._undo.push(layers.ChangeLayers(document, *step))

    def _frame(self) -> None:
        size = self._document.size
        if min(size.width, size.height) >= 128:
            x = self._random.randint(0, size.width - 64)
            self._undo.push(SetFrame(self._document, Rect(x, 8, 64, 64)))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("witness", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("--looks", nargs="+", default=[], help="how what is brought back looks after each step")
    given = parser.parse_args()
    application = QApplication([])
    witness = Witness(given.witness)
    folder = given.data / "pictures"
    folder.mkdir(exist_ok=True)
    if not (folder / "photo.png").exists():
        noise = np.random.default_rng(3).integers(0, 256, (420, 640, 3), np.uint8)
        Image.fromarray(noise).save(folder / "photo.png")
    window = build(_Painter(), given.data)
    window.resize(1100, 700)
    window.show()
    script = Script(window, witness, given.seed, folder)
    undo = window.desk.document.undo

    shown: list[str] = []
    window.recovery.named.connect(lambda name, _: shown.append(name))

    def wait(condition: Callable[[], bool], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not condition() and time.monotonic() < until:
            application.processEvents()
            time.sleep(0.002)
        return condition()

    if given.looks:
        if not wait(lambda: any(notice.choices for notice in window.notices.shown), 60):
            witness.say({"wrong": f"nothing was offered, but {[n.title for n in window.notices.shown]}"})
            return 1
        card = next(notice for notice in window.notices.shown if notice.choices)
        card.choices[0].act()
        window.notices.withdraw(card)
        if not wait(lambda: bool(shown) and not window.recovery.busy, 60):
            witness.say({"wrong": "the session was not brought back"})
            return 1
        if undo.index() >= len(given.looks) or given.looks[undo.index()] != look(*contents(window.desk.document)):
            witness.say({"wrong": f"it does not look as it did after {undo.index()} steps"})
            return 1
    script.begin(given.looks or [look(*contents(window.desk.document))])
    witness.say({"ready": True})
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
