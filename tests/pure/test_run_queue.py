"""The queue of changes: first come first served, and a lock that is held keeps nothing else from a worker."""

import random

from pointsman.run.queue import StepQueue

X, Y = ("/projects/p/environments/e/assets/x", "act"), ("/projects/p/environments/e/assets/y", "act")


def _taken(queue: StepQueue) -> list[tuple[int, int]]:
    taken = []
    while (ticket := queue.take()) is not None:
        taken.append((ticket.run, ticket.step))
    return taken


def test_what_came_first_is_taken_first() -> None:
    """R55: over all runs."""
    queue = StepQueue()
    for run, step in ((3, 1), (1, 9), (2, 4), (1, 2)):
        queue.add(run, step, None)
    assert len(queue) == 4
    assert [(ticket.run, ticket.step) for ticket in queue.tickets()] == [(3, 1), (1, 9), (2, 4), (1, 2)]
    assert _taken(queue) == [(3, 1), (1, 9), (2, 4), (1, 2)]
    assert len(queue) == 0
    assert queue.take() is None


def test_a_change_that_is_queued_twice_keeps_its_place() -> None:
    """R57."""
    queue = StepQueue()
    queue.add(1, 1, X)
    queue.add(2, 2, None)
    queue.add(1, 1, X)
    assert _taken(queue) == [(1, 1), (2, 2)]


def test_one_lock_lets_one_change_through_and_other_targets_are_not_held_up() -> None:
    """R96."""
    queue = StepQueue()
    queue.add(1, 1, X)
    queue.add(2, 1, X)
    queue.add(3, 1, Y)
    queue.add(4, 1, None)
    assert _taken(queue) == [(1, 1), (3, 1), (4, 1)]
    assert queue.blocker(2, 1) == (1, 1)
    queue.release(1, 1, X)
    assert _taken(queue) == [(2, 1)]
    queue.release(2, 1, X)
    assert queue.take() is None


def test_who_waits_longest_for_a_lock_gets_it_next() -> None:
    """R96: first come first served."""
    queue = StepQueue()
    for run in (5, 3, 4):
        queue.add(run, 1, X)
    for run in (5, 3, 4):
        assert _taken(queue) == [(run, 1)]
        queue.release(run, 1, X)


def test_a_lock_is_kept_while_its_change_waits_for_a_worker() -> None:
    """R96: whoever is first in line has the lock, so nobody overtakes."""
    queue = StepQueue()
    queue.add(1, 1, X)
    queue.add(2, 1, X)
    assert queue.blocker(1, 1) is None
    assert queue.blocker(2, 1) == (1, 1)


def test_a_change_that_leaves_gives_its_lock_to_the_next() -> None:
    """R92: cancelled while queued, whether it held the lock or waited for it."""
    queue = StepQueue()
    for run in (1, 2, 3):
        queue.add(run, 1, X)
    queue.remove(2, 1)
    queue.remove(1, 1)
    queue.remove(9, 9)
    assert _taken(queue) == [(3, 1)]
    assert len(queue) == 0


def test_only_its_holder_releases_a_lock() -> None:
    """R57: a late or repeated end of another change lets nobody through."""
    queue = StepQueue()
    queue.add(1, 1, X)
    queue.add(2, 1, X)
    assert _taken(queue) == [(1, 1)]
    for run, lock in ((2, X), (3, X), (1, Y), (1, None)):
        queue.release(run, 1, lock)
    assert queue.take() is None
    queue.release(1, 1, X)
    queue.release(1, 1, X)
    assert _taken(queue) == [(2, 1)]


def test_what_already_runs_holds_its_lock_after_a_restart() -> None:
    """R96, R110."""
    queue = StepQueue()
    queue.hold(7, 3, X)
    queue.hold(8, 3, None)
    queue.add(1, 1, X)
    queue.add(2, 1, Y)
    assert _taken(queue) == [(2, 1)]
    assert queue.blocker(1, 1) == (7, 3)
    queue.release(7, 3, X)
    assert _taken(queue) == [(1, 1)]


def test_a_change_may_come_back_after_it_left() -> None:
    """R61: its next attempt joins at the end."""
    queue = StepQueue()
    queue.add(1, 1, X)
    queue.remove(1, 1)
    queue.add(2, 1, X)
    queue.add(1, 1, X)
    assert _taken(queue) == [(2, 1)]
    queue.release(2, 1, X)
    assert _taken(queue) == [(1, 1)]


def test_whatever_happens_no_lock_is_held_twice_and_nobody_is_forgotten() -> None:
    """R96: a thousand random histories against a list."""
    for seed in range(1000):
        chance, queue = random.Random(seed), StepQueue()
        waiting: list[tuple[int, int, tuple[str, str] | None]] = []
        running: list[tuple[int, int, tuple[str, str] | None]] = []
        for step in range(30):
            what = chance.random()
            if what < 0.5:
                entry = (chance.randint(1, 3), step, chance.choice((X, Y, None)))
                queue.add(*entry)
                waiting.append(entry)
            elif what < 0.7 and running:
                queue.release(*running.pop(chance.randrange(len(running))))
            elif what < 0.8 and waiting:
                run, gone, _ = waiting.pop(chance.randrange(len(waiting)))
                queue.remove(run, gone)
            else:
                _take_and_compare(queue, waiting, running)
        while waiting:
            while running:
                queue.release(*running.pop())
            assert _take_and_compare(queue, waiting, running), seed
        assert len(queue) == 0


def _take_and_compare(
    queue: StepQueue,
    waiting: list[tuple[int, int, tuple[str, str] | None]],
    running: list[tuple[int, int, tuple[str, str] | None]],
) -> bool:
    """Take one, which must be the first in line whose lock nobody has."""
    held = {lock for _, _, lock in running} - {None}
    first = next((entry for entry in waiting if entry[2] not in held), None)
    ticket = queue.take()
    assert (None if ticket is None else (ticket.run, ticket.step, ticket.lock)) == first
    if first is not None:
        waiting.remove(first)
        running.append(first)
    return first is not None
