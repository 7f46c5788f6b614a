"""What is done to images before they are trained on, on the device that they are on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def moves(padding: int) -> int:
    """Return the number of moves that `moved` knows with a padding: mirrored or not, and all crops."""
    return 2 * (2 * padding + 1) ** 2


def moved(x: Tensor, move: Tensor, image: Sequence[int], padding: int) -> Tensor:
    """Return each image cropped out of itself with zeros around it, and mirrored or not.

    Parameters
    ----------
    x
        (..., inputs), images of the shape ``image`` row by row.
    move
        int64 (...,), which move each image makes, from 0 to below ``moves(padding)``.
    image
        (channels, side, side).
    padding
        Places of 0 on each of the four edges before the crop.

    Returns
    -------
    Tensor
        Of x's shape and dtype.

    Examples
    --------
    >>> x = torch.arange(1.0, 5.0).expand(3, 4)  # a move up and left, none, and none but mirrored
    >>> moved(x, torch.tensor([16, 8, 9]), (1, 2, 2), 1).tolist()
    [[4.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 3.0]]
    """
    channels, side, _ = image
    move, crops = move.reshape(-1), 2 * padding + 1
    places = torch.arange(side, device=x.device)
    rows = (move // 2 // crops)[:, None] + places
    columns = (move // 2 % crops)[:, None] + torch.where((move % 2 == 1)[:, None], side - 1 - places, places)
    padded = functional.pad(x.reshape(-1, channels, side, side), [padding] * 4)
    wide = side + 2 * padding
    index = rows[:, None, :, None] * wide + columns[:, None, None, :]
    index = index.expand(-1, channels, -1, -1).flatten(2)
    return padded.flatten(2).gather(2, index).view(x.shape)
