"""Augmentation of images in training batches, computed on the device that holds the images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def crop_flip_count(padding: int) -> int:
    """Return the number of values that an entry of `choice` can have in `crop_flip`.

    Each possible crop has two values: with and without mirroring.

    Parameters
    ----------
    padding : int
        Number of zero pixels that are added at each edge before a crop, >= 1.
    """
    return 2 * (2 * padding + 1) ** 2


def crop_flip(x: Tensor, choice: Tensor, image_shape: Sequence[int], padding: int) -> Tensor:
    """Return images that are padded with zeros, cropped to their former size, and mirrored in some cases.

    Parameters
    ----------
    x : tensor (..., inputs)
        Images, with the channels one after another.  Each channel is stored row by row.
    choice : int64 tensor (...)
        Number from 0 to ``crop_flip_count(padding) - 1`` for each image.  This number determines the crop and
        whether the image is mirrored.
    image_shape : (int, int, int)
        Shape (channels, side, side) of an image.
    padding : int
        Number of zero pixels that are added at each edge before a crop, >= 1.

    Returns
    -------
    tensor (..., inputs)
        The new images, with the dtype of `x`.

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
