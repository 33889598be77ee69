"""Against a real server on this machine, which misbehaves in every way that a mirror can."""

from __future__ import annotations

import hashlib
import http.server
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wiesel.images.fetching import DownloadFailed, download, matches

BODY = bytes(range(256)) * 2000
SIZE, SHA256 = len(BODY), hashlib.sha256(BODY).hexdigest()


class Faulty(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = self.path.strip("/")
        self.server.asked.append(asked)  # type: ignore[attr-defined]
        if asked.startswith("redirect/"):
            self.send_response(302)
            self.send_header("Location", self.server.targets[asked])  # type: ignore[attr-defined]
            self.end_headers()
            return
        if asked == "404":
            self.send_error(404)
            return
        body = {"html": b"<html>Sign in</html>", "wrong": BODY[:-1] + b"x", "long": BODY + b"more"}.get(asked, BODY)
        self.send_response(200)
        if asked not in ("silent", "long", "drip", "html-silent"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            if asked in ("short", "silent"):
                self.wfile.write(body[: SIZE // 2])
            elif asked == "html-silent":
                self.wfile.write(b"<html>Sign in</html>")
            elif asked == "hang":
                self.wfile.write(body[:1000])
                self.wfile.flush()
                self.server.released.wait(10)  # type: ignore[attr-defined]
            elif asked == "drip":
                for i in range(0, SIZE, 1000):
                    self.wfile.write(body[i : i + 1000])
                    self.wfile.flush()
                    time.sleep(0.01)
            else:
                self.wfile.write(body)
        except OSError:
            pass  # the other side had enough

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Faulty)
        self.asked: list[str] = []
        self.targets: dict[str, str] = {}
        self.released = threading.Event()

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.server_port}/{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    yield from running(Server())


def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def get(server: Server, target: Path, *paths: str, **options: object) -> Path:
    urls = [path if "://" in path else server.url(path) for path in paths]
    return download(urls, target, size=SIZE, sha256=SHA256, timeout=0.5, plain_on_this_machine=True, **options)  # type: ignore[arg-type]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_good_mirror_gives_the_file(server, tmp_path):
    seen = []
    path = get(server, tmp_path / "new" / "x.gz", "good", progress=lambda *step: seen.append(step))
    assert path.read_bytes() == BODY
    assert seen[-1] == ("x.gz", SIZE, SIZE)
    assert left(tmp_path / "new") == ["x.gz"]
    assert matches(path, size=SIZE, sha256=SHA256)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("404", "HTTP 404"),
        ("html", f"announces 20 bytes instead of {SIZE}"),
        ("html-silent", f"sent 20 of {SIZE} bytes"),
        ("wrong", "sha256 differs"),
        ("short", "of 512000 bytes"),
        ("silent", "sent 256000 of 512000 bytes"),
        ("long", "sends more than 512000 bytes"),
        ("hang", "timed out"),
        ("http://127.0.0.1:9/x", "refused"),
        ("http://localhost:1/x", "refused, not https: http://localhost"),
        ("file:///etc/passwd", "refused, not https: file://"),
        ("ftp://127.0.0.1/x", "refused, not https: ftp://"),
    ],
)
def test_a_faulty_mirror_is_named_leaves_nothing_and_the_next_one_is_used(fault, said, server, tmp_path):
    target = tmp_path / "x.gz"
    with pytest.raises(DownloadFailed) as caught:
        get(server, target, fault)
    assert said in str(caught.value)
    assert left(tmp_path) == []
    assert get(server, target, fault, "good").read_bytes() == BODY
    assert left(tmp_path) == ["x.gz"]


def test_a_mirror_that_drips_is_given_up(server, tmp_path, monkeypatch):
    from wiesel.images import fetching

    clock = iter(range(0, 10**9, 40))
    monkeypatch.setattr(fetching.time, "monotonic", lambda: next(clock))
    with pytest.raises(DownloadFailed, match="too slow"):
        get(server, tmp_path / "x.gz", "drip")
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "where", ["http://example.org/x", "file:///etc/passwd", "http://169.254.169.254/latest", "ftp://127.0.0.1/"]
)
def test_a_redirect_away_from_https_is_refused(where, server, tmp_path):
    server.targets["redirect/1"] = where
    with pytest.raises(DownloadFailed, match=r"refused, not https|HTTP 302"):
        get(server, tmp_path / "x.gz", "redirect/1")
    assert server.asked == ["redirect/1"]
    assert left(tmp_path) == []


