"""Pictures from anywhere: upright, 8 bits, sRGB, never stretched; and for what cannot be read, a sentence."""

from __future__ import annotations

import errno
import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from app.core.errors import PictureError
from app.core.geometry import Size
from app.library import pictures
from app.library.pictures import decode_picture, load_mask, load_picture, resized, save_png

RED, GREEN, BLUE, GREY = (250, 10, 20), (15, 240, 30), (20, 30, 245), (128, 128, 128)
QUARTERS = np.array([[RED, GREEN], [BLUE, GREY]], np.uint8).repeat(8, axis=0).repeat(12, axis=1)  # 16 x 24 x 3


def file_of(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def close(pixels: np.ndarray, colours: np.ndarray, most: int) -> bool:
    return pixels.shape == colours.shape and int(np.abs(pixels.astype(int) - colours.astype(int)).max()) <= most


# Formats and modes


@pytest.mark.parametrize(
    ("format", "options", "most"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("PPM", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("GIF", {}, 8),
        ("JPEG", {"quality": 100, "subsampling": 0}, 6),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}, 6),
    ],
)
def test_every_format_gives_the_pixels(format: str, options: dict[str, Any], most: int) -> None:
    picture = decode_picture(file_of(Image.fromarray(QUARTERS), format, **options), "a")
    assert picture.size == Size(24, 16)
    assert close(picture.pixels, QUARTERS, most)
    assert picture.notes == ()
    assert picture.pixels.dtype == np.uint8
    assert not picture.pixels.flags.writeable
    assert picture.pixels.base is None  # owns its memory: nobody can write to it through another array


UPRIGHT_TO_STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", UPRIGHT_TO_STORED)
def test_exif_sets_the_picture_upright(format: str, orientation: int) -> None:
    stored = Image.fromarray(np.ascontiguousarray(UPRIGHT_TO_STORED[orientation](QUARTERS)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    picture = decode_picture(file_of(stored, format, exif=exif, **options), "a")
    assert close(picture.pixels, QUARTERS, 6)


def test_a_broken_exif_block_does_not_cost_the_picture() -> None:
    data = file_of(Image.fromarray(QUARTERS), "PNG", exif=b"Exif\0\0" + b"\xff" * 40)
    assert close(decode_picture(data, "a").pixels, QUARTERS, 0)


@pytest.mark.parametrize(
    ("values", "format", "expected"),
    [
        (np.array([[0, 257, 40000, 65535]], np.uint16), "PNG", [0, 1, 156, 255]),
        (np.array([[0, 257, 40000, 65535]], np.uint16), "TIFF", [0, 1, 156, 255]),
        (np.array([[0, 257, 40000, 65535]], np.uint16), "PPM", [0, 1, 156, 255]),
        (np.array([[0.0, 0.25, 0.5, 1.0]], np.float32), "TIFF", [0, 64, 128, 255]),
        (np.array([[0, 1 << 29, 1 << 30, 1 << 30]], np.int32), "TIFF", [0, 128, 255, 255]),
        (np.array([[-2.0, 0.0, 1.0, 2.0]], np.float32), "TIFF", [0, 128, 191, 255]),
        (np.array([[np.nan, 0.0, np.inf, 1.0]], np.float32), "TIFF", [0, 0, 0, 255]),
    ],
)
def test_deep_grey_is_scaled_and_not_clipped(values: np.ndarray, format: str, expected: list[int]) -> None:
    picture = decode_picture(file_of(Image.fromarray(values), format), "a")
    assert picture.pixels[0, :, 0].tolist() == expected
    assert (picture.pixels == picture.pixels[..., :1]).all()


def test_a_flat_deep_picture_is_no_division_by_zero() -> None:
    data = file_of(Image.fromarray(np.zeros((3, 3), np.float32)), "TIFF")
    assert not decode_picture(data, "a").pixels.any()


@pytest.mark.parametrize(
    ("mode", "format", "expected", "most"),
    [
        ("1", "PNG", 255, 0),
        ("L", "PNG", 200, 0),
        ("LA", "PNG", 200, 0),
        ("P", "PNG", 200, 0),
        ("RGBA", "PNG", 200, 0),
        ("RGBA", "WEBP", 200, 2),
        ("CMYK", "TIFF", 200, 0),
        ("CMYK", "JPEG", 200, 3),
        ("YCbCr", "JPEG", 200, 2),
        ("LAB", "TIFF", None, 0),
    ],
)
def test_modes(mode: str, format: str, expected: int | None, most: int) -> None:
    grey = Image.new("RGB", (9, 7), (200, 200, 200))
    image = Image.new("LAB", (9, 7)) if mode == "LAB" else grey.convert(mode, dither=Image.Dither.NONE, palette=1)
    picture = decode_picture(file_of(image, format), "a")
    assert picture.size == Size(9, 7)
    if expected is not None:
        assert close(picture.pixels, np.full((7, 9, 3), expected, np.uint8), most)


# Transparency


def test_transparency_is_laid_over_white_and_told() -> None:
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :] = [(200, 100, 0, 0), (200, 100, 0, 128), (200, 100, 0, 255)]
    picture = decode_picture(file_of(Image.fromarray(rgba), "PNG"), "cat.png")
    assert picture.pixels[0].tolist() == [[255, 255, 255], [227, 177, 127], [200, 100, 0]]
    assert picture.notes == ("The transparent parts of “cat.png” were laid over white.",)
    over_black = decode_picture(file_of(Image.fromarray(rgba), "PNG"), "cat.png", (0, 0, 0))
    assert over_black.pixels[0].tolist() == [[0, 0, 0], [100, 50, 0], [200, 100, 0]]


def test_palette_and_key_colour_transparency() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 0])
    palette.putdata([0, 1])
    expected = [[255, 255, 255], [200, 100, 0]]
    for format in ("PNG", "GIF"):
        picture = decode_picture(file_of(palette, format, transparency=0), "a")
        assert picture.pixels[0].tolist() == expected, format
        assert len(picture.notes) == 1
    grey = Image.fromarray(np.array([[7, 90]], np.uint8))
    assert decode_picture(file_of(grey, "PNG", transparency=7), "a").pixels[0].tolist() == [[255] * 3, [90] * 3]


