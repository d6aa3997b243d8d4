"""The command line: what it makes, what it says, and the number it ends with."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app import __version__
from app.__main__ import is_command, looks_like_a_command
from app.cli import main
from app.cli.interrupts import Interrupts
from app.cli.progress import Progress, composed
from app.core.environment import GRAPHS
from app.core.errors import Cancelled, ModelError, UnfinishedError
from app.core.geometry import Rect, Size
from app.core.job import Backend, Phase, Preview
from app.core.request import FrameChoice, ImageToImage, Inpaint, Request, TextToImage
from app.core.samplers import SAMPLERS
from app.core.seam import Fill, Seam
from app.core.trail import Branch, Look
from app.core.variation import Variation
from app.library import models
from app.library.metadata import read_recipe
from app.library.pictures import load_picture
from app.library.trails import load_trail
from tests.fakes import COLOUR, FakeBackend, result_of, some_trail
from tests.library.folders import make_model, safetensors

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Studio:
    """A data folder with one model, a picture and a mask, and a way to call the command line on them."""

    folder: Path
    data: Path
    backend: FakeBackend
    capsys: pytest.CaptureFixture[str]
    started: int = 0

    def run(self, *words: str, backend: Backend | None = None) -> Outcome:
        def make() -> Backend:
            self.started += 1
            return backend or self.backend

        status = main(["--data-dir", str(self.data), *words], make_backend=make)
        said = self.capsys.readouterr()
        return Outcome(status, said.out, said.err)

    def render(self, *words: str, **options: Any) -> Outcome:
        return self.run("render", "a cat", "-o", str(self.out), *words, **options)

    @property
    def out(self) -> Path:
        return self.folder / "out.png"

    @property
    def files(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir() if file.name not in ("photo.png", "mask.png"))


PHOTO = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
MASK = np.zeros((20, 30), np.uint8)
MASK[5:10, 6:12] = 255


@pytest.fixture
def studio(
    tmp_path: Path,
    data_dir: Path,
    fake_backend: FakeBackend,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Studio:
    folder = tmp_path / "work 猫"
    folder.mkdir()
    monkeypatch.setattr(models, "resources", lambda: tmp_path / "none")
    make_model(data_dir / "models" / "tiny", name="Tiny")
    Image.fromarray(PHOTO).save(folder / "photo.png")
    Image.fromarray(MASK).save(folder / "mask.png")
    monkeypatch.chdir(folder)
    return Studio(folder, data_dir, fake_backend, capsys)


# What it makes


def test_text_to_image_with_every_default(studio: Studio) -> None:
    outcome = studio.render()
    assert outcome.status == 0
    request = studio.backend.requests[0]
    assert request == Request(
        prompt="a cat",
        model=str(studio.data / "models" / "tiny"),
        size=Size(192, 192),  # the model's own
        seed=request.seed,
        steps=20,
        guidance=7.0,
        sampler="dpmpp_2m",
        task=TextToImage(),
        frame=FrameChoice.WHOLE,
    )
    picture = Image.open(studio.out)
    assert picture.size == (192, 192)
    assert picture.getpixel((0, 0)) == COLOUR
    assert studio.files == ["out.png"]
    assert outcome.err == ""
    assert outcome.out.count("\n") == 1
    assert str(request.seed) in outcome.out


def test_every_option_reaches_the_request(studio: Studio) -> None:
    words = "--negative ugly --model tiny --size 40x24 --steps 5 --guidance 3.5 --sampler euler_a --seed 9 --frame auto"
    assert studio.render(*words.split()).status == 0
    request = studio.backend.requests[0]
    assert (request.negative, request.size, request.steps, request.guidance) == ("ugly", Size(40, 24), 5, 3.5)
    assert (request.sampler, request.seed, request.frame) == ("euler_a", 9, FrameChoice.AUTO)
    assert studio.render("--clip-skip", "2", "--guidance-interval", "0.2:.9", "--draft").status == 0
    assert [request.draft for request in studio.backend.requests] == [False, True]
    assert studio.backend.requests[1].clip_skip == 2
    assert studio.backend.requests[1].guidance_interval == (0.2, 0.9)


def test_recorded_steps_are_asked_for(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GRAPHS, "0")
    assert studio.render().status == 0
    assert os.environ[GRAPHS] == "0"
    assert studio.render("--graphs").status == 0
    assert os.environ[GRAPHS] == "1"


def test_what_is_added_to_the_model(studio: Studio) -> None:
    lora = safetensors({"lora_unet_mid_block_x_to_k.lora_down.weight": [4, 768]})
    for name in ("a.safetensors", "b:1.safetensors", "c.safetensors"):
        (studio.folder / name).write_bytes(lora)
    (studio.folder / "cat.safetensors").write_bytes(safetensors({"emb_params": [2, 768]}))
    (studio.folder / "v.safetensors").write_bytes(safetensors({"decoder.conv_in.weight": [8, 4, 3, 3]}))
    outcome = studio.render(
        *("--lora", "a.safetensors:0.5", "--lora", "b:1.safetensors", "--lora", "c.safetensors:-.25"),
        *("--embedding", "cat.safetensors", "--embedding", "<dog>=cat.safetensors"),
        *("--vae", "v.safetensors", "--json"),
    )
    request = studio.backend.requests[0]
    assert [(Path(use.file).name, use.weight) for use in request.loras] == [
        ("a.safetensors", 0.5),
        ("b:1.safetensors", 1.0),
        ("c.safetensors", -0.25),
    ]
    assert [use.word for use in request.embeddings] == ["cat", "<dog>"]
    assert request.vae == str(studio.folder / "v.safetensors")
    assert outcome.json["loras"][0] == {"name": "a", "weight": 0.5}
    assert (outcome.json["embeddings"], outcome.json["vae"]) == (["cat", "<dog>"], "v")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--lora none", "There is no file"),
        ("--lora photo.png", "is cut short or is no safetensors file"),
        ("--lora xl.safetensors", "is a LoRA for Stable Diffusion XL, not a LoRA for Stable Diffusion v1"),
        ("--embedding xl.safetensors", "is a LoRA for Stable Diffusion XL, not an embedding for Stable Diffusion v1"),
        ("--vae xl.safetensors", "is a LoRA for Stable Diffusion XL, not a VAE"),
        ("--lora xl.safetensors:99", "The weight of the LoRA “xl” is 99.0"),
        ("--lora xl.safetensors:nan", "The weight of the LoRA “xl” is nan"),
        ("--model xl.safetensors", "is a LoRA for Stable Diffusion XL, not a model"),
    ],
)
def test_an_addition_that_cannot_be_used_is_found_before_the_engine_starts(
    words: str, said: str, studio: Studio
) -> None:
    (studio.folder / "xl.safetensors").write_bytes(safetensors({"lora_te2_x.lora_down.weight": [4, 1280]}))
    outcome = studio.render(*words.split())
    assert (outcome.status, studio.started) == (2, 0)
    assert said in outcome.err


@pytest.mark.parametrize(
    ("words", "kind", "strength"),
    [
        ("--image photo.png", ImageToImage, 0.65),
        ("--image photo.png --strength 0.4", ImageToImage, 0.4),
        ("--image photo.png --size 30x20", ImageToImage, 0.65),
        ("--image photo.png --mask mask.png", Inpaint, 1.0),
        ("--image photo.png --mask mask.png --strength 0", Inpaint, 0.0),
    ],
)
def test_a_picture_and_a_mask_decide_the_task(words: str, kind: type, strength: float, studio: Studio) -> None:
    assert studio.render(*words.split()).status == 0
    request = studio.backend.requests[0]
    assert isinstance(request.task, kind)
    assert request.task.strength == strength  # type: ignore[union-attr]
    assert (request.task.image == PHOTO).all()  # type: ignore[union-attr]
    assert request.size == Size(30, 20)
    if isinstance(request.task, Inpaint):
        assert (request.task.mask == MASK).all()


@pytest.mark.parametrize(
    ("words", "seam"),
    [
        ("", Seam()),
        ("--grow 3 --feather 0 --ring 12", Seam(grow=3, feather=0, ring=12)),
        ("--fill edges --no-color-match", Seam(fill=Fill.EDGES, colour_match=False)),
        ("--fill #0a10FF --color-match", Seam(fill=Fill.COLOUR, colour=(10, 16, 255))),
    ],
)
def test_how_the_mask_joins(words: str, seam: Seam, studio: Studio) -> None:
    masked = "--image photo.png --mask mask.png --frame 2,3,20,15"
    assert studio.render(*masked.split(), *words.split()).status == 0
    request = studio.backend.requests[0]
    assert isinstance(request.task, Inpaint)
    assert request.task.seam == seam
    assert request.frame == Rect(2, 3, 20, 15)


def test_seeds_are_drawn_anew_and_told(studio: Studio) -> None:
    seeds = {studio.render("--json").json["seed"] for _ in range(3)}
    assert len(seeds) == 3
    assert seeds == {request.seed for request in studio.backend.requests}


# What it says


def test_json_is_one_object_with_everything(studio: Studio) -> None:
    words = "--json --seed 3 --steps 4 --image photo.png --mask mask.png --negative bad"
    outcome = studio.render(*words.split())
    assert outcome.err == ""
    assert outcome.json == {
        "output": str(studio.out),
        "prompt": "a cat",
        "negative": "bad",
        "mode": "inpaint-blend",
        "model": "Tiny",
        "sampler": "dpmpp_2m",
        "seed": 3,
        "variation": {"seed": 0, "amount": 0.0},
        "steps": 4,
        "guidance": 7.0,
        "loras": [],
        "embeddings": [],
        "vae": None,
        "strength": 1.0,
        "width": 30,
        "height": 20,
        "device": "fake",
        "seconds": 0.1,
        "seconds_per_step": 0.01,
        "frame": [0, 0, 30, 20],
        "working": [30, 20],
        "ring": 2,
        "changed_outside": 0,
        "notes": [],
    }
    assert studio.render("--json").json["strength"] is None


def test_several_pictures_are_a_list_and_files_of_their_own(studio: Studio) -> None:
    outcome = studio.render("--json", "--count", "3", "--seed", "10")
    assert [(request.seed, request.count) for request in studio.backend.requests] == [(10, 3)]
    assert studio.files == ["out-10.png", "out-11.png", "out-12.png"]
    assert studio.started == 1  # one engine for all: the model is loaded once
    pictures = outcome.json["pictures"]
    assert [picture["seed"] for picture in pictures] == [10, 11, 12]
    assert [Path(picture["output"]).name for picture in pictures] == studio.files
    assert {key: value for key, value in outcome.json.items() if key != "pictures"} == pictures[0]
    assert studio.render("--count", "2", "--seed", "1").out.count("\n") == 2


def test_variations_count_their_own_seed(studio: Studio) -> None:
    outcome = studio.render(*["--json", "--count", "2", "--seed", "10", "--variation", "40:0.2"])
    request = studio.backend.requests[0]
    assert (request.seed, request.count, request.variation) == (10, 2, Variation(seed=40, amount=0.2))
    assert studio.files == ["out-40.png", "out-41.png"]
    told = [(picture["seed"], picture["variation"]) for picture in outcome.json["pictures"]]
    assert told == [(10, {"seed": 40, "amount": 0.2}), (10, {"seed": 41, "amount": 0.2})]
    assert studio.render("--variation", "40:0").status == 0
    assert studio.backend.requests[-1].variation.amount == 0.0


def test_notes_are_told(studio: Studio) -> None:
    rgba = np.zeros((20, 30, 4), np.uint8)
    Image.fromarray(rgba).save("clear.png")
    backend = FakeBackend(make_result=lambda request: result_of(request, notes=("The prompt was cut.",)))
    outcome = studio.render("--json", "--image", "clear.png", backend=backend)
    notes = ["The transparent parts of “clear.png” were laid over white.", "The prompt was cut."]
    assert outcome.json["notes"] == notes
    assert outcome.err.splitlines() == notes


def test_the_picture_tells_how_it_was_made_and_no_path(studio: Studio) -> None:
    studio.render("--seed", "5", "--negative", "bad", "--image", "photo.png")
    text = Image.open(studio.out).text  # type: ignore[attr-defined]
    assert text["parameters"] == (
        "a cat\nNegative prompt: bad\nSteps: 20, Sampler: DPM++ 2M, CFG scale: 7, Seed: 5, "
        "Size: 30x20, Model: fake, Denoising strength: 0.65"
    )
    assert str(studio.data) not in text["limner"]


def test_the_source_is_written_in_only_when_asked_for_and_nothing_with_no_metadata(studio: Studio) -> None:
    known = []
    for options in ((), ("--embed-source",), ("--no-metadata",)):
        studio.render("--seed", "5", "--image", "photo.png", *options)
        recipe = read_recipe(studio.out.read_bytes(), load_picture(studio.out).pixels)
        known.append(recipe is not None and (recipe.values["seed"], recipe.source is not None))
    assert known == [(5, False), (5, True), False]


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_other_formats_by_their_ending(studio: Studio, ending: str) -> None:
    assert studio.render("--seed", "5", "-o", f"a.{ending}").status == 0
    picture = load_picture(Path(f"a.{ending}"))
    recipe = read_recipe(Path(f"a.{ending}").read_bytes(), picture.pixels)
    assert recipe is not None
    assert recipe.values["seed"] == 5


def test_previews_are_whole_pictures(studio: Studio) -> None:
    assert studio.render("--steps", "3", "--size", "40x24", "--preview-dir", "a/b").status == 0
    assert sorted(os.listdir("a/b")) == ["step-001.png", "step-002.png", "step-003.png"]
    assert Image.open("a/b/step-002.png").size == (40, 24)
    assert Image.open("a/b/step-003.png").getpixel((20, 12)) == COLOUR
    studio.render("--steps", "1", "--count", "2", "--seed", "7", "--preview-dir", "c")
    assert sorted(os.listdir("c")) == ["7-step-001.png", "8-step-001.png"]


def test_a_preview_lies_on_the_picture_where_it_belongs() -> None:
    request = Request(prompt="", model="m", size=Size(30, 20), task=Inpaint(image=PHOTO, mask=MASK))
    pixels = np.full((2, 2, 4), 255, np.uint8)
    pixels[..., :3] = COLOUR
    picture = composed(request, Preview(pixels, Rect(6, 5, 6, 5)))
    assert (picture[5:10, 6:12] == COLOUR).all()
    outside = MASK == 0
    assert (picture[outside] == PHOTO[outside]).all()
    pixels[..., 3] = 0
    assert (composed(request, Preview(pixels, Rect(6, 5, 6, 5))) == PHOTO).all()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_drawn_on_terminals_only() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        progress = Progress(stream, pictures=3)
        progress.picture(2)
        progress.phase(Phase.LOADING)
        progress.phase(Phase.DENOISING)
        progress.step(1, 4)
        progress.step(4, 4)
        progress.clear()
    assert pipe.getvalue() == ""
    lines = terminal.getvalue().split("\r")
    assert lines[1] == "2 of 3: Loading the model"
    assert re.fullmatch(r"2 of 3: Painting \[######\.{18}\] 1/4  [\d.]+ s a step, \d+ s left *", lines[3])
    assert re.fullmatch(r"2 of 3: Painting \[#{24}\] 4/4  [\d.]+ s a step, 0 s left *", lines[4])
    assert lines[5].strip() == ""  # wiped, over the whole length
    assert len(lines[5]) >= len(lines[4].rstrip())
    assert lines[6] == ""


# Bad input


BAD = [
    ("--size 0x8", "The size 0 x 8 cannot be painted"),
    ("--size 99999x8", "cannot be painted"),
    ("--size 512", "“512” is no size; write WIDTHxHEIGHT"),
    ("--size -5x5", "expected one argument"),
    ("--steps 0", "0 steps"),
    ("--steps many", "invalid int value: 'many'"),
    ("--guidance 0", "The guidance is 0.0"),
    ("--guidance nan", "The guidance is nan"),
    ("--sampler nope", "no sampler called “nope”"),
    ("--seed -1", "The seed -1"),
    ("--seed 9223372036854775808", "The seed"),
    ("--seed 9223372036854775807 --count 2", "The seeds run past"),
    ("--guidance-interval 0.5", "“0.5” is no interval"),
    ("--guidance-interval 0.5:0.2", "The guidance interval from 0.5 to 0.2 is none"),
    ("--guidance-interval nan:1", "The guidance interval from nan to 1.0 is none"),
    ("--clip-skip 0", "The clip skip 0"),
    ("--count 0", "0 pictures cannot be made"),
    ("--count 10001", "10001 pictures cannot be made"),
    ("--frame half", "“half” is no frame; write whole, auto, parts, or X,Y,WIDTH,HEIGHT"),
    ("--frame 1,2,3", "is no frame"),
    ("--frame 0,0,8,8", "There is no picture to lay a frame on"),
    ("--image photo.png --mask mask.png --frame 20,0,11,8", "The frame 11 x 8 at 20, 0 does not lie on the picture"),
    ("--image photo.png --mask mask.png --frame 20,0,5,5", "The frame holds nothing of the mask"),
    ("--image photo.png --mask mask.png --grow -1", "The mask’s grow is -1"),
    ("--image photo.png --mask mask.png --feather 1025", "The mask’s feather is 1025"),
    ("--image photo.png --mask mask.png --ring wide", "invalid int value: 'wide'"),
    ("--image photo.png --mask mask.png --fill pink", "“pink” is no filling"),
    ("--image photo.png --mask mask.png --fill colour", "“colour” is no filling"),
    ("--image photo.png --grow 3", "--grow works on a mask"),
    ("--no-color-match", "--color-match works on a mask"),
    ("--strength 0.5", "--strength works on a picture"),
    ("--mask mask.png", "--mask works on a picture"),
    ("--image none.png", "There is no file “none.png”"),
    ("--image .", "is a folder"),
    ("--image text.png", "“text.png” is not a picture"),
    ("--image photo.png --mask none.png", "There is no file “none.png”"),
    ("--image photo.png --mask small.png", "The mask is 5 x 5 pixels, the picture 30 x 20"),
    ("--image photo.png --mask black.png", "The mask is empty"),
    ("--image photo.png --strength 1.5", "The strength is 1.5"),
    ("--image photo.png --strength nan", "The strength is nan"),
    ("--image photo.png --size 30x21", "The picture is 30 x 20 but 30 x 21 was asked for"),
    ("--variation 40", "is not a seed and an amount"),
    ("--variation 40:1.5", "outside 0 to 1"),
    ("--model nope", "There is no model called “nope”"),
    ("--model ./nope", "There is no model"),
    (f"--model {'x' * 5000}", "There is no model called"),
    ("--model ~nobody-at-all/model", "There is no model"),
    (f"--lora {'x' * 5000}:0.5", "There is no file"),
    ("--lora ~nobody-at-all/lora:0.5", "There is no file"),
    (f"--embedding word={'x' * 5000}", "There is no file"),
    (f"--vae {'x' * 5000}", "There is no file"),
    ("--model broken", "lacks its part “vae”"),
    ("-o out.tga", "does not end in .png, .jpg or .webp"),
    ("-o none/out.png", "There is no folder"),
    ("-o folder.png", "is a folder"),
    (f"-o {'x' * 300}.png", "File name too long"),
    ("--preview-dir text.png", "cannot be made"),
    ("--preview-dir text.png/a", "cannot be made"),
    ("--nonsense", "Unrecognized arguments: --nonsense"),
    ("--pre a", "Unrecognized arguments: --pre"),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=[words for words, _ in BAD])
def test_bad_input_is_one_sentence_and_2(words: str, said: str, studio: Studio) -> None:
    Path("text.png").write_text("hello")
    Path("folder.png").mkdir()
    Image.fromarray(MASK[:5, :5]).save("small.png")
    Image.fromarray(MASK * 0).save("black.png")
    broken = make_model(studio.data / "models" / "broken")
    (broken / "vae").rename(broken / "vae-gone")
    before = studio.files
    began = time.perf_counter()
    outcome = studio.render("--json", *words.split())
    assert time.perf_counter() - began < 1
    assert outcome.status == 2
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith(".\n") or "”.\n" in outcome.err
    assert outcome.out == ""
    assert studio.started == 0  # the engine was not even asked for
    assert studio.files == before


@pytest.mark.parametrize(
    "arguments",
    [[], ["render"], ["render", "x"], ["nonsense"], ["samplers", "extra"], ["render", "a", "b", "-o", "c.png"]],
)
def test_usage_errors_are_one_sentence_too(arguments: list[str], studio: Studio) -> None:
    outcome = studio.run(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert "--help" in outcome.err


def test_a_folder_that_may_not_be_written_to(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    outcome = studio.render()
    assert outcome.status == 2
    assert "may not be written to" in outcome.err


def test_no_model_at_all(studio: Studio) -> None:
    (studio.data / "models" / "tiny" / "model_index.json").unlink()
    outcome = studio.render()
    assert outcome.status == 2
    assert outcome.err.startswith("No model was found. Put a model into ")


def test_what_the_engine_refuses(studio: Studio) -> None:
    outcome = studio.render("--json", backend=FakeBackend(error=ModelError("It does not fit.", "Take another.")))
    assert (outcome.status, outcome.out, outcome.err) == (2, "", "It does not fit. Take another.\n")
    assert studio.files == []


def test_a_disk_that_is_full_when_saving(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = studio.render()
    assert outcome.status == 2
    assert "could not be saved: the disk is full" in outcome.err
    assert studio.files == []


# What nobody foresaw


def test_an_unexpected_failure_is_short_and_its_trace_is_kept(studio: Studio) -> None:
    outcome = studio.render("--json", backend=FakeBackend(error=RuntimeError("boom\n" * 5000)))
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("Limner failed unexpectedly (RuntimeError: boom boom")
    assert outcome.err.count("\n") == 1
    assert len(outcome.err) < 500
    log = studio.data / "limner.log"
    assert str(log) in outcome.err
    assert "Traceback" in log.read_text()
    assert studio.files == []


def test_an_unexpected_failure_with_nowhere_to_keep_it(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli._append", lambda *_: (_ for _ in ()).throw(PermissionError(13, "no")))
    outcome = studio.render(backend=FakeBackend(error=ZeroDivisionError()))
    assert (outcome.status, outcome.err) == (1, "Limner failed unexpectedly (ZeroDivisionError).\n")


def test_the_engine_that_cannot_be_loaded(studio: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> Backend:
        raise ImportError("No module named 'torch'")

    status = main(["--data-dir", str(studio.data), "render", "x", "-o", str(studio.out)], make_backend=missing)
    assert status == 1
    assert "No module named 'torch'" in capsys.readouterr().err


def test_a_later_picture_that_fails_leaves_the_earlier_ones(studio: Studio) -> None:
    fails = FakeBackend(error=ModelError("Gone.", "Bring it back."), fail_at=8)
    outcome = studio.render("--count", "3", "--seed", "1", "--steps", "5", "--json", backend=fails)
    assert outcome.status == 2
    assert studio.files == ["out-1.png"]
    assert [picture["seed"] for picture in outcome.json["pictures"]] == [1]


def test_more_pictures_than_a_request_may_have_are_several_requests(studio: Studio) -> None:
    assert studio.render("--count", "70", "--seed", "1", "--steps", "1", "--size", "8x8").status == 0
    assert [(request.seed, request.count) for request in studio.backend.requests] == [(1, 64), (65, 6)]
    assert len(studio.files) == 70


# Kept steps


def keeps() -> FakeBackend:
    return FakeBackend(make_result=lambda request: result_of(request, trail=some_trail(request)))


def test_steps_are_kept_and_gone_on_from(studio: Studio) -> None:
    words = "--keep-steps kept --json --seed 3 --steps 4 --sampler heun --size 24x16"
    told = studio.render(*words.split(), backend=keeps()).json
    assert told["kept_steps"] == os.path.join("kept", "out.steps.npz")
    trail = load_trail(Path("kept/out.steps.npz"))
    assert studio.render("--from-step", "kept/out.steps.npz:2").status == 0
    assert studio.render("--from-step", "kept/out.steps.npz:2", "--seed", "9", "--guidance", "3").status == 0
    assert studio.render("--from-step", "kept/out.steps.npz:4", "--as-is").status == 0
    plain, other, shown = studio.backend.requests
    assert (plain.seed, plain.steps, plain.sampler, plain.size) == (3, 4, "heun", Size(24, 16))
    assert plain.resume == Branch(trail, 2)
    assert (other.seed, other.guidance, other.resume) == (3, 3.0, Branch(trail, 2, seed=9))
    assert shown.resume == Look(trail, 4)


def test_the_strength_of_a_kept_run_is_its_own(studio: Studio) -> None:
    words = "--keep-steps kept --image photo.png --strength 0.3 --count 2 --seed 1"
    assert studio.render(*words.split(), backend=keeps()).status == 0
    assert sorted(os.listdir("kept")) == ["out-1.steps.npz", "out-2.steps.npz"]
    words = "--image photo.png --mask mask.png --from-step kept/out-2.steps.npz:1"
    assert studio.render(*words.split()).status == 0
    assert (studio.backend.requests[0].strength, studio.backend.requests[0].seed) == (0.3, 2)


def test_the_steps_of_a_picture_that_could_not_be_finished_are_kept_unasked(studio: Studio) -> None:
    trail = some_trail(steps=4)
    error = UnfinishedError("There was not enough memory.", "Close other programs.", trail)
    outcome = studio.render("--count", "2", "--seed", "7", backend=FakeBackend(error=error, fail_at=3))
    path = studio.folder / "out-7.steps.npz"
    assert outcome.status == 2
    assert f"Close other programs. Add --from-step {path}:4 to the same command." in outcome.err
    assert load_trail(path) == trail


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--from-step none.npz:1", "There is no file “none.npz”"),
        ("--from-step photo.png:1", "“photo.png” holds no kept steps"),
        ("--from-step photo.png", "“photo.png” is no kept step"),
        ("--from-step photo.png:x", "“photo.png:x” is no kept step"),
        ("--as-is", "--as-is shows a kept step"),
        ("--from-step kept/out.steps.npz:21", "There is no step 21"),
        ("--from-step kept/out.steps.npz:0 --as-is", "There is no step 0"),
        ("--from-step kept/out.steps.npz:2 --steps 7", "with the steps 20, not 7"),
        ("--from-step kept/out.steps.npz:2 --as-is --seed 1", "with the seed 3, not 1"),
        ("--from-step kept/out.steps.npz:2 --count 2", "belongs to one candidate"),
        ("--keep-steps photo.png", "Choose another place for the kept steps"),
    ],
)
def test_what_cannot_be_gone_on_from_is_a_sentence(studio: Studio, words: str, sentence: str) -> None:
    studio.render("--keep-steps", "kept", "--seed", "3", "--size", "8x8", backend=keeps())
    outcome = studio.render(*words.split())
    assert outcome.status == 2
    assert sentence in outcome.err
    assert outcome.err.count("\n") == 1
    assert studio.backend.requests == []


# Stopping


def test_cancelled_is_130(studio: Studio) -> None:
    for error in (Cancelled(), KeyboardInterrupt()):
        outcome = studio.render(backend=FakeBackend(error=error))
        assert (outcome.status, outcome.err, outcome.out) == (130, "", "")
    assert studio.files == []


CHILD = """
import os, signal, sys, time
from app.cli import main
from tests.fakes import FakeBackend
import app.library.models as models
from pathlib import Path
models.resources = lambda: Path("/nonexistent")

