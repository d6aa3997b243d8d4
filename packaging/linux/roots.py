"""A small Debian in a folder, with a person in it and no network; needs root and debootstrap."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
PERSON = "artist"
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def lacking() -> list[str]:
    """What this machine lacks for it, in words."""
    missing = [name for name in ("debootstrap", "unshare", "Xvfb") if shutil.which(name) is None]
    return missing if os.geteuid() == 0 else [*missing, "the right to make a root (run it as root)"]


@dataclass(frozen=True)
class Root:
    """A folder that holds a Debian."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home" / PERSON

    def run(self, *command: str, check: bool = True) -> str:
        """As the system's keeper, with the network; returns what it said."""
        line = ["unshare", "--mount", "sh", "-c", f'{self._mounts("")} && exec chroot {self._quoted} "$@"', "sh"]
        done = subprocess.run([*line, *command], env=_QUIET, text=True, capture_output=True, check=False)
        if check and done.returncode:
            raise SystemExit(f"{shlex.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def start(self, line: str, display: str = "") -> int:
        """As the person, the line of a menu entry or of a terminal, without a network; returns the exit status."""
        person = f"chroot --userspec={PERSON}:{PERSON} {self._quoted}"
        # what a desktop gives to a program that it starts from its menu
        given = [f"HOME=/home/{PERSON}", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"]
        given += [f"DISPLAY={display}"] if display else []
        inside = f"cd ~ && {line}"
        script = f"{self._mounts(display)} && exec {person} env -i {shlex.join(given)} sh -c {shlex.quote(inside)}"
        return subprocess.run(["unshare", "--mount", "--net", "sh", "-c", script], check=False).returncode

    @property
    def _quoted(self) -> str:
        return shlex.quote(str(self.folder))

    def _mounts(self, display: str) -> str:
        steps = [f"mount -t proc proc {self._quoted}/proc", f"mount -t tmpfs tmpfs {self._quoted}/dev/shm"]
        if display:
            steps.append(f"mkdir -p {self._quoted}/tmp/.X11-unix")
            steps.append(f"mount --bind /tmp/.X11-unix {self._quoted}/tmp/.X11-unix")
        return " && ".join(steps)


def bare_root(folder: Path) -> Root:
    """The smallest Debian there is, made once and kept."""
    if not (folder / "made").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", SUITE, str(folder)], text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"debootstrap failed:\n{done.stdout[-2000:]}")
        (folder / "made").touch()
    return Root(folder)


def fresh_root(folder: Path, bare: Root) -> Root:
    """A copy to change, with a person in it."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-a", str(bare.folder), str(folder)], check=True)
    shutil.copyfile("/etc/resolv.conf", folder / "etc" / "resolv.conf")
    root = Root(folder)
    root.run("useradd", "--create-home", "--shell", "/bin/sh", PERSON)
    root.run("apt-get", "-q", "update")
    return root
