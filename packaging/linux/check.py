"""``make packages-test``: package and archive are installed, used, upgraded and removed in a Debian without Python.

What is tried is what a person does: install, start Limner from the menu's entry, paint, upgrade, remove; and that their
models, settings and history are the same afterwards, byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "bundle")]

from roots import Root, bare_root, fresh_root, lacking  # noqa: E402
from screen import screen  # noqa: E402
from staging import ROOT, __version__, find_bundle  # noqa: E402

DATA = ".local/share/limner"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bundle", help="where the bundle was made")
    build: Path = parser.parse_args().build.absolute()
    if missing := lacking():
        raise SystemExit(f"make packages-test needs {', '.join(missing)}.")
    bundle = find_bundle(build)
    (package,) = sorted((build / "dist").glob(f"limner*_{__version__}-1_*.deb")) or [None]
    archive = build / "dist" / f"{bundle.name}.tar.xz"
    if package is None or not archive.is_file():
        raise SystemExit("make packages-test: run “make deb” and “make archive” first.")
    kept = build / "selftest"
    bare = bare_root(build / "roots" / "bare")
    check_lintian(bare, build, package)
    root = fresh_root(build / "roots" / "test", bare)
    try:
        check_package(root, build, package, kept)
        check_archive(root, archive, kept)
    finally:
        shutil.rmtree(root.folder, ignore_errors=True)
    say(f"passed; the pictures and screens are in {kept}")
    return 0


def check_lintian(bare: Root, build: Path, package: Path) -> None:
    """Debian's own judge finds no error; it lives in a root of its own, made once."""
    judge = Root(build / "roots" / "lintian")
    if not (judge.folder / "usr/bin/lintian").exists():
        judge = fresh_root(judge.folder, bare)
        judge.run("apt-get", "-q", "-y", "install", "--no-install-recommends", "lintian")
    shutil.copyfile(package, judge.folder / "tmp" / package.name)
    said = judge.run("lintian", "--allow-root", "--fail-on", "error", f"/tmp/{package.name}")
    (judge.folder / "tmp" / package.name).unlink()
    say(f"lintian finds no error and {said.count('W: ')} warnings")
    print(said, end="")


def check_package(root: Root, build: Path, package: Path, kept: Path) -> None:
    install(root, package)
    expect(not root.run("find", "/usr/bin", "/usr/local/bin", "-name", "python*"), "the root has a Python of its own")
    check_file_types(root)
    paint_from_menu(root, root.folder / "usr/share/applications/limner.desktop", kept / "debian")
    paint_on_wayland(root, kept / "wayland")
    before = person_files(root)
    expect(len(before) > 5, "the person's folder is empty, so nothing can be lost")
    with tempfile.TemporaryDirectory() as newer:
        command = [sys.executable, str(HERE / "debian.py"), "--build", str(build), "--out", newer]
        subprocess.run([*command, "--version", f"{__version__}-2", "--compression", "none"], check=True)
        install(root, next(Path(newer).iterdir()))
    name = package.name.split("_")[0]
    version = root.run("dpkg-query", "-W", "-f=${Version}", name)
    expect(version == f"{__version__}-2", f"after the upgrade {version} is there")
    expect(person_files(root) == before, "the upgrade changed the person's files")
    expect(root.start("limner models >/dev/null") == 0, "the upgraded program does not start")
    say("upgraded: the person's files are the same")
    for verb in ("--remove", "--purge"):
        root.run("dpkg", verb, name)
        left = root.run("find", "/usr", "-iname", "*limner*")
        expect(not left, f"after {verb} there is still {left}")
        expect(person_files(root) == before, f"{verb} changed the person's files")
    say("removed and purged: nothing is left of the program, and the person's files are the same")
    shutil.rmtree(root.home / DATA)


def install(root: Root, package: Path) -> None:
    place = root.folder / "tmp" / package.name
    shutil.copyfile(package, place)
    root.run("apt-get", "-q", "-y", "install", "--no-install-recommends", "--download-only", f"/tmp/{package.name}")
    began = time.monotonic()
    root.run("apt-get", "-q", "-y", "install", "--no-install-recommends", f"/tmp/{package.name}")
    place.unlink()
    say(f"{package.name} is installed in {time.monotonic() - began:.0f} s, with what it depends on")


