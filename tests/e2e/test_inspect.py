# SPDX-License-Identifier: MIT
"""Pages about routing: what stands there is what happened, on every worker, and never a key."""

import json
import re

import httpx
import pytest
from servers import SLOWNESS, deployment

KEY = "sk-client-key"
SECRETS = ("sk-mock-one", "sk-mock-two")
ROUTER = "/api/v1/router/"
STRATEGIES = ("priority", "round_robin", "least_busy", "weighted", "latency_based", "usage_based", "random", "least_cost",
              "best_quality", "smart")
# Once each, so that a failure is a failure.
ROUTING = {"num_retries": 0, "fallbacks": []}


def call(gateway, method, path, **arguments):
    return httpx.request(method, gateway.url + path, timeout=30 * SLOWNESS, trust_env=False, **arguments)


def page(gateway, path):
    answer = call(gateway, "GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def data(gateway, name):
    answer = page(gateway, ROUTER + name)
    assert answer["success"] is True and answer["message"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", answer["timestamp"])
    return answer["data"]


def ask(gateway, model="a", **headers):
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    return call(gateway, "POST", "/v1/chat/completions", json=body, headers=headers)


def set_strategy(gateway, **body):
    return call(gateway, "POST", ROUTER + "strategy", json=body)


def two(mock, **first):
    return [deployment(mock, "mock-small", api_key=SECRETS[0], **first), deployment(mock, "mock-large", api_key=SECRETS[1])]


def one_group(entries):
    return [{**entry, "model_name": "a"} for entry in entries]


@pytest.fixture
def pair(start_gateway, mock):
    """Two deployments of "a", and "b" beside them; nothing is tried twice."""
    models = [*one_group(two(mock, rpm=60, max_parallel_requests=5)), {**deployment(mock), "model_name": "b"}]
    return start_gateway({"model_list": models, "router_settings": ROUTING})


def by_id(gateway):
    return {row["id"]: row for row in page(gateway, "/health/deployments")["deployments"]}


class TestDeployments:
    def test_what_is_told(self, pair):
        before = by_id(pair)
        assert {row["group"] for row in before.values()} >= {"a", "b"}
        row = before["a#1"]
        assert (row["provider"], row["model"], row["status"], row["health"]) == ("openai", "mock-small", "healthy", 100)
        assert row["limits"] == {"rpm": {"limit": 60, "left": 60}, "parallel": {"limit": 5, "left": 5}}
        assert row["keys"] == {"count": 1, "resting": 0, "refused": 0}
        assert row["latency_ms"] is None and row["breaker"]["state"] == "closed"

    def test_exchanges_are_counted_where_they_went(self, pair):
        went = [ask(pair).headers["x-gatewire-deployment"] for _ in range(8)]
        rows = by_id(pair)
        for name in ("a#1", "a#2"):
            assert rows[name]["exchanges"] == went.count(name)
            assert (rows[name]["latency_ms"] is not None) == (name in went)
            assert rows[name]["in_flight"] == 0
        assert rows["a#1"]["limits"]["rpm"]["left"] <= 60 - went.count("a#1") + 1
        assert sum(model["total_requests"] for model in page(pair, "/v1/admin/models/stats")["load_balancer"].values()) == 8

    def test_a_breaker_that_opened(self, pair):
        for _ in range(20):
            ask(pair, "b", **{"x-mock-status": "500"})
        row = by_id(pair)["b#1"]
        assert row["status"] == "unhealthy" and row["health"] < 80
        assert row["breaker"]["state"] == "open" and row["breaker"]["openings"] == 1
        assert 0 < row["breaker"]["next_try_in_ms"] <= 30000
        assert row["failures"] == 5
        assert page(pair, "/health/deployments")["status"] == "unhealthy"
        breakers = data(pair, "circuit-breakers")
        assert (breakers["open"], breakers["closed"]) == (1, 3)
        assert [entry["deployment"] for entry in breakers["circuit_breakers"] if entry["state"] == "open"] == ["b#1"]
        assert {model["model"]: model["status"] for model in data(pair, "health/models")["models"]}["b"] == "unhealthy"
        stats = data(pair, "health/stats")
        assert (stats["unhealthy_models"], stats["unhealthy_deployments"]) == (1, 1)
        shed = page(pair, "/v1/admin/models/stats")
        assert shed["should_shed_load"] is True and shed["load_balancer"]["b"]["circuit_open"] is True
        assert data(pair, "stats")["circuit_breaker_trips"] == 1

    def test_failures_are_no_probes(self, pair):
        for _ in range(3):
            ask(pair, "b", **{"x-mock-status": "500"})
        row = next(row for row in data(pair, "circuit-breakers")["circuit_breakers"] if row["deployment"] == "b#1")
        assert (row["state"], row["failures"], row["successes"], row["probes_running"]) == ("closed", 3, 0, 0)

    def test_keys_that_rest_are_counted_and_not_shown(self, start_gateway, mock):
        entries = [deployment(mock, "mock-small", api_key=SECRETS[0])]
        gateway = start_gateway({"model_list": one_group(entries), "router_settings": ROUTING})
        ask(gateway, **{"x-mock-status": "429"})
        row = by_id(gateway)["a#1"]
        assert row["keys"]["resting"] == 1 and row["keys"]["next_try_in_ms"] > 0
        assert row["status"] == "degraded" and row["breaker"]["state"] == "closed"


class TestStats:
    def test_requests_by_model_and_strategy(self, pair):
        for model in ("a", "a", "b"):
            assert ask(pair, model).status_code == 200
        assert set_strategy(pair, strategy="round-robin", model="a").status_code == 200
        assert ask(pair).status_code == 200
        stats = data(pair, "stats")
        assert stats["requests_by_model"] == {"a": 3, "b": 1}
        assert stats["requests_by_strategy"] == {"priority": 3, "round_robin": 1}
        assert (stats["total_requests"], stats["failed_requests"]) == (4, 0)

    def test_reset_counts_from_now_on_and_metrics_go_on(self, pair):
        ask(pair, "b", **{"x-mock-status": "500"})
        assert data(pair, "stats")["failed_requests"] == 1
        assert call(pair, "POST", ROUTER + "stats/reset").json()["success"] is True
        stats = data(pair, "stats")
        assert (stats["total_requests"], stats["failed_requests"], stats["requests_by_model"]) == (0, 0, {})
        assert ask(pair).status_code == 200
        assert data(pair, "stats")["requests_by_model"] == {"a": 1}
        assert by_id(pair)["b#1"]["failures"] == 1

    def test_fallbacks_and_retries(self, start_gateway, mock):
        dead = {"model": "openai/x", "api_base": "http://127.0.0.1:1/v1", "api_key": "k"}
        gateway = start_gateway({
            "model_list": [{"model_name": "a", "litellm_params": dead}, {**deployment(mock), "model_name": "b"}],
            "router_settings": {"num_retries": 0, "fallbacks": [{"a": ["b"]}]},
        })
        assert ask(gateway).status_code == 200
        stats = data(gateway, "stats")
        assert (stats["fallback_used"], stats["failed_requests"]) == (1, 0)


class TestStrategy:
    def test_each_name_is_taken_and_shown(self, pair):
        for name in STRATEGIES:
            answer = set_strategy(pair, strategy=name.replace("_", "-").upper())
            assert answer.json()["data"]["strategy"] == name
            config = data(pair, "config")
            assert config["strategy"] == name
            assert {model["strategy"] for model in config["models"]} == {name}
            assert {model["configured_strategy"] for model in config["models"]} == {"priority"}
        assert call(pair, "PUT", ROUTER + "strategy", json={"strategy": "default"}).json()["data"]["models"]["a"] == "priority"

    def test_it_takes_effect_on_all_workers(self, start_gateway, mock):
        entries = two(mock)
        entries[0]["litellm_params"]["priority"] = 9
        gateway = start_gateway({"model_list": one_group(entries), "server": {"workers": 4}, "router_settings": ROUTING})

        def served():
            return {ask(gateway).headers["x-gatewire-deployment"] for _ in range(40)}

        before = served()
        assert len(before) == 1
        assert set_strategy(gateway, strategy="round_robin").status_code == 200
        assert len(served()) == 2
        assert set_strategy(gateway, strategy="default", model="a").status_code == 200
        assert served() == before

    def test_one_model_only(self, pair):
        assert set_strategy(pair, strategy="random", model="b").json()["data"]["models"] == {"b": "random"}
        assert data(pair, "config")["strategy"] == "mixed"

    @pytest.mark.parametrize(("body", "status", "word"), [
        ({"strategy": "best"}, 400, "best"), ({}, 400, "strategy"), ({"strategy": 7}, 400, "strategy"),
        ({"strategy": "random", "model": "nobody"}, 404, "nobody"), ({"strategy": "random", "model": 7}, 404, "model"),
        ({"strategy": "x" * 5000}, 400, "xxx"),
    ])
    def test_refusals(self, pair, body, status, word):
        answer = set_strategy(pair, **body)
        assert answer.status_code == status
        refusal = answer.json()
        assert refusal["success"] is False and word in refusal["error"] and len(refusal["error"]) < 1000
        assert data(pair, "config")["strategy"] == "priority"

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"7"])
    def test_bodies_that_are_none(self, pair, body):
        answer = call(pair, "POST", ROUTER + "strategy", content=body)
        assert answer.status_code == 400 and answer.json()["code"] == "BAD_REQUEST"

    def test_other_methods(self, pair):
        answer = call(pair, "GET", ROUTER + "strategy")
        assert answer.status_code == 405 and answer.headers["allow"] == "POST, PUT, OPTIONS"
        assert answer.json()["success"] is False
        assert call(pair, "POST", ROUTER + "stats").headers["allow"] == "GET, HEAD, OPTIONS"
        assert call(pair, "GET", ROUTER + "nothing").status_code == 404


