"""Texts with a cursor in them, and what the editor's engine says there, in the world of `fakes.sources`."""

from collections.abc import Mapping

from fakes.sources import INVENTORY, source
from pointsman.editor.completion import Completion, completion
from pointsman.editor.definition import definitions
from pointsman.editor.files import File, file_at
from pointsman.editor.hover import Hover, hover
from pointsman.editor.known import Known, known
from pointsman.editor.outline import Spot
from pointsman.editor.sketch import outline
from pointsman.load.assemble import assemble
from pointsman.model.problem import Place

CURSOR = "‸"
WORKFLOW = "projects/p/workflows/edited.yaml"
OTHER = "/projects/p/workflows/other"
WORLD = {
    **INVENTORY,
    "projects/p/project.yaml": (
        "name: Project\ndescription: All of it\nproperties: {region: eu-1, net: {zone: a}}\n"
        "policy: {run: {user_names: [olive], ldap_groups: [ops]}}\n"
    ),
    "projects/p/templates/own/template.yaml": "actions: {deploy: {command: [true]}}\n",
    "projects/p/assets/db.yaml": (
        "template: own\ndescription: The database\nproperties: {port: 5432, pool: {size: 3}}\n"
    ),
    "projects/p/workflows/other.yaml": (
        "name: The other\ndescription: Does something else\nproperties: {env: dev}\nsteps:\n"
        "- type: wait\n  name: Ask\n  requires_approval_from: {user_names: [Mira Bell, olive]}\n"
    ),
}


def world(files: Mapping[str, str] | None = None) -> Known:
    """What the project `p` has, with other files laid over it; its workflow `other` has the versions 2 and 1."""
    laid = source({**WORLD, **(files or {})})
    return known(assemble(laid), laid, versions={OTHER: ("2", "1")})


def cursor(text: str) -> tuple[str, int, int]:
    """A text without its cursor, and where that was: line and column from 0."""
    before, _, after = text.partition(CURSOR)
    return before + after, before.count("\n"), len(before) - before.rfind("\n") - 1


def file_of(path: str) -> File:
    """What a file is."""
    found = file_at(path)
    assert found is not None
    return found


def spot(text: str) -> Spot | None:
    """Where the cursor is."""
    plain, line, column = cursor(text)
    return outline(plain, line=line, column=column).spot


def completed(text: str, path: str = WORKFLOW, *, files: Mapping[str, str] | None = None) -> Completion:
    """What may stand at the cursor."""
    plain, line, column = cursor(text)
    return completion(plain, line, column, file=file_of(path), known=world(files))


def labels(text: str, path: str = WORKFLOW, *, files: Mapping[str, str] | None = None) -> list[str]:
    """The labels of what may stand at the cursor."""
    return [item.label for item in completed(text, path, files=files).items]


def hovered(text: str, path: str = WORKFLOW) -> Hover | None:
    """What is told at the cursor."""
    plain, line, column = cursor(text)
    return hover(plain, line, column, file=file_of(path), known=world())


def defined(text: str, path: str = WORKFLOW) -> list[str]:
    """Where what is at the cursor is defined, as `path:line:column`."""
    plain, line, column = cursor(text)
    found: tuple[Place, ...] = definitions(plain, line, column, file=file_of(path), known=world(), path=path)
    return [f"{place.path}:{place.line}:{place.column}" for place in found]
