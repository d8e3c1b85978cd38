# SPDX-License-Identifier: MIT
"""After a failure, through the real gateway: retries, fallbacks, breakers, and what clients are told of them."""

import concurrent.futures
import json
import time

import httpx
import pytest
from routing import (
    BAD,
    CHAT,
    DELAY_MS,
    GOOD,
    NOBODY,
    TIMEOUT_S,
    ask,
    asked,
    assert_fell_back,
    attempts,
    openings,
    serial,
    spread,
    times,
    who,
)
from servers import SLOWNESS, RawUpstream, wait_until

# ---------------------------------------------------------------- retries


class TestRetries:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("status", [500, 502, 503, 408, 409])
    def test_until_it_works(self, route, mock, status, stream):
        gateway = route({"m": [times(status, 2)]})
        answer = ask(gateway, "m", stream)
        assert who(answer) == "m#1"
        assert attempts(answer) == 3 and asked(mock) == 3
        assert "x-failover" not in answer.headers and "x-gatewire-fallback-from" not in answer.headers

    def test_without_a_failure(self, route):
        answer = ask(route({"m": ["mock-size=20"]}), "m")
        assert who(answer) == "m#1" and attempts(answer) == 1
        assert answer.headers["x-provider"] == "openai"

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_have_an_end(self, route, mock, count):
        gateway = route({"m": ["mock-status=500"]}, {"max_retries": count})
        answer = ask(gateway, "m")
        assert answer.status_code == 500
        assert asked(mock) == count + 1 and attempts(answer) == count + 1

    def test_litellms_name(self, route, mock):
        gateway = route({"m": ["mock-status=500"]}, router_settings={"num_retries": 1})
        assert ask(gateway, "m").status_code == 500 and asked(mock) == 2

    @pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
    def test_not_of_what_stays_wrong(self, route, mock, status):
        answer = ask(route({"m": [f"mock-status={status}"]}), "m")
        assert answer.status_code == status
        assert asked(mock) == (4 if status == 409 else 1)

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("fault", ["reset", "reset-after-headers", "garbage", "two-lengths"])
    def test_of_what_broke(self, route, mock, fault, stream):
        gateway = route({"m": [f"mock-fault={fault}-times=1-key=routing{next(serial)}"]})
        answer = ask(gateway, "m", stream)
        assert who(answer) == "m#1" and attempts(answer) == 2
        assert not stream or answer.text.endswith("data: [DONE]\n\n")

    def test_another_deployment_at_once(self, route, mock):
        gateway = route({"m": ["mock-status=500", "mock-status=503", "mock-size=20"]},
                        {"retry": {"delay": "10s"}, "strategy": "round_robin"})
        for _ in range(3):
            begin = time.monotonic()
            assert who(ask(gateway, "m")) == "m#3"
            assert time.monotonic() - begin < 5

    def test_pauses_stay_within_their_bounds(self, route):
        """Full jitter: anything up to the delay, doubled each time; not the same for everybody."""
        gateway = route({"m": ["mock-status=500"]}, {"max_retries": 3, "circuit_breaker": {"enabled": False}})
        most = (DELAY_MS + 2 * DELAY_MS + 4 * DELAY_MS) / 1000
        spent = []
        for _ in range(12):
            begin = time.monotonic()
            answer = ask(gateway, "m")
            spent.append(time.monotonic() - begin)
            assert answer.status_code == 500 and attempts(answer) == 4
        assert max(spent) < most + 1 * SLOWNESS
        assert max(spent) - min(spent) > most / 20

    def test_retry_after_is_honoured(self, route):
        gateway = route({"m": [times(503, 1, "-retry_after=1")]})
        begin = time.monotonic()
        answer = ask(gateway, "m")
        assert who(answer) == "m#1" and attempts(answer) == 2
        assert 1 <= time.monotonic() - begin < 4 * SLOWNESS

    def test_retry_after_of_a_key_is_honoured(self, route):
        gateway = route({"m": [times(429, 1, "-retry_after=1")]})
        begin = time.monotonic()
        assert who(ask(gateway, "m")) == "m#1"
        assert 1 <= time.monotonic() - begin < 4 * SLOWNESS

    def test_limit_without_retry_after(self, route, mock):
        """The only key rests for a while, longer than this client waits; nobody is hammered."""
        gateway = route({"m": ["mock-status=429-bare=1"]}, {"retry": {"deadline": "1s"}})
        for number in range(3):
            answer = ask(gateway, "m")
            assert answer.status_code in (429, 503)
            assert 0 < int(answer.headers["retry-after"]) <= 5
            assert answer.status_code == 429 or number > 0
        assert asked(mock) == 1

    @pytest.mark.parametrize("path", [CHAT, "/v1/messages"])
    def test_limit_tells_when_the_first_is_asked_again(self, route, mock, path):
        """Whoever was asked last: the other one may be back sooner, with a Retry-After or without."""
        resting = ["mock-status=429-retry_after=40", "mock-status=429-retry_after=20"]
        gateway = route({"m": resting, "bare": ["mock-status=429-bare=1"]},
                        {"retry": {"deadline": "1s"}})
        for model, most in (("m", 20), ("bare", 5)):
            for number in range(3):
                answer = ask(gateway, model, path=path, max_tokens=20)
                assert answer.status_code in ((429,) if number == 0 else (503, 529))
                assert most / 2 < int(answer.headers["retry-after"]) <= most
        assert asked(mock) == 3

    def test_limit_that_nothing_rests_after(self, route, mock):
        """Without breakers nothing is left out, so there is nothing honest to tell."""
        gateway = route({"m": ["mock-status=429-bare=1"]}, {"max_retries": 0, "circuit_breaker": False})
        for _ in range(2):
            answer = ask(gateway, "m")
            assert answer.status_code == 429 and "retry-after" not in answer.headers

    def test_retry_after_that_is_too_long(self, route, mock):
        """Nobody waits an hour: the client is told."""
        answer = ask(route({"m": ["mock-status=503-retry_after=3600"]}), "m")
        assert answer.status_code == 503 and answer.headers["retry-after"] == "3600"
        assert asked(mock) == 1

    def test_who_has_become_free_meanwhile_is_asked(self, route, mock):
        """The exchange that failed took its time: the other deployment's limit was used up before it, not any more."""
        first = {"model": f"mock-latency={1500 * SLOWNESS}-status=500", "priority": 1}
        second = {"model": GOOD[0], "priority": 9, "tpm": 60_000}
        router = {"retry": {"patience": "100ms"}, "circuit_breaker": {"threshold": 1}, "fallbacks": {"m": ["other"]}}
        gateway = route({"m": [first, second], "other": GOOD}, router)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            slow = {"x-mock-latency": str(4000 * SLOWNESS)}
            holder = pool.submit(ask, gateway, "m", headers=slow, max_tokens=59_900)
            wait_until(lambda: asked(mock) == 1)
            answer = ask(gateway, "m", max_tokens=600)
            assert who(answer) == "m#2" and attempts(answer) == 2
            holder.result()

    def test_retry_after_gives_way_to_a_fallback(self, route):
        gateway = route({"m": ["mock-status=503-retry_after=20"], "other": ["mock-size=20"]}, {"fallbacks": {"m": ["other"]}})
        begin = time.monotonic()
        assert who(ask(gateway, "m")) == "other#1"
        assert time.monotonic() - begin < 5

    def test_deadline(self, route):
        gateway = route({"m": ["mock-status=500"]}, {"max_retries": 50, "retry": {"delay": "200ms", "deadline": "1s"}})
        begin = time.monotonic()
        answer = ask(gateway, "m")
        assert answer.status_code == 500
        assert time.monotonic() - begin < 1 + 1 * SLOWNESS

    def test_budget(self, route, mock):
        """A provider that dies is not asked four times as often: at most 20 % more, and what was there at the start."""
        gateway = route({"m": ["mock-status=500"]},
                        {"retry": {"delay": "1ms", "budget": 20}, "circuit_breaker": {"enabled": False}})
        count = 600
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            for _ in range(count):
                assert client.post(gateway.url + CHAT, json={"model": "m", "messages": []}).status_code == 500
        extra = asked(mock) - count
        assert count * 0.15 < extra <= count * 0.20 + 50


