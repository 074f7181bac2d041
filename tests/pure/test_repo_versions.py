"""Versions and release tags: names in, versions out."""

import pytest

from pointsman.repo.versions import (
    ReleaseTag,
    canonical_version,
    latest,
    next_version,
    ordered,
    parse_tag,
    same_version,
)


def test_a_repository_release_publishes_every_workflow() -> None:
    """R20."""
    assert parse_tag("v1.2.0") == ReleaseTag(tag="v1.2.0", version="1.2", display="1.2.0")


def test_a_workflow_release_names_project_and_workflow() -> None:
    """R20."""
    release = parse_tag("hello_world/deploy-all/v2.0.0rc1")

    assert release is not None
    assert (release.project, release.workflow) == ("hello_world", "deploy-all")
    assert (release.version, release.display) == ("2rc1", "2.0.0rc1")


@pytest.mark.parametrize(
    "name",
    [
        "", "v", "1.0", "vv1", "V1", "version1", "v1+local", "v1;id", "v$(id)", "v1`id`", "-rf", "--upload-pack=x",
        'v1"><script>', "v1/v1", "deploy/v1", "a/b/c/v1", "/v1", "//v1", "a//v1", "/b/v1", "A/b/v1", "a/../v1",
        "a/b/v1/", "a/b/vlatest", "v١", "v1 ", "v 1", "v1\n", "v1.po\u017ft1", "v" + "1" * 5000, "a/b/1",
    ],
)  # fmt: skip
def test_other_tag_names_publish_nothing(name: str) -> None:
    """Hostile names (48) are no versions; what Git allows but PEP 440 does not is no version either (R22)."""
    assert parse_tag(name) is None


@pytest.mark.parametrize("text", ["1", "1.0", "1.0.0", "v1", "1.0.0.0", " 1 "])
def test_trailing_zeros_do_not_make_another_version(text: str) -> None:
    """R22."""
    assert canonical_version(text) == "1"
    assert same_version(text, "1.0")


def test_1_10_is_not_1_1() -> None:
    """R22."""
    assert not same_version("1.10", "1.1")
    assert canonical_version("1.10") == "1.10"


@pytest.mark.parametrize("text", ["", "latest", "main", "1.x", "true", "None", "1+x", "1" * 5000, "1.0\ud800"])
def test_what_pep_440_does_not_parse_is_refused(text: str) -> None:
    """R22."""
    with pytest.raises(ValueError, match="version"):
        canonical_version(text)
    assert not same_version(text, text)


def test_versions_order_as_in_pep_440() -> None:
    """R22."""
    assert ordered(["10", "1.10", "2.0.0rc1", "1.9", "2", "1!0", "2.dev1", "2.post1"]) == [
        "1.9", "1.10", "2.dev1", "2.0.0rc1", "2", "2.post1", "10", "1!0",
    ]  # fmt: skip


def test_a_pre_release_is_never_latest() -> None:
    """R22."""
    assert latest(["1", "3", "4rc1", "5.dev2", "2"]) == "3"
    assert latest(["1rc1"]) is None
    assert latest([]) is None


@pytest.mark.parametrize(
    ("published", "following"),
    [
        ([], "1"), (["1"], "2"), (["1", "2", "10"], "11"), (["1.2.0"], "2"), (["0.5"], "1"), (["3rc1"], "3"),
        (["2", "3rc1"], "3"), (["3.post1"], "4"), (["0rc1"], "1"), (["1!3", "7"], "1!4"),
    ],
)  # fmt: skip
def test_the_next_version_is_the_next_whole_number(published: list[str], following: str) -> None:
    """INTERFACES: publish."""
    assert next_version(published) == following
