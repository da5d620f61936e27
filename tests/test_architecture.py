"""Imports point right, heavy libraries have one home, files stay small, nothing evaluates a model's text."""

import ast
import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "flows": {"tasks", "verifiers", "data"},
    "tasks": {"verifiers", "data"},
    "verifiers": {"data"},
    "data": set(),
}
HOMES = {
    "duckdb": ["data/duck.py"],
    "great_expectations": ["data/expectations.py"],
    "vllm": ["tasks/engines/vllm.py"],
    "trl": ["tasks/objectives/*.py"],
    "prefect": ["flows/*.py", "tasks/*.py"],
}
# Calls that would run or unpickle what a model wrote. The one file that executes programs does so inside the sandbox.
RUNS_TEXT = {"eval", "exec", "compile", "__import__", "sympify", "parse_expr", "parse_latex", "S"}
RUNS_TEXT_OF = {("pickle", "loads"), ("pickle", "load"), ("marshal", "loads"), ("os", "system"), ("dill", "loads")}
INSIDE_SANDBOX = {"verifiers/_jail.py"}
MAX_FILE, MAX_FUNCTION = 300, 70

FILES = sorted(p for package in MAY_IMPORT for p in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Dotted names a file imports; `from a import b` gives `a.b`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_right(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name.partition(".")[0] for name in imports(path)} & {*MAY_IMPORT, "tests"}
    assert ours <= MAY_IMPORT[package] | {package}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_heavy_libraries_stay_in_their_files(path: Path) -> None:
    libraries = {name.partition(".")[0] for name in imports(path)} & HOMES.keys()
    strays = [lib for lib in libraries if not any(path in ROOT.glob(pattern) for pattern in HOMES[lib])]
    assert not strays


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_are_small_and_say_what_they_are(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "no module docstring"
    assert len(path.read_text().splitlines()) <= MAX_FILE
    functions = [n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: size for f in functions if (size := (f.end_lineno or 0) - f.lineno + 1) > MAX_FUNCTION}
    assert not long


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_evaluates_text(path: Path) -> None:
    found = []
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in RUNS_TEXT:
                found.append((name, node.lineno))
            case ast.Attribute(value=ast.Name(id=module), attr=name) if (module, name) in RUNS_TEXT_OF:
                found.append((f"{module}.{name}", node.lineno))
            case ast.Attribute(value=ast.Name(id="sympy"), attr=name) if name in RUNS_TEXT:
                found.append((f"sympy.{name}", node.lineno))
    assert not found or name_of(path) in INSIDE_SANDBOX


def test_no_import_cycles() -> None:
    modules = {module_of(p): p for p in FILES}

    def target(name: str) -> str | None:
        """The module of ours that an imported name is, or is in."""
        return next((n for n in (name, name.rpartition(".")[0]) if n in modules), None)

    graph = {m: {t for n in imports(p) if (t := target(n)) and t != m} for m, p in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as e:
        pytest.fail(" -> ".join(e.args[1]))


def test_every_package_says_it_is_one() -> None:
    folders = {p.parent for p in FILES}
    assert not [name_of(f) for f in folders if not (f / "__init__.py").exists()]


@pytest.mark.parametrize("name", ["flows", "tasks", "verifiers", "data", "tests"])
def test_our_names_are_ours(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec and spec.origin and Path(spec.origin).is_relative_to(ROOT)


def test_our_names_are_ours_from_any_folder(tmp_path: Path) -> None:
    code = (
        "import flows, tasks, verifiers, data; print(flows.__file__, tasks.__file__, verifiers.__file__, data.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert all(Path(p).is_relative_to(ROOT) for p in done.stdout.split())


def test_no_flow_shadows_a_library() -> None:
    """Prefect puts the folder of a flow first on the path: `flows/evaluate.py` would hide the library `evaluate`."""
    taken = {*sys.stdlib_module_names, *importlib.metadata.packages_distributions(), *MAY_IMPORT, "tests"}
    assert not {p.stem for p in (ROOT / "flows").glob("*.py")} & taken - {"__init__"}
