# SPDX-License-Identifier: MIT
"""Probes of deployments: who fails is left out before a client meets it, and nobody else notices anything."""

import json
import os
import threading
import time

import httpx
import pytest
from matrix import providers
from servers import SLOWNESS, deployment, wait_until
from test_inspect import by_id, data, metrics
from vendors import three_vendors

CHAT = "/v1/chat/completions"
# The shortest interval there is; what the tests say about numbers holds on a slow machine, too.
OFTEN = {"interval": "1s", "failures": 2, "successes": 2}
ALONE = {"max_retries": 0, "failover": False}
PATIENCE_S = 60 * SLOWNESS
HANG_MS = 600_000


def entry(mock, group="a", model="mock-small", **more):
    return {**deployment(mock, model), "model_name": group, **more}


def start(start_gateway, entries, check=OFTEN, **more):
    return start_gateway({"model_list": entries, "router": {**ALONE, "health_check": check}, **more})


def ask(gateway, model="a"):
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    return httpx.post(gateway.url + CHAT, json=body, timeout=30 * SLOWNESS, trust_env=False)


def turn(mock, **knobs):
    query = "&".join(f"{name}={value}" for name, value in knobs.items())
    assert httpx.post(f"{mock.url}/mock/knobs?{query}", trust_env=False).status_code == 200


def probe(gateway, name):
    return by_id(gateway)[name]["probe"]


def seen(mock):
    return mock.stats()["requests"]


def until(condition):
    wait_until(condition, timeout=PATIENCE_S)


def outcomes(gateway, name):
    """How often each outcome was counted for a deployment."""
    label = f'gatewire_deployment_probes_total{{deployment="{name}"'
    return {key.split('outcome="')[1][:-2]: int(value) for key, value in metrics(gateway).items() if key.startswith(label)}


def write(gateway, config):
    old = json.loads(gateway.config_path.read_text())
    fresh = gateway.config_path.with_suffix(".new")
    fresh.write_text(json.dumps({**old, **config}, indent=1))
    os.replace(fresh, gateway.config_path)
    answer = httpx.post(gateway.admin_url + "/api/v1/reload", trust_env=False, timeout=30 * SLOWNESS)
    assert answer.json()["taken_over"] is True, answer.text


class TestDown:
    def test_left_out_before_a_client_meets_it(self, start_gateway, start_mock):
        bad, good = start_mock("--status", "500"), start_mock()
        first = deployment(bad, "mock-small", priority=9)
        gateway = start(start_gateway, [{**first, "model_name": "a"}, entry(good)])
        until(lambda: probe(gateway, "a#1")["down"])
        for _ in range(10):
            answer = ask(gateway)
            assert answer.status_code == 200 and answer.headers["x-gatewire-deployment"] == "a#2"
        rows = by_id(gateway)
        assert (rows["a#1"]["exchanges"], rows["a#1"]["status"], rows["a#1"]["probe"]["last"]) == (0, "unhealthy", "server_error")
        assert rows["a#1"]["health"] < 100 and rows["a#1"]["breaker"]["state"] == "closed"
        assert rows["a#2"]["probe"]["down"] is False
        assert gateway.wait_line(r"deployment 'a#1': 2 probes in a row failed \(server_error\)")
        label = '{deployment="a#1",group="a",provider="openai"}'
        assert metrics(gateway)["gatewire_deployment_probe_down" + label] == 1
        turn(bad, status=0)
        until(lambda: not probe(gateway, "a#1")["down"])
        gateway.wait_line("deployment 'a#1': answers probes again")
        wait_until(lambda: ask(gateway).headers["x-gatewire-deployment"] == "a#1")
        counted = outcomes(gateway, "a#1")
        assert counted["server_error"] >= 2 and counted["ok"] >= 2

    def test_better_than_nobody(self, start_gateway, start_mock):
        mock = start_mock("--status", "500")
        gateway = start(start_gateway, [entry(mock)])
        until(lambda: probe(gateway, "a#1")["down"])
        turn(mock, status=0)
        assert ask(gateway).status_code == 200

    def test_nobody_there(self, start_gateway, start_mock):
        mock = start_mock()
        mock.stop()
        gateway = start(start_gateway, [entry(mock)])
        until(lambda: probe(gateway, "a#1")["down"])
        assert set(outcomes(gateway, "a#1")) == {"connection_failed"}

    @pytest.mark.parametrize(("status", "name"), [(401, "unauthorized"), (404, "rejected"), (429, "rate_limited")])
    def test_whoever_answers_is_alive(self, start_gateway, start_mock, status, name):
        mock = start_mock("--status", str(status))
        gateway = start(start_gateway, [entry(mock)])
        until(lambda: outcomes(gateway, "a#1").get(name, 0) >= 2)
        row = by_id(gateway)["a#1"]
        assert row["probe"]["down"] is False and row["health"] == 100
        assert row["keys"] == {"count": 1, "resting": 0, "refused": 0}

    def test_too_slow_is_a_failure(self, start_gateway, start_mock):
        mock = start_mock("--latency", str(HANG_MS))
        gateway = start(start_gateway, [entry(mock)], {**OFTEN, "timeout": "50ms"})
        until(lambda: probe(gateway, "a#1")["down"])
        assert set(outcomes(gateway, "a#1")) == {"timeout"}


