"""What comes back at the next start, and that no file can keep the window from opening."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.additions import EmbeddingUse, LoraUse
from app.core.geometry import Size
from app.core.params import Params
from app.core.request import FrameChoice
from app.core.seam import Fill, Seam
from app.ui.session import params_from, params_to_values
from tests.fakes import FakeBackend
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture


def test_params_survive_the_round_trip_except_the_seed() -> None:
    params = Params(
        prompt="a “lake”",
        negative="fog",
        guidance=7.5,
        steps=33,
        sampler="heun",
        seed=9,
        size=Size(96, 64),
        frame=FrameChoice.PARTS,
        seam=Seam(grow=3, ring=0, fill=Fill.COLOUR, colour=(9, 8, 7), colour_match=False),
        guidance_interval=(0.2, 0.9),
        clip_skip=2,
        draft=True,
        loras=(LoraUse(file="/somewhere/ink.safetensors", weight=-0.5),),
        embeddings=(EmbeddingUse(file="/somewhere/mood.safetensors", word="gloom"),),
        vae="/somewhere/sharp.safetensors",
    )
    assert params_from(json.loads(json.dumps(params_to_values(params)))) == replace(params, seed=0)


@pytest.mark.parametrize(
    "values",
    [
        {"steps": "many"},
        {"steps": -4, "guidance": 1e9, "strength": None, "width": True},
        {"sampler": "no such", "prompt": 7, "model": ["x"]},
        {"guidance": float("nan")},
        {"frame": "all of it", "seam": {"grow": -1, "fill": "soup", "colour": [1, 2], "colour_match": 7}},
        {"seam": [], "guidance_interval": [0.9, 0.1], "clip_skip": 99, "draft": "yes"},
        {"guidance_interval": [0.5, 0.5]},
        {"loras": [{"file": ""}, {"weight": 1}, 7, {"file": "x", "weight": 1e9}], "embeddings": {"a": 1}, "vae": 3},
        {"loras": [{"file": "x", "weight": 1}, {"file": "x", "weight": 2}]},  # the same one twice
    ],
)
def test_values_that_cannot_be_used_are_defaults(values: dict) -> None:
    assert params_from(values) == Params()


def test_the_window_comes_back_as_it_was(open_studio: Open) -> None:
    first = open_studio()
    first.store.update(prompt="red hills", guidance=9.5, steps=12)
    first.window.canvas.set_tool("eraser")
    first.find("brushSizeSpin").setValue(33)
    first.click("moreButton")
    first.window.resize(1200, 800)
    first.window.close()
    second = open_studio()
    assert second.find("promptEdit").toPlainText() == "red hills"
    assert second.find("guidanceSlider").value() == 95
    assert second.find("stepsSpin").value() == 12
    assert second.window.canvas.tool == "eraser"
    assert second.find("brushSizeSpin").value() == 33
    assert second.find("moreButton").isChecked()
    assert second.window.actions_by_id["tool_eraser"].isChecked()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"schema_version": 99, "values": {}}',
        '{"schema_version": 1, "values": []}',
        json.dumps(
            {
                "schema_version": 1,
                "values": {
                    "params": 3,
                    "geometry": "not base64 ö",
                    "splitter": 5,
                    "tool": ["x"],
                    "brushes": {"brush": {"size": "huge"}},
                    "open_folder": "\0",
                    "model_folders": [1, "/no/such/folder"],
                },
            }
        ),
    ],
)
def test_damaged_settings_never_block_the_start(open_studio: Open, data_with_model: Path, text: str) -> None:
    (data_with_model / "settings.json").write_text(text, "utf-8")
    studio = open_studio()
    assert studio.window.isVisible()
    assert studio.store.params.prompt == ""
    studio.click("generateButton")
    studio.wait(lambda: studio.document.has_picture)


WRONG = {
    "a list": ["x"],
    "a table": {"x": 1},
    "no number": float("nan"),
    "endless": float("inf"),
    "nothing": None,
    "huge": 10**400,
    "a fraction": -0.5,
    "a text": "x" * 5000,
    "half a character": "\ud800",
    "a zero byte": "\0",
}
TABLES = {
    "params": tuple(params_to_values(Params())),
    "brushes": ("brush", "eraser"),
    "brush": ("size", "hardness", "opacity"),
}
SIMPLE = ("geometry", "splitter", "tool", "more", "open_folder", "save_folder", "model_folders")


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_value_of_any_kind_anywhere_lets_the_window_open(
    open_studio: Open, data_with_model: Path, wrong: object
) -> None:
    brush = dict.fromkeys(TABLES["brush"], wrong)
    params = dict.fromkeys(TABLES["params"], wrong)
    files = (
        dict.fromkeys((*SIMPLE, "params", "brushes"), wrong),
        {key: [wrong] for key in SIMPLE} | {"params": params, "brushes": {"brush": brush, "eraser": wrong}},
    )
    for values in files:
        text = json.dumps({"schema_version": 1, "values": values})
        (data_with_model / "settings.json").write_text(text, "utf-8")
        studio = open_studio()
        assert studio.window.isVisible()
        assert not list(data_with_model.glob("*.damaged")), "the file itself is sound and was read"
        studio.click("generateButton")
        studio.wait(lambda studio=studio: studio.document.has_picture)
        studio.window.close()
        again = open_studio()
        assert again.window.isVisible()
        again.window.close()


def test_the_first_brush_fits_the_picture_until_a_size_is_chosen(
    open_studio: Open, backend: FakeBackend, tmp_path: Path
) -> None:
    def size(studio: Studio) -> float:
        sizes = {brush["size"] for brush in studio.window.canvas.brushes().values()}
        assert len(sizes) == 1
        return sizes.pop()

    make_picture(tmp_path / "photo.png", 1600, 1200)
    make_picture(tmp_path / "large.png", 2000, 2400)
    first = open_studio()
    assert size(first) == first.find("brushSizeSpin").value() == 16
    first.store.update(size=Size(640, 512))
    first.click("generateButton")
    first.wait_idle()
    assert size(first) == 64
    first.open(tmp_path / "photo.png")
    assert size(first) == first.find("brushSizeSpin").value() == 150
    first.open(tmp_path / "large.png")
    assert size(first) == 200
    first.find("brushHardnessSpin").setValue(0.25)
    first.window.close()

    second = open_studio()
    assert second.find("brushHardnessSpin").value() == 0.25
    second.open(tmp_path / "photo.png")
    assert size(second) == 150, "nobody has chosen the size of the last time"
    second.find("brushSizeSpin").setValue(33)
    second.find("brushSizeSpin").setValue(150)  # chosen all the same
    second.open(tmp_path / "large.png")
    assert size(second) == 150
    second.window.close()

    third = open_studio()
    third.open(tmp_path / "large.png")
    assert size(third) == 150
