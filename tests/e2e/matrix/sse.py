# SPDX-License-Identifier: MIT
"""Server-sent events as the standard reads them."""

import json


def events(body):
    """The events of a stream as (name, data); every block must end properly."""
    text = body.decode().replace("\r\n", "\n")
    assert not text or text.endswith("\n\n"), f"the last event is cut: {text[-200:]!r}"
    found = []
    for block in text.split("\n\n"):
        name, data = None, []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            else:
                assert field == "", f"not a field of an event: {line[:200]!r}"
        if data:
            found.append((name, "\n".join(data)))
    return found


def objects(body):
    """The events whose data is JSON, as (name, object)."""
    return [(name, json.loads(data)) for name, data in events(body)]
