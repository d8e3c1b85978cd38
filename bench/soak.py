#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs mixed load through gatewire for a long time and watches its memory and its descriptors.

  bench/soak.py                        30 minutes; writes build/soak.csv and build/soak.svg
  bench/soak.py --minutes 2            a quick look
  bench/soak.py --svg docs/soak.svg    the graph for the documentation

The load, all at the same time: plain and streamed answers over HTTP/1 and HTTP/2, a provider on TLS, uploads and
downloads, answers compared byte for byte, requests that are errors, providers that fail in every way mockllm knows,
clients that disappear or hardly read, and a reload every few seconds (some with a broken file, which must change nothing).

Exits with 1 when
  * something that should succeed failed, or an error was not the one that was due,
  * memory grew by more than 2 % over the last two thirds of the run (the first third is warm-up),
  * descriptors are left over when the load has ended,
  * the gateway ended, or does not end properly when asked to.
"""

import argparse
import collections
import contextlib
import csv
import http.client
import json
import os
import random
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEY = "sk-soak"
CHAT = "/v1/chat/completions"
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 60
CLIENT_TIMEOUT_S = 30  # longer than every limit of the gateway below: who waits that long was forgotten
SETTLE_TIMEOUT_S = 60  # for the last connections to go, above all those kept for reuse
KEPT_FAILURES = 50

# Faults of the provider before the first byte of an answer, and what the client must be told.
PLAIN_FAULTS = {
    "mock-fault=reset": {502},
    "mock-fault=garbage": {502},
    "mock-fault=two-lengths": {502},
    "mock-fault=stall": {504},
    "mock-status=400": {400},
    "mock-status=429-retry_after=1": {429},
    "mock-status=500": {500},
    "mock-status=503": {503},
    "refused": {502},
}
# Faults in the middle of a stream: 200, and an event that says what happened.
STREAM_FAULTS = [
    "mock-fault=reset-after-chunks-after=5",
    "mock-fault=half-chunk",
    "mock-fault=half-chunk-then=reset",
    "mock-fault=close-early-after=3",
    "mock-fault=stall-mid",
    "mock-fault=error-mid-stream",
    "mock-fault=bad-chunk",
]


def chat_body(model, stream=False, text="Hello"):
    return json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": text}]})


def raw_request(head, body=b""):
    return head.replace("\n", "\r\n").encode() + body


# Bytes of bad requests and the status that is due. Behind each the gateway may close the connection.
BAD_REQUESTS = [
    (raw_request("GARBAGE\n\n"), 400),
    (raw_request(f"POST {CHAT} HTTP/1.1\nhost: x\ncontent-length: 5\ntransfer-encoding: chunked\n\n0\n\n"), 400),
    (raw_request(f"POST {CHAT} HTTP/1.1\nhost: x\ncontent-length: 1\ncontent-length: 2\n\n{{}}"), 400),
    (raw_request("GET / HTTP/1.1\nhost: x\nx-long: " + "a" * 70000 + "\n\n"), 431),
    (raw_request(f"POST {CHAT} HTTP/1.1\nhost: x\ncontent-length: 2\n\n{{}}"), 401),
    (raw_request(f"POST {CHAT} HTTP/1.1\nhost: x\nauthorization: Bearer {KEY}\ncontent-length: 5\n\n{{\"a\":"), 400),
    (raw_request(f"POST {CHAT} HTTP/1.1\nhost: x\nauthorization: Bearer {KEY}\ncontent-length: 2\n\n{{}}"), 400),
    (raw_request(f"POST {CHAT} HTTP/1.1\nhost: x\nauthorization: Bearer {KEY}\ncontent-length: 999999999\n\n"), 413),
    (raw_request(f"GET {CHAT}x HTTP/1.1\nhost: x\nauthorization: Bearer {KEY}\n\n"), 404),
    (raw_request(f"PUT /v1/embeddings HTTP/1.1\nhost: x\nauthorization: Bearer {KEY}\ncontent-length: 0\n\n"), 405),
]


# ---------------------------------------------------------------- programs


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def clean_environment():
    """Without what would configure a gateway: keys, ports, proxies."""
    setting = re.compile(r"API_KEY|_PORT$|^PORT$|^HOST$|WORKERS$|_proxy$|_PROXY$|^(GATEWIRE|LITELLM|SERVER)_")
    return {name: value for name, value in os.environ.items() if not setting.search(name)}


class Program:
    """A program that is ended by its own process id; its output goes to a file."""

    def __init__(self, command, folder, name):
        self.log = Path(folder) / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], cwd=folder, env=clean_environment(), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
            )

    def wait_text(self, pattern):
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(pattern, self.log.read_text(errors="replace"))
            if found:
                return found
            time.sleep(0.01)
        raise RuntimeError(f"did not start:\n{self.log.read_text(errors='replace')}")

    def stop(self):
        """Asks it to end; its exit code, or None when it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


