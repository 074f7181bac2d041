"""Where it is told that a change's properties break its template's schema (R102). Pure."""

from dataclasses import dataclass

from pointsman.model.breach import Breach
from pointsman.model.definition import ChangeDefinition
from pointsman.model.inventory import Target, Template, set_at
from pointsman.model.problem import Code, Place, Problem
from pointsman.model.values import JsonObject
from pointsman.plan.contents import layers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Aimed:
    """A change step on one of its targets, with the template that its action comes from."""

    step: ChangeDefinition
    index: int
    target: Target
    template: Template
    overrides: JsonObject

    @property
    def version_place(self) -> Place | None:
        """Where the step chooses another version of the target's template; None if it does not."""
        places = self.step.places
        return places.get("template_version") or places.get(f"template_versions.{self.index}")


def schema_problem(breach: Breach, aimed: Aimed) -> Problem:
    """A breach where the step sets the value, or chose the template; else where the inventory sets it, or ought to."""
    step, target = aimed.step, aimed.target
    here = _overridden(breach, aimed)
    if here is None and aimed.template is not target.template:
        here = aimed.version_place or step.place
    there = None if breach.missing else set_at(tuple(layers_of(target, aimed.template)), breach.way)
    otherwise = Place(target.file) if target.file else step.place
    name = f"the property {breach.name}" if breach.name else "the properties"
    remedy = f"set {breach.name} in {target.file}, or in property_overrides of this step" if breach.missing else ""
    hints = (breach.hint or remedy, f"the schema is in {aimed.template.file}")
    return Problem(
        place=here or there or otherwise,
        code=Code.BREAKS_SCHEMA,
        says=f"{target.path}: {name} {breach.says}",
        hint="; ".join(hint for hint in hints if hint),
        step=step.number if here else "",
    )


def _overridden(breach: Breach, aimed: Aimed) -> Place | None:
    """Where the step's overrides set the value, or what is around it, or hold too little."""
    if breach.way and breach.way[0] not in aimed.overrides:
        return None
    names = [
        ".".join(map(str, ("property_overrides", *breach.way[:length]))) for length in range(len(breach.way), -1, -1)
    ]
    return next((aimed.step.places[name] for name in names if name in aimed.step.places), None)
