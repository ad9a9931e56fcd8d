"""Turns of heavy work: nobody is lost, nobody holds up the others."""

from threading import Thread

import pytest

from editanything.errors import Cancelled, InputError
from editanything.ui.turns import Turns


def test_each_gets_a_turn_before_anybody_gets_a_second():
    turns = Turns(places=1)
    first = turns.take("anna")
    assert first.called.is_set()
    annas = [turns.take("anna") for _ in range(5)]
    bo, cy = turns.take("bo"), turns.take("cy")
    assert [turns.before(one) for one in (bo, cy, annas[0])] == [0, 1, 2]
    order, running = [], first
    for _ in range(7):
        turns.leave(running)
        (running,) = [one for one in (*annas, bo, cy) if one.called.is_set() and one not in order]
        order.append(running)
    assert order == [bo, cy, *annas]
    turns.leave(running)


def test_among_strangers_first_come_first_served():
    turns = Turns(places=2)
    tickets = [turns.take(str(i)) for i in range(32)]
    for i, ticket in enumerate(tickets):
        assert ticket.called.is_set()
        assert not any(later.called.is_set() for later in tickets[i + 2 :])
        turns.leave(ticket)


def test_who_no_longer_wants_leaves_the_queue():
    turns = Turns(places=1)
    held, wanted = turns.take("anna"), [True]
    ticket = turns.take("bo")
    waiting = turns.wait(ticket, lambda: wanted[0])
    assert next(waiting) == 0
    wanted[0] = False
    with pytest.raises(Cancelled):
        next(waiting)
    turns.leave(ticket)
    turns.leave(held)
    assert turns.take("cy").called.is_set()


def test_too_many_are_refused_and_places_are_never_more():
    turns, most, inside = Turns(places=2, most_waiting=40), [0], [0]

    def work(i):
        with turns.turn(str(i % 3)):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            inside[0] -= 1

    threads = [Thread(target=work, args=(i,)) for i in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert most[0] <= 2
    full = Turns(places=1, most_waiting=1)
    full.take("anna")
    full.take("anna")
    with pytest.raises(InputError, match="1 jobs wait already"):
        full.take("bo")


def test_it_is_idle_while_nobody_works_or_waits():
    turns = Turns(places=1)
    assert turns.idle
    first, second = turns.take("anna"), turns.take("bo")
    assert not turns.idle
    turns.leave(first)
    assert not turns.idle
    turns.leave(second)
    assert turns.idle
