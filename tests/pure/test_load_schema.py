"""Authors' own schemas: a run's variables against `inputs`, and nothing that is ever fetched."""

from pointsman.load.schema import breaches, input_problems
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.problem import Code, Place, Problem
from pointsman.model.values import JsonObject

PLACE = Place("run", 1, 1)


def problems(inputs: JsonObject | None, properties: JsonObject) -> tuple[Problem, ...]:
    definition = WorkflowDefinition(path="/projects/p/workflows/w", file="w.yaml", steps=(), inputs=inputs)
    return input_problems(definition, properties, PLACE)


def test_without_inputs_every_variable_is_fine() -> None:
    assert problems(None, {"anything": [1]}) == ()


def test_every_variable_that_breaks_the_inputs_is_named_at_the_place_given() -> None:
    schema: JsonObject = {
        "required": ["env", "count"],
        "properties": {"env": {"enum": ["dev", "prod"]}, "count": {"type": "integer", "minimum": 1}},
        "additionalProperties": False,
    }
    found = problems(schema, {"env": "test", "extra": 1})
    assert {problem.says for problem in found} == {
        "env is 'test'; it must be 'dev' or 'prod'",
        "count is missing",
        "extra is not in the schema",
    }
    assert {(problem.code, problem.place) for problem in found} == {(Code.BREAKS_INPUTS, PLACE)}
    assert problems(schema, {"env": "dev", "count": 3}) == ()


def test_a_reference_to_somewhere_else_is_never_fetched() -> None:
    """The address is one that refuses connections; an attempt would raise something else."""
    found = problems({"properties": {"a": {"$ref": "http://127.0.0.1:1/schema.json"}}}, {"a": 1})
    assert [problem.code for problem in found] == [Code.BREAKS_INPUTS]
    assert "127.0.0.1" in found[0].says


def test_a_schema_that_refers_to_itself_without_end_is_no_traceback() -> None:
    assert len(problems({"$ref": "#"}, {"a": 1})) == 1


def test_what_a_property_may_not_be_is_told_in_words() -> None:
    schema: JsonObject = {
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"maximum": 5},
            "c": {"maxLength": 2},
            "d": {"pattern": "^x"},
            "e": {"const": 1},
            "f": {"uniqueItems": True},
            "g": {"items": {"type": "string"}},
        },
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
    value: JsonObject = {"a": 1, "b": 6, "c": "abc", "d": "y", "e": True, "f": [1, 1], "g": ["a", 2], "x-1": 1, "h": 1}
    assert sorted((breach.name, breach.says) for breach in breaches(schema, value)) == [
        ("a", "is a number (1); it must be of type string or null"),
        ("b", "is 6; it must be at most 5"),
        ("c", "is longer than 2 characters"),
        ("d", "is 'y'; it must fit the pattern '^x'"),
        ("e", "is true; it must be 1"),
        ("f", "does not fit: [1, 1] has non-unique elements"),
        ("g.1", "is a number (2); it must be of type string"),
        ("h", "is not in the schema"),
    ]
