"""The classes that a package of errsrc defines."""

import importlib
import inspect
import pkgutil
from types import ModuleType


def concrete_classes(package: ModuleType, base: type) -> set[type]:
    """Return the subclasses of `base` in the modules of a package that are not abstract."""
    names = [module.name for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
    classes = {
        one for name in names for _, one in inspect.getmembers(importlib.import_module(name), inspect.isclass)
    }
    return {one for one in classes if issubclass(one, base) and not inspect.isabstract(one)}
