"""The names that tab completion shows for a package: the names that the package exports."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable


def exported_names(module: str, modules: tuple[str, ...] = ()) -> Callable[[], list[str]]:
    """Return a ``__dir__`` function for a package or module: it lists the names that are meant for users.

    A package exports the names that come from errsrc; a module exports the names that it defines.

    Parameters
    ----------
    module : str
        Name of the package or module.
    modules : tuple of str
        Names of modules that the package exports.

    Returns
    -------
    callable
        A function that returns the names in alphabetical order.
    """

    def exported(name: str, value: object) -> bool:
        if name.startswith("_") or name == "TYPE_CHECKING":
            return False
        if isinstance(value, types.ModuleType):
            return name in modules
        home = str(getattr(value, "__module__", type(value).__module__))
        if home == "builtins":  # constants, and aliases of types
            return True
        if hasattr(sys.modules[module], "__path__"):
            return home.startswith("errsrc.") and home not in ("errsrc.extras", "errsrc.moved", __name__)
        return home == module

    def names() -> list[str]:
        return sorted(name for name, value in vars(sys.modules[module]).items() if exported(name, value))

    return names
