"""An attempt as a cURL command: run by a shell, it sends the same bytes with the same headers."""

from __future__ import annotations

import subprocess

import pytest

from tests.receiver import Receiver
from tests.requirements import requires
from webapp.web.curl_commands import MAX_ARGUMENT_BYTES, command

HEADERS = [
    ["Host", "example.com"],
    ["Content-Type", "application/json"],
    ["X-Plain", "a 'quoted' $(touch /tmp/never) `x` \\ \"value\" !"],
    ["X-Key", "(set)"],
    ["X-Empty", ""],
    ["webhook-signature", "v1,abc= v1,def="],
    ["X-Signature", "0f"],
    ["User-Agent", "Blue-Webhooks/0"],
    ["Accept-Encoding", "identity"],
    ["Content-Length", "9"],
]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"text":"it\'s $HOME `id` $(id) \\\\n !! %s \xe2\x82\xac"}',
        b'{"lines":"a\\nb"}\n\n',
        b"@/etc/passwd",
        b'{"much":"' + b"'" * MAX_ARGUMENT_BYTES + b'"}',
    ],
    ids=["small", "quotes", "newlines", "a file's name", "large"],
)
@pytest.mark.parametrize("path", ["/hooks", "/it's/[1]/{a,b}/../x?q=$HOME&r=%20"])
def test_a_shell_sends_the_same_bytes_and_headers(body: bytes, path: str) -> None:
    requires("curl")
    with Receiver() as receiver:
        text = command(receiver.url.rstrip("/") + path, HEADERS, body)
        subprocess.run([requires("bash")], input=_quiet(text).encode(), check=True, timeout=30)
        (received,) = receiver.wait_for(1)
    assert received.body == body
    assert received.method == "POST"
    assert received.path == path
    sent = {name: value for name, value in received.headers if name not in {"Host", "Content-Length"}}
    wanted = {name: value for name, value in HEADERS if name not in {"Host", "Content-Length"}}
    assert sent == wanted | {"X-Key": "YOUR-X-KEY"}


def _quiet(text: str) -> str:
    """Without a proxy of the surroundings, and without words on the terminal."""
    return text.replace("curl --globoff", "curl --noproxy '*' --silent --output /dev/null --globoff", 1)
