"""Names for steps that their author did not name, and for those that expansion made (R42). Pure."""

from collections.abc import Sequence

from pointsman.model.values import Json, JsonObject, canonical

LONGEST_NAME = 200


def crumbs(target: str, *, with_project: bool = False) -> str:
    """A target's codes from the outside in, such as `dev › managed_server`."""
    codes = target.strip("/").split("/")[1::2]
    return " › ".join(codes if with_project or len(codes) == 1 else codes[1:])


def target_names(targets: Sequence[str]) -> list[str]:
    """A name for each of a list of targets; the project is named only if they differ in it."""
    projects = {target.split("/")[2] for target in targets if target.count("/") > 1}
    return _told_apart([crumbs(target, with_project=len(projects) > 1) for target in targets])


def entry_names(entries: Sequence[JsonObject]) -> list[str]:
    """A name for each entry of a list of overrides, such as `env: dev`."""
    return _told_apart([", ".join(f"{key}: {_shown(value)}" for key, value in entry.items()) for entry in entries])


def shortened(name: str) -> str:
    """A name that fits on a line of the tree."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else canonical(value)


def _told_apart(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(shortened(name) if seen[name] == 1 else f"{shortened(name)} ({seen[name]})")
    return result
