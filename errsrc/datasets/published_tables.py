"""Published measurements of scaling, for the tests and benchmarks of the package.

`TABLES` describes each table: its source, the meaning of its columns, how its rows were chosen, which rows to
hold out, and what may mislead a reader.  The tables are CSV files next to this module.  Their layout is new,
but every number equals the number in the source, to the last digit.  Columns are left out if they repeat
other columns, or if errsrc does not read them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from errsrc import checks


@dataclass(frozen=True)
class PublishedTable:
    """The description of a published table.

    Attributes
    ----------
    title, source, licence : str
        Title: what was measured.  Source: the paper, and the repository with its commit.  Licence: the
        licence of the repository.
    columns : tuple of (name, unit)
        The columns in the order of the file.  A column with the unit "text" has strings, a column whose unit
        begins with "flag" has booleans, and any other column has float64.
    rows : str
        How the rows were chosen, and their order.
    split : str
        Which rows to fit and which rows to hold out.  Every comparison uses this split.
    traps : str
        What may mislead a reader of the table.
    """

    title: str
    source: str
    licence: str
    columns: tuple[tuple[str, str], ...]
    rows: str
    split: str
    traps: str


_CURVES = (
    ("domain", "text"),
    ("task", "text"),
    ("model", "text"),
    ("n", "images, sentence pairs or tokens seen"),
    ("error", "error rate, log-perplexity, scaled log-loss or 1 - metric, see rows"),
    ("fit", "flag: 1 to fit, 0 held out"),
)
_ALABDULMOHSIN = (
    "Alabdulmohsin, Neyshabur, Zhai, Revisiting Neural Scaling Laws in Language and Vision, NeurIPS 2022, "
    "arXiv 2209.06640; google-research/google-research, revisiting_neural_scaling_laws/data, "
    "by way of the copy in DongWooLee-Eli/nslpfn @10a5a609"
)
_RENDA = (
    "Renda, Frankle, Carbin, Comparing Rewinding and Fine-tuning in Neural Network Pruning, ICLR 2020, "
    "arXiv 2003.02389; lottery-ticket/rewinding-iclr20-public"
)
_NO_LICENCE = "no licence file found at that commit: the numbers are used as facts"

TABLES: dict[str, PublishedTable] = {
    "curves_vision": PublishedTable(
        title="35 learning curves of image classifiers: few-shot error against images seen in pretraining",
        source=_ALABDULMOHSIN,
        licence="Apache-2.0",
        columns=_CURVES,
        rows="35 of the 72 image-classification tasks, each a (domain, task, model); domain IC, error is the "
        "few-shot error rate. All rows of a task, sorted by n.",
        split="column fit; a curve's held-out points all have larger n than its fitted ones",
        traps="The source is not sorted by n. Points are evaluations during one training run, not separate "
        "trainings, and curves differ in length from 13 to 780 points: average per curve, not over points.",
    ),
    "curves_language": PublishedTable(
        title="9 learning curves of translation, language and BIG-Bench models",
        source=_ALABDULMOHSIN,
        licence="Apache-2.0",
        columns=_CURVES,
        rows="9 of 20 tasks. Domain NMT: log-perplexity against sentence pairs; LM: scaled log-loss against "
        "tokens, model is the parameter count; BB: 1 - preferred metric against tokens. Sorted by n.",
        split="column fit; a curve's held-out points all have larger n than its fitted ones",
        traps="The source repeats each of these LM rows four times: the copies are dropped here (392 rows "
        "to 194), as the paper's own code does. An NMT curve has one held-out point.",
    ),
    "chinchilla_epoch": PublishedTable(
        title="Loss of the Chinchilla runs over model and data size, read off the published figure",
        source="Besiroglu, Erdil, Barnett, You, Chinchilla Scaling: A replication attempt, 2024, "
        "arXiv 2404.10102, from figure 4 of Hoffmann et al. 2022; "
        "epoch-research/analyzing-chinchilla @92258837",
        licence=_NO_LICENCE,
        columns=(
            ("params", "parameters"),
            ("tokens", "tokens, = flops / (6 params)"),
            ("flops", "floating-point operations of training"),
            ("loss", "nats per token"),
            ("outlier", "flag: 1 for the five highest losses, which the paper's fit drops"),
        ),
        rows="all 245, in the order of the source (highest loss first)",
        split="without outliers: fit flops <= 1e20, 3e20 or 1e21 (136, 177, 217 of 240 rows), hold out "
        "the rest",
        traps="Loss is quantised by the figure's colour scale, about 0.5 % noise. Drop the outliers before "
        "comparing: on the other 240 the Huber (delta 1e-3) sum of log residuals has its minimum "
        "0.001018274 at E 1.8172, A 477.8, B 2143.5, alpha 0.3473, beta 0.3672.",
    ),
    "isoflops_openathena": PublishedTable(
        title="Sweeps of model size at fixed training compute, from eight experiments",
        source="Open Athena's collection (Chinchilla in two extractions, Llama 3, Marin, Misfitting); "
        "Open-Athena/scaling-law-analysis @3e0656ee",
        licence=_NO_LICENCE,
        columns=(
            ("experiment", "text"),
            ("budget", "floating-point operations of training"),
            ("params", "parameters"),
            ("tokens", "tokens"),
            ("loss", "nats per token; of Llama 3 the loss on a benchmark, raw or its exponential"),
            ("outlier", "flag: 1 where the collectors' quality checks reject the point"),
        ),
        rows="all 947, in the order of the source",
        split="within an experiment, hold out its two largest budgets",
        traps="The two Chinchilla experiments are the same runs, and so are the two of Llama 3 (raw and "
        "exponentiated). Points that the collectors reject are flagged, not removed.",
    ),
    "olmo_ladder_final": PublishedTable(
        title="Final losses of the OLMo ladder, 190M to 13B parameters, on 11 validation sets",
        source="Bhagia et al., Establishing Task Scaling Laws via Compute-Efficient Model Ladders, 2024, "
        "arXiv 2412.04403; allenai/OLMo-ladder @67a3f440",
        licence="Apache-2.0",
        columns=(
            ("run", "text"),
            ("role", "text"),
            ("params", "parameters"),
            ("tokens", "tokens"),
            ("c4_en", "nats per token"),
            ("dolma_books", "nats per token"),
            ("dolma_common_crawl", "nats per token"),
            ("dolma_pes2o", "nats per token"),
            ("dolma_reddit", "nats per token"),
            ("dolma_stack", "nats per token"),
            ("dolma_wiki", "nats per token"),
            ("ice", "nats per token"),
            ("m2d2_s2orc", "nats per token"),
            ("pile", "nats per token"),
            ("wikitext_103", "nats per token"),
        ),
        rows="the last evaluation of each of 32 runs, in the order of the source",
        split="fit role paper_train (16 rows: 190M to 1.3B at 1, 2, 5 and 10 times 20 tokens a parameter); "
        "hold out role target (7B at 4T tokens, 13B at 5T), and the 3B runs among role extra",
        traps="Role extra also holds shorter runs (0.5xC) and reruns of the paper_train ones. The 7B target "
        "was annealed.",
    ),
    "openlm_overtraining": PublishedTable(
        title="104 language models from 11M to 6.9B parameters, trained up to 640 tokens a parameter",
        source="Gadre et al., Language models scale reliably with over-training and on downstream tasks, "
        "2024, arXiv 2403.08540; mlfoundations/scaling @a003c491",
        licence="MIT",
        columns=(
            ("dataset", "text"),
            ("params", "parameters"),
            ("params_no_embed", "parameters without the embeddings"),
            ("tokens", "tokens"),
            ("loss_c4_val", "nats per token"),
            ("loss_open_lm_val", "nats per token"),
            ("loss_paloma_c4_en", "nats per token"),
            ("loss_paloma_dolma_100_programing_languages", "nats per token"),
            ("loss_paloma_falcon_refinedweb", "nats per token"),
            ("loss_paloma_ptb", "nats per token"),
            ("loss_paloma_redpajama", "nats per token"),
            ("loss_de_en", "nats per token"),
        ),
        rows="all 104, one a model, in the order of the source; dataset c4_original, rpj or rw_original",
        split="fit params < 5e8 (95 rows), hold out params >= 1e9 (9 rows)",
        traps="Three training sets: a law is fitted to one of them at a time.",
    ),
    "renda2020_unstructured": PublishedTable(
        title="Accuracy of iteratively magnitude-pruned ResNets against density",
        source=_RENDA,
        licence="no licence file found: the numbers are used as facts",
        columns=(
            ("network", "text"),
            ("depth", "layers"),
            ("retrain", "text"),
            ("density", "fraction of the weights kept, 0.8^k"),
            ("trial", "1, 2 or 3: the seed"),
            ("test_acc", "fraction correct"),
            ("val_acc", "fraction correct"),
        ),
        rows="unstructured iterative magnitude pruning (20 % a step) with retraining of full length (182 "
        "epochs on CIFAR-10, 90 on ImageNet) by weight_rewinding (the source's lottery) or rate_rewinding "
        "(its lr_finetune): 222 rows of resnet20 and resnet56 (CIFAR-10) and resnet50 (ImageNet), sorted by "
        "depth, retrain, density, trial. One-shot pruning, shorter retraining, other methods: left out.",
        split="resnet56: fit density >= 0.107, hold out the seven below; or fit depth 20, hold out depth 56",
        traps="Light pruning often lowers the error below the unpruned network's (renda2020_unpruned): the "
        "dense plateau is the dip. Width and data size do not vary.",
    ),
    "renda2020_unpruned": PublishedTable(
        title="Accuracy of the unpruned ResNets of renda2020_unstructured",
        source=_RENDA,
        licence="no licence file found: the numbers are used as facts",
        columns=(("network", "text"), ("test_acc", "fraction correct"), ("val_acc", "fraction correct")),
        rows="all rows of resnet20, resnet50 and resnet56, sorted by network; one a trained network",
        split="none: the level at density 1",
        traps="Rows are not paired with the trials of the pruned networks: use the mean of a network.",
    ),
    "frantar2023_vit_jft": PublishedTable(
        title="Loss of sparse vision transformers over density, model size and images",
        source="Frantar, Riquelme, Houlsby, Alistarh, Evci, Scaling Laws for Sparsely-Connected Foundation "
        "Models, 2023, arXiv 2309.08520; google-research/jaxpruner @f133ee50",
        licence="Apache-2.0",
        columns=(
            ("density", "fraction of the weights kept"),
            ("scale", "model size as a multiple of 12 * 12 * 768^2 parameters"),
            ("params_dense", "parameters, were none pruned"),
            ("params_nonzero", "parameters, = density * params_dense"),
            ("examples", "images seen"),
            ("loss", "validation loss, nats"),
        ),
        rows="all 112, in the order of the source",
        split="hold out the largest examples (28 rows)",
        traps="Pruned while training, not after it: density here is not the density of the pruning law. The "
        "lower the density, the fewer the sizes (7 at density 1, 2 at 0.0625).",
    ),
}


def published(name: str) -> dict[str, NDArray]:
    """Return a published table as a dict of columns.

    Parameters
    ----------
    name : str
        Name of the table, a key of `TABLES`.

    Returns
    -------
    dict of str to ndarray
        An array of shape (rows,) for each column: float64, bool or str.

    Raises
    ------
    TypeError
        If `name` is not a string.
    ValueError
        If `name` is not the name of a table.

    Examples
    --------
    >>> table = published("chinchilla_epoch")
    >>> sorted(table)
    ['flops', 'loss', 'outlier', 'params', 'tokens']
    >>> int((~table["outlier"]).sum())
    240
    """
    table = TABLES[checks.Choice(tuple(TABLES))(name, "name", "published")]
    text = resources.files("errsrc.datasets").joinpath("tables", f"{name}.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(text.splitlines())
    columns: dict[str, NDArray] = {}
    for (column, unit), texts in zip(table.columns, zip(*rows, strict=True), strict=True):
        values = np.array(texts) if unit == "text" else np.array(texts, dtype=np.float64)
        columns[column] = values == 1 if unit.startswith("flag") else values
    assert list(columns) == header
    return columns


def published_curves(
    name: str,
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]]:
    """Return an iterator over the learning curves of a table.

    Parameters
    ----------
    name : {"curves_vision", "curves_language"}
        Name of the table, see `TABLES`.

    Yields
    ------
    task : str
        The names of the domain, the task and the model, with blanks between them.
    n : ndarray of float64, shape (points,)
        Numbers of training examples, strictly increasing.
    error : ndarray of float64, shape (points,)
        The error at each n.
    fit_mask : ndarray of bool, shape (points,)
        True for points to fit, False for held-out points.

    Raises
    ------
    TypeError
        If `name` is not a string.
    ValueError
        If `name` is not the name of a table of learning curves.

    Examples
    --------
    >>> task, n, error, fit_mask = next(published_curves("curves_vision"))
    >>> task, len(n), int(fit_mask.sum())
    ('IC bird_10 BiT/101/3', 164, 57)
    """
    of_curves = tuple(key for key, table in TABLES.items() if table.columns is _CURVES)
    checks.Choice(of_curves)(name, "name", "published_curves")
    table = published(name)
    parts = zip(table["domain"], table["task"], table["model"], strict=True)
    tasks = np.array([" ".join(part) for part in parts])
    of_task = ((str(task), tasks == task) for task in np.unique(tasks))
    return ((task, table["n"][rows], table["error"][rows], table["fit"][rows]) for task, rows in of_task)
