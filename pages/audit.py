"""Who decided what, and is the record whole?"""

import streamlit as st

from dashboard.errors import SecondReadError
from dashboard.ui import audit_view, components, state

st.header("Audit", anchor=False)
try:
    log = state.audit_log()
    rows = audit_view.read(log)
    audit_view.show_verification(log)
    if rows.empty:
        components.empty("The audit log is empty. Decisions on the Classify and Review pages appear here.")
    else:
        shown = audit_view.filtered(rows)
        audit_view.show_table(shown, len(rows))
        audit_view.show_downloads(log, shown)
        audit_view.show_summary(shown)
except SecondReadError as error:
    components.refuse(error)