def test_an_opaque_alpha_channel_is_no_news() -> None:
    image = Image.fromarray(np.dstack([QUARTERS, np.full((16, 24), 255, np.uint8)]))
    picture = decode_picture(file_of(image, "PNG"), "a")
    assert picture.notes == ()
    assert close(picture.pixels, QUARTERS, 0)


# Colour profiles


def profile(name: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()  # type: ignore[arg-type]


def test_an_srgb_profile_changes_nothing() -> None:
    data = file_of(Image.fromarray(QUARTERS), "PNG", icc_profile=profile("sRGB"))
    assert close(decode_picture(data, "a").pixels, QUARTERS, 1)


def test_a_profile_is_used() -> None:
    lab = Image.new("LAB", (4, 4), (128, 128, 128))  # L 50, a and b 0: middle grey
    data = file_of(lab, "TIFF", icc_profile=profile("LAB"))
    assert close(decode_picture(data, "a").pixels, np.full((4, 4, 3), 119, np.uint8), 3)


@pytest.mark.parametrize("broken", [b"nonsense", profile("LAB")])
def test_an_unusable_profile_is_told(broken: bytes) -> None:
    picture = decode_picture(file_of(Image.fromarray(QUARTERS), "PNG", icc_profile=broken), "a.png")
    assert close(picture.pixels, QUARTERS, 0)
    assert picture.notes == ("The colour profile of “a.png” cannot be used; its colours may look different.",)


# Several frames


@pytest.mark.parametrize(
    ("format", "word"), [("GIF", "animated"), ("WEBP", "animated"), ("PNG", "animated"), ("TIFF", "pages")]
)
def test_the_first_frame_is_taken_and_told(format: str, word: str) -> None:
    first, second = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)
    options = {"lossless": True} if format == "WEBP" else {}
    data = file_of(first, format, save_all=True, append_images=[second], **options)
    picture = decode_picture(data, "a")
    assert close(picture.pixels, np.full((8, 8, 3), RED, np.uint8), 0)
    assert len(picture.notes) == 1
    assert word in picture.notes[0]


def test_a_phone_photo_of_two_pictures_is_not_called_animated() -> None:
    data = file_of(Image.new("RGB", (8, 8), RED), "MPO", save_all=True, append_images=[Image.new("RGB", (4, 4))])
    assert decode_picture(data, "a").notes == ()


