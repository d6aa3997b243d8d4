"""A Python with the peers in it, beside Limner's own packages: build/bench/venv, made once; prints its path."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench" / "venv"
WANTED = Path(__file__).with_name("requirements.txt")


def main() -> None:
    python = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = FOLDER / "requirements.txt"
    if not done.is_file() or done.read_text() != WANTED.read_text():
        venv.create(FOLDER, with_pip=True, clear=True)
        inside = subprocess.run(
            [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        # Limner's packages are seen from there, and nothing is added to them
        (Path(inside.stdout.strip()) / "limner.pth").write_text(sysconfig.get_path("purelib") + "\n")
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(WANTED)], check=True, stdout=sys.stderr)
        done.write_text(WANTED.read_text())
    print(python)


if __name__ == "__main__":
    main()
