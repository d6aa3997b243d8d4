"""Sizes, boxes and frames: tables for what must come out, properties for what must always hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.geometry import (
    FramePlan,
    Rect,
    Size,
    ceil_to,
    group_parts,
    plan_around,
    plan_box,
    plan_reduced,
    plan_whole,
)


@pytest.mark.parametrize(("value", "multiple", "expected"), [(0, 8, 0), (1, 8, 8), (8, 8, 8), (9, 8, 16), (7, 1, 7)])
def test_ceil_to(value: int, multiple: int, expected: int) -> None:
    assert ceil_to(value, multiple) == expected


@pytest.mark.parametrize(
    ("size", "factor", "expected"),
    [
        (Size(100, 50), 0.5, Size(50, 25)),
        (Size(3, 1), 0.1, Size(1, 1)),
        (Size(10, 10), 1.25, Size(12, 12)),
        (Size(1, 5000), 0.5, Size(1, 2500)),
    ],
)
def test_scaled_rounds_and_never_vanishes(size: Size, factor: float, expected: Size) -> None:
    assert size.scaled(factor) == expected


def test_padded_and_area() -> None:
    assert Size(63, 65).padded(8) == Size(64, 72)
    assert Size(64, 72).padded(8) == Size(64, 72)
    assert Size(7, 9).area == 63
    assert str(Size(7, 9)) == "7 x 9"


@pytest.mark.parametrize(
    ("box", "inside", "clamped"),
    [
        (Rect(0, 0, 10, 5), True, Rect(0, 0, 10, 5)),
        (Rect(2, 1, 3, 3), True, Rect(2, 1, 3, 3)),
        (Rect(-2, -1, 5, 4), False, Rect(0, 0, 3, 3)),
        (Rect(8, 3, 5, 5), False, Rect(8, 3, 2, 2)),
        (Rect(20, 20, 5, 5), False, Rect(20, 20, 0, 0)),
        (Rect(-9, 0, 4, 4), False, Rect(0, 0, 0, 4)),
    ],
)
def test_boxes_on_a_picture(box: Rect, inside: bool, clamped: Rect) -> None:
    assert box.inside(Size(10, 5)) is inside
    assert box.clamped(Size(10, 5)) == clamped


def test_box_sides() -> None:
    box = Rect(2, 3, 4, 5)
    assert (box.right, box.bottom, box.size) == (6, 8, Size(4, 5))
    assert box.slices == (slice(3, 8), slice(2, 6))
    assert str(box) == "4 x 5 at 2, 3"
    assert Rect.whole(Size(4, 5)) == Rect(0, 0, 4, 5)


WIDE = Size(1920, 1080)


@pytest.mark.parametrize(
    ("picture", "native", "working"),
    [
        (Size(512, 512), 512, Size(512, 512)),
        (Size(1024, 1024), 512, Size(1024, 1024)),  # exactly the limit
        (Size(2048, 2048), 512, Size(1024, 1024)),
        (Size(4000, 1000), 512, Size(2048, 512)),
        (Size(10, 10), 512, Size(10, 10)),
    ],
)
def test_reduced_frames(picture: Size, native: int, working: Size) -> None:
    plan = plan_reduced(picture, native)
    assert plan == FramePlan(Rect.whole(picture), working)
    assert plan_whole(picture) == FramePlan(Rect.whole(picture), picture)


@pytest.mark.parametrize(
    ("picture", "mask", "native", "box", "working"),
    [
        # a small mask in the middle gets the native square around it
        (WIDE, Rect(900, 500, 20, 20), 512, Rect(654, 254, 512, 512), Size(512, 512)),
        # in a corner the square slides inside
        (WIDE, Rect(0, 0, 20, 20), 512, Rect(0, 0, 512, 512), Size(512, 512)),
        (WIDE, Rect(1900, 1060, 20, 20), 512, Rect(1408, 568, 512, 512), Size(512, 512)),
        # a large mask takes context of half its side, and is worked on smaller
        (Size(4000, 4000), Rect(1500, 1500, 1000, 1000), 512, Rect(1000, 1000, 2000, 2000), Size(512, 512)),
        # a small picture is worked on larger
        (Size(128, 128), Rect(60, 60, 8, 8), 512, Rect(0, 0, 128, 128), Size(512, 512)),
        # a little under native is left as it is
        (Size(400, 400), Rect(60, 60, 8, 8), 512, Rect(0, 0, 400, 400), Size(400, 400)),
        # sides are whole latents where the picture has room
        (Size(4000, 4000), Rect(1500, 1500, 301, 301), 512, Rect(1346, 1346, 608, 608), Size(512, 512)),
        (Size(601, 601), Rect(100, 100, 301, 301), 512, Rect(0, 0, 601, 601), Size(512, 512)),
        # near one edge, both sides, or all of them
        (Size(4000, 4000), Rect(3500, 1500, 500, 500), 512, Rect(3000, 1250, 1000, 1000), Size(512, 512)),
        (Size(600, 4000), Rect(50, 1500, 500, 500), 512, Rect(0, 1250, 600, 1000), Size(397, 661)),
        (Size(600, 600), Rect(0, 0, 600, 600), 512, Rect(0, 0, 600, 600), Size(512, 512)),
        # one pixel
        (Size(4096, 4096), Rect(4095, 0, 1, 1), 512, Rect(3584, 0, 512, 512), Size(512, 512)),
        (Size(1, 1), Rect(0, 0, 1, 1), 512, Rect(0, 0, 1, 1), Size(512, 512)),
        # the models' other sizes
        (WIDE, Rect(900, 500, 20, 20), 128, Rect(846, 446, 128, 128), Size(128, 128)),
        (WIDE, Rect(900, 500, 20, 20), 768, Rect(526, 126, 768, 768), Size(768, 768)),
        # tall and wide masks keep their aspect up to 2 : 1
        (Size(4000, 4000), Rect(1000, 1000, 1200, 400), 512, Rect(400, 400, 2400, 1600), Size(627, 418)),
        (Size(4000, 4000), Rect(1000, 1000, 100, 1600), 512, Rect(198, 200, 1704, 3200), Size(374, 702)),
        (Size(4000, 300), Rect(0, 0, 4000, 20), 512, Rect(0, 0, 4000, 300), Size(1870, 140)),
        # a picture thinner than the native side is worked on at its own scale, or larger
        (Size(2000, 200), Rect(900, 100, 20, 20), 512, Rect(654, 0, 512, 200), Size(819, 320)),
        (Size(2000, 400), Rect(900, 100, 20, 20), 512, Rect(654, 0, 512, 400), Size(512, 400)),
        # a thin mask gets height, so that the frame is no ribbon
        (Size(3000, 3000), Rect(500, 1500, 1000, 10), 512, Rect(0, 997, 2000, 1016), Size(718, 365)),
    ],
)
def test_frames_around_a_mask(picture: Size, mask: Rect, native: int, box: Rect, working: Size) -> None:
    plan = plan_around(picture, mask, native)
    assert plan.box == box
    assert plan.working == working


@st.composite
def masked_pictures(draw: st.DrawFn) -> tuple[Size, Rect]:
    width, height = draw(st.integers(1, 9000)), draw(st.integers(1, 9000))
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return Size(width, height), Rect(x, y, draw(st.integers(1, width - x)), draw(st.integers(1, height - y)))


@given(masked_pictures(), st.sampled_from([64, 128, 192, 512, 768]))
def test_a_frame_holds_the_mask_and_lies_on_the_picture(case: tuple[Size, Rect], native: int) -> None:
    picture, mask = case
    plan = plan_around(picture, mask, native)
    box, working = plan.box, plan.working
    assert box.inside(picture)
    assert (box.x <= mask.x, box.y <= mask.y, box.right >= mask.right, box.bottom >= mask.bottom) == (True,) * 4
    assert min(box.width, native, picture.width) == min(native, picture.width)
    # the same aspect up to rounding of a pixel
    assert abs(working.width - box.width * working.height / box.height) <= 0.5 + 0.5 * box.width / box.height
    # never far from the native area, but for ribbons whose short side cannot go under one pixel
    assert working.area <= native * native * 2.1 or 1 in (working.width, working.height)


@pytest.mark.parametrize(
    ("box", "native", "working"),
    [
        (Rect(3, 4, 512, 512), 512, Size(512, 512)),
        (Rect(0, 0, 400, 400), 512, Size(400, 400)),
        (Rect(0, 0, 300, 300), 512, Size(512, 512)),
        (Rect(9, 9, 1024, 512), 512, Size(724, 362)),
        (Rect(0, 0, 4096, 4096), 512, Size(512, 512)),
    ],
)
def test_a_box_of_ones_own_is_worked_on_near_the_native_area(box: Rect, native: int, working: Size) -> None:
    assert plan_box(box, native) == FramePlan(box, working)


def test_the_scale_of_a_plan() -> None:
    assert FramePlan(Rect(0, 0, 1024, 1024), Size(512, 512)).scale == 2.0
    assert FramePlan(Rect(0, 0, 128, 64), Size(256, 128)).scale == 0.5


def test_boxes_together() -> None:
    one, other = Rect(2, 3, 4, 5), Rect(10, 1, 2, 2)
    assert one.joined(other) == other.joined(one) == Rect(2, 1, 10, 7)
    assert one.grown(3) == Rect(-1, 0, 10, 11)
    assert one.overlaps(Rect(5, 7, 9, 9))
    assert not one.overlaps(Rect(6, 3, 9, 9))  # side by side
    assert not one.overlaps(other)


BIG = Size(4096, 4096)


@pytest.mark.parametrize(
    ("parts", "groups"),
    [
        ([Rect(0, 0, 9, 9)], [Rect(0, 0, 9, 9)]),
        # far corners stay apart
        ([Rect(0, 0, 64, 64), Rect(4000, 4000, 64, 64)], [Rect(0, 0, 64, 64), Rect(4000, 4000, 64, 64)]),
        # within one native frame they are one
        ([Rect(100, 100, 64, 64), Rect(350, 300, 64, 64)], [Rect(100, 100, 314, 264)]),
        # two that are near and one that is not
        (
            [Rect(100, 100, 64, 64), Rect(3000, 100, 64, 64), Rect(250, 100, 64, 64)],
            [Rect(100, 100, 214, 64), Rect(3000, 100, 64, 64)],
        ),
        # one inside the other's box
        ([Rect(0, 0, 3000, 3000), Rect(1500, 1500, 9, 9)], [Rect(0, 0, 3000, 3000)]),
    ],
)
def test_far_parts_are_grouped_by_what_their_frames_cost(parts: list[Rect], groups: list[Rect]) -> None:
    assert group_parts(parts, BIG, 512) == tuple(groups)
    assert group_parts(parts[::-1], BIG, 512) == tuple(groups)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(Rect, *[st.integers(0, 3000)] * 2, *[st.integers(1, 1000)] * 2), min_size=1, max_size=6))
def test_groups_hold_every_part_and_never_overlap(parts: list[Rect]) -> None:
    groups = group_parts(parts, BIG, 512)
    for part in parts:
        assert sum(group.joined(part) == group for group in groups) == 1
    for i, group in enumerate(groups):
        assert not any(group.overlaps(other) for other in groups[i + 1 :])
