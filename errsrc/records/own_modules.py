"""Users' modules: errsrc imports a module if a command or a call names it, and never because a file does.

A file, such as the TOML file of a study, can name what such a module defines: a kind of study, a class, or a
function that makes a network.  `import_modules` imports the modules.  `find` looks up a name from a file.
`WithModules` is a function for other processes, which import the same modules before they call it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import pickle
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from errsrc import checks

_MODULES: dict[str, ModuleType] = {}


def import_modules(
    names: str | Iterable[str], option: str = "modules", where: str = "errsrc"
) -> list[ModuleType]:
    """Import modules of the user.  Files can then name what these modules define.

    A module is found in the working directory, among the installed packages, or in a folder of PYTHONPATH.

    Parameters
    ----------
    names : str or iterable of str
        Names of modules, such as "mylab.experiments".  Commas may separate names within one string.
    option, where : str
        Names of the argument and of its function, for error messages.

    Returns
    -------
    list of module
        The modules.

    Raises
    ------
    TypeError
        If a name is not a string.
    ValueError
        If a module is not found, or if its import raises an error.
    """
    given = [names] if isinstance(names, str) else list(names)
    modules = []
    for name in given:
        if not isinstance(name, str):
            raise TypeError(checks.refusal(option, where, "names of modules", name))
        for part in name.split(","):
            modules.append(_imported(part.strip(), option, where))
    return modules


def imported_modules() -> dict[str, ModuleType]:
    """Return the modules that `import_modules` has imported in this process; the keys are their names."""
    return dict(_MODULES)


def digests() -> dict[str, str]:
    """Return a dict from the names of the imported modules to digests of their files.

    Returns
    -------
    dict of str to str
        12 hexadecimal digits for each module.  The digits change if the file changes.
    """
    return {name: _digest(name) for name in sorted(_MODULES)}


def find(reference: str, name: str, where: str) -> Any:
    """Return the object for which a reference such as "mylab.models:SmallViT" stands.

    Parameters
    ----------
    reference : str
        The module, a colon, and the name of the object in the module.
    name, where : str
        Name of the field and of its class, for error messages.

    Returns
    -------
    object
        The object.

    Raises
    ------
    ValueError
        If the text has another form, if `import_modules` has not imported the module, or if the module has no
        such name.
    """
    module, colon, path = reference.partition(":")
    if not colon or not path or not _is_dotted(module) or not _is_dotted(path):
        accepted = "a module and a name in it, such as 'mylab.models:SmallViT'"
        raise ValueError(checks.refusal(name, where, accepted, reference))
    if module not in _MODULES:
        accepted = "in a module that the command names"
        refusal = checks.refusal(name, where, accepted, reference)
        raise ValueError(f"{refusal} Pass modules={module!r} (--modules {module}).")
    try:
        return functools.reduce(getattr, path.split("."), _MODULES[module])
    except AttributeError:
        near = checks.nearest(path, [key for key in vars(_MODULES[module]) if not key.startswith("_")])
        raise ValueError(checks.refusal(name, where, f"a name that {module} defines", path) + near) from None


@dataclass(frozen=True)
class WithModules:
    """A function that is sent to other processes.

    These processes import the user's modules before they unpickle the function.

    Attributes
    ----------
    function
        The function.
    """

    function: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        """Call the function."""
        return self.function(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        # The function is pickled on its own: its modules must be imported before it is read.
        return _unpickled, (os.getcwd(), tuple(_MODULES), pickle.dumps(self.function))


def _unpickled(folder: str, names: tuple[str, ...], pickled: bytes) -> WithModules:
    """Import the driver's modules, which may be in its working directory, and return the function."""
    if os.path.isdir(folder) and folder not in sys.path:
        sys.path.append(folder)
    import_modules(names)
    return WithModules(pickle.loads(pickled))


def _imported(name: str, option: str, where: str) -> ModuleType:
    """Return a module, imported now or before."""
    if not _is_dotted(name):
        hint = ""
        if re.fullmatch(r"[\w./\\-]+\.py|[\w.-]+[/\\][\w./\\-]+", name):
            dotted = re.sub(r"[/\\]+", ".", re.sub(r"\.py$", "", name.removeprefix("./")))
            hint = f" Write {dotted}." if _is_dotted(dotted) else ""
        raise ValueError(
            checks.refusal(option, where, "the name of a module, such as mylab.experiments", name) + hint
        )
    folder = os.getcwd()
    if folder not in sys.path and "" not in sys.path:
        sys.path.append(folder)  # `errsrc` is a program, and Python does not look here for its modules
    try:
        _MODULES[name] = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise _no_import(name, error) from error
        raise ValueError(
            f"There is no module {name!r} in {folder} or among the installed packages: run the command in "
            "the folder that contains the module, or name this folder in PYTHONPATH."
        ) from None
    except (Exception, SystemExit) as error:
        raise _no_import(name, error) from error
    return _MODULES[name]


def _no_import(name: str, error: BaseException) -> ValueError:
    """Return the error about a module whose import raises an error."""
    ours = str(Path(__file__).parents[1])
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "importlib" not in one.filename]
    frames = [one for one in frames if not one.filename.startswith((ours, "<"))]
    line = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    if isinstance(error, SyntaxError):
        line = f" ({error.filename}, line {error.lineno})"
        error = SyntaxError(error.msg)
    text = str(error).removesuffix(".")
    hint = " Install it: pip install 'errsrc[torch]'." if getattr(error, "name", None) == "torch" else ""
    return ValueError(f"The module {name!r} cannot be imported{line}: {type(error).__name__}: {text}.{hint}")


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


@functools.cache
def _digest(name: str) -> str:
    file = getattr(_MODULES[name], "__file__", None)
    content = Path(file).read_bytes() if file and Path(file).is_file() else b""
    return hashlib.sha256(content).hexdigest()[:12]
