"""Saving a decision costs the same at a thousand rows and at a million, and less than rewriting the file."""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from dashboard.audit_log import AuditLog, Event, current_decisions
from tests.benchmarks.row import Row

FEW, MANY, PLAIN = 1_000, 1_000_000, 20_000
APPENDS = 200
EVENT = Event(
    reviewer="Dr A. Reader",
    action="override",
    session_id="5d0c7b1e",
    case_id="case-2025-001",
    image_id="9f" * 32,
    file_name="cell_0001.jpg",
    model_id="pbc8-mobilenetv2",
    model_sha256="ab" * 32,
    temperature=1.31,
    predicted="monocyte",
    confidence=0.61,
    prediction_set="monocyte|lymphocyte",
    explanations_shown="grad-cam|lime",
    label="lymphocyte",
    note="nucleus round, chromatin clumped",
    seconds=4.2,
)


def build(log: AuditLog, rows: int) -> None:
    """Write a log of so many rows with a sound chain, from one real row and `hashlib`, and wait until it is on disk."""
    row = log.append(EVENT)
    header, line = log.path.read_bytes().splitlines()
    middle = line.split(b",", 3)[3].rsplit(b",", 2)[0].decode()
    previous = row["row_hash"]
    with log.path.open("wb") as file:
        file.write(header + b"\n" + line + b"\n")
        for number in range(2, rows + 1):
            body = f"1,{uuid.UUID(int=number)},{number},{middle},{previous}"
            previous = hashlib.sha256(body.encode()).hexdigest()
            file.write(f"{body},{previous}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def append_plainly(file: Path) -> None:
    """Save one row the plain way: read the whole CSV, add the row, write the whole CSV; not even synced."""
    table = pd.read_csv(file)
    pd.concat([table, table.tail(1)]).to_csv(file, index=False)


def measure() -> list[Row]:
    """Append to a short, a middling and a long log in turn, so that all see the same disk."""
    with tempfile.TemporaryDirectory(prefix="second_read_bench_") as folder:
        logs = {rows: AuditLog(Path(folder) / f"{rows}.csv") for rows in (FEW, PLAIN, MANY)}
        for rows, log in logs.items():
            build(log, rows)
        times: dict[int, list[float]] = {rows: [] for rows in logs}
        for _ in range(APPENDS):
            for rows, log in logs.items():
                times[rows].append(seconds(lambda log=log: log.append(EVENT)))
        few, middling, many = (statistics.median(times[rows]) for rows in (FEW, PLAIN, MANY))
        copy = Path(folder) / "plain.csv"
        copy.write_bytes(logs[PLAIN].path.read_bytes())
        plainly = statistics.median(seconds(lambda: append_plainly(copy)) for _ in range(3))
        checked = seconds(logs[MANY].verify)
        sound = not logs[MANY].verify().problems
        read = seconds(lambda: current_decisions(logs[PLAIN].read()))
    how = f"median of {APPENDS} appends each in turn, fsync included; EVENT of bench_audit_log.py"
    return [
        Row(
            f"Audit log: append at {MANY:,} rows against {FEW:,} rows",
            f"{many / few:.2f}× ({many * 1e3:.1f} ms against {few * 1e3:.1f} ms)",
            "≤ 1.5×",
            many / few <= 1.5,
            how,
        ),
        Row(
            f"Audit log: append at {PLAIN:,} rows against read, append, to_csv",
            f"{plainly / middling:.0f}× faster ({middling * 1e3:.1f} ms against {plainly * 1e3:.0f} ms)",
            "≥ 10×",
            plainly / middling >= 10,
            f"{how}; the plain way: median of 3, not synced",
        ),
        Row(
            f"Audit log: verify {MANY:,} rows",
            f"{checked:.1f} s" + ("" if sound else ", problems found"),
            "no problem found",
            sound,
            "once; the file was written by the benchmark with hashlib alone",
        ),
        Row(
            f"Audit log: standing decisions from {PLAIN:,} rows",
            f"{read * 1e3:.0f} ms",
            "",
            None,
            "once, read included",
        ),
    ]
