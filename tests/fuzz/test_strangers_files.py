"""Random and damaged bytes from strangers: no crash, no hang, and no file outside of the folder that was meant."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PySide6.QtCore import QMimeData, QUrl

from app.core.errors import PictureError, UserError
from app.core.geometry import Size
from app.core.request import Inpaint, Request
from app.core.settings import load_settings
from app.library import webui
from app.library.metadata import read_recipe, told
from app.library.openraster import OraLayer
from app.library.pictures import decode_picture
from app.library.project import NamedMask, Project, load_project, save_project
from app.library.saving import png_bytes
from app.ui import session
from app.ui.drops import DroppedFiles, read_drop
from tests.fakes import result_of

SLOWEST_S = 5.0  # a hang takes for ever; a busy machine takes a while
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
PIXELS = np.random.default_rng(3).integers(0, 256, (12, 16, 3), np.uint8)
MASK = np.zeros((12, 16), np.uint8)
MASK[2:8, 3:9] = 255
RESULT = result_of(
    Request(prompt="a lake", model="m", size=Size(16, 12), task=Inpaint(image=PIXELS, mask=MASK)), model_name="Own"
)
GOOD_PNG = png_bytes(RESULT.image, told(RESULT))


def timely(work: Callable[[], object]) -> None:
    began = time.monotonic()
    work()
    assert time.monotonic() - began < SLOWEST_S


def read_or_refused(read: Callable[[], object]) -> None:
    """In time, and if it is refused, with a remedy."""
    refused: list[UserError] = []

    def work() -> None:
        try:
            read()
        except UserError as error:
            refused.append(error)

    timely(work)
    assert all(error.remedy for error in refused)


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """Good bytes with a few of them changed, left out, doubled or cut off."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.integers(0, 3)):
            case 0:
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del data[at : at + draw(st.integers(1, 40))]
            case 2:
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case _:
                data = data[: max(1, at)]
    return bytes(data)


def good_ora(folder: Path) -> bytes:
    layer = OraLayer(name="Picture", pixels=np.dstack([PIXELS, np.full((12, 16), 255, np.uint8)]))
    project = Project(size=Size(16, 12), items=(layer,), merged=PIXELS, masks=(NamedMask("Mask", MASK),))
    save_project(folder / "good.ora", project)
    return (folder / "good.ora").read_bytes()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=15,
)


@FUZZ
@given(damaged(GOOD_PNG))
def test_pictures_that_tell_how_they_were_made(data: bytes) -> None:
    def read() -> None:
        try:
            pixels = decode_picture(data, "a.png").pixels
        except PictureError:
            pixels = PIXELS
        read_recipe(data, pixels)

    timely(read)


@FUZZ
@given(st.text(max_size=2000) | st.from_regex(r"(?s).{0,200}\nSteps: .{0,60}, Seed: .{0,30}, Size: .{0,20}"))
def test_settings_as_text(text: str) -> None:
    timely(lambda: webui.parse(text))


@FUZZ
@given(st.data())
def test_layered_files(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("ora")
    target = folder / "inside" / "bad.ora"
    target.parent.mkdir()
    target.write_bytes(data.draw(damaged(good_ora(folder))))
    before = files_under(folder)

    read_or_refused(lambda: load_project(target))
    assert files_under(folder) == before


NAMES = st.sampled_from(
    ("stack.xml", "mimetype", "mergedimage.png", "data/layer000.png", "limner/project.json", "limner/masks/000.png")
)


@FUZZ
@given(
    st.dictionaries(NAMES, st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()), max_size=3),
    st.text(max_size=30),
)
def test_layered_files_with_odd_members(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes], name: str
) -> None:
    folder = tmp_path_factory.mktemp("ora")
    with zipfile.ZipFile(io.BytesIO(good_ora(folder))) as good:
        content = {each: good.read(each) for each in good.namelist()} | members
    with zipfile.ZipFile(folder / "bad.ora", "w") as archive:
        for each, data in content.items():
            archive.writestr(each, data)
        archive.writestr(f"../{name}" if name else "x", b"evil")
    before = files_under(folder)

    read_or_refused(lambda: load_project(folder / "bad.ora"))
    assert files_under(folder) == before


@FUZZ
@given(JSON, st.binary(max_size=300))
def test_settings_files(tmp_path_factory: pytest.TempPathFactory, values: object, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("data") / "settings.json"
    for content in (json.dumps({"schema_version": 1, "values": values}).encode(), raw):
        path.write_bytes(content)
        path.with_suffix(".bak").unlink(missing_ok=True)

        def read() -> None:
            loaded = load_settings(path)
            session.params_from(session.section(loaded, "params"))
            session.paths(loaded, "recent")
            session.budget(loaded, 10)

        timely(read)


@FUZZ
@given(st.dictionaries(st.sampled_from(list(session.params_to_values(session.params_from({})))), JSON, max_size=8))
def test_parameters_of_strangers(values: dict[str, object]) -> None:
    timely(lambda: session.params_from(values))
    timely(lambda: session.recipe_from_shared(values))


@FUZZ
@given(
    st.lists(st.text(max_size=60) | st.from_regex(r"(?:file|http|ftp|data|javascript)://?[^\s]{0,40}"), max_size=4),
    st.text(max_size=200),
    st.binary(max_size=60),
)
def test_drops(qapp: object, addresses: list[str], text: str, raw: bytes) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl(address) for address in addresses])
    mime.setText(text)
    mime.setData("application/x-qt-image", raw)
    dropped = read_drop(mime)
    if isinstance(dropped, DroppedFiles):
        assert dropped.paths
        assert not any(str(path).startswith("//") for path in dropped.paths)


@FUZZ
@given(st.binary(max_size=400) | damaged(GOOD_PNG[:400]))
def test_pictures(data: bytes) -> None:
    read_or_refused(lambda: decode_picture(data, "a.png"))


def test_the_good_ones_are_good(tmp_path: Path) -> None:
    """Or the tests above would damage what is broken already."""
    (tmp_path / "a.ora").write_bytes(good_ora(tmp_path))
    assert load_project(tmp_path / "a.ora").masks
    assert read_recipe(GOOD_PNG, np.asarray(Image.open(io.BytesIO(GOOD_PNG)))) is not None
