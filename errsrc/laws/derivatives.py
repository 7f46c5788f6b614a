"""Numpy code for the formula of a law and its exact derivatives: no finite differences.

The laws of ``errsrc.laws.ALL`` have this code written out in `errsrc.laws.gradients`, because sympy takes
longer to import than a fit takes to run.  For any other law sympy makes the same code at run time.  After a
change to a formula, `make gradients` writes the file again.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.laws.law import Law, symbol


def compiled(law: type[Law]) -> Callable[..., list[Any]]:
    """Return numpy code for the formula of a law and its gradient.

    The function takes the inputs, then the parameters, as arrays that broadcast, in the order of the law, and
    returns [error, d error / d parameter_1, ...].

    Parameters
    ----------
    law : type of Law
        The law.
    """
    from errsrc.laws.gradients import GRADIENTS  # here, so that this module can write a file that is missing

    return GRADIENTS.get(law) or lambdified_gradient(law)


def compiled_error(law: type[Law]) -> Callable[..., Any]:
    """Return numpy code for the formula of a law alone, with the arguments of `compiled`.

    Parameters
    ----------
    law : type of Law
        The law.
    """
    from errsrc.laws.gradients import ERRORS

    return ERRORS.get(law) or lambdified_error(law)


def equation(law: type[Law]) -> str:
    """Return the text of `Law.equation`, without sympy for a law that is written out.

    Parameters
    ----------
    law : type of Law
        The law.
    """
    from errsrc.laws.gradients import EQUATIONS

    return EQUATIONS.get(law) or law.equation()


def check_error(law: Law, inputs: Mapping[str, Any], predicted: Any) -> None:
    """Check that `Law.error` of a law of the caller gives what its formula predicts after a fit.

    A fit works with the formula, in scaled units.  The two differ where `Law.error` is another function, and
    where the unit of a parameter is not the declared one.

    Parameters
    ----------
    law : Law
        The fitted law.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs in natural units; other quantities are ignored.
    predicted : ndarray of float64, shape (points,)
        What the formula predicts, in natural units.

    Raises
    ------
    ValueError
        If they differ by more than one part in a thousand.
    """
    from errsrc.laws.gradients import ERRORS

    if type(law) in ERRORS:
        return
    error = np.broadcast_to(law.error(**{name: inputs[name] for name in law.inputs}), predicted.shape)
    differs = ~np.isclose(error, predicted, rtol=1e-3, atol=0)
    if differs.any():
        name, first = type(law).__name__, int(differs.argmax())
        accepted = "the same law as its formula, with parameters in the units that they declare"
        got = f"<{error[first]:g} where the formula gives {predicted[first]:g}>"
        message = checks.refusal("error", name, accepted, got).replace("parameter", "method", 1)
        raise ValueError(f"{message} errsrc.testing.check_law({name}) says more.")


@functools.cache
def lambdified_gradient(law: type[Law]) -> Callable[..., list[Any]]:
    """Return the code that `compiled` returns; sympy makes it from `Law.formula`, for any law.

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
    """Return the code of `compiled_error` as sympy makes it from `Law.formula`, for any law.

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
    """Return the numpy code of the functions in a formula that have their own, by name."""
    import sympy

    code: dict[str, Callable[..., Any]] = {}
    for function in law.formula().atoms(sympy.Function):
        code.update(getattr(type(function), "numpy", {}))
    return code


def written_out() -> str:
    """Return the text of `errsrc.laws.gradients`, which `ruff format` then formats."""
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
