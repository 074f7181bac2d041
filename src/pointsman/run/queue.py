"""Who gets the next free worker: first come first served over all runs, one change at a time for each lock. Pure."""

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A queued change: when it came, which it is, and the lock it needs (`None`: none, R96)."""

    arrival: int
    run: int
    step: int
    lock: tuple[str, str] | None


class StepQueue:
    """The queued changes of all runs. A change whose lock is held never keeps another from a worker (R55, R96)."""

    def __init__(self) -> None:
        self._arrivals = 0
        self._tickets: dict[tuple[int, int], Ticket] = {}
        self._ready: list[Ticket] = []
        self._behind: dict[tuple[str, str], deque[Ticket]] = {}
        self._held: dict[tuple[str, str], tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def add(self, run: int, step: int, lock: tuple[str, str] | None) -> None:
        """A change joins the queue; one that is in it keeps its place."""
        if (run, step) in self._tickets:
            return
        self._arrivals += 1
        ticket = Ticket(self._arrivals, run, step, lock)
        self._tickets[run, step] = ticket
        self._line_up(ticket)

    def hold(self, run: int, step: int, lock: tuple[str, str] | None) -> None:
        """A change that runs already has its lock; used when a daemon takes over."""
        if lock is not None:
            self._held.setdefault(lock, (run, step))

    def remove(self, run: int, step: int) -> None:
        """A change leaves the queue without having started; its lock goes to the next."""
        ticket = self._tickets.pop((run, step), None)
        if ticket is not None:
            self.release(run, step, ticket.lock)

    def release(self, run: int, step: int, lock: tuple[str, str] | None) -> None:
        """A change has ended: the first that waits for its lock becomes ready."""
        if lock is None or self._held.get(lock) != (run, step):
            return
        del self._held[lock]
        behind = self._behind.get(lock)
        while behind:
            ticket = behind.popleft()
            if self._is_current(ticket):
                self._line_up(ticket)
                break
        if not behind:
            self._behind.pop(lock, None)

    def take(self) -> Ticket | None:
        """The change that starts next; it has its lock from now on. None if nothing is ready."""
        while self._ready:
            ticket = heapq.heappop(self._ready)
            if self._is_current(ticket):
                del self._tickets[ticket.run, ticket.step]
                return ticket
        return None

    def blocker(self, run: int, step: int) -> tuple[int, int] | None:
        """Run and step of what holds the lock that a queued change waits for; None if it only waits for a worker."""
        ticket = self._tickets.get((run, step))
        holder = self._held.get(ticket.lock) if ticket is not None and ticket.lock is not None else None
        return None if holder == (run, step) else holder

    def tickets(self) -> Iterator[Ticket]:
        """Everything queued, in the order in which it came."""
        return iter(sorted(self._tickets.values()))

    def _is_current(self, ticket: Ticket) -> bool:
        return self._tickets.get((ticket.run, ticket.step)) is ticket

    def _line_up(self, ticket: Ticket) -> None:
        """Into the ready ones if its lock is free (which it then holds), else behind the lock."""
        if ticket.lock is not None and self._held.setdefault(ticket.lock, (ticket.run, ticket.step)) != (
            ticket.run,
            ticket.step,
        ):
            self._behind.setdefault(ticket.lock, deque()).append(ticket)
        else:
            heapq.heappush(self._ready, ticket)
