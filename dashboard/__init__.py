"""Second Read: an open second-read bench for blood smears. Research and education; not a medical device."""

__version__ = "0.1.0"
