# SPDX-License-Identifier: MIT
"""Fixtures: gateways and mock providers on free ports, ended by their own process id."""

import pytest
from certificates import Authority
from figures import pytest_terminal_summary  # noqa: F401 - a hook
from routing import DELAY_MS
from servers import Gatewire, Mockllm, deployment
from vendors import three_vendors


@pytest.fixture(scope="session")
def mock(tmp_path_factory):
    """A mock provider that the tests of one worker share, one after the other; reset it before counting."""
    server = Mockllm(tmp_path_factory.mktemp("mock"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory, mock):
    """A gateway in front of `mock` with ordinary settings, shared likewise. It must survive all tests."""
    models = [deployment(mock, name) for name in ("mock-small", "mock-large")]
    server = Gatewire(tmp_path_factory.mktemp("gateway"), {"model_list": models})
    yield server
    assert server.is_running(), server.output()
    assert server.stop() == 0, server.output()


@pytest.fixture(scope="session")
def vendors(tmp_path_factory, mock):
    """A gateway with one model of each of three vendors that speak different APIs: vendors.py names them."""
    server = Gatewire(tmp_path_factory.mktemp("vendors"), {"model_list": three_vendors(mock)})
    yield server
    assert server.is_running(), server.output()
    assert server.stop() == 0, server.output()


@pytest.fixture
def start_mock(tmp_path):
    """Starts mock providers of the test's own: start_mock("--latency", "5")."""
    servers = []

    def start(*args):
        folder = tmp_path / f"mock{len(servers)}"
        folder.mkdir()
        servers.append(Mockllm(folder, *args))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def start_gateway(tmp_path):
    """Starts gateways of the test's own: start_gateway({"model_list": [...]}, env={"API_KEY": "x"})."""
    servers = []

    def start(config, env=None, command=()):
        folder = tmp_path / f"gateway{len(servers)}"
        folder.mkdir()
        servers.append(Gatewire(folder, config, env, command))
        return servers[-1]

    yield start
    for server in servers:
        if server.is_running():
            assert server.stop() == 0, server.output()


@pytest.fixture
def route(start_gateway, mock):
    """Starts a gateway: route({"group": ["upstream model", {..params}, ...]}, router={...})."""
    mock.reset()

    def entry(group, what):
        params = {"model": what} if isinstance(what, str) else dict(what)
        params["model"] = params["model"] if "/" in params["model"] else f"openai/{params['model']}"
        return {"model_name": group, "litellm_params": {"api_base": mock.url + "/v1", "api_key": "sk-routing-secret", **params}}

    def start(groups, router=None, env=None, may_warn=False, **more):
        router = {**(router or {})}
        router["retry"] = {"delay": f"{DELAY_MS}ms", **router.get("retry", {})}
        models = [entry(group, what) for group, list_ in groups.items() for what in list_]
        gateway = start_gateway({"model_list": models, "router": router, **more}, env=env)
        assert may_warn or "warn config" not in gateway.output(), gateway.output()
        return gateway

    return start


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Issues certificates that a client trusts who trusts authority.ca_file."""
    return Authority(tmp_path_factory.mktemp("authority"))
