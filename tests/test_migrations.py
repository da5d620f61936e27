"""A ledger of any earlier schema reads as one of this: in Python, in SQL, published, and in a stage begun before.

`tests/fixtures/ledger-1.tar.xz` is a home that the first version wrote: two rounds of two domains with the scripted
engine, and a review. `ledger-1.json` is what that version said of its relations and views (see `ledgers.py`).
"""

import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import catalog, duck, manifest, migrations, schemas
from data.errors import UserError
from data.records import Loss
from data.store import At, Stage, Store
from tests.ledgers import described

FIXTURE = Path(__file__).parent / "fixtures" / "ledger-1.tar.xz"
SAID: dict[str, dict[str, Any]] = json.loads(FIXTURE.with_name("ledger-1.json").read_text())
AT = At("r", 1, 0)


@dataclass(frozen=True)
class First:
    id: str
    grams: int


@dataclass(frozen=True)
class Second:
    id: str
    weight: float


@dataclass(frozen=True)
class Third:
    weight: float
    kind: str
    id: str


@dataclass(frozen=True)
class Fourth(Third):  # a field with a default needs no migration
    by: str = "nobody's"
    year: int | None = None


RECORDS = [First, Second, Third, Fourth]
FILES = {
    "0001_first.sql": "-- how it began\n",
    "0002_weight.sql": """-- grams are a weight in kilograms
-- relation: notes
SELECT * EXCLUDE (grams), grams / 1000 AS weight FROM old
""",
    "0003_kinds.sql": """-- a note has a kind; another relation changes too
-- relation: notes
WITH weighed AS (SELECT *, weight < 1 AS light FROM old)
SELECT * EXCLUDE (light), CASE WHEN light THEN 'light' ELSE 'heavy' END AS kind FROM weighed
-- relation: losses
SELECT * REPLACE (step + 100 AS step) FROM old
""",
}


