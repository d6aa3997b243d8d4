"""The picture being edited: QtCore and QtGui, no widgets."""
