"""What goes into the bundle: the tables leave out what is not needed, and nothing that is."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "packaging" / "bundle"
OPTIONAL = ("cv2",)  # 152 MB for one way to fill; Limner says so where it is missing


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bundle_{name}", BUNDLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("file", "out"),
    [
        ("torch/test/test_api", True),
        ("torch/bin/protoc", True),
        ("torch/bin/torch_shm_manager", False),  # asked for while torch is imported
        ("torch/testing/_internal/common_utils.py", False),  # imported by torch itself
        ("torch/lib/libtorch_cpu.so", False),
        ("torch\\include\\ATen\\ATen.h", True),
        ("PySide6/Qt/translations/qt_de.qm", True),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", False),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", False),
        ("PySide6/Qt/plugins/platforms/libqvnc.so", True),
        ("PySide6/Qt/plugins/imageformats/libqsvg.so", False),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", True),  # brings GTK along
        ("PySide6/Qt/plugins/platformthemes/libqxdgdesktopportal.so", False),
        ("PySide6/Qt/plugins/wayland-shell-integration/libxdg-shell.so", False),
        ("PySide6/Qt/plugins/egldeviceintegrations/libqeglfs-kms-integration.so", True),
        ("PySide6/Qt/lib/libQt6OpenGL.so.6", False),  # Wayland's integration is linked to it
        ("libQt6EglFSDeviceIntegration.so.6", True),  # a link to what is left out would lead nowhere
        ("libcudart.so", True),  # of the machine that builds
        ("torch/lib/libcudart.so.13", False),
        ("transformers/models/clip/modeling_clip.py", False),
        ("transformers/models/__init__.py", False),
        ("transformers/models/llama/modeling_llama.py", True),
        ("resources/models/starter/unet/config.json", False),
    ],
)
def test_only_what_is_not_needed_stays_out(file: str, out: bool) -> None:
    assert script("contents").left_out(file) is out


def test_nothing_that_limner_imports_stays_out() -> None:
    """A module that the program begins to use must come out of the table."""
    unused = script("contents").UNUSED
    for file in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                assert name not in unused or name in OPTIONAL, f"{file} imports {name}"


def test_other_architectures_and_pipelines_are_named(tmp_path: Path) -> None:
    contents = script("contents")
    for name in ("models/clip", "models/llama", "models/__pycache__", "pipelines/flux", "pipelines/stable_diffusion"):
        (tmp_path / name).mkdir(parents=True)
    assert contents.unused_models(tmp_path) == ["transformers.models.llama"]
    assert contents.unused_pipelines(tmp_path) == ["diffusers.pipelines.flux"]


def test_every_licence_begins_with_name_and_kind(tmp_path: Path) -> None:
    rows = script("licences").collect(tmp_path, tmp_path, {"numpy", "PIL", "PySide6"})
    named = {name: kind for name, _, kind in rows}
    assert {"numpy", "pillow", "PySide6_Essentials", "Python"} <= set(named)
    assert "hypothesis" not in named  # installed, and nothing of it is inside
    for name, version, kind in rows:
        text = (tmp_path / f"{name} {version}.txt").read_text("utf-8")
        assert text.startswith(f"{name} {version}: {kind}\n")
        assert len(text) > 200
    assert "Lesser General Public License" in (tmp_path / f"PySide6_Essentials {_version(rows)}.txt").read_text("utf-8")


def _version(rows: list[tuple[str, str, str]]) -> str:
    return next(version for name, version, _ in rows if name == "PySide6_Essentials")


def test_the_bill_of_materials_is_cyclonedx(tmp_path: Path) -> None:
    rows = [
        ("PySide6_Essentials", "6.11.3", "LGPL-3.0-only (Qt)"),
        ("numpy", "2.4.6", "BSD-3-Clause AND MIT"),
        ("libssl3", "3.0", "see its copyright file"),
        ("numpy", "2.4.6", "BSD-3-Clause AND MIT"),
    ]
    script("sbom").write_sbom(tmp_path / "bom.json", "1.0", "cpu", rows)
    bom = json.loads((tmp_path / "bom.json").read_text("utf-8"))
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    purls = [part["purl"] for part in bom["components"]]
    assert purls == ["pkg:pypi/pyside6-essentials@6.11.3", "pkg:pypi/numpy@2.4.6", "pkg:deb/debian/libssl3@3.0"]
    assert bom["components"][0]["licenses"] == [{"license": {"name": "LGPL-3.0-only (Qt)"}}]
    assert bom["components"][1]["licenses"] == [{"expression": "BSD-3-Clause AND MIT"}]


def test_the_version_resource_is_python_that_names_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    text = script("build").version_resource("1.12.3")
    compile(text, "version", "eval")
    assert "filevers=(1, 12, 3, 0)" in text
    assert "StringStruct('ProductVersion', '1.12.3')" in text


def test_every_file_of_a_bundle_counts_once_in_the_table_of_sizes(tmp_path: Path) -> None:
    sizes = script("sizes")
    for name, size in (
        ("limner", 10),
        ("_internal/torch/lib/libtorch_cpu.so", 2000),
        ("_internal/torch-2.13.0.dist-info/METADATA", 3),
        ("_internal/PySide6/QtGui.abi3.so", 100),
        ("_internal/numpy.libs/libopenblas.so", 40),
        ("_internal/numpy/core.so", 2),
        ("_internal/libX11.so.6", 5),
        ("_internal/libpython3.11.so.1.0", 7),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    (tmp_path / "_internal" / "libQt6Gui.so.6").symlink_to("PySide6/QtGui.abi3.so")
    assert dict(sizes.parts(tmp_path)) == {
        "torch": 2000,
        "Qt and PySide6": 100,
        "numpy": 42,
        "the program": 10,
        "Python": 7,
        "libraries of the system": 5,
        "metadata": 3,
    }
    lines = list(sizes.table(tmp_path, least=50))
    assert [line.split("  ")[0] for line in lines] == ["torch", "Qt and PySide6", "everything else", "together"]


def test_certificates_are_looked_for_where_this_system_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = script("entry")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    monkeypatch.setattr(entry, "STORES", (str(tmp_path / "debian.crt"), str(tmp_path / "fedora.crt")))
    monkeypatch.setenv("SSL_CERT_FILE", "mine")
    entry.find_certificates()
    assert os.environ["SSL_CERT_FILE"] == "mine"  # whoever says so is heeded
    for file in (
        "certifi/cacert.pem",
        "fedora.crt",
        "debian.crt",
    ):  # the last one found counts: the system's come first
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
        monkeypatch.delenv("SSL_CERT_FILE")
        entry.find_certificates()
        assert os.environ["SSL_CERT_FILE"] == str(tmp_path / file)
