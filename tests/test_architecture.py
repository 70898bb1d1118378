"""The house keeps its shape: who imports whom, who names whom, and what is never committed."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
HOST = ROOT / "host" / "mymozhem"
APPS = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
ROOM_TRANSACTIONS = {"read_as", "write_as", "room_transaction"}
SERVERS = ("quart", "quart_schema", "sqlalchemy", "aiohttp", "uvicorn")


def layers(contract: str) -> list[list[str]]:
    """Read the layers of a contract, the top one first, each as the names of its modules."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (rows,) = [found["layers"] for found in settings["contracts"] if found["id"] == contract]
    return [re.findall(r"\((?:mymozhem\.)?(\w+)\)", row) for row in rows]


def tree_of_rooms() -> list[tuple[str, dict[str, set[str]]]]:
    """Read the tree in the docstring of `mymozhem.rooms`: rows of folders, and their modules."""
    rows: list[tuple[str, dict[str, set[str]]]] = []
    modules: set[str] = set()
    source = ast.parse((HOST / "rooms" / "__init__.py").read_text())
    for line in (ast.get_docstring(source) or "").splitlines():
        found = re.fullmatch(r"(\d+)?  ?(\w+)(?:/|\.py) *(.*)", line)
        if found:
            number, name, rest = found.groups()
            if number:
                rows.append((number, {}))
            modules = rows[-1][1].setdefault(name, set())
            modules.update(re.findall(r"\w+", rest))
        elif rows:
            modules.update(re.findall(r"\w+", line))
    return rows


def python_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.py") if "__pycache__" not in path.parts]


