"""``make archive``: the bundle with scripts that install it into a person's home, as one tar.xz."""

from __future__ import annotations

import argparse
import calendar
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

from staging import ROOT, copy_program, filled, find_bundle, today, write, write_share  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bundle", help="where the bundle was made")
    parser.add_argument("--level", type=int, default=6, choices=range(10), help="how hard xz tries")
    options = parser.parse_args()
    bundle = find_bundle(options.build.absolute())
    stage = bundle.build / "archive"
    shutil.rmtree(stage, ignore_errors=True)
    top = stage / bundle.name
    copy_program(bundle, top / "limner")
    write_share(top / "share", bundle)
    write(top / "READ-ME.txt", filled(HERE / "READ-ME.txt"))
    for script in ("install.sh", "uninstall.sh"):
        shutil.copyfile(HERE / script, top / script)
        (top / script).chmod(0o755)
    target = bundle.build / "dist" / f"{bundle.name}.tar.xz"
    whose = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name", f"--mtime=@{calendar.timegm(today())}"]
    squeeze = f"xz -{options.level} -T0"
    command = ["tar", "-C", str(stage), *whose, "-I", squeeze, "-cf", str(target), bundle.name]
    subprocess.run(command, check=True)
    shutil.rmtree(stage)
    print(f"make archive: {target} is ready, {target.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
