"""Layered files: what is written is read by another program as it was meant, and strangers' files do no harm."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pyora
import pytest
from PIL import Image

from app.core.errors import PictureError
from app.core.geometry import Size
from app.library import openraster, zips
from app.library.openraster import OpenRaster, OraGroup, OraLayer, load_openraster, read_thumbnail, save_openraster

SIZE = Size(70, 50)


def pixels(height: int, width: int, seed: int, alpha: int | None = None) -> np.ndarray:
    made = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    made[..., 3] = np.maximum(made[..., 3], 1) if alpha is None else alpha
    return made


@pytest.fixture
def picture() -> OpenRaster:
    sky = OraLayer(name="sky & <sea> “猫”", pixels=pixels(50, 70, 1, 255), locked=True)
    cloud = OraLayer(name="cloud", pixels=pixels(20, 30, 2), x=-5, y=40, opacity=0.5, blend="svg:multiply")
    hidden = OraLayer(name="hidden", pixels=pixels(4, 4, 3), visible=False, selected=True)
    group = OraGroup(name="group", items=(cloud, hidden), opacity=0.8)
    merged = pixels(50, 70, 4, 255)
    return OpenRaster(size=SIZE, items=(group, sky), merged=merged, own={"project.json": b"{}", "mask.png": b"x"})


def test_it_comes_back_the_same(picture: OpenRaster, tmp_path: Path) -> None:
    size = save_openraster(tmp_path / "a 猫.ora", picture)
    assert size == (tmp_path / "a 猫.ora").stat().st_size
    back = load_openraster(tmp_path / "a 猫.ora")
    assert back.size == SIZE
    assert back.notes == ()
    assert dict(back.own) == dict(picture.own)
    np.testing.assert_array_equal(back.merged, picture.merged)
    group = back.items[0]
    assert isinstance(group, OraGroup)
    assert (group.name, group.opacity, group.visible) == ("group", 0.8, True)
    for ours, theirs in zip(picture.layers, back.layers, strict=True):
        np.testing.assert_array_equal(theirs.pixels, ours.pixels)
        for name in ("name", "x", "y", "opacity", "visible", "blend", "locked", "selected"):
            assert getattr(theirs, name) == getattr(ours, name), name


def test_the_archive_is_laid_out_as_the_specification_wants_it(picture: OpenRaster, tmp_path: Path) -> None:
    save_openraster(tmp_path / "a.ora", picture)
    data = (tmp_path / "a.ora").read_bytes()
    assert data[30:38] == b"mimetype"
    assert data[38 : 38 + 16] == b"image/openraster"  # first, unpacked, without an extra field
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        names = archive.namelist()
        assert names[0] == "mimetype"
        assert {"stack.xml", "mergedimage.png", "Thumbnails/thumbnail.png", "data/layer000.png"} <= set(names)
        with Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png"))) as thumbnail:
            assert max(thumbnail.size) <= 256
        with Image.open(io.BytesIO(archive.read("mergedimage.png"))) as merged:
            assert merged.size == (70, 50)
    assert read_thumbnail(tmp_path / "a.ora") is not None


def test_another_program_reads_it_as_it_was_meant(picture: OpenRaster, tmp_path: Path) -> None:
    save_openraster(tmp_path / "a.ora", picture)
    theirs = pyora.Project.load(str(tmp_path / "a.ora"))
    assert theirs.dimensions == (70, 50)
    layers = [layer for layer in theirs.iter_layers if layer.type == pyora.TYPE_LAYER]
    by_name = {layer.name: layer for layer in layers}
    for ours in picture.layers:
        layer = by_name[ours.name]
        assert layer.offsets == (ours.x, ours.y)
        assert layer.opacity == ours.opacity
        assert bool(layer.visible) == ours.visible
        np.testing.assert_array_equal(np.asarray(layer.get_image_data(raw=True)), ours.pixels)
    group = next(iter(theirs.children))
    assert by_name["cloud"].composite_op == "svg:multiply"
    assert {child.name for child in theirs.children} == {"group", "sky & <sea> “猫”"}
    assert group is not None


def test_what_another_program_writes_is_read(tmp_path: Path) -> None:
    theirs = pyora.Project.new(70, 50)
    theirs.add_layer(Image.fromarray(pixels(50, 70, 1, 255)), "below")
    theirs.add_layer(Image.fromarray(pixels(10, 12, 2)), "group/above", offsets=(7, 9), opacity=0.25, visible=False)
    theirs.save(str(tmp_path / "b.ora"))  # its sources begin with a slash
    back = load_openraster(tmp_path / "b.ora")
    above, below = back.layers
    assert (above.name, above.x, above.y, above.opacity, above.visible) == ("above", 7, 9, 0.25, False)
    np.testing.assert_array_equal(above.pixels, pixels(10, 12, 2))
    np.testing.assert_array_equal(below.pixels, pixels(50, 70, 1, 255))


def test_empty_borders_are_not_written(tmp_path: Path) -> None:
    wide = np.zeros((50, 70, 4), np.uint8)
    wide[20:30, 40:50] = (1, 2, 3, 200)
    empty = OraLayer(name="empty", pixels=np.zeros((50, 70, 4), np.uint8), x=3)
    layers = (OraLayer(name="dot", pixels=wide, x=1, y=2), empty)
    save_openraster(tmp_path / "a.ora", OpenRaster(size=SIZE, items=layers, merged=pixels(50, 70, 1, 255)))
    dot, nothing = load_openraster(tmp_path / "a.ora").layers
    assert (dot.x, dot.y, dot.pixels.shape) == (41, 22, (10, 10, 4))
    assert not nothing.pixels[..., 3].any()


def test_a_save_that_fails_leaves_the_old_file(picture: OpenRaster, tmp_path: Path, monkeypatch) -> None:
    save_openraster(tmp_path / "a.ora", picture)
    before = (tmp_path / "a.ora").read_bytes()
    monkeypatch.setattr(openraster, "_thumbnail", lambda _: (_ for _ in ()).throw(OSError(28, "No space")))
    with pytest.raises(PictureError, match="the disk is full"):
        save_openraster(tmp_path / "a.ora", picture)
    assert (tmp_path / "a.ora").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.ora"]


# Strangers' files

PNG = io.BytesIO()
Image.fromarray(pixels(4, 4, 1)).save(PNG, "PNG")
STACK = '<image w="4" h="4"><stack>{}</stack></image>'
LAYER = '<layer name="a" src="data/a.png"/>'


def written(path: Path, stack: str | bytes | None = STACK.format(LAYER), **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", members.pop("mimetype", b"image/openraster"))
        if stack is not None:
            archive.writestr("stack.xml", stack)
        for name, content in ({"data/a.png": PNG.getvalue(), "mergedimage.png": PNG.getvalue()} | members).items():
            archive.writestr(name, content)
    return path


def nested(depth: int) -> str:
    return STACK.format("<stack>" * depth + LAYER + "</stack>" * depth)


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        (None, "no stack.xml"),
        ("", "no XML"),
        ("<image", "no XML"),
        (STACK.format('<layer src="data/gone.png"/>'), "“data/gone.png” is missing"),
        (STACK.format('<layer src="../../etc/passwd"/>'), "is missing"),
        (STACK.format('<layer src="/etc/passwd"/>'), "is missing"),
        (STACK.format("<layer/>"), "“” is missing"),
        ("<html/>", "does not say how large"),
        ('<image w="4" h="4"/>', "list of layers"),
        ('<image w="0" h="4"><stack/></image>', "how large"),
        ('<image w="nan" h="4"><stack/></image>', "how large"),
        ('<image w="99999" h="99999"><stack/></image>', "too large"),
        (f'<!DOCTYPE x [<!ENTITY a "b">]>{STACK.format(LAYER)}', "definitions of its own"),
        (f"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>{STACK.format(LAYER)}", "definitions of its own"),
        (f"<!DOCTYPE x>{STACK.format(LAYER)}".encode("utf-16"), "definitions of its own"),
        (nested(100), "too large"),
        (STACK.format("<filter/>" * 20_000), "too large"),
    ],
)
def test_a_broken_list_of_layers_is_refused_in_words(stack, words: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=words) as refused:
        load_openraster(written(tmp_path / "bad.ora", stack))
    assert "bad.ora" in refused.value.message
    assert refused.value.remedy


def test_odd_values_are_taken_for_what_they_can_be(tmp_path: Path) -> None:
    odd = '<layer name="a" src="data/a.png" x="3.0" y="nonsense" opacity="nan" visibility="?" composite-op="x"/>'
    group = '<stack x="10" y="1e400"><layer src="data/a.png" x="1" opacity="7"/></stack>'
    rest = '<text>hello</text><layer name="drawing" src="data/a.svg"/>'
    back = load_openraster(written(tmp_path / "odd.ora", STACK.format(odd + group + rest)))
    first, second = back.layers
    assert (first.x, first.y, first.opacity, first.visible, first.blend) == (3, 0, 1.0, True, "x")
    assert (second.x, second.y, second.opacity) == (11, 0, 1.0)
    assert [note for note in back.notes if "left out" in note] == list(back.notes)
    assert len(back.notes) == 2


@pytest.mark.parametrize("png", [b"", b"broken", PNG.getvalue()[:60]])
def test_a_broken_layer_is_refused_in_words(png: bytes, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="its layer “a” cannot be read"):
        load_openraster(written(tmp_path / "bad.ora", **{"data/a.png": png}))


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "C:\\evil.png", "data\\..\\evil.png"])
def test_names_that_lead_out_of_the_archive(name: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="outside of itself"):
        load_openraster(written(tmp_path / "bad.ora", **{name: b"evil"}))
    assert [path.name for path in tmp_path.iterdir()] == ["bad.ora"]


def test_bombs_are_refused_before_they_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PictureError, match="unpacks to more"):
        load_openraster(written(tmp_path / "bomb.ora", **{"data/a.png": bytes(30_000_000)}))
    large = io.BytesIO()
    Image.new("L", (16000, 16000)).save(large, "PNG")
    with pytest.raises(PictureError, match="its layer “a” cannot be read"):
        load_openraster(written(tmp_path / "bomb.ora", **{"data/a.png": large.getvalue()}))
    monkeypatch.setattr(openraster, "MOST_LAYER_PIXELS", 20)
    with pytest.raises(PictureError, match="too large together"):
        load_openraster(written(tmp_path / "bomb.ora", STACK.format(LAYER * 2)))
    monkeypatch.setattr(zips, "MOST_BYTES", 100)
    with pytest.raises(PictureError, match="unpacks to more"):
        load_openraster(written(tmp_path / "bomb.ora"))
    monkeypatch.setattr(zips, "MOST_MEMBERS", 2)
    with pytest.raises(PictureError, match="holds more than 2 files"):
        load_openraster(written(tmp_path / "bomb.ora"))


def test_what_is_no_such_archive(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", written(tmp_path / "a.ora").read_bytes()[:200]):
        (tmp_path / "no.ora").write_bytes(content)
        with pytest.raises(PictureError, match=r"“no.ora” is damaged"):
            load_openraster(tmp_path / "no.ora")
    with pytest.raises(PictureError, match="There is no file"):
        load_openraster(tmp_path / "gone.ora")
    with pytest.raises(PictureError, match="cannot be read"):
        load_openraster(tmp_path)
    with pytest.raises(PictureError, match="is a Krita document"):
        load_openraster(written(tmp_path / "a.kra", mimetype=b"application/x-krita"))
    with zipfile.ZipFile(tmp_path / "twice.ora", "w") as archive:
        archive.writestr("stack.xml", "1")
        archive.writestr("/stack.xml", "2")
    with pytest.raises(PictureError, match="two files of one name"):
        load_openraster(tmp_path / "twice.ora")
    assert read_thumbnail(tmp_path / "gone.ora") is None