CHAT = {"model": "a", "messages": [{"role": "user", "content": "hi"}]}


def explain(gateway, body=CHAT, **wrapper):
    answer = call(gateway, "POST", "/api/v1/explain", json={"body": body, **wrapper} if wrapper else body)
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestExplain:
    def test_what_is_said_is_what_happens(self, start_gateway, mock):
        entries = two(mock)
        entries[0]["litellm_params"]["priority"] = 9
        models = [*one_group(entries), {**deployment(mock), "model_name": "b"}]
        gateway = start_gateway({"model_list": models, "router_settings": {"num_retries": 0, "fallbacks": [{"a": ["b"]}]}})
        mock.reset()
        told = explain(gateway)
        assert mock.stats()["requests"] == 0
        assert told["accepted"] is True and told["auth"] == {"mode": "open", "granted": True}
        assert told["chosen"]["deployment"] == "a#1" and told["order"] == ["a#1", "a#2"]
        assert told["fallbacks"] == {"enabled": True, "general": ["b"], "context_window": [], "content_policy": []}
        assert [row["can_serve"] for row in told["deployments"]] == [True, True]
        answer = ask(gateway)
        assert answer.headers["x-gatewire-deployment"] == told["chosen"]["deployment"]
        sent = mock.last()
        assert (sent["method"], sent["target"]) == (told["upstream"]["method"], told["upstream"]["target"])
        assert json.loads(mock.last_body()) == told["upstream"]["body"]

    def test_nothing_is_taken_or_counted(self, pair):
        for _ in range(70):
            explain(pair)
        assert data(pair, "stats")["total_requests"] == 0
        row = by_id(pair)["a#1"]
        assert (row["exchanges"], row["in_flight"], row["limits"]["rpm"]["left"]) == (0, 0, 60)

    def test_turns_are_not_used_up(self, pair):
        assert set_strategy(pair, strategy="round_robin").status_code == 200
        for _ in range(6):
            chosen = {explain(pair)["chosen"]["deployment"] for _ in range(3)}
            assert chosen == {ask(pair).headers["x-gatewire-deployment"]}

    def test_why_a_deployment_cannot_serve(self, pair):
        for _ in range(6):
            ask(pair, "b", **{"x-mock-status": "500"})
        told = explain(pair, {**CHAT, "model": "b"})
        assert told["chosen"] is None and told["order"] == []
        (row,) = told["deployments"]
        assert row["can_serve"] is False and "circuit breaker" in row["reason"] and row["wait_ms"] > 0

    def test_other_dialects_and_what_is_dropped(self, pair):
        body = {"model": "a", "max_tokens": 50, "top_k": 4, "messages": [{"role": "user", "content": "hi"}]}
        told = explain(pair, body, path="/v1/messages", headers={"Anthropic-Version": "2023-06-01"})
        assert told["request"]["dialect"] == "anthropic" and told["upstream"]["verbatim"] is False
        assert ("dropped", "top_k") in {(note["kind"], note["param"]) for note in told["notes"]}
        assert told["upstream"]["body"]["messages"] == [{"role": "user", "content": "hi"}]

    @pytest.mark.parametrize(("wrapper", "status"), [
        ({"body": {**CHAT, "model": "nobody"}}, 404), ({"body": {"model": "a", "messages": 7}}, 400),
        ({"path": "/v1/files", "body": CHAT}, 400), ({"path": "/nowhere", "body": CHAT}, 404),
        ({"path": "/v1/models", "body": CHAT}, 405), ({"path": "no path", "body": CHAT}, 400),
        ({"path": "/api/v1/explain", "body": CHAT}, 400),
        ({"path": "/api/v1/router/strategy", "body": {"strategy": "random"}}, 400),
        ({"body": CHAT, "headers": {"x-gatewire-retries": "many"}}, 400),
    ])
    def test_what_would_be_refused(self, pair, wrapper, status):
        told = explain(pair, **wrapper)
        assert told["accepted"] is False and told["refusal"]["status"] == status and told["refusal"]["message"]
        assert data(pair, "config")["strategy"] == "priority"

    @pytest.mark.parametrize("wrapper", [
        {"headers": {"a b": "c"}}, {"headers": {"a": 7}}, {"headers": {"a": "x\r\ny: z"}},
        {"headers": {f"h{i}": "v" for i in range(65)}},
    ])
    def test_header_fields_that_are_none(self, pair, wrapper):
        assert call(pair, "POST", "/api/v1/explain", json={"body": CHAT, **wrapper}).status_code == 400

    def test_keys_stay_secret(self, start_gateway, mock):
        entries = two(mock)
        for entry in entries:
            entry["litellm_params"]["extra_headers"] = {"x-internal": "sk-internal"}
        gateway = start_gateway({"model_list": one_group(entries)}, env={"API_KEY": KEY})
        assert call(gateway, "POST", "/api/v1/explain", json=CHAT).status_code == 401
        answer = call(gateway, "POST", "/api/v1/explain", json=CHAT, headers={"x-api-key": KEY})
        assert answer.status_code == 200 and answer.json()["auth"] == {"mode": "key", "granted": True}
        assert not any(secret in answer.text for secret in (KEY, *SECRETS, "sk-internal"))
        assert {"name": "x-internal", "value": "***"} in answer.json()["upstream"]["headers"]
        wrong = {"body": CHAT, "headers": {"authorization": "Bearer wrong"}}
        told = call(gateway, "POST", "/api/v1/explain", json=wrong, headers={"x-api-key": KEY}).json()
        assert told["auth"]["granted"] is False and told["refusal"]["status"] == 401


