"""YAML as it is read: what is refused, where, how fast, and what scalars mean."""

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pointsman.load import marked_yaml
from pointsman.load.building import DEEPEST, MOST_EXPANDED, MOST_NODES
from pointsman.load.marked_yaml import parsed, read
from pointsman.load.nodes import Items, Mapping, Node, entry, places, plain
from pointsman.model.problem import Code, Place, Problem
from pointsman.model.source import LARGEST_DEFINITION
from pointsman.model.values import Json, canonical


def document(text: str | bytes) -> Node:
    """The nodes of a text that is fine."""
    node = read(text if isinstance(text, bytes) else text.encode(), "f.yaml")
    assert not isinstance(node, tuple), node
    return node


def problems(text: str | bytes) -> tuple[Problem, ...]:
    """What is wrong with a text that is not fine."""
    found = read(text if isinstance(text, bytes) else text.encode(), "f.yaml")
    assert isinstance(found, tuple), found
    return found


def at(problem: Problem) -> tuple[int, int]:
    return problem.place.line, problem.place.column


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("no", "no"),
        ("NO", "NO"),
        ("off", "off"),
        ("y", "y"),
        ("=", "="),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("", None),
        ("nULL", "nULL"),
        ("012", 12),
        ("-7", -7),
        ("+7", 7),
        ("0o14", 12),
        ("0x1F", 31),
        ("-0x1F", "-0x1F"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1.10", 1.1),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        (".", "."),
        ("+", "+"),
        ("1.2.3", "1.2.3"),
        ("2026-06-04", "2026-06-04"),
        ("2026-02-31", "2026-02-31"),
        ("2026-06-04T22:00:00Z", "2026-06-04T22:00:00Z"),
        (".infinity", ".infinity"),
    ],
)
def test_an_unquoted_scalar_means_what_the_core_schema_of_yaml_1_2_says(text: str, value: Json) -> None:
    """`R14`."""
    found = plain(document(f"a: {text}\n"))
    assert isinstance(found, dict)
    assert (found["a"], type(found["a"])) == (value, type(value))


def test_a_quoted_scalar_is_always_a_text() -> None:
    assert plain(document("{a: 'true', b: \"12\", c: '', d: '~'}\n")) == {
        "a": "true",
        "b": "12",
        "c": "",
        "d": "~",
    }


def test_the_text_of_a_number_is_kept_as_it_was_written() -> None:
    node = document("version: 1.10\n")
    version = entry(node, "version")
    assert version is not None
    assert (plain(version), getattr(version, "text", "")) == (1.1, "1.10")


def test_every_value_and_key_knows_its_line_and_column_counted_from_1() -> None:
    node = document('a:\n  - b: "é ü" # note\n    c: [1, {d: e}]\n')
    assert isinstance(node, Mapping)
    assert places(node) == {
        "a": Place("f.yaml", 2, 3),
        "a.0": Place("f.yaml", 2, 5),
        "a.0.b": Place("f.yaml", 2, 8),
        "a.0.c": Place("f.yaml", 3, 8),
        "a.0.c.0": Place("f.yaml", 3, 9),
        "a.0.c.1": Place("f.yaml", 3, 12),
        "a.0.c.1.d": Place("f.yaml", 3, 16),
    }
    assert node.key_place("a") == Place("f.yaml", 1, 1)


def test_a_byte_order_mark_of_utf_8_moves_nothing() -> None:
    node = document(b"\xef\xbb\xbfa: b\n")
    assert places(node) == {"a": Place("f.yaml", 1, 4)}


def test_aliases_stand_for_what_they_name() -> None:
    """`R14`."""
    assert plain(document("a: &x [1, &y {b: c}]\nd: *x\ne: [*y, *y]\n")) == {
        "a": [1, {"b": "c"}],
        "d": [1, {"b": "c"}],
        "e": [{"b": "c"}, {"b": "c"}],
    }


def test_an_alias_can_be_a_key_and_is_placed_where_it_stands() -> None:
    node = document("a: &x name\nb:\n  *x : c\n")
    assert plain(node) == {"a": "name", "b": {"name": "c"}}
    inner = entry(node, "b")
    assert isinstance(inner, Mapping)
    assert inner.key_place("name") == Place("f.yaml", 3, 3)


