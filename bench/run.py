#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares gatewire with nginx and HAProxy on this machine. docs/benchmarks.md explains the scenarios.

  bench/run.py                          all scenarios, 3 rounds
  bench/run.py a c1000 --rounds 5       some of them
  bench/run.py a --proxies nginx,gatewire

Every round measures the mock alone and then each proxy in turn, so that what else the machine does
meets all of them; medians over the rounds are reported. Exits with 1 when a run had an error.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent

# What clients send everywhere: gatewire checks the key, the others pass it by.
HEADERS = ["authorization: Bearer sk-bench"]

# An answer text of this size makes a body of 1 KB.
PLAIN_TEXT_BYTES = 445

# Of scenario r; their limits are looked at for each request and never reached.
DEPLOYMENTS = 100
DEPLOYMENT = """\
  - model_name: gpt-4.1-nano
    litellm_params:
      model: openai/gpt-4.1-nano-2025-04-14-{number:03}
      api_base: http://127.0.0.1:{port}/v1
      api_key: sk-upstream-{number:03}
      rpm: 100000000
      tpm: 1000000000
      max_parallel_requests: 10000
"""

START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 5


class NotAvailable(Exception):
    """A proxy that cannot be measured here; the text says why."""


# ---------------------------------------------------------------- scenarios


class Scenario:
    """One row of the comparison: how the mock answers, how loadgen asks, what is reported."""

    def __init__(self, name, title, kind, mock, load, listen="h1", unit="request", baseline="nginx"):
        self.name = name
        self.title = title
        self.kind = kind  # plain, stream, memory, start
        self.mock = mock
        self.load = load
        self.listen = listen  # h1, tls, h2
        self.unit = unit
        self.baseline = baseline  # what the others are divided by


def stream_scenario(name, title, streams, *, chunks, tps, ramp_ms, listen="h1", connections=None):
    """Streams that last chunks / tps seconds, all of them open at the same time in the middle."""
    lasts_ms = chunks * 1000 // tps
    load = {
        "mode": "stream",
        "connections": connections or streams,
        "streams": streams // (connections or streams),
        "expect-chunks": chunks,
        "ramp-ms": ramp_ms,
        "settle-ms": 500,
        "steady-ms": max(lasts_ms - ramp_ms - 1500, 500),
        "timeout-ms": lasts_ms + 30000,
        "deadline-ms": lasts_ms + ramp_ms + 45000,
    }
    mock = {"chunks": chunks, "tps": tps, "stamp": 1}
    return Scenario(name, title, "stream", mock, load, listen, "chunk")


def make_scenarios(most_streams):
    """All scenarios by name, in the order they run. |most_streams| is what the file limit allows."""
    plain_mock = {"size": PLAIN_TEXT_BYTES}
    plain_load = {"mode": "plain", "connections": 64, "body-bytes": 1300}
    h2_load = {**plain_load, "connections": 8, "streams": 8}
    held = min(10000, most_streams)
    scenarios = [
        Scenario("a", "chat, 1.3 KB in, 1 KB out, 64 connections", "plain", plain_mock, plain_load),
        Scenario("b", "the same with TLS downstream", "plain", plain_mock, plain_load, "tls"),
        stream_scenario("c1000", "1,000 streams, 200 chunks, 20/s", 1000, chunks=200, tps=20, ramp_ms=1000),
        stream_scenario("c5000", "5,000 streams, 200 chunks, 20/s", 5000, chunks=200, tps=20, ramp_ms=2500),
        Scenario("d", "as a, HTTP/2 downstream, 8 connections x 8 streams", "plain", plain_mock, h2_load, "h2"),
        Scenario("r", f"as a: routing over {DEPLOYMENTS} deployments with limits, breakers and retries (aim: 1.03)", "plain",
                 plain_mock, plain_load, baseline="gatewire"),
        Scenario("e", "memory idle", "memory", plain_mock, {}),
        Scenario("f", "start-up to first answer", "start", plain_mock, {}),
        stream_scenario("g", f"{held:,} streams held, 2 chunks/s", held, chunks=20, tps=2, ramp_ms=4000),
    ]
    if held < 10000:
        scenarios.append(
            stream_scenario(
                "g2", "10,000 streams held over 100 HTTP/2 connections", 10000, chunks=20, tps=2,
                ramp_ms=4000, listen="h2", connections=100,
            )
        )
    return {scenario.name: scenario for scenario in scenarios}


