"""The tree is the architecture: who may import whom."""

import ast
from pathlib import Path

import pytest

from dashboard.records import PROJECT

CORE = sorted(
    path
    for path in (PROJECT / "dashboard").rglob("*.py")
    if "ui" not in path.relative_to(PROJECT).parts and path.name != "app.py"
)
UI = sorted((PROJECT / "dashboard" / "ui").glob("*.py"))
PAGES = sorted((PROJECT / "pages").glob("*.py"))

# They import TensorFlow or Keras at the top, and are themselves imported only inside functions, by those who need them.
WITH_TENSORFLOW = {
    "dashboard.classifier",
    "dashboard.model_graph",
    "dashboard.grad_cam",
    "dashboard.lime_superpixels",
    "dashboard.tf_keras_vis_methods",
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, *, late: bool = True) -> set[str]:
    """Modules that a file imports, as dotted names; with `late` also inside functions; never for types alone."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not late:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        waiting += ast.iter_child_nodes(node)
    return found


def uses(path: Path, *packages: str, late: bool = True) -> set[str]:
    return {name for name in imports(path, late=late) for package in packages if f"{name}.".startswith(f"{package}.")}


@pytest.mark.parametrize("path", CORE, ids=module_name)
def test_the_core_never_imports_streamlit_the_ui_or_a_page(path):
    assert not uses(path, "streamlit", "dashboard.ui", "dashboard.app", "pages")


@pytest.mark.parametrize("path", UI, ids=module_name)
def test_the_ui_never_imports_a_page(path):
    assert not uses(path, "pages", "dashboard.app")


@pytest.mark.parametrize("path", [*CORE, *UI, *PAGES], ids=module_name)
def test_tensorflow_stays_behind_its_doors(path):
    name = module_name(path)
    if name in WITH_TENSORFLOW or name.startswith(("dashboard.training", "dashboard.synthesis")):
        return
    assert not uses(path, "tensorflow", "keras", "tf_keras_vis", "lime", late=False)
    assert not uses(path, *WITH_TENSORFLOW, "dashboard.training.fitting", late=False)


@pytest.mark.parametrize("path", [*CORE, *UI, *PAGES], ids=module_name)
def test_plotly_is_used_by_the_figures_alone(path):
    if not path.stem.startswith("figures"):
        assert not uses(path, "plotly")


@pytest.mark.parametrize("path", [*UI, *PAGES], ids=module_name)
def test_the_app_never_imports_training(path):
    assert not uses(path, "dashboard.training", "dashboard.synthesis")


@pytest.mark.parametrize("path", PAGES, ids=module_name)
def test_a_page_is_a_thin_script(path):
    assert len(path.read_text("utf-8").splitlines()) <= 90


def test_errors_import_nothing_of_ours():
    assert not uses(PROJECT / "dashboard" / "errors.py", "dashboard")


@pytest.mark.parametrize("path", [*CORE, *UI, *PAGES], ids=module_name)
def test_streamlit_is_used_through_its_own_features(path):
    text = path.read_text("utf-8")
    assert "unsafe_allow_html" not in text
    assert "use_container_width" not in text
    assert not {"streamlit.components", "streamlit.components.v1"} & imports(path)


@pytest.mark.parametrize("path", [*CORE, *UI, *PAGES], ids=module_name)
def test_no_module_is_longer_than_four_hundred_lines(path):
    assert len(path.read_text("utf-8").splitlines()) <= 400
