# SPDX-License-Identifier: MIT
"""The providers of the matrix: one deployment each, all at one mock."""

AWS_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOCK_ARGS = ("--aws-secret", AWS_SECRET)


def _rows(url):
    # A fixed token: how tokens are fetched and refreshed has tests of its own.
    vertex = {"api_base": url + "/vertex/v1", "vertex_project": "matrix", "vertex_location": "global",
              "api_key": "AIza-mock", "extra_headers": {"authorization": "Bearer ya29.mock"}}
    aws = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": AWS_SECRET, "aws_region_name": "us-east-1"}
    key = {"api_key": "sk-mock"}
    return {
        "openai": {"model": "openai/gpt-4.1", "api_base": url + "/v1", **key},
        "azure": {"model": "azure/gpt-4.1", "api_base": url + "/azure", "api_version": "2024-10-21", **key},
        "anthropic": {"model": "anthropic/claude-sonnet-4-5", "api_base": url + "/anthropic", **key},
        "gemini": {"model": "gemini/gemini-2.5-flash", "api_base": url + "/gemini/v1beta", **key},
        "vertex_ai gemini": {"model": "vertex_ai/gemini-2.5-flash", **vertex},
        "vertex_ai claude": {"model": "vertex_ai/claude-sonnet-4-5", **vertex},
        "bedrock": {"model": "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0", "api_base": url + "/bedrock", **aws},
        "cohere": {"model": "cohere/command-a-03-2025", "api_base": url + "/cohere", **key},
        "mistral": {"model": "mistral/mistral-small-latest", "api_base": url + "/mistral/v1", **key},
        "deepseek": {"model": "deepseek/deepseek-chat", "api_base": url + "/deepseek", **key},
        "groq": {"model": "groq/llama-3.3-70b-versatile", "api_base": url + "/v1", **key},
        "vllm": {"model": "vllm/llama", "api_base": url + "/v1", **key},
    }


NAMES = tuple(_rows(""))


def model_of(provider):
    """The public name of a provider's deployment; plain enough for every dialect's path."""
    return "m-" + provider.replace(" ", "-")


def model_list(mock):
    rows = _rows(mock.url)
    return [{"model_name": model_of(name), "litellm_params": params} for name, params in rows.items()]