# ---------------------------------------------------------------- processes


def free_port():
    """A TCP port nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def descendants(pid):
    """The process and all its children, from /proc."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                stat = Path("/proc", entry, "stat").read_text()
                parents[int(entry)] = int(stat.rsplit(")", 1)[1].split()[1])
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


class Process:
    """A started program; stop() ends exactly it and waits."""

    def __init__(self, argv, log, env=None):
        self.log_path = log
        with open(log, "wb") as out:
            self.popen = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, env=env, stdin=subprocess.DEVNULL)
        self.pid = self.popen.pid

    def log_tail(self):
        """The last lines it wrote, for messages."""
        return self.log_path.read_text(errors="replace")[-600:].strip()

    def stop(self):
        """Ends it: politely, then not."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


def fill_template(path, values):
    """The template's text with every @NAME@ replaced."""
    text = path.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


class Setup:
    """What all runs share: programs, directory, certificate, limits."""

    def __init__(self, args, directory):
        self.dir = directory
        build = Path(args.build)
        self.mockllm = self.find(build, "bench/mockllm", "mockllm")
        self.loadgen = self.find(build, "bench/loadgen", "loadgen")
        self.gatewire = Path(args.gatewire) if args.gatewire else self.find(build, "gatewire", "src/gatewire")
        self.files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    @staticmethod
    def find(build, *names):
        for name in names:
            if (build / name).is_file() and os.access(build / name, os.X_OK):
                return (build / name).resolve()
        return None

    def make_certificate(self):
        """A certificate of the kind public servers use today: ECDSA, P-256."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.dir / "key.pem", "-out", self.dir / "cert.pem"],
            check=True, capture_output=True,
        )
        both = (self.dir / "cert.pem").read_bytes() + (self.dir / "key.pem").read_bytes()
        (self.dir / "both.pem").write_bytes(both)

    def values(self, port, mock_port):
        """What the templates need."""
        return {
            "DIR": self.dir,
            "PORT": port,
            "MOCK_PORT": mock_port,
            "FILES": self.files,
            "CONNECTIONS": self.files * 5 // 4,
            "MAXCONN": (self.files - 60) // 2,
        }


def start_mock(setup, scenario):
    """Starts the provider; the proxies' TLS and HTTP/2 are downstream only."""
    argv = [setup.mockllm, "--port", "0"]
    for key, value in scenario.mock.items():
        argv += [f"--{key}", str(value)]
    argv += ["--tls-port", "0", "--tls-cert", setup.dir / "cert.pem", "--tls-key", setup.dir / "key.pem"]
    process = Process(argv, setup.dir / "mockllm.log")
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.popen.poll() is None:
        lines = process.log_path.read_text().splitlines()
        if len(lines) >= 2:
            process.port, process.tls_port = (int(line.rsplit(":", 1)[1]) for line in lines[:2])
            return process
        time.sleep(0.005)
    process.stop()
    sys.exit(f"mockllm does not start: {process.log_tail()}")


