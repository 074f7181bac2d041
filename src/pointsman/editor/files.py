"""Which kind of definition a file holds, by its place in the repository. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from pointsman.load.layout import SUFFIX


class FileKind(StrEnum):
    """What a file is, by its place in the repository."""

    WORKFLOW = "workflow"
    ASSET = "asset"
    PROJECT = "project"
    ENVIRONMENT = "environment"
    TEMPLATE = "template"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Which file is edited: its kind, and the project that it belongs to (empty for shared ones)."""

    kind: FileKind
    project: str = ""


def file_at(path: str) -> File | None:
    """What a file is, by its path below the folder that holds `projects/`; None if it defines nothing."""
    match path.split("/"):
        case ["pointsman.yaml"]:
            return File(kind=FileKind.REPOSITORY)
        case ["templates", _, "template.yaml"]:
            return File(kind=FileKind.TEMPLATE)
        case ["projects", project, *rest] if path.endswith(SUFFIX):
            kind = _kind_in_project(rest)
            return File(kind=kind, project=project) if kind else None
        case _:
            return None


def _kind_in_project(rest: list[str]) -> FileKind | None:
    match rest:
        case ["project.yaml"]:
            return FileKind.PROJECT
        case ["templates", _, "template.yaml"]:
            return FileKind.TEMPLATE
        case ["workflows", _]:
            return FileKind.WORKFLOW
        case ["environments", _, "environment.yaml"]:
            return FileKind.ENVIRONMENT
        case ["assets", _] | ["environments", _, "assets", _]:
            return FileKind.ASSET
        case _:
            return None