def test_fallback_to_another_model_of_a_wildcard(route):
    """One group stands for many models: each may follow another, and none itself."""
    chain = ["any/mock-status=500", "any/mock-status=502", "any/mock-echo=1"]
    gateway = route({"any/*": ["openai/*"]}, {"max_retries": 0, "circuit_breaker": {"enabled": False}})
    answer = ask(gateway, "any/mock-status=500", fallbacks=chain)
    assert answer.status_code == 200 and attempts(answer) == 3
    assert answer.headers["x-gatewire-fallback-from"] == "any/mock-status=500" and answer.headers["x-failover"] == "true"
    assert "x-failover" not in ask(gateway, "any/mock-echo=1").headers


def test_a_gateway_behind_this_one(route):
    """Who answered is told once: by this gateway."""
    upstream = RawUpstream()
    body = b'{"object":"list","data":[]}'
    upstream.answer = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-provider: elsewhere\r\nx-gatewire-deployment: evil\r\n"
        b"x-gatewire-attempts: 7\r\nx-failover: true\r\nx-original-provider: elsewhere\r\nx-gatewire-warning: kept\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(body), body)
    )
    answer = httpx.get(route({"m": [{"model": "x", "api_base": upstream.url + "/v1"}]}).url + "/v1/files", trust_env=False)
    assert answer.headers.get_list("x-gatewire-deployment") == ["m#1"] and answer.headers.get_list("x-provider") == ["openai"]
    assert not {"x-gatewire-attempts", "x-failover", "x-original-provider"} & set(answer.headers)
    assert answer.headers["x-gatewire-warning"] == "kept"
    upstream.stop()
