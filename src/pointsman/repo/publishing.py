"""Making the tags that publish, in a local repository."""

from collections.abc import Iterable

import pygit2
from pygit2.enums import ObjectType

from pointsman.model.problem import Invalid, Refused
from pointsman.repo import versions as version_order
from pointsman.repo.printable import printable_text
from pointsman.repo.tags import commit_of
from pointsman.repo.targets import TAGS, is_ref_name


def create_tag(
    repository: pygit2.Repository, name: str, commit: str, message: str, tagger: tuple[str, str] | None
) -> str:
    """The id of the annotated tag `name` that was made on a commit. No hook runs and nothing is pushed.

    `tagger` is a name and an address; without it they are Git's `user.name` and `user.email`. `Refused` if the tag
    exists: a published tag never moves. `Invalid` if name, tagger or commit cannot be used.
    """
    if name.startswith("-") or not is_ref_name(TAGS + name):
        raise Invalid(f"{printable_text(name)!r} cannot be the name of a tag", hint="for example v1.2.0")
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


def next_version(versions: Iterable[str]) -> str:
    """The version to publish after these: the next whole number."""
    return version_order.next_version(versions)


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