def interrupt():
    os.kill(os.getpid(), signal.{signal})

class Slow(FakeBackend):
    def _wait(self, hooks):
        print("step", flush=True)
        time.sleep(60)

class InterruptedWhileSaving(FakeBackend):
    pass

class Swallows(FakeBackend):
    def _wait(self, hooks):
        try:
            interrupt()
            time.sleep(60)
        except KeyboardInterrupt:
            raise RuntimeError("a library that takes every exception for its own")

class GoesOn(FakeBackend):
    def _wait(self, hooks):
        try:
            interrupt()
            time.sleep(60)
        except KeyboardInterrupt:
            pass
        super()._wait(hooks)

if "{kind}" == "InterruptedWhileSaving":
    real = os.fsync
    def fsync(descriptor):
        interrupt()
        real(descriptor)
    os.fsync = fsync

sys.exit(main(sys.argv[1:], make_backend={kind}))
"""


def child(studio: Studio, kind: str, *words: str, sent: str = "SIGINT") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD.replace("{kind}", kind).replace("{signal}", sent)]
    command += ["--data-dir", str(studio.data), "render", "x", "-o", str(studio.out), *words]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.parametrize(("sent", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_ctrl_c_in_a_step_ends_at_once(sent: str, status: int, studio: Studio) -> None:
    process = child(studio, "Slow")
    assert process.stdout is not None
    assert process.stdout.readline() == "step\n"
    process.send_signal(getattr(signal, sent))
    began = time.monotonic()
    _, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert (process.returncode, err) == (status, "")
    assert studio.files == []


def test_ctrl_c_while_saving_leaves_a_whole_file_or_none(studio: Studio) -> None:
    process = child(studio, "InterruptedWhileSaving", "--count", "2", "--seed", "1")
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert studio.files == ["out-1.png"]
    Image.open("out-1.png").load()


def test_ctrl_c_while_writing_a_preview(studio: Studio) -> None:
    process = child(studio, "InterruptedWhileSaving", "--preview-dir", "previews")
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert studio.files == ["previews"]
    assert os.listdir("previews") == ["step-001.png"]
    Image.open("previews/step-001.png").load()


@pytest.mark.parametrize("kind", ["Swallows", "GoesOn"])
def test_ctrl_c_that_a_library_swallows_counts_all_the_same(kind: str, studio: Studio) -> None:
    process = child(studio, kind)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert studio.files == []


def test_handlers_are_put_back(studio: Studio) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    studio.run("samplers")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


# Lists and questions


def test_samplers_lists_the_table(studio: Studio) -> None:
    lines = studio.run("samplers").out.splitlines()
    assert [line.split()[0] for line in lines] == list(SAMPLERS)
    assert [row.label in line for row, line in zip(SAMPLERS.values(), lines, strict=True)] == [True] * len(SAMPLERS)


def test_models_lists_what_is_found(studio: Studio) -> None:
    make_model(studio.data / "models" / "fill", name="Filler", channels=9)
    (studio.data / "models" / "cut.safetensors").write_bytes(b"<html>Sign in</html>")
    out = studio.run("models").out
    assert re.search(r"^Filler\tinpainting, 192 x 192, folder\t.*fill$", out, re.MULTILINE)
    assert re.search(r"^cut.safetensors\tcannot be used\t“cut.safetensors” is a web page, not the weights\.", out, re.M)
    assert re.search(r"^Tiny\tpainting, 192 x 192, folder\t.*tiny$", out, re.MULTILINE)


@pytest.mark.parametrize("missing", [True, False])
def test_doctor_works_whatever_is_missing(missing: bool, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing:
        for module in ("app.diffusion.placement", "psutil", "PySide6.QtGui"):
            monkeypatch.setitem(sys.modules, module, None)
    outcome = studio.run("doctor")
    assert (outcome.status, outcome.err) == (0, "")
    told = {line[:20].strip(): line[20:] for line in outcome.out.splitlines()}
    assert told["Limner"] == __version__
    assert told["Data folder"].startswith(str(studio.data))
    assert told["Model"] == "Tiny (192 x 192, 4 channels)"
    assert told["Vocabulary"].split(":")[0] in ("ready", "missing")
    assert told["Device"].startswith("none, nothing can be painted") is missing
    assert (told["Memory"] == "unknown") is missing
    assert (told["Window"] == "ready") is not missing


@pytest.mark.parametrize("place", ["before", "after", "equals"])
@pytest.mark.parametrize("command", ["models", "doctor", "samplers"])
def test_data_dir_stands_before_or_after_every_command(
    place: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = str(tmp_path / "new")
    make_model(tmp_path / "new" / "models" / "mine")
    arguments = {
        "before": ["--data-dir", new, command],
        "after": [command, "--data-dir", new],
        "equals": [f"--data-dir={new}", command],
    }[place]
    assert main(arguments) == 0
    assert is_command(arguments)
    if command != "samplers":
        assert new in capsys.readouterr().out
    assert os.listdir(new) == ["models"]  # asking makes no folders


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], False),
        (["picture.png"], False),
        (["picture.png", "doctor"], False),
        (["--data-dir", "render"], False),
        (["--data-dir", "models", "photo.png"], False),
        (["--data-dir", "d", "render"], True),
        (["render", "x"], True),
        (["--help"], True),
        (["--version"], True),
        (["--data-dir", "d", "-h"], True),
    ],
)
def test_a_word_that_is_no_command_opens_the_studio(arguments: list[str], expected: bool) -> None:
    assert is_command(arguments) is expected


def test_a_mistyped_command_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    from app.__main__ import main as limner

    assert limner(["rendr", "a hill", "-o", "hill.png"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "There is no command “rendr”" in told.err


def test_only_bare_words_that_name_no_file_are_taken_for_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scan").write_bytes(b"x")
    verdicts = {word: looks_like_a_command(word) for word in ("rendr", "scan", "photo.png", "a/b")}
    assert verdicts == {"rendr": True, "scan": False, "photo.png": False, "a/b": False}


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    """A shell puts background jobs of a script out of reach of Ctrl-C; so they stay."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupts.received is None
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_help_and_version(studio: Studio) -> None:
    for words in (["--help"], ["render", "--help"], ["doctor", "--help"]):
        outcome = studio.run(*words)
        assert (outcome.status, outcome.err) == (0, "")
        assert outcome.out.startswith("usage: limner")
    assert "“limner” alone opens the studio" in studio.run("--help").out
    assert studio.run("--version").out == f"Limner {__version__}\n"