# Upstream models, and the kind of their failures: our name and LiteLLM's.
KINDS = (
    ("mock-status=400", "bad_request", "BadRequestError"),
    ("mock-status=401", "authentication", "AuthenticationError"),
    ("mock-status=404", "not_found", "NotFoundError"),
    ("mock-fault=stall", "timeout", "TimeoutError"),
    ("mock-status=429-bare=1", "rate_limit", "RateLimitError"),
    ("mock-status=400-error_code=content_policy_violation", "content_policy", "ContentPolicyViolationError"),
    ("mock-status=500", "server", "InternalServerError"),
    ("mock-fault=reset", "server", "InternalServerError"),
    ("mock-status=503", "unavailable", "ServiceUnavailableError"),
)


class TestKindsOfErrors:
    """Numbers of retries and of failures for each kind, as ours and as LiteLLM's."""

    TIMES = {"upstream": {"first_byte_timeout": "300ms"}}

    @pytest.mark.parametrize(("model", "ours", "theirs", "how"), [
        *((*kind, how) for kind in KINDS for how in ("ours", "litellm's")),
        *((*KINDS[-1], how) for how in ("of the model", "litellm's of the model")),
    ])
    def test_retries(self, route, mock, model, ours, theirs, how):
        """Of two deployments both are asked, with 0 only one; the other kinds' numbers do not matter."""
        for count in (0, 1):
            own = {name: 0 for _, name, _ in KINDS} | {ours: count}
            their = {f"{name}Retries": 0 for _, _, name in KINDS} | {f"{theirs}Retries": count}
            router, more = {"circuit_breaker": False}, {**self.TIMES}
            if how == "ours":
                router["retry"] = {"by_error": own}
            elif how == "of the model":
                more["model_groups"] = {"m": {"retry": {"by_error": own}}}
            elif how == "litellm's":
                more["router_settings"] = {"retry_policy": their}
            else:
                more["router_settings"] = {"retry_policy": {}, "model_group_retry_policy": {"m": their}}
            gateway = route({"m": [{"model": model, "api_key": f"sk-{number}"} for number in range(2)]}, router, **more)
            before = asked(mock)
            answer = ask(gateway, "m")
            assert answer.status_code >= 400
            assert asked(mock) - before == count + 1 and attempts(answer) == count + 1

    def test_what_is_wrong_may_be_repeated(self, route, mock):
        """Until it works, or the number is reached: the same deployment after a pause."""
        gateway = route({"m": [times(422, 2)]}, {"retry": {"by_error": {"bad_request": 3}}})
        answer = ask(gateway, "m")
        assert who(answer) == "m#1" and attempts(answer) == 3

    def test_straight_to_the_fallback(self, route, mock):
        gateway = route({"m": ["mock-status=429", "mock-status=429"], "other": GOOD}, {"fallbacks": {"m": ["other"]}},
                        router_settings={"retry_policy": {"RateLimitErrorRetries": 0, "DefaultRetries": 5}})
        answer = ask(gateway, "m")
        assert_fell_back(answer, "m", "other#1")
        assert attempts(answer) == 2

    def test_the_request_may_want_fewer(self, route, mock):
        gateway = route({"m": ["mock-status=500"]}, {"retry": {"by_error": {"server": 3}}, "circuit_breaker": False})
        for wanted, attempts_made in (("1", 2), ("9", 4)):
            before = asked(mock)
            assert ask(gateway, "m", headers={"x-gatewire-retries": wanted}).status_code == 500
            assert asked(mock) - before == attempts_made

    @pytest.mark.parametrize("how", ["ours", "litellm's"])
    def test_failures_before_a_breaker_opens(self, route, mock, how):
        def setting(ours, theirs, allowed):
            if how == "ours":
                return {"max_retries": 0, "circuit_breaker": {"by_error": {ours: allowed + 1}}}, {}
            return {"max_retries": 0}, {"router_settings": {"allowed_fails_policy": {f"{theirs}AllowedFails": allowed}}}

        for model, ours, theirs, allowed, seen in (
            ("mock-fault=stall", "timeout", "TimeoutError", 0, 1),
            ("mock-status=500", "server", "InternalServerError", 2, 3),
            ("mock-status=500", "server", "InternalServerError", 1000, 8),  # never
            ("mock-status=400", "bad_request", "BadRequestError", 1, 2),
        ):
            router, more = setting(ours, theirs, allowed)
            gateway = route({"m": [model]}, router, **more, **self.TIMES)
            before = asked(mock)
            for _ in range(8):
                assert ask(gateway, "m").status_code >= 400
            assert asked(mock) - before == seen, (model, allowed)
            assert openings(gateway, "m#1") == (1 if seen < 8 else 0)


