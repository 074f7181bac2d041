"""One sentence for every key that people may write: what an editor shows when a key is pointed at. Pure."""

from collections.abc import Mapping

KEYS: Mapping[str, Mapping[str, str]] = {
    "WorkflowDocument": {
        "steps": "The steps of the workflow, in order.",
        "name": "What people read instead of the file's name.",
        "description": "What the workflow is for.",
        "properties": "Defaults of the workflow's variables.",
        "inputs": "JSON Schema (2020-12) of the workflow's variables; a run that breaks it is refused.",
        "on": "What starts the workflow by itself.",
        "concurrency": "How many runs of the workflow may be under way.",
        "notify": "Which states of a run are told, and to whom.",
    },
    "OnDocument": {
        "publish": "Run every newly published version.",
        "schedule": "Run the latest version at these times.",
    },
    "ScheduleDocument": {
        "cron": "Five fields: minute, hour, day, month, weekday.",
        "timezone": "The time zone of the cron expression, such as Europe/Berlin; UTC by default.",
        "properties": "The variables of the runs that this schedule starts.",
    },
    "ConcurrencyDocument": {
        "limit": "How many runs may be under way at a time; 1 by default.",
        "on_new": "What a new run does to those that wait: queue behind them, replace them, or skip itself.",
    },
    "NotifyDocument": {
        "on": "The states of a run that are told.",
        "to": "Who is told.",
    },
    "StepDocument": {
        "type": "The kind of step; without it, children with run_as make a stage, and a target with action a change.",
        "name": "What people read in the tree.",
        "id": "The name under which later steps find this step's outputs; one of its kind in the file.",
        "continue_on_error": "The step is shown failed, and what follows goes on as if it had succeeded.",
        "when": "When the step runs: while all went well (on_success), always, or only on_failure.",
    },
    "ChangeDocument": {
        "target": "The path of the asset, environment or project to act on.",
        "targets": "Several paths: the action runs on each of them.",
        "action": "The action of the target's template to run.",
        "run_as": "How several targets follow one another: sequential (the default) or parallel.",
        "template_version": "The tag or commit whose template gives the action, instead of the target's own.",
        "template_versions": "One template_version for each of the targets; null for the target's own.",
        "property_overrides": "Properties laid over those of the target, for this step only.",
        "start_time": "Not before this moment: a date and time with its offset, such as 2026-06-04T22:00:00+10:00.",
    },
    "StageDocument": {
        "name": "What people read in the tree.",
        "run_as": "How the children follow one another: sequential or parallel.",
        "children": "The steps of the stage.",
        "max_parallel": "At most this many children at a time.",
        "fail_fast": "The first failure cancels the other children.",
    },
    "WaitDocument": {
        "reset_on_retry": "The gate waits again when the run is retried; true by default.",
        "timeout": "How long the gate stays open, such as 2h; without it, until somebody decides.",
        "on_timeout": "What happens when the time is up: reject (the default), or on a plain wait continue.",
    },
    "ApprovalDocument": {
        "requires_approval_from": "Who may approve or reject; it makes a wait an approval.",
        "min_approvals": "How many people must approve; 1 by default.",
        "one_from_each_group": "One approval from every listed group is needed.",
        "allow_self_approval": "Whether the starter of the run may approve it; true by default.",
    },
    "CallDocument": {
        "target": "The path of the workflow to call.",
        "version": "The published version to call; without it, the latest.",
        "run_as": "How several calls follow one another: sequential (the default) or parallel.",
        "property_overrides": "The called workflow's variables: a mapping, or a list for one call with each entry.",
        "start_time": "Not before this moment: a date and time with its offset, such as 2026-06-04T22:00:00+10:00.",
    },
    "ApproversDocument": {
        "user_names": "People by name.",
        "ldap_groups": "The members of these groups, looked up when the decision is made.",
    },
    "RepositoryDocument": {
        "properties": "Properties of every target in the repository.",
        "settings": "Settings of every target in the repository.",
        "inventory": "Where targets come from: the inventory branch (the default), or the workflow's own tag.",
        "signed_tags": "Whether a tag must be signed to publish: required, or optional (the default).",
    },
    "SettingsDocument": {
        "allow_parallel_changes": "The same action may run more than once at a time on one target.",
    },
    "TargetDocument": {
        "name": "What people read instead of the code.",
        "description": "What this is.",
        "properties": "Properties, laid over those of the levels above.",
        "settings": "Settings, inherited downwards.",
        "template": "The template that gives it actions and default properties.",
        "template_version": "The tag or commit that the template comes from; never a branch.",
    },
    "ProjectDocument": {
        "policy": "Who may do what in the project.",
    },
    "AssetDocument": {
        "template": "The template that gives it actions and default properties; every asset has one.",
        "worker": "The label of the workers that can reach it.",
    },
    "PolicyDocument": {
        "view": "Who may see the project; everybody who is logged in by default.",
        "run": "Who may start, cancel and continue runs.",
        "publish": "Who may publish versions.",
        "allow_self_approval": "Whether the starter of a run may approve it; true by default.",
        "min_approvals": "The least number of approvals for every approval of the project's workflows.",
        "protected": "Targets that no change reaches before these people have approved.",
    },
    "TemplateDocument": {
        "name": "What people read instead of the folder's name.",
        "description": "What the template is for.",
        "properties": "Defaults: an asset's own properties are laid over them.",
        "properties_schema": "JSON Schema (2020-12) that the merged properties of every asset must meet.",
        "actions": "What can be done to an asset, by name.",
    },
    "ActionDocument": {
        "description": "What the action does.",
        "command": "A program and its arguments, without a shell; each may hold variables.",
        "run": "A script for bash; never templated, so that a property cannot become code.",
        "steps": "Other actions of this template, in order, in one working copy with one log.",
        "env": "Environment variables; their values may hold variables.",
        "timeout": "How long the action may take, such as 10m; then it is ended and failed.",
        "retry": "How often the action is tried again after it failed.",
        "idempotent": "The action may be run again without asking after its outcome was lost.",
    },
    "RetryDocument": {
        "max": "How many more attempts, 0 to 100.",
        "delay": "How long to wait before the next attempt, such as 30s.",
    },
    "ReservedDocument": {
        "env": "Environment variables of every action on the target.",
        "files": "Files that are written into the working copy before an action starts, by their paths.",
    },
    "FileDocument": {
        "content": "What is written into the file.",
        "mode": 'The file\'s permissions, such as "0640"; "0600" by default.',
        "format": "How the content is written: raw (the default), json or base64.",
    },
}
"""The keys of each of `load`'s documents by its class's name; a class has the keys of those it is derived from, too."""


def sentence(document: type, key: str) -> str:
    """What a key of a document means; empty if nothing is said about it."""
    for known in document.__mro__:
        found = KEYS.get(known.__name__, {}).get(key)
        if found:
            return found
    return ""
