"""Fit files made by hand, by mistake or with ill intent: each is a fit, or one sentence."""

from __future__ import annotations

import copy
import json
import time
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amounts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from errsrc.cli import main
from errsrc.fitting import auto, files, fit, load_fit, save_fit
from errsrc.laws import Chinchilla, Power

N = np.geomspace(100, 1e5, 12)
NOISE = 1 + 0.02 * np.sin(np.arange(12) ** 2)


def contents(folder) -> list[dict[str, Any]]:
    """Return the content of a fit of one law, of an average, and of a joint fit."""
    n, m = (x.ravel() for x in np.meshgrid(np.geomspace(1e3, 1e5, 4), np.geomspace(1e3, 1e5, 4)))
    joint = Chinchilla(1.8, 20.0, 30.0, 0.3, 0.4).error(n=n, m=m) * (1 + 0.01 * np.sin(np.arange(16) ** 2))
    error = Power(0.1, 2.0, 0.5).error(n=N) * NOISE
    out = []
    for found in (fit(Power, error, n=N), auto(error, n=N), fit(Chinchilla, joint, n=n, m=m)):
        save_fit(found, folder / "fit.json")
        out.append(json.loads((folder / "fit.json").read_text()))
    return out


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    return contents(tmp_path_factory.mktemp("fits"))


COMMANDS = (
    ["predict", "fit.json", "sizes.csv"],
    ["plan", "fit.json", "--error", "0.5"],
    ["plan", "fit.json", "--budget", "1e9"],
)


