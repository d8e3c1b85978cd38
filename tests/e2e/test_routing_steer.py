# SPDX-License-Identifier: MIT
"""What a request says about its own way: retries, fallbacks, tags, region, what it sticks to, model "auto"."""

import httpx
import pytest
from routing import BAD, CHAT, GOOD, TIMEOUT_S, ask, asked, assert_fell_back, attempts, spread, who

FLAKY = {"m": BAD, "a": BAD, "b": GOOD}


class TestRetries:
    @pytest.mark.parametrize("name", ["x-gatewire-retries", "x-litellm-num-retries"])
    @pytest.mark.parametrize(("wanted", "made"), [(0, 1), (1, 2), (50, 3)])
    def test_fewer_never_more(self, route, mock, name, wanted, made):
        gateway = route({"m": BAD}, {"max_retries": 2})
        assert ask(gateway, "m", headers={name: str(wanted)}).status_code == 500
        assert asked(mock) == made

    @pytest.mark.parametrize("value", ["many", "-1", "", "1e3", "99999999999999999999"])
    def test_what_is_no_number(self, route, mock, value):
        answer = ask(route({"m": GOOD}), "m", headers={"x-litellm-num-retries": value})
        assert answer.status_code == 400 and "x-litellm-num-retries" in answer.json()["error"]["message"]
        assert asked(mock) == 0


class TestFallbacks:
    def test_off(self, route, mock):
        gateway = route(FLAKY, {"max_retries": 1, "fallbacks": {"m": ["b"]}})
        answer = ask(gateway, "m", headers={"x-gatewire-fallback": "off"})
        assert answer.status_code >= 500 and "x-failover" not in answer.headers
        assert asked(mock) == 2  # its own group is still asked again
        assert_fell_back(ask(gateway, "m"), "m", "b#1")

    @pytest.mark.parametrize("stream", [False, True])
    def test_own_list(self, route, mock, stream):
        gateway = route(FLAKY, {"max_retries": 0})
        answer = ask(gateway, "m", stream, fallbacks=["a", "b"])
        assert_fell_back(answer, "m", "b#1")
        assert attempts(answer) == 3
        assert b"fallbacks" not in mock.last_body()

    def test_own_list_goes_before(self, route):
        gateway = route({**FLAKY, "c": GOOD}, {"max_retries": 0, "fallbacks": {"m": ["c"]}})
        assert_fell_back(ask(gateway, "m", fallbacks=["b"]), "m", "b#1")

    def test_own_list_names_itself(self, route, mock):
        gateway = route(FLAKY, {"max_retries": 0})
        assert ask(gateway, "m", fallbacks=["m", "m", "a", "m"]).status_code >= 500
        assert asked(mock) == 2

    def test_own_list_is_bounded(self, route, mock):
        """However long it is: at most max_fallbacks (5) other groups."""
        groups = {f"m{number}": BAD for number in range(10)}
        gateway = route(groups, {"max_retries": 0})
        assert ask(gateway, "m0", fallbacks=[f"m{number % 10}" for number in range(200)]).status_code >= 500
        assert asked(mock) <= 6

    def test_headers_do_not_go_on(self, route, mock):
        gateway = route({"m": GOOD})
        ask(gateway, "m", headers={"x-gatewire-fallback": "off", "x-litellm-num-retries": "1"})
        names = [name.lower() for name, _ in mock.last()["headers"]]
        assert not [name for name in names if name.startswith(("x-gatewire", "x-litellm"))]


class TestAffinity:
    def test_by_user(self, route):
        gateway = route({"m": GOOD * 4}, {"strategy": "round_robin", "affinity": "user"})
        homes = {}
        for user in map(str, range(20)):
            seen = spread(gateway, "m", 4, user=user)
            assert len(seen) == 1, f"user {user} was sent to {seen}"
            homes[user] = next(iter(seen))
        assert len(set(homes.values())) >= 3

    def test_by_the_beginning_of_the_conversation(self, route):
        """Later turns go where the provider's prompt cache has the earlier ones."""
        gateway = route({"m": GOOD * 4}, {"strategy": "round_robin", "affinity": "prefix"})
        homes = set()
        for topic in range(20):
            turns = [{"role": "system", "content": f"About {topic}"}, {"role": "user", "content": "one"}]
            first = who(ask(gateway, "m", messages=turns))
            for text in ("two", "three"):
                turns += [{"role": "assistant", "content": "ok"}, {"role": "user", "content": text}]
                assert who(ask(gateway, "m", messages=turns)) == first
            homes.add(first)
        assert len(homes) >= 3

    @pytest.mark.parametrize("name", ["x-gatewire-session", "x-litellm-trace-id"])
    def test_by_session(self, route, name):
        gateway = route({"m": GOOD * 4}, {"strategy": "round_robin"})
        homes = set()
        for session in map(str, range(20)):
            seen = {who(ask(gateway, "m", headers={name: session})) for _ in range(3)}
            assert len(seen) == 1
            homes |= seen
        assert len(homes) >= 3

    def test_gives_way_to_a_failure(self, route):
        gateway = route({"m": [*GOOD, *BAD, *GOOD]}, {"affinity": "user"})
        for user in map(str, range(10)):
            assert who(ask(gateway, "m", user=user)) != "m#2"


