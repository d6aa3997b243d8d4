"""The real window, as the tests of the window have it."""

from __future__ import annotations

from tests.ui.conftest import backend, data_with_model, open_studio  # noqa: F401 - fixtures
from tests.ui.test_journal import picture  # noqa: F401
