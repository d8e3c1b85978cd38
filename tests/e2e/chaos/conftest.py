# SPDX-License-Identifier: MIT
"""Fixtures of the chaos suite."""

import json

import pytest
from load import figures
from stage import Stage


@pytest.fixture
def stage(tmp_path):
    """Three providers and one to fall back to; stage.open() starts the gateway, which must survive."""
    built = Stage(tmp_path)
    try:
        yield built
        built.stop()
    finally:
        built.clean()


@pytest.fixture
def report(record_property):
    """Puts a load's figures into the table behind the tests, and returns them."""

    def note(load, name):
        row = figures(load, name)
        record_property("chaos", json.dumps(row))
        return row

    return note
