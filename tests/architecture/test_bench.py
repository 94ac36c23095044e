"""What `make bench` fills a database with fits its tables, so that a column that is added there is not forgotten."""

from datetime import UTC, datetime

from bench.dataset import DataSet, keyring


def test_every_row_of_the_bench_has_a_value_for_each_column() -> None:
    data = DataSet(size=10_000, now=datetime(2026, 11, 22, tzinfo=UTC), keys=keyring())
    for table, rows in data.parts():
        first = next(iter(rows), None)
        assert first is None or len(first) == len(table.columns), table.name
