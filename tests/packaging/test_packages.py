"""What the packages say to the systems that they are installed on."""

from __future__ import annotations

import configparser
import gzip
import importlib.util
import io
import json
import plistlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType

import pytest

from app import __version__
from app.core.settings import PORTABLE, Folders

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
LINUX = PACKAGING / "linux"
MEDIA = {"image/png", "image/jpeg", "image/webp", "image/tiff", "image/bmp", "image/gif", "image/openraster"}
posix = pytest.mark.skipif(sys.platform == "win32", reason="for Linux")


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(LINUX), *sys.path])
    spec = importlib.util.spec_from_file_location(name, LINUX / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build folder with as much of a bundle as the packages look at."""
    program = tmp_path / "dist" / "limner"
    (program / "_internal" / "licences").mkdir(parents=True)
    (program / "limner").write_bytes(b"\x7fELF\0GLIBC_2.17\0GLIBC_2.36\0GLIBC_2.4\0")
    (program / "limner").chmod(0o700)
    (program / "_internal" / "libx.so").write_bytes(b"\x7fELF\0GLIBC_2.31\0")
    (program / "_internal" / "libx.so.1").symlink_to("libx.so")
    for side in (16, 24, 32, 48, 64, 128, 256, 512):
        (tmp_path / f"limner-{side}.png").write_bytes(b"picture")
    (tmp_path / "components.json").write_text(json.dumps([["numpy", "2.4.6", "BSD-3-Clause"]]), "utf-8")
    bill = {"metadata": {"component": {"properties": [{"name": "limner:edition", "value": "cpu"}]}}}
    (tmp_path / "dist" / f"limner-{__version__}-cpu-linux-x86_64.cdx.json").write_text(json.dumps(bill), "utf-8")
    return tmp_path


def menu_entry() -> configparser.SectionProxy:
    reader = configparser.ConfigParser(interpolation=None)
    reader.optionxform = str  # type: ignore[assignment,method-assign]
    reader.read(LINUX / "limner.desktop", encoding="utf-8")
    return reader["Desktop Entry"]


def test_the_menu_entry_opens_pictures() -> None:
    entry = menu_entry()
    assert (entry["Type"], entry["Exec"], entry["Icon"]) == ("Application", "limner %f", "limner")
    assert set(entry["MimeType"].split(";")) - {""} == MEDIA
    assert "Graphics" in entry["Categories"].split(";")


def test_the_description_for_software_centres_fits_the_menu_entry() -> None:
    root = ElementTree.parse(LINUX / "io.github.limner.Limner.metainfo.xml").getroot()
    assert root.get("type") == "desktop-application"
    assert root.findtext("id") == "io.github.limner.Limner"
    assert root.findtext("launchable") == "limner.desktop"
    assert root.findtext("project_license") == "Apache-2.0"
    assert {row.text for row in root.iterfind("provides/mediatype")} == MEDIA
    summary = root.findtext("summary") or ""
    assert len(summary) < 60
    assert not summary.endswith(".")


@pytest.mark.parametrize(
    ("tool", "file"),
    [
        (["desktop-file-validate"], "limner.desktop"),
        (["appstreamcli", "validate", "--no-net"], "io.github.limner.Limner.metainfo.xml"),
    ],
)
def test_the_systems_own_judges_accept_them(
    tool: list[str], file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    target = tmp_path / file
    target.write_text(script("staging", monkeypatch).filled(LINUX / file), "utf-8")
    done = subprocess.run([*tool, str(target)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@posix
def test_a_package_holds_what_a_desktop_looks_for(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script("staging", monkeypatch)
    debian = script("debian", monkeypatch)
    stage = build / "stage"
    debian.lay_out(stage, debian.find_bundle(build), "limner", "1.2-1")
    usr = stage / "usr"
    assert (usr / "bin" / "limner").resolve() == usr / "lib" / "limner" / "limner"
    assert (
        usr / "share" / "doc" / "limner" / "licences"
    ).resolve() == usr / "lib" / "limner" / "_internal" / "licences"
    for file in (
        "applications/limner.desktop",
        "icons/hicolor/48x48/apps/limner.png",
        "icons/hicolor/scalable/apps/limner.svg",
        "metainfo/io.github.limner.Limner.metainfo.xml",
    ):
        assert (usr / "share" / file).is_file(), file
    manual = gzip.decompress((usr / "share/man/man1/limner.1.gz").read_bytes()).decode()
    assert '"Limner 1.2"' in manual
    assert "@" not in re.sub(r"@\w", "", manual)
    assert "numpy 2.4.6: BSD-3-Clause" in (usr / "share/doc/limner/copyright").read_text("utf-8")
    modes = {file.name: file.stat().st_mode & 0o777 for file in (usr / "lib/limner").rglob("*") if file.is_file()}
    assert (modes["limner"], modes["libx.so"]) == (0o755, 0o644)


@posix
def test_the_control_file_asks_for_the_c_library_of_what_is_inside(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("staging", monkeypatch)
    debian = script("debian", monkeypatch)
    text = debian.control(build / "dist", "limner", "1.2-1", "amd64")
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    assert fields["Depends"].startswith("libc6 (>= 2.36), libegl1, ")
    assert (fields["Package"], fields["Version"]) == ("limner", "1.2-1")
    assert "Conflicts: limner" in debian.control(build / "dist", "limner-cuda", "1.2-1", "amd64")


def test_a_bundle_of_another_version_is_not_packaged(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    staging = script("staging", monkeypatch)
    monkeypatch.setattr(staging, "__version__", "9.9")
    with pytest.raises(SystemExit, match="another version"):
        staging.find_bundle(build)
    with pytest.raises(SystemExit, match="make bundle"):
        staging.find_bundle(build / "nowhere")


# The archive's scripts, run in a home of their own


@posix
class TestScripts:
    @pytest.fixture
    def home(self, build: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A home with an unpacked archive in it."""
        staging = script("staging", monkeypatch)
        home = build / "a home"
        unpacked = home / "unpacked"
        bundle = staging.find_bundle(build)
        staging.copy_program(bundle, unpacked / "limner")
        staging.write_share(unpacked / "share", bundle)
        for name in ("install.sh", "uninstall.sh"):
            shutil.copy(LINUX / name, unpacked / name)
        (home / ".local/share/limner").mkdir(parents=True)
        (home / ".local/share/limner/settings.json").write_text("{}")
        return home

    @staticmethod
    def run(home: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
        return subprocess.run(["sh", *map(str, command)], env=environment, capture_output=True, text=True)

    def test_installed_and_removed(self, home: Path) -> None:
        assert self.run(home, home / "unpacked/install.sh").returncode == 0
        program = home / ".local/lib/limner"
        entry = home / ".local/share/applications/limner.desktop"
        assert f'Exec="{program}/limner" %f\n' in entry.read_text("utf-8")
        assert (home / ".local/bin/limner").resolve() == program / "limner"
        assert (home / ".local/share/icons/hicolor/64x64/apps/limner.png").is_file()
        done = self.run(home, program / "uninstall.sh")
        assert done.returncode == 0, done.stderr
        assert str(home / ".local/share/limner") in done.stdout
        left = {path.relative_to(home) for path in (home / ".local").rglob("*") if path.is_file()}
        left = {path for path in left if path.suffix != ".cache"}  # the desktop's own list of menu entries
        assert left == {Path(".local/share/limner/settings.json")}

    def test_an_upgrade_brings_the_new_and_keeps_what_is_the_persons(self, home: Path) -> None:
        self.run(home, home / "unpacked/install.sh")
        program = home / ".local/lib/limner"
        (program / "_internal" / "gone.so").touch()  # a library that the new version has no more
        (program / PORTABLE).touch()
        kept = Folders(program / "limner-data").settings
        kept.parent.mkdir()
        kept.write_text("mine")
        assert self.run(home, home / "unpacked/install.sh").returncode == 0
        assert kept.read_text() == "mine"
        assert (program / PORTABLE).is_file()
        assert not (program / "_internal" / "gone.so").exists()
        done = self.run(home, program / "uninstall.sh")
        assert str(program / "limner-data") in done.stdout
        assert kept.read_text() == "mine"
        assert not (program / "limner").exists()

    def test_data_goes_only_when_asked(self, home: Path) -> None:
        self.run(home, home / "unpacked/install.sh")
        program = home / ".local/lib/limner"
        assert self.run(home, program / "uninstall.sh", "--everything").returncode == 2
        assert program.is_dir()
        assert self.run(home, program / "uninstall.sh", "--with-data").returncode == 0
        assert not program.exists()
        assert not (home / ".local/share/limner").exists()

    def test_what_is_not_limner_is_left_alone(self, home: Path) -> None:
        (home / ".local/lib/limner").mkdir(parents=True)
        done = self.run(home, home / "unpacked/install.sh")
        assert done.returncode == 2
        assert "is not Limner" in done.stderr
        assert self.run(home, home / "unpacked/uninstall.sh").returncode == 2
        assert (home / "unpacked/limner/limner").is_file()

    def test_a_folder_that_no_menu_entry_can_name_is_refused(self, home: Path) -> None:
        done = self.run(home, home / "unpacked/install.sh", home / "50% off")
        assert done.returncode == 2
        assert "menu entry" in done.stderr
        assert not (home / "50% off/lib").exists()


# Other systems; what can be read of it without them


def test_the_entitlements_are_a_property_list() -> None:
    rights = plistlib.load(io.BytesIO((PACKAGING / "macos" / "entitlements.plist").read_bytes()))
    assert rights == {
        "com.apple.security.cs.allow-unsigned-executable-memory": True,
        "com.apple.security.cs.disable-library-validation": True,
    }


def test_the_windows_installer_asks_before_it_deletes_what_is_the_persons() -> None:
    text = (PACKAGING / "windows" / "limner.iss").read_text("ascii")
    sections = re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)
    assert sections == ["Setup", "Tasks", "InstallDelete", "Files", "Icons", "Registry", "Run", "Code"]
    assert r"{localappdata}\limner" in text
    assert text.index("MsgBox('Delete models") < text.index("DelTree(Data")
    assert "MB_DEFBUTTON2" in text  # Enter keeps it


def test_the_workflow_parses_and_builds_every_edition() -> None:
    yaml = pytest.importorskip("yaml")
    file = PACKAGING.parent / ".github" / "workflows" / "installers.yml"
    jobs = yaml.safe_load(file.read_text("utf-8"))["jobs"]
    assert set(jobs) == {"linux", "windows", "macos", "release"}
    assert set(jobs["release"]["needs"]) == {"linux", "windows", "macos"}
    editions = {row["edition"] for job in ("linux", "windows") for row in jobs[job]["strategy"]["matrix"]["include"]}
    assert editions == {"cpu", "cuda"}
    for name, job in jobs.items():
        words = " ".join(str(step.get("run", "")) for step in job["steps"])
        for path in re.findall(r"packaging/[\w/]+\.\w+", words.replace("\\", "/")):
            assert (PACKAGING.parent / path).is_file(), f"{name} names {path}"
