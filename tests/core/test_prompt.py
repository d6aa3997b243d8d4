"""The prompt syntax as the web UI reads it, and how words fall into windows."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.prompt import Piece, PromptPlan, heaviest, parse, plan

MARKS = st.lists(
    st.sampled_from(
        ["(", ")", "[", "]", ":1.2)", ":.5)", ":", "\\", "BREAK", " ", ",", "cat", "a", "猫", "é", "1.5", "-"]
    )
).map("".join)


def read(prompt: str) -> list[list[tuple[str, float]]]:
    return [[(f.text, round(f.weight, 4)) for f in passage] for passage in parse(prompt)]


@pytest.mark.parametrize(
    ("prompt", "fragments"),
    [
        ("", []),
        ("a red house", [("a red house", 1)]),
        ("a (red:1.3) house", [("a ", 1), ("red", 1.3), (" house", 1)]),
        ("(red)", [("red", 1.1)]),
        ("((red))", [("red", 1.21)]),
        ("[red]", [("red", 0.9091)]),
        ("[[red]]", [("red", 0.8264)]),
        ("((red:2) barn:1.5)", [("red", 3), (" barn", 1.5)]),
        ("(red:0)", [("red", 0)]),
        ("(red:-1)", [("red", -1)]),
        ("(red : .5 )", [("red ", 0.5)]),
        ("(red:1.0) barn", [("red barn", 1)]),
        ("([red])", [("red", 1)]),
        ("(a [b) c]", [("a ", 1.1), ("b", 1), (" c", 0.9091)]),
        (r"a \(b\) \[c\] \\ \d", [(r"a (b) [c] \ \d", 1)]),
        (r"(a\):1.2)", [("a)", 1.2)]),
        ("a (b", [("a ", 1), ("b", 1.1)]),
        ("a (b:1.2", [("a ", 1), ("b:1.2", 1.1)]),
        ("a b) c] :)", [("a b) c] :)", 1)]),
        ("a:1.2) b", [("a:1.2) b", 1)]),
        ("(a:1.2.3)", [("a:1.2.3", 1.1)]),
        ("(a:high)", [("a:high", 1.1)]),
        ("[a:1.2]", [("a:1.2", 0.9091)]),
        ("()", []),
        ("BREAKFAST, DAYBREAK", [("BREAKFAST, DAYBREAK", 1)]),
    ],
)
def test_weights(prompt: str, fragments: list[tuple[str, float]]) -> None:
    assert read(prompt) == [fragments]


def test_break_divides_passages_even_inside_brackets() -> None:
    assert read("a BREAK b") == [[("a ", 1)], [(" b", 1)]]
    assert read("(a BREAK b:1.2)BREAK") == [[("a ", 1.2)], [(" b", 1.2)], []]


@given(st.text())
def test_escaped_text_is_itself(text: str) -> None:
    escaped = re.sub(r"([\\()\[\]])", r"\\\1", text.replace("BREAK", ""))
    assert read(escaped) == [[(text.replace("BREAK", ""), 1)] if text.replace("BREAK", "") else []]


@given(st.text() | MARKS)
def test_anything_can_be_parsed_and_each_character_knows_its_place(prompt: str) -> None:
    for passage in parse(prompt):
        for fragment in passage:
            assert fragment.text
            assert "".join(prompt[place] for place in fragment.places) == fragment.text
            assert list(fragment.places) == sorted(set(fragment.places))


@given(MARKS, st.sampled_from([1.5, 0.25, 2.0]))
def test_brackets_around_a_whole_prompt_multiply_every_weight(prompt: str, factor: float) -> None:
    closed = re.sub(r"[()\\]|:[\d.]+\)", " ", prompt)
    before = [(f.text, f.weight) for passage in parse(closed) for f in passage]
    after = [(f.text, f.weight) for passage in parse(f"({closed}:{factor})") for f in passage]
    assert [text for text, _ in after] == [text for text, _ in before]
    assert [weight for _, weight in after] == pytest.approx([weight * factor for _, weight in before])


def test_a_hundred_thousand_brackets_take_no_time() -> None:
    began = time.process_time()
    parse("(" * 50_000 + "a" + ":1.0)" * 50_000)
    parse("[" * 100_000)
    assert time.process_time() - began < 5


def test_the_heaviest_weight_may_be_negative() -> None:
    assert heaviest("a (b:1.5) (c:-3)") == -3
    assert heaviest("") == 1


def tokenize(text: str) -> list[Piece]:
    """Words of letters in pieces of two letters, and single marks."""
    pieces = []
    for number, word in enumerate(re.finditer(r"\w+|[^\w\s]", text)):
        for start in range(word.start(), word.end(), 2):
            end = min(start + 2, word.end())
            pieces.append(Piece(number, start, end, end == word.end()))
    return pieces


def planned(prompt: str, room: int, embeddings: Mapping[str, int] | None = None) -> PromptPlan:
    return plan(prompt, tokenize, room, embeddings)


def shown(plan: PromptPlan) -> list[str]:
    return [" ".join(word for word, _ in plan.words(i)) for i in range(len(plan.windows))]


@pytest.mark.parametrize(
    ("prompt", "room", "windows"),
    [
        ("", 8, [""]),
        ("BREAK", 8, [""]),
        ("a b c", 3, ["a b c"]),
        ("a b c d", 3, ["a b c", "d"]),
        ("a bcdef g", 3, ["a", "bcdef", "g"]),  # words stay together
        ("abcdefghij k", 3, ["abcdef", "ghij k"]),  # but for those that no window takes
        ("a b , c d e", 4, ["a b ,", "c d e"]),  # a comma within the last quarter is where it is cut
        ("a , b c d e", 4, ["a , b c", "d e"]),  # and one before it is not
        ("a b , cc dddd", 4, ["a b ,", "cc dddd"]),
        ("a b c , ddddddd", 4, ["a b c ,", "ddddddd"]),
        ("a BREAK b", 4, ["a", "b"]),
        ("a BREAK BREAK b BREAK", 4, ["a", "b"]),
    ],
)
def test_windows(prompt: str, room: int, windows: list[str]) -> None:
    assert shown(planned(prompt, room)) == windows


def test_words_are_told_as_written_with_their_weights() -> None:
    read = planned(r"A (Ré\(d:1.5) Barn", 9)
    assert read.words(0) == [("A", 1), ("Ré", 1.5), ("(", 1.5), ("d", 1.5), ("Barn", 1)]
    assert read.count == 6


@given(MARKS, st.integers(3, 12))
def test_nothing_is_dropped_and_no_window_overflows(prompt: str, room: int) -> None:
    read = planned(prompt, room)
    tokens = [token for window in read.windows for token in window]
    pieces = [piece for passage in parse(prompt) for fragment in passage for piece in tokenize(fragment.text)]
    assert [token.id for token in tokens] == [piece.id for piece in pieces]
    assert all(len(window) <= room for window in read.windows)
    assert len(read.windows) == 1 or all(read.windows)


def test_embeddings_take_their_places_and_stay_together() -> None:
    read = planned("a (My-Style:1.2), b my-styles", 4, {"my-style": 3, "my": 1})
    assert [[(t.embedding, t.row, t.weight) for t in w] for w in read.windows] == [
        [("", 0, 1.0), ("my-style", 0, 1.2), ("my-style", 1, 1.2), ("my-style", 2, 1.2)],
        [("", 0, 1.0), ("", 0, 1.0), ("my", 0, 1.0), ("", 0, 1.0)],
        [("", 0, 1.0)] * 3,
    ]
    assert read.words(0) == [("a", 1.0), ("My-Style", 1.2)]


def test_a_long_embedding_moves_on_whole() -> None:
    read = planned("a b x", 4, {"x": 3})
    assert shown(read) == ["a b", "x"]


def _sizes(read: PromptPlan) -> Sequence[int]:
    return [len(window) for window in read.windows]


def test_an_embedding_longer_than_a_window_is_cut() -> None:
    assert _sizes(planned("a x b", 4, {"x": 6})) == [1, 4, 3]
