"""The command line gives what the library gives, and refuses everything else in one sentence."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from amounts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from errsrc.cli import main
from errsrc.errors import EngineError
from errsrc.fitting import files, fit, plan
from errsrc.laws import ALL, M4, Broken, Chinchilla, Cliff, Dense, JointPruning, LayerPruning, Power, Pruning

N = 2.0 ** np.arange(9, 17)
GRID = dict(zip("nm", (x.ravel() for x in np.meshgrid(N, 4.0 ** np.arange(4, 10))), strict=True))
DENSITY = 0.8 ** np.arange(26)

DENSE = Dense(eps0=0.9, alpha=0.66, beta=0.53, b=0.3, c_inf=0.4, eta=19.0, n_full=N[-1], m_base=4.0**9)
CHINCHILLA = Chinchilla(E=1.8, A=9.0, B=20.0, alpha=0.35, beta=0.37)
POWER = Power(c_inf=0.1, a=8.0, alpha=0.45)


def csv_text(columns, delimiter=","):
    rows = [delimiter.join(columns)]
    rows += [
        delimiter.join(map(repr, row))
        for row in zip(*(np.asarray(c).tolist() for c in columns.values()), strict=True)
    ]
    return "\n".join(rows) + "\n"


def points(law, noise=0.0, **inputs):
    error = law.error(**inputs) * np.exp(
        noise * np.random.default_rng(0).standard_normal(len(inputs[law.inputs[0]]))
    )
    return {**inputs, "error": error}


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run the command line in an empty folder; text arguments ``name=text`` become files first."""
    monkeypatch.chdir(tmp_path)

    def call(*argv, **texts):
        for name, text in texts.items():
            path = tmp_path / name.replace("_", ".")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        code = main(list(argv))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def strictly(text):
    """Parse JSON, refusing NaN and Infinity."""

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def refused(result):
    """Return the sentence of a refusal: exit 2, nothing on stdout, one line on stderr."""
    code, out, err = result
    assert code == 2
    assert out == ""
    assert re.fullmatch(r"errsrc: [^\n]+\n", err)
    assert "Traceback" not in err
    assert "internal error" not in err
    return err[len("errsrc: ") : -1]


SYNTHETIC = [
    ("dense", DENSE, GRID, []),
    ("dense", DENSE, GRID, ["--eps0", "0.9"]),
    ("chinchilla", CHINCHILLA, GRID, []),
    ("power", POWER, {"n": N}, []),
    (
        "m4",
        M4(eps0=1.0, c_inf=0.1, a=30.0, alpha=0.6, gamma=0.8),
        {"n": 2.0 ** np.arange(5, 25)},
        ["--eps0", "1"],
    ),
    ("cliff", Cliff(0.02, 3.0, alpha=0.2, n_cliff=9e4, gamma=0.8), {"n": 2.0 ** np.arange(4, 24)}, []),
    ("broken", Broken(a=0.02, b=3.0, c0=0.2, c1=0.5, d1=3000.0, f1=0.3), {"n": 2.0 ** np.arange(4, 24)}, []),
    ("pruning", Pruning(eps_np=0.07, eps_up=0.9, gamma=1.2, p=0.01), {"density": DENSITY}, []),
]


@pytest.mark.full
@pytest.mark.parametrize(("name", "law", "inputs", "options"), SYNTHETIC)
def test_fit_gives_a_laws_own_parameters_back_as_json(run, name, law, inputs, options):
    code, out, _ = run(
        "fit", "a.csv", "--law", name, "--json", *options, a_csv=csv_text(points(law, **inputs))
    )
    assert code == 0
    found = strictly(out)
    assert list(found)[:5] == ["law", "params", "intervals", "divergence", "warnings"]
    assert found["law"] == name
    assert found["params"] == pytest.approx(law.params, rel=1e-3)
    assert set(found["intervals"]) == set(law.params) - ({"eps0"} if options else set())
    assert abs(found["divergence"]["mean"]) < 1e-6
    assert found["divergence"]["std"] < 1e-6
    assert out.count("\n") == 1


JOINT = JointPruning(eps_up=0.9, gamma=1.2, p=0.3, phi=0.8, psi=1.3)


def networks(depths=(8, 14, 26), widths=(0.5, 1, 2), plateau_column=True):
    grid = np.meshgrid(DENSITY, depths, widths, indexing="ij")
    density, depth, width = (x.ravel() for x in grid)
    eps_np = 0.2 / np.sqrt(depth * width)
    columns = {"depth": depth, "width": width, "density": density, "eps_np": eps_np}
    columns["error"] = JOINT.error(**columns)
    if not plateau_column:
        del columns["eps_np"]
    return columns


@pytest.mark.full
def test_pruning_with_depth_and_width_is_the_joint_law(run):
    code, out, _ = run("fit", "a.csv", "--law", "pruning", "--json", a_csv=csv_text(networks()))
    assert code == 0
    assert strictly(out)["params"] == pytest.approx(JOINT.params, rel=1e-3)


