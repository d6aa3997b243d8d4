"""``limner engine``, not meant for people: the child process that paints for the studio's window."""

from __future__ import annotations

from app.cli import engine
from app.process.serving import serve


def paint_for_studio() -> int:
    """Serve until the studio ends; returns the exit status."""
    return serve(engine)
