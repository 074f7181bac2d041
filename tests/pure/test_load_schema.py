"""Authors' own schemas: what is one, what values are to it, and that none of them can take the reader's time."""

import time

import pytest

from pointsman.load.breaches import MOST_BREACHES, best_fit, breaches
from pointsman.load.marked_yaml import read
from pointsman.load.nodes import Mapping, plain_object
from pointsman.load.schema import MOST_SCHEMA_VALUES, schema_problems
from pointsman.model.problem import Severity
from pointsman.model.values import Json, JsonObject, canonical


def faults(text: str) -> list[str]:
    """What is wrong with a schema, with line and column."""
    node = read(text.encode(), "w.yaml")
    assert isinstance(node, Mapping)
    found = schema_problems(plain_object(node), node, called="inputs")
    return [f"{one.place.line}:{one.place.column} {one.says}" + (f" ({one.hint})" if one.hint else "") for one in found]


def says(schema: JsonObject, value: Json) -> dict[str, str]:
    """What is wrong with a value, by names."""
    return {breach.name: breach.says for breach in breaches(schema, value)}


def test_what_a_property_may_not_be_is_told_with_what_it_is_and_must_be() -> None:
    schema: JsonObject = {
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"maximum": 5},
            "c": {"maxLength": 2},
            "d": {"pattern": "^x"},
            "e": {"const": 1},
            "f": {"uniqueItems": True},
            "g": {"items": {"type": "string"}},
            "i": {"enum": [1, "a", None]},
            "j": {"anyOf": [{"type": "integer"}, {"const": "auto"}]},
            "k": {"oneOf": [{"minimum": 1}, {"minimum": 2}]},
            "l": False,
            "m": {"type": "integer"},
        },
        "required": ["i", "n"],
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
    value: Json = {
        "a": 1, "b": 6, "c": "abc", "d": "y", "e": True, "f": [1, 1.0], "g": ["a", 2], "x-1": 1, "h": 1, "j": "aut",
        "k": 3, "l": 1, "m": "three",
    }  # fmt: skip
    assert says(schema, value) == {
        "a": "is a number (1); it must be of type string or null",
        "b": "is 6; it must be at most 5",
        "c": "is longer than 2 characters",
        "d": "is 'y'; it must fit the pattern '^x'",
        "e": "is true; it must be 1",
        "f": "holds an item twice",
        "g.1": "is a number (2); it must be of type string",
        "h": "is not in the schema",
        "i": "is missing; it must be 1, 'a' or null",
        "j": "is 'aut'; it must be of type integer or 'auto'",
        "k": "is 3, which fits more than one of the 2 alternatives",
        "l": "is not allowed here",
        "m": "is the text 'three'; it must be of type integer",
        "n": "is missing",
    }


def test_the_name_or_choice_that_was_meant_is_suggested() -> None:
    schema: JsonObject = {
        "properties": {"env": {"enum": ["dev", "staging", "prod"]}, "tag": {"enum": ["Alpha"]}},
        "additionalProperties": False,
    }
    hints = [breach.hint for breach in breaches(schema, {"env": "prdo", "tag": "ALPHA ", "envv": 1})]
    assert hints == ["did you mean env?", "did you mean prod?", "did you mean Alpha?"]


def test_in_part_each_property_is_held_against_its_own_schema_and_nothing_is_missing() -> None:
    schema: JsonObject = {
        "required": ["a", "b"],
        "minProperties": 2,
        "properties": {"a": {"$ref": "#/$defs/whole"}, "b": {}},
        "if": {"properties": {"b": {"const": 1}}},
        "then": {"properties": {"a": {"minimum": 9}}},
        "$defs": {"whole": {"type": "integer"}},
        "additionalProperties": False,
    }
    assert breaches(schema, {"a": 1}, partial=True) == ()
    found = breaches(schema, {"a": "x", "c": 1}, partial=True)
    assert [breach.way for breach in found] == [("a",), ("c",)]


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "string"}, "5", "5"),
        ({"type": "integer"}, "5", 5),
        ({"enum": ["1", "2"]}, "1", "1"),
        ({"enum": [1, 2]}, "1", 1),
        ({"const": "true"}, "true", "true"),
        ({"anyOf": [{"type": "string", "pattern": "^[0-9]+$"}, {"type": "null"}]}, "7", "7"),
        ({"$ref": "#/$defs/text"}, "7", "7"),
        ({"type": "integer", "minimum": 10}, "7", 7),
        ({"type": "string", "pattern": "^v"}, "7", "7"),
    ],
)
def test_of_several_meanings_the_one_that_fits_is_taken_or_else_one_of_the_right_type(
    schema: JsonObject, text: str, value: Json
) -> None:
    root: JsonObject = {"$defs": {"text": {"type": "string"}}}
    meanings: list[Json] = [int(text) if text.isdigit() else True, text]
    found = best_fit(root, schema, meanings)
    assert (found, type(found)) == (value, type(value))


