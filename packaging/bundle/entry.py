"""Where the bundled program begins."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

STORES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, Alpine
)


def find_certificates() -> None:
    """Name the place where this system keeps them: OpenSSL would look where the one that it was built on does."""
    if sys.platform == "win32" or "SSL_CERT_FILE" in os.environ:  # Windows is asked itself
        return
    inside = Path(getattr(sys, "_MEIPASS", ".")) / "certifi" / "cacert.pem"
    found = next((store for store in (*map(Path, STORES), inside) if store.is_file()), None)
    if found is not None:
        os.environ["SSL_CERT_FILE"] = str(found)


if __name__ == "__main__":
    multiprocessing.freeze_support()  # a child process of a library's is this program, started once more
    find_certificates()

    from app.__main__ import main

    sys.exit(main())
