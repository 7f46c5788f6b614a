"""The optional packages: the extra that installs each package, and the error if a package is missing.

The installation without extras has the packages that fits of laws need.  Other parts of errsrc need packages
of an extra, such as ``errsrc[torch]``.  These parts call `require` before they import an optional package.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator

EXTRAS = {
    "torch": ("torch", "torch"),
    "sklearn": ("scikit-learn", "torch"),
    "finufft": ("finufft", "torch"),
    "hypothesis": ("hypothesis", "torch"),
    "pyarrow": ("pyarrow", "parquet"),
    "distributed": ("dask", "cluster"),
    "dask": ("dask", "cluster"),
    "dask_jobqueue": ("dask-jobqueue", "cluster"),
    "sentencepiece": ("sentencepiece", "bpe"),
    "marimo": ("marimo", "explore"),
}
"""{module that Python imports: (name of its package, extra of errsrc that installs it)}."""


class MissingPackage(ModuleNotFoundError):
    """Raised if an optional package is not installed; the message states the command that installs it.

    Parameters
    ----------
    user : str
        What needs the package, such as "A Parquet file".  The message begins with these words.
    module : str
        Name of the module that is missing, a key of `EXTRAS`.
    """

    def __init__(self, user: str, module: str) -> None:
        package, extra = EXTRAS[module]
        super().__init__(f"{user} needs {package}: pip install 'errsrc[{extra}]'.", name=module)
        self.user = user


def require(user: str, *modules: str) -> None:
    """Raise MissingPackage if one of some optional packages is not installed.

    Parameters
    ----------
    user : str
        What needs the packages: the name of a package of errsrc, or words such as "A Parquet file".
    *modules : str
        Names of the modules that are needed, keys of `EXTRAS`.

    Raises
    ------
    MissingPackage
        If one of the packages is not installed.

    Examples
    --------
    >>> require("A Gaussian process", "sklearn")
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingPackage(user, module)


@contextlib.contextmanager
def required_by(user: str) -> Iterator[None]:
    """Let errors about missing optional packages name the function or command that was called.

    This applies to errors within the ``with`` block.  Outside such a block, the errors name the part of
    errsrc that could not be imported.

    Parameters
    ----------
    user : str
        Name of the function or command.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    MissingPackage
        If an optional package is missing within the block.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        is_named = isinstance(error, MissingPackage) and not error.user.startswith("errsrc.")
        if module not in EXTRAS or is_named:
            raise
        raise MissingPackage(user, module) from None
