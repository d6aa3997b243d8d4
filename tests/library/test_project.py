"""Projects: everything that was on the desk comes back from one file, and what is damaged in it is told."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import PictureError
from app.core.geometry import Rect, Size
from app.core.job import Result
from app.core.request import ImageToImage, Inpaint, Request, Task, TextToImage
from app.library.kept_results import packed_result, unpacked_result
from app.library.metadata import Told
from app.library.openraster import OraLayer
from app.library.project import KeptCandidate, NamedMask, Project, load_project, save_project
from tests.fakes import result_of

IMAGE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
MASK = np.zeros((48, 64), np.uint8)
MASK[10:30, 20:40] = np.arange(20) * 12
TASKS: list[Task] = [TextToImage(), ImageToImage(image=IMAGE, strength=0.5), Inpaint(image=IMAGE, mask=MASK)]


def result(task: Task, seed: int = 5) -> Result:
    request = Request(prompt="a lake", model="/home/me/secret/m", size=Size(64, 48), task=task, seed=seed)
    made = result_of(request, model_name="Landscapes", device="cpu", notes=("It took long.",))
    blend = MASK[made.box.slices] if isinstance(task, Inpaint) else None
    return replace(made, blend=blend)


def project() -> Project:
    layer = np.dstack([IMAGE, np.full((48, 64), 255, np.uint8)])
    return Project(
        size=Size(64, 48),
        items=(OraLayer(name="Picture", pixels=layer),),
        merged=IMAGE,
        masks=(NamedMask("Mask", MASK), NamedMask("sky & “猫”", 255 - MASK)),
        frame=Rect(8, 0, 48, 48),
        params={"prompt": "a lake", "steps": 7},
        kinds=("picture",),
        candidates=tuple(KeptCandidate(result(task, seed), seed == 1) for seed, task in enumerate(TASKS)),
        told=Told("text", '{"version":1}', (b"part", b"other")),
    )


@pytest.mark.parametrize("task", TASKS)
def test_a_result_comes_back_whole(task: Task) -> None:
    ours = result(task)
    theirs = unpacked_result(packed_result(ours), "a.png")
    np.testing.assert_array_equal(theirs.image, ours.image)
    assert theirs.request == replace(ours.request, model="")
    np.testing.assert_array_equal(theirs.blend, ours.blend)
    same = ("mode", "box", "frame", "working", "steps", "seconds", "model_name", "changed_outside", "ring", "notes")
    for name in same:
        assert getattr(theirs, name) == getattr(ours, name), name


def test_a_project_comes_back_whole(tmp_path: Path) -> None:
    ours = project()
    assert save_project(tmp_path / "a.ora", ours) == (tmp_path / "a.ora").stat().st_size
    theirs = load_project(tmp_path / "a.ora")
    assert theirs.own
    assert theirs.notes == ()
    assert (theirs.size, theirs.frame, theirs.params, theirs.kinds) == (ours.size, ours.frame, ours.params, ours.kinds)
    assert theirs.told is not None
    assert ours.told is not None
    assert vars(theirs.told) == vars(ours.told)
    for mine, other in zip(ours.masks, theirs.masks, strict=True):
        assert other.name == mine.name
        np.testing.assert_array_equal(other.pixels, mine.pixels)
    assert [each.starred for each in theirs.candidates] == [False, True, False]
    for mine, other in zip(ours.candidates, theirs.candidates, strict=True):
        np.testing.assert_array_equal(other.result.image, mine.result.image)
    assert b"secret" not in (tmp_path / "a.ora").read_bytes()


def rewritten(path: Path, **members: bytes | None) -> Path:
    """The project with some files of Limner's part replaced, or left out for None."""
    save_project(path, project())
    with zipfile.ZipFile(path) as old:
        content = {name: old.read(name) for name in old.namelist()}
    for name, data in members.items():
        if data is None:
            del content[f"limner/{name}"]
        else:
            content[f"limner/{name}"] = data
    with zipfile.ZipFile(path, "w") as new:
        for name, data in content.items():
            new.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (b"", "damaged"),
        (b"[]", "damaged"),
        (b'{"version":"1"}', "damaged"),
        (b'{"version":1,"params":[]}', "damaged"),
        (b"[" * 100_000, "damaged"),
        (b'{"version":2}', "newer Limner"),
    ],
)
def test_without_limners_part_the_layers_are_there(main: bytes, words: str, tmp_path: Path) -> None:
    theirs = load_project(rewritten(tmp_path / "a.ora", **{"project.json": main}))
    assert words in theirs.notes[-1]
    assert not theirs.own
    assert theirs.candidates == ()
    np.testing.assert_array_equal(theirs.merged[..., :3], IMAGE)


def test_a_file_of_another_program_is_not_ones_own(tmp_path: Path) -> None:
    theirs = load_project(rewritten(tmp_path / "a.ora", **{"project.json": None}))
    assert not theirs.own
    assert theirs.notes == ()


def test_parts_that_are_damaged_are_left_out_with_a_note(tmp_path: Path) -> None:
    broken = {"masks/000.png": b"broken", "masks/001.png": None, "candidates/001.png": b"broken"}
    theirs = load_project(rewritten(tmp_path / "a.ora", **broken))
    assert theirs.masks == ()
    assert len(theirs.candidates) == 2
    assert sum("mask" in note for note in theirs.notes) == 2
    assert sum("candidate" in note for note in theirs.notes) == 1


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [1, 2], [0, 0, 10**9, 1], [{"file": "../x"}], [{"file": 3}]])
def test_nonsense_in_limners_part_harms_nothing(value: object, tmp_path: Path) -> None:
    main = {"version": 1, **dict.fromkeys(("masks", "frame", "candidates", "told"), value)}
    theirs = load_project(rewritten(tmp_path / "a.ora", **{"project.json": json.dumps(main).encode()}))
    assert (theirs.masks, theirs.frame, theirs.candidates, theirs.told) == ((), None, (), None)


def test_a_result_that_does_not_tell_how_it_was_made() -> None:
    packed = packed_result(result(TASKS[2]))
    for facts in ({**packed.facts, "box": [0, 0, 900, 1]}, {**packed.facts, "box": [0, 0, 2, 2]}, {}):
        with pytest.raises(PictureError, match="does not tell"):
            unpacked_result(replace(packed, facts=facts), "a.png")
