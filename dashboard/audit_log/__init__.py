"""The append-only CSV that keeps who decided what.

**One event, one row, one physical line.** UTF-8, comma, `\\n` at the end, quotes only where CSV needs them. So that a
note with line breaks cannot tear a row apart, a backslash is written `\\\\`, a line feed `\\n`, a carriage return
`\\r`, any other control character but the tab `\\u0000`; `AuditLog.read` turns them back. Half a surrogate pair, as
Python puts into undecodable file names and no UTF-8 can hold, is kept as the text of its escape.

**Hash chain.** `row_hash` is the SHA-256, in hexadecimal, of the line's own bytes up to the comma before it. These
include `previous_hash`, the `row_hash` of the row above (empty in the first), so that no byte changes unseen:
`sed -n 2p audit_log.csv | sed 's/,[^,]*$//' | tr -d '\\n' | sha256sum` gives row 1's.

**Beside the log.** `<log>.lock` is the file lock and holds the number and hash of the last row saved, by which a log
cut off at its end is known; `<log>.set_aside` holds the bytes of rows that a killed writer left unfinished.

A hash chain shows damage and careless edits. It is no signature: who may write the folder can write a new chain.
"""

from dashboard.audit_log.events import ACTIONS, COLUMNS, DECISIONS, NUMBERS, PHASES, Event
from dashboard.audit_log.log import AuditLog, Verification
from dashboard.audit_log.tables import current_decisions, spreadsheet_safe

__all__ = [
    "ACTIONS",
    "COLUMNS",
    "DECISIONS",
    "NUMBERS",
    "PHASES",
    "AuditLog",
    "Event",
    "Verification",
    "current_decisions",
    "spreadsheet_safe",
]
