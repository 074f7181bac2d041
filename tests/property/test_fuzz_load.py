"""Whatever the bytes, reading definitions ends with problems that point into the file, and never with an exception."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakes.mutations import golden_sources, misplaced, mutated, unsound, with_data
from fakes.sources import source
from pointsman.load.assemble import assemble
from pointsman.load.marked_yaml import parsed
from pointsman.load.nodes import places, plain
from pointsman.model.problem import Code, Problem
from pointsman.model.source import Source
from pointsman.model.values import canonical

# a mutation takes three milliseconds: there is time for more of them than the profile says
often = settings(max_examples=5 * settings().max_examples)

seeds = st.integers(0, 2**32 - 1)
noise = st.one_of(
    st.binary(max_size=200),
    st.text(alphabet="ab:-?[]{}&*!|>'\"%@#,. \n\t\r\x85\u2028\ufeff\x00é~<0", max_size=80).map(str.encode),
)


def data_of(seed: int) -> bytes:
    """A golden definition, changed."""
    changed, path = mutated(seed, seed % 7 + 1)
    return changed.entries[path].data or b""


@often
@given(seeds, st.integers(1, 12))
def test_a_definition_that_was_changed_gives_problems_in_its_files_and_never_an_exception(
    seed: int, count: int
) -> None:
    """`R15`, hostile.md 3.1: tokens and lines deleted, doubled, swapped, replaced; odd characters put in."""
    changed, _ = mutated(seed, count)

    assert unsound(changed, assemble(changed)) == []


@given(noise, st.integers(0, len(golden_sources()) - 1))
def test_noise_in_the_place_of_any_definition_is_told_as_a_problem(data: bytes, number: int) -> None:
    """`R14`: workflows, templates, targets, projects and `pointsman.yaml` alike."""
    before, path = golden_sources()[number]
    changed = with_data(before, path, data)

    assert unsound(changed, assemble(changed)) == []


@often
@given(st.one_of(noise, seeds.map(data_of)))
@example(b"a: [b\r\n")
def test_a_document_that_is_read_is_json_whose_places_are_in_the_file(data: bytes) -> None:
    """`R14`, `R7`: every value, not only what is wrong."""
    node, problems = parsed(data, "f.yaml")

    if node is not None:
        canonical(plain(node))
        found = [Problem(place=place, code=Code.SYNTAX, says=name) for name, place in places(node).items()]
        assert misplaced(_file(data), tuple(found)) == []
    assert misplaced(_file(data), problems) == []
    assert node is not None or problems


def test_a_comment_hides_no_step_behind_a_line_break_that_nobody_sees() -> None:
    """`R14`: YAML ends a line at U+0085, U+2028, U+2029 and a lone CR; a review and an editor mostly do not."""
    for odd in ("\x85", "\u2028", "\u2029", "\r"):
        text = f"steps:\n- {{type: wait}} # harmless{odd}- {{target: /projects/p, action: destroy}}\n"

        node, (problem,) = parsed(text.encode(), "f.yaml")

        assert node is None
        assert (problem.place.line, problem.place.column) == (2, 26)
    assert parsed(b"steps:\r\n- {type: wait}\r\n", "f.yaml")[1] == ()


@pytest.mark.parametrize(
    "line", ["a: " * 80_000, "- " * 80_000 + "{", "a:" * 80_000 + " {", "a : " * 60_000 + '"', " " * 200_000 + "}"]
)
def test_a_line_of_nothing_but_keys_is_judged_within_a_second(line: str) -> None:
    """`R14`: where the parser gives up, nobody tries every way to cut the line into keys."""
    before = time.process_time()

    assert parsed(line.encode(), "f.yaml")[1]
    assert time.process_time() - before < 1


def _file(data: bytes) -> Source:
    return with_data(source({}), "f.yaml", data)
