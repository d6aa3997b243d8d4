"""The counter reads prompts exactly as the engine does, and says in words when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ModelError
from app.core.settings import resources
from app.library.tokens import load_token_counter

STARTER = resources() / "models" / "starter"
COUNTER = load_token_counter(STARTER)
ENGINES = transformers.CLIPTokenizer.from_pretrained(STARTER / "tokenizer", local_files_only=True)


@given(
    st.text()
    | st.lists(st.sampled_from(["Red", " house", "'s", "’", "1234", "<|endoftext|>", "é", "猫", "🚀"])).map("".join)
)
def test_the_same_ids_and_places_as_the_engines(text: str) -> None:
    theirs = ENGINES(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    ours = COUNTER._pieces(text)
    assert [piece.id for piece in ours] == theirs.input_ids
    assert [(piece.start, piece.end) for piece in ours] == theirs.offset_mapping


def test_the_plan_of_a_prompt() -> None:
    read = COUNTER.plan("A red house (on the hill:1.2)")
    assert read.room == 75
    assert read.words(0) == [("A", 1), ("red", 1), ("house", 1), ("on", 1.2), ("the", 1.2), ("hill", 1.2)]


def test_long_prompts_fill_windows_of_75() -> None:
    read = COUNTER.plan("a red house on the hill, " * 20)
    assert read.count == 160
    assert [len(window) for window in read.windows] == [72, 72, 16]  # cut after commas


def test_the_window_is_the_models_own(tmp_path: Path) -> None:
    _copy_tokenizer(tmp_path)
    (tmp_path / "text_encoder").mkdir()
    (tmp_path / "text_encoder" / "config.json").write_text(json.dumps({"max_position_embeddings": 24}))
    assert load_token_counter(tmp_path).room == 22


@pytest.mark.parametrize("damage", ["missing", "broken"])
def test_a_tokenizer_that_cannot_be_read_is_a_sentence(tmp_path: Path, damage: str) -> None:
    _copy_tokenizer(tmp_path)
    vocabulary = tmp_path / "tokenizer" / "vocab.json"
    if damage == "missing":
        vocabulary.unlink()
    else:
        vocabulary.write_text("{")
    with pytest.raises(ModelError, match="tokenizer of the model"):
        load_token_counter(tmp_path)


def _copy_tokenizer(folder: Path) -> None:
    (folder / "tokenizer").mkdir()
    for file in (STARTER / "tokenizer").iterdir():
        (folder / "tokenizer" / file.name).write_bytes(file.read_bytes())
