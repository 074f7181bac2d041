"""The seed's `hello_world` as a small repository for tests: its complete pipeline, with actions that leave a trace."""

from collections.abc import Mapping
from pathlib import Path

from fakes.git import Repository

PROJECT = "projects/hello_world"
PIPELINE = "/projects/hello_world/workflows/rollout-pipeline"
TEMPLATE = f"{PROJECT}/templates/managed_server"

_TARGET = "/projects/hello_world/environments/{}/assets/managed_server"
_ROLLOUT = """\
- name: Rollout {name}
  run_as: sequential
  children:
    - type: change
      name: Back up the {name} database
      target: /projects/hello_world/environments/{env}/assets/managed_server
      action: backup
    - type: change
      name: Configure and start ({name})
      target: /projects/hello_world/environments/{env}/assets/managed_server
      action: default
"""
COMPLETE_PIPELINE = (
    """\
steps:
- name: Pre-flight disk checks
  run_as: parallel
  children:
    - type: change
      name: Disk check (all environments)
      targets:
        - /projects/hello_world/environments/dev/assets/managed_server
        - /projects/hello_world/environments/staging/assets/managed_server
        - /projects/hello_world/environments/prod/assets/managed_server
      action: disk_check
      run_as: parallel
"""
    + _ROLLOUT.format(name="development", env="dev")
    + _ROLLOUT.format(name="staging", env="staging")
    + """\
- type: wait
  name: Confirm development and staging are working
- type: wait
  name: Approve the production rollout
  requires_approval_from:
    user_names:
      - opschain
    ldap_groups:
      - release-managers
"""
    + _ROLLOUT.format(name="production", env="prod")
)

BACKUP_ENVIRONMENT = """\
steps:
- type: change
  name: Backup the {{ env }} environment
  target: /projects/hello_world/environments/{{ env }}/assets/managed_server
  action: backup
"""
BACKUP_ALL = """\
steps:
- type: workflow
  target: /projects/hello_world/workflows/backup-environment
  version: 1
  run_as: parallel
  property_overrides:
    - env: 'dev'
    - env: 'staging'
    - env: 'prod'
"""
ACTIONS = """\
name: Managed server
properties: {disk_check: {disk_threshold: 80}, pause: 0}
actions:
  disk_check:
    command: [./act.sh, disk_check, "{{ disk_check.disk_threshold }}"]
  backup:
    command: [./act.sh, backup, "{{ hostname }}"]
  configure:
    command: [./act.sh, configure, "{{ hostname }}"]
  start:
    run: ./act.sh start "$SERVER"
    env: {SERVER: "{{ hostname }}"}
  default: {steps: [configure, start]}
"""
ACT = """\
#!/bin/sh
# one line before and one after: what began, and what ended
set -eu
effects=%s
line="$POINTSMAN_RUN_ID $POINTSMAN_STEP $1 $POINTSMAN_ATTEMPT"
echo "begin $line" >>"$effects"
echo "$1 with $2 on $POINTSMAN_TARGET"
sleep %s
echo "end $line" >>"$effects"
"""


def hello_world(
    folder: Path, *, bare: bool = True, pause: float = 0, more: Mapping[str, str] | None = None
) -> Repository:
    """A repository with the seed's project, committed on `main`; `effects` beside it is where actions leave a line."""
    files: dict[str, str] = {
        f"{PROJECT}/project.yaml": "name: Hello world\n",
        f"{PROJECT}/workflows/rollout-pipeline.yaml": COMPLETE_PIPELINE,
        f"{PROJECT}/workflows/backup-environment.yaml": BACKUP_ENVIRONMENT,
        f"{PROJECT}/workflows/backup-all.yaml": BACKUP_ALL,
        f"{TEMPLATE}/template.yaml": ACTIONS,
        f"{TEMPLATE}/act.sh": ACT % (folder.parent / "effects", pause),
    }
    for env in ("dev", "staging", "prod"):
        files[f"{PROJECT}/environments/{env}/environment.yaml"] = f"name: {env}\n"
        asset = f"template: managed_server\nproperties:\n  hostname: {env}-web-01.example.com\n"
        files[f"{PROJECT}/environments/{env}/assets/managed_server.yaml"] = asset
    repository = Repository.create(folder, bare=bare)
    repository.commit({**files, **(more or {})}, executable={f"{TEMPLATE}/act.sh"})
    return repository


def effects(folder: Path) -> list[tuple[str, ...]]:
    """What the actions left: `(begin|end, run id, step, action, attempt)` in order; `folder` is the repository's."""
    file = folder.parent / "effects"
    return [tuple(line.split()) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
