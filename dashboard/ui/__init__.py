"""All of Streamlit besides the pages and app.py: state, caches, navigation and the shared components."""