# Sizes


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 5000), (7, 9), (63, 65), (8192, 8)])
def test_odd_sizes_stay_as_they_are(width: int, height: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    assert (decode_picture(file_of(Image.fromarray(noise), "PNG"), "a").pixels == noise).all()


def png_header(width: int, height: int, rest: bytes = b"") -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + rest


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (11000, 11000, "more than 120 million pixels"),
        (16000, 14000, "more than 120 million pixels"),
        (60000, 60000, "pixels"),
        (2**31 - 1, 2**31 - 1, "pixels"),
        (20000, 10, "a side may have 16384 pixels"),
    ],
)
def test_bombs_are_refused_by_their_header(
    width: int, height: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("the pixels were decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load_prepare", decoded)
    data = png_header(width, height, chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))
    with pytest.raises(PictureError) as caught:
        decode_picture(data, "bomb.png")
    assert words in caught.value.message
    assert "bomb.png" in caught.value.message


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_a_text_bomb_is_opened_without_its_text(kind: bytes) -> None:
    bomb = zlib.compress(b"A" * 3_000_000)
    body = b"k\0\0" + bomb if kind == b"zTXt" else b"k\0\1\0\0\0" + bomb
    good = file_of(Image.fromarray(QUARTERS), "PNG")
    picture = decode_picture(good[:33] + chunk(kind, body) + good[33:], "a.png")
    assert close(picture.pixels, QUARTERS, 0)
    assert picture.notes == ("Oversized texts inside “a.png” were left out.",)


# What cannot be read


HTML = b"<!DOCTYPE html><html><body>404</body></html>"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\0" * 64, "is not a picture that Limner can read"),
        (b"hello", "is not a picture that Limner can read"),
        (HTML, "is a web page"),
        (LFS, "Git LFS pointer"),
        (b"%PDF-1.7 ...", "is a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "is a PostScript document"),
        (b"8BPS\0\1" + b"\0" * 60, "is a Photoshop document"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "is an SVG drawing"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
        (b"\x89PNG\r\n\x1a\n", "is not a picture that Limner can read"),
        (png_header(0, 5), "is not a picture that Limner can read"),
        (png_header(5, 5), "badly damaged"),
        (png_header(5, 5, chunk(b"IDAT", b"nonsense") + chunk(b"IEND", b"")), "is damaged"),
        (file_of(Image.fromarray(QUARTERS), "PNG")[:-30], "is damaged"),
        (file_of(Image.effect_noise((64, 64), 90).convert("RGB"), "JPEG")[:1500], "is damaged"),
        (file_of(Image.effect_noise((64, 64), 90).convert("RGB"), "BMP")[:1500], "is damaged"),
        (file_of(Image.effect_noise((64, 64), 90).convert("RGB"), "WEBP", lossless=True)[:1500], "WebP"),
    ],
)
def test_damaged_files_have_their_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "Ünï 猫.png"
    path.write_bytes(content)
    with pytest.raises(PictureError) as caught:
        load_picture(path)
    said = caught.value
    assert "Ünï 猫.png" in said.message
    assert words in str(said)
    assert said.remedy
    with pytest.raises(PictureError):
        load_mask(path)