def check_file_types(root: Root) -> None:
    """What a desktop knows afterwards about which program opens what."""
    root.run("apt-get", "-q", "-y", "install", "--no-install-recommends", "desktop-file-utils", "shared-mime-info")
    cache = (root.folder / "usr/share/applications/mimeinfo.cache").read_text("utf-8")
    for kind in ("image/png", "image/jpeg", "image/openraster"):
        expect(f"{kind}=limner.desktop;" in cache, f"{kind} is not known to be opened by Limner")
    expect("image/openraster:*.ora" in (root.folder / "usr/share/mime/globs").read_text("utf-8"), ".ora is no type")


def check_archive(root: Root, archive: Path, kept: Path) -> None:
    shutil.copyfile(archive, root.home / "limner.tar.xz")
    root.run("apt-get", "-q", "-y", "install", "--no-install-recommends", "xz-utils")
    name = archive.name.removesuffix(".tar.xz")
    expect(root.start("tar -xf limner.tar.xz") == 0, "the archive cannot be unpacked")
    expect(root.start(f"{name}/install.sh") == 0, "install.sh failed")
    paint_from_menu(root, root.home / ".local/share/applications/limner.desktop", kept / "archive")
    before = person_files(root)
    expect(root.start(f"{name}/install.sh") == 0, "install.sh over an installed Limner failed")
    expect(root.start(".local/bin/limner models >/dev/null") == 0, "the upgraded program does not start")
    expect(person_files(root) == before, "the upgrade changed the person's files")
    expect(root.start(".local/lib/limner/uninstall.sh") == 0, "uninstall.sh failed")
    expect(person_files(root) == before, "uninstall.sh changed the person's files")
    shutil.rmtree(root.home / name)
    (root.home / "limner.tar.xz").unlink()
    left = sorted(path for path in root.home.rglob("*limner*") if path != root.home / DATA and DATA not in str(path))
    expect(not left, f"uninstall.sh left {left}")
    say("the archive is installed, upgraded and removed; the person's files are the same")


def paint_from_menu(root: Root, entry: Path, kept: Path) -> None:
    """What a click in the menu starts, with the self-test's words in the place of a file's name."""
    (line,) = re.findall(r"^Exec=(.*)$", entry.read_text("utf-8"), re.MULTILINE)
    expect(line.endswith(" %f"), f"the menu entry takes no picture: {line}")
    words = f"--selftest --selftest-dir ~/kept --data-dir ~/{DATA}"
    began = time.monotonic()
    with screen() as display:
        status = root.start(line.replace("%f", words), display)
    shutil.rmtree(kept, ignore_errors=True)
    if (root.home / "kept").is_dir():
        shutil.move(root.home / "kept", kept)
    expect(status == 0, f"“{line}” ended with {status}")
    expect((kept / "screen.png").is_file(), "there was no screen to see the window on")
    say(f"“{line}” from the menu entry painted in {time.monotonic() - began:.0f} s, with no network and no Python")


def paint_on_wayland(root: Root, kept: Path) -> None:
    """The same on the other kind of screen, which is what most desktops have now."""
    root.run("apt-get", "-q", "-y", "install", "--no-install-recommends", "weston")
    script = (
        "export XDG_RUNTIME_DIR=$(mktemp -d) WAYLAND_DISPLAY=screen XDG_SESSION_TYPE=wayland; "
        "weston --backend=headless-backend.so --use-pixman --socket=screen >/dev/null 2>&1 & "
        "for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S $XDG_RUNTIME_DIR/screen ] && break; sleep 1; done; "
        "limner --selftest --selftest-dir ~/kept; status=$?; kill $!; exit $status"
    )
    status = root.start(script)
    shutil.rmtree(kept, ignore_errors=True)
    shutil.move(root.home / "kept", kept)
    expect(status == 0, f"on Wayland the self-test ended with {status}")
    expect("wayland" in (kept / "report.txt").read_text("utf-8"), "it was not on Wayland")
    say("painted on Wayland")


def person_files(root: Root) -> dict[str, str]:
    """What must outlive the program: each file of the data folder with a sum of what is in it."""
    data = root.home / DATA
    files = sorted(path for path in data.rglob("*") if path.is_file() and ".log" not in path.name)
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(f"make packages-test: FAILED: {otherwise}")


def say(what: str) -> None:
    print(f"make packages-test: {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
