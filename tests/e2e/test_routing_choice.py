# SPDX-License-Identifier: MIT
"""Who is chosen, through the real gateway: strategies, limits, credentials, affinity, tags."""

import collections
import concurrent.futures
import threading
import time

import pytest
from routing import BAD, CHAT, GOOD, ByKey, ask, asked, openings, spread, who
from servers import RawConnection, wait_until

# ---------------------------------------------------------------- strategies


class TestStrategies:
    def test_round_robin(self, route):
        gateway = route({"m": GOOD * 3}, {"strategy": "round-robin"})
        assert spread(gateway, "m", 30) == {"m#1": 10, "m#2": 10, "m#3": 10}

    def test_weighted(self, route):
        weights = [{"model": GOOD[0], "weight": weight} for weight in (3, 1)]
        seen = spread(route({"m": weights}, {"strategy": "weighted"}), "m", 40)
        assert 29 <= seen["m#1"] <= 31 and seen["m#2"] == 40 - seen["m#1"]

    def test_priority(self, route):
        """The best as long as it can; then the next."""
        ranks = [{"model": GOOD[0], "priority": 1}, {"model": "mock-echo=1", "priority": 5}, {"model": BAD[0], "priority": 9}]
        assert spread(route({"m": ranks}), "m", 20) == {"m#2": 20}

    def test_litellms_order(self, route):
        ranks = [{"model": GOOD[0], "order": 2}, {"model": GOOD[0], "order": 1}]
        assert spread(route({"m": ranks}), "m", 20) == {"m#2": 20}

    def test_random(self, route):
        """simple-shuffle: by weight, by chance. Wrong once in a million runs."""
        weights = [{"model": GOOD[0], "weight": weight} for weight in (3, 1)]
        seen = spread(route({"m": weights}, router_settings={"routing_strategy": "simple-shuffle"}), "m", 200)
        assert 120 < seen["m#1"] < 180 and seen["m#2"] == 200 - seen["m#1"]

    def test_least_busy(self, route):
        """Ten at a time: each has five of them."""
        gateway = route({"m": ["mock-latency=700"] * 2}, {"strategy": "least-busy"})
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: ask(gateway, "m"), range(10)))
        assert collections.Counter(map(who, answers)) == {"m#1": 5, "m#2": 5}

    def test_latency_based(self, route):
        gateway = route({"m": ["mock-latency=60", "mock-latency=1"]}, {"strategy": "latency-based-routing"})
        spread(gateway, "m", 10)  # it has to know both
        assert spread(gateway, "m", 50)["m#2"] >= 45

    def test_least_cost(self, route):
        models = [{"model": GOOD[0], "input_cost_per_token": usd, "output_cost_per_token": usd} for usd in (2e-5, 1e-6, 1e-5)]
        assert spread(route({"m": models}, {"strategy": "cost-based-routing"}), "m", 20) == {"m#2": 20}

    def test_best_quality(self, route):
        quality = [{"model": GOOD[0], "quality": value} for value in (40, 90, 60)]
        assert spread(route({"m": quality}, {"strategy": "best_quality"}), "m", 20) == {"m#2": 20}

    def test_usage_based(self, route):
        """Whoever has most of its limit left: with 4 and 12 a minute, one of four requests each minute."""
        limits = [{"model": GOOD[0], "rpm": rpm} for rpm in (100, 300)]
        seen = spread(route({"m": limits}, {"strategy": "usage-based-routing-v2"}), "m", 80)
        assert 15 <= seen["m#1"] <= 25

    def test_of_a_group(self, route):
        gateway = route({"m": GOOD * 2, "n": [{"model": GOOD[0], "priority": 1}, {"model": GOOD[0], "priority": 2}]},
                        {"strategy": "priority"}, model_groups={"m": {"strategy": "round_robin"}})
        assert spread(gateway, "m", 10) == {"m#1": 5, "m#2": 5}
        assert spread(gateway, "n", 10) == {"n#2": 10}


class TestLimits:
    def test_requests_per_minute(self, route):
        """The first serves what it may, the second the rest."""
        limits = [{"model": GOOD[0], "priority": 2, "rpm": 5}, {"model": GOOD[0], "priority": 1}]
        seen = spread(route({"m": limits}), "m", 20)
        assert 5 <= seen["m#1"] <= 6 and seen["m#2"] == 20 - seen["m#1"]

    def test_nothing_left(self, route):
        gateway = route({"m": [{"model": GOOD[0], "rpm": 2}]}, {"retry": {"deadline": "1s"}})
        assert sum(spread(gateway, "m", 2).values()) == 2
        answer = ask(gateway, "m")
        assert answer.status_code in (429, 503)
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert "m#1" in answer.json()["error"]["message"]

    def test_what_was_sent_counts(self, route, mock):
        """Clients that leave before the answer: their requests were made all the same."""
        gateway = route({"m": [{"model": "mock-latency=20000", "rpm": 2}]}, {"retry": {"deadline": "1s"}})
        for count in (1, 2):
            body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
            with RawConnection(gateway) as connection:
                connection.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                wait_until(lambda count=count: asked(mock) == count)
        wait_until(lambda: mock.stats()["aborted"] == 2)
        assert ask(gateway, "m").status_code == 503 and asked(mock) == 2

    def test_in_parallel(self, route, mock):
        limits = [{"model": "mock-latency=1000", "priority": 2, "max_parallel_requests": 1}, {"model": GOOD[0], "priority": 1}]
        gateway = route({"m": limits})
        answers = []
        slow = threading.Thread(target=lambda: answers.append(ask(gateway, "m")))
        slow.start()
        wait_until(lambda: asked(mock) == 1)
        assert spread(gateway, "m", 3) == {"m#2": 3}
        slow.join()
        assert who(answers[0]) == "m#1"


