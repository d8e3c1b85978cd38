# SPDX-License-Identifier: MIT
"""The load generator when the server does not play along: it goes on where it can, and ends in time."""

import json
import os
import resource
import socket
import struct
import subprocess
import threading
from pathlib import Path

import pytest
from servers import BUILD, SLOWNESS

LOADGEN = Path(os.environ.get("LOADGEN_BIN", BUILD / "bench" / "loadgen")).resolve()
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
END_STREAM, END_HEADERS = 1, 4
EVENTS = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n'


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


class GoingAway:
    """An HTTP/2 server that answers `served` requests per connection, says GOAWAY, answers no more, and never closes."""

    def __init__(self, served, body=b"hello"):
        self.served = served
        self.body = body
        self.connections = 0
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self._answer(connection, connection.makefile("rb"))
        except OSError:
            pass  # the client has closed first

    def _answer(self, connection, incoming):
        assert incoming.read(len(PREFACE)) == PREFACE
        connection.sendall(frame(SETTINGS, 0, 0))
        left, last = self.served, 0
        if left == 0:
            connection.sendall(frame(GOAWAY, 0, 0, struct.pack("!II", 0, 0)))
        while True:
            head = incoming.read(9)
            if len(head) < 9:
                return
            incoming.read(int.from_bytes(head[:3], "big"))
            kind, flags, stream = struct.unpack("!BBI", head[3:])
            if kind == SETTINGS and flags & 1 == 0:
                connection.sendall(frame(SETTINGS, 1, 0))
            if stream == 0 or flags & END_STREAM == 0 or left == 0:
                continue
            left, last = left - 1, stream
            status_200 = b"\x88"
            answer = frame(HEADERS, END_HEADERS, stream, status_200) + frame(DATA, END_STREAM, stream, self.body)
            connection.sendall(answer + (frame(GOAWAY, 0, 0, struct.pack("!II", last, 0)) if left == 0 else b""))

    def stop(self):
        for connection in [self._listener, *self._open]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()


@pytest.fixture
def going_away():
    servers = []

    def start(*args, **kwargs):
        servers.append(GoingAway(*args, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def run(server, *args):
    command = [LOADGEN, "--port", server.port, "--http2", *args]
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=20 * SLOWNESS)
    assert result.returncode in (0, 1), result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("streams", [1, 4])
def test_after_goaway_it_connects_again(going_away, streams):
    server = going_away(20)
    report = run(server, "--connections", 2, "--streams", streams, "--warmup-ms", 0, "--duration-ms", 300, "--deadline-ms", 10000)
    assert report["all_calls"] > 40, report
    assert report["connects"] == server.connections > 2
    assert report["errors"] == 0, report


def test_streams_are_all_made(going_away):
    report = run(going_away(3, EVENTS), "--mode", "stream", "--connections", 2, "--repeat", 10, "--deadline-ms", 10000)
    assert report["all_calls"] == 20 and report["errors"] == 0, report


def test_a_server_that_takes_nothing_does_not_keep_it_from_ending(going_away):
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = run(going_away(0), "--connections", 1, "--streams", 2, "--warmup-ms", 0, "--duration-ms", 300, "--deadline-ms", 1000)
    assert report["all_calls"] == 0 and report["errors"] > 0, report
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used.ru_utime < 1 * SLOWNESS
