# SPDX-License-Identifier: MIT
"""Responses that the gateway keeps, because the provider only has chat: the official OpenAI Python SDK goes on from them."""

import json

import openai
import pytest

TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Applies a patch"}
KEYS = {"API_KEY": "sk-one", "GATEWIRE_MASTER_KEY": "sk-two"}


def config(mock):
    """One provider with OpenAI's chat only, one with another API."""
    chat = {"model": "fireworks/mock-small", "api_base": mock.url + "/v1", "api_key": "sk-mock"}
    messages = {"model": "anthropic/mock-small", "api_base": mock.url, "api_key": "sk-mock"}
    own = {"model": "openai/mock-small", "api_base": mock.url + "/v1", "api_key": "sk-mock"}
    names = {"chat": chat, "messages": messages, "own": own}
    return {"model_list": [{"model_name": name, "litellm_params": params} for name, params in names.items()]}


def connect(gateway, key="sk-one"):
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key=key, max_retries=0)


@pytest.fixture
def gateway(start_gateway, mock):
    mock.reset()
    return start_gateway(config(mock), env=KEYS)


@pytest.fixture
def client(gateway):
    with connect(gateway) as client:
        yield client


def finish(client, **request):
    """The response, however it comes."""
    answer = client.responses.create(**request)
    if not request.get("stream"):
        return answer
    last = list(answer)[-1]
    assert last.type == "response.completed", last
    return last.response