def test_programs_in_disguise_are_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EPS files are programs that Pillow hands to Ghostscript; no reader but those of plain pictures is asked."""
    opened: list[object] = []
    monkeypatch.setattr("PIL.EpsImagePlugin.EpsImageFile._open", lambda self: opened.append(self))
    eps = file_of(Image.new("RGB", (4, 4)), "EPS")
    with pytest.raises(PictureError, match="PostScript"):
        decode_picture(eps, "a.png")
    assert opened == []


def test_missing_folder_pipe_and_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path, words in (
        (tmp_path / "none.png", "There is no file"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe.png", "is not a file"),
        (tmp_path / ("x" * 300 + ".png"), "cannot be read"),
        (Path("a\0b.png"), "There is no file|cannot be read"),
    ):
        with pytest.raises(PictureError, match=words):
            load_picture(path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not be read"),
        (OSError(errno.EIO, "Input/output error"), "cannot be read \\(Input/output error\\)"),
    ],
)
def test_the_disk_says_no(error: OSError, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path) -> bytes:
        raise error

    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(PictureError, match=words):
        load_picture(tmp_path / "a.png")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "huge.png", "wb") as file:
        file.truncate(pictures.MOST_BYTES + 1)  # sparse: takes no room
    with pytest.raises(PictureError, match="larger than a gigabyte"):
        load_picture(tmp_path / "huge.png")


SEEDS = {
    name: file_of(Image.fromarray(QUARTERS), name, **options)
    for name, options in {"PNG": {}, "JPEG": {}, "GIF": {}, "WEBP": {}, "BMP": {}, "TIFF": {}, "PPM": {}}.items()
}


@settings(max_examples=300, deadline=2000)
@given(
    format=st.sampled_from(sorted(SEEDS)),
    cut=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12),
)
@example(format="TIFF", cut=1.0, flips=[(0.0, 0)])
def test_damage_gives_a_picture_or_a_sentence(format: str, cut: float, flips: list[tuple[float, int]]) -> None:
    data = bytearray(SEEDS[format][: max(1, round(len(SEEDS[format]) * cut))])
    for where, value in flips:
        data[min(len(data) - 1, int(where * len(data)))] = value
    try:
        picture = decode_picture(bytes(data), "a")
    except PictureError:
        return  # anything else, and a hang, is the failure that is looked for
    assert picture.pixels.shape == (picture.size.height, picture.size.width, 3)


# Masks


def saved(tmp_path: Path, array: np.ndarray) -> Path:
    path = tmp_path / "mask.png"
    Image.fromarray(array).save(path)
    return path


def test_white_is_repainted(tmp_path: Path) -> None:
    grey = np.array([[0, 1, 127, 254, 255]], np.uint8)
    for array in (grey, np.repeat(grey[..., None], 3, axis=2)):
        mask = load_mask(saved(tmp_path, array))
        assert mask.tolist() == grey.tolist()
        assert not mask.flags.writeable


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 30, 30)])
def test_a_stroke_on_an_empty_layer_is_the_mask(colour: tuple[int, int, int], tmp_path: Path) -> None:
    alpha = np.array([[0, 60, 255]], np.uint8)
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[..., :3] = colour
    rgba[..., 3] = alpha
    rgba[0, 0, :3] = 99  # what lies under full transparency does not count
    assert load_mask(saved(tmp_path, rgba)).tolist() == alpha.tolist()


def test_transparent_parts_of_a_drawn_mask_are_kept(tmp_path: Path) -> None:
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0] = [(255, 255, 255, 255), (255, 255, 255, 0), (0, 0, 0, 255)]
    assert load_mask(saved(tmp_path, rgba)).tolist() == [[255, 0, 0]]


def test_deep_masks_and_profiles_keep_their_amounts(tmp_path: Path) -> None:
    assert load_mask(saved(tmp_path, np.array([[0, 32896, 65535]], np.uint16))).tolist() == [[0, 128, 255]]
    path = tmp_path / "p.png"
    Image.fromarray(np.array([[0, 128, 255]], np.uint8)).save(path, icc_profile=profile("sRGB"))
    assert load_mask(path).tolist() == [[0, 128, 255]]


# Saving


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_what_is_saved_comes_back(shape: tuple[int, ...], tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    save_png(tmp_path / "a.png", pixels[:, ::-1])  # a view with negative strides
    assert (np.asarray(Image.open(tmp_path / "a.png")) == pixels[:, ::-1]).all()


@settings(max_examples=60)
@given(text=st.text(max_size=200))
@example(text="plain\nNegative prompt: ugly, (bad:1.2)")
@example(text="猫 🚀 \ud800 \0 é")
def test_text_in_the_picture_comes_back(text: str) -> None:
    image = Image.open(io.BytesIO(pictures.encode_png(QUARTERS, {"parameters": text})))
    image.load()
    assert image.info["parameters"] == text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "your share of the disk"),
        (errno.EACCES, "not allowed"),
        (errno.EROFS, "read-only"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_file_and_no_litter(
    number: int, words: str, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    if step == "write":
        monkeypatch.setattr("builtins.open", fail)
    else:
        monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[step], fail)
    with pytest.raises(PictureError) as caught:
        save_png(target, QUARTERS)
    monkeypatch.undo()
    assert words in caught.value.message
    assert "a.png" in caught.value.message
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_disk_that_fills_up_while_writing(tmp_path: Path) -> None:
    """A real limit on the file size, in a child of this process, so that the kernel itself refuses."""
    noise = np.random.default_rng(2).integers(0, 256, (128, 128, 3), np.uint8)  # about 50 kB of PNG
    child = os.fork()
    if child == 0:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            save_png(tmp_path / "a.png", noise)
        except PictureError as error:
            os._exit(0 if "too large for the disk" in error.message else 3)
        os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_saved_to(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for path, words in (
        (tmp_path / "none" / "a.png", "its folder does not exist"),
        (tmp_path / "file" / "a.png", "its folder is not a folder"),
        (tmp_path / "folder.png", "a folder of that name is there"),
        (tmp_path / ("x" * 300 + ".png"), "its name is too long"),
    ):
        with pytest.raises(PictureError, match=words):
            save_png(path, QUARTERS)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.png"]


# Resizing


def test_resized_keeps_channels() -> None:
    assert resized(QUARTERS, Size(48, 32)).shape == (32, 48, 3)
    assert resized(np.zeros((8, 8, 4), np.uint8), Size(3, 5)).shape == (5, 3, 4)
