# SPDX-License-Identifier: MIT
"""Providers that fail before the first byte of an answer, under load: no client may notice while one of them is healthy."""

import collections
import subprocess

import pytest
from front import Front
from load import CLIENTS, OK, TOLD, Load
from servers import SLOWNESS
from stage import FIRST_BYTE_S

BEFORE, DURING, AFTER = (count // SLOWNESS for count in (120, 300, 100))
# More answers than a half-open breaker lets probes through (three): it has closed.
HEALED = 10


def assert_unnoticed(load, may_cut=False):
    bad = [outcome for outcome in load.of() if outcome.kind != OK and not (may_cut and outcome.kind == TOLD)]
    assert not bad, f"{len(bad)} of {len(load.of())}: {bad[:5]}"


def serves(stage, load, numbers, phase="after", least=1):
    """Has each of the deployments answered in that phase?"""
    seen = collections.Counter(outcome.deployment for outcome in load.of(phase) if outcome.kind == OK)
    return all(seen[stage.id_of(number)] >= least for number in numbers)


def is_healed(stage, load, numbers):
    return serves(stage, load, numbers, least=HEALED)


def of_all(change, stage, numbers):
    for number in numbers:
        change(stage.providers[number])


def has_opened(stage, numbers):
    return all(stage.openings(number) > 0 for number in numbers)


# ---------------------------------------------------------------- faults that open the breaker


class Kill:
    """SIGKILL: its connections are reset, then refused."""

    may_cut = True  # streams that were under way

    def begin(self, provider):
        provider.kill()

    def end(self, provider):
        provider.start()


class Stop:
    """SIGSTOP: the kernel takes connections and requests, nobody answers."""

    may_cut = True

    def begin(self, provider):
        provider.freeze()

    def end(self, provider):
        provider.thaw()


class Knobs:
    """What mockllm does by itself."""

    may_cut = False

    def __init__(self, **knobs):
        self.knobs = knobs

    def begin(self, provider):
        provider.set(**self.knobs)

    def end(self, provider):
        provider.set()


FAULTS = {
    "kill and restart": Kill(),
    "stop and continue": Stop(),
    "read and never answer": Knobs(fault="stall"),
    "500": Knobs(status=500),
    "503 with Retry-After": Knobs(status=503, retry_after=1),
    "reset before the first byte": Knobs(fault="reset"),
    "reset behind the head": Knobs(fault="reset-after-headers"),
    "reset before the first event": Knobs(fault="reset-after-chunks", after=0),
    "stall behind the head": Knobs(fault="stall-mid", after=0),
    "garbage instead of HTTP": Knobs(fault="garbage"),
}


@pytest.mark.parametrize("faulty", [1, 2])
@pytest.mark.parametrize("name", FAULTS)
def test_fault_before_the_first_byte(stage, report, name, faulty):
    fault, numbers = FAULTS[name], range(faulty)
    gateway = stage.open()
    with Load(gateway) as load:
        load.run("before", BEFORE, until=lambda: serves(stage, load, range(3), "before"))
        load.run("during", DURING, until=lambda: has_opened(stage, numbers), fault=lambda: of_all(fault.begin, stage, numbers))
        load.run("after", AFTER, until=lambda: is_healed(stage, load, numbers), fault=lambda: of_all(fault.end, stage, numbers))
    row = report(load, f"{name}, {faulty} of 3")
    assert_unnoticed(load, fault.may_cut)
    assert row["retries"] > 0
    # The group served itself: nobody needed the other one.
    assert not [outcome for outcome in load.of() if outcome.fallback_from]


@pytest.mark.parametrize("name", ["kill and restart", "500"])
def test_whole_group(stage, report, name):
    """All three fail; the fallback group is the healthy deployment."""
    fault, numbers = FAULTS[name], range(3)
    gateway = stage.open()
    with Load(gateway) as load:
        load.run("before", BEFORE)
        load.run("during", DURING, until=lambda: has_opened(stage, numbers), fault=lambda: of_all(fault.begin, stage, numbers))
        load.run("after", AFTER, until=lambda: is_healed(stage, load, numbers), fault=lambda: of_all(fault.end, stage, numbers))
    report(load, f"{name}, 3 of 3, fallback group")
    assert_unnoticed(load, fault.may_cut)
    assert [outcome for outcome in load.of("during") if outcome.fallback_from]


@pytest.mark.parametrize("name", ["kill and restart", "read and never answer", "500"])
@pytest.mark.parametrize(("how", "settings"), [
    ("two workers", {"server": {"workers": 2}}),
    ("HTTP/2", {"common": {"http2": "prior"}}),
])
def test_fault_elsewhere(stage, report, name, how, settings):
    """Workers share what they know; streams of one connection fail one by one, or all with it."""
    fault, numbers = FAULTS[name], range(1)
    gateway = stage.open(**settings)
    with Load(gateway) as load:
        load.run("before", BEFORE, until=lambda: serves(stage, load, range(3), "before"))
        load.run("during", DURING, until=lambda: has_opened(stage, numbers), fault=lambda: of_all(fault.begin, stage, numbers))
        load.run("after", AFTER, until=lambda: is_healed(stage, load, numbers), fault=lambda: of_all(fault.end, stage, numbers))
    report(load, f"{name}, 1 of 3, {how}")
    assert_unnoticed(load, fault.may_cut)


def test_reloads(stage, report):
    """A new configuration under fault: what is known of a deployment stays, so that nobody runs into it again."""
    gateway = stage.open(router_settings={"cooldown_time": "60s"})
    provider = stage.providers[0]
    with Load(gateway) as load:
        load.run("before", BEFORE)
        load.run("opening", 20, until=lambda: has_opened(stage, [0]), fault=lambda: provider.set(status=500))
        seen = provider.mock.stats()["requests"]
        for number in range(5):
            load.run("during", DURING // 5 * (number + 1), fault=lambda number=number: stage.reload(num_retries=4 + number))
        assert provider.mock.stats()["requests"] - seen <= CLIENTS  # those that were on their way
    row = report(load, "500, 1 of 3, five reloads")
    assert_unnoticed(load)
    assert row["retries"] <= CLIENTS


# ---------------------------------------------------------------- faults that are not the deployment's


@pytest.mark.parametrize(("name", "storm"), [
    ("429 with Retry-After", Knobs(status=429, retry_after=1)),
    ("429 without Retry-After", Knobs(status=429, bare=1)),
])
def test_429_storm(stage, report, name, storm):
    """The key rests; what is left serves, and the breaker has nothing to do with it."""
    gateway = stage.open()
    with Load(gateway) as load:
        load.run("before", BEFORE, until=lambda: serves(stage, load, range(3), "before"))
        load.run("during", DURING, fault=lambda: of_all(storm.begin, stage, range(2)))
        assert [stage.openings(number) for number in range(3)] == [0] * 3
        of_all(storm.end, stage, range(2))
        if "retry_after" in storm.knobs:  # without, a key rests for a minute
            load.run("after", AFTER, until=lambda: is_healed(stage, load, range(2)))
    row = report(load, f"{name}, 2 of 3")
    assert_unnoticed(load)
    # One look at each key, and one more for each second of the storm; not a retry for each request.
    assert row["extra_pct"] < 20


def test_slow_down(stage, report):
    """Fifty times slower is not a failure: clients wait as long as the limits allow, and get their answers."""
    gateway = stage.open()
    with Load(gateway) as load:
        load.run("before", BEFORE)
        load.run("during", DURING, fault=lambda: stage.providers[0].set(latency=200))
        stage.providers[0].set()
        load.run("after", AFTER, until=lambda: serves(stage, load, [0]))
    row = report(load, "latency x 50, 1 of 3")
    assert_unnoticed(load)
    assert row["retries"] == 0


def test_slow_down_is_avoided(stage, report):
    """The same with the strategy that looks at the time to the first byte: most requests go elsewhere."""
    gateway = stage.open(router_settings={"routing_strategy": "latency_based"})
    with Load(gateway) as load:
        load.run("before", BEFORE)
        load.run("learning", DURING, fault=lambda: stage.providers[0].set(latency=200))
        load.run("during", DURING)
    report(load, "latency x 50, 1 of 3, latency_based")
    assert_unnoticed(load)
    during = load.of("during")
    slow = sum(outcome.deployment == stage.id_of(0) for outcome in during)
    assert slow < len(during) / 10


def test_half_open_connections(stage, report):
    """Pooled connections of which the other end knows nothing any more; new ones work."""
    stage.providers[0].start()
    front = Front(stage.providers[0])
    stage.fronts.append(front)
    gateway = stage.open(urls={0: front.url})
    with Load(gateway) as load:
        load.run("before", BEFORE, until=lambda: serves(stage, load, [0], "before"))
        load.run("during", DURING, fault=front.lose)
        load.run("after", AFTER, until=lambda: is_healed(stage, load, [0]))
    row = report(load, "half-open connections, 1 of 3")
    assert_unnoticed(load, may_cut=True)
    assert row["retries"] > 0


# ---------------------------------------------------------------- after the first output


def test_reset_in_mid_stream(stage, report):
    """Streams that have begun end with the dialect's error event; with the breaker open no more are begun there."""
    gateway = stage.open(router_settings={"cooldown_time": "60s"})
    with Load(gateway, only_streams=True) as load:
        load.run("before", BEFORE)
        load.run("during", DURING, until=lambda: has_opened(stage, [0]),
                 fault=lambda: stage.providers[0].set(fault="reset-after-chunks", after=2, gap=10))
        load.run("later", AFTER)
    row = report(load, "reset in mid-stream after output, 1 of 3")
    assert_unnoticed(load, may_cut=True)
    assert 0 < row["cut"] < 20
    assert not [outcome for outcome in load.of("later") if outcome.kind == TOLD]


# ---------------------------------------------------------------- names and certificates


@pytest.fixture
def hosts(tmp_path):
    """A hosts file of the test's own, and the command in front of a gateway that sees it as /etc/hosts."""
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 localhost\n")
    command = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
               'mount --bind "$1" /etc/hosts && shift && exec "$@"', "sh", str(path))
    try:
        probe = subprocess.run([*command, "true"], capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        pytest.skip("unshare is not installed: it gives the gateway names of the test's own")
    if probe.returncode != 0:
        pytest.skip(f"no name spaces for the gateway's names here: {probe.stderr.strip()}")
    return path, command


def test_dns_change(stage, report, hosts):
    """The provider moves: its name gets another address, the old one goes."""
    path, command = hosts
    provider = stage.providers[0]

    def publish():
        # In place: the mount shows this very file.
        path.write_text(f"127.0.0.1 localhost\n{provider.host} moving.test\n")

    publish()
    gateway = stage.open(
        urls={0: f"http://moving.test:{provider.port}"}, command=command, upstream={"dns_refresh": "1s"},
    )

    def move():
        old = provider.mock
        octets = provider.host.split(".")
        provider.start(host=".".join([*octets[:3], str((int(octets[3]) + 1) % 250)]))
        publish()
        old.process.kill()
        old.wait()

    with Load(gateway) as load:
        load.run("before", BEFORE, until=lambda: serves(stage, load, [0], "before"))
        load.run("during", DURING, until=lambda: provider.mock.stats()["requests"] > 0, fault=move)
        load.run("after", AFTER, until=lambda: is_healed(stage, load, [0]))
    report(load, "DNS change, 1 of 3")
    assert_unnoticed(load, may_cut=True)


def test_name_disappears(stage, report, hosts):
    """The name service loses the name: what was known of it is still good."""
    path, command = hosts
    provider = stage.providers[0]
    path.write_text(f"127.0.0.1 localhost\n{provider.host} moving.test\n")
    gateway = stage.open(
        urls={0: f"http://moving.test:{provider.port}"}, command=command, upstream={"dns_refresh": "1s"},
    )
    with Load(gateway) as load:
        load.run("before", BEFORE, until=lambda: serves(stage, load, [0], "before"))
        load.run("during", DURING, fault=lambda: path.write_text("127.0.0.1 localhost\n"))
    row = report(load, "name disappears, 1 of 3")
    assert_unnoticed(load)
    assert row["retries"] == 0 and serves(stage, load, [0], "during")


def test_certificate_expires(stage, report, authority):
    """The provider comes up again with a certificate of yesterday, later with a good one."""
    provider = stage.providers[0]
    names = f"IP:{provider.host}"
    good, late, new = (
        authority.issue(f"chaos-{name}", names, expired=name == "late") for name in ("good", "late", "new")
    )
    provider.start(good)

    def restart(pair):
        provider.kill()
        provider.start(pair)

    gateway = stage.open(params={0: {"ssl_verify": str(authority.ca_file)}})
    with Load(gateway) as load:
        load.run("before", BEFORE, until=lambda: serves(stage, load, [0], "before"))
        load.run("during", DURING, until=lambda: has_opened(stage, [0]), fault=lambda: restart(late))
        load.run("after", AFTER, until=lambda: is_healed(stage, load, [0]), fault=lambda: restart(new))
    report(load, "certificate expires, 1 of 3")
    assert_unnoticed(load, may_cut=True)


def test_nobody_there_from_the_beginning(stage, report):
    """A deployment whose address refuses connections when the gateway starts."""
    stage.providers[0].start()
    stage.providers[0].kill()
    gateway = stage.open()
    with Load(gateway) as load:
        load.run("during", DURING, until=lambda: has_opened(stage, [0]))
        stage.providers[0].start()
        load.run("after", AFTER, until=lambda: is_healed(stage, load, [0]))
    report(load, "refused from the beginning, 1 of 3")
    assert_unnoticed(load)


def test_stalls_cost_no_more_than_their_limit(stage, report):
    """With two of three stalled a request waits at most twice for the first byte, and soon not at all."""
    gateway = stage.open()
    with Load(gateway) as load:
        load.run("before", BEFORE)
        load.run("opening", 20, until=lambda: has_opened(stage, range(2)),
                 fault=lambda: of_all(Knobs(fault="stall").begin, stage, range(2)))
        load.run("during", DURING)
    report(load, "never answer, 2 of 3, after the breaker opened")
    assert_unnoticed(load)
    assert max(outcome.seconds for outcome in load.of()) < 2 * FIRST_BYTE_S + 1
