"""One picture from the net, when the person asked for it: small, in time, and nothing but a picture."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin, urlsplit

from app.core.errors import Cancelled, PictureError

MOST_BYTES = 50_000_000
PATIENCE_S = 10.0
"""How long any single answer is waited for."""
DEADLINE_S = 120.0
_MOST_HOPS = 5
_PIECE = 65_536
_BY_HAND = "Save the picture with a browser, then drop the file."
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Fetched:
    """``data``: what came, not looked into yet. ``name``: what sentences call it."""

    data: bytes
    name: str


@dataclass(frozen=True)
class _Place:
    scheme: str
    host: str  # in ASCII
    port: int
    target: str  # path and query, as they go over the wire

    @property
    def server(self) -> tuple[str, int]:
        return self.host, self.port


def host_of(address: str) -> str:
    """The host that a link leads to, as a sentence names it. Raises PictureError for what is no link to a picture."""
    return _place(address).host


class Fetch:
    """One download. ``run`` is called once, off the window's thread; ``cancel`` may be called from anywhere."""

    def __init__(self, address: str) -> None:
        """Raises PictureError for what is no http link."""
        self._first = _place(address)
        self._address = address
        self._cancelled = False
        self._socket: socket.socket | None = None  # its own: the connection forgets it once the answer begins

    def cancel(self) -> None:
        """End it at once, also in the middle of waiting for an answer."""
        self._cancelled = True
        if (open_socket := self._socket) is not None:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def run(self, progressed: Callable[[float], object] = lambda _: None) -> Fetched:
        """``progressed`` is told how much of it is here, 0..1, where the server says how much there is. Raises
        PictureError, Cancelled."""
        try:
            return self._run(progressed)
        except TimeoutError as error:
            self._check()
            raise PictureError(f"{self._first.host} does not answer.", f"Try again later. {_BY_HAND}") from error
        except ssl.SSLError as error:
            self._check()
            raise PictureError(f"{self._first.host} cannot prove that it is itself.", _BY_HAND) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._check()
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise PictureError(
                f"{self._first.host} cannot be reached ({reason}).", f"Look at your connection. {_BY_HAND}"
            ) from error

    def _check(self) -> None:
        if self._cancelled:
            raise Cancelled

    def _run(self, progressed: Callable[[float], object]) -> Fetched:
        place, address = self._first, self._address
        deadline = time.monotonic() + DEADLINE_S
        for _ in range(_MOST_HOPS):
            self._check()
            if place.server != self._first.server:
                _check_public(place)
            with contextlib.closing(_connection(place)) as connection:
                connection.connect()
                self._socket = connection.sock
                self._check()
                headers = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "Limner"}
                connection.request("GET", place.target, headers=headers)
                response = connection.getresponse()
                self._check()
                if response.status not in (301, 302, 303, 307, 308):
                    _check_answer(response, place.host)
                    return Fetched(self._body(response, place.host, deadline, progressed), _name(place))
                address = urljoin(address, response.getheader("Location") or "")
            place = _place(address)
        raise PictureError(f"{self._first.host} sends Limner in circles.", _BY_HAND)

    def _body(
        self, response: http.client.HTTPResponse, host: str, deadline: float, progressed: Callable[[float], object]
    ) -> bytes:
        told = response.length  # None where the server does not say
        if told is not None and told > MOST_BYTES:
            raise _too_large(host)
        body = bytearray()
        while piece := response.read1(_PIECE):
            self._check()
            body += piece
            if len(body) > MOST_BYTES:
                raise _too_large(host)
            if time.monotonic() > deadline:
                raise PictureError(f"{host} sends the picture too slowly.", _BY_HAND)
            if told:
                progressed(len(body) / told)
        self._check()
        if told is not None and len(body) < told:
            raise PictureError(f"The picture from {host} ended early.", f"Try again. {_BY_HAND}")
        return bytes(body)


def _place(address: str) -> _Place:
    try:
        parts = urlsplit(address.strip())
        scheme, port = parts.scheme.lower(), parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError as error:  # a broken port or host; UnicodeError is one as well
        raise PictureError("That is no link that can be followed.", _BY_HAND) from error
    if scheme not in _PORTS:
        what = "a file on another computer" if scheme == "file" else f"a link of the kind “{scheme or '?'}”"
        raise PictureError(f"That is {what}.", "Copy the picture to this computer, then drop the file.")
    if not host:
        raise PictureError("That is no link that can be followed.", _BY_HAND)
    if parts.username or parts.password:
        raise PictureError("That link holds a name or a password.", _BY_HAND)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]")
    return _Place(scheme, host, port or _PORTS[scheme], f"{target}?{query}" if query else target)


def _connection(place: _Place) -> http.client.HTTPConnection:
    if place.scheme == "https":
        return http.client.HTTPSConnection(
            place.host, place.port, timeout=PATIENCE_S, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(place.host, place.port, timeout=PATIENCE_S)


def _check_public(place: _Place) -> None:
    """A server that the person did not name must not lead into their own network. Raises PictureError, OSError."""
    for *_, address in socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM):
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            raise PictureError("That link leads on into your own network, and was not followed.", _BY_HAND)


def _check_answer(response: http.client.HTTPResponse, host: str) -> None:
    match response.status:
        case 200:
            pass
        case 401 | 403 | 407:
            raise PictureError(f"{host} does not show that picture to everyone.", _BY_HAND)
        case 404 | 410:
            raise PictureError(f"{host} does not have that picture any more.", "Check the link.")
        case status:
            raise PictureError(f"{host} cannot give the picture now (it answered {status}).", f"Try later. {_BY_HAND}")
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if not kind.startswith("image/"):
        what = "a web page" if kind == "text/html" else f"no picture but {kind or 'something it does not name'}"
        raise PictureError(
            f"Behind that link is {what}.", "Use the link of the picture itself: in a browser, “Copy image address”."
        )


def _too_large(host: str) -> PictureError:
    return PictureError(f"The picture on {host} is larger than {MOST_BYTES // 1_000_000} MB.", _BY_HAND)


def _name(place: _Place) -> str:
    last = unquote(place.target.partition("?")[0].rpartition("/")[2], errors="replace")
    clean = "".join(letter for letter in last if letter.isprintable() and letter not in '/\\:*?"<>|').strip(". ")
    return clean[:100] or place.host
