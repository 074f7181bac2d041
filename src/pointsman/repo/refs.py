"""Branches and tags of a repository at one moment, and what moved between two.

Reading again costs what has changed: an unchanged packed-refs is not parsed again, and only refs that name
another object than before are looked into. Tags that can release nothing are never opened: of 100,000 tags most
are other people's, and opening one costs more than all else that is done about it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pygit2
from pygit2.enums import ObjectType

from pointsman.model.problem import Invalid
from pointsman.repo.objects import header, kind_name
from pointsman.repo.opening import common_folder
from pointsman.repo.tags import TagRef, tag_ref
from pointsman.repo.targets import BRANCHES, TAGS, Targets, read_targets
from pointsman.repo.versions import may_release

_MOST_LOOKED_AT_AGAIN = 100

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefSnapshot:
    """All branches (short name → commit id) and tags whose names may release something (short name → `TagRef`).

    All `other_tags` are there by what they name, a tag object or anything else. A tag that is not usable is in `tags`
    with its `trouble`; other refs that are not are in `unusable`, by their full name made printable, with a sentence.
    `targets` and `troubled` are what the next reading starts from. Nothing is in any particular order.
    """

    branches: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, TagRef] = field(default_factory=dict)
    other_tags: Mapping[str, str] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)
    targets: Targets = field(default_factory=Targets, repr=False, compare=False)
    troubled: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefMoves:
    """Short names of the refs that differ between two snapshots, sorted. False if there are none."""

    branches_created: tuple[str, ...] = ()
    branches_moved: tuple[str, ...] = ()
    branches_deleted: tuple[str, ...] = ()
    tags_created: tuple[str, ...] = ()
    tags_moved: tuple[str, ...] = ()
    tags_deleted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(
            (
                self.branches_created,
                self.branches_moved,
                self.branches_deleted,
                self.tags_created,
                self.tags_moved,
                self.tags_deleted,
            )
        )


def read_refs(repository: pygit2.Repository, before: RefSnapshot | None = None) -> RefSnapshot:
    """The branches and tags as they are now; `before` itself if nothing has changed.

    Only full names below `refs/heads/` and `refs/tags/` count, and no bad ref ever hides another. Refs whose object
    was missing or damaged are looked at again (the first hundred), as a mirror may get its refs before its objects.
    `Unavailable` if the repository is gone or cannot be read now: that must not look like refs being deleted.
    """
    last = before or RefSnapshot()
    targets = read_targets(common_folder(repository), last.targets if before else None)
    names = dict.fromkeys((*_changed(last.targets, targets), *last.troubled))
    if before is not None and not names and targets.bad == last.targets.bad:
        return before
    branches, tags, unusable = dict(last.branches), dict(last.tags), _object_troubles(last)
    others = dict(last.other_tags)
    odb = repository.odb
    for name in names:
        object_id = targets.object_id(name)
        if not name.startswith(TAGS):
            _look_into(odb, name, object_id, branches=branches, unusable=unusable)
        elif may_release(short := name.removeprefix(TAGS)):
            _put(tags, short, None if object_id is None else tag_ref(odb, short, object_id))
        else:
            _put(others, short, object_id)
    now = RefSnapshot(
        branches=branches,
        tags=tags,
        other_tags=others,
        unusable={**unusable, **targets.bad},
        targets=targets,
        troubled=_troubled(unusable, tags),
    )
    return before if before is not None and before == now and before.targets == targets else now


def compare(before: RefSnapshot, after: RefSnapshot) -> RefMoves:
    """What was created, moved and deleted between two snapshots. A tag moves if it names another object. Pure."""
    if before is after:
        return RefMoves()
    branches = _moves(before.branches, after.branches)
    tags = _moves(_tag_objects(before), _tag_objects(after))
    return RefMoves(
        branches_created=branches[0],
        branches_moved=branches[1],
        branches_deleted=branches[2],
        tags_created=tags[0],
        tags_moved=tags[1],
        tags_deleted=tags[2],
    )


def _moves(
    before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    moved = [name for name, now in after.items() if (then := before.get(name)) is not None and then != now]
    return (
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(moved)),
        tuple(sorted(before.keys() - after.keys())),
    )


def _tag_objects(snapshot: RefSnapshot) -> dict[str, str]:
    return {**snapshot.other_tags, **{name: tag.object_id for name, tag in snapshot.tags.items()}}


def _changed(before: Targets, after: Targets) -> Iterable[str]:
    """Full names of the refs that may name another object than before."""
    if before.packed is after.packed:
        names = {name for name, _ in before.loose.items() ^ after.loose.items()}
        names |= before.bad.keys() ^ after.bad.keys()
        return [name for name in names if before.object_id(name) != after.object_id(name)]
    then, now = before.whole(), after.whole()
    # in the order of the file, as the objects then often lie beside one another
    return [*(name for name, target in now.items() if then.get(name) != target), *(then.keys() - now.keys())]


def _troubled(unusable: Mapping[str, str], tags: Mapping[str, TagRef]) -> tuple[str, ...]:
    names = [*unusable, *(TAGS + name for name, tag in tags.items() if tag.trouble)]
    return tuple(sorted(names)[:_MOST_LOOKED_AT_AGAIN])


def _object_troubles(snapshot: RefSnapshot) -> dict[str, str]:
    """Of what is unusable, the refs whose name and file are good, but not their object."""
    return {name: says for name, says in snapshot.unusable.items() if name not in snapshot.targets.bad}


def _put(where: dict[str, _Value], name: str, value: _Value | None) -> None:
    if value is None:
        where.pop(name, None)
    else:
        where[name] = value


def _look_into(
    odb: pygit2.Odb, name: str, object_id: str | None, *, branches: dict[str, str], unusable: dict[str, str]
) -> None:
    """Put a branch where it belongs now, and take it away from where it was."""
    trouble = "" if object_id is None else _branch_trouble(odb, object_id)
    _put(unusable, name, trouble or None)
    _put(branches, name.removeprefix(BRANCHES), None if trouble else object_id)


def _branch_trouble(odb: pygit2.Odb, object_id: str) -> str:
    try:
        kind, _ = header(odb, object_id)
    except Invalid as error:
        return error.says
    return "" if kind == ObjectType.COMMIT else f"it is on a {kind_name(kind)}, not on a commit"
