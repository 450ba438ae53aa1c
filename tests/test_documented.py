"""What the documents say is there is there, and what is there is in the documents."""

import argparse
import dataclasses
import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest

from dashboard import bundles, cases, labels
from dashboard.__main__ import VERBS, build_parser
from dashboard.audit_log import COLUMNS
from dashboard.batch import result_columns
from dashboard.evaluation import TEXT_COLUMNS, logit_columns
from dashboard.explanations import METHODS
from dashboard.preprocessing import CONTRASTS, RESIZES, SCALINGS, InputSpec
from dashboard.training.recipes import RECIPES
from tests.conftest import PROJECT
from tests.tiny_bundle import CARD

README = (PROJECT / "README.md").read_text("utf-8")
COMMAND_LINE = (PROJECT / "docs" / "COMMAND_LINE.md").read_text("utf-8")
FORMATS = (PROJECT / "docs" / "FORMATS.md").read_text("utf-8")
DOCUMENTS = sorted(
    [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), *(PROJECT / "sample_images").glob("*.md")]
)
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
    for path in (PROJECT / "dashboard").rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)
COMMANDS = re.findall(r"^ {4}python -m dashboard (.+)$", README + "\n" + COMMAND_LINE, re.MULTILINE)


def section(document: str, title: str) -> str:
    """The part of a document under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {title}"
    return found[1]


def verbs() -> dict[str, argparse.ArgumentParser]:
    return next(action.choices for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction))


def options(parser: argparse.ArgumentParser) -> set[str]:
    """The options of a verb and of its sub-verbs, without --help."""
    found = set()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                found |= {name, *options(child)}
        elif not isinstance(action, argparse._HelpAction):
            found |= set(action.option_strings)
    return found


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_section_with_an_example_and_all_its_options(verb):
    text = section(COMMAND_LINE, verb)
    assert f"    python -m dashboard {verb}" in text
    missing = {option for option in options(verbs()[verb]) if option not in text}
    common = {"--labels", "--images"}  # described with the labels CSV
    assert missing <= (common if "--labels" in text else set())


def test_no_section_describes_a_verb_that_is_not_there():
    assert set(re.findall(r"^## (\S+)$", COMMAND_LINE, re.MULTILINE)) == set(VERBS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_documents_is_one_that_the_program_takes(command):
    build_parser().parse_args(shlex.split(command))


def test_the_explanation_methods_and_the_recipes_are_named():
    for method in METHODS:
        assert f"`{method}`" in section(COMMAND_LINE, "explain")
    for recipe in RECIPES:
        assert recipe in section(COMMAND_LINE, "train")


@pytest.mark.parametrize("page", sorted(path.stem for path in (PROJECT / "pages").glob("*.py")))
def test_every_page_is_in_the_readme(page):
    title = page.replace("_", " ").capitalize()
    assert f"**{title}**" in README


@pytest.mark.parametrize("column", COLUMNS)
def test_every_audit_column_is_in_the_formats(column):
    assert f"`{column}`" in section(FORMATS, "Audit log")


@pytest.mark.parametrize(
    "record",
    [
        bundles.Card,
        bundles.ClassInfo,
        InputSpec,
        bundles.Calibration,
        bundles.PredictionSetRule,
        bundles.OutOfDistributionRule,
        bundles.Quality,
    ],
    ids=lambda record: record.__name__,
)
def test_every_field_of_the_card_is_in_the_formats(record):
    for field in dataclasses.fields(record):
        assert f"`{field.name}`" in section(FORMATS, "Bundle")


def test_every_allowed_value_of_the_preprocessing_is_in_the_formats():
    for value in (*SCALINGS, *CONTRASTS, *RESIZES):
        assert f"`{value}`" in section(FORMATS, "Bundle")


def test_every_file_of_a_bundle_is_in_the_formats():
    bundle = bundles.Bundle(Path("folder"), CARD)
    named = (bundle.evaluation_file, bundle.ood_file, bundle.golden_image, bundle.golden_logits)
    names = [file.relative_to("folder").as_posix() for file in named]
    for name in (*names, *bundles.MODEL_FILES, bundles.CARD, "MODEL_CARD.md", "training_images.txt"):
        assert f"`{name}`" in section(FORMATS, "Bundle")


def test_every_column_of_the_results_is_in_the_formats_in_order():
    columns = list(dict.fromkeys("p_<class>" if name.startswith("p_") else name for name in result_columns(CARD)))
    text = section(FORMATS, "Results of `classify` and of a case")
    assert re.findall(r"^\| `(\S+)` \|", text, re.MULTILINE) == columns


def test_every_column_of_evaluation_and_labels_is_in_the_formats():
    for column in (*TEXT_COLUMNS, *logit_columns(["<class>"])):
        assert f"`{column}`" in section(FORMATS, "evaluation.csv")
    for column in ("path", "label", *labels.OPTIONAL):
        assert f"`{column}`" in section(FORMATS, "Labels CSV")


def test_every_field_and_state_of_a_case_is_in_the_formats():
    text = section(FORMATS, "Case")
    for name in (*(field.name for field in dataclasses.fields(cases.Case)), *cases.STATES):
        assert f"`{name}`" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_every_link_between_documents_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_every_example_in_a_docstring_gives_what_it_says(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed


def test_the_readme_says_at_once_what_it_is_not():
    assert "not a medical device" in README[:900].lower()
