"""The verbs that serve many: `batch` for many pictures, `serve` for many people."""

from __future__ import annotations

import argparse
from pathlib import Path

from editanything.cli_parts import add_preset, open_editor, say
from editanything.errors import InputError

BATCH_EXAMPLES = r"""
examples:
  editanything batch photos "blur the background" -o blurred
  editanything batch photos --commands edits.csv -o edited --report edited.json
  accelerate launch -m editanything.batch photos "remove the sign" -o edited
edits.csv:
  file,command,mask,seed
  a.jpg,make the cup teal,,
  b.jpg,remove it,b-mask.png,3
"""
SERVE_EXAMPLES = r"""
examples:
  editanything serve --port 7861
  editanything serve --mcp
  editanything serve --host 0.0.0.0 --auth users.txt --allow-host studio.lan --max-mb 50
users.txt:
  anna:a long password
"""


def add_batch(verb: argparse.ArgumentParser) -> None:
    """The options of `batch`."""
    verb.epilog = BATCH_EXAMPLES
    verb.add_argument("folder", metavar="FOLDER", help="the pictures")
    verb.add_argument(
        "text", nargs="?", metavar="COMMAND", help='what to do to each: "blur the background"'
    )
    verb.add_argument("-o", "--output", required=True, metavar="OUT", help="folder for the results")
    verb.add_argument("--commands", metavar="CSV", help="file,command[,mask][,seed] a line instead")
    verb.add_argument("--report", metavar="FILE", help="what became of each: .csv or .json")
    verb.add_argument("--seed", type=int, default=0, metavar="N", help="decides all chance (0)")
    add_preset(verb)


def batch(arguments: argparse.Namespace) -> None:
    """Edit the pictures of a folder.

    Raises:
        InputError: bad input, or pictures that could not be edited.
    """
    from editanything import batch as many
    from editanything.rows import edit_rows

    if (arguments.text is None) == (arguments.commands is None):
        raise InputError("Give one command for all pictures, or a table of them: --commands CSV.")
    folder, out, seed = Path(arguments.folder), Path(arguments.output), arguments.seed
    if arguments.report is not None:
        many.check_report(Path(arguments.report))
    if arguments.commands is not None:
        rows = many.rows_of_csv(Path(arguments.commands), folder, out, seed=seed)
    else:
        rows = many.rows_of_folder(folder, arguments.text, out, seed=seed)
    group = many.open_group()
    rank, world = (group.rank, group.world) if group else (0, 1)
    done = []
    for one in edit_rows(open_editor(arguments), rows, out, rank=rank, world=world):
        done.append(one)
        result = one.error or ("there already" if one.skipped else str(one.output))
        say(f"{one.source.name}: {result}")
    if group is not None:
        with group:
            done = many.gathered(group, done)
    if rank:
        return
    if arguments.report is not None:
        many.write_report(done, Path(arguments.report))
    failed = sum(one.error is not None for one in done)
    if failed:
        raise InputError(f"{failed} of the pictures could not be edited; the others are done.")


def add_serve(verb: argparse.ArgumentParser) -> None:
    """The options of `serve`."""
    verb.epilog = SERVE_EXAMPLES
    verb.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    verb.add_argument("--port", type=int, default=None, help="port (the first free from 7860)")
    verb.add_argument("--auth", metavar="FILE", help="who may enter: NAME:PASSWORD a line")
    verb.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that browsers may call this server by, beside its address",
    )
    verb.add_argument("--max-mb", type=int, default=1000, metavar="N", help="of an upload (1000)")
    verb.add_argument("--max-waiting", type=int, default=64, metavar="N", help="jobs (64)")
    verb.add_argument("--mcp", action="store_true", help="offer the endpoints as MCP tools")
    verb.add_argument(
        "--training",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="the Train tab (on where only this machine can reach it)",
    )
    add_preset(verb)


def serve(arguments: argparse.Namespace) -> None:
    """Serve the web editor.

    Raises:
        InputError: settings that cannot be used.
    """
    from editanything.ui import launch
    from editanything.ui.serving import ServeSettings, read_users

    settings = ServeSettings(
        host=arguments.host,
        port=arguments.port,
        users=read_users(Path(arguments.auth)) if arguments.auth else (),
        allowed_hosts=tuple(arguments.allow_host),
        max_upload_mb=arguments.max_mb,
        max_waiting=arguments.max_waiting,
        mcp=arguments.mcp,
        training=arguments.training,
    )
    launch.serve(open_editor(arguments), settings)
