# SPDX-License-Identifier: MIT
"""The lists of models tell what is known of each, in each dialect's own members, and nothing that is not known."""

import json
from decimal import Decimal

import httpx
import ollama
import openai
import pytest
from google import genai
from servers import TOP, Gatewire

FACTS = {(row["provider"], row["model"]): row
         for row in json.loads((TOP / "src" / "llm" / "model_facts.json").read_text())["models"]}
GPT, CLAUDE, GEMINI, LLAMA = (FACTS[key] for key in (
    ("openai", "gpt-4.1"), ("anthropic", "claude-sonnet-5-5"), ("gemini", "gemini-4-hydrogen"),
    ("groq", "llama-3.3-70b-versatile")))


def entry(name, model, info=None, **params):
    made = {"model_name": name, "litellm_params": {"model": model, "api_key": "k", **params}}
    return {**made, "model_info": info} if info else made


MODEL_LIST = [
    entry("gpt", "openai/gpt-4.1"),
    entry("claude", "anthropic/claude-sonnet-5-5"),
    entry("gemini", "gemini/gemini-4-hydrogen"),
    entry("vectors", "openai/text-embedding-3-small"),
    entry("both", "openai/gpt-4.1"),
    entry("both", "groq/llama-3.3-70b-versatile"),
    entry("unknown", "openai_like/nobody-knows", api_base="http://127.0.0.1:1/v1"),
    entry("own", "openai_like/mine", api_base="http://127.0.0.1:1/v1", info={
        "max_input_tokens": 5000, "max_output_tokens": 700, "input_cost_per_token": "1e-15", "output_cost_per_token": 0,
        "supports_vision": True, "supports_pdf_input": True}),
    entry("half", "openai/gpt-4.1", info={"supports_vision": False}),
    entry("groq/*", "groq/*"),
    entry("local/*", "openai_like/*", api_base="http://127.0.0.1:1/v1"),
]


@pytest.fixture(scope="module")
def listing(tmp_path_factory):
    server = Gatewire(tmp_path_factory.mktemp("models"), {"model_list": MODEL_LIST})
    yield server
    assert server.stop() == 0, server.output()


def get(gateway, path, **headers):
    return httpx.get(gateway.url + path, headers=headers, trust_env=False).json()


@pytest.fixture(scope="module")
def models(listing):
    return {model["id"]: model for model in get(listing, "/v1/models")["data"]}


def per_token(row, member):
    return Decimal(row["usd"][member]) / 10**6


