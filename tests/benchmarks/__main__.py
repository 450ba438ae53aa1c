"""Run every benchmark and write BENCHMARKS.md: `make bench`, or `python -m tests.benchmarks batch model` for some."""

from __future__ import annotations

import importlib
import platform
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks.row import Row

FOLDER = Path(__file__).resolve().parent
REPORT = FOLDER.parents[1] / "BENCHMARKS.md"
HEAD = """# Benchmarks

Written by `make bench`; do not edit. Speeds are ratios against the plain way in the same run on the same machine, so
that a slow or busy machine does not change their meaning. A target that is missed is printed as missed.
"""


def topics() -> list[str]:
    """Return the names of the benchmarks, from the files bench_<topic>.py."""
    return sorted(file.stem.removeprefix("bench_") for file in FOLDER.glob("bench_*.py"))


def section(topic: str, rows: Iterable[Row]) -> str:
    """Write one topic as Markdown."""
    lines = [
        f"## {topic.replace('_', ' ').capitalize()}",
        "",
        f"`python -m tests.benchmarks {topic}` on {platform.machine()}, Python {platform.python_version()}",
        "",
        "| what | measured | target | met | how |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        met = {True: "yes", False: "**no**", None: "–"}[row.met]
        lines.append(f"| {row.what} | {row.value} | {row.target} | {met} | {row.how} |")
    return "\n".join(lines) + "\n"


def read_report() -> dict[str, str]:
    """Read the sections that are already in the report, by topic, so that one can be measured anew alone."""
    if not REPORT.exists():
        return {}
    parts = re.split(r"(?m)^(?=## )", REPORT.read_text("utf-8"))[1:]
    return {part[3 : part.index("\n")].lower().replace(" ", "_"): part.rstrip() + "\n" for part in parts}


def main(chosen: list[str]) -> None:
    """Measure the chosen topics, or all, and write the report after each."""
    unknown = set(chosen) - set(topics())
    if unknown:
        raise SystemExit(f"No benchmark {', '.join(sorted(unknown))}; there are {', '.join(topics())}.")
    sections = read_report()
    for topic in chosen or topics():
        print(f"{topic} …", flush=True)
        rows = importlib.import_module(f"tests.benchmarks.bench_{topic}").measure()
        sections[topic] = section(topic, rows)
        print(sections[topic], flush=True)
        REPORT.write_text("\n".join([HEAD, *(sections[name] for name in topics() if name in sections)]), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