@contextmanager
def as_of(folder: Path, number: int) -> Iterator[None]:
    """This code, as it was when RECORDS[number - 1] was the record of the relation `notes`."""
    shipped = folder / f"code-{number}"
    shipped.mkdir(parents=True, exist_ok=True)
    for name in list(FILES)[:number]:
        (shipped / name).write_text(FILES[name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "FOLDER", shipped)
        patch.setitem(schemas.RELATIONS, "notes", RECORDS[number - 1])
        yield


def note(number: int, name: str, grams: int) -> Any:
    """The note as the record of that version has it."""
    kind = "light" if grams < 1000 else "heavy"
    written = {"id": name, "grams": grams, "weight": grams / 1000, "kind": kind}
    record = RECORDS[number - 1]
    return record(**{k: v for k, v in written.items() if k in schemas.schema(record).names})


def write(home: Path, number: int, grams: list[int]) -> None:
    """A stage of its own, by the code of that version."""
    with as_of(home.parent, number):
        stage = Store(home).stage(AT, f"stage-{number}", "f")
        stage.write("notes", "all", [note(number, f"{number}-{i}", g) for i, g in enumerate(grams)])
        stage.commit()


def notes_by_every_route(home: Path) -> list[list[dict[str, Any]]]:
    """The notes as Python, a query, a workspace and the published database have them."""
    store = Store(home)
    store.publish()
    text = "FROM notes"
    with store.workspace() as work:
        tables = [store.read("notes"), store.query(text), work.arrow(text), duck.sql(home, text)]
    assert len({tuple(t.column_names) for t in tables}) == 1
    return [sorted(t.to_pylist(), key=lambda row: row["id"]) for t in tables]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home that the first version wrote."""
    home = tmp_path_factory.mktemp("first")
    with tarfile.open(FIXTURE) as packed:
        packed.extractall(home, filter="data")
    Store(home).publish()
    return home


@pytest.mark.parametrize("name", [n for n in SAID if n in schemas.RELATIONS])
def test_the_first_ledger_has_the_rows_it_had(first: Path, name: str) -> None:
    columns = SAID[name]["columns"]
    read, asked = Store(first).read(name), duck.sql(first, f"FROM {name}")
    assert described(read, columns) == described(asked, columns) == SAID[name]
    assert described(read) == described(asked, read.column_names)  # with what the record has gained since
    for field in schemas.placed(schemas.RELATIONS[name]):
        assert field.nullable or not asked[field.name].null_count, field.name


@pytest.mark.parametrize("name", [n for n in SAID if n not in schemas.RELATIONS])
def test_the_first_ledger_answers_as_it_did(first: Path, name: str) -> None:
    assert described(duck.sql(first, f"FROM {name}"), SAID[name]["columns"]) == SAID[name]


def test_the_first_ledger_has_rows_and_every_view_works(first: Path) -> None:
    assert sum(said["rows"] > 0 for said in SAID.values()) >= 30
    for name in [*schemas.RELATIONS, *catalog.views(), "stages", "timings", "schema_migrations"]:
        duck.sql(first, f"FROM {name}")


def test_the_first_ledger_goes_on(tmp_path: Path) -> None:
    with tarfile.open(FIXTURE) as packed:
        packed.extractall(tmp_path, filter="data")
    store = Store(tmp_path)
    before = store.read("losses")
    assert before.num_rows > 0 and migrations.noted(tmp_path) == []
    stage = store.stage(At("first", 3, 0), "distill", "f")
    stage.write("losses", "all", [Loss("m", 1, 0.5, 0.1)])
    stage.commit()
    assert store.read("losses").slice(0, before.num_rows) == before
    store.publish()
    assert duck.sql(tmp_path, "SELECT count(*) AS n FROM losses")["n"].to_pylist() == [before.num_rows + 1]
    found = duck.sql(tmp_path, "SELECT number, name, checksum, version FROM schema_migrations").to_pylist()
    assert [(m["number"], m["name"], m["checksum"]) for m in found] == [
        (m.number, m.name, m.checksum) for m in migrations.known()
    ]
    assert {m["version"] for m in found} == {manifest.package_version()}


@pytest.mark.parametrize(
    ("text", "typo"),
    [
        ("FROM schema_migrations", "FROM schema_nonsense"),
        ("SELECT tokens FROM attempts", "SELECT nonsense FROM attempts"),
        ("SELECT pass_at_k(4, 2, 1)", "SELECT nonsense(4, 2, 1)"),
    ],
)
def test_a_database_that_an_earlier_version_published_says_so(home: Path, text: str, typo: str) -> None:
    with duck.duckdb.connect(str(home / "flywheel.duckdb")) as con:
        con.execute("CREATE VIEW attempts AS SELECT 'a' AS id")
    assert duck.sql(home, "FROM attempts").num_rows == 1
    with pytest.raises(UserError, match="published by an earlier flywheel: any run publishes it anew"):
        duck.sql(home, text)
    Store(home).publish()
    duck.sql(home, text)
    with pytest.raises(UserError, match=r"^DuckDB cannot answer that(?!.*earlier flywheel)"):
        duck.sql(home, typo)


@settings(max_examples=4)
@given(st.lists(st.lists(st.integers(0, 3000), max_size=4), min_size=4, max_size=4), st.integers(2, 4))
def test_rows_of_all_versions_are_as_if_the_last_had_written_them(
    tmp_path_factory: pytest.TempPathFactory, grams: list[list[int]], last: int
) -> None:
    home = tmp_path_factory.mktemp("ledger") / "home"
    for number in range(1, last + 1):
        write(home, number, grams[number - 1])
    expected = [
        {**asdict(note(last, f"{number}-{i}", g)), "run": "r", "round": 1}
        for number in range(1, last + 1)
        for i, g in enumerate(grams[number - 1])
    ]
    with as_of(home.parent, last):
        for found in notes_by_every_route(home):
            assert found == expected


def test_a_stage_that_an_earlier_version_began_goes_on(home: Path) -> None:
    with as_of(home.parent, 1):
        Store(home).stage(AT, "s", "f").write("notes", "early", [First("a", 20)])
    with as_of(home.parent, 4):
        stage = Store(home).stage(AT, "s", "f")
        assert stage.has("notes", "early") and stage.partial("notes").to_pylist() == [asdict(note(4, "a", 20))]
        stage.write("notes", "late", [note(4, "b", 2000)])
        stage.commit()
        both = [{**asdict(note(4, name, g)), "run": "r", "round": 1} for name, g in (("a", 20), ("b", 2000))]
        assert notes_by_every_route(home) == [both] * 4


def test_only_the_relation_that_a_migration_names_changes(home: Path) -> None:
    with as_of(home.parent, 1):
        stage = Store(home).stage(AT, "s", "f")
        stage.write("losses", "all", [Loss("m", 1, 0.5, 0.1)])
        stage.write("notes", "all", [First("a", 20)])
        stage.commit()
    for number, step in ((2, 1), (3, 101), (4, 101)):
        with as_of(home.parent, number):
            assert Store(home).read("losses")["step"].to_pylist() == [step]
            assert Store(home).query("FROM losses")["step"].to_pylist() == [step]


TOUCHES: dict[str, Callable[[Store], Any]] = {
    "read": lambda store: store.read("losses"),
    "query": lambda store: store.query("FROM losses"),
    "inputs": lambda store: store.inputs("r", [1], ["losses"]),
    "workspace": lambda store: store.workspace(),
    "publish": lambda store: store.publish(),
    "commit": lambda store: Stage(store, AT, "t", "f").commit(),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_a_home_of_a_newer_version_is_refused(home: Path, touch: str) -> None:
    write(home, 3, [5])
    before = (home / migrations.NOTED).read_bytes()
    with (
        as_of(home.parent, 2),
        pytest.raises(UserError, match=r"schema version 3: a newer flywheel .* knows 2: update"),
    ):
        TOUCHES[touch](Store(home))
    assert (home / migrations.NOTED).read_bytes() == before


def test_a_newer_part_is_refused_though_the_note_is_lost(home: Path) -> None:
    write(home, 3, [5])
    (home / migrations.NOTED).unlink()
    for ask in (lambda: Store(home).read("notes"), lambda: Store(home).query("FROM notes")):
        with as_of(home.parent, 2), pytest.raises(UserError, match=r"notes of schema version 3: a newer flywheel"):
            ask()


@pytest.mark.parametrize("touch", TOUCHES)
def test_a_migration_that_has_changed_is_refused_by_name(
    home: Path, monkeypatch: pytest.MonkeyPatch, touch: str
) -> None:
    write(home, 2, [5])
    monkeypatch.setitem(FILES, "0002_weight.sql", FILES["0002_weight.sql"].replace("1000", "1024"))
    with (
        as_of(home.parent / "edited", 2),
        pytest.raises(UserError, match=r"0002_weight.sql is not the 0002_weight.sql"),
    ):
        TOUCHES[touch](Store(home))


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '[{"number": "x", "name": "", "checksum": ""}]'])
def test_a_damaged_note_is_named(home: Path, text: str) -> None:
    Store(home).stage(AT, "s", "f").commit()
    (home / migrations.NOTED).write_text(text)
    with pytest.raises(UserError, match=rf"{migrations.NOTED} is damaged .*delete it"):
        Store(home).read("losses")


def test_numbers_have_no_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("0001_first.sql", "0003_kinds.sql"):
        (tmp_path / name).write_text(FILES[name])
    monkeypatch.setattr(migrations, "FOLDER", tmp_path)
    with pytest.raises(AssertionError, match="gap"):
        migrations.known()


@pytest.mark.parametrize("migration", migrations.known(), ids=lambda m: m.name)
def test_a_migration_says_what_it_changes(migration: migrations.Migration) -> None:
    text = (migrations.FOLDER / migration.name).read_text()
    assert text.startswith("-- ") and len(text.splitlines()[0]) > 10
    assert all("old" in catalog.mentioned(select) and ";" not in select for select in migration.selects.values())