# ---------------------------------------------------------------- what must not be sent twice


class TestOnce:
    def test_forms_can(self, route):
        """They are read before somebody is chosen, as the model is inside: each sees the same bytes."""
        upstream = RawUpstream()
        upstream.answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        gateway = route({"m": [{"model": "whisper-1", "api_base": upstream.url + "/v1"}]}, {"max_retries": 1})
        answer = httpx.post(
            gateway.url + "/v1/audio/transcriptions", data={"model": "m"}, files={"file": ("a.wav", b"x" * 300_000)},
            timeout=TIMEOUT_S, trust_env=False,
        )
        assert answer.status_code == 503
        assert len(upstream.requests) == 2 and len(set(upstream.requests)) == 1
        upstream.stop()

    def test_uploads(self, route):
        """The body was passed on as it came, and is gone."""
        upstream = RawUpstream()
        upstream.answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        gateway = route({"m": [{"model": "whisper-1", "api_base": upstream.url + "/v1"}] * 2})
        answer = httpx.post(
            gateway.url + "/v1/files", data={"purpose": "batch"}, files={"file": ("a.jsonl", b"x" * 300_000)},
            timeout=TIMEOUT_S, trust_env=False,
        )
        assert answer.status_code == 503
        assert len(upstream.requests) == 1
        upstream.stop()

    def test_pass_through_stays_with_its_vendor(self, route, mock):
        """What names no model goes to OpenAI's deployments, also in a second round."""
        other = {"model": "anthropic/claude-haiku-4-5", "api_base": mock.url + "/anthropic", "priority": 9}
        gateway = route({"m": [NOBODY, other]})
        assert httpx.get(gateway.url + "/v1/files", timeout=TIMEOUT_S, trust_env=False).status_code == 502
        assert asked(mock) == 0

    def test_stream_that_has_begun(self, route, mock):
        """The client has output: it gets the error, nobody else is asked."""
        gateway = route({"m": ["mock-fault=reset-after-chunks-after=2-gap=0"]})
        answer = ask(gateway, "m", stream=True)
        assert answer.status_code == 200
        events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
        assert "error" in json.loads(events[-1]) and "[DONE]" not in answer.text
        assert asked(mock) == 1


