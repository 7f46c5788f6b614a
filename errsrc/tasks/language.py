"""Language modelling: cells that train one network each, with a given data size, model size and seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, dataclass, replace
from operator import attrgetter
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from errsrc import checks
from errsrc.datasets.text import check_files
from errsrc.fields import choice, instance, integer
from errsrc.nets import LSTM, LanguageModel, NeuralNgram, Transformer, Weights
from errsrc.rng import generator, seed_of
from errsrc.sweeps import Kind
from errsrc.tasks.cells import TrainedCell, common_cell, outcome, shared_seconds
from errsrc.tasks.corpora import DeviceCorpus, device_corpus
from errsrc.tasks.devices import device_name
from errsrc.training import Member, Recipe, train

LANGUAGE_FAMILIES: dict[str, Callable[[LanguageCell], LanguageModel]] = {
    "neural-ngram": lambda cell: NeuralNgram(cell.context, cell.width, cell.depth, cell.vocabulary),
    "transformer": lambda cell: Transformer(
        cell.context, cell.width, cell.depth, cell.vocabulary, heads=cell.heads
    ),
    "lstm": lambda cell: LSTM(cell.context, cell.width, cell.depth, cell.vocabulary),
}
"""Functions that return the architecture of a cell, by the name of the family of networks."""


@dataclass(frozen=True)
class LanguageCell(TrainedCell):
    """Configuration of one trained language model.

    Attributes
    ----------
    corpus
        "sotu", or the path of a text file or folder, see `errsrc.datasets.texts`.
    family
        "neural-ngram", "transformer" or "lstm", see `errsrc.nets`.
    width
        Number of units in a layer, >= 1.
    n
        Number of training tokens, a multiple of ``passage``.
    seed
        Seed of the choice of passages, of the initial weights and of the order of examples, >= 0.  Cells of
        the same width, depth and seed have nested training sets; see `errsrc.tasks.VisionCell`.
    depth
        Number of layers, >= 1.
    context
        Number of tokens in a window, from 1 to ``passage``.
    heads
        Number of attention heads of a transformer, >= 1.
    passage
        Number of tokens in a passage, >= 1.  Training text is drawn in whole passages.  A prediction uses
        only tokens of its own passage.
    validation
        Approximate number of validation tokens, >= 1.  The validation tokens decide when training stops and
        which weights are kept.  All cells have the same validation tokens.  These tokens are spread evenly
        over the validation documents.
    test
        Approximate number of test tokens, >= 1, spread evenly over the test documents.
    steps
        Largest number of training steps, >= 1.
    recipe
        Options of training; the loss must be "log".
    vocabulary
        Number of different tokens, >= 256.  With 256, the tokens are bytes; see `errsrc.datasets.texts`.
    """

    corpus: str = instance(str, "'sotu' or a path")
    family: str = choice(MISSING, tuple(LANGUAGE_FAMILIES))
    width: int = integer(at_least=1)
    n: int = integer(at_least=1)
    seed: int = integer(at_least=0)
    depth: int = integer(1, at_least=1, at_most=10_000)
    context: int = integer(16, at_least=1)
    heads: int = integer(4, at_least=1)
    passage: int = integer(1024, at_least=1)
    validation: int = integer(8192, at_least=1)
    test: int = integer(65_536, at_least=1)
    steps: int = integer(20_000, at_least=1)
    recipe: Recipe = instance(Recipe, "an errsrc.training.Recipe", default_factory=Recipe)
    vocabulary: int = integer(256, at_least=256)

    def __post_init__(self) -> None:
        super().__post_init__()
        where, network = "LanguageCell", self.network()
        if not self.corpus:
            raise ValueError(checks.refusal("corpus", where, "'sotu' or a path", self.corpus))
        if self.context > self.passage:
            accepted = f"an integer <= the passage, {self.passage} tokens"
            raise ValueError(checks.refusal("context", where, accepted, self.context))
        if self.n % self.passage:
            accepted = f"a multiple of the passage, {self.passage} tokens"
            raise ValueError(checks.refusal("n", where, accepted, self.n))
        if self.recipe.loss != "log":
            raise ValueError(checks.refusal("recipe.loss", where, "'log'", self.recipe.loss))
        self.recipe.check_network(network, where)

    def network(self) -> LanguageModel:
        """Return the architecture of the network that the cell trains."""
        return LANGUAGE_FAMILIES[self.family](self)

    def batch(self) -> Self:
        """Return the key of the cell's batch, see `TrainedCell.batch`."""
        return replace(self, n=self.passage, steps=1)

    def work(self) -> float:
        """Return the relative work of training the cell, see `TrainedCell.work`."""
        return (30_000.0 + self.n) * (20_000 + self.parameters)


