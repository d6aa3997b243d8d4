"""CLIP's vocabulary is made of the public file as CLIP makes it; a package without it is a sentence."""

from __future__ import annotations

import gzip
import sys
import zipfile
from pathlib import Path

import pytest
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packaging" / "setup"))

import vocabulary

from app.core.checkpoints import usual_tokenizer

MERGES = ["h i", "hi l", "hil l</w>", "r e", "re d</w>"]


def wheel(folder: Path, member: str = f"open_clip/{vocabulary.MEMBER}") -> Path:
    with zipfile.ZipFile(folder / "some.whl", "w") as archive:
        archive.writestr(member, gzip.compress("\n".join(["title", *MERGES, "n e", "ne xt</w>"]).encode()))
        archive.writestr("open_clip-1.dist-info/licenses/LICENSE", "Be kind.")
    return folder / "some.whl"


def test_a_small_vocabulary_reads_words(tmp_path: Path) -> None:
    packed, licence = vocabulary.read_wheel(wheel(tmp_path))
    vocabulary.write(tmp_path / "tokenizer", vocabulary.merges_in(packed, len(MERGES)), licence)
    tokenizer = transformers.CLIPTokenizer.from_pretrained(tmp_path / "tokenizer", local_files_only=True)
    assert tokenizer("Red hill").input_ids == [517, 516, 514, 518]
    assert (len(tokenizer), tokenizer.model_max_length) == (519, 77)
    assert "Be kind." in (tmp_path / "tokenizer" / "LICENSE").read_text("utf-8")


def test_a_package_without_the_vocabulary(tmp_path: Path) -> None:
    with pytest.raises(vocabulary.VocabularyError, match="does not hold"):
        vocabulary.read_wheel(wheel(tmp_path, "open_clip/other.gz"))
    (tmp_path / "broken.whl").write_bytes(b"no zip")
    with pytest.raises(vocabulary.VocabularyError, match="does not hold"):
        vocabulary.read_wheel(tmp_path / "broken.whl")


def test_no_network_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(vocabulary.VocabularyError, match="could not download open-clip-torch"):
        vocabulary.fetch(tmp_path / "tokenizer", sys.executable)
    assert not (tmp_path / "tokenizer").exists()


@pytest.mark.skipif(not (usual_tokenizer() / "vocab.json").is_file(), reason="make setup had no network")
def test_the_real_vocabulary_reads_as_clip_does() -> None:
    tokenizer = transformers.CLIPTokenizer.from_pretrained(usual_tokenizer(), local_files_only=True)
    ids = tokenizer("a photo of an astronaut").input_ids
    assert ids == [49406, 320, 1125, 539, 550, 18376, 49407]  # as OpenAI's own code gives them
    assert len(tokenizer) == 49408