def tracked_files() -> list[Path]:
    """List what git would hand to a stranger; skips the test where there is no git."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("needs the git checkout: an unpacked archive tracks nothing")
    paths = (ROOT / name for name in listing.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def lines_matching(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in paths
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


def transactions_in(folder: str, kinds: set[str]) -> list[str]:
    """List the places in a folder of the host that open a transaction of these kinds."""
    paths = python_files(HOST / folder)
    calls = [
        (path, node)
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]
    return [
        f"{path.relative_to(HOST)}:{call.lineno}"
        for path, call in calls
        if (isinstance(call.func, ast.Attribute) and call.func.attr in kinds and not call.args)
        or (isinstance(call.func, ast.Name) and call.func.id in ROOM_TRANSACTIONS)
    ]


def test_every_import_contract_is_kept():
    linter = Path(sys.executable).with_name("lint-imports")
    command = [linter, "--no-cache", "--no-logo"]
    report = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert report.returncode == 0, report.stdout + report.stderr


def test_every_module_of_the_host_lies_in_a_layer():
    named = {module for layer in layers("layers") for module in layer}
    present = {path.relative_to(HOST).parts[0].removesuffix(".py") for path in python_files(HOST)}
    assert present - {"__init__"} <= named


def test_the_tree_in_the_docstring_of_rooms_is_the_tree_of_its_folders():
    rooms = HOST / "rooms"
    folders = {path.name for path in rooms.iterdir() if (path / "__init__.py").is_file()}
    files = {path.stem for path in rooms.glob("*.py")} - {"__init__"}
    there = {
        **{name: {path.stem for path in (rooms / name).glob("[!_]*.py")} for name in folders},
        **{name: set() for name in files},
    }
    written = [row for _, row in tree_of_rooms()]
    assert {name: modules for row in written for name, modules in row.items()} == there


def test_the_rows_of_the_tree_of_rooms_are_the_layers_that_the_linter_holds():
    rows = tree_of_rooms()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (held,) = [found["layers"] for found in settings["contracts"] if found["id"] == "rooms"]
    assert [number for number, _ in rows] == [str(len(rows) - place) for place in range(len(rows))]
    assert [set(row) for _, row in rows] == [set(re.findall(r"\w+", row)) for row in held]


def test_no_two_folders_of_rooms_import_each_other():
    graph = grimp.build_graph("mymozhem", cache_dir=None)
    below = "mymozhem.rooms."
    edges = {
        (importer.removeprefix(below).split(".")[0], found.removeprefix(below).split(".")[0])
        for importer in graph.modules
        if importer.startswith(below)
        for found in graph.find_modules_directly_imported_by(importer)
        if found.startswith(below)
    }
    assert [(a, b) for a, b in edges if a < b and (b, a) in edges] == []


def test_every_folder_of_code_is_a_package_so_that_the_linter_sees_it():
    folders = {path.parent for path in python_files(HOST)}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_quart_is_kept_from_every_layer_below_the_edge():
    rows = layers("layers")
    below = {module for row in rows[rows.index(["apps"]) :] for module in row}
    assert set(layers("quart")[1]) == below


def test_every_table_is_declared_where_the_database_imports_all_of_them():
    declared = re.compile(r"^class \w+\((?:\w+, )*Base\b|\bTable\(")
    assert lines_matching(declared, [HOST / "auth" / "tables.py"])
    others = [
        path
        for path in python_files(HOST)
        if not {"tables", "tables.py"} & {*path.relative_to(HOST).parts[1:3]}
    ]
    assert lines_matching(declared, others) == []


def test_a_route_only_parses_and_leaves_transactions_to_use_cases():
    assert transactions_in("api", {"read", "write"}) == []


def test_a_command_writes_by_the_use_cases_that_routes_call():
    assert transactions_in("cli", {"write"}) == []


def test_no_module_of_the_api_knows_the_database():
    graph = grimp.build_graph("mymozhem", cache_dir=None, include_external_packages=True)
    below = [name for name in graph.modules if name.startswith("mymozhem.api")]
    found = {
        f"{name} -> {each}"
        for name in below
        for each in graph.find_modules_directly_imported_by(name)
        if re.match(r"sqlalchemy|mymozhem\.db\b", each)
    }
    assert found == set()


def test_importing_the_contract_loads_no_server_database_or_client():
    program = f"import sys, mymozhem.contract; print([m for m in {SERVERS} if m in sys.modules])"
    command = [sys.executable, "-I", "-c", program]
    report = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (report.stdout.strip(), report.stderr) == ("[]", "")


@pytest.mark.parametrize("app", APPS)
def test_the_host_names_no_app(app):
    files = [path for path in HOST.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    name = re.compile(app.removesuffix("y"), re.IGNORECASE)  # so that plurals count
    assert [path.name for path in files if name.search(str(path.relative_to(HOST)))] == []
    assert lines_matching(name, files) == []


NEVER_COMMITTED = {
    "a package index": r"--(extra-)?index-url|--find[-]links|^\s*(extra-)?index-url\s*[=:]",
    "the host of a registry": r"pypi\.org|pythonhosted\.org|npmjs\.org|proxy\.golang\.org",
    "a path of some machine": r"(?<![\w.~-])/(work|root|home|Users)/",
}


@pytest.mark.parametrize("what", NEVER_COMMITTED)
def test_no_tracked_file_holds(what):
    assert lines_matching(re.compile(NEVER_COMMITTED[what]), tracked_files()) == []


def test_no_modules_import_each_other_in_a_round():
    graph = grimp.build_graph("mymozhem", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the round


def test_only_the_unit_of_work_asks_the_database_for_the_time():
    """Its clock may jump, and not as the host's does: see `rooms/jobs/clock_jumps.py`."""
    asked = re.compile(
        r"func\.(now|current_\w+|local\w+|\w+_timestamp|unixepoch|julianday)\("
        r"|\b(CURRENT|LOCAL)_?(TIME|DATE|TIMESTAMP)\b|datetime\('now|[\"'][^\"'\n]*(?<![\w.])now\(\)"
    )
    found = [
        path.relative_to(HOST).as_posix()
        for path in sorted(HOST.rglob("*.py"))
        for _ in asked.findall(path.read_text())
    ]
    assert found == ["db/unit_of_work.py"]
