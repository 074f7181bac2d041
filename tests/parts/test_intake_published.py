"""Which version is meant: what the ledger has, and what a tag that is being judged would add."""

import pytest

from pointsman.intake.published import Published
from pointsman.model.plan import PinnedWorkflow

PATH = "/projects/p/workflows/w"


def row(version: str, commit: str = "c") -> PinnedWorkflow:
    """A version of the workflow."""
    return PinnedWorkflow(path=PATH, version=version, commit=commit)


def test_the_first_row_of_a_version_stays() -> None:
    """`R25`: however the later one is written."""
    published = Published([row("1", "first"), row("1.0.0", "second")])

    assert published.find(PATH, "1.0") == row("1", "first")


@pytest.mark.parametrize(
    ("versions", "latest"),
    [
        (["1", "2"], "2"),
        (["2", "1"], "2"),
        (["1.9", "1.10"], "1.10"),
        (["1", "2rc1"], "1"),
        (["1", "1.post1"], "1.post1"),
        (["2", "1!1"], "1!1"),
        (["1.dev1", "1a1"], None),
        ([], None),
    ],
)
def test_the_latest_is_the_highest_that_is_no_pre_release(versions: list[str], latest: str | None) -> None:
    """`R22`"""
    found = Published(map(row, versions)).find(PATH, None)

    assert (found and found.version) == latest


@pytest.mark.parametrize(
    ("asked", "found"), [("1.10", "1.10"), ("1.1", None), ("v1.10.0", "1.10"), ("x", None), ("", None)]
)
def test_a_version_is_found_by_what_it_means(asked: str, found: str | None) -> None:
    """`R22`: 1.10 is not 1.1; what is no version finds nothing."""
    answer = Published([row("1.10")]).find(PATH, asked)

    assert (answer and answer.version) == found


def test_a_version_that_is_added_may_become_the_latest() -> None:
    """`R22`: an answer that was given before is not kept."""
    published = Published([row("1")])
    assert published.find(PATH, None) == row("1")

    published.add(row("3"))

    assert published.find(PATH, None) == row("3")


def test_what_a_tag_would_add_is_seen_by_nobody_else() -> None:
    """`R24`: and never takes the place of what the ledger has."""
    published = Published([row("1", "ledger")])

    more = published.with_more(
        {PATH: row("1", "judged"), "other": PinnedWorkflow(path="other", version="1", commit="c")}
    )

    assert more.find(PATH, None) == row("1", "ledger")
    assert more.find("other", "1") is not None
    assert published.find("other", "1") is None
    assert set(more.paths()) == {PATH, "other"}
