"""Where a cursor is in a text, however little of it is written."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.editing import spot
from pointsman.editor.sketch import outline

STEP = ("steps", 0)
PEOPLE = (*STEP, "requires_approval_from")


@pytest.mark.parametrize(
    ("text", "way", "is_key", "word"),
    [
        ("‸", (), False, ""),
        ("st‸", (), False, "st"),
        ("name: x\nst‸", (), True, "st"),
        ("steps:\n- ‸", STEP, False, ""),
        ("steps:\n- ty‸\n  name: x\n", STEP, False, "ty"),
        ("steps:\n- type: change\n  ‸\n  action: x\n", STEP, True, ""),
        ("steps:\n- type: change\n  target: ‸\n  action: x\n", (*STEP, "target"), False, ""),
        ("steps:\n- type: change\n  target: /a‸/b # c\n", (*STEP, "target"), False, "/a/b"),
        ("steps:\n- type: change\n  targets:\n  - a\n  - ‸\n  action: x\n", (*STEP, "targets", 1), False, ""),
        ("steps:\n  - type: change\n    targets:\n      - a\n      - b‸\n", (*STEP, "targets", 1), False, "b"),
        ("steps:\n- children:\n  - type: wait\n    ‸\n", (*STEP, "children", 0), True, ""),
        ("steps:\n- children:\n  - type: wait\n  ‸\n", STEP, True, ""),
        ("steps:\n- children:\n  - type: wait\n‸", (), True, ""),
        ("steps:\n- name: x\n  requires_approval_from:\n    ‸\n  type: wait\n", PEOPLE, False, ""),
        ("steps:\n- requires_approval_from: {user_names: [a, ‸], x: y}\n", (*PEOPLE, "user_names", 1), False, ""),
        ("steps:\n- requires_approval_from: {user_names: [a], ld‸}\n  name: x\n", PEOPLE, True, "ld"),
        ("steps:\n- requires_approval_from: {user_names: [a, ‸\n  name: x\n", (*PEOPLE, "user_names", 1), False, ""),
        ("steps: [\n  {name: a,\n   ty‸: }\n]\n", STEP, True, "ty"),
        ("steps:\n- {target: ‸, action: x}\n", (*STEP, "target"), False, ""),
        ('steps:\n- target: "/pro‸jects\n  action: x\n', (*STEP, "target"), False, "/projects"),
        ("steps:\n- na‸me: x\n", STEP, True, "name"),
        ("steps:\n- name: {{ e‸nv }}\n", (*STEP, "name"), False, "{{ env }}"),
        ("a:\n  run: |\n    b: c\n    d\n  e‸\n", ("a",), True, "e"),
        ("a: http://x:22‸", ("a",), False, "http://x:22"),
        ("a: &x b‸", ("a",), False, "b"),
    ],
)  # fmt: skip
def test_the_way_to_the_cursor_is_found(text: str, way: tuple[str | int, ...], is_key: bool, word: str) -> None:  # noqa: FBT001 - pytest's parameters
    found = spot(text)

    assert found is not None
    assert (found.way, found.is_key, found.word) == (way, is_key, word)


@pytest.mark.parametrize(
    "text", ["a:\n  run: |\n    b: ‸\n", "# ste‸\n", "a: b # c‸\n", "steps:\n- a: 1\n  b:\n  - c: 1\n  ‸- d"]
)
def test_a_script_and_a_comment_are_no_place_to_complete_in(text: str) -> None:
    found = spot(text)

    assert found is None or found.is_key


def test_what_stands_around_is_read_as_it_is_written() -> None:
    found = outline("name: x\nsteps:\n- target: [a, 'b c']\n  on: {d: \"e\", f: {g: h}}\n- type: wait\n")

    assert found.tree == {
        "name": "x",
        "steps": [{"target": ["a", "b c"], "on": {"d": "e", "f": {"g": "h"}}}, {"type": "wait"}],
    }
    assert found.places["steps", 0, "on"] == (3, 2)
    assert found.places["steps", 0, "on", "f", "g"] == (3, 19)


def test_a_flow_that_is_never_closed_ends_where_the_next_key_begins() -> None:
    found = outline("steps:\n- targets: [a, b\n  action: x\n- type: wait\n")

    assert found.tree == {"steps": [{"targets": ["a", "b"], "action": "x"}, {"type": "wait"}]}


PIECES = st.sampled_from(
    [
        "steps:",
        "\n",
        "- ",
        "  ",
        "type: ",
        "wait",
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        '"',
        "'",
        "#",
        "|",
        "&a ",
        "é",
        "\t",
        "x",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60), st.integers(0, 12), st.integers(0, 30))
def test_no_text_and_no_cursor_is_too_odd(text: str, line: int, column: int) -> None:
    found = outline(text, line=line, column=column).spot

    if found is not None:
        here = text.split("\n")[line]
        assert 0 <= found.start <= found.end <= len(here)
        assert found.word.startswith(found.before)


def test_a_line_of_spaces_takes_no_longer_than_it_is() -> None:
    """Whoever opens somebody's repository opens this too: by halves of its square it would take minutes."""
    began = time.process_time()
    outline("a" + " " * 200_000 + "b", line=0, column=1)
    assert time.process_time() - began < 2
