"""Which cells are in these images, and which of them need a second look?"""

import streamlit as st

from dashboard.cases import open_case
from dashboard.errors import SecondReadError
from dashboard.ui import batch, batch_results, cached, components, state


def show_case(case_id: str) -> None:
    case = open_case(case_id)
    title, back, menu = st.columns([6, 2, 2], vertical_alignment="bottom")
    title.subheader(case.title, anchor=False)
    if back.button("All cases", icon=":material/arrow_back:", width="stretch"):
        batch.close_page()
    if batch.watch(case):
        return
    with menu:
        batch.manage(case)
    batch.state_of(case)
    bundle = cached.bundle(case.model_id)
    if bundle.model_sha256 != case.model_sha256:
        components.refuse("The model has changed since this case was read; its rules may not fit these results.")
    batch_results.show(case, bundle.card)


st.header("Batch", anchor=False)
case_id, model_id = batch.opened_case(), state.model_id()
try:
    if case_id is not None:
        show_case(case_id)
    else:
        if model_id is None:
            components.refuse("No model can be used, so nothing can be classified. The sidebar says why.")
        else:
            batch.new_case(model_id)
        batch.case_list()
except SecondReadError as error:
    components.refuse(error)
    if case_id is not None and st.button("All cases", key="batch_back"):
        batch.close_page()
