"""Check an audit log, or copy it for a spreadsheet."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dashboard.audit_log import AuditLog, Verification
from dashboard.errors import AuditLogError

_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs verify and export."""
    verbs = parser.add_subparsers(dest="audit_verb", required=True, metavar="VERB")
    verify = verbs.add_parser("verify", help="check header, hash chain, order and end of the log")
    export = verbs.add_parser("export", help="write a copy that is safe to open in a spreadsheet")
    for verb in (verify, export):
        verb.add_argument("file", type=Path, metavar="FILE", help="the audit log")
    export.add_argument("--out", type=Path, required=True, metavar="CSV", help="the copy; never the log itself")


def run(arguments: argparse.Namespace) -> None:
    """Run the sub-verb.

    Raises
    ------
    AuditLogError
        There is no such log; `verify` found a problem; `export` was given the log as its copy.
    """
    if not arguments.file.is_file():
        raise AuditLogError(f"There is no audit log at {arguments.file}.")
    log = AuditLog(arguments.file)
    if arguments.audit_verb == "verify":
        _verify(log)
    else:
        _export(log, arguments.out)


def _verify(log: AuditLog) -> None:
    verification = log.verify()
    for note in verification.notes:
        print(note)
    if verification.problems:
        raise AuditLogError(_described(log, verification))
    print(f"{log.path.name} is whole: {verification.rows:,} row(s), each with its right hash and in its place.")


def _export(log: AuditLog, out: Path) -> None:
    rows = log.export(out)
    print(f"{rows:,} row(s) copied to {out}.")
    verification = log.verify()
    if verification.problems:
        print(f"The copy holds what can be read. {_described(log, verification)}", file=sys.stderr)


def _described(log: AuditLog, verification: Verification) -> str:
    problems = verification.problems
    lines = [f"{log.path.name} has {len(problems):,} problem(s); {verification.rows:,} row(s) have their right hash."]
    lines += problems[:_SHOWN]
    if len(problems) > _SHOWN:
        lines.append(f"… and {len(problems) - _SHOWN:,} more.")
    return "\n".join(lines)