def make_certificate(folder):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
               "2", "-keyout", "mock.key", "-out", "mock.crt", "-subj", "/CN=soak", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


class Bench:
    """The mock, the gateway, and what the threads of the load share."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = Path(folder)
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.failures = []
        self.config_path = self.folder / "gatewire.yaml"
        build = Path(options.build).resolve()
        self.loadgen = build / "bench" / "loadgen"
        make_certificate(folder)
        self.mock = Program([build / "bench" / "mockllm", "--port", "0", "--tls-port", "0", "--tls-cert", "mock.crt",
                             "--tls-key", "mock.key"], folder, "mock")
        self.mock_port = int(self.mock.wait_text(r"listening on [\d.]+:(\d+)").group(1))
        self.mock_tls_port = int(self.mock.wait_text(r"listening with TLS on [\d.]+:(\d+)").group(1))
        self.dead_port = free_port()
        self.write_config(0)
        self.gateway = Program([build / "gatewire", "--config", self.config_path], folder, "gatewire")
        banner = self.gateway.wait_text(r"API +http://127\.0\.0\.1:(\d+)[\s\S]*admin +http://127\.0\.0\.1:(\d+)[\s\S]*Try it:")
        self.port, self.admin_port = int(banner.group(1)), int(banner.group(2))

    def write_config(self, variant, broken=False):
        """Reloads change the number of models and a limit, so that a new snapshot really differs."""
        def entry(name, base, **extra):
            return {"model_name": name, "litellm_params": {
                "model": "openai/*" if name == "*" else f"openai/{name}", "api_base": base, "api_key": "sk-up", **extra}}

        plain = f"http://127.0.0.1:{self.mock_port}/v1"
        models = [
            entry("*", plain),
            entry("over-tls", f"https://127.0.0.1:{self.mock_tls_port}/v1", model="openai/mock-latency=10-size=445",
                  ca_file=str(self.folder / "mock.crt")),
            entry("refused", f"http://127.0.0.1:{self.dead_port}/v1"),
            *(entry(f"extra-{number}", plain) for number in range(variant % 7)),
        ]
        config = {
            "server": {"host": "127.0.0.1", "port": 0, "admin_port": 0, "metrics_port": "off",
                       "workers": self.options.workers, "max_header_size": "64k", "idle_timeout": f"{20 + variant % 3}s"},
            "upstream": {"connect_timeout": "2s", "first_byte_timeout": "2s", "idle_timeout": "2s", "keepalive_idle": "5s"},
            "general_settings": {"master_key": KEY},
            "logging": {"access_log": str(self.folder / "access.log")},
            "model_list": models,
        }
        if broken:
            config["server"]["port"] = "many"
        fresh = self.folder / "fresh.yaml"
        fresh.write_text(json.dumps(config, indent=1))
        fresh.replace(self.config_path)

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    def fail(self, what):
        with self.lock:
            self.counts["failures"] += 1
            if len(self.failures) < KEPT_FAILURES:
                self.failures.append(f"{time.strftime('%H:%M:%S')} {what}")

    def admin(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=CLIENT_TIMEOUT_S)
        try:
            connection.request(method, path, headers={"authorization": f"Bearer {KEY}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def status(self):
        return json.loads(self.admin("GET", "/api/v1/status")[1])

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=CLIENT_TIMEOUT_S)

    def pause(self, seconds):
        self.stopping.wait(seconds)


# ---------------------------------------------------------------- the load; each function is one thread


def run_loadgen(bench, name, arguments):
    command = [bench.loadgen, "--port", str(bench.port), "--header", f"authorization: Bearer {KEY}", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report = json.loads(result.stdout)
    except ValueError:
        bench.fail(f"loadgen {name}: {result.stdout} {result.stderr}")
        return
    bench.count(name, report["all_calls"])
    if report["errors"] > 0:
        bench.fail(f"loadgen {name}: {report['errors']} errors {report['errors_by_kind']}")


def plain_load(bench):
    while not bench.stopping.is_set():
        run_loadgen(bench, "plain", ["--connections", 16, "--model", "mock-latency=10-size=445", "--duration-ms", 8000])


def tls_load(bench):
    """A provider on TLS, clients on HTTP/2."""
    while not bench.stopping.is_set():
        run_loadgen(bench, "plain, h2, provider on TLS", [
            "--http2", "--connections", 2, "--streams", 8, "--model", "over-tls", "--duration-ms", 8000])


def stream_load(bench):
    while not bench.stopping.is_set():
        run_loadgen(bench, "streams", [
            "--mode", "stream", "--connections", bench.options.streams, "--ramp-ms", 1000, "--model",
            "mock-chunks=100-tps=20", "--expect-chunks", 100, "--steady-ms", 1000])


def burst_load(bench):
    """As fast as it goes, for a moment."""
    while not bench.stopping.is_set():
        run_loadgen(bench, "bursts", ["--connections", 64, "--model", "mock-size=445", "--duration-ms", 1000])
        bench.pause(15)


def ask(connection, body, headers=None, path=CHAT, method="POST"):
    fields = {"authorization": f"Bearer {KEY}", "content-type": "application/json", **(headers or {})}
    connection.request(method, path, body, fields)
    answer = connection.getresponse()
    return answer.status, answer.read()


def streamed_text(content):
    text = ""
    for line in content.decode().split("\n"):
        if line.startswith("data: {"):
            for choice in json.loads(line[6:]).get("choices", []):
                text += choice["delta"].get("content") or ""
    return text


def exact_load(bench):
    """Everybody gets his own words back, whatever else happens on the other connections."""
    rng = random.Random(1)
    while not bench.stopping.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", bench.port, timeout=CLIENT_TIMEOUT_S)
        with contextlib.closing(connection):
            for _ in range(rng.randrange(1, 40)):
                text = f"{rng.random()} " * rng.randrange(1, 400)
                stream = rng.random() < 0.5
                status, content = ask(connection, chat_body("mock-echo=1-chunks=30", stream, text))
                answer = ""
                if status == 200:
                    answer = streamed_text(content) if stream else json.loads(content)["choices"][0]["message"]["content"]
                if answer != text:
                    bench.fail(f"exact: status {status}, stream {stream}: not the text that was sent: {content[:200]}")
                bench.count("exact")
                bench.pause(0.01)


def form_with_file(content):
    mark = "soak-form-boundary"
    body = (f"--{mark}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n").encode() + content
    body += f"\r\n--{mark}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nuser_data\r\n--{mark}--\r\n".encode()
    return body, {"content-type": f"multipart/form-data; boundary={mark}"}


def file_load(bench):
    rng = random.Random(2)
    while not bench.stopping.is_set():
        content = rng.randbytes(rng.randrange(1, 2_000_000))
        body, headers = form_with_file(content)
        connection = http.client.HTTPConnection("127.0.0.1", bench.port, timeout=CLIENT_TIMEOUT_S)
        with contextlib.closing(connection):
            status, answer = ask(connection, body, headers, "/v1/files")
            if status != 200:
                bench.fail(f"upload: {status} {answer[:200]}")
                continue
            name = json.loads(answer)["id"]
            status, answer = ask(connection, None, path=f"/v1/files/{name}/content", method="GET")
            if status != 200 or answer != content:
                bench.fail(f"download: {status}, {len(answer)} bytes of {len(content)}")
            ask(connection, None, path=f"/v1/files/{name}", method="DELETE")
            bench.count("files")
        bench.pause(0.3)


def read_status(connection):
    data = b""
    while b"\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return 0
        data += part
    return int(data[9:12])


def bad_load(bench):
    while not bench.stopping.is_set():
        for data, wanted in BAD_REQUESTS:
            with bench.connect() as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
                status = read_status(connection)
                if status != wanted:
                    bench.fail(f"bad request {data[:60]!r}: {status} instead of {wanted}")
                bench.count("bad requests")
            bench.pause(0.05)


def fault_load(bench):
    while not bench.stopping.is_set():
        for model, wanted in PLAIN_FAULTS.items():
            connection = http.client.HTTPConnection("127.0.0.1", bench.port, timeout=CLIENT_TIMEOUT_S)
            with contextlib.closing(connection):
                status, content = ask(connection, chat_body(model))
                if status not in wanted or "error" not in json.loads(content):
                    bench.fail(f"fault {model}: {status} {content[:200]}")
                bench.count("faults")
        bench.pause(0.1)


def stream_fault_load(bench):
    while not bench.stopping.is_set():
        for model in STREAM_FAULTS:
            connection = http.client.HTTPConnection("127.0.0.1", bench.port, timeout=CLIENT_TIMEOUT_S)
            with contextlib.closing(connection):
                status, content = ask(connection, chat_body(model, stream=True))
                if status != 200 or b'"error"' not in content:
                    bench.fail(f"fault in a stream {model}: {status} {content[-300:]}")
                bench.count("faults in streams")
        bench.pause(0.1)


def leave(connection, rng):
    if rng.random() < 0.5:  # by a reset instead of an orderly end
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def disconnect_load(bench):
    """Clients that go: at once, within a head, within a body, before the answer, within the answer."""
    rng = random.Random(3)
    body = chat_body("mock-chunks=1000-tps=100", stream=True)
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
    upload, fields = form_with_file(bytes(1_000_000))
    upload_head = (f"POST /v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: "
                   f"{fields['content-type']}\r\ncontent-length: {len(upload)}\r\n\r\n")
    cuts = [b"", head[:20].encode(), (head + body[:30]).encode(), (head + body).encode(),
            upload_head.encode() + upload[:300_000]]
    while not bench.stopping.is_set():
        connection = bench.connect()
        choice = rng.randrange(len(cuts) + 1)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(cuts[min(choice, len(cuts) - 1)] if choice < len(cuts) else cuts[3])
            if choice == len(cuts):
                for _ in range(rng.randrange(1, 20)):
                    connection.recv(4096)
        leave(connection, rng)
        bench.count("disconnects")
        bench.pause(0.02)


def slow_reader_load(bench):
    """A client that takes 4 KB now and then of an answer of 8 MB, and gives up in the end."""
    body = chat_body("mock-chunks=2000-size=8000000", stream=True)
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
    while not bench.stopping.is_set():
        connection = socket.socket()
        with connection, contextlib.suppress(ConnectionResetError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            connection.settimeout(CLIENT_TIMEOUT_S)
            connection.connect(("127.0.0.1", bench.port))
            connection.sendall((head + body).encode())
            for _ in range(20):
                connection.recv(4096)
                bench.pause(0.05)
            bench.count("slow readers")


def reload_load(bench):
    """The file changes and a reload is asked for; every fifth one is broken, and refused as a whole."""
    variant = 0
    while not bench.stopping.is_set():
        bench.pause(bench.options.reload)
        variant += 1
        broken = variant % 5 == 0
        bench.write_config(variant, broken)
        status, content = bench.admin("POST", "/api/v1/reload")
        if status != (422 if broken else 200):
            bench.fail(f"reload: {status} {content[:300]}")
        bench.count("reloads refused" if broken else "reloads")


def rotate_load(bench):
    """The access log is moved away and opened anew, as logrotate does."""
    while not bench.stopping.is_set():
        bench.pause(20)
        with contextlib.suppress(FileNotFoundError):  # not yet opened again since the last time
            (bench.folder / "access.log").unlink()
            bench.gateway.process.send_signal(signal.SIGUSR1)
            bench.count("log rotations")


LOADS = [plain_load, tls_load, stream_load, burst_load, exact_load, file_load, bad_load, fault_load, stream_fault_load,
         disconnect_load, slow_reader_load, reload_load, rotate_load]


def guarded(bench, load):
    while not bench.stopping.is_set():
        try:
            load(bench)
        except Exception:
            bench.fail(f"{load.__name__}: {traceback.format_exc(limit=3)}")
            bench.pause(1)


# ---------------------------------------------------------------- watching


class Sample:
    def __init__(self, seconds, rss_kib, descriptors, status):
        self.seconds = seconds
        self.rss_kib = rss_kib
        self.descriptors = descriptors
        self.in_flight = status["requests_in_flight"]
        self.connections = status["downstream_connections"]
        self.reloads = status["reloads"]

    def row(self):
        return [round(self.seconds, 1), self.rss_kib, self.descriptors, self.in_flight, self.connections, self.reloads]


def rss_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def watch(bench, csv_path):
    pid = bench.gateway.process.pid
    begun = time.monotonic()
    samples = []
    with Path(csv_path).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seconds", "rss_kib", "descriptors", "requests_in_flight", "connections", "reloads"])
        while time.monotonic() - begun < bench.options.minutes * 60:
            time.sleep(bench.options.sample)
            if bench.gateway.process.poll() is not None:
                bench.fail(f"the gateway ended with {bench.gateway.process.returncode}")
                break
            try:
                samples.append(Sample(time.monotonic() - begun, rss_kib(pid), descriptors(pid), bench.status()))
            except (OSError, ValueError, http.client.HTTPException) as error:
                bench.fail(f"the admin page did not answer: {error!r}")
                continue
            writer.writerow(samples[-1].row())
            file.flush()
            if len(samples) % 12 == 0:
                last = samples[-1]
                print(f"{last.seconds:6.0f} s  RSS {last.rss_kib / 1024:6.1f} MB  descriptors {last.descriptors:4d}  "
                      f"failures {bench.counts['failures']}", flush=True)
    return samples


def wait_descriptors(bench, wanted):
    """How many descriptors are left when all that the load used is gone."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    left = descriptors(bench.gateway.process.pid)
    while left > wanted and time.monotonic() < deadline:
        time.sleep(0.2)
        left = descriptors(bench.gateway.process.pid)
    return left


