"""Fetching key sets: real TLS to a server on this machine, and what a URL must not make this server do.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html, https://www.rfc-editor.org/rfc/rfc9111
"""

import asyncio
import datetime
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec as elliptic
from cryptography.x509.oid import NameOID

from fhir_server.smart.jwks import (
    FRUITLESS_SECONDS,
    KEPT_SECONDS_MAX,
    URLS_MAX,
    Address,
    Fetched,
    Fetcher,
    KeySets,
    is_public,
    system_resolve,
)
from fhir_server.smart.keysets import BYTES_MAX, KeyFault
from tests.fhir_server.smart.signing import ec, key_set

pytestmark = pytest.mark.anyio

NAME = "keys.app.test"
LOOPBACK = ip_address("127.0.0.1")
SET = json.dumps(key_set(ec())).encode()


# --- a publisher ---------------------------------------------------------------------------------------------------


@dataclass
class Publisher:
    """A TLS server that says what it is told to, and remembers the requests."""

    trust: ssl.SSLContext
    port: int = 0
    answer: bytes = b""
    endless: bytes = b""
    pause: float = 0.0
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    written: int = 0

    def says(self, body: bytes = SET, status: str = "200 OK", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def says_without_end(self, part: bytes, pause: float = 0.0) -> None:
        self.answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        self.endless, self.pause = part, pause

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer)
            while self.endless:
                writer.write(self.endless)
                await writer.drain()
                self.written += len(self.endless)
                await asyncio.sleep(self.pause)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the other side has hung up
        finally:
            writer.close()

    def url(self, path: str = "/jwks.json", name: str = NAME) -> str:
        return f"https://{name}:{self.port}{path}"


