"""Work in a thread that can be watched and stopped."""

from threading import Event

import pytest

from editanything.errors import Cancelled, InputError
from editanything.progress import report
from editanything.ui.jobs import Job


def test_a_job_gives_its_result_and_tells_how_far_it_is():
    go_on = Event()

    def work(progress):
        report(progress, 0.5, "half")
        assert go_on.wait(5)
        return "done"

    job = Job(work)
    assert not job.wait(0.05)
    assert (job.share, job.what) == (0.5, "half")
    go_on.set()
    assert job.result() == "done"
    assert job.wait(0)


def test_cancel_stops_the_work_at_its_next_report():
    steps = []
    begun = Event()

    def work(progress):
        for i in range(1000):
            report(progress, i / 1000, "step")
            steps.append(i)
            begun.set()
            Event().wait(0.01)

    job = Job(work)
    assert begun.wait(5)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result()
    assert len(steps) < 900


def test_what_the_work_raises_is_raised_to_whoever_asks():
    def work(_):
        raise InputError("No.")

    with pytest.raises(InputError, match=r"No\."):
        Job(work).result()
