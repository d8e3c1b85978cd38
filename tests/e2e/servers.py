# SPDX-License-Identifier: MIT
"""Starts gatewire and mockllm for the end-to-end tests, and talks raw HTTP/1 to them.

Where the programs are: GATEWIRE_BIN and MOCKLLM_BIN, else in GW_BUILD_DIR (scripts/test sets it), else in build/.
"""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("GW_BUILD_DIR", TOP / "build"))
GATEWIRE = Path(os.environ.get("GATEWIRE_BIN", BUILD / "gatewire")).resolve()
MOCKLLM = Path(os.environ.get("MOCKLLM_BIN", BUILD / "bench" / "mockllm")).resolve()

# Programs built with a sanitizer are several times slower.
SLOWNESS = 5 if os.environ.get("GW_SANITIZER") else 1
START_S = 10 * SLOWNESS
STOP_S = 40 * SLOWNESS

# What a test's gateway must not find in the environment of whoever runs the tests.
SETTING = re.compile(
    r"_API_KEYS?(_\d+)?$|^API_KEYS?$|^(SERVER|ADMIN|METRICS|GRPC)_|^(PORT|HOST|WORKERS)$|^(GATEWIRE|LITELLM)_"
    r"|^(AZURE|AWS|GOOGLE|VERTEX|OPENAI|ANTHROPIC|OLLAMA|VLLM)|_proxy$|_PROXY$|^DATABASE_URL$|^REDIS"
    r"|^(MAX_RETRIES|RETRY_DELAY|RETRY_BACKOFF_FACTOR|FAILOVER_MODE)$|^CB_|^CIRCUIT_BREAKER_",
)


def clean_environment(extra=None):
    """The environment without anything that configures a gateway."""
    kept = {name: value for name, value in os.environ.items() if not SETTING.search(name)}
    kept.update(extra or {})
    return kept


class Server:
    """A running program whose lines of output can be waited for."""

    def __init__(self, command, cwd, env):
        self.command = [str(part) for part in command]
        self.lines = []
        self._grew = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            self.command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._grew:
                self.lines.append(line.rstrip("\n"))
                self._grew.notify_all()
        with self._grew:
            self._ended = True
            self._grew.notify_all()

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        with self._grew:
            return "\n".join(self.lines)

    def wait_line(self, pattern, timeout=START_S, first=0):
        """The match of `pattern` in the first line from number `first` on that has one."""
        search = re.compile(pattern).search
        deadline = time.monotonic() + timeout
        seen = first
        with self._grew:
            while True:
                for line in self.lines[seen:]:
                    match = search(line)
                    if match:
                        return match
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    what = "ended" if self._ended else f"waited {timeout} s"
                    raise AssertionError(f"no line like {pattern!r} ({what}) from {self.command}:\n" + "\n".join(self.lines))
                self._grew.wait(left)

    def is_running(self):
        return self.process.poll() is None

    def wait(self, timeout=STOP_S):
        """Waits for the end; the exit code."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def stop(self, timeout=STOP_S):
        """Asks it to end and waits for it; the exit code."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError(f"did not end within {timeout} s of SIGTERM: {self.command}\n{self.output()}") from None


def get_json(url, timeout=10 * SLOWNESS):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=timeout) as answer:
        return json.load(answer)


class Mockllm(Server):
    """A mock provider on a free port."""

    def __init__(self, folder, *args):
        super().__init__([MOCKLLM, "--port", "0", *args], folder, clean_environment())
        self.host, port = self.wait_line(r"listening on ([\d.]+):(\d+)").groups()
        self.port = int(port)
        self.url = f"http://{self.host}:{self.port}"

    def stats(self):
        return get_json(self.url + "/mock/stats")

    def requests(self):
        """The last 16 requests, newest first."""
        return get_json(self.url + "/mock/requests")

    def last(self):
        return get_json(self.url + "/mock/last")

    def last_body(self):
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.url + "/mock/last/body") as answer:
            return answer.read()

    def reset(self):
        request = urllib.request.Request(self.url + "/mock/reset", data=b"", method="POST")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()


def deployment(mock, name="mock-small", **params):
    """An entry of model_list that sends `name` to `mock`."""
    return {
        "model_name": name,
        "litellm_params": {"model": f"openai/{name}", "api_base": mock.url + "/v1", "api_key": "sk-mock", **params},
    }


# What tests of a single exchange want: they see what the first attempt brings, and one test's failures do not close the
# deployment for the next.
ONE_ATTEMPT = {"max_retries": 0, "failover": False, "circuit_breaker": {"enabled": False}}


