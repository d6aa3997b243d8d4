"""Numbers as people read them."""

from __future__ import annotations


def in_bytes(count: int) -> str:
    """1.2 MB"""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def minutes(seconds: float) -> str:
    """0:07, 12:30"""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def counted(count: int, what: str) -> str:
    """3 undo steps; nothing for 0"""
    return "" if count == 0 else f"{count} {what}" + ("" if count == 1 else "s")
