# SPDX-License-Identifier: MIT
"""Health, metrics, access log, reload, hand-over, drain: under load where that is what matters."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time

import httpx
import pytest
from servers import GATEWIRE, SLOWNESS, clean_environment, deployment, get_json, metric, wait_until

MODEL = "mock-small"
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}


def ask(gateway, client=httpx, **extra):
    return client.post(gateway.url + "/v1/chat/completions", json={**BODY, **extra}, timeout=30 * SLOWNESS)


class Load:
    """Clients that ask without pause, on kept connections, and count what goes wrong."""

    def __init__(self, gateway, clients=4, stream=False):
        self.url = gateway.url + "/v1/chat/completions"
        self.failures = []
        self.count = 0
        self._stream = stream
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _once(self, client):
        answer = client.post(self.url, json={**BODY, "stream": self._stream})
        if answer.status_code != 200:
            return f"{answer.status_code} {answer.text}"
        if self._stream and not answer.text.endswith("data: [DONE]\n\n"):
            return "cut stream"
        return None

    def _run(self):
        with httpx.Client(timeout=30 * SLOWNESS, trust_env=False) as client:
            while not self._stop.is_set():
                try:
                    failure = self._once(client)
                except httpx.HTTPError as error:
                    failure = repr(error)
                with self._lock:
                    self.count += 1
                    if failure:
                        self.failures.append(failure)

    def wait_count(self, count):
        wait_until(lambda: self.count >= count)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.failures


class TestPages:
    def test_health(self, gateway):
        assert get_json(gateway.url + "/")["name"] == "gatewire"
        assert get_json(gateway.url + "/health")["status"] == "ok"
        assert get_json(gateway.url + "/ready") == {"status": "ready"}
        assert get_json(gateway.url + "/live") == {"status": "ok"}
        assert get_json(gateway.url + "/healthz") == {"status": "ok"}
        assert get_json(gateway.metrics_url + "/healthz") == {"status": "ok"}
        assert get_json(gateway.admin_url + "/api/v1/status")["workers"] >= 1

    def test_metrics_count(self, gateway):
        before = metric(gateway, "gatewire_requests_total")
        tokens = metric(gateway, "gatewire_output_tokens_total")
        assert ask(gateway).status_code == 200
        assert ask(gateway, stream=True).status_code == 200
        assert metric(gateway, "gatewire_requests_total") == before + 2
        assert metric(gateway, "gatewire_output_tokens_total") > tokens
        assert metric(gateway, "gatewire_requests_in_flight") == 0

    def test_metrics_are_well_formed(self, gateway):
        page = httpx.get(gateway.metrics_url + "/metrics", trust_env=False)
        assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
        line = re.compile(r'^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [\d.]+$')
        for text in page.text.splitlines():
            assert text.startswith(("# HELP ", "# TYPE ")) or line.match(text), text

    def test_access_log_line(self, gateway):
        answer = ask(gateway, stream=True)
        request_id = answer.headers["x-request-id"]
        line = json.loads(gateway.wait_line(rf'^(\{{.*"request_id":"{request_id}".*\}})$').group(1))
        assert line["status"] == 200
        assert line["model"] == MODEL
        assert line["stream"] is True
        assert line["input_tokens"] > 0
        assert line["output_tokens"] > 0
        assert line["finish_reason"] == "stop"
        assert "sk-mock" not in json.dumps(line)

    def test_tokens_are_estimated_where_none_are_reported(self, gateway):
        answer = httpx.post(gateway.url + "/v1/chat/completions", json={**BODY, "stream": True}, trust_env=False,
                            headers={"x-mock-usage": "0"}, timeout=30)
        request_id = answer.headers["x-request-id"]
        line = json.loads(gateway.wait_line(rf'^(\{{.*"request_id":"{request_id}".*\}})$').group(1))
        assert line["usage_estimated"] is True
        assert line["output_tokens"] > 0


class TestCommands:
    def run(self, *args, cwd=None):
        return subprocess.run([GATEWIRE, *args], capture_output=True, text=True, cwd=cwd, timeout=30 * SLOWNESS,
                              env=clean_environment())

    def test_version_and_help(self):
        assert self.run("--version").stdout.startswith("gatewire ")
        assert "Usage:" in self.run("--help").stdout
        assert self.run("frobnicate").returncode == 2

    def test_schema_is_json(self):
        schema = json.loads(self.run("schema").stdout)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"

    def test_check(self, tmp_path):
        good = tmp_path / "good.yaml"
        good.write_text("model_list:\n- model_name: a\n  litellm_params: {model: openai/a, api_key: k}\n")
        assert self.run("check", str(good)).returncode == 0
        bad = tmp_path / "bad.yaml"
        bad.write_text("server:\n  port: many\nmodel_list:\n- model_name: 5\n")
        result = self.run("check", str(bad))
        assert result.returncode == 1
        assert "bad.yaml:2" in result.stdout
        assert "bad.yaml:4" in result.stdout

    def test_port_in_use_is_told(self, gateway, tmp_path):
        config = tmp_path / "c.yaml"
        config.write_text(f"server: {{port: {gateway.port}, host: 127.0.0.1, admin_port: 0, metrics_port: 0}}\n")
        result = self.run("--config", str(config))
        assert result.returncode == 1
        assert str(gateway.port) in result.stderr
        assert "another process listens there" in result.stderr


class TestReload:
    def write(self, gateway, config):
        """As a careful editor does: a new file takes the place of the old one."""
        ports = json.loads(gateway.config_path.read_text())["server"]
        fresh = gateway.config_path.with_suffix(".new")
        fresh.write_text(json.dumps({**config, "server": ports}, indent=1))
        os.replace(fresh, gateway.config_path)

    def reload(self, gateway):
        return httpx.post(gateway.admin_url + "/api/v1/reload", trust_env=False, timeout=30)

    def test_new_models_appear(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, "first")]})
        self.write(gateway, {"model_list": [deployment(mock, "second")]})
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_line("configuration taken over")
        names = {model["id"] for model in get_json(gateway.url + "/v1/models")["data"]}
        assert "second" in names
        assert "first" not in names

    def test_file_change_is_noticed(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, "first")]})
        self.write(gateway, {"model_list": [deployment(mock, "second")]})
        gateway.wait_line("the file changed")
        gateway.wait_line("configuration taken over")

    def test_file_written_in_place(self, start_gateway, mock):
        """Between the cut and the writing it is empty, which would be a configuration without any model."""
        gateway = start_gateway({"model_list": [deployment(mock, "first")]})
        text = gateway.config_path.read_text()
        gateway.config_path.write_text("")
        looked = time.monotonic() + 2.5  # the file is looked at each second
        wait_until(lambda: time.monotonic() > looked)
        assert "first" in {model["id"] for model in get_json(gateway.url + "/v1/models")["data"]}
        gateway.config_path.write_text(text)
        gateway.wait_line("configuration taken over")
        assert gateway.output().count("the file changed") == 1

    def test_all_or_nothing(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, "first")]})
        self.write(gateway, {"model_list": [deployment(mock, "second"), {"model_name": 5}]})
        answer = self.reload(gateway)
        assert answer.status_code == 422
        assert answer.json()["taken_over"] is False
        assert any(finding["level"] == "error" for finding in answer.json()["findings"])
        assert httpx.post(gateway.url + "/v1/chat/completions", json={**BODY, "model": "first"},
                          trust_env=False).status_code == 200

    def test_settings_that_need_a_new_process_are_named(self, start_gateway, mock):
        models = {"model_list": [deployment(mock, "first")]}
        gateway = start_gateway(models)
        changed = {"upstream": {"max_idle_connections": 7, "keepalive_idle": "7s", "dns_refresh": "7s"},
                   "logging": {"access_log": "elsewhere.log", "level": "info"}}
        for _ in range(2):  # as long as they are not in force
            seen = len(gateway.lines)
            self.write(gateway, {**models, **changed})
            assert self.reload(gateway).json()["taken_over"] is True
            line = gateway.wait_line("not in force yet: (.*) changed", first=seen).group(1)
            assert line == ("upstream.max_idle_connections, upstream.keepalive_idle, upstream.dns_refresh, "
                            "logging.access_log")

    def test_models_keep_their_time(self, start_gateway, mock):
        models = {"model_list": [deployment(mock, "first")]}
        gateway = start_gateway(models)
        before = {model["id"]: model["created"] for model in get_json(gateway.url + "/v1/models")["data"]}
        assert set(before.values()) == {int(metric(gateway, "gatewire_start_time_seconds"))}
        wait_until(lambda: time.time() >= before["first"] + 1)
        self.write(gateway, {"model_list": [deployment(mock, "first"), deployment(mock, "second")]})
        assert self.reload(gateway).json()["taken_over"] is True
        wait_until(lambda: len(get_json(gateway.url + "/v1/models")["data"]) > len(before))
        after = {model["created"] for model in get_json(gateway.url + "/v1/models")["data"]}
        assert after == set(before.values())

    def test_running_requests_finish_on_the_old_configuration(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, "first")]})
        with httpx.stream("POST", gateway.url + "/v1/chat/completions", trust_env=False, timeout=60,
                          json={**BODY, "model": "first", "stream": True},
                          headers={"x-mock-tps": "20", "x-mock-chunks": "30"}) as answer:
            lines = answer.iter_lines()
            next(lines)
            self.write(gateway, {"model_list": [deployment(mock, "second")]})
            assert self.reload(gateway).status_code == 200
            rest = list(lines)
        assert "data: [DONE]" in rest

    def test_no_request_fails_under_load(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, MODEL)]})
        load = Load(gateway)
        streams = Load(gateway, clients=2, stream=True)
        for turn in range(8):
            before = load.count
            self.write(gateway, {"model_list": [deployment(mock, MODEL), deployment(mock, f"extra-{turn}")]})
            assert self.reload(gateway).status_code == 200
            load.wait_count(before + 20)
        assert load.stop() == []
        assert streams.stop() == []


class TestEnd:
    def test_drain_finishes_what_runs(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, MODEL)]})
        with httpx.stream("POST", gateway.url + "/v1/chat/completions", trust_env=False, timeout=60,
                          json={**BODY, "stream": True}, headers={"x-mock-tps": "20", "x-mock-chunks": "30"}) as answer:
            lines = answer.iter_lines()
            next(lines)
            gateway.process.send_signal(signal.SIGTERM)
            gateway.wait_line("no new connections")
            with pytest.raises(OSError):
                wait_until(lambda: socket.create_connection((gateway.host, gateway.port)).close() is not None)
            assert "data: [DONE]" in list(lines)
        assert gateway.wait() == 0

    def test_grace_time_bounds_the_drain(self, start_gateway, mock):
        config = {"model_list": [deployment(mock, MODEL)], "server": {"graceful_shutdown": "500ms"}}
        gateway = start_gateway(config)
        with httpx.stream("POST", gateway.url + "/v1/chat/completions", trust_env=False, timeout=60,
                          json={**BODY, "stream": True},
                          headers={"x-mock-fault": "stall-mid"}) as answer:
            lines = answer.iter_lines()
            next(lines)
            gateway.process.send_signal(signal.SIGTERM)
            assert gateway.wait() == 0
            with pytest.raises(httpx.HTTPError):
                list(lines)

    def test_hand_over_loses_nothing(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, MODEL)]})
        load = Load(gateway)
        streams = Load(gateway, clients=2, stream=True)
        load.wait_count(50)
        gateway.process.send_signal(signal.SIGUSR2)
        successor = int(gateway.wait_line(r"the new process (\d+) serves").group(1))
        try:
            load.wait_count(load.count + 100)
            wait_until(lambda: gateway.process.poll() is not None, 60 * SLOWNESS)
            load.wait_count(load.count + 100)
            assert load.stop() == []
            assert streams.stop() == []
            assert ask(gateway).status_code == 200
            assert gateway.process.returncode == 0
        finally:
            load.stop()
            streams.stop()
            os.kill(successor, signal.SIGTERM)

    def test_a_successor_that_does_not_come_up_changes_nothing(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [deployment(mock, MODEL)]})
        gateway.config_path.write_text("server: [broken")
        gateway.process.send_signal(signal.SIGUSR2)
        gateway.wait_line("the new process did not come up")
        assert ask(gateway).status_code == 200


def test_a_slow_reader_of_the_log_gets_the_rest_without_traffic(start_gateway, tmp_path):
    pipe = tmp_path / "log.pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        gateway = start_gateway({"logging": {"access_log": str(pipe)}})
        count = 60  # of 2 KB each, and a pipe takes 64 KiB
        with httpx.Client(trust_env=False) as client:
            for _ in range(count):
                assert client.get(gateway.url + "/" + "x" * 2000).status_code == 404
        lines = b""
        deadline = time.monotonic() + 20 * SLOWNESS
        while lines.count(b"\n") < count:
            assert time.monotonic() < deadline, f"{lines.count(10)} of {count} lines"
            if select.select([reader], [], [], 1)[0]:
                lines += os.read(reader, 65536)
        assert all(json.loads(line)["status"] == 404 for line in lines.splitlines())
    finally:
        os.close(reader)
