"""The server: for whom, under which names, and the same bytes through every door."""

import asyncio
import base64
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from editanything.cli import main
from editanything.editor import Editor
from editanything.errors import InputError
from editanything.examples import EXAMPLES
from editanything.ui.launch import free_port
from editanything.ui.serving import OnlyHosts, ServeSettings, read_users

COFFEE, TEXT = EXAMPLES["coffee"].path, "make the saucer teal"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """`editanything serve --mcp`; its address."""
    port = free_port("127.0.0.1")
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    command = [sys.executable, "-m", "editanything", "serve", "--mcp", "--port", str(port)]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as app,
    ):
        while "MCP tools are at" not in (line := app.stdout.readline()):
            assert line, log.read_text()
        yield f"http://localhost:{port}"
        app.send_signal(signal.SIGINT)
        app.communicate(timeout=30)


def ask_mcp(server, *calls):
    """Tools, and the answers to (name, arguments) each."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def progress(done, total, said):
        return None

    async def talk():
        async with (
            streamable_http_client(f"{server}/gradio_api/mcp/") as (read, write, *_),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            asked = [
                await session.call_tool(name, given, progress_callback=progress)
                for name, given in calls
            ]
            return tools, asked

    return asyncio.run(talk())


def test_python_the_command_line_and_mcp_give_the_same_bytes(server, tmp_path):
    Editor.from_preset().edit(COFFEE, TEXT, seed=5).save(tmp_path / "python.png")
    by_python = (tmp_path / "python.png").read_bytes()
    assert main(["edit", str(COFFEE), TEXT, "-o", str(tmp_path / "cli.png"), "--seed", "5"]) == 0
    assert (tmp_path / "cli.png").read_bytes() == by_python
    data = "data:image/jpeg;base64," + base64.b64encode(COFFEE.read_bytes()).decode()
    tools, (edited, fetched) = ask_mcp(
        server,
        ("edit", {"image": data, "text": TEXT, "seed": 5}),
        ("edit", {"image": "http://169.254.169.254/x.png", "text": TEXT}),
    )
    named = {tool.name: tool for tool in tools}
    assert set(named) == {"edit", "plan", "parse", "segment", "generate", "batch"}
    assert named["edit"].inputSchema["properties"]["seed"]["type"] == "integer"
    assert named["segment"].inputSchema["properties"]["points"]["type"] == "array"
    assert "Change a picture by a sentence" in named["edit"].description
    places = [c.text for c in edited.content if c.type == "text" and "edited.png" in c.text]
    with urllib.request.urlopen(places[0].split(": ", 1)[1], timeout=20) as answer:
        assert answer.read() == by_python
    assert fetched.isError
    assert "fetches nothing" in fetched.content[0].text


def test_it_answers_to_its_own_names_only_and_says_how_it_is_called(server):
    address = server.replace("localhost", "127.0.0.1")
    with urllib.request.urlopen(f"{address}/gradio_api/openapi.json", timeout=20) as answer:
        paths = json.load(answer)["paths"]
    assert any("edit" in path for path in paths)
    rebound = urllib.request.Request(address, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(rebound, timeout=20)
    assert error.value.code == 421
    error.value.close()


def test_users_are_read_from_a_file(tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("# us\n\nanna:a:long password\nbo:x\n")
    assert read_users(path) == (("anna", "a:long password"), ("bo", "x"))
    for text, said in (("", "names nobody"), ("anna\n", "line 1: write NAME:PASSWORD")):
        path.write_text(text)
        with pytest.raises(InputError, match=said):
            read_users(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_users(tmp_path / "none")


def test_what_a_server_may_be_called_and_who_sees_the_training():
    home = ServeSettings()
    assert {"localhost", "127.0.0.1"} <= home.hosts
    assert home.trains
    outside = ServeSettings(host="192.168.1.5")
    assert outside.hosts is None
    assert not outside.trains
    assert "studio.lan" in ServeSettings(host="192.168.1.5", allowed_hosts=("Studio.lan",)).hosts
    assert "pw" not in repr(ServeSettings(users=(("a", "pw"),)))
    for given, said in (
        ({"max_waiting": 0}, "max_waiting"),
        ({"max_upload_mb": 0}, "max_upload_mb"),
        ({"mcp": True, "users": (("a", "b"),)}, "not both"),
    ):
        with pytest.raises(InputError, match=said):
            ServeSettings(**given)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("localhost:7860", 200),
        ("LOCALHOST", 200),
        ("[::1]:7860", 200),
        ("evil.example", 421),
        ("", 421),
    ],
)
def test_hosts(name, code):
    codes = []

    async def app(scope, receive, send):
        await send({"status": 200})

    async def send(message):
        codes.append(message.get("status", codes[-1] if codes else None))

    scope = {"type": "http", "headers": [(b"host", name.encode())]}
    asyncio.run(OnlyHosts(app, ServeSettings().hosts)(scope, None, send))
    assert codes[0] == code