@pytest.mark.full
def test_the_law_in_weights_per_layer_is_fitted_and_predicted(run):
    law = LayerPruning(eps_up=0.9, gamma=0.4, p=3.0, psi=-0.1)
    grid = np.meshgrid(0.7 ** np.arange(20), (2.0, 3.0, 5.0), (8.0, 32.0), indexing="ij")
    density, layers, width = (x.ravel() for x in grid)
    columns = {"left": density * width**2 * layers, "layers": layers, "width": width}
    columns |= {"eps_np": 0.2 / width**0.2, "density": density}
    sizes = {name: columns[name] for name in ("layers", "width", "eps_np")}
    columns["error"] = law.error(remaining=columns["left"], **sizes)
    named = ("--law", "layer-pruning", "--remaining", "left")
    code, out, _ = run("fit", "a.csv", *named, "--out", "f.json", a_csv=csv_text(columns))
    assert code == 0
    assert "Each of the 6 networks is a cluster" in out
    assert "'density' varies" not in out
    for word in ("eps_up", "gamma", "psi"):
        assert re.search(rf"^{word} +{re.escape(f'{law.params[word]:.2g}')}", out, re.MULTILINE), out
    code, out, _ = run("predict", "f.json", "a.csv", "--json")
    assert code == 0
    assert strictly(out)["predicted"] == pytest.approx(columns["error"], rel=1e-4)
    at = {"remaining": 100.0, "layers": 4.0, "width": 16.0, "eps_np": 0.12}
    code, out, _ = run("predict", "f.json", *(x for k, v in at.items() for x in (f"--{k}", str(v))), "--json")
    assert code == 0
    assert strictly(out)["predicted"] == pytest.approx([float(law.error(**at))], rel=1e-3)


def test_a_depth_that_never_varies_holds_its_exponent_at_zero(run):
    code, out, _ = run("fit", "a.csv", "--law", "pruning", "--json", a_csv=csv_text(networks(depths=(8,))))
    found = strictly(out)
    assert code == 0
    assert found["params"]["phi"] == 0
    assert found["params"]["psi"] == pytest.approx(1.3, rel=1e-3)
    assert "phi is held at 0: the depth never varies." in found["warnings"]


@pytest.mark.full
def test_pruned_networks_without_eps_np_have_their_plateaus_measured_and_remembered(run):
    measured = networks(plateau_column=False)
    code, out, _ = run("fit", "a.csv", "--out", "f.json", "--json", a_csv=csv_text(measured))
    assert code == 0
    assert strictly(out)["params"] == pytest.approx(JOINT.params, rel=0.2)
    known = {"density": [0.5, 0.1], "depth": [8, 26], "width": [1, 2]}
    code, out, _ = run("predict", "f.json", "b.csv", b_csv=csv_text(known))
    assert code == 0
    predicted = [float(line.split(",")[3]) for line in out.splitlines()[1:]]
    truth = networks()
    rows = [
        (truth["depth"] == d) & (truth["width"] == w) & (np.abs(np.log(truth["density"] / x)) < 0.15)
        for x, d, w in zip(*known.values(), strict=True)
    ]
    assert predicted == pytest.approx([truth["error"][r].mean() for r in rows], rel=0.15)


@pytest.mark.full
def test_predict_measures_the_plateau_of_a_network_it_has_not_seen_or_asks_for_it(run):
    run("fit", "a.csv", "--law", "pruning", "--out", "f.json", a_csv=csv_text(networks(plateau_column=False)))
    new = networks(depths=(50,), widths=(1,), plateau_column=False)
    code, out, _ = run("predict", "f.json", "b.csv", b_csv=csv_text(new))
    assert code == 0
    predicted = np.array([float(line.split(",")[4]) for line in out.splitlines()[1:]])
    assert np.abs(np.log(predicted / new["error"])).max() < 0.2
    del new["error"]
    sentence = refused(run("predict", "f.json", "b.csv", b_csv=csv_text(new)))
    assert "line 2" in sentence
    assert "'eps_np'" in sentence


@pytest.mark.full
def test_an_eps_np_column_serves_predict_too(run):
    run("fit", "a.csv", "--law", "pruning", "--out", "f.json", a_csv=csv_text(networks()))
    new = networks(depths=(50,))
    code, out, _ = run("predict", "f.json", "b.csv", b_csv=csv_text(new))
    assert code == 0
    predicted = [float(line.split(",")[5]) for line in out.splitlines()[1:]]
    assert predicted == pytest.approx(new["error"].tolist(), rel=1e-3)


@pytest.mark.full
def test_the_table_prints_each_interval_by_its_own_rule_and_the_seed_noise(run):
    columns = points(DENSE, noise=0.02, **{k: np.tile(v, 2) for k, v in GRID.items()})
    code, out, err = run("fit", "a.csv", "--law", "dense", a_csv=csv_text(columns))
    expected = fit(Dense, columns["error"], n=columns["n"], m=columns["m"])
    assert (code, err) == (0, "")
    for name, interval in expected.intervals.items():
        assert f"{name:<11} {interval}\n" in out
    assert f"seed noise {expected.seed_noise:.3g}" in out
    assert f"std {expected.divergence_std:.3g}" in out