class TestWhoIsAsked:
    def test_nobody_without_the_setting(self, start_gateway, start_mock):
        quiet, own, asked = start_mock(), start_mock(), start_mock()
        gateway = start(start_gateway, [
            entry(quiet, "quiet", model_info={"disable_background_health_check": True}),
            entry(own, "own", health_check=False),
            entry(asked, "asked"),
        ])
        until(lambda: seen(asked) >= 3)
        assert seen(quiet) == 0 and seen(own) == 0
        rows = by_id(gateway)
        assert "probe" not in rows["quiet#1"] and "probe" not in rows["own#1"] and "probe" not in rows["gatewire/demo#1"]
        assert not [key for key in metrics(gateway) if "probe" in key and 'group="asked"' not in key]

    def test_off_is_off(self, start_gateway, start_mock):
        mock, beside = start_mock(), start_mock()
        gateway = start_gateway({"model_list": [entry(mock)], "general_settings": {"background_health_checks": False}})
        config = data(gateway, "config")
        assert (config["health_check_enabled"], config["health_check_interval"]) == (False, 0)
        other = start(start_gateway, [entry(beside)])
        until(lambda: seen(beside) >= 3)
        assert seen(mock) == 0 and not [key for key in metrics(gateway) if "probe" in key]
        assert data(other, "config")["health_check_interval"] == 1_000_000_000

    def test_litellms_settings(self, start_gateway, start_mock):
        mock = start_mock()
        gateway = start_gateway({
            "model_list": [{"model_name": "m/*", "litellm_params": {**deployment(mock)["litellm_params"], "model": "openai/*"},
                            "model_info": {"health_check_model": "openai/mock-tiny"}}],
            "general_settings": {"background_health_checks": True, "health_check_interval": 1},
        })
        until(lambda: seen(mock) >= 1)
        assert json.loads(mock.last_body())["model"] == "mock-tiny"
        assert "warn config" not in gateway.output()

    def test_workers_share_one_schedule(self, start_gateway, start_mock):
        mock = start_mock()
        begin = time.monotonic()
        start(start_gateway, [entry(mock)], server={"workers": 2})
        until(lambda: seen(mock) >= 6)
        count = seen(mock)
        assert count <= (time.monotonic() - begin) / 0.9 + 1  # an interval is shortened by a tenth at most

    def test_traffic_is_the_better_probe(self, start_gateway, start_mock):
        busy, idle = start_mock(), start_mock()
        gateway = start(start_gateway, [entry(busy, "busy"), entry(idle, "idle")], {**OFTEN, "interval": "2s"})
        assert ask(gateway, "busy").status_code == 200
        asked = 1

        def others_were_probed():
            nonlocal asked
            assert ask(gateway, "busy").status_code == 200
            asked += 1
            return seen(idle) >= 3

        until(others_were_probed)
        # A pause of the whole machine of more than an interval lets a probe through.
        assert seen(busy) - asked <= 1

    def test_every_vendor_is_asked_in_its_own_words(self, start_gateway, start_mock):
        mock = start_mock(*providers.MOCK_ARGS)
        vectors = [row for row in three_vendors(mock) if row["model_name"].startswith("v-")]
        gateway = start(start_gateway, [*providers.model_list(mock), *vectors])
        names = {f"{row['model_name']}#1" for row in [*providers.model_list(mock), *vectors]}
        until(lambda: all(probe(gateway, name)["last"] != "none" for name in names))
        assert {name: probe(gateway, name)["last"] for name in names} == dict.fromkeys(names, "ok")
        paths = mock.stats()["by_path"]
        assert sum("embed" in path.lower() for path in paths) == 2, paths