def test_a_file_without_a_document_is_an_empty_scalar() -> None:
    for text in ("", "\n\n", "# only a comment\n", "---\n", "---\n...\n"):
        assert plain(document(text)) is None


def test_of_a_duplicate_key_the_first_stands_so_that_the_rest_can_be_judged() -> None:
    """`R14`, `R15`."""
    node, found = parsed(b"a: 1\nb: 2\na: 3\n", "f.yaml")
    assert node is not None
    assert plain(node) == {"a": 1, "b": 2}
    assert [(p.code, at(p)) for p in found] == [(Code.DUPLICATE_KEY, (3, 1))]
    assert "line 1" in found[0].says


def test_an_unquoted_variable_in_the_middle_of_a_text_is_fine() -> None:
    """`R13`."""
    assert plain(document("a: the {{ env }} one\nb: /x/{{ env }}/y\nc: x{{ a }}\n")) == {
        "a": "the {{ env }} one",
        "b": "/x/{{ env }}/y",
        "c": "x{{ a }}",
    }


def test_all_unquoted_variables_are_found_in_one_pass() -> None:
    """`R13`, `R15`."""
    found = problems("a: {{ x }}\nb:\n  - {{ y | upper }}\n  - fine\n  - - {{ z\nc: {d: {{ e }}}\n{{ f }}: g\n")
    assert {p.code for p in found} == {Code.UNQUOTED_VARIABLE}
    assert [at(p) for p in found][:3] == [(1, 4), (3, 5), (5, 7)]


def test_a_colon_inside_brackets_is_fine_where_no_space_follows() -> None:
    """YAML 1.2 allows what the fast parser, which knows 1.1, does not."""
    text = "{url: http://example.com:80/x, times: [22:00, 2026-06-04T22:00:00Z], a: 'b'}\n"
    assert plain(document(text)) == {
        "url": "http://example.com:80/x",
        "times": ["22:00", "2026-06-04T22:00:00Z"],
        "a": "b",
    }


def test_a_mapping_in_a_mapping_is_no_variable() -> None:
    assert plain(document("a: {b: {c: d}}\n")) == {"a": {"b": {"c": "d"}}}
    assert [p.code for p in problems("a: { {b: c}: d}\n")] == [Code.REFUSED_YAML]


def nested(levels: int) -> str:
    return "{a: " * levels + "b" + "}" * levels


def test_32_levels_are_read_and_33_are_not() -> None:
    """`R14`."""
    document(nested(DEEPEST))
    assert [(p.code, at(p)) for p in problems(nested(DEEPEST + 1))] == [(Code.TOO_LARGE, (1, 4 * DEEPEST + 1))]


def test_levels_are_counted_through_aliases() -> None:
    """`R14`."""
    document(f"a: &x {nested(30)}\nb: [*x]\n")
    assert [p.code for p in problems(f"a: &x {nested(30)}\nb: [[*x]]\n")] == [Code.TOO_LARGE]


def test_20_000_values_are_read_and_one_more_is_not() -> None:
    """`R14`."""
    document("[" + "a," * (MOST_NODES - 1) + "]")
    assert [p.code for p in problems("[" + "a," * MOST_NODES + "]")] == [Code.TOO_LARGE]


def test_50_000_values_with_aliases_are_read_and_one_more_is_not() -> None:
    """`R14`."""
    head = "- &x [" + "a," * 99 + "]\n"
    fits = MOST_EXPANDED // 100 - 2
    node = document(head + "- *x\n" * fits)
    assert isinstance(node, Items)
    assert [p.code for p in problems(head + "- *x\n" * (fits + 1))] == [Code.TOO_LARGE]


def test_a_long_text_repeated_by_aliases_is_refused_before_it_fills_the_memory() -> None:
    found = problems("a: &a " + "x" * 200_000 + "\nb: [" + "*a," * 2000 + "]")
    assert [(p.code, p.place.line) for p in found] == [(Code.TOO_LARGE, 2)]


def test_256_kib_are_read_and_one_byte_more_is_not() -> None:
    """`R14`."""
    document(b"a: b #" + b"x" * (LARGEST_DEFINITION - 6))
    assert [p.code for p in problems(b"a: b #" + b"x" * (LARGEST_DEFINITION - 5))] == [Code.TOO_LARGE]


