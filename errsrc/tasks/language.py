"""Language modelling cells: one trained network of tokens at a data size, a model size and a seed."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from errsrc import checks
from errsrc.datasets.text import Tokens, check_files, passages, texts
from errsrc.nets import LSTM, LanguageModel, NeuralNgram, Transformer, Weights
from errsrc.rng import generator, seed_of
from errsrc.sweeps import Kind
from errsrc.tasks.devices import device, device_name
from errsrc.training import Member, Recipe, train

FAMILIES = ("neural-ngram", "transformer", "lstm")
_BOUNDARY = 0.0  # the token before a passage; in no text


@dataclass(frozen=True)
class LanguageCell:
    """What identifies one trained network and all that it was trained with.

    Attributes
    ----------
    corpus
        "sotu", or the path of a text file or folder, see `errsrc.datasets.texts`.
    family, width, depth, context, heads
        "neural-ngram", "transformer" or "lstm" (`errsrc.nets`) and its size; ``heads`` are a
        transformer's.
    n, seed
        Training tokens, a multiple of ``passage``, and the seed of which passages, which initial weights
        and which order.  Cells of one width, depth and seed have nested training sets; others have sets
        of their own, as in `errsrc.tasks.VisionCell`.
    passage
        Tokens of a passage: the unit in which text is drawn; nothing is seen across its ends.
    validation, test
        About how many tokens to stop training and choose the weights by, and to test on; the same in all
        cells, spread evenly over the documents kept for each.
    steps
        The most steps of training.
    recipe
        How it is trained, under the log loss.
    vocabulary
        How many tokens there are: 256, the bytes, or more, see `errsrc.datasets.texts`.
    """

    corpus: str
    family: str
    width: int
    n: int
    seed: int
    depth: int = 1
    context: int = 16
    heads: int = 4
    passage: int = 1024
    validation: int = 8192
    test: int = 65_536
    steps: int = 20_000
    recipe: Recipe = field(default_factory=Recipe)
    vocabulary: int = 256

    def __post_init__(self) -> None:
        where = "LanguageCell"
        if not isinstance(self.corpus, str) or not self.corpus:
            raise TypeError(checks.refusal("corpus", where, "'sotu' or a path", self.corpus))
        checks.choice(self.family, "family", where, FAMILIES)
        checks.integer(self.seed, "seed", where, 0)
        checks.integer(self.vocabulary, "vocabulary", where, 256)
        for name in ("n", "passage", "validation", "test", "steps"):
            checks.integer(getattr(self, name), name, where, 1)
        if network(self).context > self.passage:
            accepted = f"an integer <= the passage, {self.passage} tokens"
            raise ValueError(checks.refusal("context", where, accepted, self.context))
        if self.n % self.passage:
            accepted = f"a multiple of the passage, {self.passage} tokens"
            raise ValueError(checks.refusal("n", where, accepted, self.n))
        if self.recipe.loss != "log":
            raise ValueError(checks.refusal("recipe.loss", where, "'log'", self.recipe.loss))
        self.recipe.check_network(network(self), where)


@dataclass(frozen=True, eq=False)
class LanguageResult:
    """One cell's outcome.

    Attributes
    ----------
    cell, m, non_embedding
        The cell, its number of parameters, and that without the table of token embeddings.
    loss, loss_se, bits_per_byte, bits_per_byte_se
        Cross-entropy on the test set, nats a token and bits a byte of text, with standard errors from
        the scatter between test documents.
    error
        The share of test tokens that are not the likeliest prediction.
    validation_loss, train_loss
        Nats a token: on validation at the step that it chose, optimistic; on the training tokens.
    steps_taken, best_step, seconds, diverged, curve
        As of an `errsrc.tasks.VisionResult`; the curve (looks,) each.
    digest, device
        Of the corpus, see `errsrc.datasets.Texts`; what it was trained on.
    """

    cell: LanguageCell
    m: int
    non_embedding: int
    loss: float
    loss_se: float
    bits_per_byte: float
    bits_per_byte_se: float
    error: float
    validation_loss: float
    train_loss: float
    steps_taken: int
    best_step: int
    seconds: float
    diverged: bool
    digest: str
    device: str
    curve: dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class _Resident:
    """A corpus as training needs it: windows of the training passages, and what they are followed by.

    ``starts`` are the windows' rows within a passage, ``span`` rows from one passage to the next;
    ``document`` and ``test_bytes`` (P,) are of each test passage.
    """

    x: Tensor
    y: Tensor
    starts: NDArray[np.int64]
    span: int
    count: int
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    scored: Tensor
    document: NDArray[np.int64]
    test_bytes: NDArray[np.int64]
    digest: str


@functools.lru_cache(maxsize=1)
def _resident(
    corpus: str, context: int, every: bool, passage: int, validation: int, test: int, vocabulary: int
) -> _Resident:
    """Return a corpus cut for networks that predict after ``every`` token of a window, or after its last."""
    data = texts(corpus, vocabulary)
    cut = {part: passages(list(own.values()), passage) for part, own in data.documents.items()}
    for part, (found, _) in cut.items():
        if not len(found):
            longest = max(map(len, data.documents[part].values()))
            raise ValueError(
                f"The corpus {corpus!r} has no passage of {passage} tokens to put into {part} (its longest "
                f"document there has {longest}): take a shorter passage and context, or more text."
            )
    where = device()
    starts = np.arange(passage)
    if every:  # windows that overlap by half
        starts = np.append(np.arange(0, passage - context, max(1, context // 2)), passage - context)
    windows = {part: _windows(found, context, every, where) for part, (found, _) in cut.items()}
    span = passage + (1 if every else context)
    rows = (np.arange(len(cut["validation"][0]))[:, None] * span + starts).ravel()
    rows = _spread(rows, validation // context if every else validation)
    chosen = _spread(np.arange(len(cut["test"][0])), test // passage)
    test_rows = chosen[:, None] * span + starts
    scored = np.ones(test_rows.shape[1:], bool)
    if every:
        last = starts[:, None] + np.arange(context)
        scored = last > np.maximum.accumulate(np.append(-1, last[:-1, -1]))[:, None]
    return _Resident(
        *windows["train"],
        starts,
        span,
        len(cut["train"][0]),
        _rows(windows["validation"], rows),
        _rows(windows["test"], test_rows),
        torch.from_numpy(scored).to(where),
        cut["test"][1][chosen],
        data.sizes[cut["test"][0][chosen]].sum(1),
        data.digest,
    )


def _windows(found: Tokens, context: int, every: bool, where: torch.device) -> tuple[Tensor, Tensor]:
    """Return views of the joined passages: all windows (N, context), and the token or tokens after them."""
    before = np.full((len(found), 1 if every else context), _BOUNDARY, np.float32)
    joined = torch.from_numpy(np.concatenate([before, found], 1, dtype=np.float32).ravel()).to(where)
    after = joined[1:].long().unfold(0, context, 1) if every else joined[context:].long()
    return joined.unfold(0, context, 1)[:-1], after


def _rows(windows: tuple[Tensor, Tensor], rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    x, y = (part[torch.from_numpy(rows).to(part.device)] for part in windows)
    return x, y


def _spread(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return ``count`` of the rows, one at least and all at most, evenly from first to last."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, max(1, min(count, len(rows)))).astype(np.int64))]


def network(cell: LanguageCell) -> LanguageModel:
    """Return a cell's network, whose ``parameters`` and ``non_embedding`` are known before it is trained."""
    if cell.family == "transformer":
        return Transformer(cell.context, cell.width, cell.depth, cell.vocabulary, heads=cell.heads)
    model = LSTM if cell.family == "lstm" else NeuralNgram
    return model(cell.context, cell.width, cell.depth, cell.vocabulary)