class Gatewire(Server):
    """A gateway on free ports; `config` is the content of its configuration file (JSON is YAML).

    Without settings of the router it makes one attempt for each request; `"router": {}` asks for the defaults.
    """

    def __init__(self, folder, config, env=None, command=()):
        config = dict(config)
        if not config.keys() & {"router", "router_settings"}:
            config["router"] = ONE_ATTEMPT
        ports = {"host": "127.0.0.1", "port": 0, "admin_port": 0, "metrics_port": 0, "grpc_port": 0, "workers": 1}
        config["server"] = {**ports, **config.get("server", {})}
        self.config_path = Path(folder) / "gatewire.yaml"
        self.config_path.write_text(json.dumps(config, indent=1))
        super().__init__([*command, GATEWIRE, "--config", self.config_path], folder, clean_environment(env))
        self.wait_line(r"^Try it:")
        self.scheme, self.host, port = self.wait_line(r"^  API +(https?)://(.+):(\d+)/v1").groups()
        self.port = int(port)
        self.url = f"{self.scheme}://{self.host}:{self.port}"
        self.metrics_url = self._url_of("metrics")
        self.admin_url = self._url_of("admin")

    def _url_of(self, name):
        found = re.search(rf"^  {name} +(http://[^/\s]+)", self.output(), re.MULTILINE)
        return found.group(1) if found else None


def metrics_text(gateway):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(gateway.metrics_url + "/metrics") as page:
        return page.read().decode()


def metric(gateway, name):
    """The metric's value, summed over its labels; there must be one."""
    found = re.findall(rf"^{name}(?:{{[^}}]*}})? ([\d.]+)$", metrics_text(gateway), re.MULTILINE)
    assert found, name
    return sum(float(value) for value in found)


def wait_until(condition, timeout=20 * SLOWNESS, what="the condition never came true"):
    """Polls state that a server shows; the condition decides, not the clock."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.02)


class RawConnection:
    """A TCP connection on which a test sends what it likes."""

    def __init__(self, server, timeout=20 * SLOWNESS):
        self.socket = socket.create_connection((server.host, server.port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends all; False when the peer has closed its end already."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def end_sending(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def read_all(self):
        """Everything up to the end of the connection; fails by timeout when the peer leaves it open."""
        parts = []
        while True:
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not part:
                break
            parts.append(part)
        return b"".join(parts)

    def read_until(self, mark):
        """Everything up to and with `mark`, and what came with it."""
        data = b""
        while mark not in data:
            part = self.socket.recv(65536)
            if not part:
                raise AssertionError(f"the connection ended before {mark!r}: {data!r}")
            data += part
        return data

    def read_response(self, data=b""):
        """One response with a content-length or chunks: (status, fields, body, what came behind it)."""
        while b"\r\n\r\n" not in data:
            part = self.socket.recv(65536)
            if not part:
                raise AssertionError(f"the connection ended in a head: {data!r}")
            data += part
        head, _, rest = data.partition(b"\r\n\r\n")
        status, fields = parse_head(head)
        if fields.get("transfer-encoding") == "chunked":
            body, rest = self._read_chunks(rest)
        else:
            length = int(fields.get("content-length", 0))
            rest = self._fill(rest, length)
            body, rest = rest[:length], rest[length:]
        return status, fields, body, rest

    def _fill(self, data, size):
        while len(data) < size:
            part = self.socket.recv(65536)
            if not part:
                raise AssertionError(f"the connection ended in a body: {data!r}")
            data += part
        return data

    def _read_chunks(self, data):
        body = b""
        while True:
            while b"\r\n" not in data:
                data = self._fill(data, len(data) + 1)
            line, _, data = data.partition(b"\r\n")
            size = int(line.split(b";")[0], 16)
            data = self._fill(data, size + 2)
            assert data[size:size + 2] == b"\r\n", data[:size + 10]
            body, data = body + data[:size], data[size + 2:]
            if size == 0:
                return body, data


def parse_head(head):
    """Status and fields (names in lower case) of a response's head."""
    lines = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", lines[0])
    assert match, f"not a status line: {lines[0]!r}"
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        assert colon and name.lower() not in fields, f"a bad or repeated field: {line!r}"
        fields[name.lower()] = value.strip()
    return int(match.group(1)), fields


class RawUpstream:
    """A provider of which a test chooses every byte: each request is answered with `answer`, as it is.

    With `closes` the connection ends behind the answer. `requests` holds what came, head and body.
    """

    def __init__(self):
        self.answer = b""
        self.closes = False
        self.requests = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self.url = f"http://{self.host}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            data = b""
            while True:
                request, data = self._read_request(connection, data)
                if request is None:
                    return
                self.requests.append(request)
                try:
                    connection.sendall(self.answer)
                except OSError:
                    return
                if self.closes:
                    return

    @staticmethod
    def _read_request(connection, data):
        """The next request with a content-length, and what came behind it; None at the end."""
        try:
            while b"\r\n\r\n" not in data:
                part = connection.recv(65536)
                if not part:
                    return None, b""
                data += part
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"(?im)^content-length: *(\d+)", head)
            size = int(length.group(1)) if length else 0
            while len(body) < size:
                part = connection.recv(65536)
                if not part:
                    return None, b""
                body += part
            return head + b"\r\n\r\n" + body[:size], body[size:]
        except OSError:
            return None, b""

    def stop(self):
        # shutdown() wakes the thread in accept(); close() alone does not.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
