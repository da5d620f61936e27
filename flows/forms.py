"""What is filled in to start a flow: models of parameters, derived from the settings so that nothing is written twice.

A form of changes has every field of its settings with the same title, bounds and description, and empty as its default:
what is left empty stays as the recipe says. Not here: the flows (`entries.py`), and what the settings mean.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    create_model,
    model_serializer,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, to_json

from data import registry
from flows.settings import RECIPES, FlywheelSettings, load_settings, merge, parse_override
from tasks.settings import Settings

LEAVE, CHANGE = "as the recipe says", "change"  # what a form of changes is, until a person opens it


class Folded:
    """Of an optional form: a choice, of which the first is to leave everything as it is."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        form = next(kind for kind in schema["anyOf"] if "$ref" in kind)
        return {**schema, "anyOf": [{"type": "null", "title": LEAVE}, form]}


class Changes(Settings):
    """What differs. Every field is optional; an empty one changes nothing, and is left out of the dump."""

    _shown: ClassVar[Collection[str]] = ()  # the fields a form has; the others can be given in code

    @model_serializer(mode="wrap")
    def _filled_in(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value not in (None, {})}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema as a form needs it: an optional value is its plain type, and may be left out."""
        reference = handler(core)
        schema = handler.resolve_ref_schema(reference)
        fields = schema["properties"]
        for field in fields.values():
            field.pop("default", None)
            kinds = field.get("anyOf", [])
            if kinds and not any("$ref" in kind for kind in kinds):
                field |= next(kind for kind in field.pop("anyOf") if kind.get("type") != "null")
        schema["title"] = CHANGE
        schema["properties"] = {name: fields[name] for name in cls._shown or fields}
        return reference


def changes_of(settings: type[Settings], name: str, shown: Collection[str] = ()) -> type[Changes]:
    """The form of what may differ from these settings; `shown`: it has only these fields, in this order."""
    known: dict[str, Any] = {n: _field(f) for n, f in settings.model_fields.items()}
    made = create_model(name, __base__=Changes, __doc__=settings.__doc__, **known)
    made._shown = shown
    return made


def _field(field: FieldInfo) -> Any:
    """A field that may be left empty; one that holds settings is a form in itself."""
    kind, said = field.annotation, field.description
    if isinstance(kind, type) and issubclass(kind, Settings):
        inner = changes_of(kind, f"{kind.__name__}Changes")
        return Annotated[inner | None, Folded()], Field(None, description=said)
    bounded: Any = Annotated[(kind, *field.metadata)] if field.metadata else kind
    usual = to_json(field.default).decode()
    return bounded | None, Field(None, description=f"{said} (empty: as the recipe says, else {usual})")


def filled_in(changes: Changes | None) -> dict[str, Any]:
    """What was filled in, as nested tables."""
    return changes.model_dump() if changes else {}


def given(recipe: str, overrides: Sequence[str]) -> dict[str, Any]:
    """`--set` as nested tables, for a form. Raises UserError for what this recipe cannot have."""
    load_settings(recipe, overrides)
    table: dict[str, Any] = {}
    for text in overrides:
        table = merge(table, parse_override(text))
    return table


RECIPE_NAMES = sorted(p.stem for p in RECIPES.glob("*.toml") if p.stem != "bootstrap")
_RUN = ["model", "problem_files", "domains", "levels", "generate", "curate", "distill", "evaluate", "engine"]
_RUN += ["gate", "decontaminate", "audit", "verify"]
_SEED = ["bootstrap", "domains", "distill", "evaluate", "engine"]
_MEASURED = ["evaluate", "domains", "levels", "problem_files", "engine", "verify"]

# A form offers the recipes by name; in code a recipe may also be given by its path.
Recipe = Annotated[str, Field(json_schema_extra={"enum": RECIPE_NAMES})]
Verifier = Annotated[str, Field(json_schema_extra={"enum": registry.known("verifiers")})]
Name = Annotated[str, Field(max_length=100)]
Count = Annotated[int, Field(ge=0)]

if TYPE_CHECKING:  # they are made while the program runs, which no type checker follows
    RunChanges: TypeAlias = Changes
    SeedChanges: TypeAlias = Changes
    MeasuredChanges: TypeAlias = Changes
    CurationChanges: TypeAlias = Changes
else:
    RunChanges = changes_of(FlywheelSettings, "RunChanges", _RUN)
    SeedChanges = changes_of(FlywheelSettings, "SeedChanges", _SEED)
    MeasuredChanges = changes_of(FlywheelSettings, "MeasuredChanges", _MEASURED)
    CurationChanges = changes_of(FlywheelSettings, "CurationChanges", ["curate", "gate"])
