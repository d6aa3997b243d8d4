"""The harness: no network, no torch telemetry, no Qt warning, no unexpected log record, no thread or timer left."""

from __future__ import annotations

import gc
import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models lose more to waking threads than they win

from app.core.environment import prepare_environment

prepare_environment()

import pytest

from tests.fakes import FakeBackend

LOCAL = {"127.0.0.1", "::1", "localhost"}


class NetworkUsedError(AssertionError):
    """A test tried to leave the machine."""


def _guarded(original: Any) -> Any:
    def connect(self: socket.socket, address: Any, *rest: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOCAL:
            raise NetworkUsedError(f"a connection to {address!r} was opened")
        return original(self, address, *rest)

    return connect


def _guarded_lookup(original: Any) -> Any:
    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and name not in LOCAL:
            raise NetworkUsedError(f"the name {name!r} was looked up")
        return original(host, *rest, **options)

    return getaddrinfo


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def no_unexpected_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Any record of WARNING or above fails the test, unless it is marked ``expects_log``."""
    collector = _Collector()
    root = logging.getLogger()
    root.addHandler(collector)
    yield
    root.removeHandler(collector)
    if request.node.get_closest_marker("expects_log") is None:
        said = [f"{record.name}: {record.getMessage()}" for record in collector.records]
        assert not said, f"unexpected log records: {said}"


@pytest.fixture(autouse=True)
def nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """No thread, running QThread or active QTimer outlives the test that made it."""
    before = set(threading.enumerate())
    with_qt = bool({"qtbot", "qapp"} & set(request.fixturenames))
    gc.freeze()  # what is there already need not be searched afterwards: with torch loaded that takes a second a test
    if with_qt:
        gc.disable()  # or a thread may collect this one's widgets, see app/jobs/garbage.py
    yield
    if not with_qt:
        return
    from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer

    gc.collect()
    gc.enable()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    alive = [obj for obj in gc.get_objects() if type(obj).__mro__.count(QThread) or type(obj).__mro__.count(QTimer)]
    threads = [obj for obj in alive if isinstance(obj, QThread) and _alive(obj) and obj.isRunning()]
    timers = [obj for obj in alive if isinstance(obj, QTimer) and _alive(obj) and obj.isActive()]
    assert not threads, f"running QThreads left: {threads}"
    assert not timers, f"active QTimers left: {timers}"
    left = [t for t in set(threading.enumerate()) - before if t.is_alive() and not t.daemon and "Dummy" not in t.name]
    assert not left, f"threads left: {left}"


def _alive(obj: Any) -> bool:
    from shiboken6 import isValid

    return bool(isValid(obj))


@pytest.fixture
def fake_backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with a name that careless path code trips over."""
    folder = tmp_path / "Dätä 猫 dir"
    folder.mkdir()
    return folder
