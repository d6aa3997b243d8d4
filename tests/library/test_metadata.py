"""A saved picture tells how it was made: to Limner everything, to other programs what they understand."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sd_parsers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.core.errors import PictureError
from app.core.geometry import Size
from app.core.job import Result
from app.core.params import Intent
from app.core.request import ImageToImage, Inpaint, Request, Task, TextToImage
from app.core.trail import Branch, Look
from app.library.metadata import PART_CHUNK, RECORD_KEY, UNREADABLE, read_recipe, told
from app.library.pictures import load_picture
from app.library.saving import save_picture
from tests.fakes import result_of, some_trail

IMAGE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
MASK = np.zeros((48, 64), np.uint8)
MASK[10:30, 20:40] = 255
TASKS: list[Task] = [TextToImage(), ImageToImage(image=IMAGE, strength=0.5), Inpaint(image=IMAGE, mask=MASK)]


def result(task: Task, **changes: object) -> Result:
    values: dict[str, object] = {"prompt": "a cat, (硯:1.2)", "negative": "dogs", "model": "/home/me/secret/m"}
    request = Request(**(values | {"size": Size(64, 48), "task": task, "seed": 2**32 + 5, "steps": 9} | changes))  # type: ignore[arg-type]
    return result_of(request, model_name="My model")


def test_a_picture_of_kept_steps_tells_its_settings_but_cannot_be_painted_again(tmp_path: Path) -> None:
    request = result(TextToImage()).request
    made = result_of(replace(request, resume=Branch(some_trail(request), 2)))
    assert "From step: 2" in told(made).text
    save_picture(tmp_path / "a.png", made.image, told(made))
    recipe = read_recipe((tmp_path / "a.png").read_bytes(), made.image)
    assert recipe is not None
    assert recipe.values["steps"] == 9
    assert not recipe.exact
    whole = read_recipe(_bytes_of(tmp_path, result(TextToImage())), made.image)
    assert whole is not None
    assert whole.exact


def test_a_picture_of_a_step_or_a_branch_tells_which_and_can_be_painted_again(tmp_path: Path) -> None:
    request = result(TextToImage()).request
    trail = some_trail(request, reseeded=())
    looked = result_of(replace(request, stop_at=4, resume=Look(trail, 4)))
    assert "Shown at step: 4" in told(looked).text
    branched = result_of(replace(request, beginnings=request.beginnings_to(2), resume=Branch(trail, 2)))
    assert "From step: 2" in told(branched).text
    for made in (looked, branched):
        recipe = read_recipe(_bytes_of(tmp_path, made), made.image)
        assert recipe is not None
        assert (recipe.values["stop_at"], recipe.values["beginnings"]) == (
            made.request.stop_at,
            made.request.beginnings,
        )
        assert recipe.exact
    other = result_of(replace(request, stop_at=3, resume=Look(trail, 4)))
    assert not _exact(tmp_path, other)
    assert _exact(tmp_path, replace(branched, request=replace(branched.request, resume=None)))


def _exact(folder: Path, made: Result) -> bool:
    recipe = read_recipe(_bytes_of(folder, made), made.image)
    return recipe is not None and recipe.exact


def _bytes_of(folder: Path, made: Result) -> bytes:
    save_picture(folder / "b.png", made.image, told(made))
    return (folder / "b.png").read_bytes()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_a_png_tells_everything(tmp_path: Path, task: Task) -> None:
    made = result(task)
    saved = save_picture(tmp_path / "a.png", made.image, told(made))
    data = (tmp_path / "a.png").read_bytes()
    assert saved.size == len(data)
    assert b"secret" not in data
    picture = load_picture(tmp_path / "a.png")
    assert picture.notes == ()
    np.testing.assert_array_equal(picture.pixels, made.image)
    recipe = read_recipe(data, picture.pixels)
    assert recipe is not None
    assert recipe.model_name == "My model"
    assert recipe.values["seed"] == 2**32 + 5
    assert (recipe.values["prompt"], recipe.values["negative"]) == ("a cat, (硯:1.2)", "dogs")
    source = getattr(task, "image", None)
    assert (recipe.source is None) == (source is None)
    if source is not None:
        np.testing.assert_array_equal(recipe.source, source)
    if isinstance(task, Inpaint):
        np.testing.assert_array_equal(recipe.mask, MASK)
        assert recipe.values["intent"] is Intent.INPAINT


def test_the_source_may_be_left_out(tmp_path: Path) -> None:
    made = result(TASKS[1])
    whole = save_picture(tmp_path / "a.png", made.image, told(made))
    small = save_picture(tmp_path / "b.png", made.image, told(made).without_parts())
    assert whole.told_size - small.told_size == told(made).part_bytes > 1000
    recipe = read_recipe((tmp_path / "b.png").read_bytes(), made.image)
    assert recipe is not None
    assert recipe.source is None
    assert not recipe.exact
    assert recipe.values["strength"] == 0.5


def test_without_metadata_nothing_is_told(tmp_path: Path) -> None:
    for ending in ("png", "jpg", "webp"):
        save_picture(tmp_path / f"a.{ending}", IMAGE)
        data = (tmp_path / f"a.{ending}").read_bytes()
        assert read_recipe(data, IMAGE) is None


@pytest.mark.parametrize("ending", ["jpg", "jpeg", "webp"])
def test_jpeg_and_webp_tell_the_settings(tmp_path: Path, ending: str) -> None:
    made = result(TASKS[2])
    path = tmp_path / f"a.{ending}"
    saved = save_picture(path, made.image, told(made))
    assert saved.notes == ("Its source and mask were left out: only PNG holds them.",)
    picture = load_picture(path)
    assert picture.pixels.shape == made.image.shape
    recipe = read_recipe(path.read_bytes(), picture.pixels)
    assert recipe is not None
    assert recipe.values["intent"] is Intent.INPAINT
    assert recipe.values["prompt"] == "a cat, (硯:1.2)"
    assert recipe.source is None


def test_what_does_not_fit_into_a_jpeg_is_left_out_with_a_word(tmp_path: Path) -> None:
    for length, words in ((30_000, "only the text"), (90_000, "save as PNG")):
        made = result(TASKS[0], prompt="x" * length)
        saved = save_picture(tmp_path / "a.jpg", made.image, told(made))
        assert words in saved.notes[-1]
        recipe = read_recipe((tmp_path / "a.jpg").read_bytes(), made.image)
        assert (recipe is None) == (length == 90_000)


def test_an_ending_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="ending") as told_off:
        save_picture(tmp_path / "a.tga", IMAGE)
    assert ".png" in told_off.value.remedy


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_another_program_reads_it(tmp_path: Path, ending: str, task: Task) -> None:
    made = result(task)
    path = tmp_path / f"a.{ending}"
    save_picture(path, made.image, told(made))
    info = sd_parsers.ParserManager().parse(path)
    assert info is not None
    assert info.generator == sd_parsers.data.Generators.AUTOMATIC1111
    sampler = info.samplers[0]
    assert sampler.name == "DPM++ 2M"
    assert sampler.model.name == "My model"
    assert [prompt.value for prompt in sampler.prompts] == ["a cat, (硯:1.2)"]
    assert [prompt.value for prompt in sampler.negative_prompts] == ["dogs"]
    assert sampler.parameters["seed"] == str(2**32 + 5)
    assert sampler.parameters["steps"] == "9"


def test_pictures_of_other_programs_are_read(tmp_path: Path) -> None:
    text = "a 猫\nNegative prompt: b\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, Model: m"
    for packed in (False, True):
        chunks = PngInfo()
        chunks.add_itxt("parameters", text, zip=packed)
        Image.fromarray(IMAGE).save(tmp_path / "a.png", pnginfo=chunks)
        recipe = read_recipe((tmp_path / "a.png").read_bytes(), IMAGE)
        assert recipe is not None
        assert recipe.values["prompt"] == "a 猫"
        assert not recipe.exact
    exif = Image.Exif()
    for comment in (b"UNICODE\0" + text.encode("utf-16-le"), b"UNICODE\0" + text.encode("utf-16-be"), text.encode()):
        exif.get_ifd(0x8769)[0x9286] = comment
        Image.fromarray(IMAGE).save(tmp_path / "a.jpg", exif=exif)
        recipe = read_recipe((tmp_path / "a.jpg").read_bytes(), IMAGE)
        assert recipe is not None
        assert recipe.values["seed"] == 5


# Hostile files


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(IMAGE).save(buffer, "PNG")
    data = buffer.getvalue()
    added = b"".join(
        struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return data[:33] + added + data[33:]  # after the header


@pytest.mark.parametrize(
    "record",
    [
        b"{",
        b"[" * 100_000,
        b'{"version": 99, "request": {}}',
        b'{"version": 1, "request": {"prompt": 5}}',
        b"null",
        b"\xff\xfe",
        b'{"version": 1, "request": ' + b'{"a":' * 50_000,
    ],
)
def test_a_damaged_record_is_left_out_with_a_note(record: bytes) -> None:
    recipe = read_recipe(png_with((b"tEXt", RECORD_KEY.encode() + b"\0" + record)), IMAGE)
    assert recipe is not None
    assert recipe.values == {}
    assert recipe.notes == (UNREADABLE,)


def test_beside_a_damaged_record_the_text_counts() -> None:
    text = b"parameters\0a cat\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 8x8"
    recipe = read_recipe(png_with((b"tEXt", b"limner\0{"), (b"tEXt", text)), IMAGE)
    assert recipe is not None
    assert recipe.values["prompt"] == "a cat"
    assert recipe.notes == (UNREADABLE,)


def test_a_bomb_in_a_text_and_in_a_part_goes_off_nowhere() -> None:
    bomb = b"parameters\0\0" + zlib.compress(b"a" * 50_000_000)
    assert read_recipe(png_with((b"zTXt", bomb)), IMAGE) is None
    huge = io.BytesIO()
    Image.new("L", (16384, 16384)).save(huge, "PNG")
    made = told(result(TASKS[2]))
    data = png_with((b"iTXt", b"limner\0\0\0\0\0" + made.record.encode()), (PART_CHUNK, huge.getvalue()))
    recipe = read_recipe(data, IMAGE)
    assert recipe is not None
    assert recipe.source is None
    assert recipe.values["seed"] == 2**32 + 5


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_bytes_are_survived(data: st.DataObject) -> None:
    made = result(TASKS[2])
    content = bytearray(_saved(made, data.draw(st.sampled_from(["png", "jpg", "webp"]))))
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(0, min(2000, len(content)) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    read_recipe(bytes(content), made.image)
    read_recipe(bytes(content[:cut]), made.image)


_FILES: dict[str, bytes] = {}


def _saved(made: Result, ending: str) -> bytes:
    if ending not in _FILES:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"a.{ending}"
            save_picture(path, made.image, told(made))
            _FILES[ending] = path.read_bytes()
    return _FILES[ending]
