"""From verdicts and the ledger to what is listed: the versions and drafts of each workflow. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.intake.catalog import DraftEntry, VersionEntry, WorkflowEntry
from pointsman.intake.verdict import Verdict, WorkflowVerdict
from pointsman.model.problem import Problem, Severity, sorted_problems
from pointsman.repo.versions import ReleaseTag, latest, ordered
from pointsman.store.versions import LedgerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTag:
    """A release tag with its verdict, and the workflows that it gives a version."""

    tag: ReleaseTag
    facts: Mapping[str, Any]
    verdict: Verdict
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBranch:
    """A branch with the verdict on its head."""

    branch: str
    commit: str
    verdict: Verdict


def ledger_rows(tags: Iterable[JudgedTag], *, first_seen: float) -> Iterator[tuple[LedgerRow, WorkflowVerdict]]:
    """What the ledger should hold of tags: every version that is valid, with what is thought of it."""
    for found in tags:
        for path in found.paths:
            facts = found.verdict.workflows.get(path)
            if facts is not None and facts.valid:
                row = LedgerRow(
                    workflow=path,
                    version=found.tag.version,
                    shown=found.tag.display,
                    tag=found.tag.tag,
                    tag_object=found.facts["object"],
                    commit=found.facts["commit"],
                    tagger=found.facts["tagger"],
                    first_seen=first_seen,
                )
                yield row, facts


def workflow_entries(
    rows: Iterable[LedgerRow], tags: Iterable[JudgedTag], branches: Iterable[JudgedBranch]
) -> dict[str, WorkflowEntry]:
    """Every workflow by its path: the versions that `rows` holds, those at tags that give none, and the drafts."""
    versions = _versions(rows, list(tags))
    drafts: dict[str, list[DraftEntry]] = {}
    for branch in branches:
        _add_drafts(drafts, branch)
    return {path: _entry(path, versions.get(path, {}), drafts.get(path, ())) for path in sorted({*versions, *drafts})}


def _versions(rows: Iterable[LedgerRow], tags: list[JudgedTag]) -> dict[str, dict[str, VersionEntry]]:
    entries: dict[str, dict[str, VersionEntry]] = {}
    verdicts = {(found.tag.tag, found.facts["commit"]): found.verdict for found in tags}
    for row in rows:
        verdict = verdicts.get((row.tag, row.commit))
        entries.setdefault(row.workflow, {})[row.version] = VersionEntry(
            version=row.version,
            shown=row.shown,
            tag=row.tag,
            commit=row.commit,
            valid=True,
            published_at=row.first_seen,
            facts=verdict.workflows.get(row.workflow) if verdict else None,
        )
    for found in tags:
        for path in found.paths:
            of_workflow = entries.setdefault(path, {})
            if found.tag.version not in of_workflow:
                of_workflow[found.tag.version] = VersionEntry(
                    version=found.tag.version,
                    shown=found.tag.display,
                    tag=found.tag.tag,
                    commit=found.facts["commit"],
                    valid=False,
                    problems=found.verdict.problems,
                    facts=found.verdict.workflows.get(path),
                )
    return entries


def _add_drafts(drafts: dict[str, list[DraftEntry]], branch: JudgedBranch) -> None:
    """Each workflow of a branch, with every error of the branch and the warnings of its own file."""
    errors, warnings = list[Problem](), dict[str, list[Problem]]()
    for problem in branch.verdict.problems:
        if problem.severity is Severity.ERROR:
            errors.append(problem)
        else:
            warnings.setdefault(problem.place.path, []).append(problem)
    only_errors = tuple(errors)
    for path, facts in branch.verdict.workflows.items():
        own = warnings.get(facts.file)
        entry = DraftEntry(
            branch=branch.branch,
            commit=branch.commit,
            valid=facts.valid,
            problems=sorted_problems([*errors, *own]) if own else only_errors,
            facts=facts,
        )
        drafts.setdefault(path, []).append(entry)


def _entry(path: str, versions: Mapping[str, VersionEntry], drafts: Iterable[DraftEntry]) -> WorkflowEntry:
    newest = latest(version for version, entry in versions.items() if entry.valid)
    return WorkflowEntry(
        path=path,
        latest=versions[newest].shown if newest is not None else None,
        versions=tuple(versions[version] for version in ordered(versions)),
        drafts=tuple(drafts),
    )