def test_a_circle_of_redirects_ends(server, tmp_path):
    server.targets = {"redirect/1": server.url("redirect/2"), "redirect/2": server.url("redirect/1")}
    with pytest.raises(DownloadFailed, match="HTTP 302"):
        get(server, tmp_path / "x.gz", "redirect/1")
    assert len(server.asked) < 12


def test_plain_http_is_refused_by_default(server, tmp_path):
    with pytest.raises(DownloadFailed, match="refused, not https"):
        download([server.url("good")], tmp_path / "x.gz", size=SIZE, sha256=SHA256)
    assert server.asked == []


def test_what_is_there_and_right_is_not_fetched_again_and_what_is_wrong_is_replaced(server, tmp_path):
    target = get(server, tmp_path / "x.gz", "good")
    get(server, target, "good")
    assert server.asked == ["good"]
    target.write_bytes(b"damaged")
    with pytest.raises(DownloadFailed):
        get(server, target, "wrong")
    assert target.read_bytes() == b"damaged"
    assert get(server, target, "good").read_bytes() == BODY


def test_a_part_left_by_a_killed_process_is_overwritten(server, tmp_path):
    (tmp_path / "x.gz.part").write_bytes(b"old" * 10**6)
    assert get(server, tmp_path / "x.gz", "good").read_bytes() == BODY
    assert left(tmp_path) == ["x.gz"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_kill_in_the_middle_leaves_nothing_under_the_final_name(server, tmp_path):
    code = (
        "import sys; from pathlib import Path; from wiesel.images.fetching import download;"
        "url, path, size, sha256 = sys.argv[1:];"
        "download([url], Path(path), size=int(size), sha256=sha256, timeout=9, plain_on_this_machine=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, server.url("drip"), str(tmp_path / "x.gz"), str(SIZE), SHA256],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    part = tmp_path / "x.gz.part"
    deadline = time.monotonic() + 20
    while not part.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert left(tmp_path) == ["x.gz.part"]
    assert get(server, tmp_path / "x.gz", "good").read_bytes() == BODY
    assert left(tmp_path) == ["x.gz"]


# --- https -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def secure(tmp_path_factory) -> Iterator[tuple[Server, ssl.SSLContext]]:
    """A server with a certificate of its own, and a context that trusts it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout key -out cert"
    )
    subprocess.run([openssl, *command.split()], cwd=folder, check=True, capture_output=True)
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a refused handshake is what one test is about
    for started in running(server):
        yield started, ssl.create_default_context(cafile=str(folder / "cert"))


def test_over_https_it_works_and_a_redirect_to_http_is_refused(secure, server, tmp_path):
    trusted, context = secure
    url = trusted.url("good", "https")
    assert download([url], tmp_path / "x.gz", size=SIZE, sha256=SHA256, context=context).read_bytes() == BODY
    trusted.targets = {"redirect/1": server.url("good"), "redirect/2": url}
    with pytest.raises(DownloadFailed, match="refused, not https"):
        download([trusted.url("redirect/1", "https")], tmp_path / "y", size=SIZE, sha256=SHA256, context=context)
    assert server.asked == []
    assert download([trusted.url("redirect/2", "https")], tmp_path / "y", size=SIZE, sha256=SHA256, context=context).is_file()


def test_an_untrusted_certificate_is_refused_and_http_is_not_tried_instead(secure, tmp_path):
    trusted, _ = secure
    with pytest.raises(DownloadFailed, match="certificate verify failed"):
        download([trusted.url("good", "https")], tmp_path / "x.gz", size=SIZE, sha256=SHA256)
    assert trusted.asked == []
    assert left(tmp_path) == []
