"""Refs of Pointsman's own: what was published and what runs need stays, whatever is rewritten and collected."""

import os
from collections.abc import Iterable

import pygit2

from pointsman.model.problem import Unavailable
from pointsman.repo.printable import printable_text

OWN = "refs/pointsman/"
KEPT = f"{OWN}keep/"


def keep(repository: pygit2.Repository, object_ids: Iterable[str]) -> None:
    """See to it that `git gc` never removes these commits and folders, by a ref `refs/pointsman/keep/<id>` on each.

    A ref is made once and names its own object, so it never moves and two daemons cannot disagree; one that somebody
    has put on something else is put right. An object that is gone already cannot be kept, and is passed over: a ref on
    nothing would break the repository for `git gc`.
    `Unavailable` if refs cannot be written.
    """
    odb = repository.odb
    for object_id in object_ids:
        if object_id not in odb:
            continue
        try:
            _put(repository, KEPT + object_id, object_id)
        except (pygit2.GitError, OSError) as error:
            raise Unavailable(
                f"{KEPT}{object_id} cannot be written into the repository: {printable_text(_reason(error))}",
                hint="let the user who runs Pointsman write there, or what a run needs may be collected as garbage",
            ) from error


def _put(repository: pygit2.Repository, name: str, object_id: str) -> None:
    try:
        repository.references.create(name, object_id)
    except pygit2.AlreadyExistsError:
        if str(repository.references[name].target) != object_id:
            repository.references.create(name, object_id, force=True)


def _reason(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
