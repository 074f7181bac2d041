"""Signatures of tags, made by real git and ssh-keygen, and everything about them that must not count (R26)."""

from pathlib import Path

import pytest
from pygit2.enums import ObjectType

from fakes.git import Repository
from fakes.signing import Key, signed_tag
from pointsman.model.problem import Invalid
from pointsman.repo.signatures import Signers, signer_of, signers_at

IN_2025, IN_2026, IN_2027 = 1_750_000_000.0, 1_780_000_000.0, 1_810_000_000.0
ANN = "ann@example.com"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """Ann's key."""
    return Key.create(tmp_path_factory.mktemp("keys") / "ann")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """A key of somebody else."""
    return Key.create(tmp_path_factory.mktemp("keys") / "other")


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A repository with one commit on `main`."""
    made = Repository.create(tmp_path / "ops.git", bare=True)
    made.commit({"a": "1"})
    return made


def signers(*lines: str, revoked: str = "") -> Signers:
    """Signers as they would stand in the files."""
    return Signers(allowed="".join(lines).encode(), revoked=revoked.encode())


def signer(ops: Repository, tag: str, object_id: str, allowed: Signers, *, at: float = IN_2026) -> str:
    """Who signed a tag."""
    return signer_of(ops.opened.odb, tag, object_id, allowed, at=at)


def test_a_tag_signed_by_who_is_allowed_is_by_them(ops: Repository, key: Key, other: Key) -> None:
    """`R26`; also where one line names several, or only patterns."""
    tag = signed_tag(ops, "hello/deploy/v1", key)

    assert signer(ops, "hello/deploy/v1", tag, signers(other.allows("bob@example.com"), key.allows())) == ANN
    assert signer(ops, "hello/deploy/v1", tag, signers(key.allows("*@example.com,*@example.org"))) == "*@example.com"
    assert signer(ops, "hello/deploy/v1", tag, signers(key.allows(options='namespaces="git"'))) == ANN


def test_a_tag_that_nobody_signed_is_refused(ops: Repository, key: Key) -> None:
    """Hostile 32: lightweight, annotated, and signed with something else."""
    allowed = signers(key.allows())
    pgp = b"-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n"
    annotated = ops.opened.odb.read(ops.tag("v2"))[1]

    for object_id, says in (
        (ops.tag("v1", annotated=False), "a lightweight tag, which nobody can sign"),
        (ops.tag("v3"), "it is not signed"),
        (ops.write(ObjectType.TAG, annotated + pgp), "only SSH signatures are checked"),
    ):
        with pytest.raises(Invalid, match=says) as caught:
            signer(ops, "v3" if says == "it is not signed" else "v2", object_id, allowed)
        assert "git tag -s" in caught.value.hint


def test_a_tag_signed_with_an_unknown_key_is_refused(ops: Repository, key: Key, other: Key) -> None:
    """Hostile 33: ssh-keygen would say `Good "git" signature` for it all the same."""
    with pytest.raises(Invalid, match="a key that is not in allowed_signers"):
        signer(ops, "v1", signed_tag(ops, "v1", other), signers(key.allows()))
    with pytest.raises(Invalid, match="a key that is not in allowed_signers"):
        signer(ops, "v1", signed_tag(ops, "v1", key), signers())


def test_a_signature_of_another_text_or_purpose_is_refused(ops: Repository, key: Key) -> None:
    """A tag that was changed after it was signed, and a signature that was made for files or mail."""
    data = ops.opened.odb.read(signed_tag(ops, "v1", key))[1]
    payload = data[: data.index(b"-----BEGIN SSH")]
    changed = ops.write(ObjectType.TAG, data.replace(b"Release", b"Revoked"))
    for_files = ops.write(ObjectType.TAG, payload + key.sign(payload, purpose="file"))
    trailing = ops.write(ObjectType.TAG, data + b"and more\n")

    for object_id, says in ((changed, "is not good"), (for_files, "is not good"), (trailing, "it is not signed")):
        with pytest.raises(Invalid, match=says):
            signer(ops, "v1", object_id, signers(key.allows()))


def test_a_signed_tag_does_not_count_under_another_name(ops: Repository, key: Key) -> None:
    """Who may push could show an old release as a new one: the object of `v1` under the name `v9`."""
    tag = signed_tag(ops, "v1", key)

    with pytest.raises(Invalid, match="a tag called v1"):
        signer(ops, "v9", tag, signers(key.allows()))


def test_a_key_counts_for_the_time_at_which_the_tag_was_first_seen(ops: Repository, key: Key) -> None:
    """Whatever time the tag gives itself."""
    tag = signed_tag(ops, "v1", key)
    allowed = signers(key.allows(options='valid-after="20260101",valid-before="20270101"'))

    assert signer(ops, "v1", tag, allowed, at=IN_2026) == ANN
    for at in (IN_2025, IN_2027):
        with pytest.raises(Invalid, match="was not valid when the tag was first seen"):
            signer(ops, "v1", tag, allowed, at=at)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_revoked_key_does_not_count(ops: Repository, key: Key, damaged: bool) -> None:  # noqa: FBT001 - a parameter
    """A list that cannot be read revokes everything."""
    tag = signed_tag(ops, "v1", key)

    with pytest.raises(Invalid, match="revoked_signers"):
        signer(ops, "v1", tag, signers(key.allows(), revoked="?\n" if damaged else f"{key.public}\n"))


def test_the_repositorys_configuration_has_no_effect(ops: Repository, key: Key, other: Key, tmp_path: Path) -> None:
    """Hostile 36: with it, git itself takes the attacker's key for good."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 0\n", "utf-8")
    program.chmod(0o755)
    (tmp_path / "allowed").write_text(other.allows(), "utf-8")
    tag = signed_tag(ops, "v1", other)
    for name, value in (("program", program), ("allowedSignersFile", tmp_path / "allowed")):
        ops.git("config", f"gpg.ssh.{name}", str(value))

    with pytest.raises(Invalid, match="a key that is not in allowed_signers"):
        signer(ops, "v1", tag, signers(key.allows()))
    assert not (tmp_path / "ran").exists()


def test_signers_are_read_beside_pointsman_yaml_at_a_commit(ops: Repository, key: Key) -> None:
    """Both files, and below a root."""
    commit = ops.commit({"ops/allowed_signers": key.allows(), "ops/revoked_signers": "x\n", "allowed_signers": "y\n"})

    assert signers_at(ops.opened, commit, "ops") == signers(key.allows(), revoked="x\n")
    assert signers_at(ops.opened, commit) == signers("y\n")


@pytest.mark.parametrize("line", ["*", "ann@example.com,*", '"*"', '"ann@example.com,*"', "  **", "?*"])
def test_a_line_for_everybody_makes_the_file_useless(ops: Repository, key: Key, line: str) -> None:
    """Hostile 4.3: a certificate for any name would do, and the record would name nobody."""
    commit = ops.commit({"allowed_signers": f"# signers\n\n{key.allows()}{line} cert-authority {key.public}\n"})

    with pytest.raises(Invalid, match=r"allowed_signers:4: the principal \*"):
        signers_at(ops.opened, commit)


def test_signers_that_are_missing_or_no_plain_file_are_refused(ops: Repository) -> None:
    """A link could lead to a file of somebody else's."""
    with pytest.raises(Invalid, match="there is no file allowed_signers"):
        signers_at(ops.opened, ops.head())
    linked = ops.commit_tree(ops.write_tree(("120000", b"allowed_signers", ops.write_blob(b"/etc/passwd"))))
    with pytest.raises(Invalid, match="allowed_signers is no plain file"):
        signers_at(ops.opened, linked)