class TestFirstEvent:
    """A stream decides with its first output, not with its head."""

    @pytest.mark.parametrize("fault", [
        "error-mid-stream-after=0", "reset-after-chunks-after=0", "close-early-after=0", "bad-chunk-after=0", "empty-stream",
    ])
    def test_falls_back(self, route, mock, fault):
        gateway = route({"m": [f"mock-fault={fault}-gap=0", "mock-echo=1"]}, {"strategy": "round_robin"})
        for _ in range(4):
            answer = ask(gateway, "m", stream=True)
            assert who(answer) == "m#2"
            assert answer.text.endswith("data: [DONE]\n\n") and "error" not in answer.text

    def test_error_is_told_when_nobody_is_left(self, route):
        gateway = route({"m": ["mock-fault=error-mid-stream-after=0"]}, {"max_retries": 0})
        answer = ask(gateway, "m", stream=True)
        assert answer.status_code >= 500 and "error" in answer.json()

    def test_slow_first_event_passes(self, route):
        """What the model needs to think is no failure; the head does not wait for ever either."""
        gateway = route({"m": ["mock-first=1500-echo=1"]})
        answer = ask(gateway, "m", stream=True)
        assert who(answer) == "m#1" and attempts(answer) == 1
        assert answer.text.endswith("data: [DONE]\n\n")


JSON_TYPE = b"content-type: application/json\r\n"


def plain(body, fields=JSON_TYPE):
    return b"HTTP/1.1 200 OK\r\n%scontent-length: %d\r\n\r\n%s" % (fields, len(body), body)


def chunked(body, fields=JSON_TYPE):
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    return b"HTTP/1.1 200 OK\r\n%stransfer-encoding: chunked\r\n\r\n%s0\r\n\r\n" % (fields, chunks)


class TestEmptyAnswers:
    """A plain 200 that says nothing is a failure like any other."""

    EMPTY = (
        plain(b""), plain(b"", b""), chunked(b""), chunked(b"", b""), plain(b"", b"content-type: text/plain\r\n"),
        plain(b"", b"content-encoding: gzip\r\n" + JSON_TYPE), plain(b"{}"),
        chunked(b'{"object": "chat.completion"}'), plain(b"null"),
        plain(b" \r\n"), chunked(b'{"error": {"message": "so it is", "code": 500}}'), b"HTTP/1.1 204 No\r\n\r\n",
    )

    @pytest.fixture
    def upstream(self):
        server = RawUpstream()
        yield server
        server.stop()

    @pytest.mark.parametrize("answer", EMPTY)
    def test_somebody_else_answers(self, route, upstream, answer):
        upstream.answer = answer
        gateway = route({"m": [{"model": "x", "api_base": upstream.url + "/v1", "priority": 2}, GOOD[0]]},
                        {"circuit_breaker": {"threshold": 3}})
        for number in range(5):
            got = ask(gateway, "m")
            assert who(got) == "m#2" and attempts(got) == (2 if number < 3 else 1)
            assert got.json()["choices"][0]["message"]["content"] == "hi"
        assert len(upstream.requests) == 3 and openings(gateway, "m#1") == 1 and openings(gateway, "m#2") == 0
        lines = [json.loads(line) for line in gateway.lines if '"exchanges":2' in line]
        assert len(lines) == 3 and all("error_class" not in line and line["status"] == 200 for line in lines), lines

    @pytest.mark.parametrize(("answer", "words"), [
        (plain(b""), "200 with an empty body"), (plain(b"{}"), 'no "choices"'),
        (plain(b'{"error": {"message": "so it is with sk-routing-secret"}}'), "so it is"),
    ])
    def test_the_client_is_told(self, route, upstream, answer, words):
        upstream.answer = answer
        gateway = route({"m": [{"model": "x", "api_base": upstream.url + "/v1"}]}, {"max_retries": 1})
        got = ask(gateway, "m")
        assert got.status_code == 502 and attempts(got) == 2
        error = got.json()["error"]
        assert error["code"] == "upstream_error" and words in error["message"] and "secret" not in got.text

    @pytest.mark.parametrize(("path", "provider", "body", "is_empty"), [
        ("/v1/completions", "openai", b'{"choices": []}', False), ("/v1/completions", "openai", b'{"data": []}', True),
        ("/v1/responses", "openai", b'{"output": []}', False), ("/v1/responses", "openai", b'{"object": "response"}', True),
        ("/v1/messages", "anthropic", b'{"content": []}', False), ("/v1/messages", "anthropic", b'{"type": "message"}', True),
        ("/v1beta/models/m:generateContent", "gemini", b'{"promptFeedback": {"blockReason": "SAFETY"}}', False),
        ("/v1beta/models/m:generateContent", "gemini", b'{"candidates": []}', False),
        ("/v1beta/models/m:generateContent", "gemini", b'{"usageMetadata": {}}', True),
        ("/v1/messages/count_tokens", "anthropic", b'{"input_tokens": 3}', False),
        ("/v1/embeddings", "openai", b"{}", False), ("/v1/moderations", "openai", b"", False),
    ])
    def test_what_each_api_must_say(self, route, upstream, path, provider, body, is_empty):
        upstream.answer = plain(body)
        model = {"gemini": "gemini-2.5-pro", "anthropic": "claude-sonnet-4-5"}.get(provider, "x")
        base = upstream.url + ("" if provider == "anthropic" else "/v1")
        gateway = route({"m": [{"model": f"{provider}/{model}", "api_base": base}]}, {"max_retries": 1})
        got = ask(gateway, "m", path=path, max_tokens=20, input="hi", prompt="hi", contents=[{"parts": [{"text": "hi"}]}])
        assert (got.status_code, attempts(got)) == ((502, 2) if is_empty else (200, 1)), got.text
        assert is_empty or got.content == body

    def test_an_array_that_is_a_stream_is_not_held(self, route, mock):
        """Gemini without alt=sse: the first piece is with the client while the provider stalls."""
        gateway = route({"m": [{"model": "gemini/mock-fault=stall-mid-after=2-gap=0", "api_base": mock.url + "/v1beta"}]})
        url = gateway.url + "/v1beta/models/m:streamGenerateContent"
        body = {"contents": [{"parts": [{"text": "hi"}]}]}
        with httpx.stream("POST", url, json=body, timeout=TIMEOUT_S, trust_env=False) as got:
            assert any(b"candidates" in piece for piece in got.iter_bytes())


