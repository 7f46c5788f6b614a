"""Numpy code for the formula of a law and its exact derivatives: no finite differences.

The module `errsrc.laws.gradients` contains this code for the laws of ``errsrc.laws.ALL``, because importing
sympy takes longer than running a fit.  For any other law, sympy generates the code at run time.  After a
change of a formula, run ``make gradients`` to write the module again.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.laws.law import Law, symbol


def compiled(law: type[Law]) -> Callable[..., list[Any]]:
    """Return numpy code for the formula of a law and its gradient.

    The code is a function.  Its arguments are the inputs of the law and then the parameters, in the order of
    the law, as arrays that broadcast.  It returns [error, d error / d parameter_1, ...].

    Parameters
    ----------
    law : type of Law
        The law.
    """
    from errsrc.laws.gradients import GRADIENTS  # here, so that the file can be made if it is missing

    return GRADIENTS.get(law) or lambdified_gradient(law)


def compiled_error(law: type[Law]) -> Callable[..., Any]:
    """Return numpy code for the formula of a law, without its gradient.

    The code is a function with the same arguments as the code of `compiled`.  It returns the error.

    Parameters
    ----------
    law : type of Law
        The law.
    """
    from errsrc.laws.gradients import ERRORS

    return ERRORS.get(law) or lambdified_error(law)


def equation(law: type[Law]) -> str:
    """Return the text of `Law.equation`; for laws of ``errsrc.laws.ALL`` this does not import sympy.

    Parameters
    ----------
    law : type of Law
        The law.
    """
    from errsrc.laws.gradients import EQUATIONS

    return EQUATIONS.get(law) or law.equation()


def check_error(law: Law, inputs: Mapping[str, Any], predicted: Any) -> None:
    """Check that `Law.error` of a user's law agrees with the law's formula at the points of a fit.

    A fit uses the formula, in scaled units.  The values of `Law.error` and of the formula differ for one of
    two reasons: the two are different functions, or the declared unit of a parameter is wrong.

    Parameters
    ----------
    law : Law
        The fitted law.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs in the given units; other quantities are ignored.
    predicted : ndarray of float64, shape (points,)
        Predictions of the formula, in the units of the given errors.

    Raises
    ------
    ValueError
        If `Law.error` and the predictions differ by more than one part in a thousand.
    """
    from errsrc.laws.gradients import ERRORS

    if type(law) in ERRORS:
        return
    points = {name: inputs[name] for name in law.inputs}
    error = np.broadcast_to(law.error(**points), predicted.shape)
    differs = ~np.isclose(error, predicted, rtol=1e-3, atol=0)
    if differs.any():
        name, first = type(law).__name__, int(differs.argmax())
        got = f"<{error[first]:g} where the formula gives {predicted[first]:g}>"
        accepted = "the same law as its formula, with parameters in the units that they declare"
        if advice := _unit_advice(law, points):
            accepted, got = "the same law in all units of its inputs", got[:-1] + " in scaled units>"
        message = checks.refusal("error", name, accepted, got).replace("parameter", "method", 1)
        raise ValueError(f"{message} {advice or f'errsrc.testing.check_law({name}) says more.'}")


def _unit_advice(law: Law, points: Mapping[str, Any]) -> str:
    """Return a sentence on what to declare if other units of the inputs change the law; otherwise ""."""
    groups: dict[str, list[str]] = {}
    for name in law.inputs:
        if name not in (*law.error_inputs, *law.dimensionless):
            groups.setdefault(law.shared_units.get(name, name), []).append(name)
    wrong = [first for first, group in groups.items() if not _same_in_other_units(law, points, group)]
    if not wrong:
        return ""
    name, first = type(law).__name__, wrong[0]
    if len(wrong) == 1:
        declared = f"if {first} has no unit, declare dimensionless = ({first!r},) in {name}"
        return f"Correct the units of the parameters, or, {declared}."
    if _same_in_other_units(law, points, [one for other in wrong for one in groups[other]]):
        declared = f"shared_units = {dict.fromkeys(wrong[1:], first)}"
        return f"If {' and '.join(wrong)} have one unit, declare {declared} in {name}."
    listed = f"inputs of one unit in {name}.shared_units and inputs without a unit in {name}.dimensionless"
    return f"Declare {listed}: {', '.join(wrong)} may be such inputs."


def _same_in_other_units(law: Law, points: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Return whether the law gives the same errors at `points` if the unit of some inputs changes."""
    factors = dict.fromkeys(names, 0.1 if any(name in law.at_most for name in names) else 10.0)
    moved = {name: x * factors.get(name, 1.0) for name, x in points.items()}
    with np.errstate(all="ignore"):
        other = law.rescaled(factors).error(**moved)
        return bool(np.allclose(other, law.error(**points), rtol=1e-3, atol=0, equal_nan=True))