def test_without_repeats_there_is_no_seed_noise(run):
    _, out, _ = run("fit", "a.csv", "--law", "power", a_csv=csv_text(points(POWER, noise=0.01, n=N)))
    assert "divergence" in out
    assert "seed noise" not in out


@pytest.mark.full
def test_auto_is_the_default_and_predict_gives_what_the_library_gives(run):
    text = csv_text(points(POWER, noise=0.01, n=N))
    code, out, _ = run("fit", "a.csv", "--out", "f.json", a_csv=text)
    assert code == 0
    assert "average of" in out
    sizes = [1e5, 1e6, 1e7]
    code, out, _ = run("predict", "f.json", "b.csv", "--level", "0.5", b_csv=csv_text({"n": sizes}))
    assert code == 0
    expected = files.load_fit("f.json").predict(level=0.5, n=sizes)
    rows = [[float(cell) for cell in line.split(",")] for line in out.splitlines()[1:]]
    np.testing.assert_array_equal(
        np.transpose(rows), [sizes, expected.predicted, expected.low, expected.high]
    )


def test_predictions_and_plans_are_printed_as_json(run):
    run("fit", "a.csv", "--law", "power", "--out", "f.json", a_csv=csv_text(points(POWER, noise=0.01, n=N)))
    found = files.load_fit("f.json")
    code, out, _ = run("predict", "f.json", "b.csv", "--json", b_csv=csv_text({"n": [1e5, 1e6]}))
    assert code == 0
    expected = {name: x.tolist() for name, x in found.predict(n=[1e5, 1e6]).columns().items()}
    assert {name: strictly(out)[name] for name in expected} == expected
    for goal in ({"budget": 1e6}, {"error": 0.13}):
        (name, value), *_ = goal.items()
        code, out, _ = run("plan", "f.json", f"--{name}", str(value), "--json")
        assert code == 0
        assert strictly(out)["n"]["estimate"] == plan(found, **goal).n.estimate
        assert strictly(out)["n"]["low"] == plan(found, **goal).n.low


@pytest.mark.full
def test_auto_takes_n_and_m_where_the_file_has_both(run):
    code, out, _ = run("fit", "a.csv", "--json", a_csv=csv_text(points(DENSE, noise=0.01, **GRID)))
    assert code == 0
    assert strictly(out)["law"] in {name for name, law in ALL.items() if law.inputs == ("n", "m")}


def test_column_names_of_the_fit_are_those_of_predict(run):
    columns = points(CHINCHILLA, **GRID)
    named = {"tokens": columns["n"], "params": columns["m"], "loss": columns["error"]}
    names = ["--n", "tokens", "--m", "params", "--error", "loss"]
    code, _, _ = run("fit", "a.csv", "--law", "chinchilla", *names, "--out", "f.json", a_csv=csv_text(named))
    assert code == 0
    code, out, _ = run("predict", "f.json", "b.csv", b_csv="params,tokens\n1e6,1e9\n")
    assert code == 0
    assert out.splitlines()[0] == "params,tokens,predicted,low,high"
    assert float(out.splitlines()[1].split(",")[2]) == pytest.approx(CHINCHILLA.error(n=1e9, m=1e6), rel=1e-4)


def test_n_full_and_m_base_state_the_unit_of_the_fit(run):
    text = csv_text(points(DENSE, **GRID))
    _, out, _ = run(
        "fit", "a.csv", "--law", "dense", "--json", "--n-full", "1000", "--m-base", "10", a_csv=text
    )
    law = Dense(**strictly(out)["params"], n_full=1000, m_base=10)
    np.testing.assert_allclose(law.error(**GRID), DENSE.error(**GRID), rtol=1e-5)


def test_weights_are_those_of_the_column(run):
    columns = points(POWER, noise=0.05, n=N)
    columns["count"] = np.linspace(1, 5, len(N))
    _, out, _ = run("fit", "a.csv", "--law", "power", "--weight", "count", "--json", a_csv=csv_text(columns))
    expected = fit(Power, columns["error"], n=N, weights=columns["count"])
    assert strictly(out)["params"] == expected.law.params


