# SPDX-License-Identifier: MIT
"""Every dialect at every provider: the same scenarios, with the mark that tests/e2e/matrix/table.py expects."""

import pytest
from matrix import cell as cells
from matrix import docs, providers, scenarios, table
from servers import Gatewire, Mockllm


@pytest.fixture(scope="module")
def matrix_mock(tmp_path_factory):
    server = Mockllm(tmp_path_factory.mktemp("matrix-mock"), *providers.MOCK_ARGS)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def matrix_gateway(tmp_path_factory, matrix_mock):
    """One gateway for all pairs; it must survive them."""
    server = Gatewire(tmp_path_factory.mktemp("matrix-gateway"), {"model_list": providers.model_list(matrix_mock)})
    yield server
    assert server.is_running(), server.output()
    assert server.stop() == 0, server.output()


@pytest.fixture(scope="module")
def http(matrix_gateway):
    with cells.client(matrix_gateway) as found:
        yield found


@pytest.mark.parametrize("title", scenarios.ALL)
@pytest.mark.parametrize("provider", providers.NAMES)
@pytest.mark.parametrize("dialect", cells.DIALECTS)
def test_cell(http, matrix_mock, dialect, provider, title):
    mark, said = cells.Cell(http, matrix_mock, dialect, provider).run(title)
    expected, reason = table.expected(dialect, provider, title)
    assert mark == expected, f"{mark} instead of {expected}: {said}"
    assert reason in said, said


def test_the_page_has_this_matrix():
    found = table.markdown()
    print(found)
    assert docs.kept().strip() == found.strip(), "docs/providers.md is old: cd tests/e2e && python -m matrix.docs"


def test_every_exception_is_needed():
    """A row that decides no cell is a mistake, or no longer true."""
    decided = {table.expected(dialect, name, title)
               for dialect in cells.DIALECTS for name in providers.NAMES for title in scenarios.ALL}
    for row in table.ROWS:
        assert (row[3], row[4]) in decided, row
