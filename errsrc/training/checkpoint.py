"""Checkpoints: files of tensors and plain values, with a hash that identifies the call that wrote them."""

from __future__ import annotations

import hashlib
import os
import pickle
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc import checks, records
from errsrc.training import distributed


def call_identity(call: object, arrays: Iterable[Tensor | NDArray[Any]]) -> str:
    """Return a hash that identifies a call: the SHA-256 of the repr of plain arguments and of arrays.

    Parameters
    ----------
    call
        The plain arguments: plain values, frozen dataclasses of plain values, and tuples of both.
    arrays : iterable of tensors and numpy arrays
        Arrays of any shape and dtype.  The hash covers the shape, the dtype and the entries of each array.

    Examples
    --------
    >>> call_identity("train", [torch.zeros(3)]) == call_identity("train", [torch.zeros(3, 1)])
    False
    """
    digest = hashlib.sha256(records.stored_repr(call).encode())
    for array in arrays:
        plain = array.detach().cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)
        digest.update(f"{plain.dtype} {plain.shape}".encode())
        digest.update(plain.tobytes())
    return digest.hexdigest()


def write_checkpoint(path: Path, identity: str, content: dict[str, Any]) -> None:
    """Write a checkpoint: replace the previous file as a whole.

    If the process is killed, either the previous file or the new file remains.

    Parameters
    ----------
    path : Path
        The file; its folder is created if it does not exist.
    identity : str
        Hash of the call that the checkpoint belongs to, see `call_identity`.
    content : dict
        Tensors, numbers, strings, and lists, tuples and dicts of these.

    Notes
    -----
    In distributed training, only the process of rank 0 writes.  If the file cannot be written, for example
    because the disk is full, a warning says so, and training goes on without a new checkpoint.
    """
    if distributed.rank():
        return
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            torch.save({"identity": identity, "content": content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:  # torch raises RuntimeError for a full disk
        _warn(path, "written", error)


def remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint if it exists; in distributed training, wait until all processes call this function.

    Parameters
    ----------
    path : Path
        The file.
    """
    distributed.barrier()
    if not distributed.rank():
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            _warn(path, "removed", error)
    distributed.barrier()


def _warn(path: Path, done: str, error: Exception) -> None:
    """Warn that a checkpoint could not be written or removed, which is no reason to lose a training."""
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())
    warnings.warn(f"The checkpoint {path} could not be {done}: {reason}.", stacklevel=3)


def read_checkpoint(path: Path, identity: str, name: str, where: str) -> dict[str, Any] | None:
    """Return the content of a checkpoint, with tensors on the CPU, or None if there is no file.

    Parameters
    ----------
    path : Path
        The file.
    identity : str
        Hash of the call that the checkpoint must belong to, see `call_identity`.
    name, where : str
        For error messages: the name of the parameter that holds the path, and the name of the function that
        has this parameter.

    Raises
    ------
    ValueError
        If the file is not a checkpoint, or belongs to another call.
    """
    accepted = "a checkpoint of the same call, or a file that does not exist"
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except (pickle.UnpicklingError, EOFError, RuntimeError, ValueError, KeyError):
        raise ValueError(checks.refusal(name, where, accepted, f"<no checkpoint: {path}>")) from None
    if not isinstance(found, dict) or found.get("identity") != identity:
        raise ValueError(checks.refusal(name, where, accepted, f"<of another call: {path}>"))
    return dict(found["content"])