def growth_pct(samples, minutes):
    """Between the first and the last fifth of what follows the warm-up; medians, so that one burst decides nothing."""
    rest = [sample.rss_kib for sample in samples if sample.seconds > minutes * 60 / 3]
    fifth = max(1, len(rest) // 5)
    first, last = statistics.median(rest[:fifth]), statistics.median(rest[-fifth:])
    return 100 * (last - first) / first


# ---------------------------------------------------------------- the graph


class Panel:
    """One diagram: a line per series over minutes."""

    LEFT, RIGHT, WIDTH, HEIGHT = 70, 20, 860, 180

    def __init__(self, title, unit, series):
        self.title = title
        self.unit = unit
        self.series = series  # (name, colour, [(minutes, value)])
        self.top_value = 1.15 * max(value for _, _, points in series for _, value in points) or 1
        self.end = max(minutes for _, _, points in series for minutes, _ in points)

    def _x(self, minutes):
        return self.LEFT + minutes / self.end * (self.WIDTH - self.LEFT - self.RIGHT)

    def _y(self, value, top):
        return top + self.HEIGHT - value / self.top_value * self.HEIGHT

    def draw(self, top, warm_up):
        parts = [f'<text x="{self.LEFT}" y="{top - 8}" class="title">{self.title}</text>',
                 f'<rect x="{self.LEFT}" y="{top}" width="{self._x(warm_up) - self.LEFT:.1f}" height="{self.HEIGHT}" '
                 'class="warm"/>']
        for step in range(5):
            value = self.top_value * step / 4
            y = self._y(value, top)
            parts.append(f'<line x1="{self.LEFT}" y1="{y:.1f}" x2="{self.WIDTH - self.RIGHT}" y2="{y:.1f}" class="grid"/>')
            parts.append(f'<text x="{self.LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.{self.unit}f}</text>')
        for step in range(7):
            minutes = self.end * step / 6
            parts.append(f'<text x="{self._x(minutes):.1f}" y="{top + self.HEIGHT + 16}" text-anchor="middle">'
                         f'{minutes:.1f} min</text>')
        for number, (name, colour, points) in enumerate(self.series):
            path = " ".join(f"{self._x(minutes):.1f},{self._y(value, top):.1f}" for minutes, value in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            parts.append(f'<text x="{self.WIDTH - self.RIGHT - 130 * (len(self.series) - number)}" y="{top - 8}" '
                         f'fill="{colour}">{name}</text>')
        return parts


def write_svg(path, samples, minutes, caption):
    def points(read):
        return [(sample.seconds / 60, read(sample)) for sample in samples]

    panels = [
        Panel("Resident memory, MB (shaded: warm-up)", 1, [("RSS", "#0b6e4f", points(lambda s: s.rss_kib / 1024))]),
        Panel("Descriptors and requests", 0, [
            ("descriptors", "#1f4e9c", points(lambda s: s.descriptors)),
            ("in flight", "#b3541e", points(lambda s: s.in_flight))]),
    ]
    height = len(panels) * (Panel.HEIGHT + 60) + 30
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Panel.WIDTH} {height}" font-family="sans-serif" '
             'font-size="11"><style>.grid{stroke:#ddd}.warm{fill:#f3f0e6}.title{font-size:13px;font-weight:bold}</style>',
             f'<rect width="{Panel.WIDTH}" height="{height}" fill="#fff"/>']
    for number, panel in enumerate(panels):
        parts.extend(panel.draw(30 + number * (Panel.HEIGHT + 60), minutes / 3))
    parts.append(f'<text x="{Panel.LEFT}" y="{height - 10}">{caption}</text></svg>')
    Path(path).write_text("\n".join(parts) + "\n")


