"""Where real tasks are trained: on a GPU where torch finds one."""

from __future__ import annotations

import platform

import torch


def device() -> torch.device:
    """Return the device to train on."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(of: torch.device) -> str:
    """Return what the device ``of`` a tensor is called in results."""
    return torch.cuda.get_device_name(of) if of.type == "cuda" else f"CPU ({platform.machine()})"