# ---------------------------------------------------------------- fallbacks


class TestFallbacks:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("how", ["ours", "litellm's", "default", "in the group"])
    def test_another_group(self, route, how, stream):
        router, more = {"max_retries": 0}, {}
        if how == "ours":
            router["fallbacks"] = {"m": ["worse", "other"]}
        elif how == "litellm's":
            more["router_settings"] = {"fallbacks": [{"m": ["worse", "other"]}]}
        elif how == "default":
            more["router_settings"] = {"default_fallbacks": ["worse", "other"]}
        else:
            more["model_groups"] = {"m": {"fallbacks": ["worse", "other"]}}
        gateway = route({"m": BAD, "worse": ["mock-fault=reset"], "other": GOOD}, router, **more)
        answer = ask(gateway, "m", stream)
        assert_fell_back(answer, "m", "other#1")
        assert attempts(answer) == 3
        assert "x-failover" not in ask(gateway, "other").headers

    @pytest.mark.parametrize("status", [401, 403, 404, 402])
    def test_of_what_another_provider_may_do(self, route, mock, status):
        gateway = route({"m": [f"mock-status={status}"], "other": GOOD}, {"fallbacks": {"m": ["other"]}})
        assert_fell_back(ask(gateway, "m"), "m", "other#1")
        assert asked(mock) == 2

    def test_not_of_the_clients_mistake(self, route, mock):
        gateway = route({"m": ["mock-status=400"], "other": GOOD}, {"fallbacks": {"m": ["other"]}})
        assert ask(gateway, "m").status_code == 400 and asked(mock) == 1

    def test_context_window(self, route, mock):
        long = "mock-status=400-error_code=context_length_exceeded"
        gateway = route(
            {"m": [long], "long": GOOD, "general": GOOD},
            {"fallbacks": {"m": ["general"]}, "context_window_fallbacks": {"m": ["long"]}},
        )
        answer = ask(gateway, "m")
        assert_fell_back(answer, "m", "long#1")
        assert attempts(answer) == 2

    def test_content_policy(self, route, mock):
        refused = "mock-status=400-error_code=content_policy_violation"
        gateway = route(
            {"m": [refused], "lax": GOOD, "general": GOOD},
            {"fallbacks": {"m": ["general"]}, "content_policy_fallbacks": {"m": ["lax"]}},
        )
        answer = ask(gateway, "m")
        assert_fell_back(answer, "m", "lax#1")
        assert attempts(answer) == 2

    @pytest.mark.parametrize("code", ["context_length_exceeded", "content_policy_violation"])
    def test_of_such_refusals_without_a_list(self, route, mock, code):
        """The general fallbacks would answer the same: the client is told at once."""
        gateway = route({"m": [f"mock-status=400-error_code={code}"], "general": GOOD}, {"fallbacks": {"m": ["general"]}})
        assert ask(gateway, "m").status_code == 400 and asked(mock) == 1

    def test_circle(self, route, mock):
        """Each group once, however the lists point at each other."""
        gateway = route({"a": BAD, "b": BAD, "c": BAD}, {
            "max_retries": 0, "fallbacks": {"a": ["b", "c"], "b": ["a"], "c": ["b", "a"]}}, may_warn=True)
        answer = ask(gateway, "a")
        assert answer.status_code >= 500
        assert asked(mock) == 3

    def test_presets(self, route):
        groups = {"gpt-4o": BAD, "claude-sonnet-4-5": BAD, "gemini-2.5-pro": GOOD}
        answer = ask(route(groups, {"max_retries": 0}), "gpt-4o")
        assert_fell_back(answer, "gpt-4o", "gemini-2.5-pro#1")
        assert attempts(answer) == 3

    @pytest.mark.parametrize("router", [{"preset_fallbacks": False}, {"failover": False}, {"fallbacks": {"gpt-4o": ["m"]}}])
    def test_no_presets(self, route, router):
        groups = {"gpt-4o": BAD, "claude-sonnet-4-5": GOOD, "m": BAD}
        assert ask(route(groups, {"max_retries": 0, **router}), "gpt-4o").status_code >= 500

    @pytest.mark.parametrize(("mode", "served_by"), [
        ("cloud_first", "cloud#1"), ("local_first", "local#1"), ("local_only", "local#1"), ("cloud_only", "cloud#1"),
    ])
    def test_failover_mode(self, route, mode, served_by):
        """Of the groups that follow; the list is the same each time."""
        cloud, local = [{"model": GOOD[0], "is_local": False}], [{"model": GOOD[0], "is_local": True}]
        order = ["local", "cloud"] if mode.startswith("cloud") else ["cloud", "local"]
        gateway = route({"m": BAD, "cloud": cloud, "local": local}, {"max_retries": 0, "fallbacks": {"m": order}},
                        env={"FAILOVER_MODE": mode})
        assert who(ask(gateway, "m")) == served_by

    def test_fallback_speaks_another_dialect(self, route, mock):
        other = {"model": "anthropic/claude-sonnet-4-5", "api_base": mock.url + "/anthropic"}
        gateway = route({"m": BAD, "other": [other]}, {"max_retries": 0, "fallbacks": {"m": ["other"]}})
        for stream in (False, True):
            answer = ask(gateway, "m", stream, max_tokens=50)
            assert who(answer) == "other#1"
            assert answer.headers["x-provider"] == "anthropic" and answer.headers["x-original-provider"] == "openai"
            if stream:
                assert answer.text.endswith("data: [DONE]\n\n")
            else:
                assert answer.json()["choices"][0]["message"]["content"]

    def test_client_speaks_another_dialect(self, route, mock):
        claude = {"model": "anthropic/claude-sonnet-4-5", "api_base": mock.url + "/anthropic", "extra_headers": {
            "x-mock-status": "529"}}
        gateway = route({"m": [claude], "other": GOOD}, {"max_retries": 0, "fallbacks": {"m": ["other"]}})
        for stream in (False, True):
            answer = ask(gateway, "m", stream, path="/v1/messages", max_tokens=50)
            assert who(answer) == "other#1"
            assert ("message_stop" in answer.text) if stream else answer.json()["content"][0]["text"] == "hi"


