"""Weights out of pickle files (.ckpt, .pt, .bin) without running anything that they hold.

A pickle is a program. torch's own reader for weights knows a short list of harmless names and refuses all others; the
training leftovers in genuine checkpoints (Lightning, omegaconf, numpy scalars) are replaced by objects that do nothing.
Only a process of its own with limits should call ``convert``: see ``app.cli.unpickle``.
"""

from __future__ import annotations

import _compat_pickle
import contextlib
import os
import pickletools
import re
import secrets
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import IO, Any

import torch
from safetensors.torch import save_file

from app.core.errors import ModelError
from app.core.kinds import EMA

Weights = dict[str, torch.Tensor]

MOST_RATIO = 4
"""A packed archive may grow to that many times its size; torch itself packs nothing."""
MOST_NAMED = 5

_LEFTOVERS = (
    "pytorch_lightning.",
    "lightning.pytorch.",
    "lightning_fabric.",
    "omegaconf.",
    "torch.nn.modules.container.",
    "numpy.dtypes.",
)
"""Modules whose objects training programs leave in checkpoints. Nothing of theirs is imported or run."""
_LEFTOVER_NAMES = frozenset(
    {
        "argparse.Namespace",
        "builtins.dict",
        "builtins.float",
        "builtins.int",
        "builtins.list",
        "builtins.str",
        "collections.deque",
        "datetime.datetime",
        "datetime.timedelta",
        "numpy._core.multiarray._reconstruct",
        "numpy._core.multiarray.scalar",
        "numpy.core.multiarray._reconstruct",
        "numpy.core.multiarray.scalar",
        "numpy.dtype",
        "numpy.ndarray",
        "pathlib.PosixPath",
        "pathlib.WindowsPath",
        "typing.Any",
    }
)
_DICTIONARIES = ("AttributeDict", "defaultdict")
"""Ends of names of dictionaries of other kinds: read as plain ones."""
_PLAIN = frozenset(
    {
        "collections.OrderedDict",
        "collections.Counter",
        "collections.defaultdict",
        "_codecs.encode",
        "builtins.set",
        "builtins.bytearray",
        "builtins.complex",
    }
)
_TENSORS = re.compile(
    r"torch\.(?:\w*Storage|storage\.\w*Storage|_utils\._rebuild_\w+|_tensor\._rebuild_from_type_v2|nn\.parameter\.Parameter"
    r"|Size|Tensor|device|serialization\._get_layout|bool|b?float\d+(?:_\w+)?|u?int\d+|complex\d+)"
)
"""What tensors are made of; torch's reader judges these once more."""
_AGAIN = "Download it again, as safetensors if there is such a file."
_SAFE = "Do not use it. If you trust where it comes from, ask there for a safetensors file."


def convert(source: Path, target: Path) -> None:
    """Write the weights in ``source`` to ``target`` as safetensors, whole or not at all. Raises ModelError, OSError."""
    weights = read_pickle(source)
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}.part")
    try:
        save_file(weights, temporary, {"format": "pt", "source": source.name})
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)  # the library makes it private
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def read_pickle(source: Path) -> Weights:
    """The tensors in the file, by name. Raises ModelError with what it wanted to run, or what is wrong with it."""
    zipped = zipfile.is_zipfile(source)
    if zipped:
        _check_archive(source)
    names = _names_in(source, zipped)
    unknown = sorted(name for name in names if not _is_known(name))
    if unknown:
        raise _refused(source, unknown)
    try:
        with torch.serialization.safe_globals([_stand_in(name) for name in names if _is_leftover(name)]):
            loaded = torch.load(source, map_location="cpu", weights_only=True, mmap=zipped or None)
    except (MemoryError, OSError):
        raise
    except Exception as error:  # torch raises many kinds on a damaged file
        raise _not_read(source, error) from error
    return _own_storages(_weights_in(loaded, source))


# What it would run


def _names_in(source: Path, zipped: bool) -> set[str]:
    """Everything that the pickles in the file call by name, found without carrying anything out."""
    try:
        if zipped:
            with zipfile.ZipFile(source) as archive:
                name = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
                if name is None:
                    raise _not_read(source, None)
                with archive.open(name) as file:
                    return _called(file)
        with open(source, "rb") as file:
            names = _called(file)
            # The old form is a row of pickles (a number, the version, the machine, the weights), then bare numbers.
            for _ in range(4):
                with contextlib.suppress(Exception):
                    names |= _called(file)
            return names
    except ModelError:
        raise
    except Exception as error:
        raise _not_read(source, error) from error


