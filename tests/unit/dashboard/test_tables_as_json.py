"""Tables as JSON and CSV: real numbers are rounded, the times of a long run are not."""

import numpy as np

from dashboard.api.export import _csv_parts
from dashboard.api.rest.visualization import _plain


def test_columns_are_rounded_and_times_stay_whole():
    late = np.array([1_234_567.0, 12_345_678.0])
    columns = {"time_ms": late, "g": np.array([1 / 3, np.nan], np.float32), "n": np.array([7, 8])}
    found = _plain(columns)
    assert list(found) == ["time_ms", "g", "n"] and found["time_ms"] == late.tolist()
    assert found["g"][0] == 0.333333 and np.isnan(found["g"][1]) and found["n"] == [7, 8]


def test_a_csv_tells_late_times_whole():
    columns = {"time_ms": np.array([194_164.25, 12_345_678.75]), "g": np.array([1 / 3, np.nan])}
    lines = "".join(_csv_parts(columns, 2)).splitlines()
    assert lines == ["time_ms,g", "194164.25,0.3333333", "12345678.75,"]
