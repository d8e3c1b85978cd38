# SPDX-License-Identifier: MIT
"""Three deployments of one model group and a fourth one to fall back to, behind one gateway."""

import json
import os
import signal
import urllib.request

from servers import SLOWNESS, Gatewire, Mockllm

GROUP, BACKUP = "chat", "backup"
# The gateway's limits: a stalled provider costs a request that much.
FIRST_BYTE_S = 0.4 * SLOWNESS
COOLDOWN = "500ms"
# What a healthy provider takes, in ms, and what it says: the client's own words.
LATENCY_MS = 4
MOCK = ("--latency", str(LATENCY_MS), "--echo", "1", "--chunks", "4", "--gap", "0")


def own_address(number):
    """An address of this machine that no other process of the tests uses: a dead provider's port stays free."""
    pid = os.getpid()
    return f"127.{pid // 62500 % 250 + 1}.{pid // 250 % 250}.{pid % 250}", 20000 + number


class Provider:
    """One mock that can die and come back at its address."""

    def __init__(self, folder, number):
        self.folder = folder
        self.lives = 0
        self.host, self.port = own_address(number)
        self.scheme = "http"
        self.mock = None

    @property
    def url(self):
        return f"{self.scheme}://{self.host}:{self.port}"

    def start(self, pair=None, host=None):
        """Starts it, also again; with the certificate of `pair`, and at another address of the same port."""
        folder = self.folder / f"{self.port}-{self.lives}"
        folder.mkdir()
        self.lives += 1
        self.host = host or self.host
        self.scheme = "https" if pair else "http"
        tls = ("--tls-cert", pair.cert, "--tls-key", pair.key) if pair else ()
        self.mock = Mockllm(folder, *MOCK, "--host", self.host, "--port", str(self.port), *tls)

    def kill(self):
        self.mock.process.kill()
        self.mock.wait()

    def freeze(self):
        os.kill(self.mock.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.mock.pid, signal.SIGCONT)

    def set(self, **knobs):
        """Changes how it answers from now on; nothing: as at its start."""
        query = "&".join(f"{name}={value}" for name, value in knobs.items())
        request = urllib.request.Request(f"http://{self.host}:{self.port}/mock/knobs?{query}", data=b"", method="POST")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10 * SLOWNESS).close()

    def stop(self):
        if self.mock is not None and self.mock.is_running():
            self.thaw()
            self.mock.stop()


def entry(name, url, **params):
    return {"model_name": name, "litellm_params": {
        "model": "openai/mock-small", "api_base": url + "/v1", "api_key": "sk-chaos-secret", **params}}


class Stage:
    """The providers, and a gateway that `open()` starts before them."""

    def __init__(self, folder):
        self.folder = folder
        self.providers = [Provider(folder, number) for number in range(3)]
        self.backup = Provider(folder, 3)
        self.fronts = []
        self.gateway = None

    def open(self, urls=None, params=None, common=None, command=(), **config):
        """`urls` and `params` replace the address of a provider, and add to its settings, by its number; `common` adds to
        all of them."""
        for provider in (*self.providers, self.backup):
            if provider.mock is None:
                provider.start()
        models = [
            entry(GROUP, (urls or {}).get(number, provider.url), **(common or {}), **(params or {}).get(number, {}))
            for number, provider in enumerate(self.providers)
        ]
        models.append(entry(BACKUP, self.backup.url))
        settings = {
            "routing_strategy": "round_robin", "cooldown_time": COOLDOWN, "allowed_fails": 4,
            "fallbacks": [{GROUP: [BACKUP]}], **config.pop("router_settings", {}),
        }
        upstream = {
            "connect_timeout": f"{FIRST_BYTE_S}s", "first_byte_timeout": f"{FIRST_BYTE_S}s",
            "idle_timeout": f"{FIRST_BYTE_S * 2}s", **config.pop("upstream", {}),
        }
        folder = self.folder / "gateway"
        folder.mkdir()
        self.gateway = Gatewire(
            folder, {"model_list": models, "router_settings": settings, "upstream": upstream, **config}, command=command,
        )
        assert "warn config" not in self.gateway.output(), self.gateway.output()
        return self.gateway

    @staticmethod
    def id_of(number):
        return f"{GROUP}#{number + 1}"

    def reload(self, **settings):
        """The file changes and is taken over: `settings` of the router."""
        config = json.loads(self.gateway.config_path.read_text())
        config["router_settings"].update(settings)
        self.gateway.config_path.write_text(json.dumps(config))
        request = urllib.request.Request(self.gateway.admin_url + "/api/v1/reload", data=b"", method="POST")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10 * SLOWNESS) as answer:
            assert json.load(answer)["taken_over"] is True

    def openings(self, number):
        """How often the deployment's breaker opened so far; a probe that fails does it again."""
        return self.gateway.output().count(f"deployment '{self.id_of(number)}': its circuit breaker opened")

    def stop(self):
        """The gateway must have survived."""
        if self.gateway is not None:
            assert self.gateway.is_running(), self.gateway.output()
            assert self.gateway.stop() == 0, self.gateway.output()

    def clean(self):
        if self.gateway is not None and self.gateway.is_running():
            self.gateway.process.kill()
            self.gateway.wait()
        for front in self.fronts:
            front.stop()
        for provider in (*self.providers, self.backup):
            provider.stop()
