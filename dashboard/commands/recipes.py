"""List the training recipes."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments: none."""


def run(arguments: argparse.Namespace) -> None:  # noqa: ARG001
    """Print a line a recipe."""
    from dashboard.training.recipes import RECIPES

    for recipe in RECIPES.values():
        print(
            f"{recipe.name}\t{recipe.paper or '-'}\t{recipe.backbone}\t{len(recipe.classes)} classes\t"
            f"{recipe.epochs} epochs\t{recipe.protocol}\t{recipe.source}"
        )