# What is a schema


def test_a_keyword_that_means_nothing_is_an_error_with_the_one_that_was_meant() -> None:
    """R2: JSON Schema would pass over it in silence."""
    assert faults("properties: {env: {type: string, minLenght: 3, x-group: a}}\n") == [
        "1:34 inputs is no JSON Schema: properties.env.minLenght is no keyword of JSON Schema (did you mean minLength?)"
    ]
    (found,) = faults("env: {type: string}\n")
    assert found.startswith("1:1 inputs is no JSON Schema: env is no keyword")
    assert "write names under properties" in found


def test_a_name_or_value_that_looks_like_a_keyword_is_none() -> None:
    assert faults("properties: {default: {type: string}, $ref: {}, pattern: {enum: [{$ref: x, pattern: '('}]}}\n") == []


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("properties: {a: {type: strin}}", "1:24 inputs is no JSON Schema: properties.a.type is 'strin'; it must"),
        ("properties: {a: {$ref: '#/$defs/b'}}", "properties.a.$ref refers to '#/$defs/b', which is not there"),
        ("$ref: https://127.0.0.1:1/x", "refers to 'https://127.0.0.1:1/x'; nothing outside the schema is fetched"),
        ("properties: {a: {$id: 'http://x'}}", "properties.a.$id stands inside a schema"),
        ("properties: {a: {$schema: 'http://x'}}", "properties.a.$schema stands inside a schema"),
        ("properties: {a: {pattern: '(?=x)'}}", "1:27 inputs is no JSON Schema: properties.a.pattern is '(?=x)',"),
        ("patternProperties: {'(': {}}", "1:21 inputs is no JSON Schema: patternProperties.( is '('"),
        ("unevaluatedProperties: false\npatternProperties: {a: {}}", "together with patternProperties"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_relied_on_is_refused_at_its_fault(schema: str, says: str) -> None:
    (found,) = faults(schema + "\n")
    assert says in found


@pytest.mark.parametrize(
    "hidden",
    [
        "x-a: {type: nonsense}",
        "x-a: [1]",
        'x-a: {$schema: "https://json-schema.org/draft/2020-12/schema", pattern: "^(a|a)*$"}',
        "default: {x: 1}",
        "enum: [{required: 5}]",
    ],
)
def test_a_reference_to_what_is_no_schema_is_refused(hidden: str) -> None:
    """What stands there was not looked at as a schema: it could end the reader, or search with patterns of Python."""
    way = "#/" + hidden.partition(":")[0] + ("/0" if "[" in hidden else "")
    says = [f"2:7 inputs is no JSON Schema: $ref refers to '{way}', which is no schema (put it under $defs)"]
    assert faults(f'{hidden}\n$ref: "{way}"\n') == says


def test_a_keyword_of_former_drafts_that_does_nothing_is_no_keyword() -> None:
    assert [line.partition(" (")[0] for line in faults("dependencies: {a: [b]}\nallOf: [{$recursiveRef: '#'}]\n")] == [
        "1:1 inputs is no JSON Schema: dependencies is no keyword of JSON Schema",
        "2:10 inputs is no JSON Schema: allOf.0.$recursiveRef is no keyword of JSON Schema",
    ]


def test_a_format_that_is_not_checked_is_a_warning() -> None:
    node = read(b"properties: {a: {format: uri-reference}, b: {format: date}}\n", "w.yaml")
    assert isinstance(node, Mapping)
    (found,) = schema_problems(plain_object(node), node, called="inputs")
    assert found.severity is Severity.WARNING
    assert found.says == "inputs: properties.a.format is 'uri-reference', which is not checked"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date-time", "2026-06-04T22:00:00+10:00", "2026-06-04 22:00"),
        ("date-time", "2026-06-04T22:00:00Z", "2026-02-30T22:00:00Z"),
        ("time", "22:00:00Z", "25:00:00Z"),
        ("date", "2026-06-04", "2026-02-30"),
        ("hostname", "web-01.example.com", "-web"),
        ("uri", "https://example.com/a", "example"),
        ("email", "a@example.com", "a"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("regex", "^a+$", "(?=a)"),
    ],
)
def test_formats_are_checked(name: str, good: str, bad: str) -> None:
    schema: JsonObject = {"format": name}
    assert breaches(schema, good) == () == breaches(schema, 7)
    assert [breach.says for breach in breaches(schema, bad)] == [f"is '{bad}'; it must fit the format '{name}'"]


