"""Logs and events over the API: whole, in pieces, and live."""

import json
from collections.abc import Iterator
from itertools import islice

import pytest

from fakes.daemon import Daemon
from fakes.lab import began, let_go, served_lab, started
from fakes.streams import streamed

COUNTED = b"".join(b"line %06d\n" % number for number in range(1, 10_001))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with served_lab(tmp_path_factory.mktemp("streams")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def log(daemon: Daemon) -> str:
    """The address of a log of 120,000 bytes."""
    run = started(daemon, "counting")
    daemon.run_in(run, "succeeded")
    return f"runs/{run}/steps/1/log"


def test_a_log_is_plain_text_and_byte_for_byte_what_was_written(daemon: Daemon, log: str) -> None:
    """INTERFACES."""
    answer = daemon.ask("GET", log)
    assert (answer.status, answer.body) == (200, COUNTED)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-length"] == str(len(COUNTED))
    assert answer.headers["content-disposition"] == f'inline; filename="run-{log.split("/")[1]}-step-1-1.txt"'
    head = daemon.ask("HEAD", log)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(COUNTED)))


@pytest.mark.parametrize(("offset", "left"), [(0, 120_000), (119_988, 12), (120_000, 0), (999_999_999, 0)])
def test_an_offset_gives_the_rest(daemon: Daemon, log: str, offset: int, left: int) -> None:
    """INTERFACES: `?offset=`."""
    answer = daemon.ask("GET", f"{log}?offset={offset}")
    assert (answer.status, answer.body) == (200, COUNTED[len(COUNTED) - left :])


@pytest.mark.parametrize("query", ["offset=-1", "offset=abc", "offset=1e3", "attempt=x", "offset=9999999999999"])
def test_an_offset_that_is_none_is_refused(daemon: Daemon, log: str, query: str) -> None:
    """INTERFACES."""
    assert daemon.ask("GET", f"{log}?{query}").status == 400


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=100-199", 206, 100, 200),
        ("bytes=119990-", 206, 119_990, 120_000),
        ("bytes=119990-999999", 206, 119_990, 120_000),
        ("lines=1-2", 200, 0, 120_000),
        ("bytes=abc", 200, 0, 120_000),
    ],
)
def test_one_range_is_honoured(daemon: Daemon, log: str, wanted: str, status: int, start: int, end: int) -> None:
    """INTERFACES: `Range`."""
    answer = daemon.ask("GET", log, Range=wanted)
    assert (answer.status, answer.body) == (status, COUNTED[start:end])
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/120000"


def test_a_range_behind_the_end_is_refused_with_the_size(daemon: Daemon, log: str) -> None:
    """INTERFACES: `Range`."""
    for wanted in ("bytes=120000-", "bytes=5-4"):
        answer = daemon.ask("GET", log, Range=wanted)
        assert (answer.status, answer.headers["content-range"]) == (416, "bytes */120000")


def test_a_thousand_ranges_are_served_whole(daemon: Daemon, log: str) -> None:
    """A request for a thousand pieces costs no more than the whole."""
    answer = daemon.ask("GET", log, Range="bytes=" + ",".join(f"{n}-{n}" for n in range(1000)))
    assert (answer.status, answer.body) == (200, COUNTED)


def test_the_events_of_a_run_stream_live_and_end_with_it(daemon: Daemon) -> None:
    """INTERFACES: as `text/event-stream` it goes on live."""
    run = started(daemon, "gated")
    with streamed(daemon, f"runs/{run}/events") as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        messages = stream.messages()
        seen = [next(messages) for _ in daemon.get(f"runs/{run}/events")["items"]]
        daemon.post(f"gates/{run}:1/decision", {"decision": "continue"})
        seen += messages
    record = daemon.get(f"runs/{run}/events?limit=200")["items"]
    assert [json.loads(message.data) for message in seen] == record
    assert [(message.id, message.event) for message in seen] == [(str(e["seq"]), e["type"]) for e in record]
    assert seen[-1].event == "run_ended"


def test_a_stream_is_taken_up_after_the_last_event_that_was_seen(daemon: Daemon) -> None:
    """INTERFACES: `Last-Event-ID` resumes, without gap or repeat."""
    run = started(daemon, "gated")
    daemon.post(f"gates/{run}:1/decision", {"decision": "continue"})
    daemon.run_in(run, "succeeded")
    seen: list[str] = []
    while not seen or seen[-1] != "run_ended":
        last = len(seen)
        with streamed(daemon, f"runs/{run}/events", Last_Event_ID=str(last)) as stream:
            messages = list(islice(stream.messages(), 2))
        assert [message.id for message in messages] == [str(last + n + 1) for n in range(len(messages))]
        seen += [message.event for message in messages]
    assert seen == [event["type"] for event in daemon.get(f"runs/{run}/events?limit=200")["items"]]


@pytest.mark.parametrize("last", ["abc", "-1", "9" * 30, "1; drop table events"])
def test_a_last_event_id_that_is_none_begins_at_the_beginning(daemon: Daemon, last: str) -> None:
    """A forged one costs nothing and hides nothing."""
    run = started(daemon, "quick")
    daemon.run_in(run, "succeeded")
    with streamed(daemon, f"runs/{run}/events", Last_Event_ID=last) as stream:
        assert next(stream.messages()).id == "1"


def test_a_log_streams_while_it_is_written_and_ends_with_its_attempt(daemon: Daemon) -> None:
    """INTERFACES: as `text/event-stream` it follows."""
    run = started(daemon, "holding")
    began(daemon, run, "1")
    with streamed(daemon, f"runs/{run}/steps/1/log") as stream:
        messages = stream.messages()
        first = next(messages)
        assert (json.loads(first.data), first.event, first.id) == ("holding\n", "log", "8")
        let_go(daemon, run, "1")
        rest = list(messages)
    assert "".join(json.loads(message.data) for message in rest if message.event == "log") == "released\n"
    assert rest[-1].event == "end"
    with streamed(daemon, f"runs/{run}/steps/1/log", Last_Event_ID="8") as stream:
        assert json.loads(next(stream.messages()).data) == "released\n"


def test_a_long_log_streams_whole(daemon: Daemon, log: str) -> None:
    """In pieces that join to the same bytes."""
    with streamed(daemon, log) as stream:
        pieces = [json.loads(message.data) for message in stream.messages() if message.event == "log"]
    assert "".join(pieces).encode() == COUNTED


def test_head_of_a_stream_answers_and_ends(daemon: Daemon, log: str) -> None:
    """HEAD has no side effect and holds nothing."""
    for path in (log.replace("/steps/1/log", "/events"), log):
        assert daemon.ask("HEAD", path, Accept="text/event-stream").status == 200


def test_streams_that_are_left_are_forgotten(daemon: Daemon) -> None:
    """Streams are capped (500), and one that its reader left does not count."""
    run = started(daemon, "gated")
    for _ in range(60):
        with streamed(daemon, f"runs/{run}/events") as stream:
            assert stream.status == 200
    daemon.post(f"runs/{run}/cancel")