# ---------------------------------------------------------------- main


def soak(bench, csv_path):
    """The run itself: samples, the descriptors before and after, the exit code of the gateway."""
    before = descriptors(bench.gateway.process.pid)
    threads = [threading.Thread(target=guarded, args=(bench, load), daemon=True) for load in LOADS]
    for thread in threads:
        thread.start()
    try:
        samples = watch(bench, csv_path)
    finally:
        bench.stopping.set()
        for thread in threads:
            thread.join(2 * CLIENT_TIMEOUT_S)
    after, code = 0, bench.gateway.process.poll()
    if code is None:
        after = wait_descriptors(bench, before)
        code = bench.gateway.stop()
    return samples, before, after, code


def judge(bench, samples, before, after, code):
    """Prints the result; whether it is good."""
    for what, number in sorted(bench.counts.items()):
        print(f"  {number:10d}  {what}")
    for failure in bench.failures:
        print(f"FAILURE {failure}")
    growth = growth_pct(samples, bench.options.minutes) if len(samples) >= 15 else None
    good = bench.counts["failures"] == 0
    if growth is None:
        print("memory: too few samples to say anything")
    else:
        print(f"memory: {growth:+.2f} % over the last two thirds (limit {bench.options.growth} %)")
        good = good and growth <= bench.options.growth
    print(f"descriptors: {before} before the load, {after} after it")
    print(f"gateway: exit code {code}")
    good = good and after <= before and code == 0
    print("soak: passed" if good else "soak: FAILED")
    return good, growth


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=ROOT / "build", help="build directory [build]")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--sample", type=float, default=5, help="seconds between two samples [5]")
    parser.add_argument("--reload", type=float, default=5, help="seconds between two reloads [5]")
    parser.add_argument("--streams", type=int, default=100, help="streams at a time [100]")
    parser.add_argument("--workers", type=int, default=1, help="worker threads of the gateway [1]")
    parser.add_argument("--growth", type=float, default=2, help="most growth of memory in %% [2]")
    parser.add_argument("--csv", help="[soak.csv in the build directory]")
    parser.add_argument("--svg", help="[soak.svg in the build directory]")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and configuration")
    options = parser.parse_args()
    csv_path = options.csv or Path(options.build) / "soak.csv"
    svg_path = options.svg or Path(options.build) / "soak.svg"
    folder = tempfile.mkdtemp(prefix="gatewire-soak-")
    bench = Bench(options, folder)
    try:
        result = soak(bench, csv_path)
    finally:
        bench.gateway.stop()
        bench.mock.stop()
    good, growth = judge(bench, *result)
    samples = result[0]
    if samples:
        requests = sum(number for what, number in bench.counts.items() if not what.startswith(("failures", "reloads", "log")))
        grown = "" if growth is None else f", memory {growth:+.2f} % after warm-up"
        write_svg(svg_path, samples, options.minutes,
                  f"{options.minutes:g} minutes, {requests:,} requests, {bench.counts['reloads']} reloads, "
                  f"{bench.counts['failures']} failures{grown}")
        print(f"written: {csv_path}, {svg_path}")
    if good and not options.keep:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    else:
        print(f"logs: {folder}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
