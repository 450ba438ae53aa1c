"""The frame around every page: configuration, navigation, reviewer, model and disclaimer.

Run it with `streamlit run dashboard/app.py`.
"""

import sys
from pathlib import Path

_DASHBOARD = Path(__file__).resolve().parent
# Streamlit puts this folder first on sys.path, where a module of ours would shadow a library of the same name.
if sys.path[0] != str(_DASHBOARD.parent):
    sys.path[:] = [str(_DASHBOARD.parent), *(entry for entry in sys.path if entry != str(_DASHBOARD))]

import streamlit as st  # noqa: E402

from dashboard.ui import nav, sidebar, state, warm_up  # noqa: E402

st.set_page_config(page_title="Second Read", page_icon=str(nav.ICON), layout="wide")
page = st.navigation(nav.pages())
sidebar.show()
page.run()
warm_up.begin(state.model_id())