def check(text: str | bytes, folder, capsys, monkeypatch) -> list[int]:
    """Check that each command gives an answer or one sentence, and never a warning; return the exit codes."""
    monkeypatch.chdir(folder)
    (folder / "fit.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "sizes.csv").write_text("n,m\n1000,2000\n1e6,1e6\n")
    codes = []
    for command in COMMANDS:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            codes.append(main(command))
        out, err = capsys.readouterr()
        assert codes[-1] in (0, 1, 2)
        assert "Traceback" not in err
        assert "internal error" not in err
        if codes[-1]:
            assert err.count("\n") == 1, err
            assert out == ""
    return codes


def changed(content: dict[str, Any], path: tuple[Any, ...], value: Any) -> str:
    content = copy.deepcopy(content)
    inner: Any = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(content)


MEMBER = ("members", 0)
LAW = (*MEMBER, "law", "values")
HOSTILE: list[tuple[tuple[Any, ...], Any]] = [
    ((*LAW, "a"), 1e308),
    ((*LAW, "alpha"), 50.0),
    ((*LAW, "alpha"), -50.0),
    ((*LAW, "c_inf"), 1e308),
    ((*LAW, "c_inf"), -1e308),
    ((*LAW, "a"), "2"),
    ((*LAW, "a"), None),
    ((*LAW, "a"), float("nan")),
    ((*LAW, "a"), float("inf")),
    ((*LAW, "a"), True),
    ((*LAW, "a"), [1.0]),
    ((*LAW, "a"), 10**400),
    ((*LAW, "b"), 1.0),
    ((*MEMBER, "draws", "alpha"), [50.0] * 256),
    ((*MEMBER, "draws", "alpha"), [-50.0] * 256),
    ((*MEMBER, "draws", "a"), [1e308] * 256),
    ((*MEMBER, "draws", "a"), [-1.0] * 256),
    ((*MEMBER, "draws", "a"), ["1"] * 256),
    ((*MEMBER, "draws", "a"), [True] * 256),
    ((*MEMBER, "draws", "a"), [None] * 256),
    ((*MEMBER, "draws", "a"), {}),
    ((*MEMBER, "draws"), []),
    ((*MEMBER, "inputs", "n"), [1e308] * 12),
    ((*MEMBER, "inputs", "n"), [1e-308] * 12),
    ((*MEMBER, "inputs", "n"), [[1.0]] * 12),
    ((*MEMBER, "inputs", "n"), "100"),
    ((*MEMBER, "error"), [1e308] * 12),
    ((*MEMBER, "error"), [[1.0] * 12]),
    ((*MEMBER, "error"), 1.0),
    ((*MEMBER, "run_noise"), 1e308),
    ((*MEMBER, "run_noise"), -1.0),
    ((*MEMBER, "run_noise"), None),
    ((*MEMBER, "run_noise"), "0.1"),
    ((*MEMBER, "seed_noise"), 1e999),
    ((*MEMBER, "starts"), 1.5),
    ((*MEMBER, "objective"), {}),
    ((*MEMBER, "warnings"), "text"),
    ((*MEMBER, "warnings"), [1, None]),
    ((*MEMBER, "ties"), {}),
    ((*MEMBER, "ties"), [1]),
    ((*MEMBER, "law"), {"law": ["power"], "values": {}}),
    ((*MEMBER, "law", "law"), "os.system"),
    ((*MEMBER, "intervals", "a"), [1, 2]),
    ((*MEMBER, "intervals", "a"), ["1", "0", "2", "0.9"]),
    ((*MEMBER, "intervals", "a"), [1.0, 2.0, 0.5, 0.9]),
    ((*MEMBER, "intervals", "a"), [1.0, 0.5, 2.0, 7]),
    ((*MEMBER, "weights"), [float("nan")] * 12),
    (MEMBER, []),
    (("members",), {}),
    (("members",), []),
    (("members",), "text"),
    (("weights",), [1e308]),
    (("weights",), ["1"]),
    (("weights",), [0.5, 0.5]),
    (("notes",), [["columns", 1]]),
    (("notes",), None),
    (("notes",), {"columns": 1}),
    (("notes",), {"columns": {"n": 3}}),
    (("notes",), {"columns": [["n", "n"]]}),
    (("notes",), {"columns": {"x": "n"}}),
    (("format",), "errsrc fit 9"),
    (("format",), None),
]


@pytest.mark.parametrize(
    ("path", "value"), HOSTILE, ids=[f"{'.'.join(map(str, p))}={v!r}"[:60] for p, v in HOSTILE]
)
def test_a_value_that_no_fit_has_is_one_sentence(path, value, valid, tmp_path, capsys, monkeypatch) -> None:
    check(changed(valid[0], path, value), tmp_path, capsys, monkeypatch)


def test_values_that_overflow_and_wrong_types_are_no_fit(valid, tmp_path, capsys, monkeypatch) -> None:
    for path, value in HOSTILE[:16]:
        if value not in (50.0, [50.0] * 256):  # finite: the floor
            codes = check(changed(valid[0], path, value), tmp_path, capsys, monkeypatch)
            assert codes == [2, 2, 2], (path, value)


def test_weights_that_cancel_are_no_average(valid, tmp_path, capsys, monkeypatch) -> None:
    count = len(valid[1]["members"])
    for weights in ([1e308, -1e308, 1.0], [2.0, -1.0, 0.0], [0.4] * count, [None] * count):
        text = changed(valid[1], ("weights",), [*weights, *[0.0] * count][:count])
        assert check(text, tmp_path, capsys, monkeypatch) == [2, 2, 2]


JUNK = {
    "nothing": b"",
    "a null": b"null",
    "a number": b"1e308",
    "zeros": b"\0" * 1000,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "not UTF-8": b'{"format": "\xff"}',
    "UTF-16": '{"format": "errsrc fit 1"}'.encode("utf-16"),
    "nested deeply": b"[" * 200_000,
    "nested deeply in a dict": b'{"a":' * 200_000,
    "a number of many digits": b'{"format": ' + b"9" * 10_000 + b"}",
    "members of numbers": b'{"format": "errsrc fit 1", "members": [1, 2]}',
    "a member that is empty": b'{"format": "errsrc fit 1", "members": [{"law": {"law": "power"}}]}',
    "no members": b'{"format": "errsrc fit 1", "members": []}',
    "a table": b"n,error\n1,2\n",
    "the first half": b'{"format": "errsrc fit 1", "law": "pow',
    "keys given twice": b'{"format": "errsrc fit 1", "format": 1}',
}


@pytest.mark.parametrize("kind", JUNK)
def test_junk_is_one_sentence(kind, tmp_path, capsys, monkeypatch) -> None:
    assert check(JUNK[kind], tmp_path, capsys, monkeypatch) == [2, 2, 2]


def test_a_large_file_is_refused_unread(tmp_path, capsys, monkeypatch) -> None:
    with (tmp_path / "fit.json").open("wb") as file:
        file.truncate(10**8)
    read = []
    monkeypatch.setattr(files.json, "loads", read.append)
    start = time.process_time()
    assert main(["plan", str(tmp_path / "fit.json"), "--error", "1"]) == 2
    assert time.process_time() - start < 2
    assert not read
    assert "a fit that errsrc wrote" in capsys.readouterr().err


def test_a_folder_and_a_device_are_one_sentence(tmp_path, capsys) -> None:
    for path in (str(tmp_path), "/dev/zero", "/dev/null", str(tmp_path / "none.json")):
        assert main(["plan", path, "--error", "1"]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def cyclic() -> dict[str, Any]:
    notes: dict[str, Any] = {}
    notes["self"] = notes
    return notes


@pytest.mark.parametrize("notes", [cyclic(), {"a": {1, 2}}, {"a": 1j}, {(1, 2): 3}, {"a": object()}])
def test_notes_that_are_no_json_are_not_written(notes, tmp_path) -> None:
    found = replace(fit(Power, Power(0.1, 2.0, 0.5).error(n=N) * NOISE, n=N), notes=notes)
    with pytest.raises(TypeError, match="'result' parameter of save_fit must be a fit whose notes are JSON"):
        save_fit(found, tmp_path / "fit.json")
    assert not list(tmp_path.iterdir())


def test_notes_with_nan_are_not_written(tmp_path) -> None:
    found = replace(fit(Power, Power(0.1, 2.0, 0.5).error(n=N) * NOISE, n=N), notes={"a": float("nan")})
    with pytest.raises(ValueError, match="NaN, which is not finite"):
        save_fit(found, tmp_path / "fit.json")


def test_sizes_at_which_nothing_finite_can_be_predicted_are_named(tmp_path) -> None:
    found = fit(Power, Power(0.1, 2.0, 5.0).error(n=[1, 2, 3, 4, 5, 6]), n=[1, 2, 3, 4, 5, 6])
    with (
        pytest.raises(
            ValueError, match=r"sizes at which the fit predicts a finite error .* Got <n = 1e-300>"
        ),
    ):
        found.predict(n=[1.0, 1e-300])


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=4),
        st.sampled_from([1e308, -1e308, 5e-324, 1e-300, 50.0, -50.0, 10**400, 0, 0.0, -0.0, "power", "nan"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def mutations(draw, content):
    """Return the content with up to three values replaced, multiplied or deleted, anywhere in it."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        inner: Any = content
        for _ in range(draw(st.integers(0, 6))):
            below = inner.values() if isinstance(inner, dict) else inner
            nested = [value for value in below if isinstance(value, (dict, list)) and value]
            if not nested:
                break
            inner = draw(st.sampled_from(nested))
        key = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        act = draw(st.sampled_from(["replace", "all", "scale", "delete"]))
        if act == "replace":
            inner[key] = draw(VALUES)
        elif act == "delete":
            del inner[key]
        elif act == "all" and isinstance(inner, list):
            inner[:] = [draw(VALUES)] * len(inner)
        elif type(inner[key]) is float:
            inner[key] *= 10.0 ** draw(st.integers(-300, 300))
        if not inner:
            break
    return content


@pytest.mark.full
@given(st.data())
@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
def test_a_fit_with_a_few_values_changed_is_a_fit_or_one_sentence(
    valid, tmp_path_factory, capsys, monkeypatch, data
) -> None:
    content = data.draw(mutations(data.draw(st.sampled_from(valid))))
    folder = tmp_path_factory.getbasetemp()
    check(json.dumps(content), folder, capsys, monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = load_fit(folder / "fit.json")
        except ValueError:
            return
        repr(found), str(found), found._repr_html_()


@pytest.mark.full
@given(st.data())
@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
def test_a_file_with_a_few_bytes_changed_is_a_fit_or_one_sentence(
    valid, tmp_path_factory, capsys, monkeypatch, data
) -> None:
    text = bytearray(json.dumps(valid[0]).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    check(bytes(text), tmp_path_factory.getbasetemp(), capsys, monkeypatch)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("members", 0, "run_noise"), "x", "'members.0.run_noise' is wrong: it must be a finite number."),
        (
            ("members", 0, "run_noise"),
            1e9,
            "'members.0.run_noise' is wrong: it must be a number from 0 to 100.",
        ),
        (
            ("members", 0, "draws", "alpha", 3),
            None,
            "'members.0.draws.alpha.3' is wrong: it must be a finite",
        ),
        (("members", 0, "inputs", "n"), [], "'members.0.inputs.n' is wrong: it must not be empty."),
        (
            ("members", 0, "law", "values"),
            [],
            "'members.0.law.values' is wrong: its value is not what errsrc",
        ),
        (("members",), 3, "'members' is wrong: it must be a list."),
        (("weights",), [2], "'weights' is wrong: they must be one share for each member, of sum 1."),
        (("warnings",), ..., "'warnings' is wrong: it is missing."),
        (("members", 0, "error"), ..., "'members.0.error' is wrong: it is missing."),
    ],
)
def test_the_message_names_the_wrong_entry(valid, tmp_path, place: tuple[Any, ...], value: Any, message: str):
    content = copy.deepcopy(valid[0])
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    (tmp_path / "fit.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="must be a fit that errsrc wrote") as refused:
        load_fit(tmp_path / "fit.json")
    assert f" The entry {message}" in str(refused.value)


def test_a_file_of_thousands_of_laws_is_refused_at_once(valid, tmp_path) -> None:
    content = {**valid[0], "members": [{}] * 3000, "weights": [1 / 3000] * 3000}
    (tmp_path / "fit.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="'members' is wrong: there must be at most 100 of them"):
        load_fit(tmp_path / "fit.json")


def test_sizes_whose_cost_overflows_are_refused(valid, tmp_path) -> None:
    content = copy.deepcopy(valid[2])
    content["members"][0]["inputs"]["n"] = [1e308] * 16
    (tmp_path / "fit.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"'members\.0\.inputs' is wrong: the products of its numbers"):
        load_fit(tmp_path / "fit.json")


def test_warnings_of_a_file_do_not_control_the_terminal(valid, tmp_path) -> None:
    content = copy.deepcopy(valid[0])
    content["members"][0]["warnings"] = ["\x1b[31mred\n\nline"]
    (tmp_path / "fit.json").write_text(json.dumps(content))
    assert load_fit(tmp_path / "fit.json").warnings == ("[31mred line",)
