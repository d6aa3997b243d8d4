"""The tables of RESULTS.md, from what was measured: pure text."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.bench.ledger import ROOT, Entry
from tests.bench.reasons import aim, why
from tests.bench.turns import BUSY, ratio

_UNET = {(256, 256): 360.2, (512, 512): 1606.5, (512, 768): 2590.6, (768, 768): 4296.2, (1024, 1024): 9348.0}
_DECODE = {(256, 256): 622.2, (512, 512): 2514.5, (512, 768): 3797.5, (768, 768): 5754.3, (1024, 1024): 10470.4}
_ENCODE = {(256, 256): 272.7, (512, 512): 1116.7, (512, 768): 1700.8, (768, 768): 2609.1, (1024, 1024): 4879.0}
_TEXT = 26.6
"""GFLOP of a stage by size, as torch's own counter finds them: multiplications and additions of all its products and
convolutions. A UNet step is two passes, a text two prompts."""

NAMES = {
    "load": "loading, from nothing to ready", "text": "text, prompt and negative", "encode": "VAE encode",
    "unet": "UNet step", "decode": "VAE decode", "preview": "preview", "paste": "paste-back of a 256 px mask",
    "picture": "text to image", "inpaint": "256 px mask in", "inpaint-whole": "256 px mask in, peer: whole",
}  # fmt: skip
ENGINES = {
    "limner": "Limner",
    "limner-lean": "Limner, lean",
    "limner-exact": "Limner, nothing packed",
    "openvino": "OpenVINO",
}
ORDER = tuple(NAMES)


def gflop(stage: str, width: int, height: int, steps: int) -> float | None:
    """The work of a stage as it is written down in the paper, without any saving; None where it is not known."""
    size = (width, height)
    if stage in ("inpaint", "inpaint-whole"):  # in Limner's frame
        return _TEXT + _ENCODE[512, 512] + steps * _UNET[512, 512] + _DECODE[512, 512]
    if stage == "picture" and size in _UNET:
        return _TEXT + steps * _UNET[size] + _DECODE[size]
    tables: dict[str, Mapping[tuple[int, int], float]] = {"unet": _UNET, "decode": _DECODE, "encode": _ENCODE}
    return _TEXT if stage == "text" else tables.get(stage, {}).get(size)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of Markdown. Raises ValueError for a row that has other cells than the head."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"{len(row)} cells under a head of {len(head)}: {row}")
        lines.append(f"| {' | '.join(row)} |")
    return lines


def report(told: Mapping[str, Any]) -> str:
    """RESULTS.md."""
    rows = sorted(told["rows"], key=_place)
    wholes = [entry for entry in rows if entry["row"][0] in ("picture", "inpaint", "inpaint-whole")]
    stages = [entry for entry in rows if entry not in wholes]
    lines = [
        "# Limner beside its peers",
        "",
        f"{told['machine']}. {told.get('versions', '')}. Written by `make bench`; measured {_dates(told)}.",
        "",
        "A model of Stable Diffusion v1's exact shape with random weights, the same for every engine, in float32, and",
        "Limner's starter. Each engine works in a process of its own, all of them by turns, the order changing from",
        "round to round; medians. A turn in which other programs took over a tenth of the machine was taken again;",
        f"where that did not help, the row has the mark {_MARK} and the most that others took. {_EARLIER} marks what",
        "was measured with an earlier state of Limner than the last.",
        "",
        "- *ratio*: the peer's time over Limner's; over 1 Limner is quicker.",
        "- *floor*: the stage's multiplications and additions, as torch counts them, at the best rate that was seen of",
        f"  this machine, {told['rate']:.0f} GFLOP/s (the best of a large product, plain and packed, and a packed",
        "  convolution). Winograd needs fewer multiplications and may go under it.",
        "- *difference*: the largest between both outputs, over the peer's largest number.",
        "- *peak*: the most memory of the process during the stage, with its model.",
    ]
    if stages:
        lines += ["", "## Stages", "", "A UNet step is one pass with guidance.", "", *_duels(stages, told)]
    if wholes:
        lines += [
            "", "## Whole pictures", "",
            "From the words to the pixels, loaded and compiled before. The mask: Limner works on a frame of 512 x 512",
            "around it; diffusers' inpaint pipeline does so with `padding_mask_crop=128`, which makes it the same, and",
            "*peer: whole* is the pipeline without that, on all of the picture. OpenVINO has no pipelines:",
            "text to image is a loop around them with diffusers' schedule. One shade of 255 is 3.9e-3.",
            "", *_duels(wholes, told),
        ]  # fmt: skip
    lines += ["", *_compiled(rows)] if _compiled(rows) else []
    lines += _short(rows) if any(entry["peer"] for entry in rows) else []
    for part in sorted(told["parts"], key=lambda one: one.get("place", 0)):
        lines += ["", f"## {part['title']}", "", *_plain(part["text"])]
        if part["others"] > BUSY:
            lines += ["", f"{_MARK} Other programs took {part['others']:.0%} of the machine."]
        lines += ["", f"{_EARLIER} An earlier Limner."] if _age(part, told) else []
    return "\n".join(lines) + "\n" + _sources(told)


_MARK, _EARLIER = "†", "‡"


def _place(entry: Entry) -> tuple[Any, ...]:
    stage, width, height, steps = entry["row"]
    return ORDER.index(stage), width * height, steps, entry["ours"], entry["peer"]


def _dates(told: Mapping[str, Any]) -> str:
    dates = sorted({entry["date"] for entry in [*told["rows"], *told["parts"]]})
    return "never" if not dates else dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"


def _duels(entries: Sequence[Entry], told: Mapping[str, Any]) -> list[str]:
    rate = told["rate"]
    head = ("stage", "size", "engine", "s", "peer", "s", "ratio", "floor s", "difference", "peak GiB, both", "turns")
    cells = []
    for entry in entries:
        stage, width, height, steps = entry["row"]
        ours, theirs = entry["seconds"].get(entry["ours"]), entry["seconds"].get(entry["peer"])
        won, work = ratio(ours, theirs), gflop(stage, width, height, steps)
        cells.append(
            (
                NAMES[stage] + (f", {steps} steps" if stage in ("picture", "inpaint", "inpaint-whole") else ""),
                f"{width} x {height}" if stage not in ("text", "load") else "",
                _engine(entry["ours"]),
                _seconds(ours),
                _engine(entry["peer"]) if entry["peer"] else "none has it",
                _seconds(theirs),
                "" if won is None else f"**{won:.2f}**",
                "" if work is None or rate <= 0 else _seconds(work / rate),
                "" if entry["difference"] is None else f"{entry['difference']:.1e}",
                " / ".join(f"{value / 2**30:.1f}" for value in entry["peak"].values()),
                _turns(entry) + _age(entry, told),
            )
        )
    return table(head, cells)


def _age(entry: Entry, told: Mapping[str, Any]) -> str:
    return f" {_EARLIER}" if entry["source"] != told.get("source", entry["source"]) else ""


def _turns(entry: Entry) -> str:
    counts = {len(some) for some in entry["turns"].values()}
    told = "failed: " + ", ".join(entry["errors"]) if entry.get("errors") else str(min(counts, default=0))
    return told if entry["others"] <= BUSY else f"{told} {_MARK} {entry['others']:.0%}"


def _engine(name: str) -> str:
    return ENGINES.get(name, name)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}" if value < 0.1 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def _compiled(rows: Sequence[Entry]) -> list[str]:
    """What an engine makes its user wait for at each new size."""
    found: dict[str, list[float]] = {}
    for entry in rows:
        for name, seconds in entry.get("compiled", {}).items():
            found.setdefault(name, []).append(seconds)
    if not found:
        return []
    told = "; ".join(f"{name} {statistics.median(some):.1f}" for name, some in sorted(found.items()))
    return [f"OpenVINO compiles its networks for each size before it can use them, not counted above, in s: {told}."]


def _short(rows: Sequence[Entry]) -> list[str]:
    """Every row that does not win, and every one that misses what is aimed at."""
    cells = []
    for entry in rows:
        stage, width, height, _ = entry["row"]
        won = ratio(entry["seconds"].get(entry["ours"]), entry["seconds"].get(entry["peer"]))
        wanted = aim(stage, width, height, entry["peer"])
        if entry["ours"] != "limner" or won is None or won >= wanted:
            continue
        size = "" if stage in ("text", "load") else f"{width} x {height}"
        missed = f"{1 - won / wanted:.0%}"
        cells.append((NAMES[stage], size, _engine(entry["peer"]), f"{won:.2f}", f"{wanted:.2f}", missed,
                      why(stage, entry["peer"])))  # fmt: skip
    if not cells:
        return ["", "## Where Limner falls short", "", "Nowhere: each row is won, and each aim reached."]
    head = ("stage", "size", "peer", "ratio", "aim", "falls short by", "why")
    return ["", "## Where Limner falls short", "", *table(head, cells)]


def _plain(text: str) -> list[str]:
    """What a part printed, without places of this machine, each table with an empty line before and after it."""
    text = text.replace(f"{ROOT}/", "").replace(str(ROOT), ".")
    lines: list[str] = []
    for line in (re.sub(r"(?<![\w.])/(?:[\w.-]+/)+[\w.-]*", "…", line) for line in text.splitlines()):
        if lines and lines[-1] and line and lines[-1].startswith("|") != line.startswith("|"):
            lines.append("")
        if line or (lines and lines[-1]):
            lines.append(line.rstrip())
    return lines


def _sources(told: Mapping[str, Any]) -> str:
    return (
        f"\nLimner is the one with `git rev-parse --short HEAD:app` = {told['source']}.\n" if "source" in told else ""
    )
