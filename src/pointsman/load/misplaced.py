"""What was meant by a file that lies where nothing is looked for, or by a name that is no code (R18). Pure."""

import unicodedata
from collections.abc import Iterable

from pointsman.model.names import is_code, nearest

_SUFFIX = ".yaml"

_IN_PROJECT = ("project.yaml", "templates", "environments", "assets", "workflows")
_IN_ENVIRONMENT = ("environment.yaml", "assets")


def misplaced_hint(stray: str, *, folder: bool) -> str:
    """What to do with a file or folder that means nothing."""
    near = _nearest_place(stray.rsplit("/", 1)[-1], _expected(stray), folder=folder)
    return f"did you mean {near}?" if near else _better_place(stray, folder=folder)


def _expected(stray: str) -> Iterable[str]:
    """What could have been meant where a stray file or folder lies."""
    match stray.split("/"):
        case [_]:
            return ("projects", "templates")
        case ["projects", _, _]:
            return _IN_PROJECT
        case ["projects", _, "environments", _, _]:
            return _IN_ENVIRONMENT
        case _:
            return ()


def _better_place(stray: str, *, folder: bool) -> str:
    """What to do with a file or folder that lies where nothing is looked for."""
    parts = stray.split("/")
    above, name = parts[-2] if len(parts) > 1 else "", parts[-1]
    if folder and above in {"workflows", "assets"}:
        return f"move its files into {above}/ itself: it has no subfolders"
    kind = {"projects": "project", "environments": "environment", "templates": "template"}.get(above, "")
    code = name.removesuffix(_SUFFIX)
    if kind and not folder and is_code(code) and name.endswith(_SUFFIX):
        return f"did you mean {above}/{code}/{kind}{_SUFFIX}?"
    if not folder and name.endswith(_SUFFIX) and parts[0] == "projects" and len(parts) in {3, 5}:
        return "move it to workflows/ or assets/" if len(parts) == 3 else "move it to assets/"
    return "move it elsewhere"


def _nearest_place(name: str, expected: Iterable[str], *, folder: bool) -> str:
    """The name that was meant; the suffix, which all files share, brings none of them nearer."""
    suffix = "" if folder else _SUFFIX
    known = [one.removesuffix(_SUFFIX) for one in expected if one.endswith(_SUFFIX) != folder]
    near = nearest(name.removesuffix(suffix).lower(), known) if name.endswith(suffix) else ""
    return f"{near}{suffix}" if near else ""


def rename_hint(name: str) -> str:
    """What to do about a name that is no code: the code that it comes nearest to."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    letters = "".join(letter if letter.isalnum() or letter == "_" else "-" for letter in plain)
    code = "-".join(part for part in letters.split("-") if part).strip("_")
    return f"rename it to {code}" if is_code(code) else "rename it"
