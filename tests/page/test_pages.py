"""What a person does in a browser: log in, run, continue, approve, read a log; with and without JavaScript."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from fakes.daemon import Daemon
from fakes.hello import PIPELINE

Visit = Callable[..., Page]


def _run_from_the_page(page: Page, daemon: Daemon) -> int:
    """The number of a run that was started by the form."""
    page.goto(f"{daemon.url}/runs/new?workflow={PIPELINE}")
    expect(page.get_by_role("heading", name="Plan")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/\d+$"))
    return int(page.url.rsplit("/", 1)[1])


def _decide(page: Page, link: str, button: str, message: str) -> None:
    page.locator("main").get_by_role("link", name=link).first.click()
    page.locator("#gate-message").fill(message)
    page.locator(".gate").get_by_role("button", name=button, exact=True).click()


def test_the_pipeline_runs_from_form_to_success_with_a_live_page(visit: Visit, daemon: Daemon) -> None:
    """The gate's dialog decides, and the page follows without being loaded again."""
    page = visit()
    number = _run_from_the_page(page, daemon)
    expect(page.locator("#banner")).to_contain_text("Waiting for you", timeout=20_000)
    expect(page).to_have_title(re.compile(r"^❚❚ Waiting for you · rollout-pipeline #"))
    assert page.locator(".tree .row").count() == 16
    _decide(page, "Continue", "Continue", "both answer 200")
    expect(page.locator("#row-5")).to_contain_text("Approve or reject", timeout=20_000)
    _decide(page, "Approve or reject", "Approve", "go")
    expect(page.locator("#banner")).to_contain_text("Succeeded", timeout=20_000)
    expect(page.locator("#record")).to_contain_text("both answer 200")
    page.locator("#row-6\\.1 a.name").click()
    expect(page.locator("#log")).to_contain_text("backup with prod-web-01.example.com")
    assert daemon.get(f"runs/{number}")["state"] == "succeeded"


def test_the_pipeline_runs_from_form_to_success_without_javascript(visit: Visit, daemon: Daemon) -> None:
    """Links are pages and buttons are forms."""
    page = visit("opschain", script=False)
    number = _run_from_the_page(page, daemon)
    daemon.run_in(number, "waiting")
    page.goto(f"{daemon.url}/runs/{number}")
    _decide(page, "Continue", "Continue", "looked at it")
    expect(page.locator("main")).to_contain_text("You continued the run.")
    _decide(page, "Approve or reject", "Approve", "go")
    daemon.run_in(number, "succeeded")
    page.goto(f"{daemon.url}/runs/{number}?step=2.1")
    expect(page.locator("#log")).to_contain_text("backup with dev-web-01.example.com")
    expect(page.locator("#record")).to_contain_text("looked at it")


def test_who_is_not_listed_sees_why_and_no_button(visit: Visit, daemon: Daemon) -> None:
    """R72 on the page."""
    number = daemon.post("runs", {"workflow": PIPELINE})["number"]
    daemon.run_in(number, "waiting")
    daemon.post(f"gates/{number}:4/decision", {"decision": "continue"})
    page = visit("guest")
    page.goto(f"{daemon.url}/runs/{number}/gate/5")
    expect(page.locator("main")).to_contain_text("guest is not listed as an approver")
    assert page.get_by_role("button", name="Approve").count() == 0
    page.goto(f"{daemon.url}/inbox")
    expect(page.locator("main")).to_contain_text("No gate waits for you")
    daemon.post(f"gates/{number}:5/decision", {"decision": "reject", "message": "not today"})
    daemon.run_in(number, "rejected")
    page.goto(f"{daemon.url}/runs/{number}")
    expect(page.locator("#banner")).to_contain_text("Rejected")


def test_a_run_is_cancelled_from_its_page(visit: Visit, daemon: Daemon) -> None:
    """R91 on the page."""
    number = daemon.post("runs", {"workflow": PIPELINE})["number"]
    daemon.run_in(number, "waiting")
    page = visit()
    page.goto(f"{daemon.url}/runs/{number}")
    page.get_by_role("button", name="Cancel run…").click()
    page.locator("#cancel").get_by_role("button", name="Cancel run").click()
    expect(page.locator("#banner")).to_contain_text("Cancelled", timeout=20_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_whole_tree_and_a_log_are_on_one_screen(visit: Visit, daemon: Daemon, scheme: str) -> None:
    """The seed's picture made better: 16 rows below the root and the log beside them in 900 pixels."""
    number = daemon.post("runs", {"workflow": PIPELINE})["number"]
    daemon.run_in(number, "waiting")
    page = visit(scheme=scheme)
    page.goto(f"{daemon.url}/runs/{number}?step=2.1")
    last = page.locator(".tree .row").last.bounding_box()
    log = page.locator("#log").bounding_box()
    assert last is not None
    assert log is not None
    assert last["y"] + last["height"] <= 900
    assert log["y"] < 900
    daemon.post(f"runs/{number}/cancel")


def test_a_wrong_password_says_so_and_logs_nobody_in(visit: Visit, daemon: Daemon) -> None:
    """One text for unknown users and wrong passwords, and no session."""
    page = visit("mira", script=False)
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Name").fill("mira")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(daemon.url + "/")
    assert page.url.startswith(daemon.url + "/login")
