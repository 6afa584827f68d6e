from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guestclock.cases import read_case, result_of
from guestclock.prediction import predict
from guestclock.zones import Zones

VECTORS = json.loads((Path(__file__).parent / "golden" / "vectors.json").read_text())


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_the_law_gives_what_the_vector_expects(case: dict[str, Any], zones: Zones) -> None:
    given = read_case(case["input"], zones)
    *_, last = predict(given.state, given.steps, zones)
    assert result_of(last) == case["expected"]