class TestOpenai:
    @pytest.mark.parametrize(("name", "provider", "row"), [
        ("gpt", "openai", GPT), ("claude", "anthropic", CLAUDE), ("gemini", "gemini", GEMINI)])
    def test_what_the_table_knows(self, models, name, provider, row):
        model = models[name]
        assert model["owned_by"] == model["provider"] == provider
        assert model["context_length"] == model["context_window"] == row["context"]
        assert model["max_output_tokens"] == row["max_output"]
        assert sorted(model["capabilities"]) == sorted(row["can"])
        members = {"prompt": "input", "completion": "output", "input_cache_read": "cached_input",
                   "input_cache_write": "cache_write"}
        expected = {theirs: per_token(row, ours) for theirs, ours in members.items() if ours in row["usd"]}
        assert {member: Decimal(text) for member, text in model["pricing"].items()} == expected
        assert all("e" not in text.lower() for text in model["pricing"].values())

    def test_kinds_of_input(self, models):
        assert models["gpt"]["architecture"] == {"input_modalities": ["text", "image"], "output_modalities": ["text"]}
        assert models["gemini"]["architecture"]["input_modalities"] == ["text", "image", "audio", "video", "file"]
        assert models["vectors"]["architecture"]["output_modalities"] == ["embeddings"]

    def test_what_is_not_known_is_absent(self, models):
        for name in ("unknown", "local/*", "gatewire/demo"):
            assert set(models[name]) == {"id", "object", "created", "owned_by", "provider"}

    def test_of_several_deployments_what_holds_for_all(self, models):
        both = models["both"]
        assert both["context_length"] == min(GPT["context"], LLAMA["context"])
        assert both["max_output_tokens"] == min(GPT["max_output"], LLAMA["max_output"])
        assert set(both["capabilities"]) == set(GPT["can"]) & set(LLAMA["can"])
        assert Decimal(both["pricing"]["completion"]) == max(per_token(GPT, "output"), per_token(LLAMA, "output"))

    def test_the_configuration_goes_before(self, models):
        own = models["own"]
        assert (own["context_length"], own["max_output_tokens"]) == (5000, 700)
        assert own["capabilities"] == ["image", "pdf"]
        assert own["pricing"] == {"prompt": "0.000000000000001", "completion": "0"}
        assert "image" not in models["half"]["capabilities"]
        assert models["half"]["pricing"] == models["gpt"]["pricing"]

    def test_one_is_as_in_the_list(self, listing, models):
        for name in ("gpt", "own", "both", "unknown"):
            assert get(listing, f"/v1/models/{name}") == models[name]

    def test_a_name_that_a_pattern_matches(self, listing):
        found = get(listing, "/v1/models/groq/llama-3.3-70b-versatile")
        assert found["context_length"] == LLAMA["context"]
        assert found["provider"] == "groq"

    def test_a_pattern_is_listed_as_the_models_it_matches(self, listing, models):
        groq = {f"groq/{model}" for provider, model in FACTS if provider == "groq"}
        assert groq == {name for name in models if name.startswith("groq/")}
        assert models["groq/llama-3.3-70b-versatile"] == get(listing, "/v1/models/groq/llama-3.3-70b-versatile")

    def test_the_list_is_always_the_same(self, listing):
        assert get(listing, "/v1/models") == get(listing, "/v1/models")

    def test_sdk(self, listing):
        with openai.OpenAI(base_url=listing.url + "/v1", api_key="k", max_retries=0) as client:
            assert client.models.retrieve("gpt").context_length == GPT["context"]
            assert {model.id for model in client.models.list()} >= {row["model_name"] for row in MODEL_LIST} - {"groq/*"}


class TestOthers:
    def test_anthropic(self, listing):
        version = {"anthropic-version": "2023-06-01"}
        listed = {model["id"]: model for model in get(listing, "/v1/models", **version)["data"]}
        assert listed["claude"]["max_input_tokens"] == CLAUDE["context"]
        assert listed["claude"]["max_tokens"] == CLAUDE["max_output"]
        page = get(listing, "/v1/models", **version)
        assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
        assert not {"max_input_tokens", "max_tokens", "pricing"} & set(listed["unknown"])

    def test_gemini(self, listing):
        listed = {model["name"]: model for model in get(listing, "/v1beta/models")["models"]}
        found = listed["models/gemini"]
        assert (found["inputTokenLimit"], found["outputTokenLimit"]) == (GEMINI["context"], GEMINI["max_output"])
        assert found["thinking"] is True and "thinking" not in listed["models/gpt"]
        assert "embedContent" in listed["models/vectors"]["supportedGenerationMethods"]
        client = genai.Client(api_key="k", http_options={"base_url": listing.url})
        assert client.models.get(model="gemini").input_token_limit == GEMINI["context"]

    def test_ollama(self, listing):
        client = ollama.Client(host=listing.url, trust_env=False)
        assert {model.model for model in client.list().models} >= {"gpt", "unknown"}
        shown = client.show("gpt")
        assert shown.modelinfo["gatewire.context_length"] == GPT["context"]
        assert {"completion", "tools", "vision"} == set(shown.capabilities)
        assert set(client.show("unknown").capabilities) == {"completion"}
        assert client.show("vectors").capabilities == ["embedding"]
