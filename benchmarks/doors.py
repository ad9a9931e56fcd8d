"""The same job through every door: Python, command line, HTTP, MCP and the page give equal bytes.

    python benchmarks/doors.py

Starts the editor on this machine alone, with MCP (needs the extra `mcp`). Prints the sha256 of what
each door gives, then one JSON line.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from gradio_client import Client, handle_file
from web import browse, download, drop, say, serve

from editanything import Editor
from editanything.examples import EXAMPLES

TEXT, SEED = "remove the spoon and make the saucer teal", 5


def by_python(source: Path, folder: Path) -> bytes:
    """`Editor.edit(...).save`."""
    Editor.from_preset().edit(source, TEXT, seed=SEED).save(folder / "python.png")
    return (folder / "python.png").read_bytes()


def by_command_line(source: Path, folder: Path) -> bytes:
    """`editanything edit`."""
    out = folder / "cli.png"
    command = [sys.executable, "-m", "editanything", "edit", str(source), TEXT, "-o", str(out)]
    subprocess.run([*command, "--seed", str(SEED)], check=True)  # noqa: S603 - our own command
    return out.read_bytes()


def by_client(address: str, source: Path, folder: Path) -> bytes:
    """The endpoint `edit`, by Gradio's client."""
    client = Client(address, verbose=False, download_files=folder)
    image, *_ = client.predict(
        image=handle_file(str(source)), text=TEXT, seed=SEED, api_name="/edit"
    )
    return Path(image).read_bytes()


def by_http(address: str, source: Path) -> bytes:
    """The endpoint `edit`, by nothing but HTTP."""
    edge = b"----doors"
    head = f'Content-Disposition: form-data; name="files"; filename="{source.name}"\r\n\r\n'
    body = b"--%b\r\n%b%b\r\n--%b--\r\n" % (edge, head.encode(), source.read_bytes(), edge)
    kind = f"multipart/form-data; boundary={edge.decode()}"
    (path,) = json.loads(_post(f"{address}/gradio_api/upload", body, kind))
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    asked = json.dumps({"data": [file, TEXT, None, None, "default", SEED]}).encode()
    call = f"{address}/gradio_api/call/edit"
    event = json.loads(_post(call, asked, "application/json"))["event_id"]
    with urllib.request.urlopen(f"{call}/{event}") as stream:  # noqa: S310 - our own server
        lines = stream.read().decode().splitlines()
    assert "event: complete" in lines, lines
    (answer,) = [line for line in lines if line.startswith("data: [")]
    url = json.loads(answer.removeprefix("data: "))[0]["url"]
    with urllib.request.urlopen(url) as stream:  # noqa: S310 - our own server
        return stream.read()


def by_mcp(address: str, source: Path) -> bytes:
    """The MCP tool `edit`."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    data = "data:image/jpeg;base64," + base64.b64encode(source.read_bytes()).decode()

    async def ask() -> str:
        place = f"{address}/gradio_api/mcp/"
        async with (
            streamablehttp_client(place) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            name = next(name for name in tools if name.endswith("edit"))
            given = {"image": data, "text": TEXT, "seed": SEED}
            told = await session.call_tool(name, given)
            texts = [one.text for one in told.content if hasattr(one, "text")]
            return next(text for text in texts if "http" in text and ".png" in text)

    text = asyncio.run(ask())
    url = text[text.index("http") :].split()[0].strip("\"',)")
    with urllib.request.urlopen(url) as stream:  # noqa: S310 - our own server
        return stream.read()


def by_page(address: str, source: Path, folder: Path) -> bytes:
    """The web page, by a person's hands."""
    with browse(address) as browser:
        page = browser.open()
        drop(page, source, "#drop")
        page.wait_for_selector("#stage .ea-name")
        page.click("#settings button >> nth=0")
        page.fill("#seed input", str(SEED))
        page.press("#seed input", "Tab")
        assert say(page, TEXT).startswith("Done")
        return download(page, "#save", folder / "page.png").read_bytes()


def _post(url: str, body: bytes, kind: str) -> bytes:
    request = urllib.request.Request(url, body, {"Content-Type": kind})  # noqa: S310 - ours
    with urllib.request.urlopen(request) as stream:  # noqa: S310 - our own server
        return stream.read()


def main() -> None:
    """Print the table and the JSON line; exit 1 where two doors differ."""
    source = EXAMPLES["coffee"].path
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = {"python": by_python(source, folder), "cli": by_command_line(source, folder)}
        with serve(folder, "--mcp") as (address, _):
            made["client"] = by_client(address, source, folder)
            made["http"] = by_http(address, source)
            made["mcp"] = by_mcp(address, source)
            made["page"] = by_page(address, source, folder)
    digests = {door: hashlib.sha256(data).hexdigest() for door, data in made.items()}
    for door, digest in digests.items():
        print(f"{door:8} {digest}")
    same = len(set(digests.values())) == 1
    print(json.dumps({"same": same, "doors": len(digests)}))
    sys.exit(not same)


if __name__ == "__main__":
    main()
