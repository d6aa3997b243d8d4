"""Pickle files as people meet them: plain, as Lightning leaves them, and such that want to run something."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch


class Calls:
    """Pickles into a call of ``function`` with ``arguments``."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def lightning(weights: dict[str, torch.Tensor]) -> dict[str, Any]:
    """As a trainer of 2022 saved it: callbacks by class, their states, numpy scalars, hyperparameters, optimizer."""
    callback = _class("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
    attributes = _class("pytorch_lightning.utilities.parsing", "AttributeDict", dict)
    container = _class("omegaconf.listconfig", "ListConfig")
    kept = container()
    kept.__dict__.update(_content=[1, 2], _metadata=None)
    parameters = attributes()
    parameters["learning_rate"] = 1e-4
    return {
        "epoch": 7,
        "global_step": 470000,
        "pytorch-lightning_version": "1.4.2",
        "state_dict": weights,
        "callbacks": {callback: {"best_model_score": np.float64(0.17), "best_k": {}, "monitor": "val/loss"}},
        "optimizer_states": [{"state": {0: {"step": 3, "exp_avg": torch.ones(4)}}, "param_groups": [{"lr": 1e-4}]}],
        "lr_schedulers": [],
        "hyper_parameters": parameters,
        "config": kept,
    }


def _class(module: str, name: str, parent: type = object) -> Any:
    """A class that pickles under the name of one that is not installed here."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        path = ".".join(parts[:end])
        sys.modules.setdefault(path, types.ModuleType(path))
    made = getattr(sys.modules[module], name, None) or type(name, (parent,), {"__module__": module})
    setattr(sys.modules[module], name, made)
    return made


def write_zip(file: Path, content: Any, protocol: int = 2) -> Path:
    torch.save(content, file, pickle_protocol=protocol)
    return file


def write_old(file: Path, content: Any, protocol: int = 2) -> Path:
    """As torch wrote before version 1.6."""
    torch.save(content, file, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    return file


def write_raw(file: Path, content: Any, protocol: int = 2) -> Path:
    """No file of torch's at all."""
    file.write_bytes(pickle.dumps(content, protocol))
    return file
