"""Whether tags must be signed, as the inventory branch says, and what is wrong with the signature of one (R26)."""

from dataclasses import dataclass, field, replace

from pointsman.intake.definitions import Definitions
from pointsman.intake.verdict import Verdict
from pointsman.model.names import workflow_path
from pointsman.model.problem import Code, Invalid, Place, PointsmanError, Problem
from pointsman.model.values import digest
from pointsman.repo.signatures import Signers, signer_of, signers_at
from pointsman.repo.versions import ReleaseTag


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRule:
    """Tags must be signed by one of the `signers`; without them by nobody, and `trouble` says why."""

    signers: Signers = field(default_factory=lambda: Signers(allowed=b""))
    trouble: str = ""
    hint: str = ""

    @property
    def key(self) -> str:
        """Differs whenever another rule might judge a tag otherwise."""
        return digest([self.trouble, self.signers.allowed.hex(), self.signers.revoked.hex()])


def signing_rule(definitions: Definitions, head: str) -> SigningRule | None:
    """The rule at the head of the inventory branch; None if signatures are not looked at, or there is no such branch.

    Where it cannot be read whether signatures are required, no tag is good enough: a slip must open no door.
    """
    if not head:
        return None
    try:
        required = definitions.at(head).inventory.signed_tags
        if required is None:
            says = "pointsman.yaml of the inventory branch has an error, so it is not known whether tags must be signed"
            return SigningRule(trouble=says, hint="correct it, push that branch, and the tag is judged again")
        return SigningRule(signers=signers_at(definitions.repository, head, definitions.root)) if required else None
    except Invalid as error:
        return SigningRule(trouble=f"on the inventory branch: {error.says}", hint=error.hint)


def signature_problem(
    definitions: Definitions, rule: SigningRule, tag: str, object_id: str, *, at: float
) -> Problem | None:
    """What is wrong with the signature of a tag that was first seen at `at`; None if it is good.

    `Unavailable` if that cannot be found out now.
    """
    if rule.trouble:
        return unsigned(tag, rule.trouble, hint=rule.hint)
    try:
        signer_of(definitions.repository.odb, tag, object_id, rule.signers, at=at)
    except Invalid as error:
        return unsigned(tag, error.says, hint=error.hint)
    return None


def unsigned(tag: str, says: str, *, hint: str) -> Problem:
    """The problem of a tag whose signature does not count."""
    return Problem(place=Place("."), code=Code.BAD_SIGNATURE, says=f"tag {tag}: {says}", hint=hint)


def unchecked(tag: str, error: PointsmanError) -> Problem:
    """The problem of a tag whose signature could not be looked at now."""
    return unsigned(tag, error.says, hint=error.hint)


def tag_verdict(tag: ReleaseTag, verdict: Verdict, *, signature: Problem | None) -> Verdict:
    """The verdict on a release tag, from that on its commit and what is wrong with its signature.

    A workflow release that names no workflow of its commit has a problem; a bad signature makes everything invalid.
    """
    own = workflow_path(tag.project, tag.workflow) if tag.workflow else ""
    if own and own not in verdict.workflows:
        says = f"tag {tag.tag} names {own}, which is not at its commit"
        problem = Problem(place=Place("."), code=Code.UNKNOWN_WORKFLOW, says=says)
        verdict = replace(verdict, others=(*verdict.others, problem))
    if signature is None:
        return verdict
    refused = {path: replace(facts, valid=False) for path, facts in verdict.workflows.items()}
    return replace(verdict, others=(signature, *verdict.others), workflows=refused)