class TestNothingElse:
    def test_probes_are_no_requests(self, start_gateway, start_mock):
        mock = start_mock()
        gateway = start(start_gateway, [entry(mock)])
        until(lambda: outcomes(gateway, "a#1").get("ok", 0) >= 2)
        found = metrics(gateway)
        label = '{deployment="a#1",group="a",provider="openai"}'
        assert found["gatewire_deployment_exchanges_total" + label] == 0
        assert found["gatewire_deployment_in_flight" + label] == 0
        assert found["gatewire_output_tokens_total"] == 0
        assert found['gatewire_group_requests_total{group="a"}'] == 0
        assert sum(value for key, value in found.items() if key.startswith("gatewire_upstream_responses_total")) == 0
        assert sum(value for key, value in found.items() if 'task="chat"' in key) == 0
        assert '"task":"chat"' not in gateway.output()  # the access log

    def test_what_is_sent(self, start_gateway, start_mock):
        mock = start_mock()
        start(start_gateway, [entry(mock)])
        until(lambda: seen(mock) >= 1)
        body = json.loads(mock.last_body())
        assert body["model"] == "mock-small" and body["messages"] == [{"role": "user", "content": "ping"}]
        assert body.get("max_tokens", body.get("max_completion_tokens")) == 1 and not body.get("stream")

    def test_pages(self, start_gateway, start_mock):
        mock = start_mock()
        gateway = start(start_gateway, [entry(mock)])
        assert probe(gateway, "a#1")["last"] in ("none", "ok")
        until(lambda: probe(gateway, "a#1")["last"] == "ok")
        row = probe(gateway, "a#1")
        assert row["down"] is False and row["last_ago_ms"] >= 0 and 0 <= row["next_in_ms"] <= 1100
        models = {model["model"]: model["probes"] for model in data(gateway, "health/models")["models"]}
        assert models["gatewire/demo"] == []
        assert [(one["deployment"], one["down"], one["last"]) for one in models["a"]] == [("a#1", False, "ok")]


class TestTheEnd:
    # A probe that hangs would be given up by itself after four seconds.
    HANGING = {"interval": "8s", "timeout": "4s"}

    def hanging(self, start_gateway, start_mock):
        mock = start_mock("--latency", str(HANG_MS))
        gateway = start(start_gateway, [entry(mock)], self.HANGING)
        until(lambda: seen(mock) >= 1)
        return gateway, mock

    def test_reload_while_one_hangs(self, start_gateway, start_mock):
        gateway, mock = self.hanging(start_gateway, start_mock)
        after = start_mock()
        write(gateway, {"model_list": [entry(after)], "router": {**ALONE, "health_check": OFTEN}})
        until(lambda: mock.stats()["aborted"] >= 1)
        assert mock.stats()["aborts"][0]["after_ms"] < 3900
        until(lambda: outcomes(gateway, "a#1").get("ok", 0) >= 2)
        assert set(outcomes(gateway, "a#1")) == {"ok"}
        assert seen(mock) == 1

    def test_reload_that_turns_them_off(self, start_gateway, start_mock):
        off, on = start_mock(), start_mock()
        gateway = start(start_gateway, [entry(off, "off"), entry(on, "on")])
        until(lambda: seen(off) >= 1)
        write(gateway, {"model_list": [entry(off, "off", health_check=False), entry(on, "on")]})
        until(lambda: "probe" not in by_id(gateway)["off#1"])
        before, beside = seen(off), seen(on)
        until(lambda: seen(on) >= beside + 3)
        assert seen(off) <= before + 1  # one may have been on its way

    def test_shutdown_while_one_hangs(self, start_gateway, start_mock):
        gateway, mock = self.hanging(start_gateway, start_mock)
        assert gateway.stop() == 0, gateway.output()
        assert mock.stats()["aborted"] == 1

    def test_a_draining_gateway_sends_no_more(self, start_gateway, start_mock):
        mock, slow = start_mock(), start_mock("--latency", "4000")
        gateway = start(start_gateway, [entry(mock), entry(slow, "slow", health_check=False)])
        until(lambda: seen(mock) >= 1)
        answers = []
        client = threading.Thread(target=lambda: answers.append(ask(gateway, "slow")))
        client.start()
        wait_until(lambda: seen(slow) == 1)
        before = seen(mock)
        assert gateway.stop() == 0, gateway.output()  # when the answer is complete
        client.join()
        assert answers[0].status_code == 200
        assert seen(mock) <= before + 1  # one may have been on its way
