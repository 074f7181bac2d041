"""Plans from a real repository: which version and which inventory they are made of, and what is refused."""

from pathlib import Path

import pytest

from fakes.git import Repository
from fakes.sources import DEV, PROD, content_of, files_of, repository, told
from pointsman.intake.reading import PlanQuestion, Reading
from pointsman.model.definition import Approvers
from pointsman.model.inventory import Policy
from pointsman.model.plan import PinnedWorkflow, Plan
from pointsman.model.problem import Invalid, NotFound
from pointsman.model.wire import from_json
from pointsman.plan.planner import Planned

DEPLOY = "/projects/p/workflows/deploy"


def step(name: str, target: str = DEV) -> str:
    """A workflow of one change with this name."""
    return f'steps: [{{name: "{name}", target: "{target}", action: backup}}]'


def call(code: str, more: str = "") -> str:
    """A workflow that calls another."""
    return f"steps: [{{type: workflow, target: /projects/p/workflows/{code}{more}}}]"


class Releases:
    """A repository and a reading of it; a release is committed, tagged and in the ledger."""

    def __init__(self, folder: Path) -> None:
        self.repository = repository(folder / "ops.git")
        self.reading = Reading(self.repository.path)

    def release(self, code: str, version: str, text: str) -> str:
        """The commit of a new version."""
        commit = self.repository.commit(files_of(**{code: text}))
        self.enter(code, version, commit)
        return commit

    def enter(self, code: str, version: str, commit: str) -> None:
        """The ledger gets a row."""
        path = f"/projects/p/workflows/{code}"
        self.reading.published.add(PinnedWorkflow(path=path, version=version, commit=commit, tag=f"v{version}"))

    def planned(self, version: str | None = None, **properties: object) -> Planned:
        """What comes of planning `deploy` with the inventory of `main`."""
        question = PlanQuestion(
            workflow=DEPLOY,
            version=version,
            inventory=self.repository.head(),
            properties=dict(properties),  # type: ignore[arg-type] # JSON
        )
        return self.reading.plan(question)

    def plan(self, version: str | None = None, **properties: object) -> Plan:
        """The plan; a problem fails the test."""
        found = self.planned(version, **properties)
        assert found.plan is not None, told(found)
        return found.plan


@pytest.fixture
def world(tmp_path: Path) -> Releases:
    """Nothing is released yet."""
    return Releases(tmp_path)


# Which version


def test_the_highest_valid_version_is_the_latest(world: Releases) -> None:
    """`R22`: in the order of PEP 440, whatever came first; the draft beyond it counts for nothing."""
    for version in ("1.9", "1.10", "1.2"):
        world.release("deploy", version, step(version))
    world.repository.commit(files_of(deploy=step("draft")))

    assert world.plan().steps[1].name == "1.10"
    assert (world.plan().version, world.plan().tag) == ("1.10", "v1.10")


def test_a_pre_release_is_never_the_latest_and_runs_when_named(world: Releases) -> None:
    """`R22`"""
    world.release("deploy", "2.0.0rc1", step("candidate"))

    with pytest.raises(Invalid, match="has no release") as refused:
        world.planned()
    assert refused.value.hint == "pre-releases run only when named"
    world.release("deploy", "1", step("one"))
    assert world.plan().steps[1].name == "one"
    assert world.plan("2.0.0rc1").steps[1].name == "candidate"


@pytest.mark.parametrize("asked", ["1", "1.0", "1.0.0", "v1"])
def test_a_version_may_be_written_in_any_way_that_means_it(world: Releases, asked: str) -> None:
    """`R22`, DESIGN section 3: `1` is `1.0.0`."""
    world.release("deploy", "1.0", step("one"))
    world.release("deploy", "1.1", step("eleven"))

    assert world.plan(asked).steps[1].name == "one"


@pytest.mark.parametrize("asked", ["1.10", "2", "latest", "", "main", "1 ", "1+x"])
def test_a_version_that_is_not_published_is_refused(world: Releases, asked: str) -> None:
    """`R21`, `R22`: 1.10 is not 1.1, and no text means a branch."""
    world.release("deploy", "1.1", step("eleven"))

    with pytest.raises(Invalid, match=r"has no valid version|has no release"):
        world.planned(asked)


def test_a_draft_is_no_version(world: Releases) -> None:
    """`R21`: on whatever branch."""
    world.repository.commit(files_of(deploy=step("draft")))

    with pytest.raises(Invalid, match="a draft on a branch cannot be run") as refused:
        world.planned()
    assert refused.value.hint == "publish it: pointsman publish, then push the tag"


def test_a_draft_that_is_called_is_refused_when_a_run_is_planned(world: Releases) -> None:
    """`R21`, `R24`: although it stands in the same tree."""
    world.repository.commit(files_of(child=step("draft")))
    world.release("deploy", "1", call("child"))

    assert "there is no workflow /projects/p/workflows/child" in told(world.planned())