# Hostile schemas: an answer, soon, in one sentence


def bomb(depth: int) -> JsonObject:
    """Schemas that each refer to the next one twice."""
    defs: JsonObject = {
        f"d{index}": {"anyOf": [{"$ref": f"#/$defs/d{index + 1}"}] * 2} for index in range(depth)
    }  # fmt: skip
    return {"$defs": {**defs, f"d{depth}": {"type": "integer"}}, "$ref": "#/$defs/d0"}


WIDE: JsonObject = {"patternProperties": {f"a{index}": {} for index in range(900)}}


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        ({"$ref": "#"}, {}, "refers to itself without end"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, {}, "without end"),
        ({"$ref": "http://127.0.0.1:1/schema.json"}, {}, "127.0.0.1"),
        (bomb(40), "x", "takes so much work"),
        ({"items": {"enum": [*range(1900)]}}, [1] * 10_000, "takes so much work"),
        (WIDE, dict.fromkeys(map(str, range(9_000)), 1), "takes so much work"),
        ({"pattern": "^(a+)+$"}, "a" * 50_000 + "b", "must fit the pattern"),
        ({"pattern": "^(.*a){20}$"}, "a" * 5_000 + "b", "must fit the pattern"),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "pattern": "(a|a)*$x"}, "a" * 90, "must fit"),
        ({"multipleOf": 1e-300}, 10**400, "too large"),
    ],
)  # fmt: skip
def test_a_hostile_schema_gets_one_sentence_soon(schema: JsonObject, value: Json, says: str) -> None:
    started = time.process_time()
    found = breaches(schema, value)
    assert says in found[-1].says
    assert time.process_time() - started < 1


MANY: Json = [*range(1_500)]


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ({"uniqueItems": True}, [*range(15_000)]),
        ({"enum": [MANY]}, MANY),
        ({"const": MANY}, MANY),
        ({"pattern": "(x|y){1,30}$"}, "x" * 250_000),
        ({"properties": {str(number): {} for number in range(1_500)}}, {"a": 1}),
        ({"unevaluatedProperties": {}}, dict.fromkeys(map(str, range(400)), 1)),
    ],
)  # fmt: skip
def test_a_rule_that_looks_at_much_is_counted_for_what_it_looks_at(rule: JsonObject, value: Json) -> None:
    """R14: references multiply it, and whoever validates on their own machine has no reader's limits."""
    below: JsonObject = {"a": {"allOf": [{"$ref": "#/$defs/b"}] * 90}, "b": {"allOf": [{"$ref": "#/$defs/c"}] * 90}}
    started = time.process_time()
    found = breaches({"$defs": {**below, "c": rule}, "$ref": "#/$defs/a"}, value)
    assert "takes so much work" in found[-1].says
    assert time.process_time() - started < 2


def test_many_breaches_are_cut_and_items_are_compared_in_little_time() -> None:
    assert len(breaches({"items": {"type": "string"}}, [1] * 500)) == MOST_BREACHES
    assert len(breaches({"additionalProperties": False}, dict.fromkeys(map(str, range(500)), 1))) == MOST_BREACHES
    many: Json = [{"a": index} for index in range(5_000)]
    started = time.process_time()
    assert breaches({"uniqueItems": True}, many) == ()
    assert time.process_time() - started < 1


def test_a_schema_of_too_many_values_is_refused() -> None:
    text = canonical({"enum": [*range(MOST_SCHEMA_VALUES)]})
    assert faults(text) == ["1:1 inputs is no JSON Schema: it has more than 2,000 values"]