def command_nginx(setup, scenario, port, mock_port):
    """nginx's command line, after writing its configuration."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not os.access(program, os.X_OK):
        raise NotAvailable("nginx is not installed")
    listen = {"h1": "", "tls": "ssl", "h2": "http2"}[scenario.listen]
    buffering = "off" if scenario.kind == "stream" else "on"
    values = {**setup.values(port, mock_port), "LISTEN": listen, "BUFFERING": buffering}
    config = setup.dir / "nginx.conf"
    config.write_text(fill_template(BENCH / "nginx.conf.in", values))
    return [program, "-c", config, "-p", setup.dir, "-e", setup.dir / "nginx-error.log"], None


def command_haproxy(setup, scenario, port, mock_port):
    """HAProxy's command line, after writing its configuration."""
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    if not os.access(program, os.X_OK):
        raise NotAvailable("haproxy is not installed")
    bind = {"h1": "", "tls": f"ssl crt {setup.dir}/both.pem", "h2": "proto h2"}[scenario.listen]
    config = setup.dir / "haproxy.cfg"
    config.write_text(fill_template(BENCH / "haproxy.cfg.in", {**setup.values(port, mock_port), "BIND": bind}))
    return [program, "-db", "-f", config], None


def command_gatewire(setup, scenario, port, mock_port, template="gatewire.yaml.in", more=None):
    """gatewire's command line, after writing its configuration."""
    if setup.gatewire is None:
        raise NotAvailable("not built: build/gatewire is missing")
    tls = ""
    if scenario.listen == "tls":
        tls = f"  tls:\n    cert_file: {setup.dir}/cert.pem\n    key_file: {setup.dir}/key.pem\n"
    config = setup.dir / "gatewire.yaml"
    config.write_text(fill_template(BENCH / template, {**setup.values(port, mock_port), "TLS": tls, **(more or {})}))
    ports = {name: str(free_port()) for name in ("ADMIN_PORT", "METRICS_PORT", "GRPC_PORT")}
    return [setup.gatewire, "--config", config], {**os.environ, **ports, "PORT": str(port)}


def command_translated(setup, scenario, port, mock_port):
    """gatewire before a provider that speaks Anthropic's API, for the same OpenAI clients."""
    return command_gatewire(setup, scenario, port, mock_port, "gatewire-translated.yaml.in")


def command_routed(setup, scenario, port, mock_port):
    """gatewire with many deployments of the model: what choosing one of them costs."""
    entries = "".join(DEPLOYMENT.format(number=number, port=mock_port) for number in range(DEPLOYMENTS))
    return command_gatewire(setup, scenario, port, mock_port, "gatewire-routing.yaml.in", {"DEPLOYMENTS": entries.rstrip()})


COMMANDS = {
    "nginx": command_nginx, "haproxy": command_haproxy, "gatewire": command_gatewire, "translated": command_translated,
    "routed": command_routed,
}


def programs_for(scenario, names):
    """Those of |names| that the scenario measures: of translation the streams are of interest, of routing what it adds."""
    if scenario.name == "r":
        return [name for name in names if name in ("gatewire", "routed")]
    return [name for name in names if name != "routed" and (name != "translated" or scenario.kind == "stream")]


def ask_once(port):
    """One chat request over plain HTTP/1.1. Returns whether the answer is 200."""
    body = b'{"model":"gpt-4.1-nano","messages":[{"role":"user","content":"hi"}]}'
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: bench.local\r\n{HEADERS[0]}\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=2) as sock:
        sock.sendall(head.encode() + body)
        return sock.recv(64).startswith(b"HTTP/1.1 200")


def wait_until_up(process, port, answers):
    """Waits until the proxy accepts connections, or answers when |answers|. Returns seconds waited."""
    begin = time.monotonic()
    while time.monotonic() < begin + START_TIMEOUT_S:
        if process.popen.poll() is not None:
            break
        try:
            if answers:
                if ask_once(port):
                    return time.monotonic() - begin
            else:
                socket.create_connection(("127.0.0.1", port), timeout=2).close()
                return time.monotonic() - begin
        except OSError:
            pass
        time.sleep(0.0002)
    raise NotAvailable(f"does not come up: {process.log_tail() or 'no message'}")


def wait_for_answer(setup, scenario, port):
    """Waits until loadgen gets an answer the way the scenario asks: then all worker processes are there."""
    once = {"mode": "stream" if scenario.kind == "stream" else "plain", "connections": 1, "duration-ms": 20,
            "warmup-ms": 0, "expect-chunks": 0}
    if scenario.listen == "h2":
        once["streams"] = 1
    result = run_loadgen(setup, scenario, port, [], once)
    if result["all_calls"] == 0:
        raise NotAvailable(f"does not answer over {scenario.listen}: {result['errors_by_kind']}")