def test_a_child_of_which_the_named_version_is_not_valid_is_refused(world: Releases) -> None:
    """`R20`, `R24`: v3 never was found valid, so it is in no ledger."""
    world.release("child", "1", step("one"))
    world.release("deploy", "1", call("child", ", version: 3"))

    found = world.planned()
    assert found.plan is None
    assert "/projects/p/workflows/child has no valid version 3" in told(found)


def test_the_latest_of_a_child_is_found_in_the_ledger_and_read_from_its_own_commit(world: Releases) -> None:
    """`R22`, `R23`: every commit is in the plan; the parent's tree is not asked."""
    first = world.release("child", "1", step("one"))
    second = world.release("child", "1.5", step("one and a half"))
    third = world.release("deploy", "7", call("child"))
    world.repository.commit(files_of(child=step("draft")))

    found = world.plan()
    assert found.steps[2].name == "one and a half"
    assert [(one.version, one.commit) for one in found.pinned] == [("7", third), ("1.5", second)]
    world.enter("child", "2", first)
    assert found.steps[2].name == "one and a half"
    assert world.plan().steps[2].name == "one"


# Which inventory


def test_targets_and_properties_come_from_the_inventory_branch(world: Releases) -> None:
    """DESIGN section 3: the tag fixes what a workflow does, the inventory says what it does it to."""
    world.release("deploy", "1", step("one"))
    world.repository.commit(
        {"projects/p/environments/dev/assets/web.yaml": "template: server\nproperties: {hostname: new}\n"}
    )

    found = world.plan()

    assert content_of(found, "1").phases[0].command[-1] == "new"
    assert found.inventory_commit == world.repository.head()


def test_a_version_that_no_longer_fits_the_inventory_is_refused_with_what_is_missing(world: Releases) -> None:
    """`R28`"""
    world.release("deploy", "1", step("one", PROD))
    world.repository.commit({"projects/p/environments/prod/assets/web.yaml": None})

    assert f"there is no target {PROD}" in told(world.planned())


def test_the_inventory_may_be_that_of_the_tag(world: Releases) -> None:
    """DESIGN section 3: if the inventory branch says so; policy never is."""
    world.release("deploy", "1", "steps: [{type: wait, requires_approval_from: {user_names: [ann, bob]}}]")
    then = world.repository.head()
    world.repository.commit(
        {
            "pointsman.yaml": "inventory: tag\n",
            "projects/p/project.yaml": "policy: {min_approvals: 2}\n",
            "projects/p/environments/prod/assets/web.yaml": None,
        }
    )

    found = world.plan()

    assert found.inventory_commit == then
    assert found.steps[1].gate is not None
    assert found.steps[1].gate.min_approvals == 2


def test_a_tag_that_says_so_itself_does_not_choose_its_inventory(world: Releases) -> None:
    """DESIGN section 3: the setting is read from the inventory branch."""
    world.repository.commit({"pointsman.yaml": "inventory: tag\n"})
    world.release("deploy", "1", step("one"))
    world.repository.commit({"pointsman.yaml": None})

    assert world.plan().inventory_commit == world.repository.head()


# Templates at versions


def test_an_assets_template_version_is_taken_from_that_tag(world: Releases) -> None:
    """DESIGN section 2: a tag with or without its `v`, or a commit; the tree of that commit is in the plan."""
    old = world.repository.head()
    world.repository.tag("v3", old)
    template = "actions: {backup: {command: [./act.sh, new]}}\n"
    world.repository.commit({"templates/server/template.yaml": template})
    world.release("deploy", "1", step("one"))
    for version in ("3", "v3", old, old[:12]):
        asset = f"template: server\ntemplate_version: '{version}'\nproperties: {{hostname: x}}\n"
        world.repository.commit({"projects/p/environments/dev/assets/web.yaml": asset})
        assert content_of(world.plan(), "1").phases[0].command == ("./act.sh", "backup", "x")


def pinned_asset(made: Repository, version: str) -> None:
    """The asset's actions come from a version of its template."""
    asset = f"template: server\ntemplate_version: '{version}'\nproperties: {{hostname: x}}\n"
    made.commit({"projects/p/environments/dev/assets/web.yaml": asset})


@pytest.mark.parametrize("branch", ["3", "v3", "refs/tags/3", "abcdef0"])
def test_a_branch_is_no_version_of_a_template(world: Releases, branch: str) -> None:
    """DESIGN section 3: whoever may push a branch could choose what other people's assets do."""
    world.repository.commit({"templates/server/template.yaml": "actions: {backup: {run: evil}}\n"}, branch=branch)
    version = branch.removeprefix("refs/tags/")
    pinned_asset(world.repository, version)
    world.release("deploy", "1", step("one"))

    assert "cannot be used" in told(world.planned())
    judged = world.reading.judge(world.repository.head())
    assert f"there is no template 'server' at {version!r}" in str(judged.problems[0])


