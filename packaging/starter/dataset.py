"""The training set on disk: pictures as one array of bytes, with captions and what is true of each scene."""

import json
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from captions import describe
from numpy.typing import NDArray
from palette import PAINTS
from world import (
    COLOURED,
    COUNTED,
    GROUND_KINDS,
    NATIVE,
    SIDES,
    STYLES,
    TERRAINS,
    TIMES,
    UNCOLOURED,
    WEATHERS,
    Scene,
    paint,
    plan,
)

CAPTIONS_EACH = 6
CHUNK = 256
Chunk = tuple[NDArray[np.uint8], list[list[str]], list[list[int]]]

# What the text encoder learns to recall from a caption, and how many answers each question has.
QUESTIONS: dict[str, int] = {
    "time": len(TIMES),
    "terrain": len(TERRAINS),
    "ground": len(GROUND_KINDS),
    "weather": len(WEATHERS),
    "style": len(STYLES),
    "disc": 2,
    "stars": 2,
    "clouds": 2,
    **{f"{kind} colour": 1 + len(PAINTS) for kind in COLOURED},
    **{f"{kind} side": 1 + len(SIDES) for kind in (*COLOURED, *UNCOLOURED)},
    **{f"{kind} count": 3 for kind in COUNTED},
}


def answers(scene: Scene) -> list[int]:
    """One number per question, in the order of QUESTIONS; 0 stands for an absent thing."""
    by_kind = {thing.kind: thing for thing in scene.things}
    colours = [1 + list(PAINTS).index(by_kind[k].colour) if k in by_kind else 0 for k in COLOURED]
    sides = [1 + SIDES.index(by_kind[k].side) if k in by_kind else 0 for k in (*COLOURED, *UNCOLOURED)]
    counts = [by_kind[k].count if k in by_kind else 0 for k in COUNTED]
    land = [TIMES.index(scene.time), TERRAINS.index(scene.terrain), GROUND_KINDS.index(scene.ground)]
    air = [WEATHERS.index(scene.weather), STYLES.index(scene.style), int(bool(scene.disc))]
    return [*land, *air, int(scene.stars), int(scene.clouds), *colours, *sides, *counts]


def sample(seed: int, index: int, size: int = NATIVE) -> tuple[NDArray[np.uint8], list[str], list[int]]:
    """Picture, captions and answers number index of the world with this seed."""
    rng = np.random.default_rng([seed, index])
    scene = plan(rng)
    words = np.random.default_rng([seed, index, 1])
    return paint(scene, rng, size), [describe(scene, words) for _ in range(CAPTIONS_EACH)], answers(scene)


def _chunk(job: tuple[int, int, int]) -> Chunk:
    seed, start, stop = job
    pictures, captions, facts = zip(*(sample(seed, i) for i in range(start, stop)), strict=True)
    return np.stack(pictures), list(captions), list(facts)


class Dataset:
    """Pictures (N x H x W x 3, memory-mapped), captions (N x CAPTIONS_EACH) and answers (N x questions)."""

    def __init__(self, folder: Path) -> None:
        self.pictures: NDArray[np.uint8] = np.load(folder / "pictures.npy", mmap_mode="r")
        told = json.loads((folder / "captions.json").read_text())
        self.captions: list[list[str]] = told["captions"]
        self.answers: NDArray[np.int64] = np.array(told["answers"], np.int64)

    def __len__(self) -> int:
        return len(self.captions)


def _chunks(jobs: list[tuple[int, int, int]], workers: int) -> Iterator[Chunk]:
    """Chunks in order; a small set is not worth starting other processes for."""
    if len(jobs) == 1:
        yield _chunk(jobs[0])
        return
    with get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_chunk, jobs)


def render(folder: Path, count: int, seed: int, workers: int = 2) -> Dataset:
    """Renders count scenes into folder unless they already lie there."""
    if not (folder / "captions.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shape = (count, NATIVE, NATIVE, 3)
        pictures = np.lib.format.open_memmap(folder / "pictures.npy", "w+", np.uint8, shape)
        captions: list[list[str]] = []
        facts: list[list[int]] = []
        jobs = [(seed, i, min(i + CHUNK, count)) for i in range(0, count, CHUNK)]
        for (_, start, stop), (block, words, truths) in zip(jobs, _chunks(jobs, workers), strict=True):
            pictures[start:stop] = block
            captions += words
            facts += truths
        pictures.flush()
        # Written last: its presence says that the set is complete.
        (folder / "captions.json").write_text(json.dumps({"captions": captions, "answers": facts}))
        print(f"rendered {count} scenes into {folder}", flush=True)
    return Dataset(folder)