@dataclass(frozen=True, eq=False)
class LanguageResult:
    """The results of the training of one cell's network.

    Attributes
    ----------
    cell
        The configuration of the training.
    m
        Number of parameters of the network.
    non_embedding
        Number of these parameters that are not in the table of token embeddings.
    loss, loss_se
        Cross-entropy on the test set in nats per token, and its standard error.  The standard error is
        estimated from the differences between test documents.
    bits_per_byte, bits_per_byte_se
        The cross-entropy and its standard error, in bits per byte of text.
    error
        Share of test tokens that the network did not predict as the most probable token.
    validation_loss
        Cross-entropy in nats per token on the validation set, at the best evaluation.  The validation set
        chooses this evaluation.  Therefore the number is biased low: do not report it.
    train_loss
        Cross-entropy in nats per token on the training tokens.
    steps_taken
        Number of training steps taken.
    best_step
        The step whose weights were kept.
    seconds
        Wall time of the cell in seconds: the time of its batch, shared among its cells in proportion to their
        steps.
    diverged
        True if the training failed.  Leave such a cell out of fits, and report that you left it out.
    digest
        Digest of the corpus, see `errsrc.datasets.Texts`.
    device
        Name of the device that trained the network.
    curve
        Learning curve: a dict of arrays (evaluations,), see `errsrc.training.Trained`.
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


def train_language_cells(cells: Sequence[LanguageCell]) -> list[LanguageResult]:
    """Train a batch of cells at once, on a GPU if torch finds one, and test each network.

    Parameters
    ----------
    cells : sequence of LanguageCell
        Cells that differ only in n, seed and steps.

    Returns
    -------
    list of LanguageResult
        The results, in the order of `cells`.  Up to rounding, the result of a cell does not depend on the
        other cells.

    Raises
    ------
    ValueError
        If the cells differ in other fields, or if a cell has more tokens than the corpus.
    """
    common = common_cell(cells, "train_language_cells")
    start = time.perf_counter()
    network = common.network()
    data = device_corpus(
        common.corpus, common.context, bool(network.positions), common.passage, common.validation,
        common.test, common.vocabulary,
    )  # fmt: skip
    members = [_training_member(cell, data) for cell in cells]
    trained = train(network, data.x, data.y, members, data.validation, common.recipe)
    weights = tuple(torch.stack(own) for own in zip(*(one.weights for one in trained), strict=True))
    nats, wrong = _test_scores(network, weights, data)
    tokens = np.full(len(data.test_bytes), common.passage)
    loss, loss_se = _ratio_and_se(nats, tokens, data.document)
    bits, bits_se = _ratio_and_se(nats / math.log(2), data.test_bytes, data.document)
    seconds = shared_seconds(time.perf_counter() - start, [one.steps for one in trained])
    return [
        LanguageResult(
            cell=cell,
            m=network.parameters,
            non_embedding=network.non_embedding,
            loss=float(loss[i]),
            loss_se=float(loss_se[i]),
            bits_per_byte=float(bits[i]),
            bits_per_byte_se=float(bits_se[i]),
            error=float(wrong[i].mean()) / common.passage,
            validation_loss=float(one.curve["loss"][one.best_evaluation]),
            train_loss=one.train_loss,
            steps_taken=one.steps,
            best_step=one.best_step,
            seconds=seconds[i],
            diverged=one.diverged,
            digest=data.digest,
            device=device_name(data.x.device),
            curve=one.curve,
        )
        for i, (cell, one) in enumerate(zip(cells, trained, strict=True))
    ]


def _training_member(cell: LanguageCell, data: DeviceCorpus) -> Member:
    """Return the rows, number of steps and seed that a cell trains with."""
    chance = generator(cell.seed, "language", "subset", cell.width, cell.depth)
    order = chance.permutation(data.train_passages)
    if cell.n > data.train_passages * cell.passage:
        accepted = f"an integer <= {data.train_passages * cell.passage} ({cell.corpus})"
        raise ValueError(checks.refusal("n", "LanguageCell", accepted, cell.n))
    first_rows = order[: cell.n // cell.passage, None] * data.passage_rows
    seed = seed_of(cell.seed, "language", cell.family, cell.width, cell.depth, cell.n)
    return Member((first_rows + data.window_starts).ravel(), cell.steps, seed)


@torch.no_grad()
def _test_scores(
    network: LanguageModel, weights: Weights, data: DeviceCorpus
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each member's sum of nats and number of wrong tokens in each test passage, (E, passages)."""
    nats, wrong = [], []
    for x, y in zip(*data.test, strict=True):
        outputs = network(weights, x)[:, data.scored]  # (E, passage, vocabulary)
        labels = y[data.scored].expand(outputs.shape[:2])
        each = functional.cross_entropy(outputs.flatten(0, 1), labels.flatten(), reduction="none")
        nats.append(each.view(labels.shape).double().sum(1))
        wrong.append((outputs.argmax(2) != labels).double().sum(1))
    return torch.stack(nats, 1).cpu().numpy(), torch.stack(wrong, 1).cpu().numpy()