def test_a_tag_that_appears_later_is_found(world: Releases) -> None:
    """DESIGN section 4: a reader that has looked before must not keep what it did not find."""
    old = world.repository.head()
    pinned_asset(world.repository, "3")
    world.release("deploy", "1", step("one"))
    assert world.planned().plan is None

    world.repository.tag("v3", old)

    assert world.planned().plan is not None
    assert world.reading.judge(world.repository.head()).valid


def test_a_tag_of_a_template_that_moves_is_followed_by_every_reader_alike(world: Releases) -> None:
    """DESIGN section 3: two readers never make two plans of the same question."""
    world.repository.tag("v3", world.repository.head())
    pinned_asset(world.repository, "3")
    world.release("deploy", "1", step("one"))
    before = world.plan()
    moved = world.repository.commit(
        {"templates/server/template.yaml": "actions: {backup: {command: [./act.sh, three]}}\n"}
    )  # fmt: skip
    world.repository.delete_tag("v3")
    world.repository.tag("v3", moved)

    fresh = Releases.__new__(Releases)
    fresh.repository, fresh.reading = world.repository, Reading(world.repository.path)
    fresh.enter("deploy", "1", before.pinned[0].commit)

    assert content_of(world.plan(), "1").phases[0].command[1] == "three"
    assert world.plan().digest == fresh.plan().digest != before.digest


# Properties, inputs, policies


def test_the_runs_properties_are_checked_against_the_workflows_inputs(world: Releases) -> None:
    """DESIGN section 4: together with the workflow's own."""
    inputs = "inputs: {type: object, required: [env], properties: {env: {enum: [dev, prod]}}}\n"
    world.release("deploy", "1", inputs + step("{{ env }}"))

    assert "error[PM041]" in told(world.planned())
    assert "error[PM041]" in told(world.planned(env="test"))
    assert world.plan(env="dev").steps[1].name == "dev"


def test_a_project_whose_file_is_broken_is_closed(world: Releases) -> None:
    """DESIGN section 8: a slip in a policy must open no door."""
    world.repository.commit({"projects/p/project.yaml": "policy: {runn: {user_names: [ann]}}\n"})

    answer = world.reading.inventory(world.repository.head())

    policy = from_json(Policy, answer["projects"]["p"]["policy"])
    assert (policy.run, policy.publish, policy.allow_self_approval) == (Approvers(), Approvers(), False)


def test_the_inventory_lists_projects_targets_and_actions(world: Releases) -> None:
    """INTERFACES: what lists, forms and rights are made of."""
    answer = world.reading.inventory(world.repository.head())

    assert set(answer["projects"]) == {"p"}
    assert {one["path"]: one["actions"] for one in answer["targets"]}[DEV] == [
        "backup",
        "check",
        "configure",
        "default",
        "start",
    ]


# Drafts


def test_a_draft_is_planned_on_request_with_its_own_inventory(world: Releases) -> None:
    """DESIGN section 3: it pins no version."""
    world.repository.write_ref("refs/heads/topic", world.repository.head())
    commit = world.repository.commit(files_of(deploy=step("draft")), branch="topic")
    question = PlanQuestion(workflow=DEPLOY, inventory=world.repository.head(), draft=commit)

    found = world.reading.plan(question)

    assert found.plan is not None, told(found)
    assert (found.plan.version, found.plan.inventory_commit, found.plan.steps[1].name) == ("", commit, "draft")


def test_a_draft_is_planned_from_the_text_of_an_editor(world: Releases) -> None:
    """INTERFACES: with the inventory of the commit that it is based on."""
    question = PlanQuestion(workflow=DEPLOY, inventory=world.repository.head(), source=step("typed"))

    found = world.reading.plan(question)

    assert found.plan is not None
    assert found.plan.steps[1].name == "typed"


def test_a_draft_that_cannot_be_read_tells_its_problems_and_one_that_is_not_there_the_nearest(world: Releases) -> None:
    """`R15`, `R35`"""
    head = world.repository.commit(files_of(deploy="steps: ["))

    with pytest.raises(Invalid) as invalid:
        world.reading.plan(PlanQuestion(workflow=DEPLOY, inventory=head, draft=head))
    assert [one.place.path for one in invalid.value.problems] == ["projects/p/workflows/deploy.yaml"]
    good = world.repository.commit(files_of(deploy=step("x")))
    with pytest.raises(NotFound) as missing:
        world.reading.plan(PlanQuestion(workflow="/projects/p/workflows/depoly", inventory=good, draft=good))
    assert missing.value.hint == f"did you mean {DEPLOY}?"


def test_texts_and_commits_are_read_as_they_are(world: Releases) -> None:
    """INTERFACES: for the page and the command line."""
    head = world.repository.commit(files_of(deploy=step("x")), "A subject\n\nand more")

    assert world.reading.text(head, "projects/p/workflows/deploy.yaml") == step("x")
    assert world.reading.facts(head)["subject"] == "A subject"
    assert world.reading.resolve("main") == head
    with pytest.raises(NotFound, match=r"there is no file projects/p/no\.yaml"):
        world.reading.text(head, "projects/p/no.yaml")
