# SPDX-License-Identifier: MIT
"""Fixtures: gateways and mock providers on free ports, ended by their own process id."""

import pytest
from certificates import Authority
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


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Issues certificates that a client trusts who trusts authority.ca_file."""
    return Authority(tmp_path_factory.mktemp("authority"))
