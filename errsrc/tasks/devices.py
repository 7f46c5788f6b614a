"""The device on which networks are trained: a GPU if torch finds one."""

from __future__ import annotations

import platform

import torch


def device() -> torch.device:
    """Return the device on which networks are trained: a GPU if torch finds one, otherwise the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(of: torch.device) -> str:
    """Return the name of a device, as results contain it.

    Parameters
    ----------
    of : torch.device
        A device of torch.
    """
    return torch.cuda.get_device_name(of) if of.type == "cuda" else f"CPU ({platform.machine()})"
