"""The file name is the registry: `load("verifiers", "symbolic")` imports `verifiers/symbolic.py`.

No decorators, no global tables, no import side effects. Files that begin with `_` are helpers and cannot be loaded.
"""

import importlib
import pkgutil
from types import ModuleType


def known(package: str) -> list[str]:
    """Names of the implementations in a package, sorted."""
    paths = importlib.import_module(package).__path__
    return sorted(m.name for m in pkgutil.iter_modules(paths) if not (m.ispkg or m.name.startswith("_")))


def load(package: str, name: str) -> ModuleType:
    """The module `package.name`. Raises LookupError that lists the known names."""
    if name not in known(package):
        raise LookupError(f"no {name!r} in {package}/: known are {', '.join(known(package))}")
    return importlib.import_module(f"{package}.{name}")
