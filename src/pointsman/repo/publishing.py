"""Making the tags that publish, in a local repository."""

import subprocess
from collections.abc import Iterable

import pygit2
from pygit2.enums import ObjectType

from pointsman.model.problem import Invalid, Refused
from pointsman.repo import versions as version_order
from pointsman.repo.printable import printable_line, printable_text
from pointsman.repo.tags import commit_of
from pointsman.repo.targets import TAGS, is_ref_name


def create_tag(
    repository: pygit2.Repository, name: str, commit: str, message: str, tagger: tuple[str, str] | None
) -> str:
    """The id of the annotated tag `name` that was made on a commit. No hook runs and nothing is pushed.

    `tagger` is a name and an address; without it they are Git's `user.name` and `user.email`. `Refused` if the tag
    exists: a published tag never moves. `Invalid` if name, tagger or commit cannot be used.
    """
    _check_name(name)
    commit_id = commit_of(repository.odb, commit)
    signature = _signature(repository, tagger)
    try:
        return str(repository.create_tag(name, commit_id, ObjectType.COMMIT, signature, message))
    except pygit2.AlreadyExistsError:
        raise Refused(
            f"the tag {name} exists already, and a published version never moves",
            hint="publish the next version instead",
        ) from None
    except (pygit2.GitError, ValueError, OSError) as error:
        raise Refused(f"the tag {name} could not be made: {printable_text(str(error))}") from error


def create_signed_tag(repository: pygit2.Repository, name: str, commit: str, message: str) -> None:
    """Make the annotated tag `name` on a commit, signed with the user's SSH key, by Git's own command.

    Whoever signs on their own machine has configured how: the key, an agent, a program. All of that counts here; what
    the signature is worth is found out without it (`signatures.signer_of`). `Refused`, with Git's words, if it fails.
    """
    _check_name(name)
    where = f"--git-dir={repository.path}"
    arguments = ["tag", "--sign", f"--message={message}", name, commit_of(repository.odb, commit)]
    command = ["git", where, "-c", "gpg.format=ssh", *arguments]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    tag = repository.references.get(TAGS + name) if done.returncode == 0 else None
    if tag is None or b"-----BEGIN SSH SIGNATURE-----" not in repository.odb.read(tag.target)[1]:
        if tag is not None:  # Git 2.39 leaves a tag without a signature if it cannot read the key
            delete_tag(repository, name)
        said = printable_line(b"; ".join(line for line in done.stderr.splitlines() if line))
        raise Refused(
            f"the tag {name} could not be signed: {said}",
            hint="tell Git which SSH key is yours: git config user.signingkey ~/.ssh/id_ed25519.pub",
        )


def delete_tag(repository: pygit2.Repository, name: str) -> None:
    """Take away a tag that was just made."""
    repository.references.delete(TAGS + name)


def next_version(versions: Iterable[str]) -> str:
    """The version to publish after these: the next whole number."""
    return version_order.next_version(versions)


def _check_name(name: str) -> None:
    if name.startswith("-") or not is_ref_name(TAGS + name):
        raise Invalid(f"{printable_text(name)!r} cannot be the name of a tag", hint="for example v1.2.0")


def _signature(repository: pygit2.Repository, tagger: tuple[str, str] | None) -> pygit2.Signature:
    try:
        return pygit2.Signature(*tagger) if tagger is not None else repository.default_signature
    except KeyError:
        raise Invalid(
            "Git does not know who you are, and a tag says who made it",
            hint="tell it with: git config --global user.name NAME, and user.email ADDRESS",
        ) from None
    except (pygit2.GitError, ValueError) as error:
        raise Invalid(f"this cannot be a tagger: {printable_text(str(error))}") from error
