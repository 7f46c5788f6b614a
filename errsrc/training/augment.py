"""Augmentation of images in training batches, on the device that holds them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def crop_flip_count(padding: int) -> int:
    """Return the number of different choices of `crop_flip`: all crops, mirrored or not.

    Parameters
    ----------
    padding : int
        Pixels of 0 on each edge before a crop, >= 1.
    """
    return 2 * (2 * padding + 1) ** 2


def crop_flip(x: Tensor, choice: Tensor, image_shape: Sequence[int], padding: int) -> Tensor:
    """Return each image cropped from itself with zeros around it, and mirrored or not.

    Parameters
    ----------
    x : tensor (..., inputs)
        Images, one channel after another, row by row.
    choice : int64 tensor (...)
        The crop of each image, and whether it is mirrored: from 0 to ``crop_flip_count(padding) - 1``.
    image_shape : (int, int, int)
        Channels, side and side of an image.
    padding : int
        Pixels of 0 on each edge before a crop, >= 1.

    Returns
    -------
    tensor (..., inputs)
        Images of the dtype of `x`.

    Examples
    --------
    >>> x = torch.arange(1.0, 5.0).expand(3, 4)  # shifted down and right, unchanged, and mirrored
    >>> crop_flip(x, torch.tensor([0, 8, 9]), (1, 2, 2), 1).tolist()
    [[0.0, 0.0, 0.0, 1.0], [1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 3.0]]
    """
    channels, side, _ = image_shape
    choice, crops = choice.reshape(-1), 2 * padding + 1
    pixels = torch.arange(side, device=x.device)
    mirrored = (choice % 2 == 1)[:, None]
    rows = (choice // 2 // crops)[:, None] + pixels
    columns = (choice // 2 % crops)[:, None] + torch.where(mirrored, side - 1 - pixels, pixels)
    padded = functional.pad(x.reshape(-1, channels, side, side), [padding] * 4)
    padded_side = side + 2 * padding
    index = rows[:, None, :, None] * padded_side + columns[:, None, None, :]
    index = index.expand(-1, channels, -1, -1).flatten(2)
    return padded.flatten(2).gather(2, index).view(x.shape)
