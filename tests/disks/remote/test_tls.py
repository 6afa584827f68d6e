from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from tests.disks.remote.server import DATA, Reply, serving, source_of, trouble


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts yet, with its key."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext"]
    command += ["subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(command, capture_output=True, check=True)
    with path.open("a") as both:
        both.write(Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_https_is_read_where_the_certificate_is_trusted(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, tls: ssl.SSLContext
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with serving(DATA, tls=tls) as server:
        source = source_of(server.url)
        assert source.read_at(1 << 20, 9) == DATA[1 << 20 :][:9]
        assert server.connections == 1


def test_a_certificate_that_is_not_trusted_is_told(tls: ssl.SSLContext) -> None:
    with serving(DATA, tls=tls) as server:
        assert "its certificate is not trusted" in trouble(server.url)
        assert server.asked == []


def test_a_redirect_to_plain_http_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, tls: ssl.SSLContext
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with serving(DATA) as plain, serving(DATA, tls=tls) as server:
        server.answers = lambda asked: Reply(302, {"Location": plain.url})
        assert "from https to http" in trouble(server.url)
        assert plain.asked == []


def test_a_proxy_is_asked_for_a_tunnel_with_its_own_login(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        end, _ = listening.accept()
        with end:
            asked.append(end.recv(65536))
            end.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    port = listening.getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://me:secret@127.0.0.1:{port}")
    with listening:
        said = trouble("https://you:password@images.invalid/x?token=password")
        thread.join()
    assert said == "asking the server: the proxy does not let us through"
    assert asked[0].startswith(b"CONNECT images.invalid:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in asked[0]
    assert b"\r\nAuthorization" not in asked[0]