def test_predict_writes_rows_back_exactly_as_they_were(run):
    run("fit", "a.csv", "--law", "power", "--out", "f.json", a_csv=csv_text(points(POWER, n=N)))
    body = '\ufeffname,"n", x\r\n"a, ""b""\nc",1e3,  0010 \r\n\r\n\u00fc\u2028,1000.0,\r\n'
    code, out, _ = run("predict", "f.json", "b.csv", b_csv=body)
    assert code == 0
    added = ",".join(repr(float(v[0])) for v in files.load_fit("f.json").predict(n=[1e3]).columns().values())
    rows = ['"a, ""b""\nc",1e3,  0010 ', "\u00fc\u2028,1000.0,"]
    assert out == f'name,"n", x,predicted,low,high\n{rows[0]},{added}\n{rows[1]},{added}\n'


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_tabs_and_semicolons_separate_columns_where_the_header_has_no_comma(run, delimiter):
    text = csv_text(points(POWER, n=N), delimiter)
    code, _, _ = run("fit", "a.csv", "--law", "power", "--out", "f.json", a_csv=text)
    assert code == 0
    code, out, _ = run("predict", "f.json", "a.csv")
    assert code == 0
    assert {line.count(delimiter) for line in out.splitlines()} == {4}


@pytest.mark.full
def test_plan_prints_the_librarys_plan_which_inverts_predict(run):
    text = csv_text(points(DENSE, **GRID))
    run("fit", "a.csv", "--law", "dense", "--eps0", "0.9", "--out", "f.json", a_csv=text)
    for argv, goal in ((["--error", "0.05"], {"error": 0.05}), (["--budget", "1e12"], {"budget": 1e12})):
        code, out, _ = run("plan", "f.json", *argv, "--level", "0.8")
        assert code == 0
        expected = plan(files.load_fit("f.json"), **goal, level=0.8)
        rows = dict(line.split(maxsplit=1) for line in out.splitlines()[1:])
        assert list(rows)[:5] == ["n", "m", "cost", "error", "floor"]
        assert [rows[k] for k in list(rows)[:5]] == [str(getattr(expected, k)) for k in list(rows)[:5]]
        sizes = csv_text({"n": [expected.n.estimate], "m": [expected.m.estimate]})
        _, out, _ = run("predict", "f.json", "b.csv", b_csv=sizes)
        assert float(out.splitlines()[1].split(",")[2]) == pytest.approx(expected.error.estimate, rel=1e-9)
        assert expected.error.estimate == pytest.approx(goal.get("error", expected.error.estimate), rel=1e-6)


@pytest.mark.full
def test_a_plan_near_the_floor_has_a_central_size_though_its_interval_is_open(run):
    run("fit", "a.csv", "--law", "power", "--out", "f.json", a_csv=csv_text(points(POWER, noise=0.02, n=N)))
    code, out, _ = run("plan", "f.json", "--error", "0.115")
    assert code == 0
    expected = plan(files.load_fit("f.json"), error=0.115).n
    assert not expected.determined
    assert f"n        {expected.estimate:.2g} [{expected.low:.2g}, not bounded]\n" in out


def test_an_unreachable_error_is_a_no_that_names_the_floor(run):
    run("fit", "a.csv", "--law", "power", "--out", "f.json", a_csv=csv_text(points(POWER, noise=0.01, n=N)))
    code, out, err = run("plan", "f.json", "--error", "0.01")
    assert (code, out) == (1, "")
    assert re.fullmatch(r"errsrc: No size reaches an error of 0.01: the floor of this law is .*0\.1.*\n", err)


def test_a_column_that_a_law_does_not_see_is_warned_of(run):
    code, out, _ = run("fit", "a.csv", "--law", "power", "--json", a_csv=csv_text(points(DENSE, **GRID)))
    assert code == 0
    assert "The column 'm' varies, but the power law does not depend on it." in strictly(out)["warnings"]


GOOD = csv_text(points(POWER, n=N))
ROWS = GOOD.splitlines()[1:]


