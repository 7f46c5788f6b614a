"""Language cells: no prediction sees what comes later, and what is reported is what was trained."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from errsrc import datasets, studies
from errsrc.sweeps import Store, run, serial
from errsrc.tasks import LanguageCell, corpora, language
from errsrc.tasks.language import language_outcomes, train_language_cells
from errsrc.training import Recipe, train

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Thirty texts of a language of forty words; each word is followed by one of two."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    words = ["".join(map(chr, rng.integers(97, 123, rng.integers(2, 6)))) for _ in range(40)]
    for document in range(30):
        word, said = 0, []
        for _ in range(800):
            word = (3 * word + rng.integers(1, 3) + rng.integers(2) * document) % 40
            said.append(words[word])
        (folder / f"{document}.txt").write_text(" ".join(said))
    return str(folder)


@pytest.fixture
def cell(corpus):
    recipe = Recipe(learning_rate=0.008, batch=32)
    return LanguageCell(
        corpus, "neural-ngram", 16, n=4096, seed=0, context=8, passage=64, test=2048, validation=512,
        steps=100, recipe=recipe,
    )  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize(("family", "batch"), [("neural-ngram", 64), ("transformer", 16), ("lstm", 16)])
def test_each_family_learns_and_together_is_as_alone(cell, family, batch):
    """Compared after few steps, for later ones carry a rounding of float32 anywhere."""
    recipe = Recipe(learning_rate=0.016, batch=batch)
    cells = [
        replace(cell, family=family, n=n, seed=seed, context=16, steps=120, recipe=recipe)
        for n, seed in ((1024, 0), (8192, 1))
    ]
    few = [replace(one, steps=15) for one in cells]
    _, beside = train_language_cells(few)
    (alone,) = train_language_cells(few[1:])
    assert alone.loss == pytest.approx(beside.loss, rel=1e-3)
    assert alone.steps_taken == beside.steps_taken
    together = train_language_cells(cells)
    assert together[1].loss < 2.6  # 2.9 is the loss by frequencies of letters alone
    assert 0 < together[1].loss_se < 0.1
    assert together[1].bits_per_byte == pytest.approx(together[1].loss / math.log(2))
    assert not together[1].diverged


@pytest.mark.full
def test_more_text_is_better(cell):
    cells = [replace(cell, n=n, steps=400) for n in (256, 16_384)]
    small, large = train_language_cells(cells)
    assert large.loss < 0.9 * small.loss


@pytest.mark.parametrize(("family", "context"), [("neural-ngram", 5), ("lstm", 12), ("transformer", 64)])
def test_every_test_token_is_scored_once_with_the_most_that_the_window_holds_before_it(cell, family, context):
    cell = replace(cell, family=family, context=context)
    network = cell.network()
    data = corpora.device_corpus(cell.corpus, context, bool(network.positions), 64, 512, 2048, 256)
    where = data.x.device
    chance = torch.Generator().manual_seed(0)
    noise = (0.05 * torch.randn(shape, generator=chance) for shape in network.shapes())
    weights = tuple((w + e).to(where) for w, e in zip(network.draw([0]), noise, strict=True))
    nats, wrong = language._test_scores(network, weights, data)
    assert nats.shape == wrong.shape == (1, 32)
    test = datasets.texts(cell.corpus).documents["test"]
    cut, document = datasets.passages(list(test.values()), 64)
    chosen = np.unique(np.linspace(0, len(cut) - 1, 32).astype(int))
    np.testing.assert_array_equal(data.document, document[chosen])
    passage = torch.from_numpy(cut[chosen[3]].astype(np.float32)).to(where)
    before = torch.zeros(context if family == "neural-ngram" else 1, device=where)
    joined = torch.cat([before, passage])
    total = 0.0
    for t in range(64):
        if family == "neural-ngram":
            logits = network(weights, joined[t : t + context][None])[0, 0]
        else:  # windows start at multiples of half a context, the last one at the end
            starts = [*range(0, 64 - context, context // 2), 64 - context]
            start = next(s for s in starts if s + context > t)
            logits = network(weights, joined[start : start + context][None])[0, 0, t - start]
        total -= float(torch.log_softmax(logits, 0)[int(passage[t])])
    assert nats[0, 3] == pytest.approx(total, rel=1e-4)


def test_subsets_are_nested_whole_passages_of_training_documents(cell, monkeypatch):
    seen = []

    def spy(network, x, y, members, validation, recipe):
        seen.append((x, y, members))
        return train(network, x, y, members, validation, recipe)

    monkeypatch.setattr(language, "train", spy)
    train_language_cells([replace(cell, n=n, steps=2) for n in (128, 2048)])
    train_language_cells([replace(cell, n=2048, width=8, steps=2)])
    x, y, (small, large) = seen[0]
    assert len(small.rows) == 128
    assert len(large.rows) == len(set(large.rows)) == 2048
    assert set(small.rows) < set(large.rows)
    assert set(seen[1][2][0].rows) != set(large.rows)
    held = {bytes(d) for part in ("test", "validation") for d in _documents(cell, part)}
    trained = [bytes(d) for d in _documents(cell, "train")]
    for first in small.rows[::64]:
        passage = bytes(y[first : first + 64].to(torch.uint8).cpu().numpy())
        assert any(passage in d for d in trained)
        assert not any(passage in d for d in held)
        assert not x[first].any()  # nothing before a passage


def _documents(cell, part):
    return datasets.texts(cell.corpus).documents[part].values()


def test_standard_errors_are_those_of_documents(cell):
    rng = np.random.default_rng(0)
    document = np.repeat(np.arange(200), 3)
    sums = rng.normal(size=(1, 200)).repeat(3, 1)  # alike within a document
    counts = np.full(600, 64)
    mean, found = language._ratio_and_se(sums, counts, document)
    assert mean * 64 == pytest.approx(sums.mean())
    assert found * 64 == pytest.approx(sums[0, ::3].std(ddof=1) / math.sqrt(200))


def test_standard_errors_of_a_ratio_cover(cell):
    """Bits per byte, if passages differ in bytes: two standard errors contain the truth in about 95%.

    1,000 draws accept 92.0% to 97.2%: a false alarm in less than 1 in 1,000 runs (binomial).
    """
    rng = np.random.default_rng(1)
    counts = rng.integers(100, 200, size=(1000, 300))
    document = np.arange(300) // 3
    level = rng.normal(1.0, 0.2, size=(1000, 100)).repeat(3, 1)  # the same within a document
    hits = 0
    for k in range(1000):
        mean, error = language._ratio_and_se((level[k] * counts[k])[None], counts[k], document)
        hits += abs(mean[0] - 1.0) < 1.96 * error[0]
    assert 920 <= hits <= 972


@pytest.mark.full
def test_tokenisations_compare_in_bits_a_byte(cell, tmp_path):
    """With uniform predictions every token has ln(vocabulary) nats; bits per byte divide by its bytes."""
    pytest.importorskip("sentencepiece")
    cell = replace(cell, vocabulary=400, n=640, steps=2)
    (found,) = train_language_cells([cell])
    data = corpora.device_corpus(cell.corpus, cell.context, False, 64, cell.validation, cell.test, 400)
    assert data.x.max() >= 256
    assert data.test_bytes.mean() > 1.2 * 64
    assert found.bits_per_byte * math.log(2) * data.test_bytes.sum() == pytest.approx(
        found.loss * 64 * len(data.test_bytes)
    )
    assert found.loss == pytest.approx(math.log(400), rel=0.1)
    assert found.m > train_language_cells([replace(cell, vocabulary=256)])[0].m


def test_a_study_of_language_runs_and_knows_its_parameters_before(cell, tmp_path):
    text = f"""
        kind = "language"
        [cell]
        corpus = {cell.corpus!r}
        family = "lstm"
        context = 16
        passage = 64
        test = 1024
        validation = 256
        steps = 3
        recipe = {{batch = 8, learning_rate = 0.01}}
        [factors]
        n = [640, 1280]
        width = [4, 8]
    """
    study = studies.parse(text)
    with Store(tmp_path / "language.db", write=True) as store:
        assert not run(study, store, serial).failed
        rows = store.rows(study)
    assert [row["m"] for row in rows] == [one.parameters for one in study]
    assert [row["loss"] for row in rows[:1]] == [language_outcomes([study[0]])[0]["loss"]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"family": "transformer", "heads": 3},
            "'heads' parameter of Transformer must be an integer such that the width 16",
        ),
        ({"context": 65}, "'context' parameter of LanguageCell must be an integer <= the passage, 64"),
        ({"n": 100}, "'n' parameter of LanguageCell must be a multiple of the passage, 64"),
        ({"family": "tansformer"}, "did you mean 'transformer'"),
        ({"recipe": Recipe(loss="squared")}, "'recipe.loss' parameter of LanguageCell must be 'log'"),
    ],
)
def test_cells_that_cannot_be_are_refused(cell, change, message):
    with pytest.raises(ValueError, match=message):
        replace(cell, **change)


def test_more_text_than_there_is_and_texts_too_short_for_a_passage_are_refused(cell, tmp_path):
    with pytest.raises(ValueError, match="'n' parameter of LanguageCell must be an integer <="):
        train_language_cells([replace(cell, n=64 * 10**5)])
    with pytest.raises(ValueError, match=r"has no passage of 65536 tokens .* take a shorter passage"):
        train_language_cells([replace(cell, passage=65_536, n=65_536)])
    with pytest.raises(ValueError, match="'cells' parameter of train_language_cells"):
        train_language_cells([cell, replace(cell, width=8)])