def train_cells(cells: Sequence[LanguageCell]) -> list[LanguageResult]:
    """Train a batch of cells that differ only in n, seed and steps, at once, and test each.

    On a GPU where torch finds one.

    Parameters
    ----------
    cells
        One size of one family on one corpus, with one recipe.

    Returns
    -------
    results
        In the order of `cells`.  A cell's result does not depend on the others, to rounding.

    Raises
    ------
    ValueError
        For cells that differ in more, and more tokens than the corpus has.
    """
    kinds = {replace(cell, n=cell.passage, seed=0, steps=1) for cell in cells}
    if len(kinds) != 1:
        accepted = "cells that differ only in n, seed and steps"
        raise ValueError(checks.refusal("cells", "train_cells", accepted, f"<{len(kinds)} kinds>"))
    kind = kinds.pop()
    start = time.perf_counter()
    model = network(kind)
    data = _resident(
        kind.corpus, kind.context, bool(model.positions), kind.passage, kind.validation, kind.test,
        kind.vocabulary,
    )  # fmt: skip
    members = []
    for cell in cells:
        order = generator(cell.seed, "language", "subset", cell.width, cell.depth).permutation(data.count)
        if cell.n > data.count * cell.passage:
            accepted = f"an integer <= {data.count * cell.passage} ({cell.corpus})"
            raise ValueError(checks.refusal("n", "LanguageCell", accepted, cell.n))
        rows = (order[: cell.n // cell.passage, None] * data.span + data.starts).ravel()
        seed = seed_of(cell.seed, "language", cell.family, cell.width, cell.depth, cell.n)
        members.append(Member(rows, cell.steps, seed))
    trained = train(model, data.x, data.y, members, data.validation, kind.recipe)
    weights = tuple(torch.stack(own) for own in zip(*(one.weights for one in trained), strict=True))
    nats, wrong = _scores(model, weights, data)
    loss, loss_se = _ratio(nats, np.full(len(data.test_bytes), kind.passage), data.document)
    bits, bits_se = _ratio(nats / math.log(2), data.test_bytes, data.document)
    seconds = time.perf_counter() - start
    all_steps = sum(one.steps for one in trained)
    return [
        LanguageResult(
            cell=cell,
            m=model.parameters,
            non_embedding=model.non_embedding,
            loss=float(loss[i]),
            loss_se=float(loss_se[i]),
            bits_per_byte=float(bits[i]),
            bits_per_byte_se=float(bits_se[i]),
            error=float(wrong[i].mean()) / kind.passage,
            validation_loss=float(one.curve["loss"][one.best_evaluation]),
            train_loss=one.train_loss,
            steps_taken=one.steps,
            best_step=one.best_step,
            seconds=seconds * one.steps / all_steps,
            diverged=one.diverged,
            digest=data.digest,
            device=device_name(data.x.device),
            curve=one.curve,
        )
        for i, (cell, one) in enumerate(zip(cells, trained, strict=True))
    ]


@torch.no_grad()
def _scores(
    model: LanguageModel, weights: Weights, data: _Resident
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each member's sum of nats and number of wrong tokens of each test passage, (E, P) each.

    Every token is scored once, in the window where the most comes before it.
    """
    nats, wrong = [], []
    for x, y in zip(*data.test, strict=True):
        outputs = model(weights, x)[:, data.scored]  # (E, passage, vocabulary)
        labels = y[data.scored].expand(outputs.shape[:2])
        each = functional.cross_entropy(outputs.flatten(0, 1), labels.flatten(), reduction="none")
        nats.append(each.view(labels.shape).double().sum(1))
        wrong.append((outputs.argmax(2) != labels).double().sum(1))
    return torch.stack(nats, 1).cpu().numpy(), torch.stack(wrong, 1).cpu().numpy()


def _ratio(
    sums: NDArray[np.float64], counts: NDArray[np.int64], document: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each row's total over the total count, (E,), with its standard error: passages of a document
    are alike.

    That of a ratio of totals over documents (Cochran 1977, equation 6.13); NaN for a single document.
    """
    _, of = np.unique(document, return_inverse=True)
    count = of.max() + 1
    ratio = sums.sum(1) / counts.sum()
    apart = sums - ratio[:, None] * counts
    totals = np.stack([np.bincount(of, row, count) for row in apart])
    scale = count / (count - 1) if count > 1 else math.nan
    return ratio, np.asarray(np.sqrt(scale * np.square(totals).sum(1)) / counts.sum())


def outcomes(cells: Sequence[LanguageCell]) -> list[dict[str, Any]]:
    """Train a batch and return each `LanguageResult` as a sweep takes it, see `errsrc.sweeps.Kind`."""
    return [
        {field.name: getattr(result, field.name) for field in fields(result) if field.name != "cell"}
        for result in train_cells(cells)
    ]


def ready(cells: Iterable[LanguageCell]) -> None:
    """Refuse cells of corpora that are not on this machine, see `errsrc.sweeps.Kind`."""
    for corpus, vocabulary in {(cell.corpus, cell.vocabulary) for cell in cells}:
        check_files(corpus, vocabulary)


def batch_of(cell: LanguageCell) -> LanguageCell:
    """Return what a cell has in common with those of its batch: all but n and steps."""
    return replace(cell, n=cell.passage, steps=1)


def work(cell: LanguageCell) -> float:
    """Return the relative work of a cell."""
    return (30_000.0 + cell.n) * (20_000 + parameters(cell))


def parameters(cell: LanguageCell) -> int:
    """Return a cell's m: its number of trained parameters."""
    return network(cell).parameters


KIND = Kind(
    "language",
    LanguageCell,
    outcomes,
    group=batch_of,
    cost=work,
    ready=ready,
    packages=("numpy", "torch"),
)
"""The kind of study whose cells are language models trained on text."""