# ---------------------------------------------------------------- credentials


@pytest.fixture
def by_key():
    server = ByKey()
    yield server
    server.stop()


class TestCredentials:
    KEYS = ("sk-secret-one", "sk-secret-two", "sk-secret-three")

    def pool(self, start_gateway, by_key, **config):
        """One deployment with all KEYS."""
        env = {"OPENAI_BASE_URL": by_key.url + "/v1", "OPENAI_API_KEY": self.KEYS[0], "OPENAI_API_KEYS": ",".join(self.KEYS[1:])}
        models = [{"model_name": "m", "litellm_params": {"model": "openai/m"}}]
        return start_gateway({"model_list": models, "router": {}, **config}, env=env)

    def test_take_turns(self, start_gateway, by_key):
        gateway = self.pool(start_gateway, by_key)
        assert set(spread(gateway, "m", 30)) == {"m#1"}
        assert set(by_key.seen) == set(self.KEYS) and min(by_key.seen.values()) >= 8

    @pytest.mark.parametrize("status", [401, 403])
    def test_refused_one_is_taken_out(self, start_gateway, by_key, status):
        """No client notices, the operator is told once, and the key is not asked again soon."""
        by_key.answers[self.KEYS[1]] = (status, {})
        gateway = self.pool(start_gateway, by_key)
        assert sum(spread(gateway, "m", 30).values()) == 30
        assert by_key.seen[self.KEYS[1]] == 1
        alarms = [line for line in gateway.lines if "refuses key" in line]
        assert len(alarms) == 1 and "'m#1'" in alarms[0] and "secret" not in gateway.output()
        assert openings(gateway, "m#1") == 0

    def test_limited_one_rests(self, start_gateway, by_key):
        by_key.answers[self.KEYS[1]] = (429, {"retry-after": "1"})
        gateway = self.pool(start_gateway, by_key)
        begin = time.monotonic()
        assert sum(spread(gateway, "m", 30).values()) == 30
        rests = 1 + int(time.monotonic() - begin)
        assert by_key.seen[self.KEYS[1]] <= rests
        assert openings(gateway, "m#1") == 0
        # And comes back when its time is over.
        del by_key.answers[self.KEYS[1]]
        before = by_key.seen[self.KEYS[1]]
        wait_until(lambda: spread(gateway, "m", 3) and by_key.seen[self.KEYS[1]] > before)

    def test_empty_one_is_not_tried(self, start_gateway, by_key):
        """The provider's own fields say that nothing is left: nobody has to run into the 429."""
        by_key.answers[self.KEYS[1]] = (200, {
            "x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "60s"})
        gateway = self.pool(start_gateway, by_key)
        spread(gateway, "m", 30)
        assert by_key.seen[self.KEYS[1]] == 1

    def test_all_refused(self, start_gateway, by_key):
        for key in self.KEYS:
            by_key.answers[key] = (401, {})
        gateway = self.pool(start_gateway, by_key)
        for _ in range(3):
            answer = ask(gateway, "m")
            assert answer.status_code == 502
            error = answer.json()["error"]
            assert error["code"] == "upstream_credential_refused" and "api_key" in error["message"]
            assert "secret" not in answer.text and "www-authenticate" not in answer.headers
        assert all(by_key.seen[key] == 1 for key in self.KEYS)

    @pytest.mark.parametrize("path", [CHAT, "/v1/messages"])
    def test_only_one_and_refused(self, route, by_key, path):
        """Every client is told the same, not that the gateway is busy."""
        by_key.answers["sk-secret"] = (401, {})
        gateway = route({"m": [{"model": "m", "api_base": by_key.url + "/v1", "api_key": "sk-secret"}], "other": GOOD})
        for _ in range(3):
            answer = ask(gateway, "m", path=path, max_tokens=20)
            assert answer.status_code == 502 and "retry-after" not in answer.headers
            message = answer.json()["error"]["message"]
            assert "m#1" in message and "credential" in message and "secret" not in answer.text
        assert by_key.seen["sk-secret"] == 1

    def test_refused_and_resting(self, start_gateway, by_key):
        """One key is refused, the others only rest: waiting helps."""
        for key, answer in zip(self.KEYS, ((401, {}), (429, {"retry-after": "20"}), (429, {"retry-after": "30"})), strict=True):
            by_key.answers[key] = answer
        gateway = self.pool(start_gateway, by_key, router={"retry": {"deadline": "1s"}})
        ask(gateway, "m")
        answer = ask(gateway, "m")
        assert answer.status_code == 503 and 10 < int(answer.headers["retry-after"]) <= 20
        assert "429" in answer.json()["error"]["message"]

    def test_refused_one_falls_back(self, route, by_key):
        by_key.answers["sk-secret"] = (401, {})
        gateway = route({"m": [{"model": "m", "api_base": by_key.url + "/v1", "api_key": "sk-secret"}], "other": GOOD},
                        {"fallbacks": {"m": ["other"]}})
        for _ in range(3):
            assert who(ask(gateway, "m")) == "other#1"
        assert by_key.seen["sk-secret"] == 1
