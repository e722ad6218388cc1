"""How a big load's rows are shared out: each row is somebody's, and nobody's twice."""

import pytest

from neanelu_pipelines.mirror.merge import shares


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7, 16, 40])
def test_every_part_is_in_exactly_one_share(workers: int) -> None:
    """Whatever the number of workers: no gap, no overlap, and a large share for each of them first."""
    dealt = shares(workers)
    parts = [part for first, last in dealt for part in range(first, last + 1)]

    assert parts == list(range(61))
    assert len(dealt) >= workers
    sizes = [last - first for first, last in dealt]
    assert len(set(sizes[:workers])) == 1
    assert max(sizes) == sizes[0]
