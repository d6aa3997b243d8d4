"""Pictures from the net: what is fetched, what is refused in words, and that a cancel ends it at once."""

from __future__ import annotations

import threading
import time

import pytest

from app.core.errors import Cancelled, PictureError
from app.library import fetching
from app.library.fetching import Fetch, Fetched, host_of
from tests.servers import hangs, leads_to, sends, serving

PNG = b"\x89PNG\r\n\x1a\n and more" * 9000


def test_a_picture_comes_whole_with_its_name() -> None:
    told: list[float] = []
    with serving({"/a%20cat.png?size=2": sends(PNG)}) as address:
        assert Fetch(f"{address}/a%20cat.png?size=2").run(told.append) == Fetched(PNG, "a cat.png")
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_without_a_length_and_without_a_name() -> None:
    with serving({"/": sends(PNG, length=-1)}) as address:
        assert Fetch(address).run() == Fetched(PNG, "127.0.0.1")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (sends(b"<html>", "text/html; charset=utf-8"), "is a web page"),
        (sends(b"PK", "application/zip"), "no picture but application/zip"),
        (sends(b"", "image/png", status=404), "does not have that picture"),
        (sends(b"", "image/png", status=403), "not show that picture to everyone"),
        (sends(b"", "image/png", status=503), "it answered 503"),
        (sends(PNG, length=len(PNG) + 5), "ended early"),
        (sends(b"x", length=60_000_000), "larger than 50 MB"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(answer, words: str) -> None:
    with serving({"/a.png": answer}) as address, pytest.raises(PictureError, match=words) as refused:
        Fetch(f"{address}/a.png").run()
    assert refused.value.remedy


def test_no_more_than_allowed_is_taken_from_a_server_that_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 100_000)
    with serving({"/a.png": sends(PNG, length=-1)}) as address, pytest.raises(PictureError, match="larger than"):
        Fetch(f"{address}/a.png").run()


def test_it_is_led_on_but_not_in_circles_and_not_into_the_own_network() -> None:
    with serving({"/secret.png": sends(PNG)}) as inner:
        ways = {"/a": leads_to("/b"), "/b": sends(PNG), "/c": leads_to("/c"), "/d": leads_to(f"{inner}/secret.png")}
        ways["/e"] = leads_to("file:///etc/passwd")
        with serving(ways) as address:
            assert Fetch(f"{address}/a").run().name == "b"
            for path, words in (("c", "in circles"), ("d", "your own network"), ("e", "another computer")):
                with pytest.raises(PictureError, match=words):
                    Fetch(f"{address}/{path}").run()


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("ftp://example.org/a.png", "of the kind “ftp”"),
        ("file://server/share/a.png", "another computer"),
        ("http://me:secret@example.org/a.png", "a password"),
        ("http://", "no link that can be followed"),
        ("http://[::1/a.png", "no link that can be followed"),
        ("http://example.org:99999/a.png", "no link that can be followed"),
    ],
)
def test_links_that_are_not_followed(link: str, words: str) -> None:
    with pytest.raises(PictureError, match=words):
        host_of(link)


def test_a_server_that_is_not_there() -> None:
    with serving({}) as address:
        pass
    with pytest.raises(PictureError, match="cannot be reached"):
        Fetch(f"{address}/a.png").run()


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PATIENCE_S", 0.2)
    done = threading.Event()
    with serving({"/a.png": hangs(done)}) as address:
        with pytest.raises(PictureError, match="does not answer"):
            Fetch(f"{address}/a.png").run()
        done.set()


@pytest.mark.parametrize("start", [b"", PNG])
def test_cancelling_ends_it_at_once(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PATIENCE_S", 60.0)
    done = threading.Event()
    with serving({"/a.png": hangs(done, start)}) as address:
        fetch = Fetch(f"{address}/a.png")
        threading.Timer(0.3, fetch.cancel).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            fetch.run()
        assert time.monotonic() - began < 30.0
        done.set()