class TestPrompts:
    HARD = "Prove step by step that the algorithm is correct, and compare its complexity. Why? How? It must be exact. " * 9

    def test_analysis(self, pair):
        for prompt, level in (("hi", "low"), (self.HARD, "high")):
            found = call(pair, "POST", ROUTER + "analyze", json={"prompt": prompt}).json()["data"]
            assert found["complexity"] == level and found["prompt"] == prompt
            assert found["score"] == sum(found["points"].values())
        assert found["recommended_tier"] == "premium" and found["token_count"] == len(self.HARD) // 4

    def test_decision_for_a_named_model(self, pair):
        found = call(pair, "POST", ROUTER + "decision", json={"prompt": self.HARD, "model": "b"}).json()["data"]
        assert found["selected_model"]["deployment"] == "b#1" and found["selected_model"]["available"] is True
        assert (found["strategy"], found["complexity"]) == ("priority", "high")
        assert call(pair, "POST", ROUTER + "decision", json=CHAT).json()["data"]["selected_model"]["name"] == "a"

    @pytest.mark.parametrize(("name", "body", "status"), [
        ("analyze", {}, 400), ("analyze", {"prompt": 7}, 400), ("decision", {}, 400),
        ("decision", {"prompt": "hi", "model": "nobody"}, 404),
    ])
    def test_refusals(self, pair, name, body, status):
        answer = call(pair, "POST", ROUTER + name, json=body)
        assert answer.status_code == status and answer.json()["success"] is False