@functools.cache
def lambdified_gradient(law: type[Law]) -> Callable[..., list[Any]]:
    """Return a function with the arguments and results of `compiled`, made by sympy from `Law.formula`.

    Parameters
    ----------
    law : type of Law
        The law.
    """
    import sympy

    formula = _expression(law)
    return _lambdified(law, [formula, *(sympy.diff(formula, symbol(p.name)) for p in law.parameters())])


@functools.cache
def lambdified_error(law: type[Law]) -> Callable[..., Any]:
    """Return a function with the arguments and results of `compiled_error`, made by sympy.

    Sympy generates the code of the function from `Law.formula`.

    Parameters
    ----------
    law : type of Law
        The law.
    """
    return _lambdified(law, _expression(law))


def _expression(law: type[Law]) -> Any:
    """Return the formula of a law; raise an error if it is no sympy expression."""
    import sympy

    formula = law.formula()
    if not isinstance(formula, sympy.Expr):
        got = f"<a {type(formula).__name__} from {law.__name__}.formula()>"
        raise TypeError(checks.refusal("law", "fit", "one whose formula is a sympy expression", got))
    return formula


def _lambdified(law: type[Law], expression: Any) -> Callable[..., Any]:
    """Return numpy code for one or several sympy expressions in the inputs and parameters of a law."""
    import sympy

    symbols = [symbol(name) for name in (*law.inputs, *(p.name for p in law.parameters()))]
    unknown = {str(s) for s in law.formula().free_symbols} - {str(s) for s in symbols}
    if unknown:
        accepted = "in the inputs and parameters only"
        raise ValueError(checks.refusal("formula", law.__name__, accepted, sorted(unknown)))
    modules = [_numpy_functions(law), "numpy"]
    code: Callable[..., Any] = sympy.lambdify(symbols, expression, modules=modules, cse=True)
    return code


def _numpy_functions(law: type[Law]) -> dict[str, Callable[..., Any]]:
    """Return {name: numpy code} for the functions in a formula that bring numpy code with them."""
    import sympy

    code: dict[str, Callable[..., Any]] = {}
    for function in law.formula().atoms(sympy.Function):
        code.update(getattr(type(function), "numpy", {}))
    return code


def written_out() -> str:
    """Return the source text of `errsrc.laws.gradients`, before `ruff format` formats it."""
    import sympy

    from errsrc.laws import ALL

    imports, functions, equations, errors, gradients = {("errsrc.laws.law", "Law")}, [], [], [], []
    classes: list[Any] = list(ALL.values())
    for law in classes:
        name = law.__module__.rpartition(".")[2]
        functions.append(_typed_source(lambdified_error(law), f"_{name}_error", "Any"))
        functions.append(_typed_source(lambdified_gradient(law), f"_{name}_gradient", "list[Any]"))
        equations.append(f"    {law.__name__}: {json.dumps(law.equation())},")
        errors.append(f"    {law.__name__}: _{name}_error,")
        gradients.append(f"    {law.__name__}: _{name}_gradient,")
        imports.add((law.__module__, law.__name__))
        for alias, function in _numpy_functions(law).items():
            imports.add((function.__module__, f"{function.__name__} as {alias}"))
    called = set(re.findall(r"\b([a-z]\w*)\(", "\n".join(functions)))
    return _TEMPLATE.format(
        version=sympy.__version__,
        numpy=", ".join(sorted(name for name in called if hasattr(np, name))),
        imports="\n".join(f"from {module} import {name}" for module, name in sorted(imports)),
        functions="\n\n".join(functions),
        equations="\n".join(equations),
        errors="\n".join(errors),
        gradients="\n".join(gradients),
    )


def _typed_source(code: Callable[..., Any], name: str, returned: str) -> str:
    """Return the source of a lambdified function under another name, with types."""
    head, body = inspect.getsource(code).split("\n", 1)
    arguments = re.findall(r"\w+", head.partition("(")[2])
    return f"def {name}({', '.join(f'{argument}: Any' for argument in arguments)}) -> {returned}:\n{body}"


_TEMPLATE = '''\
"""Formulas and gradients of the laws of ``errsrc.laws.ALL`` as numpy code.

Written by `make gradients` with sympy {version}; not to be edited.  See `errsrc.laws.derivatives`.
"""

from collections.abc import Callable
from typing import Any

from numpy import {numpy}

{imports}

{functions}

EQUATIONS: dict[type[Law], str] = {{
{equations}
}}
"""{{law: its equation}}, as `errsrc.laws.derivatives.equation` returns it."""

ERRORS: dict[type[Law], Callable[..., Any]] = {{
{errors}
}}
"""{{law: code of its formula}}, as `errsrc.laws.derivatives.compiled_error` returns it."""

GRADIENTS: dict[type[Law], Callable[..., list[Any]]] = {{
{gradients}
}}
"""{{law: code of its formula and derivatives}}, as `errsrc.laws.derivatives.compiled` returns it."""
'''


if __name__ == "__main__":
    print(written_out(), end="")
