"""The example of docs/data.md runs, and its command is one that there is."""

import argparse
import re
import shlex
from pathlib import Path

from mdt.data import SOURCES
from mdt.encode import add_arguments

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))


def test_the_python_block_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(compile(BLOCKS["python"], "data.md", "exec"), space)
    said = re.search(r"# (\(.*) 12$", BLOCKS["python"], re.MULTILINE)[1]
    assert capsys.readouterr().out == f"{said} 12\n"
    assert space["x"].shape == (4, 3, 32, 32)
    assert space["label"].shape == (4,)
    assert space["position"] == 0


def test_the_command_line_is_understood():
    _, verb, *words = shlex.split(BLOCKS["sh"])
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args(words)
    assert verb == "encode"
    assert (arguments.source, arguments.size, arguments.flip) == (["pictures"], 256, True)


def test_the_table_names_all_kinds():
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == list(SOURCES)
