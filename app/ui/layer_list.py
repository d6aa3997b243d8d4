"""The layers as a list: rows with an eye, a thumbnail and a name, to choose, rename, hide and drag."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSignalBlocker,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from app.document.document import Document
from app.document.layers import MOST_NAME, Layer
from app.ui.icons import icon
from app.ui.layer_edits import LayerEdits, as_rows
from app.ui.theme import GRID

_ROW, _THUMB, _EYE = 40, 32, 18
_MOST_ROWS = 5
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_MIME = "application/x-limner-layer"
Index = QModelIndex | QPersistentModelIndex


class _Model(QAbstractListModel):
    """The document's layers, the uppermost first. Renaming, hiding and reordering go through the edits."""

    def __init__(self, document: Document, edits: LayerEdits, parent: QWidget) -> None:
        super().__init__(parent)
        self._document = document
        self._edits = edits
        self._rows = as_rows(document.layers)
        self._thumbs: dict[int, tuple[int, QImage]] = {}  # by layer: of which pixels, and how they look
        document.layers_changed.connect(self._follow)
        document.layer_painted.connect(lambda id, _: self._repaint(id))

    def layer(self, index: Index) -> Layer | None:
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    def row_of_active(self) -> int:
        active = self._document.active
        return self._rows.index(active) if active in self._rows else -1

    def thumbnail(self, layer: Layer) -> QImage:
        """At most _THUMB pixels a side at 2x, made when it is first asked for."""
        key = layer.image.cacheKey()
        kept = self._thumbs.get(layer.id)
        if kept is None or kept[0] != key:
            side = 2 * _THUMB
            kept = self._thumbs[layer.id] = key, layer.image.small(side)
        return kept[1]

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        layer = self.layer(index)
        if layer is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return layer.name
            case Qt.ItemDataRole.AccessibleTextRole:
                faded = "" if layer.opacity == 1.0 else f", {layer.opacity:.0%}"
                return f"{layer.name}, {layer.kind.value}{faded}{'' if layer.visible else ', hidden'}"
            case Qt.ItemDataRole.ToolTipRole:
                size = f"{layer.image.width()} × {layer.image.height()} px"
                return f"{layer.name}: {layer.kind.value}, {size}. Double-click renames, the eye hides (H)."
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        layer = self.layer(index)
        if layer is None or role != Qt.ItemDataRole.EditRole:
            return False
        self._edits.rename(layer.id, str(value))
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
        return flags | Qt.ItemFlag.ItemIsDragEnabled

    # Dragging a row to another place

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: list[QModelIndex]) -> QMimeData:  # type: ignore[override]
        mime = QMimeData()
        layer = self.layer(indexes[0]) if indexes else None
        mime.setData(_MIME, str(layer.id if layer is not None else 0).encode())
        return mime

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        if not data.hasFormat(_MIME):
            return False
        id = int(bytes(data.data(_MIME).data()))
        at = row if row >= 0 else (parent.row() if parent.isValid() else len(self._rows))
        before = next((n for n, layer in enumerate(self._rows) if layer.id == id), None)
        if before is None:
            return False
        after = at - 1 if at > before else at  # its own row goes first
        self._edits.move_to(id, len(self._rows) - 1 - after)
        return False  # or the view would take the row away that it has dragged

    def _follow(self) -> None:
        rows = as_rows(self._document.layers)
        if [layer.id for layer in rows] == [layer.id for layer in self._rows]:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        here = {layer.id for layer in rows}
        self._thumbs = {id: kept for id, kept in self._thumbs.items() if id in here}
        self.endResetModel()

    def _repaint(self, id: int) -> None:
        for number, layer in enumerate(self._rows):
            if layer.id == id:
                self.dataChanged.emit(self.index(number), self.index(number))


