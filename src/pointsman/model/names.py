"""Names and paths: parsed once at the edge, trusted afterwards. Pure."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

CODE = re.compile(r"[a-z0-9][a-z0-9_-]*")
CODE_WORDS = "lower-case letters, digits, '-' and '_', beginning with a letter or digit"
SYSTEM = "system"
BY_PUBLICATION = f"{SYSTEM}:publish"  # who starts the run of a version that is published

_TARGET = re.compile(
    r"/projects/(?P<project>{c})"
    r"(?:/environments/(?P<environment>{c}))?"
    r"(?:/assets/(?P<asset>{c}))?".replace("{c}", CODE.pattern)
)
_WORKFLOW = re.compile(r"/projects/({c})/workflows/({c})".replace("{c}", CODE.pattern))


def is_code(text: str) -> bool:
    """Whether this may be the code of a project, environment, asset, template, workflow or action."""
    return CODE.fullmatch(text) is not None


def is_target_path(text: str) -> bool:
    """Whether this has the shape of a project's, environment's or asset's path."""
    return _TARGET.fullmatch(text) is not None


def is_workflow_path(text: str) -> bool:
    """Whether this has the shape of `/projects/<project>/workflows/<workflow>`."""
    return _WORKFLOW.fullmatch(text) is not None


def workflow_path(project: str, workflow: str) -> str:
    """The path of a workflow from its two codes."""
    return f"/projects/{project}/workflows/{workflow}"


def workflow_codes(path: str) -> tuple[str, str]:
    """Project and workflow of a workflow's path; `ValueError` if it is none."""
    match = _WORKFLOW.fullmatch(path)
    if match is None:
        raise ValueError(f"{path!r} is no workflow path")
    return match[1], match[2]


def project_of(path: str) -> str:
    """The project's code in any path below `/projects/`; empty if there is none."""
    parts = path.split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "projects" else ""


def existing_parent(path: str, known: Iterable[str]) -> str:
    """The longest beginning of `path` that is known, for messages (R35); empty if none is."""
    existing = set(known)
    parts = path.split("/")
    for length in range(len(parts) - 1, 0, -1):
        parent = "/".join(parts[:length])
        if parent in existing:
            return parent
    return ""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` was most likely meant to be; empty if nothing is near."""
    candidates = sorted(known)
    return next(iter(get_close_matches(name, candidates, n=1, cutoff=0.6)), "")


def same_name(one: str, other: str) -> bool:
    """Whether two user or group names are the same, without regard to case and surrounding space (R76)."""
    return one.strip().casefold() == other.strip().casefold()