def start_proxy(setup, name, scenario, mock_port):
    """Starts a proxy. Returns its process, its port, and the seconds until it was up."""
    port = free_port()
    argv, env = COMMANDS[name](setup, scenario, port, mock_port)
    begin = time.monotonic()
    process = Process(argv, setup.dir / f"{name}.log", env)
    try:
        wait_until_up(process, port, answers=scenario.listen == "h1")
        seconds = time.monotonic() - begin
        if scenario.listen != "h1":
            wait_for_answer(setup, scenario, port)
    except NotAvailable:
        process.stop()
        raise
    return process, port, seconds


# ---------------------------------------------------------------- measuring


def run_loadgen(setup, scenario, port, pids, extra=None):
    """One run of loadgen. Returns its JSON."""
    argv = [setup.loadgen, "--port", str(port)]
    for header in HEADERS:
        argv += ["--header", header]
    for key, value in {**scenario.load, **(extra or {})}.items():
        argv += [f"--{key}", str(value)]
    argv += {"h1": [], "tls": ["--tls"], "h2": ["--http2"]}[scenario.listen]
    for pid in pids:
        argv += ["--watch-pid", str(pid)]
    timeout_s = scenario.load.get("deadline-ms", 120000) / 1000 + 30
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s)
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"loadgen failed: {done.stderr}")
    return json.loads(done.stdout)


def measure_plain(setup, scenario, port, pids, args):
    """Throughput and CPU time under full load, latency with a single connection."""
    full = run_loadgen(setup, scenario, port, pids, {"duration-ms": args.seconds * 1000, "warmup-ms": 700})
    single = {"connections": 1, "duration-ms": 1000, "warmup-ms": 200}
    if scenario.listen == "h2":
        single["streams"] = 1
    one = run_loadgen(setup, scenario, port, pids, single)
    return {
        "rps": full["rps"],
        "cpu_us": full["measured"]["cpu_ns"] / 1000 / max(full["calls"], 1),
        "p50_us": one["latency_us"]["p50"],
        "p99_us": one["latency_us"]["p99"],
        "loaded_p50_us": full["latency_us"]["p50"],
        "loaded_p99_us": full["latency_us"]["p99"],
        "errors": full["errors"] + one["errors"],
        "errors_by_kind": full["errors_by_kind"],
        "rss_bytes": current_rss(pids),
    }


def measure_stream(setup, scenario, port, pids, args):
    """CPU time per chunk, delay of single chunks, memory while all streams are open."""
    del args
    result = run_loadgen(setup, scenario, port, pids)
    steady = result["steady"] or {"chunks": 0, "cpu_ns": 0, "rss_bytes": 0}
    return {
        "rps": result["chunks"] / (result["measured"]["us"] / 1e6),
        "cpu_us": result["measured"]["cpu_ns"] / 1000 / max(result["chunks"], 1),
        "steady_cpu_us": steady["cpu_ns"] / 1000 / max(steady["chunks"], 1),
        "p50_us": result["chunk_transit_us"]["p50"],
        "p99_us": result["chunk_transit_us"]["p99"],
        "first_p50_us": result["first_chunk_us"]["p50"],
        "first_p99_us": result["first_chunk_us"]["p99"],
        "streams": result["most_open"],
        "errors": result["errors"],
        "errors_by_kind": result["errors_by_kind"],
        "rss_bytes": steady["rss_bytes"],
    }


