import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from lumi.config.serving import ServerSettings
from lumi.server.port import listening
from lumi.server.web_files import content_security_policy, web_routes


@asynccontextmanager
async def serving(root: Path | None) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    app = web.Application()
    app.add_routes(web_routes(root))
    async with listening(app, ServerSettings(port=0)) as port, aiohttp.ClientSession() as http:
        yield http, f"http://127.0.0.1:{port}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.js").write_text("no")
    inside = tmp_path / "web"
    for name, text in {
        "index.html": "<script>1</script>",
        "sdk/lumi.js": "export const one = 1;\n" * 100,
        "console/index.html": "<p>",
        "console/console.css": "p { }",
        "page/face.svg": "<svg/>",
        "page/notes.orig": "?",
        "manifest.webmanifest": "{}",
    }.items():
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).write_text(text)
    return inside


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/sdk/lumi.js", "text/javascript; charset=utf-8"),
        ("/console", "text/html; charset=utf-8"),
        ("/console/", "text/html; charset=utf-8"),
        ("/console/console.css", "text/css; charset=utf-8"),
        ("/page/face.svg", "image/svg+xml"),
        ("/manifest.webmanifest", "application/manifest+json"),
    ],
)
async def test_each_file_has_its_path_and_its_type(root, path, content_type):
    async with serving(root) as (http, base), http.get(base + path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == content_type
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert ("Access-Control-Allow-Origin" in answer.headers) == path.startswith("/sdk/")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")


@pytest.mark.real
@pytest.mark.parametrize(
    "path",
    [
        "/../secret.js",
        "/sdk/../../secret.js",
        "/sdk/%2e%2e/%2e%2e/secret.js",
        "/sdk",
        "/sdk/",
        "/page/notes.orig",
    ],
)
async def test_no_path_leads_anywhere_else(root, path):
    async with serving(root) as (http, base):
        from yarl import URL

        async with http.get(URL(base + path, encoded=True)) as answer:
            assert answer.status == 404


@pytest.mark.real
async def test_what_the_browser_has_already_is_not_sent_again(root):
    async with serving(root) as (http, base):
        async with http.get(base + "/sdk/lumi.js") as answer:
            tag = answer.headers["ETag"]
            assert answer.headers["Cache-Control"] == "no-cache"
        for known, status in ((tag, 304), (f'"other", W/{tag}', 304), ("*", 304), ('"other"', 200)):
            async with http.get(base + "/sdk/lumi.js", headers={"If-None-Match": known}) as answer:
                assert (answer.status, answer.headers["ETag"]) == (status, tag)
                assert bool(await answer.read()) == (status == 200)


@pytest.mark.real
async def test_text_is_sent_compressed_to_who_can_read_it(root):
    async with serving(root) as (http, base):
        url, plain = base + "/sdk/lumi.js", (root / "sdk/lumi.js").read_bytes()
        async with http.get(url, headers={"Accept-Encoding": "identity"}) as answer:
            assert "Content-Encoding" not in answer.headers
            assert await answer.read() == plain
        http._auto_decompress = False
        async with http.get(url, headers={"Accept-Encoding": "gzip, br"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Vary"] == "Accept-Encoding"
            body = await answer.read()
    assert gzip.decompress(body) == plain
    assert len(body) < len(plain) / 4


def test_the_policy_knows_script_and_style_by_what_is_in_them():
    one = content_security_policy("<style>a</style><script>b</script>")
    assert one != content_security_policy("<style>a</style><script>c</script>")
    assert one != content_security_policy("<style>x</style><script>b</script>")
    assert "'sha256" not in content_security_policy('<script type="module" src="/page/page.js"></script>')
    assert not re.findall(r"unsafe|https?:|\*", one)


def test_what_is_served_comes_with_the_package():
    paths = {route.path for route in web_routes() if isinstance(route, web.RouteDef)}
    assert "/" in paths
    assert all(path.startswith("/") for path in paths)
