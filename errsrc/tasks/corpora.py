"""Text corpora as tensors on the training device, cut into passages and windows."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc.datasets.text import Texts, Tokens, passages, texts
from errsrc.tasks.devices import device

_BOUNDARY = 0.0  # the token before a passage; it occurs in no text


@dataclass(frozen=True, eq=False)
class DeviceCorpus:
    """A text corpus as tensors on the training device.

    The corpus is cut into passages, and passages into windows.  A window is one input of a language model,
    and each row of ``x`` is a window.  A network predicts the token after a window, or the token after each
    token of a window.

    Attributes
    ----------
    x, y
        Windows of the training passages, float32 (N, context), and the tokens to predict: int64 (N,), or
        int64 (N, context) if the token after each token is predicted.
    window_starts
        Rows of the windows of a passage, counted from the first row of the passage, int64 (windows,).
    passage_rows
        Number of rows from the first row of a passage to the first row of the next passage.
    train_passages
        Number of training passages.
    validation
        Windows and tokens of the validation set, which decides which weights are kept.
    test
        Windows and tokens of the test passages, (passages, windows, ...).
    scored
        Which predictions for a passage are scored, bool (windows,) or (windows, context).  Each token is
        scored once, in the window with the most tokens before it.
    document, test_bytes
        Index of the document of each test passage, and number of bytes of the passage's text, int64
        (passages,).
    digest
        Digest of the corpus, see `errsrc.datasets.Texts`.
    """

    x: Tensor
    y: Tensor
    window_starts: NDArray[np.int64]
    passage_rows: int
    train_passages: int
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    scored: Tensor
    document: NDArray[np.int64]
    test_bytes: NDArray[np.int64]
    digest: str


@functools.lru_cache(maxsize=1)
def device_corpus(
    corpus: str, context: int, every: bool, passage: int, validation: int, test: int, vocabulary: int
) -> DeviceCorpus:
    """Return a text corpus as tensors on the training device, cut into passages and windows.

    Parameters
    ----------
    corpus : str
        "sotu", or the path of a text file or folder, see `errsrc.datasets.texts`.
    context : int
        Number of tokens in a window, from 1 to `passage`.
    every : bool
        True if networks predict the token after each token of a window, False if they predict only the token
        after the last token.
    passage : int
        Number of tokens in a passage, >= 1.
    validation, test : int
        Approximate number of tokens of the validation set and of the test set.  The tokens of a set are
        spread evenly over its documents.
    vocabulary : int
        Number of different tokens, >= 256.

    Raises
    ------
    ValueError
        If no document of a set has `passage` tokens, or if `errsrc.datasets.texts` raises ValueError.
    """
    data = texts(corpus, vocabulary)
    cut = {part: passages(list(own.values()), passage) for part, own in data.documents.items()}
    _require_passages(data, passage, {part: len(found) for part, (found, _) in cut.items()})
    starts = np.arange(passage)
    if every:  # windows that overlap by half
        starts = np.append(np.arange(0, passage - context, max(1, context // 2)), passage - context)
    windows = {part: _windows(found, context, every) for part, (found, _) in cut.items()}
    passage_rows = passage + (1 if every else context)
    rows = (np.arange(len(cut["validation"][0]))[:, None] * passage_rows + starts).ravel()
    rows = _spread(rows, validation // context if every else validation)
    tested = _spread(np.arange(len(cut["test"][0])), test // passage)
    return DeviceCorpus(
        *windows["train"],
        starts,
        passage_rows,
        len(cut["train"][0]),
        _taken(windows["validation"], rows),
        _taken(windows["test"], tested[:, None] * passage_rows + starts),
        torch.from_numpy(_scored(starts, context, every)).to(device()),
        cut["test"][1][tested],
        data.sizes[cut["test"][0][tested]].sum(1),
        data.digest,
    )


def _require_passages(data: Texts, passage: int, counts: dict[str, int]) -> None:
    """Raise ValueError for a part of a corpus that has no passage."""
    for part, count in counts.items():
        if not count:
            longest = max(map(len, data.documents[part].values()))
            raise ValueError(
                f"The corpus {data.name!r} has no passage of {passage} tokens to put into {part} (its "
                f"longest document there has {longest}): take a shorter passage and context, or more text."
            )


def _windows(found: Tokens, context: int, every: bool) -> tuple[Tensor, Tensor]:
    """Return views of the joined passages: all windows (N, context), and the token or tokens after them."""
    before = np.full((len(found), 1 if every else context), _BOUNDARY, np.float32)
    joined = torch.from_numpy(np.concatenate([before, found], 1, dtype=np.float32).ravel()).to(device())
    after = joined[1:].long().unfold(0, context, 1) if every else joined[context:].long()
    return joined.unfold(0, context, 1)[:-1], after


def _taken(windows: tuple[Tensor, Tensor], rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Return some rows of windows and of the tokens after them."""
    x, y = (part[torch.from_numpy(rows).to(part.device)] for part in windows)
    return x, y


def _scored(starts: NDArray[np.int64], context: int, every: bool) -> NDArray[np.bool_]:
    """Return which predictions of a passage are scored, see `DeviceCorpus`."""
    if not every:
        return np.ones(len(starts), bool)
    last = starts[:, None] + np.arange(context)
    return last > np.maximum.accumulate(np.append(-1, last[:-1, -1]))[:, None]


def _spread(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return `count` of the rows, at least one and at most all, evenly from first to last."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, max(1, min(count, len(rows)))).astype(np.int64))]