def current_rss(pids):
    """Resident memory of the processes, in bytes."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path("/proc", str(pid), "status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1]) * 1024
    return total


def measure_memory(setup, scenario, port, pids, args):
    """Memory after one request and a moment of rest."""
    del setup, scenario, args
    ok = ask_once(port)
    time.sleep(0.3)  # nothing to wait for: this is what "idle" means
    return {"rss_bytes": current_rss(pids), "errors": 0 if ok else 1}


def measure_start(setup, name, scenario, mock):
    """Start-up time: the median of several starts."""
    times = []
    for _ in range(7):
        process, _, seconds = start_proxy(setup, name, scenario, mock.port)
        times.append(seconds)
        process.stop()
    return {"start_ms": statistics.median(times) * 1000, "errors": 0}


MEASURES = {"plain": measure_plain, "stream": measure_stream, "memory": measure_memory}


def measure(setup, name, scenario, args):
    """One run of one proxy, or of the mock alone."""
    mock = start_mock(setup, scenario)
    try:
        if name == "mock":
            port = mock.tls_port if scenario.listen == "tls" else mock.port
            if scenario.kind not in ("plain", "stream"):
                return None
            return MEASURES[scenario.kind](setup, scenario, port, [mock.pid], args)
        if scenario.kind == "start":
            return measure_start(setup, name, scenario, mock)
        process, port, _ = start_proxy(setup, name, scenario, mock.port)
        try:
            pids = descendants(process.pid)
            result = MEASURES[scenario.kind](setup, scenario, port, pids, args)
            if any(not Path("/proc", str(pid)).exists() for pid in pids):
                raise NotAvailable(f"ended during the run: {process.log_tail() or 'no message'}")
            return result
        finally:
            process.stop()
    finally:
        mock.stop()


# ---------------------------------------------------------------- reporting


def medians(runs):
    """The median of every number over the rounds; errors are summed."""
    result = {}
    for key in runs[0]:
        if key == "errors":
            result[key] = sum(run[key] for run in runs)
        elif isinstance(runs[0][key], (int, float)):
            result[key] = statistics.median(run[key] for run in runs)
    return result


def ratio_to(baseline, runs, name, key):
    """Median of the ratios within each round: what disturbs a round disturbs both."""
    pairs = zip(runs.get(name, []), runs.get(baseline, []), strict=False)
    ratios = [mine[key] / theirs[key] for mine, theirs in pairs if theirs.get(key)]
    return statistics.median(ratios) if ratios else None


def summarize(scenario, runs, problems, names):
    """One result per program, with what it adds to the mock alone and its ratio to the baseline."""
    result = {}
    base = medians(runs["mock"]) if runs.get("mock") else {}
    for name in names:
        if name in problems:
            result[name] = {"problem": problems[name]}
            continue
        if not runs.get(name):
            continue
        row = medians(runs[name])
        if base and name != "mock":
            row["added_p50_us"] = row["p50_us"] - base["p50_us"]
            row["added_p99_us"] = row["p99_us"] - base["p99_us"]
        key = {"memory": "rss_bytes", "start": "start_ms"}.get(scenario.kind, "cpu_us")
        if name != "mock":
            row[f"ratio_to_{scenario.baseline}"] = ratio_to(scenario.baseline, runs, name, key)
        result[name] = row
    return result


def number(value, digits=0):
    """A number for the table, or a dash."""
    return "-" if value is None else f"{value:,.{digits}f}"


def print_table(scenario, summary):
    """One scenario's table."""
    ratio = f"ratio_to_{scenario.baseline}"
    print(f"\n{scenario.name}: {scenario.title}")
    if scenario.kind in ("plain", "stream"):
        print(f"  {'':10} {scenario.unit + 's/s':>12} {'CPU us/' + scenario.unit:>15} {'/ ' + scenario.baseline:>10} "
              f"{'added p50 us':>13} {'added p99 us':>13} {'RSS MB':>8} {'errors':>7}")
    for name, row in summary.items():
        if "problem" in row:
            print(f"  {name:10} {row['problem']}")
        elif scenario.kind in ("plain", "stream"):
            print(f"  {name:10} {number(row['rps']):>12} {number(row['cpu_us'], 2):>15} "
                  f"{number(row.get(ratio), 3):>10} {number(row.get('added_p50_us')):>13} "
                  f"{number(row.get('added_p99_us')):>13} {number(row['rss_bytes'] / 1e6, 1):>8} {row['errors']:>7}")
        elif scenario.kind == "memory":
            print(f"  {name:10} {row['rss_bytes'] / 1e6:8.1f} MB   {number(row.get(ratio), 2)} of nginx")
        else:
            print(f"  {name:10} {row['start_ms']:8.1f} ms   {number(row.get(ratio), 2)} of nginx")
    sys.stdout.flush()