def certificate(folder: Path, name: str) -> Path:
    """A certificate for the name that signs itself, with its key, in one file."""
    key = elliptic.generate_private_key(elliptic.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    unencrypted = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@asynccontextmanager
async def published(folder: Path, name: str = NAME) -> AsyncIterator[Publisher]:
    path = certificate(folder, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    publisher = Publisher(ssl.create_default_context(cafile=str(path)))
    publisher.says()
    server = await asyncio.start_server(publisher.serve, "127.0.0.1", 0, ssl=context)
    publisher.port = server.sockets[0].getsockname()[1]
    try:
        yield publisher
    finally:
        publisher.endless = b""
        server.close()


@pytest.fixture
async def publisher(tmp_path: Path) -> AsyncIterator[Publisher]:
    async with published(tmp_path) as publisher:
        yield publisher


def resolves(*addresses: str) -> tuple[Callable[[str, int], Awaitable[Sequence[Address]]], list[str]]:
    """A name server with one answer, and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return [ip_address(address) for address in addresses]

    return resolve, asked


def fetcher(publisher: Publisher, *addresses: str, **more: Any) -> Fetcher:
    """One that may reach the publisher, though that is on this machine."""
    resolve, _ = resolves(*(addresses or ("127.0.0.1",)))
    return Fetcher(**{"resolve": resolve, "reachable": lambda one: one == LOOPBACK, "trust": publisher.trust, **more})


async def fault(fetch: Fetcher, url: str) -> str:
    with pytest.raises(KeyFault) as caught:
        await fetch(url)
    return str(caught.value)


# --- fetching ------------------------------------------------------------------------------------------------------


async def test_line_15_a_key_set_is_fetched_over_tls_from_the_address_that_was_looked_up(publisher: Publisher) -> None:
    resolve, asked = resolves("127.0.0.1")
    fetched = await fetcher(publisher, resolve=resolve)(publisher.url("/a/keys?version=2"))
    assert fetched.keys == json.loads(SET)["keys"]
    assert asked == [NAME]  # one look-up: a second answer would not have been looked at
    (request,) = publisher.requests
    assert request.startswith("GET /a/keys?version=2 HTTP/1.1\r\n")
    assert f"\r\nHost: {NAME}:{publisher.port}\r\n" in request
    assert "\r\nAccept-Encoding: identity\r\n" in request


async def test_line_15_only_https(publisher: Publisher) -> None:
    for url in (f"http://{NAME}:{publisher.port}/", f"ftp://{NAME}/", "file:///etc/hostname", "https:///keys", ""):
        assert "https" in await fault(fetcher(publisher), url)
    assert publisher.connections == 0


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"])
async def test_line_15_a_redirect_is_not_followed(publisher: Publisher, status: str) -> None:
    publisher.says(b"", status, Location=publisher.url("/elsewhere"))
    assert status[:3] in await fault(fetcher(publisher), publisher.url())
    assert len(publisher.requests) == 1


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error", "206 Partial Content"])
async def test_another_status_is_no_key_set_though_the_body_is_one(publisher: Publisher, status: str) -> None:
    publisher.says(SET, status)
    assert status[:3] in await fault(fetcher(publisher), publisher.url())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.8", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12::1",
        "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.8", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:8", "2002:7f00:1::", "2002:a00:8::1", "2001:0:4136:e378::1", "::7f00:1",
        "192.88.99.1", "3fff::1", "5f00::1", "fe80::1%eth0",
    ],
)  # fmt: skip
async def test_line_15_no_address_that_is_not_public(publisher: Publisher, address: str) -> None:
    assert not is_public(ip_address(address))
    for addresses in ((address,), ("8.8.8.8", address), (address, "8.8.8.8")):
        fetch = fetcher(publisher, *addresses, reachable=is_public)
        assert "public address" in await fault(fetch, publisher.url())
    assert publisher.connections == 0


@pytest.mark.parametrize("address", ["8.8.8.8", "145.100.0.1", "2a00:1450::1", "64:ff9b::808:808", "2002:808:808::1"])
def test_line_15_a_public_address_is_one(address: str) -> None:
    assert is_public(ip_address(address))


async def test_line_15_an_address_in_the_url_is_judged_like_any_other(publisher: Publisher) -> None:
    fetch = Fetcher(trust=publisher.trust)
    for host in ("127.0.0.1", "[::1]", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"):
        assert await fault(fetch, f"https://{host}:{publisher.port}/")
    assert publisher.connections == 0


async def test_this_machine_looks_up_its_own_name() -> None:
    assert LOOPBACK in await system_resolve("localhost", 443)


async def test_a_name_that_nobody_has_is_a_fault(publisher: Publisher) -> None:
    assert "not at a public address" in await fault(fetcher(publisher, resolve=resolves()[0]), publisher.url())
    assert "could not be fetched" in await fault(Fetcher(), "https://nobody.invalid/keys")


async def test_line_15_the_certificate_is_that_of_the_name_and_of_somebody_trusted(
    publisher: Publisher, tmp_path: Path
) -> None:
    assert "could not be fetched" in await fault(fetcher(publisher), publisher.url(name="other.app.test"))
    untrusting = fetcher(publisher, trust=ssl.create_default_context())
    assert "could not be fetched" in await fault(untrusting, publisher.url())
    assert publisher.requests == []
    assert (await fetcher(publisher)(publisher.url())).keys


async def test_line_15_a_key_set_that_is_too_long_is_not_read_to_its_end(publisher: Publisher) -> None:
    publisher.says(SET + b" " * (BYTES_MAX - len(SET)))
    assert (await fetcher(publisher)(publisher.url())).keys
    publisher.says(SET + b" " * (BYTES_MAX - len(SET) + 1))
    assert f"more than {BYTES_MAX} bytes" in await fault(fetcher(publisher), publisher.url())
    publisher.says_without_end(b" " * 4096)
    assert f"more than {BYTES_MAX} bytes" in await fault(fetcher(publisher), publisher.url())
    assert publisher.written < 64 * BYTES_MAX  # what fits into the buffers on the way


async def test_line_15_a_publisher_that_takes_its_time_is_not_waited_for(publisher: Publisher) -> None:
    publisher.says_without_end(b" ", pause=0.01)
    async with asyncio.timeout(5):
        assert "could not be fetched" in await fault(fetcher(publisher, seconds=0.5), publisher.url())
    assert publisher.written > 1  # each part came in time, and all of it never


async def test_line_15_a_name_server_that_takes_its_time_is_not_waited_for(publisher: Publisher) -> None:
    async def never(host: str, port: int) -> Sequence[Address]:
        await asyncio.Event().wait()
        return []

    async with asyncio.timeout(5):
        assert "could not be fetched" in await fault(fetcher(publisher, resolve=never, seconds=0.1), publisher.url())


async def test_what_comes_compressed_is_not_unpacked(publisher: Publisher) -> None:
    publisher.says(gzip.compress(SET), Content_Encoding="gzip")
    assert "compressed" in await fault(fetcher(publisher), publisher.url())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"{", b'{"keys": {}}', b'{"keys": [1]}', b"\xff", b'{"keys":' + b"[" * 9999]
)
async def test_what_is_no_key_set_is_a_fault(publisher: Publisher, body: bytes) -> None:
    publisher.says(body)
    assert "a key set" in await fault(fetcher(publisher), publisher.url())


async def test_no_proxy_of_the_environment_stands_between(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with published(tmp_path, "proxy.test") as proxy:
        for name in ("HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await fetcher(publisher)(publisher.url())).keys
        assert proxy.connections == 0


@pytest.mark.parametrize(
    "header, seconds",
    [
        ({}, KEPT_SECONDS_MAX),
        ({"Cache-Control": "public, max-age=60"}, 60),
        ({"Cache-Control": "MAX-AGE=60"}, 60),
        ({"Cache-Control": "max-age=0"}, 0),
        ({"Cache-Control": "no-store"}, 0),
        ({"Cache-Control": "max-age=60, no-cache"}, 0),
        ({"Cache-Control": "s-maxage=60"}, KEPT_SECONDS_MAX),
        ({"Cache-Control": "max-age=soon"}, KEPT_SECONDS_MAX),
    ],
)
async def test_the_publisher_says_how_long_it_may_be_kept(
    publisher: Publisher, header: Mapping[str, str], seconds: float
) -> None:
    publisher.says(SET, **{name.replace("-", "_"): value for name, value in header.items()})
    assert (await fetcher(publisher)(publisher.url())).seconds == seconds


# --- keeping -------------------------------------------------------------------------------------------------------

URL = "https://app.test/jwks"


class Web:
    """Key sets by URL, each with the kids that are in it, and how often somebody asked."""

    def __init__(self, *kids: str, seconds: float = 3600) -> None:
        self.kids, self.seconds = list(kids), seconds
        self.asked: list[str] = []
        self.down = False
        self.now = 0.0
        self.sets = KeySets(self.fetch, lambda: self.now)

    async def fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        await asyncio.sleep(0)
        if self.down:
            raise KeyFault("down")
        return Fetched([{"kid": kid} for kid in self.kids], self.seconds)

    async def has(self, kid: str, url: str = URL) -> bool:
        """Whether a set with the kid is there to be had."""
        try:
            return {"kid": kid} in await self.sets.keys(url, kid)
        except KeyFault:
            return False


async def test_line_15_a_set_is_asked_for_once_while_it_may_be_kept() -> None:
    web = Web("a", "b")
    assert [await web.has(kid) for kid in "abab"] == [True] * 4
    web.now = KEPT_SECONDS_MAX - 1
    assert await web.has("a")
    assert len(web.asked) == 1
    web.now = KEPT_SECONDS_MAX
    assert await web.has("a")
    assert len(web.asked) == 2


async def test_a_key_that_is_published_no_more_is_of_no_use_when_the_set_was_kept_long_enough() -> None:
    web = Web("a", seconds=60)
    assert await web.has("a")
    web.kids = ["b"]
    web.now = 59
    assert await web.has("a")
    web.now = 60
    assert not await web.has("a")


async def test_line_15_an_unknown_kid_has_the_set_asked_for_once_more() -> None:
    web = Web("a")
    assert await web.has("a")
    web.kids = ["a", "b"]
    assert await web.has("b")
    assert len(web.asked) == 2
    assert not await web.has("c")
    assert len(web.asked) == 3
    assert not await web.has("d")  # whoever makes up kids makes us ask no more
    assert not await web.has("c")
    assert await web.has("a")
    assert len(web.asked) == 3
    web.kids = ["d"]
    web.now = FRUITLESS_SECONDS
    assert await web.has("d")
    assert len(web.asked) == 4


async def test_a_publisher_that_is_down_is_left_alone_for_a_while_and_what_is_kept_still_counts() -> None:
    web = Web("a")
    assert await web.has("a")
    web.down = True
    assert not await web.has("b")
    assert not await web.has("b")
    assert await web.has("a")
    assert len(web.asked) == 2
    web.down, web.kids, web.now = False, ["a", "b"], FRUITLESS_SECONDS
    assert await web.has("b")


async def test_a_set_that_may_not_be_kept_is_asked_for_each_time() -> None:
    web = Web("a", seconds=0)
    assert [await web.has("a") for _ in range(3)] == [True] * 3
    assert len(web.asked) == 3


async def test_many_at_one_moment_ask_once() -> None:
    web = Web("a")
    assert await asyncio.gather(*(web.has("a") for _ in range(50))) == [True] * 50
    assert len(web.asked) == 1


async def test_the_sets_of_one_url_are_not_those_of_another() -> None:
    web = Web("a")
    assert await web.has("a", "https://one.test")
    web.kids = ["b"]
    assert not await web.has("a", "https://two.test")
    assert await web.has("a", "https://one.test")


async def test_line_15_so_many_sets_are_kept_and_no_more() -> None:
    web = Web("a")
    for number in range(URLS_MAX):
        assert await web.has("a", f"https://{number}.test")
    assert await web.has("a", "https://0.test")  # the one used last stays longest
    assert len(web.asked) == URLS_MAX
    assert await web.has("a", "https://new.test")
    assert await web.has("a", "https://0.test")
    assert len(web.asked) == URLS_MAX + 1
    assert await web.has("a", "https://1.test")
    assert len(web.asked) == URLS_MAX + 2
