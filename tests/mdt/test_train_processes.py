"""What several processes must not lose: their group after a roll-back, the words of one of them."""

from mdt.cli import main

TRACKED = """
import sys
from accelerate.tracking import GeneralTracker
import mdt.train
from mdt.cli import main

class Notes(GeneralTracker):
    name, requires_logging_directory, tracker = "notes", False, None
    def store_init_configuration(self, values): pass
    def start(self): self.open = True
    def log(self, values, step=None, **more): assert self.open
    def finish(self):
        assert self.open
        self.open = False
        print("finished", flush=True)

made = mdt.train.make_accelerator
def with_notes(**settings):
    accelerator = made(**{**settings, "tracker": ""})
    accelerator.log_with = [Notes()]
    return accelerator

mdt.train.make_accelerator = with_notes
sys.exit(main(["train", *sys.argv[1:]]))
"""


def test_a_roll_back_with_a_tracker_goes_on_in_two_processes(tmp_path, file, pictures, torchrun):
    (tmp_path / "tracked.py").write_text(TRACKED)
    changes = ["optimizer.lr=1e37", "max_rollbacks=1", "save_every=100", "tracker=notes"]
    words = [file, f"data.path={pictures}", f"output={tmp_path / 'run'}", *changes]
    told = torchrun(*words, script=tmp_path / "tracked.py")
    assert told.stdout.count("Going back to step 0") == 1, told.stderr
    assert told.stdout.count("finished") == 2
    assert "is not finite. This was attempt 2" in told.stderr


def test_what_one_process_alone_met_is_told(monkeypatch, capsys):
    monkeypatch.setenv("RANK", "3")
    assert main(["train", "no_such_recipe"]) == 2
    assert capsys.readouterr().err.startswith("mdt: process 3: There is no train preset")