class TestTagsAndRegion:
    @pytest.mark.parametrize("name", ["x-gatewire-tags", "x-litellm-tags"])
    def test_tags(self, route, name):
        deployments = [{"model": GOOD[0], "tags": ["free"]}, {"model": GOOD[0], "tags": ["paid", "eu"]}]
        gateway = route({"m": deployments}, {"strategy": "round_robin", "enable_tag_filtering": True})
        for tags, served_by in (("free", "m#1"), ("paid", "m#2"), ("eu, paid", "m#2")):
            assert {who(ask(gateway, "m", headers={name: tags})) for _ in range(4)} == {served_by}
        assert spread(gateway, "m", 4) == {"m#1": 2, "m#2": 2}

    def test_tag_that_nobody_has(self, route):
        deployments = [{"model": GOOD[0], "tags": ["free"]}, {"model": GOOD[0], "tags": ["paid"]}]
        gateway = route({"m": deployments}, {"enable_tag_filtering": True})
        for tags in ("gold", "free,gold"):
            answer = ask(gateway, "m", headers={"x-litellm-tags": tags})
            assert answer.status_code == 400 and "gold" in answer.json()["error"]["message"]
        answer = ask(gateway, "m", headers={"x-litellm-tags": "free,paid"})
        assert answer.status_code >= 400 and "tag" in answer.json()["error"]["message"]

    def test_tags_without_filtering(self, route):
        """LiteLLM's clients send theirs for the bill as well."""
        gateway = route({"m": [{"model": GOOD[0], "tags": ["free"]}]})
        assert who(ask(gateway, "m", headers={"x-litellm-tags": "team-a,project-b"})) == "m#1"
        answer = ask(gateway, "m", headers={"x-gatewire-tags": "free"})
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert "router.enable_tag_filtering" in error["message"] and "free" not in error["message"]
        assert error["param"] == "x-gatewire-tags"

    def test_tags_that_no_deployment_has_at_all(self, route):
        gateway = route({"m": GOOD}, {"enable_tag_filtering": True})
        answer = ask(gateway, "m", headers={"x-gatewire-tags": "free"})
        assert answer.status_code == 400 and "No deployment has the tag 'free'" in answer.json()["error"]["message"]

    @pytest.mark.parametrize("name", ["region", "region_name"])
    def test_region(self, route, name):
        deployments = [{"model": GOOD[0], name: region} for region in ("us-east-1", "eu-central-1")]
        gateway = route({"m": deployments}, {"strategy": "round_robin"})
        for region, served_by in (("us-east-1", "m#1"), ("eu-central-1", "m#2")):
            assert {who(ask(gateway, "m", headers={"x-gatewire-region": region})) for _ in range(4)} == {served_by}
        answer = ask(gateway, "m", headers={"x-gatewire-region": "nowhere"})
        assert answer.status_code >= 400 and "region" in answer.json()["error"]["message"]


HARD = (
    "Analyse this algorithm step by step, prove its complexity, compare it with alternatives and design a distributed "
    "architecture. You must not use locks, it must be at most 100 lines, and it should handle errors. Why is $O(n \\log n)$ "
    "optimal? How would you test it? What are the trade-offs?\n```c\nint main(void) { return 0; }\n```\n"
) * 8


class TestAuto:
    @pytest.fixture
    def gateway(self, route):
        tiers = {"low": "small", "medium": "middle", "high": "large"}
        return route({"small": GOOD, "middle": GOOD, "large": GOOD}, {"auto": tiers})

    @pytest.mark.parametrize(("text", "served_by"), [("What time is it?", "small#1"), (HARD, "large#1")])
    def test_by_complexity(self, gateway, text, served_by):
        assert who(ask(gateway, "auto", messages=[{"role": "user", "content": text}])) == served_by
        assert who(ask(gateway, "", messages=[{"role": "user", "content": text}])) == served_by
        assert who(ask(gateway, "middle", messages=[{"role": "user", "content": text}])) == "middle#1"

    @pytest.mark.parametrize("model", [{}, {"model": None}])
    def test_without_a_model(self, gateway, model):
        body = {**model, "messages": [{"role": "user", "content": "What time is it?"}]}
        assert who(httpx.post(gateway.url + CHAT, json=body, timeout=TIMEOUT_S, trust_env=False)) == "small#1"

    def test_without_tiers(self, route):
        assert ask(route({"m": GOOD}), "auto").status_code == 404