# ---------------------------------------------------------------- breakers, and nobody left


class TestBreaker:
    def test_opens_and_recovers(self, route, start_mock):
        mock = start_mock()
        flaky = {"model": "mock-small", "api_base": mock.url + "/v1", "priority": 2}
        gateway = route({"m": [flaky, {"model": GOOD[0], "priority": 1}]},
                        {"circuit_breaker": {"threshold": 3, "cooldown": "300ms"}})

        def switch(query):
            httpx.post(f"{mock.url}/mock/knobs{query}", trust_env=False).raise_for_status()

        assert who(ask(gateway, "m")) == "m#1"
        switch("?status=500")
        for number in range(3):
            assert openings(gateway, "m#1") == 0, number
            answer = ask(gateway, "m")
            assert who(answer) == "m#2" and attempts(answer) == 2
        assert openings(gateway, "m#1") == 1
        before = mock.stats()["requests"]
        answer = ask(gateway, "m")
        assert who(answer) == "m#2" and attempts(answer) == 1
        assert mock.stats()["requests"] == before
        switch("")
        wait_until(lambda: who(ask(gateway, "m")) == "m#1")
        assert spread(gateway, "m", 20) == {"m#1": 20}  # more than the probes of a half-open one

    def test_clients_mistakes_do_not_open_it(self, route):
        gateway = route({"m": ["mock-status=400"]}, {"circuit_breaker": {"threshold": 2}})
        for _ in range(6):
            assert ask(gateway, "m").status_code == 400
        assert openings(gateway, "m#1") == 0

    def test_streams_that_break_open_it(self, route):
        """Each client got its error event; then nobody is sent there any more."""
        gateway = route(
            {"m": [{"model": "mock-fault=reset-after-chunks-gap=0", "priority": 2}, {"model": GOOD[0], "priority": 1}]},
            {"circuit_breaker": {"threshold": 3}},
        )
        for _ in range(3):
            assert '"error"' in ask(gateway, "m", stream=True).text
        wait_until(lambda: openings(gateway, "m#1") == 1)  # the line comes behind the answer
        for _ in range(5):
            answer = ask(gateway, "m", stream=True)
            assert who(answer) == "m#2" and answer.text.endswith("data: [DONE]\n\n")