HOSTILE: dict[str, bytes] = {
    "alias bomb": b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (i, i, b",".join([b"*%c" % (i - 1)] * 10)) for i in range(98, 108)),
    "200,000 flow levels": b"[" * 200_000,
    "mixed flow levels": b"[{a: " * 50_000,
    "100,000 dashes": b"- " * 100_000,
    "800 flow mappings": b"{a: " * 800,
    "100,000 question marks": b"? " * 100_000,
    "2,000 levels of block mappings": b"".join(b" " * i + b"a:\n" for i in range(700)),
    "NUL": b"a: b\0c\n" * 1000,
    "UTF-16 with BOM": "a: b\n".encode("utf-16"),
    "invalid UTF-8": b"a: b\n" * 50_000 + b"\xff",
    "tabs": b"\t" * 250_000,
    "comments": b"# comment\n" * 25_600,
    "one scalar": b"a: " + b"x" * 256_000,
    "one quoted scalar": b'a: "' + b"\\u0041" * 40_000 + b'"',
    "one long key": b"x" * 256_000 + b": a",
    "unclosed quote": b'"' + b"x\n" * 120_000,
    "literal block": b"a: |\n" + b" x\n" * 85_000,
    "many anchors": b"- &a a\n" * 6000 + b"- *a\n" * 6000,
    "recursive alias": b"a: &a [b, {c: *a}]\n",
    "unquoted variables": b"- {{ a }}\n" * 25_000,
    "anchors in a row": b"&a " * 80_000,
    "tags in a row": b"!a " * 80_000,
    "directives in a row": b"%a\n" * 80_000,
    "duplicate keys": b"a: a\n" * 9_900,
    "colons": b"a:" * 120_000,
    "documents": b"---\n" * 60_000,
    "blank": b" " * 260_000,
    "colons inside brackets": b"[" + b"a:b, " * 12_000 + b"]",
    "colons inside brackets and unquoted variables": b"- [a:b]\n- {{ a }}\n" * 3_000,
    "line breaks of other worlds": "\x85\u2028".encode() * 50_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_any_256_kib_get_a_verdict_within_a_second_and_never_an_exception(name: str) -> None:
    """`R14`: measured in time of the processor, so that a busy machine does not matter."""
    data = HOSTILE[name]
    assert len(data) <= LARGEST_DEFINITION
    before = time.process_time()
    verdict = read(data, "f.yaml")
    assert time.process_time() - before < 1
    if isinstance(verdict, tuple):
        assert all(p.place.line >= 1 and p.place.column >= 1 and p.says for p in verdict)


@pytest.mark.parametrize(
    "text",
    [
        'a: &x [1, "b", 012]\nc: *x\nd: |\n  e\n  f\n',
        "a: {{ x }}\nb: 1\n",
        "a: !!set b\n",
        "a: 1\n---\nb: 2\n",
        "a: 1\na: 2\n",
        "? [a]\n: b\n",
    ],
)
def test_the_pure_parser_says_the_same_as_the_fast_one(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, found = parsed(text.encode(), "f.yaml")
    monkeypatch.setattr(marked_yaml, "CParser", None)
    slow, found_slowly = parsed(text.encode(), "f.yaml")

    assert [at(p) for p in found_slowly] == [at(p) for p in found]
    assert (slow is None) == (fast is None)
    if slow is not None and fast is not None:
        assert (plain(slow), places(slow)) == (plain(fast), places(fast))


ODD = st.text(alphabet="ab:-?[]{}&*!|>'\"%@#,. \n\t{}\x00\u00e9\u0085~<0", max_size=60)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(ODD)
def test_whatever_the_text_the_verdict_is_a_document_that_json_can_hold_or_problems(text: str) -> None:
    """`R14`."""
    verdict = read(text.encode(), "f.yaml")
    if isinstance(verdict, tuple):
        assert verdict
        assert all(p.place.line >= 1 and p.place.column >= 1 for p in verdict)
    else:
        canonical(plain(verdict)).encode()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=80))
def test_whatever_the_bytes_there_is_a_verdict(data: bytes) -> None:
    """`R14`."""
    verdict = read(data, "f.yaml")
    assert verdict != ()


JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(JSON)
def test_json_without_nul_is_read_as_what_it_is(value: Json) -> None:
    text = canonical([value])
    assume(text.isprintable() and "\\u0000" not in text)

    assert plain(document(text)) == [value]