@pytest.mark.parametrize("words", ["samplers", "models", "--help", "--version", "render x -o nowhere/y.png"])
def test_quick_answers_do_without_the_heavy_libraries(words: str, tmp_path: Path) -> None:
    code = "import sys; from app.__main__ import main; main(sys.argv[1:]); print('\\n', *sys.modules)"
    command = [sys.executable, "-c", code, "--data-dir", str(tmp_path), *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"torch", "diffusers", "transformers", "PySide6"}.isdisjoint(done.stdout.splitlines()[-1].split())


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "samplers"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


# The real engine


def test_a_tiny_model_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.tiny_models import TinyShape, make_tiny_model

    model = make_tiny_model(tmp_path / "models" / "tiny", TinyShape(channels_in=9))
    image, mask, out = tmp_path / "i.png", tmp_path / "m.png", tmp_path / "o.png"
    Image.fromarray(PHOTO).save(image)
    Image.fromarray(MASK).save(mask)
    words = ["render", "a red house", "-o", str(out), "--model", str(model), "--image", str(image), "--mask", str(mask)]
    words += ["--steps", "3", "--seed", "1", "--json", "--preview-dir", str(tmp_path / "p")]
    assert main(["--data-dir", str(tmp_path), *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["mode"], told["steps"], told["changed_outside"]) == ("inpaint-9-channel", 3, 0)
    assert np.asarray(Image.open(out)).shape == (20, 30, 3)
    assert sorted(os.listdir(tmp_path / "p")) == ["step-001.png", "step-002.png", "step-003.png"]