def metrics(gateway):
    text = httpx.get(gateway.metrics_url + "/metrics", trust_env=False).text
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}


class TestMetrics:
    def test_deployments_and_groups(self, pair):
        assert ask(pair).status_code == 200
        for _ in range(6):
            ask(pair, "b", **{"x-mock-status": "500"})
        found = metrics(pair)
        label = '{deployment="b#1",group="b",provider="openai"}'
        assert found["gatewire_deployment_breaker_state" + label] == 1
        assert found["gatewire_deployment_failures_total" + label] == 5
        assert found["gatewire_deployment_health" + label] < 80
        assert found['gatewire_group_requests_total{group="a"}'] == 1
        assert found['gatewire_group_requests_total{group="b"}'] == 6
        assert found['gatewire_group_failures_total{group="b"}'] == 6
        assert found['circuit_breaker_state{provider="openai"}'] == 0

    def test_a_provider_whose_deployments_are_all_open(self, start_gateway, mock):
        gateway = start_gateway({"model_list": one_group([deployment(mock)]), "router_settings": ROUTING})
        for _ in range(6):
            ask(gateway, **{"x-mock-status": "500"})
        assert metrics(gateway)['circuit_breaker_state{provider="openai"}'] == 1

    def test_names_are_escaped(self, start_gateway, mock):
        gateway = start_gateway({"model_list": [{**deployment(mock), "model_name": 'a"b\\c'}]})
        assert metrics(gateway)['gatewire_group_requests_total{group="a\\"b\\\\c"}'] == 0


PAGES = [ROUTER + name for name in ("stats", "config", "circuit-breakers", "health/stats", "health/models")] + [
    "/health/deployments", "/v1/admin/models/stats"]


class TestAccess:
    def test_a_closed_gateway_wants_its_key(self, start_gateway, mock):
        gateway = start_gateway({"model_list": one_group(two(mock))}, env={"API_KEY": KEY})
        for path in PAGES:
            assert call(gateway, "GET", path).status_code == 401, path
            answer = call(gateway, "GET", path, headers={"authorization": f"Bearer {KEY}"})
            assert answer.status_code == 200
            assert not any(secret in answer.text for secret in (KEY, *SECRETS))
        assert set_strategy(gateway, strategy="random").status_code == 401
        assert call(gateway, "GET", ROUTER + "stats").json()["code"] == "UNAUTHORIZED"

    def test_web_pages_of_others_change_nothing(self, pair):
        answer = call(pair, "POST", ROUTER + "strategy", json={"strategy": "random"}, headers={"origin": "http://evil.example"})
        assert answer.status_code == 403
        assert data(pair, "config")["strategy"] == "priority"