class LayerList(QListView):
    """The rows. Arrows choose, Ctrl with them reorders, Alt moves by a pixel (with Shift ten), F2 renames, H hides,
    Delete deletes."""

    def __init__(self, document: Document, edits: LayerEdits) -> None:
        super().__init__()
        self._model = model = _Model(document, edits, self)
        self._edits = edits
        self.setObjectName("layersList")
        self.setAccessibleName("Layers, the uppermost first")
        self.setModel(model)
        self.setItemDelegate(_Row(model, edits, self))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setMouseTracking(True)
        self.selectionModel().currentChanged.connect(self._on_current)

    def follow(self) -> None:
        """Show which layer is the active one, and be as high as the rows need."""
        row = self._model.row_of_active()
        with QSignalBlocker(self.selectionModel()):
            index = self._model.index(row) if row >= 0 else QModelIndex()
            self.setCurrentIndex(index)
        self.viewport().update()
        rows = min(_MOST_ROWS, max(1, self._model.rowCount()))
        self.setFixedHeight(rows * _ROW + 2 * self.frameWidth() + 4)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        layer = self._model.layer(self.currentIndex())
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in _ARROWS:
            x, y = _ARROWS[Qt.Key(event.key())]
            far = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._edits.nudge(x * far, y * far)
            return
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        match event.key():
            case Qt.Key.Key_Up if control:
                self._edits.shift_order(1)
            case Qt.Key.Key_Down if control:
                self._edits.shift_order(-1)
            case Qt.Key.Key_Delete | Qt.Key.Key_Backspace:
                self._edits.remove()
            case Qt.Key.Key_H if layer is not None and not control:
                self._edits.show(layer.id, not layer.visible)
            case _:
                super().keyPressEvent(event)

    def _on_current(self, index: QModelIndex, _: QModelIndex) -> None:
        if (layer := self._model.layer(index)) is not None:
            self._edits.choose(layer.id)


class _Row(QStyledItemDelegate):
    """An eye, a thumbnail on a checkerboard, the name, and the opacity where it is not whole."""

    def __init__(self, model: _Model, edits: LayerEdits, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._edits = edits

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        layer = self._model.layer(index)
        if layer is None:
            return
        rect: QRect = option.rect
        palette: QPalette = option.palette
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if chosen:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Mid))
            painter.fillRect(QRect(rect.x(), rect.y(), 3, rect.height()), palette.color(QPalette.ColorRole.Highlight))
        icon("mask" if layer.visible else "hidden").paint(painter, _eye(rect))
        place = _thumb(rect)
        _checker(painter, place)
        small = self._model.thumbnail(layer)
        size = small.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRect(QPoint(), size)
        target.moveCenter(place.center())
        painter.setOpacity(1.0 if layer.visible else 0.4)
        painter.drawImage(target, small)
        painter.setOpacity(1.0)
        faded = "" if layer.opacity == 1.0 else f"{layer.opacity:.0%}"
        metrics = option.fontMetrics
        right = metrics.horizontalAdvance(faded) + GRID if faded else 0
        words = _words(rect).adjusted(0, 0, -right, 0)
        role = QPalette.ColorRole.Text if layer.visible else QPalette.ColorRole.PlaceholderText
        painter.setPen(palette.color(role))
        name = metrics.elidedText(layer.name, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(_words(rect), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, faded)
        painter.restore()

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: Index) -> bool:
        """A click on the eye hides or shows."""
        layer = self._model.layer(index)
        pressed = event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
        if layer is not None and pressed and isinstance(event, QMouseEvent):
            rect: QRect = option.rect
            if event.position().x() < _thumb(rect).left() and event.button() == Qt.MouseButton.LeftButton:
                self._edits.show(layer.id, not layer.visible)
                return True
        return super().editorEvent(event, model, option, index)  # type: ignore[arg-type]

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        rect: QRect = option.rect
        layer = self._model.layer(index)
        if layer is not None and event.pos().x() < _thumb(rect).left():
            QToolTip.showText(
                event.globalPos(), "Hide the layer (H)." if layer.visible else "Show the layer (H).", view
            )
            return True
        return super().helpEvent(event, view, option, index)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        edit = QLineEdit(parent)
        edit.setObjectName("layerName")
        edit.setAccessibleName("Name of the layer")
        edit.setMaxLength(MOST_NAME)
        return edit

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        words = _words(option.rect)
        editor.setGeometry(words.adjusted(-GRID // 2, 4, 0, -4))


def _eye(row: QRect) -> QRect:
    return QRect(row.x() + GRID, row.y() + (row.height() - _EYE) // 2, _EYE, _EYE)


def _thumb(row: QRect) -> QRect:
    return QRect(row.x() + 2 * GRID + _EYE, row.y() + (row.height() - _THUMB) // 2, _THUMB, _THUMB)


def _words(row: QRect) -> QRect:
    left = _thumb(row).right() + GRID
    return QRect(left, row.y(), row.right() - left - GRID, row.height())


def _checker(painter: QPainter, place: QRect) -> None:
    painter.fillRect(place, QColor(200, 200, 200))
    side = place.width() // 4
    for n in range(16):
        if (n // 4 + n) % 2:
            painter.fillRect(place.x() + n % 4 * side, place.y() + n // 4 * side, side, side, QColor(150, 150, 150))
