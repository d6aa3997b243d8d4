"""Prompts as artists write them: weights, escapes, BREAK; and how their words fall into the windows that a model reads.

The syntax is the one of the AUTOMATIC1111 web UI, so that prompts found elsewhere mean the same here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

ROUND = 1.1
"""What a pair of round brackets without a number multiplies by, and a pair of square ones divides by."""
MOST_WEIGHT = 10.0

_MARK = re.compile(
    r"""\\(?P<literal>[\\()\[\]])
    | (?P<open>[(\[])
    | :[ \t]*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))[ \t]*\)
    | (?P<close>[)\]])
    | (?P<break>\bBREAK\b)""",
    re.VERBOSE,
)
_CLOSED_BY = {")": "(", "]": "["}


@dataclass(frozen=True)
class Fragment:
    """Text of one weight. ``places``: for each of its characters the index in the prompt as it was written."""

    text: str
    weight: float
    places: Sequence[int]


def parse(prompt: str) -> tuple[tuple[Fragment, ...], ...]:
    """The passages between BREAKs, each as fragments of equal weight.

    ``(word:1.2)`` multiplies the weight by 1.2, ``(word)`` by 1.1, ``[word]`` divides by 1.1; they nest. A backslash
    makes a bracket or a backslash an ordinary character. A bracket that is never closed counts to the end; one that
    was never opened is an ordinary character. Never raises.
    """
    passages: list[list[_Run]] = [[]]
    factors = {"(": [1.0], "[": [1.0]}
    marks = list(_MARK.finditer(prompt))
    opened = _factors(marks)
    at = 0
    for number, mark in enumerate(marks):
        weight = factors["("][-1] * factors["["][-1]
        _put(passages[-1], prompt, at, mark.start(), weight)
        at = mark.end()
        match mark.lastgroup:
            case "literal":
                _put(passages[-1], prompt, mark.start() + 1, at, weight)
            case "open":
                stack = factors[mark["open"]]
                stack.append(stack[-1] * opened[number])
            case "break":
                passages.append([])
            case _:
                stack = factors[_CLOSED_BY[prompt[at - 1]]]
                if len(stack) > 1:
                    stack.pop()
                else:
                    _put(passages[-1], prompt, mark.start(), at, weight)
    _put(passages[-1], prompt, at, len(prompt), factors["("][-1] * factors["["][-1])
    return tuple(tuple(run.fragment() for run in runs) for runs in passages)


def heaviest(prompt: str) -> float:
    """The weight farthest from 0 in the prompt, or one that is no number; 1 for an empty one."""
    weights = [fragment.weight for passage in parse(prompt) for fragment in passage]
    return max(weights, key=lambda weight: math.inf if math.isnan(weight) else abs(weight), default=1.0)


@dataclass
class _Run:
    """A Fragment in the making."""

    weight: float
    texts: list[str]
    places: list[int]

    def fragment(self) -> Fragment:
        return Fragment("".join(self.texts), self.weight, self.places)


def _put(runs: list[_Run], prompt: str, start: int, end: int, weight: float) -> None:
    if start == end:
        return
    if not runs or runs[-1].weight != weight:
        runs.append(_Run(weight, [], []))
    runs[-1].texts.append(prompt[start:end])
    runs[-1].places.extend(range(start, end))


def _factors(marks: Sequence[re.Match[str]]) -> dict[int, float]:
    """For each opening bracket, by its number among the marks, what it multiplies by: its partner may say so."""
    factors = {i: ROUND if mark["open"] == "(" else 1 / ROUND for i, mark in enumerate(marks) if mark["open"]}
    pending: list[int] = []
    for i, mark in enumerate(marks):
        if mark["open"] == "(":
            pending.append(i)
        elif (mark["number"] or mark["close"] == ")") and pending:
            partner = pending.pop()
            if mark["number"]:
                factors[partner] = float(mark["number"])
    return factors


@dataclass(frozen=True)
class Piece:
    """What a tokenizer cuts text into. ``start`` and ``end`` bound it in the text; ``ends_word``: no piece of the same
    word follows."""

    id: int
    start: int
    end: int
    ends_word: bool


Tokenize = Callable[[str], Sequence[Piece]]
"""Text -> pieces, without start and end of text."""


@dataclass(frozen=True)
class Token:
    """One place in a window. ``start`` and ``end`` bound what it stands for in the prompt as it was written.

    ``embedding`` names a textual-inversion embedding whose row ``row`` stands here in place of the vocabulary's ``id``.
    """

    id: int
    weight: float
    start: int
    end: int
    ends_word: bool = True
    embedding: str = ""
    row: int = 0


@dataclass(frozen=True)
class PromptPlan:
    """Which words fall in which window, and with which weight. There is at least one window; it may be empty.

    ``room``: tokens that a window takes. Nothing of a prompt is dropped: there are as many windows as it needs.
    """

    prompt: str
    room: int
    windows: tuple[tuple[Token, ...], ...]

    @property
    def count(self) -> int:
        return sum(map(len, self.windows))

    def words(self, window: int) -> list[tuple[str, float]]:
        """The words of a window as they were written, each with its weight."""
        words: list[tuple[str, float]] = []
        start: int | None = None
        for token in self.windows[window]:
            start = token.start if start is None else start
            if token.ends_word:
                words.append((self.prompt[start : token.end], token.weight))
                start = None
        if start is not None:  # of a word longer than the window
            last = self.windows[window][-1]
            words.append((self.prompt[start : last.end], last.weight))
        return words


def plan(prompt: str, tokenize: Tokenize, room: int, embeddings: Mapping[str, int] | None = None) -> PromptPlan:
    """How the model will read the prompt. ``embeddings``: by name, how many tokens each takes.

    A window ends between words, after a comma where one is near; BREAK begins a new one.
    """
    named = _Names(embeddings or {})
    windows: list[tuple[Token, ...]] = []
    for passage in parse(prompt):
        tokens = [token for fragment in passage for token in _tokens(prompt, fragment, tokenize, named)]
        if tokens:
            windows += _filled(prompt, tokens, room)
    return PromptPlan(prompt, room, tuple(windows) or ((),))


class _Names:
    """Finds the names of embeddings in a text: whole words, whatever their case, the longest first."""

    def __init__(self, embeddings: Mapping[str, int]) -> None:
        self.sizes = {name.casefold(): (name, size) for name, size in embeddings.items()}
        names = sorted(map(re.escape, embeddings), key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)", re.IGNORECASE) if names else None

    def find(self, text: str) -> Iterator[re.Match[str]]:
        return self._pattern.finditer(text) if self._pattern else iter(())


def _tokens(prompt: str, fragment: Fragment, tokenize: Tokenize, named: _Names) -> Iterator[Token]:
    at = 0
    for match in named.find(fragment.text):
        yield from _plain(fragment, at, match.start(), tokenize)
        name, size = named.sizes[match[0].casefold()]
        start, end = _bounds(fragment, match.start(), match.end())
        for row in range(size):
            yield Token(0, fragment.weight, start, end, row == size - 1, name, row)
        at = match.end()
    yield from _plain(fragment, at, len(fragment.text), tokenize)


def _plain(fragment: Fragment, start: int, end: int, tokenize: Tokenize) -> Iterator[Token]:
    for piece in tokenize(fragment.text[start:end]):
        first, last = _bounds(fragment, start + piece.start, start + piece.end)
        yield Token(piece.id, fragment.weight, first, last, piece.ends_word)


def _bounds(fragment: Fragment, start: int, end: int) -> tuple[int, int]:
    """A span of the fragment's text, in the prompt."""
    first = fragment.places[start]
    return first, max(first, fragment.places[max(start, end - 1)] + 1)


def _filled(prompt: str, tokens: Iterable[Token], room: int) -> list[tuple[Token, ...]]:
    """The tokens in windows of ``room``."""
    windows: list[tuple[Token, ...]] = []
    current: list[Token] = []
    for word in _words(tokens, room):
        if len(current) + len(word) > room:
            cut = _cut(prompt, current, room, len(word))
            windows.append(tuple(current[:cut]))
            current = current[cut:]
        current += word
    return [*windows, tuple(current)]


def _words(tokens: Iterable[Token], room: int) -> Iterator[list[Token]]:
    """Tokens that stay together; what is longer than a window is cut."""
    word: list[Token] = []
    for token in tokens:
        word.append(token)
        if token.ends_word or len(word) == room:
            yield word
            word = []
    if word:
        yield word


def _cut(prompt: str, tokens: Sequence[Token], room: int, following: int) -> int:
    """Where a full window ends: after the last comma of its last quarter, if what then moves on leaves room for the
    word that follows; else where it is full."""
    for cut in range(len(tokens), max(1, room * 3 // 4) - 1, -1):
        token = tokens[cut - 1]
        if prompt[token.start : token.end].endswith(",") and len(tokens) - cut + following <= room:
            return cut
    return len(tokens)