def first_line(argv):
    """The first line a program prints about itself."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return (done.stdout + done.stderr).strip().splitlines()[:1]


def describe_machine(setup):
    """What the figures were measured on."""
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory_kb = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_mb": memory_kb // 1024,
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "file_limit": setup.files,
        "nginx": first_line(["nginx", "-v"]),
        "haproxy": first_line(["haproxy", "-v"]),
        "gatewire": first_line([setup.gatewire, "--version"]) if setup.gatewire else None,
        "load_average": os.getloadavg(),
    }


def show_progress(text):
    """What runs now, for somebody who watches."""
    if sys.stderr.isatty():
        print(f"\r{text:50}\r", end="", file=sys.stderr, flush=True)


def run_rounds(setup, scenario, names, args):
    """All rounds of one scenario. Returns the runs by program, and why programs are missing."""
    runs = {}
    problems = {}
    for round_number in range(args.rounds):
        for name in ["mock", *names]:
            if name in problems:
                continue
            show_progress(f"{scenario.name}: round {round_number + 1}/{args.rounds} {name}")
            try:
                result = measure(setup, name, scenario, args)
            except NotAvailable as problem:
                problems[name] = str(problem)
                continue
            if result is not None:
                runs.setdefault(name, []).append(result)
    show_progress("")
    return runs, problems


def raise_file_limit():
    """Raises the limit of open files as far as the machine allows; children inherit it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for wanted in (1048576, hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
            return


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", help="names such as a b c1000; all without")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="measured time of plain scenarios")
    parser.add_argument("--proxies", default="nginx,haproxy,gatewire,translated,routed")
    parser.add_argument("--build", default=ROOT / "build", help="Meson build directory")
    parser.add_argument("--gatewire", help="the program to measure, when not the one in --build")
    parser.add_argument("--out", help="JSON file [BUILD/bench.json]")
    parser.add_argument("--keep", action="store_true", help="keep the directory with configurations and logs")
    return parser.parse_args()


def main():
    args = parse_args()
    raise_file_limit()
    with contextlib.ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="gatewire-bench-"))
        if args.keep:
            print(f"logs stay in {directory}", file=sys.stderr)
        else:
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
        setup = Setup(args, directory)
        if setup.mockllm is None or setup.loadgen is None:
            sys.exit(f"mockllm and loadgen are not in {args.build}: ninja -C {args.build} first")
        setup.make_certificate()
        scenarios = make_scenarios((setup.files - 100) // 2)
        unknown = [name for name in args.scenarios if name not in scenarios]
        if unknown:
            sys.exit(f"no scenario {' '.join(unknown)}; there are {' '.join(scenarios)}")
        names = [name for name in args.proxies.split(",") if name]
        report = {"machine": describe_machine(setup), "rounds": args.rounds, "scenarios": {}}
        for name in args.scenarios or scenarios:
            scenario = scenarios[name]
            programs = programs_for(scenario, names)
            runs, problems = run_rounds(setup, scenario, programs, args)
            summary = summarize(scenario, runs, problems, ["mock", *programs])
            report["scenarios"][name] = {"title": scenario.title, "summary": summary, "runs": runs}
            print_table(scenario, summary)
        out = Path(args.out) if args.out else Path(args.build) / "bench.json"
        out.write_text(json.dumps(report, indent=1) + "\n")
        print(f"\nwritten to {out}")
    errors = sum(row.get("errors", 0) for entry in report["scenarios"].values() for row in entry["summary"].values())
    sys.exit(1 if errors > 0 else 0)


if __name__ == "__main__":
    main()
