"""Fits in files: what is written, and what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from outside.law import Onset

from errsrc import laws
from errsrc.fitting import ChainedFit, auto, fit, fit_csv, load_fit, save_fit
from errsrc.fitting.files import fit_summary
from errsrc.laws import Dense, JointPruning, Law, Power
from fitting.cases import DENSE, pruned_grid

N = np.geomspace(10, 1e4, 12)
ONSET = Onset(a=0.8, onset=100.0, alpha=0.5)


@pytest.fixture(scope="module")
def onset():
    noise = 1 + 0.01 * np.sin(np.arange(len(N)) ** 2)
    return fit(Onset, ONSET.error(n=N) * noise, n=N)


def test_a_law_of_ones_own_is_read_back(onset, tmp_path) -> None:
    save_fit(onset, tmp_path / "fit.json")
    again = load_fit(tmp_path / "fit.json", laws={"onset": Onset})
    assert again.law == onset.law
    assert fit_summary(again) == fit_summary(onset)
    assert fit_summary(onset)["law"] == "onset"
    for name, column in onset.predict(n=[1e5]).columns().items():
        np.testing.assert_array_equal(again.predict(n=[1e5]).columns()[name], column)


def test_a_file_with_an_unknown_law_names_the_fix(onset, tmp_path) -> None:
    save_fit(onset, tmp_path / "fit.json")
    for known in (None, {"outset": Onset}):
        with pytest.raises(ValueError, match=r"Got <the law 'onset' in the file .* Pass the class") as caught:
            load_fit(tmp_path / "fit.json", laws=known)
        assert str(caught.value).endswith("load_fit(path, laws={'onset': Onset}).")
        assert "\n" not in str(caught.value)


def test_nothing_is_imported_from_a_file(onset, tmp_path) -> None:
    path = tmp_path / "fit.json"
    save_fit(onset, path)
    content = json.loads(path.read_text())
    for name in ("outside.law.Onset", "outside.law:Onset", "os.system"):
        content["members"][0]["law"]["law"] = name
        path.write_text(json.dumps(content))
        with pytest.raises(
            ValueError, match=r"a fit of laws in errsrc\.laws\.ALL or in the 'laws' parameter"
        ):
            load_fit(path, laws={"onset": Onset})


def test_laws_that_are_none_and_names_that_are_taken_are_refused(onset, tmp_path) -> None:
    save_fit(onset, tmp_path / "fit.json")
    with pytest.raises(
        TypeError, match=r"'laws' parameter of load_fit must be subclasses of errsrc\.laws\.Law"
    ):
        load_fit(tmp_path / "fit.json", laws={"onset": onset})
    with pytest.raises(TypeError, match="'laws' parameter of load_fit must be a dict of laws by name"):
        load_fit(tmp_path / "fit.json", laws=[Onset])
    with pytest.raises(ValueError, match=r"names that differ from those of errsrc\.laws\.ALL\. Got 'power'"):
        load_fit(tmp_path / "fit.json", laws={"power": Onset})
    assert isinstance(load_fit(tmp_path / "fit.json", laws={"onset": Onset, "power": Power}).law, Onset)


def test_a_law_with_the_name_of_one_of_ours_is_refused_before_it_is_written(onset, tmp_path) -> None:
    power = type("Power", (Onset,), {})
    with pytest.raises(ValueError, match=r"for 'power' is one of ours.* Rename the class\."):
        save_fit(replace(onset, law=power(**onset.law.params)), tmp_path / "fit.json")
    assert not list(tmp_path.iterdir())


def test_a_fit_that_could_not_be_read_back_is_refused_before_it_is_written(onset, tmp_path) -> None:
    draws = {name: np.where(np.arange(len(x)) == 3, np.nan, x) for name, x in onset.draws.items()}
    with pytest.raises(ValueError, match=r"a fit that can be read back.*not finite"):
        save_fit(replace(onset, draws=draws), tmp_path / "fit.json")
    assert not list(tmp_path.iterdir())


def test_a_chain_is_refused(tmp_path) -> None:
    _, sizes, error = pruned_grid(0, 0.0)
    n, m = (x.ravel() for x in np.meshgrid(np.geomspace(250, 4e3, 5), 100 * 2.0 ** np.arange(6)))
    dense = fit(Dense, DENSE.error(n=n, m=m), n=n, m=m, fixed={"eps0": 0.9})
    chain = ChainedFit(dense, fit(JointPruning, error, **sizes))
    with pytest.raises(
        TypeError, match="'result' parameter of save_fit must be a fit of one law, or an average"
    ):
        save_fit(chain, tmp_path / "fit.json")


@pytest.mark.full
def test_an_average_is_read_back(tmp_path) -> None:
    found = auto(Power(0.1, 2.0, 0.5).error(n=N) * (1 + 0.02 * np.sin(np.arange(12) ** 2)), n=N)
    save_fit(replace(found, notes={"columns": {"n": "tokens"}}), tmp_path / "fit.json")
    again = load_fit(tmp_path / "fit.json")
    assert [member.law for member in again.members] == [member.law for member in found.members]
    assert again.weights == found.weights
    assert again.warnings == found.warnings
    assert again.notes == {"columns": {"n": "tokens"}}


def test_every_law_of_ours_has_the_name_that_files_have() -> None:
    @dataclass(frozen=True)
    class Renamed(Power):
        """Not one of ours, though it inherits from one."""

    one = fit(Power, Power(0.1, 2.0, 0.5).error(n=N), n=N)
    assert fit_summary(one)["law"] == "power"
    assert fit_summary(replace(one, law=Renamed(0.1, 2.0, 0.5)))["law"] == "renamed"
    assert all(issubclass(law, Law) for law in laws.ALL.values())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load_fit(3), r"'path' parameter of load_fit must be a path: .* Got 3 instead"),
        (lambda: save_fit(3, None), r"'path' parameter of save_fit must be a path: .* Got None instead"),
        (lambda: save_fit(3, "fit.json"), r"'result' parameter of save_fit must be a fit .* Got 3 instead"),
        (lambda: fit_csv(3), r"'path' parameter of fit_csv must be a path: .* Got 3 instead"),
    ],
)
def test_anything_but_a_path_or_a_fit_is_refused(call, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()
