"""What stands in the working tree or at a ref, read and not judged."""

from dataclasses import dataclass

from pointsman.cli.checkout import WORKING_TREE, Checkout
from pointsman.editor.tree import Tree
from pointsman.load.loaded import Loaded
from pointsman.model.inventory import Target
from pointsman.model.names import existing_parent, nearest
from pointsman.model.problem import Invalid, NotFound, Problem, Refused
from pointsman.model.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The files and what they define; `commit` is empty for the working tree."""

    source: Source
    loaded: Loaded
    commit: str = ""


def editor_tree(checkout: Checkout) -> Tree:
    """The working tree as editors see it."""
    prefix = f"{checkout.root}/" if checkout.root and checkout.is_repository else ""
    return Tree(checkout.reading, checkout.tree_folder, prefix=prefix)


def standing(checkout: Checkout, ref: str | None) -> Standing:
    """What stands at a ref; in the working tree without one."""
    if ref is None or ref == WORKING_TREE:
        tree = editor_tree(checkout)
        source = tree.source()
        return Standing(source=source, loaded=tree.loaded(source))
    if not checkout.is_repository:
        raise NotFound(f"there is no ref {ref}: this is no Git repository")
    commit = checkout.reading.resolve(ref)
    definitions = checkout.reading.definitions
    return Standing(source=definitions.source(commit), loaded=definitions.at(commit), commit=commit)


def target_named(name: str, stands: Standing) -> Target:
    """The target that a path, or the end of a path or of its codes, means here.

    `NotFound` if it means none, `Refused` if several, `Invalid` with the problems if its file cannot be used.
    """
    known = stands.loaded.inventory.targets
    if name in known:
        return known[name]
    end = f"/{name.strip('/')}"
    fits = [path for path in known if _ends(path, end)]
    if len(fits) > 1:
        raise Refused(f"{name} could be {', '.join(sorted(fits))}", hint="write more of the path")
    if fits:
        return known[fits[0]]
    broken = next((file for file in sorted(stands.loaded.broken) if _ends(_path_of(file), end)), "")
    if broken:
        raise Invalid(f"{broken} cannot be used", _problems_for(broken, stands.loaded))
    near = nearest(name, [*known, *(path.rsplit("/", 1)[1] for path in known)])
    parent = existing_parent(name, known)
    hint = f"did you mean {near}?" if near else f"{parent} is the last part of it that is there" if parent else ""
    raise NotFound(f"there is no target {name}", hint=hint)


def _ends(path: str, end: str) -> bool:
    return path.endswith(end) or _codes(path).endswith(end)


def _path_of(file: str) -> str:
    """The target that a file describes, `projects/shop/project.yaml` being that of `/projects/shop`."""
    return "/" + file.removesuffix(".yaml").removesuffix("/project").removesuffix("/environment")


def _codes(path: str) -> str:
    """A path without the words between its codes: `/hello_world/dev/managed_server`."""
    return "/" + "/".join(path.strip("/").split("/")[1::2])


def _problems_for(file: str, loaded: Loaded) -> list[Problem]:
    """What is wrong with a file, and with those above it that it depends on."""
    return [
        problem
        for problem in loaded.problems
        if problem.place.path == file
        or (
            problem.place.path.endswith(("/project.yaml", "/environment.yaml", "pointsman.yaml"))
            and file.startswith(problem.place.path.rpartition("/")[0])
        )
    ]
