"""Signed tags as a daemon follows them, and as the commands of a clone see them (R26)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.following import GOOD, Following, entry, versions
from fakes.git import Repository
from fakes.signing import Key, signed_tag
from fakes.sources import INVENTORY, files_of, repository
from pointsman.cli.main import cli
from pointsman.repo import signatures


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """Ann's key."""
    return Key.create(tmp_path_factory.mktemp("keys") / "ann")


def required(*lines: str) -> dict[str, str]:
    """The files that make signatures of these signers required."""
    return {"pointsman.yaml": "signed_tags: required\n", "allowed_signers": "".join(lines)}


@pytest.fixture
def following(tmp_path: Path, key: Key) -> Iterator[Following]:
    """A follower over a repository that requires Ann's signature."""
    made = Following(repository(tmp_path / "ops.git", required(key.allows()), deploy=GOOD))
    yield made
    made.close()


def problem(following: Following) -> str:
    """What is said of the only version."""
    (version,) = entry(following.look(), "deploy").versions
    return "\n".join(map(str, version.problems))


def test_only_a_signed_tag_becomes_a_version(following: Following, key: Key) -> None:
    """`R26`: the others are invalid and say so; the latest is the signed one."""
    following.repository.tag("v1")
    signed_tag(following.repository, "v2", key)
    following.repository.tag("p/deploy/v3", annotated=False)

    found = following.look()

    assert versions(found, "deploy") == [("1", False), ("2", True), ("3", False)]
    assert entry(found, "deploy").latest == "2"
    said = [str(version.problems[0]) for version in entry(found, "deploy").versions if not version.valid]
    assert [text.partition(": error[PM051]: ")[2].partition(",")[0] for text in said] == [
        "tag v1: it is not signed\nhint: sign it with: git tag -s (and gpg.format ssh)",
        "tag p/deploy/v3: it is a lightweight tag",
    ]


def test_a_tag_is_judged_again_when_the_signers_change(following: Following, tmp_path: Path) -> None:
    """`R26`: a key that is added makes good what it signed before."""
    other = Key.create(tmp_path / "other")
    signed_tag(following.repository, "v1", other)
    assert "not in allowed_signers" in problem(following)

    following.repository.commit({"allowed_signers": other.allows()})

    assert versions(following.look(), "deploy") == [("1", True)]


def test_a_version_stays_whatever_becomes_of_its_key_and_of_the_rule(following: Following, key: Key) -> None:
    """`R25`: a row of the ledger never changes: the key is revoked, its line removed, the daemon started anew."""
    signed_tag(following.repository, "v1", key)
    following.look()

    following.repository.commit({"allowed_signers": "", "revoked_signers": f"{key.public}\n"})
    following.restart()
    signed_tag(following.repository, "v2", key)

    assert versions(following.look(), "deploy") == [("1", True), ("2", False)]
    assert following.told == []


def test_a_version_from_before_signatures_were_required_stays(tmp_path: Path, key: Key) -> None:
    """Turning it on takes nothing back; turning it off makes unsigned tags versions."""
    following = Following(repository(tmp_path / "ops.git", deploy=GOOD))
    try:
        following.repository.tag("v1")
        following.look()
        following.repository.commit({"pointsman.yaml": "signed_tags: required\n", "allowed_signers": key.allows()})
        following.repository.tag("v2")
        assert versions(following.look(), "deploy") == [("1", True), ("2", False)]

        following.repository.commit({"pointsman.yaml": "signed_tags: optional\n"})

        assert versions(following.look(), "deploy") == [("1", True), ("2", True)]
    finally:
        following.close()


def test_the_rule_is_the_inventory_branchs_and_not_the_tags_own(following: Following) -> None:
    """Whoever may push a tag could otherwise switch it off in its commit."""
    ops = following.repository
    commit = ops.commit({**INVENTORY, **files_of(deploy=GOOD)}, branch="free", executable={"templates/server/act.sh"})
    ops.tag("v1", commit)

    assert "it is not signed" in problem(following)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"pointsman.yaml": "signed_tags: sometimes\n"}, "it is not known whether tags must be signed"),
        ({"allowed_signers": None}, "there is no file allowed_signers"),
        ({"allowed_signers": "* ssh-ed25519 AAAA\n"}, "allowed_signers:1: the principal *"),
    ],
)
def test_a_slip_on_the_inventory_branch_opens_no_door(
    following: Following, key: Key, files: dict[str, str | bytes | None], says: str
) -> None:
    """No tag is good until it is corrected; then it is."""
    head = following.repository.head()
    following.repository.commit(files)
    signed_tag(following.repository, "v1", key, head)
    assert says in problem(following)

    following.repository.write_ref("refs/heads/main", head)

    assert versions(following.look(), "deploy") == [("1", True)]


# In a clone


@pytest.fixture
def clone(tmp_path: Path, key: Key) -> Repository:
    """A clone of a repository that requires Ann's signature, whose Git knows her key."""
    server = repository(tmp_path / "ops.git", required(key.allows()), deploy=GOOD)
    made = Repository.clone(server, tmp_path / "clone")
    made.git("config", "user.signingkey", str(key.path))
    return made


def done(clone: Repository, *words: str) -> Result:
    """What a command comes to in the clone."""
    return CliRunner().invoke(cli, [words[0], "-C", str(clone.path), *words[1:]])


def test_publish_signs_and_the_tag_is_good(clone: Repository) -> None:
    """`R26`: and where signatures are required it makes no other tag."""
    refused = done(clone, "publish", "deploy")
    signed = done(clone, "publish", "deploy", "--sign")

    assert refused.exit_code == 7
    assert "--sign" in refused.stderr
    assert signed.exit_code == 0, signed.stderr
    assert "BEGIN SSH SIGNATURE" in clone.git("cat-file", "tag", "p/deploy/v1")
    assert done(clone, "validate", "p/deploy/v1").exit_code == 0
    listed = done(clone, "versions", "deploy").stdout
    assert "1 (latest)" in listed
    assert "invalid" not in listed


def test_publish_leaves_no_tag_that_would_be_invalid(clone: Repository, tmp_path: Path) -> None:
    """A key that is not listed, and a key that Git cannot find."""
    other = Key.create(tmp_path / "other")
    for path, says in ((other.path, "PM051"), (tmp_path / "gone", "git config user.signingkey")):
        clone.git("config", "user.signingkey", str(path))
        refused = done(clone, "publish", "deploy", "--sign")
        assert refused.exit_code in {1, 7}
        assert says in refused.stderr
        assert clone.git("tag") == ""


def test_validate_and_versions_look_at_the_signature(clone: Repository) -> None:
    """The same verdict as the daemon's."""
    clone.tag("v1")

    judged, listed = done(clone, "validate", "v1"), done(clone, "versions", "deploy")

    assert judged.exit_code == 1
    assert "error[PM051]: tag v1: it is not signed" in judged.stdout
    assert "invalid" in listed.stdout


def test_without_ssh_keygen_no_tag_is_good(clone: Repository, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails closed, and says what is missing."""
    signed_tag(clone, "v1", key)
    monkeypatch.setattr(signatures, "_FOLDERS", "/nowhere")

    judged = done(clone, "validate", "v1")

    assert judged.exit_code == 1
    assert "there is no ssh-keygen" in judged.stdout
