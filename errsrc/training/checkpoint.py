"""Checkpoints: one file of tensors and plain values, replaced whole, that knows which call it is of."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc import checks, records
from errsrc.training import distributed


def identity(call: object, arrays: Iterable[Tensor | NDArray[Any]]) -> str:
    """Return what tells one call from another: a SHA-256 of its repr and of all arrays, shapes and types.

    Parameters
    ----------
    call
        Plain values and frozen dataclasses of them.
    arrays
        Tensors and numpy arrays of any shapes and types.

    Examples
    --------
    >>> identity("train", [torch.zeros(3)]) == identity("train", [torch.zeros(3, 1)])
    False
    """
    digest = hashlib.sha256(records.stored_repr(call).encode())
    for array in arrays:
        plain = array.detach().cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)
        digest.update(f"{plain.dtype} {plain.shape}".encode())
        digest.update(plain.tobytes())
    return digest.hexdigest()


def save(path: Path, mark: str, content: dict[str, Any]) -> None:
    """Write a checkpoint of the call with the identity `mark`; a kill leaves the former one or this one.

    Parameters
    ----------
    path
        The file; its folder is made if need be.
    mark
        See `identity`.
    content
        Tensors, numbers, strings, and lists, tuples and dicts of these.

    Notes
    -----
    Of processes that train together, the first writes.
    """
    if distributed.place()[0]:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        torch.save({"identity": mark, "content": content}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def remove(path: Path) -> None:
    """Remove the checkpoint at a path, for all processes that train together, where there is one."""
    distributed.wait()
    if not distributed.place()[0]:
        path.unlink(missing_ok=True)
    distributed.wait()


def load(path: Path, mark: str, where: str) -> dict[str, Any] | None:
    """Return what a checkpoint holds, its tensors on the CPU, or None where there is no file.

    Parameters
    ----------
    path, mark
        See `save`.
    where
        Who asks, in messages.

    Raises
    ------
    ValueError
        For a file that is not a checkpoint, or is one of another call.
    """
    accepted = "a checkpoint of this very call, or a file that is not there"
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except (pickle.UnpicklingError, EOFError, RuntimeError, ValueError, KeyError):
        raise ValueError(checks.refusal("state", where, accepted, f"<no checkpoint: {path}>")) from None
    if not isinstance(found, dict) or found.get("identity") != mark:
        raise ValueError(checks.refusal("state", where, accepted, f"<of another call: {path}>"))
    return dict(found["content"])
