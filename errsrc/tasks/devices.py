"""The device that real tasks are trained on: a GPU if torch finds one."""

from __future__ import annotations

import platform

import torch


def device() -> torch.device:
    """Return the device to train on."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(of: torch.device) -> str:
    """Return the name of a device, as it stands in results.

    Parameters
    ----------
    of : torch.device
        The device of a tensor.
    """
    return torch.cuda.get_device_name(of) if of.type == "cuda" else f"CPU ({platform.machine()})"
