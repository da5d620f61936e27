"""The forms of the flows: nothing is written twice, what is left empty changes nothing, what they send is accepted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.flows import Flow
from prefect.utilities.schema_tools.validation import validate
from pydantic import BaseModel

from data.errors import UserError
from data.store import SUMMARY, At, Store
from flows import deployments, entries, forms, starting
from flows._begin import begin
from flows.forms import RunChanges, changes_of
from flows.settings import FlywheelSettings, load_settings

FLOWS = [*deployments.flows()]
BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "enum", "type", "items"}
RECIPES = [*forms.RECIPE_NAMES, "bootstrap"]
WHOLE = changes_of(FlywheelSettings, "Whole")
Path_ = tuple[str, ...]


def test_each_flow_is_served_once() -> None:
    names = [flow.name for flow in FLOWS]
    assert names == ["flywheel", "one-round", "bootstrap", "evaluate", "reverify", "curate-only"]


def schema_of(flow: Flow[..., Any]) -> dict[str, Any]:
    return flow.parameters.model_dump()


def fields(schema: dict[str, Any], root: dict[str, Any], path: Path_ = ()) -> Iterator[tuple[Path_, dict[str, Any]]]:
    """Every field of a schema by its path; one that is a form, folded or not, is followed by the fields of that."""
    for name, field in schema.get("properties", {}).items():
        yield (*path, name), field
        for form in (field, *field.get("anyOf", [])):
            if "$ref" in form:
                yield from fields(root[form["$ref"].rsplit("/", 1)[-1]], root, (*path, name))


def leaves(settings: BaseModel, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        yield from leaves(value, (*path, name)) if isinstance(value, BaseModel) else [((*path, name), value)]


def nested(path: Path_, value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return dict(value)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda f: f.name)
def test_every_field_says_what_it_is(flow: Flow[..., Any]) -> None:
    schema = schema_of(flow)
    found = dict(fields(schema, schema["definitions"]))
    assert found and flow.description
    for path, field in found.items():
        assert len(field.get("description", "")) > 8, path
        if "anyOf" in field:  # a form that is folded until somebody opens it
            leave, change = field["anyOf"]
            assert leave == {"type": "null", "title": forms.LEAVE}, path
            assert schema["definitions"][change["$ref"].rsplit("/", 1)[-1]]["title"] == forms.CHANGE
        else:
            assert "$ref" in field or field.get("title"), path
            assert "null" not in json.dumps(field), f"{path} is shown as a choice between a value and nothing"
    assert set(schema.get("required", [])) <= {"run"}


def test_a_form_of_changes_is_the_settings_again() -> None:
    settings, changes = FlywheelSettings.model_json_schema(), WHOLE.model_json_schema()
    theirs = dict(fields(settings, settings["$defs"]))
    ours = dict(fields(changes, changes["$defs"]))
    assert ours.keys() == theirs.keys() and len(ours) > 90
    for path, field in theirs.items():
        assert ours[path]["description"].startswith(field["description"]), path
        assert ours[path].get("title") == field.get("title")
        if "$ref" not in field:
            assert {k: ours[path].get(k) for k in BOUNDS} == {k: field.get(k) for k in BOUNDS}, path
            usual = ours[path]["description"].rsplit(", else ", 1)[1].removesuffix(")")
            assert json.loads(usual) == field["default"], path


@pytest.mark.parametrize("recipe", RECIPES)
def test_changes_of_nothing_are_the_recipe(recipe: str) -> None:
    assert RunChanges().model_dump() == {}
    assert RunChanges(generate={}, curate={"rules": {}}).model_dump() == {}
    assert load_settings(recipe, changes=RunChanges(generate={"samples": None}).model_dump()) == load_settings(recipe)


@pytest.mark.parametrize("recipe", RECIPES)
def test_settings_are_the_same_when_they_are_read_back(recipe: str) -> None:
    settings = load_settings(recipe)
    again = FlywheelSettings.model_validate_json(settings.model_dump_json())
    assert repr(again) == repr(settings), "8 and 8.0 have two fingerprints, so that a stage would be done again"


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_change_arrives_and_nothing_else_changes(recipe: str) -> None:
    before = dict(leaves(load_settings(recipe)))
    for path, value in leaves(FlywheelSettings()):
        if value == {}:  # tables are merged
            continue
        after = dict(leaves(load_settings(recipe, changes=WHOLE(**nested(path, value)).model_dump())))
        assert after[path] == value, path
        assert {p: v for p, v in after.items() if p != path} == {p: v for p, v in before.items() if p != path}


@pytest.mark.parametrize("flow", FLOWS, ids=lambda f: f.name)
def test_what_a_form_sends_is_accepted_and_what_is_wrong_is_not(flow: Flow[..., Any]) -> None:
    schema = schema_of(flow)
    given = {"run": "x"} if schema.get("required") else {}
    defaults = {n: f["default"] for n, f in schema["properties"].items() if "default" in f}

    def faults(more: dict[str, Any]) -> list[Any]:
        return validate({**defaults, **given, **more}, schema, raise_on_error=False)

    assert not faults({})
    if "changes" in defaults:
        assert not faults({"changes": {"gate": {}, "evaluate": {"samples": 4}}} if flow is entries.flywheel else {})
        assert faults({"changes": {"no such field": 1}})
    if flow is entries.flywheel:
        for bad in ({"recipe": "nonsense"}, {"rounds": -1}, {"changes": {"generate": {"samples": 0}}}):
            assert faults(bad), bad
        assert not faults({"changes": {"distill": {"learning_rate": None}}}), "an emptied field is an empty one"


@pytest.fixture
def store(home: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", "first")
    store = Store(home)
    begin(store, "r", load_settings("smoke"))
    return store


def end_round(store: Store, *numbers: int) -> None:
    for number in numbers:
        store.stage(At("r", number, 0), "promote", "f").commit()
    (store.run_dir("r") / SUMMARY).write_text(json.dumps({"rounds": max(numbers)}))


def ordered(store: Store, rounds: int, flow_run: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", flow_run)
    return starting._ordered(store, "r", 2, rounds).until


def test_a_start_that_is_tried_again_adds_no_rounds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ordered(store, 3, "first", monkeypatch) == 3
    end_round(store, 1, 2)
    assert ordered(store, 3, "first", monkeypatch) == 3, "it goes as far as it was to go"
    assert ordered(store, 0, "other", monkeypatch) == 3, "what was asked of the run is left"
    end_round(store, 1, 2, 3)
    assert starting.over(store, "r", 2)
    assert ordered(store, 0, "next night", monkeypatch) == 5, "as many more as the recipe has"
    assert ordered(store, 1, "one more", monkeypatch) == 4
    assert ordered(store, 0, "next night", monkeypatch) == 5
    assert not starting.over(store, "r", 2)


def test_a_run_goes_on_with_its_own_settings(store: Store) -> None:
    def settings(changes: dict[str, Any]) -> FlywheelSettings:
        return starting._settings(store, "r", "demo", 7, changes)

    assert settings({}) == settings({"levels": 3}) == load_settings("smoke")
    with pytest.raises(UserError, match=r"run r exists and goes on with its own settings.*levels"):
        settings({"levels": 4})


def test_a_run_that_cannot_begin_leaves_nothing_half_written(home: Path) -> None:
    settings = load_settings("smoke", ["model='/no/such/model'"])
    with pytest.raises(UserError, match="/no/such/model"):
        begin(Store(home), "r", settings)
    assert not [f for f in home.rglob("*") if f.is_file()]
