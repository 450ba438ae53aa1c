"""Recipes, augmentation and fitting. Never imported by the app."""
