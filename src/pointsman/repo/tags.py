"""What a tag stands for: its commit, who tagged it and when, or why it is not usable."""

import re
from dataclasses import dataclass

import pygit2
from pygit2.enums import ObjectType

from pointsman.model.problem import Invalid
from pointsman.repo.objects import LARGEST_COMMIT, Person, header, kind_name, person, sized_content

LONGEST_CHAIN = 10

_TAG = re.compile(rb"object ([0-9a-f]{40})\ntype ([a-z]+)\ntag [^\n]*\n(?:tagger ([^\n]*)\n)?")
_KINDS = {b"commit": ObjectType.COMMIT, b"tree": ObjectType.TREE, b"blob": ObjectType.BLOB, b"tag": ObjectType.TAG}
_NOBODY = Person()


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRef:
    """A tag by its short name. `object_id` is what the ref names, a tag object or the commit itself.

    `commit` is empty and `trouble` says why if the tag does not lead to a commit. Who tagged it and when
    (seconds since 1970 in UTC) is there for annotated tags only.
    """

    name: str
    object_id: str
    commit: str = ""
    tagger_name: str = ""
    tagger_email: str = ""
    tagged_at: int | None = None
    trouble: str = ""


def tag_ref(odb: pygit2.Odb, name: str, object_id: str) -> TagRef:
    """The tag of this short name on this object; never raises for what is in the repository."""
    tagger = _NOBODY
    commit, trouble = "", ""
    try:
        kind, size = header(odb, object_id)
        if kind == ObjectType.TAG:
            commit, tagger = _tagged(odb, object_id, size)
        elif kind == ObjectType.COMMIT:
            commit = object_id
        else:
            trouble = f"it is on a {kind_name(kind)}, not on a commit"
    except Invalid as error:
        trouble = error.says
    return TagRef(
        name=name,
        object_id=object_id,
        commit=commit,
        tagger_name=tagger.name,
        tagger_email=tagger.email,
        tagged_at=tagger.at,
        trouble=trouble,
    )


def commit_of(odb: pygit2.Odb, object_id: str) -> str:
    """The commit that an object is, or that a tag object leads to. `Invalid` if there is none."""
    kind, size = header(odb, object_id)
    if kind == ObjectType.TAG:
        return _tagged(odb, object_id, size)[0]
    if kind != ObjectType.COMMIT:
        raise Invalid(f"object {object_id} is a {kind_name(kind)}, not a commit")
    return object_id


def _tagged(odb: pygit2.Odb, object_id: str, size: int) -> tuple[str, Person]:
    """The commit at the end of a chain of tag objects, and the tagger of the first."""
    tagger: Person | None = None
    for _ in range(LONGEST_CHAIN):
        match = _TAG.match(sized_content(odb, object_id, size=size, largest=LARGEST_COMMIT))
        if match is None or match[2] not in _KINDS:
            raise Invalid(f"the tag object {object_id} is damaged")
        if tagger is None:
            tagger = person(match[3]) if match[3] else _NOBODY
        object_id, said = match[1].decode(), _KINDS[match[2]]
        kind, size = header(odb, object_id)
        if kind != said:
            raise Invalid(f"it says that it is on a {kind_name(said)}, but {object_id} is a {kind_name(kind)}")
        if kind == ObjectType.COMMIT:
            return object_id, tagger
        if kind != ObjectType.TAG:
            raise Invalid(f"it is on a {kind_name(kind)}, not on a commit")
    raise Invalid(f"it is a tag of a tag of a tag, more than {LONGEST_CHAIN} deep")