@pytest.mark.full
@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("", "is empty"),
        ("\n \r\n\n", "is empty"),
        ("\ufeff", "is empty"),
        ("n,error\n", "has a header but no rows"),
        ("n,error\n100,0.5\n", "at least"),
        (
            "n,eror\n1,.5\n",
            "no column 'error'; it has 'n, eror'. Name the column by --error COL (did you mean 'eror'?).",
        ),
        ("tokens,error\n1,.5\n", "no column 'n'"),
        ("n,error\n1,.5\n2,.4,3\n", "line 3: the row has another number of cells: 3, where the header has 2"),
        ("n,error\n1,.5\n2\n", "line 3: the row has another number of cells: 1"),
        ("n,error,n\n1,.5,1\n", "more than one column 'n'"),
        ("n,error\n1,.5\n\n2,\n", "1 of 2 rows is left out: 1 without an error (line 4)"),
        (
            'n,error\n"1\n",.5\nabc,.4\n',
            "line 4: the column 'n' must be a finite number > 0. Got 'abc' instead",
        ),
        ("n,error\n0,.5\n2,.4\n", "1 with n of 0 (line 2)"),
        ("n,error\n1,.5\n2,-0.4\n", "1 with an error < 0 (line 3)"),
        ("n,error\n1,nan\n2,.4\n", "1 with an error of NaN (line 2)"),
        ("n,error\n1,.5\n2,inf\n", "1 with an infinite error (line 3)"),
        ("n,error\n1,.5\n2,1e999\n", "1 with an infinite error (line 3)"),
        ("n,m,error\n1,-1,.5\n", "a.csv has no row that can be used: 1 of 1 rows is left out: 1 with m < 0"),
        ("n,error\n1,\x00\n", "binary"),
        (b"\x89PNG\r\n\x1a\n\x00\x01\xff", "UTF-8"),
        ("n,error\n1,.5\n".encode("utf-16"), "two different sizes"),
        ("n,error\n1,.5\n".encode("utf-16-le"), "two different sizes"),
        ('n,error\n1,"0.5\n', "line 2: not a row of a CSV file"),
        (f'n,error\n1,"{"x" * 200_000}"\n', "not a row of a CSV file"),
        ("n,error\n" + "1000,0.5\n1000,0.4\n" * 5, "two different sizes"),
        ("n,error\n1,.5\n2,.4\n", "more points than the 3 free"),
        ("1000,0.5\n2000,0.4\n", "no columns 'n' and 'error'; it has '1000, 0.5'"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(run, text, fragment):
    assert fragment in refused(run("fit", "a.csv", a_csv=text))


@pytest.mark.parametrize(
    ("argv", "fragment"),
    [
        ([], "required: COMMAND"),
        (["fits"], "invalid choice"),
        (["fit"], "required: FILE"),
        (["fit", "a.csv", "--law", "densse"], "invalid choice: 'densse'"),
        (["fit", "a.csv", "--law", "joint-pruning"], "invalid choice"),
        (["fit", "a.csv", "--levels", "0.9"], "unrecognized arguments"),
        (["fit", "a.csv", "two\nlines"], "unrecognized arguments"),
        (["fit", "a.csv", "--level", "x"], "invalid float value: 'x'"),
        (["fit", "a.csv", "--law", "power", "--level", "90"], "--level must be"),
        (["fit", "a.csv", "--law", "power", "--level", "nan"], "--level must be"),
        (["fit", "a.csv", "--law", "dense"], "no column 'm'"),
        (["fit", "a.csv", "--law", "pruning"], "no column 'density'"),
        (["fit", "a.csv", "--law", "power", "--eps0", "0.9"], "has no eps0: leave it out"),
        (["fit", "a.csv", "--law", "power", "--n-full", "9"], "has no n_full: leave it out"),
        (["fit", "a.csv", "--law", "power", "--m", "error"], "takes n: leave the column of m out"),
        (["fit", "a.csv", "--law", "power", "--fix", "alfa=0.5"], "no alfa (did you mean 'alpha'?)"),
        (["fit", "a.csv", "--law", "power", "--fix", "alpha"], "'alpha' is not NAME=VALUE"),
        (["fit", "a.csv", "--law", "power", "--fix", "=1"], "'=1' is not NAME=VALUE"),
        (["fit", "a.csv", "--law", "power", "--fix", "alpha=x"], "'alpha=x' is not NAME=VALUE"),
        (["fit", "a.csv", "--law", "power", "--fix", "alpha=nan"], "--fix alpha must be"),
        (["fit", "a.csv", "--law", "power", "--fix", "a=1"], "fixed together with alpha"),
        (["fit", "a.csv", "--law", "m4", "--fix", "eps0=0.9", "--eps0", "0.9"], "eps0 is given twice"),
        (["fit", "a.csv", "--law", "power", "--objective", "hubr"], "invalid choice: 'hubr'"),
        (["fit", "a.csv", "--law", "power", "--delta", "1e-3"], "unless objective is 'huber'"),
        (
            ["fit", "a.csv", "--law", "power", "--objective", "huber", "--delta", "0"],
            "--delta must be a finite number > 0. Got 0.0",
        ),
        (["fit", "a.csv", "--objective", "log"], "name one law to set it"),
        (["fit", "a.csv", "--law", "m4", "--eps0", "0.2"], "numbers <= eps0 = 0.2"),
        (["fit", "a.csv", "--eps0", "0.2"], "numbers <= eps0 = 0.2"),
        (["fit", "a.csv", "--eps0", "-1"], "--eps0 must be"),
        (["fit", "a.csv", "--weight", "w"], "no column 'w'"),
        (["fit", "a.csv", "--n", "N"], "no column 'N'"),
        (["fit", "nowhere.csv"], "nowhere.csv: No such file or directory."),
        (["fit", "."], ".: Is a directory."),
        (["fit", "a\0.csv"], "null"),
        (["fit", "a.csv", "--out", "."], "is a folder"),
        (["fit", "a.csv", "--out", "no/where.json"], "there is no folder"),
        (["fit", "nowhere.csv", "--out", "no/where.json"], "there is no folder"),
        (["fit", "a.csv", "--out", "./a.csv"], "would be overwritten"),
        (["fit", "a.csv", "--out", "a.csv/b"], "there is no folder"),
        (["predict", "a.csv", "a.csv"], "a fit that errsrc wrote"),
        (["predict", "nowhere.json", "a.csv"], "No such file"),
        (["plan", "a.csv", "--error", "0.1"], "a fit that errsrc wrote"),
        (["plan", "a.csv"], "one of the arguments --error --budget is required"),
        (["plan", "a.csv", "--error", "1", "--budget", "1"], "not allowed with"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(run, argv, fragment):
    assert fragment in refused(run(*argv, a_csv=GOOD))


@pytest.mark.parametrize(
    ("law", "text", "fragment"),
    [
        ("dense", csv_text(points(DENSE, m=GRID["m"], n=np.full(48, 1e4))), "'n' is 10000 in every row"),
        ("chinchilla", csv_text(points(DENSE, m=GRID["m"], n=np.full(48, 1e4))), "'n' is 10000 in every row"),
        ("auto", csv_text(points(DENSE, m=GRID["m"], n=np.full(48, 1e4))), "'n' is 10000 in every row"),
        (
            "dense",
            csv_text({k: v[::10] for k, v in points(DENSE, n=GRID["n"], m=GRID["m"]).items()}),
            "more points than the",
        ),
        ("pruning", csv_text({"density": [1.0] * 9, "error": [0.1] * 9}), "two different sizes"),
    ],
)
def test_points_that_do_not_tell_the_parameters_are_refused(run, law, text, fragment):
    assert fragment in refused(run("fit", "a.csv", "--law", law, a_csv=text))


def test_a_density_above_1_is_refused_by_fit_and_predict(run):
    text = csv_text(points(SYNTHETIC[-1][1], density=DENSITY))
    sentence = "The values of density must be finite numbers > 0 and <= 1. Got 1.5 instead."
    assert run("fit", "a.csv", "--law", "pruning", "--out", "f.json", a_csv=text)[0] == 0
    assert sentence in refused(run("predict", "f.json", "b.csv", b_csv="density\n0.5\n1.5\n"))
    more = text.rstrip() + "\n1.5,0.1\n"
    assert sentence in refused(run("fit", "a.csv", "--law", "pruning", a_csv=more))


def test_no_file_is_lost_to_a_failure(run, tmp_path):
    (tmp_path / "f.json").write_text("precious")
    refused(run("fit", "a.csv", "--out", "f.json", a_csv="n,error\n1,.5\n"))
    assert (tmp_path / "f.json").read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "f.json"]
    code, _, _ = run("fit", "a.csv", "--law", "power", "--out", "f.json", a_csv=GOOD)
    assert code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "f.json"]
    assert files.load_fit(tmp_path / "f.json").input_names == ("n",)


def test_an_engine_that_cannot_go_on_is_a_sentence(run, monkeypatch):
    def compute(*args, **kwargs):
        raise EngineError("The scheduler is lost.")

    monkeypatch.setattr("errsrc.cli.stores.compute", compute)
    spec = 'kind = "vision"\n[cell]\ndataset = "digits"\nfamily = "mlp"\nwidth = 8\nn = 45\nvalidation = 9\n'
    assert run("run", "a.toml", a_toml=spec) == (2, "", "errsrc: The scheduler is lost.\n")


@pytest.mark.full
def test_a_joint_law_that_is_no_candidate_is_said(run):
    text = csv_text(points(DENSE, 0.01, **GRID))
    for more, said in ((), True), (("--eps0", "0.9"), False):
        _, out, _ = run("fit", "a.csv", "--json", *more, a_csv=text)
        assert ("needs eps0" in " ".join(strictly(out).get("remarks", []))) is said


def test_a_fit_that_cannot_be_written_is_refused(run):
    sentence = refused(run("fit", "a.csv", "--law", "power", "--out", "/dev/full", a_csv=GOOD))
    assert "No space left" in sentence


def test_a_file_that_is_no_fit_is_refused(run):
    run("fit", "a.csv", "--law", "power", "--out", "f.json", a_csv=GOOD)
    with open("f.json") as file:
        content = json.load(file)
    for bad in (
        "", "{}", "[]", "null", "1", '"x"', b"\xff\xfe\x00", "[" * 100_000,
        json.dumps(content)[:-20],
        json.dumps({**content, "members": 3}),
        json.dumps({**content, "weights": ["a"]}),
        json.dumps({**content, "format": "errsrc fit 999"}),
        json.dumps({**content, "notes": 3}),
        json.dumps({k: v for k, v in content.items() if k != "notes"}),
    ):  # fmt: skip
        assert "a fit that errsrc wrote" in refused(run("predict", "b.json", "a.csv", b_json=bad))


@pytest.mark.parametrize(
    "notes", [{"columns": 3}, {"columns": {"n": "n"}}, {"columns": {"n": 1, "error": "e"}}]
)
def test_notes_that_are_none_are_refused(run, notes):
    files.save_fit(replace(fit(Power, POWER.error(n=N), n=N), notes=notes), "f.json")
    assert "notes of the fit" in refused(run("predict", "f.json", "a.csv", a_csv=GOOD))


def test_a_fit_saved_by_the_library_is_predicted_by_its_own_names(run):
    expected = fit(Power, POWER.error(n=N), n=N)
    files.save_fit(expected, "f.json")
    code, out, _ = run("predict", "f.json", "a.csv", a_csv="n\n1000\n")
    assert code == 0
    assert float(out.splitlines()[1].split(",")[1]) == expected.predict(n=1000.0).predicted


def test_predict_refuses_a_file_without_the_sizes_or_with_its_results(run):
    run("fit", "a.csv", "--law", "power", "--out", "f.json", a_csv=GOOD)
    assert "no column 'n'" in refused(run("predict", "f.json", "b.csv", b_csv="m,error\n1,2\n"))
    assert "no row can be predicted: 1 of 1 rows is left out: 1 with n < 0 (line 2)" in refused(
        run("predict", "f.json", "b.csv", b_csv="n\n-2\n")
    )
    assert "already has a column 'low'" in refused(run("predict", "f.json", "b.csv", b_csv="n,low\n1,2\n"))
    assert "--level must be" in refused(run("predict", "f.json", "a.csv", "--level", "1"))
    assert "--error must be" in refused(run("plan", "f.json", "--error", "-1"))
    assert "--budget must be" in refused(run("plan", "f.json", "--budget", "nan"))


def test_plan_refuses_a_law_that_has_no_data_size(run):
    text = csv_text(points(SYNTHETIC[-1][1], density=DENSITY))
    code, _, _ = run("fit", "a.csv", "--law", "pruning", "--out", "f.json", a_csv=text)
    assert code == 0
    assert "a law in n" in refused(run("plan", "f.json", "--error", "0.1"))


def test_debug_shows_where_an_error_came_from(run):
    with pytest.raises(FileNotFoundError):
        run("fit", "nowhere.csv", "--debug")


def test_help_names_every_law_every_column_and_the_exit_codes(run, capsys):
    for argv in (["--help"], ["fit", "--help"], ["predict", "--help"], ["plan", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(argv)
        assert stop.value.code == 0
    text = capsys.readouterr().out
    laws = set(ALL) - {"joint-pruning"}
    for word in (*laws, "n ", "m ", "depth", "width", "density", "error", "eps_np"):
        assert re.search(rf"^  (\w+, )?{word}", text, re.MULTILINE), word
    assert "0 done; 1 the answer is no" in text


def shell(command, cwd):
    return subprocess.run(command, shell=True, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.mark.full
def test_as_a_process_it_refuses_without_a_traceback_and_bears_a_closed_pipe(tmp_path):
    errsrc = f"'{sys.executable}' -m errsrc"
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "b.csv").write_text("n\n" + "1000\n" * 20_000)
    bad = shell(f"{errsrc} fit nowhere.csv", tmp_path)
    assert (bad.returncode, bad.stdout, bad.stderr) == (
        2,
        "",
        "errsrc: nowhere.csv: No such file or directory.\n",
    )
    good = shell(f"{errsrc} fit a.csv --law power --out f.json --json", tmp_path)
    assert (good.returncode, good.stderr) == (0, "errsrc: wrote f.json\n")
    assert strictly(good.stdout)["law"] == "power"
    closed = shell(f"({errsrc} predict f.json b.csv; echo $? >code) | head -1", tmp_path)
    assert closed.stdout == "n,predicted,low,high\n"
    assert "Traceback" not in closed.stderr
    assert "pipe" not in closed.stderr.lower()
    assert (tmp_path / "code").read_text() == "0\n"


@pytest.mark.full
@pytest.mark.parametrize("law", [[], ["--law", "power"]])
def test_fit_imports_numpy_and_scipy_special_alone(tmp_path, law):
    (tmp_path / "a.csv").write_text(GOOD)
    slow = {"torch", "matplotlib", "sympy", "scipy.stats", "scipy.optimize", "sklearn", "hypothesis"}
    slow |= {"jinja2", "narwhals", "pandas", "polars", "pyarrow"}
    code = (
        f"import sys; from errsrc.cli import main; main(['fit', 'a.csv', *{law}]); "
        f"print({slow} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert result.stdout.splitlines()[-1] == "set()"


NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.floats(1e-3, 1e6).map(repr),
    st.integers(-2, 10**30).map(str),
    st.sampled_from(["", "abc", '"', "1,2", " 3 ", "1e400", "\u0661", "1_0"]),
)
LAWS = st.sampled_from(["auto", "power", "dense", "chinchilla", "m4", "broken", "cliff", "pruning"])


@st.composite
def csv_like(draw):
    columns = draw(
        st.lists(st.sampled_from(["n", "m", "error", "density", "depth", "x", ""]), max_size=5, unique=True)
    )
    rows = draw(st.lists(st.lists(NUMBERS, min_size=len(columns), max_size=len(columns)), max_size=8))
    junk = draw(st.sampled_from(["", "", "", "\n", "a,b\n", '"']))
    return "\n".join(",".join(row) for row in [columns, *rows]) + junk


def holds_the_contract(capsys, path, content, argv):
    path.write_bytes(content)
    code = main(argv)
    captured = capsys.readouterr()
    assert code in (0, 1, 2)
    assert "internal error" not in captured.err
    if code == 0:
        strictly(captured.out)
    else:
        assert captured.out == ""
        assert re.fullmatch(r"errsrc: [^\n]+\.\n", captured.err)


FUZZ = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.full
@FUZZ
@given(content=st.binary(max_size=200), law=LAWS)
def test_any_bytes_are_fitted_or_refused(capsys, tmp_path, content, law):
    path = tmp_path / "a.csv"
    holds_the_contract(capsys, path, content, ["fit", str(path), "--law", law, "--json"])


@pytest.mark.full
@FUZZ
@given(text=csv_like(), law=LAWS)
def test_any_table_is_fitted_or_refused(capsys, tmp_path, text, law):
    path = tmp_path / "a.csv"
    holds_the_contract(capsys, path, text.encode(), ["fit", str(path), "--law", law, "--json"])


@pytest.mark.full
@settings(FUZZ, max_examples=examples(20))  # each one is a fit, or several
@given(data=st.data(), law=LAWS)
def test_any_positive_points_are_fitted_or_refused(capsys, tmp_path, data, law):
    rows = data.draw(st.integers(6, 12))
    scale = data.draw(st.sampled_from([1.0, 1e-6, 1e12]))
    values = st.lists(st.floats(0.01, 100.0), min_size=rows, max_size=rows)
    names = ["density"] if law == "pruning" else ["n", "m"] if law in ("dense", "chinchilla") else ["n"]
    columns = {name: np.array(data.draw(values)) * scale for name in [*names, "error"]}
    path = tmp_path / "a.csv"
    holds_the_contract(capsys, path, csv_text(columns).encode(), ["fit", str(path), "--law", law, "--json"])


BUDGET = """
kind = "budget"
[cell]
setting = {kind = "linear-teacher", dim = 3, channel = {kind = "gaussian", noise_std = 0.5}}
draws = 4
[factors]
n = [2, 4]
[[factors.learner]]
kind = "ridge"
[[factors.learner]]
kind = "minimum-norm"
"""


@pytest.mark.full
def test_a_budget_is_printed_and_drawn(run, tmp_path, one_process):
    code, shown, _ = run("budget", "budget.toml", budget_toml=BUDGET)
    assert code == 0
    assert shown.count("uncertainty") == 2
    assert "MinimumNorm(cutoff=None)\nin LinearTeacher(" in shown
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        f"budget_{i}_{name}.png" for i in (1, 2) for name in ("shares", "terms")
    ]
    rows = json.loads(run("budget", "budget.toml", "--json")[1])
    assert [row["n"] for row in rows] == [2, 2, 4, 4]
    stated = [row for row in rows if row["total.low"] is not None]
    assert {row["learner.kind"] for row in rows if row not in stated} == {"minimum-norm"}  # infinite mean
    assert all(row["total.low"] <= row["total"] <= row["total.high"] for row in stated)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n = [2, 4]", "n = [0]", "'n' parameter of BudgetCell must be an integer >= 1. Got 0"),
        ("dim = 3", "dims = 3", r"unknown key 'dims' in \[cell.setting\] (did you mean 'dim'?)"),
        ("linear-teacher", "liner-teacher", "did you mean 'linear-teacher'"),
        ("noise_std = 0.5", "noise_std = -1", "'noise_std' parameter of Gaussian"),
        ("draws = 4", "draws = 1", "'draws' parameter of BudgetCell"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(capsys, tmp_path, old, new, message):
    (tmp_path / "budget.toml").write_text(BUDGET.replace(old, new))
    assert main(["budget", str(tmp_path / "budget.toml")]) == 2
    error = capsys.readouterr().err
    assert message.replace("\\", "") in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.full
def test_a_learner_that_does_not_fit_the_setting_fails_with_a_sentence(run, one_process):
    band = 'kind = "band-least-squares"\nbasis = {kind = "torus", degree = 2}'
    wrong = BUDGET.replace('kind = "minimum-norm"', band)
    code, _, error = run("budget", "budget.toml", budget_toml=wrong)
    assert code == 2
    assert "The 'learner' parameter of BudgetCell must be one for" in error
    assert "as the setting has" in error
    assert "Traceback" not in error


def test_a_study_of_another_kind_is_no_budget(capsys, tmp_path):
    (tmp_path / "grid.toml").write_text(
        'kind = "vision"\ncell = {dataset = "digits", family = "mlp", width = 8, n = 90, validation = 397}'
    )
    assert main(["budget", str(tmp_path / "grid.toml")]) == 2
    assert "of kind 'vision', and not of kind 'budget'" in capsys.readouterr().err