def sent(mock):
    """The texts of the conversation that the provider was sent last, oldest first."""
    texts = []
    for message in json.loads(mock.last_body())["messages"]:
        content = message["content"]
        texts.append(content if isinstance(content, str) else "".join(part.get("text", "") for part in content))
    return texts


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("model", ["chat", "messages"])
class TestConversation:
    def test_three_turns(self, client, mock, model, stream):
        first = finish(client, model=model, input="My name is Ada.", stream=stream)
        second = finish(client, model=model, input="And yours?", previous_response_id=first.id, stream=stream)
        again = [{"role": "user", "content": "Who am I?"}]
        third = finish(client, model=model, input=again, previous_response_id=second.id, stream=stream)
        assert third.previous_response_id == second.id
        assert len({first.id, second.id, third.id}) == 3
        assert sent(mock) == [
            "My name is Ada.",
            first.output_text,
            "And yours?",
            second.output_text,
            "Who am I?",
        ]
        # A branch from the first turn knows nothing of the second.
        finish(client, model=model, input="Other way.", previous_response_id=first.id, stream=stream)
        assert sent(mock) == ["My name is Ada.", first.output_text, "Other way."]

    def test_read_and_delete(self, client, model, stream):
        first = finish(client, model=model, input="one", stream=stream)
        second = finish(client, model=model, input="two", previous_response_id=first.id, stream=stream)
        kept = client.responses.retrieve(second.id)
        assert kept.output_text == second.output_text
        assert kept.usage == second.usage
        assert kept.previous_response_id == first.id
        items = client.responses.input_items.list(second.id, order="asc").data
        assert [item.content[0].text for item in items] == ["one", first.output_text, "two"]
        newest = client.responses.input_items.list(second.id, limit=1)
        assert newest.data[0].content[0].text == "two"
        assert newest.has_more
        client.responses.delete(second.id)
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(second.id)
        with pytest.raises(openai.BadRequestError, match="previous_response_id"):
            client.responses.create(model=model, input="three", previous_response_id=second.id)
        assert client.responses.retrieve(first.id).output_text == first.output_text

    def test_tool(self, client, mock, model, stream):
        asked = {"model": model, "tools": [TOOL], "stream": stream}
        first = finish(client, input="Weather in Ulm?", tool_choice="required", **asked)
        call = next(item for item in first.output if item.type == "function_call")
        result = [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
        second = finish(client, input=result, previous_response_id=first.id, **asked)
        assert second.output_text
        body = mock.last_body().decode()
        assert call.call_id in body
        assert "sunny" in body

    def test_custom_tool(self, client, mock, model, stream):
        asked = {"model": model, "tools": [PATCH], "stream": stream}
        first = finish(client, input="Mend it.", tool_choice="required", **asked)
        call = next(item for item in first.output if item.type == "custom_tool_call")
        assert call.name == "apply_patch"
        result = [{"type": "custom_tool_call_output", "call_id": call.call_id, "output": "applied"}]
        second = finish(client, input=result, previous_response_id=first.id, **asked)
        assert second.output_text
        assert "applied" in mock.last_body().decode()


class TestRules:
    def test_not_stored(self, client):
        answer = client.responses.create(model="chat", input="secret", store=False)
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(answer.id)
        with pytest.raises(openai.BadRequestError):
            client.responses.create(model="chat", input="more", previous_response_id=answer.id)

    def test_other_key_finds_nothing(self, gateway, client):
        answer = client.responses.create(model="chat", input="mine")
        with connect(gateway, "sk-two") as other:
            for ask in (
                lambda: other.responses.retrieve(answer.id),
                lambda: other.responses.input_items.list(answer.id),
                lambda: other.responses.delete(answer.id),
                lambda: other.responses.cancel(answer.id),
            ):
                with pytest.raises(openai.NotFoundError):
                    ask()
            with pytest.raises(openai.BadRequestError):
                other.responses.create(model="chat", input="go on", previous_response_id=answer.id)
        assert client.responses.retrieve(answer.id).id == answer.id

    def test_same_request_id_twice(self, client):
        headers = {"x-request-id": "mine"}
        first = client.responses.create(model="chat", input="one", extra_headers=headers)
        second = client.responses.create(
            model="chat", input="two", previous_response_id=first.id, extra_headers=headers
        )
        assert first.id != second.id
        assert client.responses.retrieve(first.id).output_text == first.output_text

    def test_goes_on_at_a_provider_with_responses(self, client, mock):
        first = client.responses.create(model="chat", input="one")
        client.responses.create(model="own", input="two", previous_response_id=first.id)
        body = json.loads(mock.last_body())
        assert "previous_response_id" not in body
        assert body["model"] == "mock-small"
        assert body["input"][0]["content"] == "one"

    def test_provider_keeps_its_own(self, client, mock):
        answer = client.responses.create(model="own", input="one")
        client.responses.create(model="own", input="two", previous_response_id=answer.id)
        assert json.loads(mock.last_body())["previous_response_id"] == answer.id
        assert client.responses.retrieve(answer.id).id == answer.id
        assert mock.last()["target"] == "/v1/responses/" + answer.id

    def test_cancel_and_bad_queries(self, client):
        answer = client.responses.create(model="chat", input="one")
        with pytest.raises(openai.BadRequestError, match="background"):
            client.responses.cancel(answer.id)
        with pytest.raises(openai.BadRequestError, match="limit"):
            client.responses.input_items.list(answer.id, limit=0)
        with pytest.raises(openai.BadRequestError, match="stream"):
            list(client.responses.retrieve(answer.id, stream=True))

    def test_gone_after_restart(self, start_gateway, client, mock):
        answer = client.responses.create(model="chat", input="one")
        with connect(start_gateway(config(mock), env=KEYS)) as after, pytest.raises(openai.NotFoundError):
            after.responses.retrieve(answer.id)

    def test_shared_by_workers(self, start_gateway, mock):
        gateway = start_gateway({**config(mock), "server": {"workers": 4}}, env=KEYS)
        previous = None
        for turn in range(12):  # a connection each, so that all workers have their turn
            with connect(gateway) as client:
                answer = client.responses.create(model="chat", input=f"turn {turn}", previous_response_id=previous)
            previous = answer.id
        assert sent(mock)[::2] == [f"turn {turn}" for turn in range(12)]
