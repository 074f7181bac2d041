"""Steps as they were written → step definitions, and everything that is wrong with them (R1–R16, R22, R53, R78)."""

from collections.abc import Iterator

from pointsman.load.nodes import Items, Mapping, Node, Scalar, entry, plain, plain_object
from pointsman.load.reserved import reserved_problems
from pointsman.load.shape import About, fit
from pointsman.load.step_definitions import definition
from pointsman.load.step_types import DOCUMENTS, ELSEWHERE, NOUNS, kind_of_step, unknown_keys
from pointsman.load.wording import kind_of, shown
from pointsman.model.definition import Kind, StepDefinition
from pointsman.model.problem import Code, Place, Problem, Severity, has_errors


class Steps:
    """Reads the steps of one file; `problems` fills up on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._ids: dict[str, tuple[str, Place]] = {}

    def read(self, node: Node | None, *, parent: str = "") -> tuple[StepDefinition, ...]:
        """The steps of a list that make sense; `parent` is the number of the stage that they are children of."""
        items = node.items if isinstance(node, Items) else []
        before = f"{parent}." if parent else ""
        read = (self._step(item, f"{before}{index}") for index, item in enumerate(items, start=1))
        return tuple(step for step in read if step is not None)

    def _step(self, node: Node, number: str) -> StepDefinition | None:
        if not isinstance(node, Mapping) or node.empty:
            says = f"a step must be a mapping, and this is {kind_of(plain(node))}"
            self._report(node.place, Code.WRONG_VALUE, says, number, hint="write its keys, such as type and name")
            return None
        kind = kind_of_step(node, number)
        if isinstance(kind, Problem):
            self.problems.append(kind)
            self.problems += unknown_keys(node, number)
            self._children(node, number)
            return None
        self._note_id(node, number)
        children = self._children(node, number)
        shape = fit(node, DOCUMENTS[kind], About(noun=NOUNS[kind], step=number, elsewhere=ELSEWHERE[kind]))
        self.problems += shape.problems
        count = len(self.problems)
        self._check(node, number, kind)
        if shape.document is None or has_errors(self.problems[count:]):
            return None
        return definition(node, number, shape.document, children)

    def _children(self, node: Mapping, number: str) -> tuple[StepDefinition, ...]:
        """The children are read whatever else is wrong, so that all is told in one pass (R15)."""
        children = entry(node, "children")
        if isinstance(children, Items) and _is_parallel(node):
            for index, child in enumerate(children.items, start=1):
                if isinstance(child, Mapping) and _is_wait(child):
                    self.problems.append(_wait_in_parallel(child, f"{number}.{index}"))
        return self.read(children, parent=number)

    def _check(self, node: Mapping, number: str, kind: Kind) -> None:
        """What no single key can tell."""
        if kind is Kind.CHANGE:
            self._check_change(node, number)
        elif kind is Kind.APPROVAL:
            self._check_approval(node, number)
        elif kind is Kind.WORKFLOW:
            self._check_call(node, number)

    def _check_change(self, node: Mapping, number: str) -> None:
        keys = node.entries
        targets, versions = entry(node, "targets"), entry(node, "template_versions")
        if "target" in keys and "targets" in keys:
            says = "a change has target or targets, and this has both"
            self._report(node.key_place("targets"), Code.WRONG_VALUE, says, number, hint="keep one of the two")
        elif "target" not in keys and "targets" not in keys:
            hint = "write target: and a path, or targets: and a list of paths"
            self._report(node.start, Code.MISSING_KEY, "target or targets is missing", number, hint=hint)
        if "run_as" in keys and "target" in keys and "targets" not in keys:
            says = "run_as says how several targets follow one another, and there is one target"
            self._report(
                node.key_place("run_as"), Code.WRONG_VALUE, says, number, hint="write targets, or remove run_as"
            )
        if "template_version" in keys and "template_versions" in keys:
            says = "a change has template_version or template_versions, and this has both"
            place = node.key_place("template_versions")
            self._report(place, Code.WRONG_VALUE, says, number, hint="keep one of the two")
        if isinstance(versions, Items):
            wanted = len(targets.items) if isinstance(targets, Items) else int("target" in keys)
            if wanted and len(versions.items) != wanted:
                says = f"template_versions has {len(versions.items)} and targets has {wanted}; they must be as many"
                hint = "write one version for each target, null for its own"
                self._report(node.key_place("template_versions"), Code.LENGTHS_DIFFER, says, number, hint=hint)
        self._check_overrides(entry(node, "property_overrides"), number)

    def _check_approval(self, node: Mapping, number: str) -> None:
        asked = entry(node, "requires_approval_from")
        if isinstance(asked, Mapping) and not asked.entries.keys() & {"user_names", "ldap_groups"}:
            says = "requires_approval_from names nobody"
            place = node.key_place("requires_approval_from")
            self._report(place, Code.BAD_APPROVERS, says, number, hint="add user_names or ldap_groups")
        for key in ("continue_on_error", "when"):
            if key in node.entries:
                says = f"an approval cannot have {key}: what it stops would go on without it"
                self._report(node.key_place(key), Code.WRONG_VALUE, says, number, hint=f"remove {key}")
        expiry = entry(node, "on_timeout")
        if expiry is not None and plain(expiry) == "continue":
            says = "an approval cannot have on_timeout: continue: nobody would have approved"
            self._report(expiry.place, Code.WRONG_VALUE, says, number, hint="write on_timeout: reject")
        self._check_quorum(node, asked, number)

    def _check_quorum(self, node: Mapping, asked: Node | None, number: str) -> None:
        names, least = plain(asked) if asked else None, plain_object(node).get("min_approvals")
        if not isinstance(names, dict) or "ldap_groups" in names or not isinstance(least, int):
            return
        users = names.get("user_names")
        people = {str(name).strip().casefold() for name in users} if isinstance(users, list) else set()
        if people and len(people) < least:
            says = f"min_approvals is {least}, and only {len(people)} may approve, so nobody can decide this"
            place = node.entries["min_approvals"].place
            hint = "name more people, or lower min_approvals"
            self._report(place, Code.BAD_APPROVERS, says, number, hint=hint, severity=Severity.WARNING)

    def _check_call(self, node: Mapping, number: str) -> None:
        overrides = entry(node, "property_overrides")
        if isinstance(overrides, Items):
            if overrides.empty:
                says = "property_overrides is empty"
                self._report(node.key_place("property_overrides"), Code.WRONG_VALUE, says, number, hint="remove it")
            for index, item in enumerate(overrides.items):
                self._check_mapping(item, item.place, f"property_overrides.{index}", number)
        elif overrides is not None:
            self._check_mapping(overrides, node.key_place("property_overrides"), "property_overrides", number)
        self._check_overrides(overrides, number)

    def _check_mapping(self, node: Node, place: Place, name: str, number: str) -> None:
        if not isinstance(node, Mapping):
            value = plain(node)
            says = (
                f"{name} has no value" if value is None else f"{name} must be a mapping, and this is {kind_of(value)}"
            )
            self._report(place, Code.WRONG_VALUE, says, number, hint="write keys and values, or remove it")

    def _check_overrides(self, node: Node | None, number: str) -> None:
        for key in _variable_keys(node):
            self._report(key, Code.WRONG_VALUE, "a key takes no variables", number, hint="use variables in values only")
        for mapping in node.items if isinstance(node, Items) else [node]:
            self.problems += reserved_problems(mapping, step=number)

    def _note_id(self, node: Mapping, number: str) -> None:
        """Before the children's: of two steps with one id, the one that was written later is told of it."""
        written = entry(node, "id")
        if not isinstance(written, Scalar) or not isinstance(written.value, str) or written.empty:
            return
        first, there = self._ids.setdefault(written.value, (number, written.place))
        if first != number:
            says = f"the id {shown(written.value)} is taken by step {first} in line {there.line}"
            self._report(written.place, Code.WRONG_VALUE, says, number, hint="give each step its own")

    def _report(
        self, place: Place, code: Code, says: str, number: str, *, hint: str = "", severity: Severity = Severity.ERROR
    ) -> None:
        self.problems.append(Problem(place=place, code=code, says=says, hint=hint, step=number, severity=severity))


def _variable_keys(node: Node | None) -> Iterator[Place]:
    if isinstance(node, Mapping):
        for key, value in node.entries.items():
            if "{{" in key:
                yield node.key_place(key)
            yield from _variable_keys(value)
    elif isinstance(node, Items):
        for item in node.items:
            yield from _variable_keys(item)


def _is_parallel(node: Mapping) -> bool:
    run_as = entry(node, "run_as")
    return run_as is not None and plain(run_as) == "parallel"


def _is_wait(node: Mapping) -> bool:
    kind = entry(node, "type")
    return kind is not None and plain(kind) == "wait"


def _wait_in_parallel(node: Mapping, number: str) -> Problem:
    word = "approval" if "requires_approval_from" in node.entries else "wait"
    return Problem(
        place=node.start,
        code=Code.WAIT_IN_PARALLEL,
        severity=Severity.WARNING,
        says=f"this {word} holds nothing up: its siblings start without it, because their stage is parallel",
        hint=f"put the {word} before the stage, or make the stage sequential",
        step=number,
    )
