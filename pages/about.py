"""What is this, what is it not, which keys and models are there?"""

import streamlit as st

from dashboard.bundles import Bundle, BundleStatus
from dashboard.ui import cached, components

WHAT = """
**Second Read is an open second-read bench for blood smears.** It classifies images of single cells with a trained
network, shows how sure it is and where it looked, and keeps what reviewers decide in an append-only audit log.

- The model's label is a *pre-classification*: a suggestion, until a reader confirms or overrides it.
- *Confidence* is the calibrated probability of the suggested class, measured on images the model was not trained on.
- A *prediction set* holds the classes that cannot be ruled out at its level. It may be empty.
- *Unidentified* means too uncertain to suggest a class. *Not classed* means that the reader leaves the cell out.
- An *out-of-distribution* warning means that the image is unlike all the model has seen.

**It is not a medical device.** It is made for research and education. It gives no diagnosis and recommends no action.
A model knows only the stain, camera and classes it was trained on; elsewhere it may be wrong and sound sure.
"""

KEYS = """
| Key | What it does |
| --- | --- |
| Enter | Confirm the pre-classification |
| 1 … 9 | Give the class of that number |
| N | Not classed |
| U | Undo this session's last decision |
| S | Skip to the next undecided cell |
| E | Show or hide where the model looked |

The keys rest while you type in a field. Enter always confirms, whichever button has the focus.
"""


def facts(bundle: Bundle) -> dict[str, str]:
    card = bundle.card
    calibration = (
        f"on {card.calibration.n:,} images ({card.calibration.set})" if card.calibration else "none: uncalibrated"
    )
    return {
        "Backbone": card.backbone,
        "Classes": ", ".join(info.display_name + (" (critical)" if info.critical else "") for info in card.classes),
        "Calibration": calibration,
        "Intended use": card.intended_use or "not stated",
        "Known limits": " ".join(card.known_limits) or "not stated",
        "SHA-256": bundle.model_sha256,
    }


def show_model(status: BundleStatus) -> None:
    with st.container(border=True):
        if status.bundle is None:
            st.markdown(f"**{status.id}** · :red-badge[cannot be used]")
            st.text(status.problem)
            return
        st.markdown(f"**{status.bundle.card.title}** · `{status.id}` · :green-badge[every file as its card states]")
        st.markdown("\n".join(f"- {title}: {components.plain(text)}" for title, text in facts(status.bundle).items()))


st.header("About", anchor=False)
st.markdown(WHAT)
st.subheader("Keys", anchor=False)
st.markdown(KEYS)
st.subheader("Models", anchor=False)
statuses = cached.bundles()
if not statuses:
    components.empty("model_store holds no model yet. `python -m dashboard import --help` says how to add one.")
for status in statuses:
    show_model(status)
