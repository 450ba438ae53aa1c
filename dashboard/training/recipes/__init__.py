"""The recipes: `pbc8` and `stand_ins` are the project's own, `papers` those of the five papers."""

from __future__ import annotations

from dashboard.errors import TrainingError
from dashboard.training.recipes.papers import PAPERS
from dashboard.training.recipes.pbc8 import PBC8, PBC8_CLASSES
from dashboard.training.recipes.recipe import Augmentation, Balance, Head, Optimiser, Recipe
from dashboard.training.recipes.stand_ins import STAND_INS

__all__ = ["PBC8_CLASSES", "RECIPES", "Augmentation", "Balance", "Head", "Optimiser", "Recipe", "recipe"]

RECIPES = {recipe.name: recipe for recipe in (*PBC8, *STAND_INS, *PAPERS)}


def recipe(name: str) -> Recipe:
    """Look a recipe up; TrainingError with the names there are if it is unknown."""
    try:
        return RECIPES[name]
    except KeyError:
        raise TrainingError(f"There is no recipe {name!r}; there are: {', '.join(sorted(RECIPES))}.") from None