def _ratio_and_se(
    sums: NDArray[np.float64], counts: NDArray[np.int64], document: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each row's sum over the sum of counts, (E,), and its standard error.

    Passages of one document are alike, so the standard error is that of a ratio of totals over documents
    (Cochran 1977, Sampling Techniques, equation 6.13); NaN for a single document.
    """
    _, of = np.unique(document, return_inverse=True)
    count = of.max() + 1
    ratio = sums.sum(1) / counts.sum()
    residuals = sums - ratio[:, None] * counts
    totals = np.stack([np.bincount(of, row, count) for row in residuals])
    scale = count / (count - 1) if count > 1 else math.nan
    return ratio, np.asarray(np.sqrt(scale * np.square(totals).sum(1)) / counts.sum())


def language_outcomes(cells: Sequence[LanguageCell]) -> list[dict[str, Any]]:
    """Train a batch of cells and return each `LanguageResult` as a dict, see `errsrc.sweeps.Kind`.

    Parameters
    ----------
    cells : sequence of LanguageCell
        Cells that differ only in n, seed and steps.
    """
    return [outcome(result) for result in train_language_cells(cells)]


def require_texts(cells: Iterable[LanguageCell]) -> None:
    """Raise an error if the corpora of some cells are not on this machine, see `errsrc.sweeps.Kind`.

    Parameters
    ----------
    cells : iterable of LanguageCell
        Cells of a study.

    Raises
    ------
    FileNotFoundError
        If a corpus was not found.  The message says what to install.
    ModuleNotFoundError
        If a vocabulary is above 256 and the package sentencepiece is not installed.
    ValueError
        If the files of a corpus cannot be used (see `errsrc.datasets.texts`), or if the n of a cell is more
        than the number of tokens in whole passages of its corpus, at one byte for each token.
    """
    largest_n: dict[tuple[str, int], dict[int, LanguageCell]] = {}
    for cell in sorted(cells, key=attrgetter("n")):
        largest_n.setdefault((cell.corpus, cell.vocabulary), {})[cell.passage] = cell
    for (corpus, vocabulary), by_passage in largest_n.items():
        sizes = check_files(corpus, vocabulary)
        for passage, cell in by_passage.items():
            most = sum(size // passage for size in sizes) * passage  # a token has one byte or more
            if cell.n > most:
                accepted = f"an integer <= {most} ({corpus})"
                raise ValueError(checks.refusal("n", "LanguageCell", accepted, cell.n))


LANGUAGE = Kind(
    "language",
    LanguageCell,
    language_outcomes,
    group=LanguageCell.batch,
    cost=LanguageCell.work,
    require_data=require_texts,
    packages=("numpy", "torch"),
)
"""The kind of study whose cells are language models."""
