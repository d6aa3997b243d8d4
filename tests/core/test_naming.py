"""Names for files: what a template gives, what it may not ask for, and that every system takes the outcome."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import UserError
from app.core.naming import FIELDS, USUAL_TEMPLATE, NameFacts, TemplateError, name_from, safe_name

FACTS = NameFacts(
    prompt="(A red house:1.3), on the left, at sunset, far away",
    seed=42,
    model="Landscapes",
    width=640,
    height=480,
    counter=7,
    source="photo",
    now=datetime(2026, 11, 25, 14, 23, 5),
)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        (USUAL_TEMPLATE, "2026-11-25-a-red-house-on-the-left-42"),
        ("{counter:04}_{name}", "0007_photo"),
        ("{width}x{height} {time} {model}", "640x480 142305 Landscapes"),
        ("plain", "plain"),
        ("{{{seed}}}", "{42}"),
        ("../../{name}", "_.._photo"),
        ("con", "_con"),
        ("a/b\\c:d*?", "a_b_c_d__"),
    ],
)
def test_what_a_template_gives(template: str, name: str) -> None:
    assert name_from(template, FACTS) == name


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{seeed}", "“{seeed}” is no part"),
        ("{", "cannot be read"),
        ("{}", "is no part"),
        ("{seed.__class__}", "is no part"),
        ("{seed!r}", "cannot be used"),
        ("{counter:999999999}", "cannot be used"),
        ("{prompt:>5}", "cannot be used"),
        ("", "an empty name"),
        (" .. ", "an empty name"),
    ],
)
def test_a_bad_template_is_told_in_a_sentence(template: str, words: str) -> None:
    with pytest.raises(TemplateError, match=words.replace("{", r"\{").replace("}", r"\}")) as refused:
        name_from(template, FACTS)
    assert refused.value.remedy


def test_every_field_is_known() -> None:
    for field in FIELDS:
        assert name_from(f"x{{{field}}}", FACTS).startswith("x")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_is_written_a_name_stays_a_name(template: str, prompt: str) -> None:
    try:
        name = name_from(template, NameFacts(prompt=prompt, source=prompt, model=prompt, now=FACTS.now))
    except UserError:
        return
    assert name == safe_name(name)
    assert name not in ("", ".", "..")
    assert not set(name) & set('/\\:*?"<>|\0')
    assert len(name.encode("utf-8")) <= 185