def _called(file: IO[bytes]) -> set[str]:
    names: set[str] = set()
    texts: list[str] = []
    try:
        for operation, argument, _ in pickletools.genops(file):
            if operation.name in ("GLOBAL", "INST"):
                names.add(_present_name(*str(argument).split(" ", 1)))
            elif operation.name == "STACK_GLOBAL":  # takes the two texts before it, which an honest file has just given
                names.add(".".join(texts[-2:]) or "something it hides")
            elif operation.name in ("EXT1", "EXT2", "EXT4"):
                names.add("something it hides")
            elif isinstance(argument, str):
                texts.append(argument)
    except ValueError:
        if not names:
            raise
    return names


def _present_name(module: str, name: str) -> str:
    """Protocols up to 2 write the names of Python 2, as do all files of torch's."""
    module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
    return f"{_compat_pickle.IMPORT_MAPPING.get(module, module)}.{name}"


def _is_known(name: str) -> bool:
    return name in _PLAIN or _TENSORS.fullmatch(name) is not None or _is_leftover(name)


def _is_leftover(name: str) -> bool:
    return name in _LEFTOVER_NAMES or name.startswith(_LEFTOVERS) or name == "collections.defaultdict"


class _Inert:
    """Stands for anything: takes all arguments, does nothing, keeps what it is given to remember."""

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _dictionary(*_: Any) -> OrderedDict[Any, Any]:
    return OrderedDict()


def _stand_in(name: str) -> tuple[Any, str]:
    if name.endswith(_DICTIONARIES):
        return (_dictionary if name == "collections.defaultdict" else OrderedDict), name
    return _Inert, name


def _refused(source: Path, names: list[str]) -> ModelError:
    shown = ", ".join(name[:80] for name in names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ModelError(f"“{source.name}” was not opened: it wants to run {shown}{more}.", _SAFE)


def _not_read(source: Path, error: Exception | None) -> ModelError:
    said = str(error)
    if found := re.search(r"(?:unsupported|Unsupported global:) GLOBAL (\S+)", said):
        return _refused(source, [found[1]])
    if isinstance(error, UnpicklingError) and any(words in said for words in ("Can only", "Trying to call")):
        return ModelError(f"“{source.name}” was not opened: it does what weights have no need of.", _SAFE)
    return ModelError(f"“{source.name}” is damaged, or is no file of weights.", _AGAIN)


def _check_archive(source: Path) -> None:
    """Torch stores and does not pack; a small file that unpacks to a huge one is a trap."""
    try:
        with zipfile.ZipFile(source) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise _not_read(source, None) from error
    if unpacked > MOST_RATIO * source.stat().st_size + 1_000_000:
        raise ModelError(f"“{source.name}” was not opened: it is packed so that it would fill the memory.", _SAFE)


# What is in it


def _weights_in(loaded: Any, source: Path) -> Weights:
    """The tensors of the usual shapes of such files: bare, under “state_dict”, or an embedding's."""
    content = loaded
    if isinstance(content, Mapping):
        if "string_to_param" in content:
            return _embedding_in(content, source)
        inner = next((content[key] for key in ("state_dict", "model", "module") if key in content), None)
        if isinstance(inner, Mapping) and not any(isinstance(value, torch.Tensor) for value in content.values()):
            content = inner
        elif isinstance(content.get("state_dict"), Mapping):
            content = content["state_dict"]
    weights = dict(_tensors(content)) if isinstance(content, Mapping) else {}
    # the running means are kept for training on; they would double the file
    weights = {name: value for name, value in weights.items() if not name.startswith(EMA)}
    if not weights:
        raise ModelError(f"“{source.name}” holds no weights.", "Choose another file.")
    return weights


def _tensors(content: Mapping[Any, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in content.items():
        if isinstance(value, torch.Tensor) and value.layout is torch.strided and not value.is_quantized:
            yield str(name), value.detach()


def _embedding_in(content: Mapping[Any, Any], source: Path) -> Weights:
    """What the first trainers of embeddings wrote: one entry per word, of a few vectors each."""
    vectors = content["string_to_param"]
    if isinstance(vectors, _Inert):  # a whole ParameterDict of torch
        state = vectors.state if isinstance(vectors.state, Mapping) else {}
        vectors = state.get("_parameters", {})
    found = [value for _, value in _tensors(vectors)] if isinstance(vectors, Mapping) else []
    if len(found) != 1:
        raise ModelError(f"“{source.name}” is an embedding of {len(found)} words; Limner takes one.", "Choose another.")
    return {"emb_params": found[0]}


def _own_storages(weights: Weights) -> Weights:
    """Each tensor with memory of its own, as the format asks: views and tied weights are copied."""
    seen: set[int] = set()
    for name, value in weights.items():
        place = value.untyped_storage().data_ptr()
        whole = value.is_contiguous() and value.untyped_storage().nbytes() == value.nbytes
        if not whole or place in seen:
            weights[name] = value.contiguous().clone()
        seen.add(place)
    return weights