class TestNobodyLeft:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("path", [CHAT, "/v1/messages"])
    def test_one_error_that_tells_of_all(self, route, path, stream):
        garbage = RawUpstream()
        garbage.answer, garbage.closes = b"\x16\x03\x01 sk-routing-secret \r\n\r\n", True
        gateway = route(
            {
                "m": ["mock-status=500-error_message=boom with sk-routing-secret", NOBODY,
                      {"model": "x", "api_base": garbage.url + "/v1"}],
                "other": ["mock-fault=stall"],
            },
            {"max_retries": 0, "fallbacks": {"m": ["other"]}, "strategy": "round_robin"},
            upstream={"first_byte_timeout": "300ms", "connect_timeout": "300ms"},
        )
        begin = time.monotonic()
        answer = ask(gateway, "m", stream, path=path, max_tokens=20)
        assert time.monotonic() - begin < 3 * SLOWNESS
        assert answer.status_code >= 500
        assert answer.headers["content-type"] == "application/json"
        message = answer.json()["error"]["message"]
        assert "'m'" in message and "other#1" in message
        assert "secret" not in answer.text
        garbage.stop()

    @pytest.mark.parametrize("shift", range(4))
    def test_long_words_of_a_provider(self, route, shift):
        """They are cut, in whole characters."""
        upstream = RawUpstream()
        words = "x" * shift + "\u00fc\u4e16\U0001f469 " * 100
        content = json.dumps({"error": {"message": words}}, ensure_ascii=False).encode()
        upstream.answer = b"HTTP/1.1 500 No\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
            len(content), content)
        gateway = route({"m": [{"model": "x", "api_base": upstream.url + "/v1"}] * 2}, {"max_retries": 1})
        message = ask(gateway, "m").json()["error"]["message"]
        assert words[:50] in message and len(message.encode()) < 700 and "\ufffd" not in message
        upstream.stop()

    def test_each_deployment_and_why(self, route):
        gateway = route(
            {"m": ["mock-status=500-error_message=boom", NOBODY, "mock-fault=stall"]},
            {"max_retries": 1, "retry": {"delay": "1ms"}, "strategy": "round_robin"},
            upstream={"first_byte_timeout": "300ms"},
        )
        message = ask(gateway, "m").json()["error"]["message"]
        for part in ("'m#1'", "boom", "'m#2'", "refused", "'m#3'", "first byte"):
            assert part in message, message

    def test_breakers_are_open(self, route, mock):
        gateway = route({"m": BAD}, {"max_retries": 0, "retry": {"deadline": "1s"},
                                     "circuit_breaker": {"threshold": 2, "cooldown": "20s"}})
        for _ in range(2):
            assert ask(gateway, "m").status_code == 500
        begin, before = time.monotonic(), asked(mock)
        answer = ask(gateway, "m")
        assert time.monotonic() - begin < 2
        assert answer.status_code == 503 and asked(mock) == before
        assert 0 < int(answer.headers["retry-after"]) <= 20
        error = answer.json()["error"]
        assert "m#1" in error["message"] and "breaker" in error["message"]
