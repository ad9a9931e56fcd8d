"""What stands before Gradio's own answers."""

import asyncio

import pytest
from starlette.responses import FileResponse

from editanything.ui.widgets import NoProxy


@pytest.mark.parametrize(("begun", "told"), [(False, [404]), (True, None)])
def test_a_picture_that_goes_while_it_is_asked_for_is_not_there(begun, told):
    """A real file response, whose file a session's end has just deleted."""
    gone = FileResponse("/there/is/no/such.png")
    said = []

    async def app(scope, receive, send):
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await gone(scope, receive, send)

    async def send(message):
        said.append(message)

    scope = {"type": "http", "method": "GET", "path": "/file=x.png", "headers": []}
    walk = NoProxy(app)(scope, None, send)
    if told is None:
        with pytest.raises(RuntimeError, match="does not exist"):
            asyncio.run(walk)
    else:
        asyncio.run(walk)
        assert [m["status"] for m in said if m["type"] == "http.response.start"] == told
