"""What goes into the bundle and what stays out, as tables: the spec reads them, the tests check them."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

TRANSFORMERS_MODELS = frozenset(
    {"auto", "bloom", "clip", "dinov2_with_registers", "encoder_decoder", "siglip", "vit_mae"}
)
"""CLIP is what Stable Diffusion v1 reads prompts with; the others diffusers and peft import while they load."""

UNUSED = (
    # Installed beside what Limner needs, imported by nothing that it does.
    *("accelerate.test_utils", "hf_xet", "networkx", "pygments", "rich", "typer", "shellingham", "pydantic"),
    *("pydantic_core", "annotated_types", "functorch"),
    # Other front ends and the tools of development.
    *("IPython", "matplotlib", "pandas", "scipy", "cv2", "torchvision", "torchaudio", "tensorboard", "onnx"),
    *("pip", "setuptools", "pkg_resources", "hatchling", "pytest", "hypothesis", "_pytest", "tkinter", "_tkinter"),
    *("lib2to3", "idlelib", "PIL.ImageTk", "PIL.ImageQt", "numpy.f2py.tests", "sympy.testing", "isympy"),
    *("readline", "curses", "_curses"),  # readline stands under the GPL, and nobody types at this Python
    # Qt that no window of Limner's shows.
    *("PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtQuickControls2", "PySide6.QtQuickWidgets", "PySide6.QtSql"),
    *("PySide6.QtTest", "PySide6.QtDesigner", "PySide6.QtUiTools", "PySide6.QtHelp", "PySide6.QtXml"),
    *("PySide6.QtConcurrent", "PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets", "PySide6.QtPrintSupport"),
    *("PySide6.QtDBus", "PySide6.QtNetwork"),  # modules of Python; Qt's own library for D-Bus stays, Qt links to it
)

_LEFT_OUT = tuple(
    map(
        re.compile,
        (
            r"torch/(test|include|share|ao/.*\.pyi)(/|$)",  # C++ tests and headers
            r"torch/bin/(?!torch_shm_manager)",  # protoc and test programs; the one that is kept is asked for at import
            r"torch/lib/.*\.(a|lib|cmake)$",  # what one links against
            r"PySide6/(Qt/)?(translations|qml|metatypes)(/|$)",  # Limner speaks English
            r"PySide6/(Qt/)?plugins/(qmltooling|sqldrivers|position|sensors|multimedia|networkinformation|tls)(/|$)",
            r"PySide6/(Qt/)?plugins/(imageformats/libqpdf|platforms/libq(vnc|linuxfb|eglfs|minimalegl|vkkhrdisplay))",
            r"PySide6/(Qt/)?plugins/(egldeviceintegrations|generic)(/|$)",
            r"PySide6/(Qt/)?plugins/platformthemes/libqgtk3",  # brings all of GTK along
            r"(PySide6/(Qt/)?lib/)?libQt6(Qml|Quick|Pdf|VirtualKeyboard|E[Gg][Ll]F[Ss]).*",
            r"lib(cudart|cuda|hiprtc|amdhip64)\.so$",  # of the machine that builds; torch brings its own if it has any
            rf"transformers/models/(?!(__init__|{'|'.join(sorted(TRANSFORMERS_MODELS))})(/|\.|$))",
            r"(.*/)?tests?/.*\.(py|pyc)$",
            r".*\.pyi$",
        ),
    )
)


def left_out(name: str) -> bool:
    """Whether a file of the bundle, by its path inside, is dropped before it is collected."""
    path = PurePosixPath(name.replace("\\", "/")).as_posix()
    return any(pattern.match(path) for pattern in _LEFT_OUT)


def unused_models(transformers: Path) -> list[str]:
    """The modules of every architecture in transformers that is not Stable Diffusion's."""
    folders = (entry.name for entry in (transformers / "models").iterdir() if entry.is_dir() and entry.name[0] != "_")
    return sorted(f"transformers.models.{name}" for name in folders if name not in TRANSFORMERS_MODELS)


def unused_pipelines(diffusers: Path) -> list[str]:
    """The pipelines of diffusers: Limner has a loop of its own, and takes only their parts."""
    folders = (entry.name for entry in (diffusers / "pipelines").iterdir() if entry.is_dir() and entry.name[0] != "_")
    return sorted(f"diffusers.pipelines.{name}" for name in folders if name != "stable_diffusion")
