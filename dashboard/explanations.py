"""Where the model looked: one contract over every explanation method.

A method gives evidence on a grid over the model's input; here it becomes a map on the original image's pixels.
TensorFlow is imported with the method, not with this module.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.errors import ExplanationError
from dashboard.preprocessing import region

if TYPE_CHECKING:
    from dashboard.classifier import Classifier

NO_EVIDENCE = "No positive evidence: this method finds no place that speaks for this class."

# Least peak that counts as evidence, in the methods' own units (logits, or logits per input unit).
_FAINTEST = 1e-12


@dataclass(frozen=True)
class Method:
    """One way to explain a classifier.

    Attributes
    ----------
    name : str
        Key in `METHODS`; what the command line takes.
    title : str
        On screen.
    function : str
        "module:function" in this package. It takes (classifier, prepared uint8 (h, w, 3), class_index), and
        `samples`, `seed` and `progress` as far as the method has them; it gives float (a, b), a grid over the model's
        input, of any size and scale: positive where the image speaks for the class.
    meaning : str
        What a bright place means, one sentence.
    source : str
        The paper.
    samples : int or None
        Default number of runs of the model (changed images, channels); None for a method of one pass.
    seeded : bool
        Whether it draws at random.
    needs_spatial_layer : bool
        Whether it reads the last layer with places.
    """

    name: str
    title: str
    function: str
    meaning: str
    source: str
    samples: int | None = None
    seeded: bool = False
    needs_spatial_layer: bool = True

    @property
    def slow(self) -> bool:
        """Whether it takes seconds, so that a page runs it only on request."""
        return self.samples is not None


METHODS = {
    method.name: method
    for method in (
        Method(
            "grad-cam",
            "Grad-CAM",
            "grad_cam:grad_cam",
            "Bright: the last layer's features here raise the class's score.",
            "Selvaraju et al. 2017, doi 10.1109/ICCV.2017.74",
        ),
        Method(
            "grad-cam++",
            "Grad-CAM++",
            "tf_keras_vis_methods:grad_cam_plus_plus",
            "As Grad-CAM, weighted so that several separate places all show.",
            "Chattopadhay et al. 2018, doi 10.1109/WACV.2018.00097",
        ),
        Method(
            "score-cam",
            "Score-CAM",
            "tf_keras_vis_methods:score_cam",
            "Bright: the class's probability stays when the image is kept only here.",
            "Wang et al. 2020, doi 10.1109/CVPRW50498.2020.00020",
            samples=128,
        ),
        Method(
            "smoothgrad",
            "SmoothGrad",
            "tf_keras_vis_methods:smooth_grad",
            "Bright: the class's score is sensitive to these pixels, for or against it.",
            "Smilkov et al. 2017, arXiv:1706.03825",
            samples=32,
            seeded=True,
            needs_spatial_layer=False,
        ),
        Method(
            "lime",
            "LIME",
            "lime_superpixels:lime_superpixels",
            "Bright: blurring this part of the image away lowers the class's score.",
            "Ribeiro et al. 2016, doi 10.1145/2939672.2939778",
            samples=512,
            seeded=True,
            needs_spatial_layer=False,
        ),
    )
}


@dataclass(frozen=True)
class Explanation:
    """One map, and how it was made.

    Attributes
    ----------
    map : numpy.ndarray
        float32, shape (H, W) of the original image, [0, 1]: 0 no positive evidence (or outside what the model saw),
        1 the strongest evidence in this image. Maps of two images or classes are not on one scale.
    method : str
        Key in `METHODS`.
    class_index : int
        The class explained, by its place in the logits.
    note : str
        What the reader must know; "" if nothing.
    parameters : dict
        layer, samples, seed: as far as the method has them.
    """

    map: np.ndarray
    method: str
    class_index: int
    note: str
    parameters: dict[str, Any]


def explain(
    classifier: Classifier,
    pixels: np.ndarray,
    class_index: int,
    method: str,
    *,
    seed: int = 0,
    samples: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Explanation:
    """Show where an image holds evidence for a class.

    Parameters
    ----------
    classifier : Classifier
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), the original image.
    class_index : int
        Which logit to explain.
    method : str
        Key in `METHODS`.
    seed : int
        Same seed, same map.
    samples : int, optional
        Instead of the method's default; ignored by methods of one pass.
    progress : callable, optional
        Called with the share done, 0 to 1; only by slow methods.

    Returns
    -------
    Explanation

    Raises
    ------
    ExplanationError
        Unknown method or class, fewer than one sample, a network without a spatial layer where the method needs one,
        or gradients that are not numbers.
    """
    chosen = find_method(method)
    class_index = _check_class(classifier, class_index)
    parameters = _parameters(chosen, classifier, seed, samples)
    options: dict[str, Any] = {name: value for name, value in parameters.items() if name != "layer"}
    if chosen.slow:
        options["progress"] = progress or (lambda _: None)
    module, function = chosen.function.split(":")
    compute = getattr(importlib.import_module(f"dashboard.{module}"), function)
    evidence = np.asarray(compute(classifier, classifier.prepare(pixels), class_index, **options), np.float32)
    if not np.isfinite(evidence).all():
        raise ExplanationError(
            f"{chosen.title} gave values that are not numbers for this model and image; try another method."
        )
    place = region(pixels.shape, classifier.card.input)
    placed = normalise(on_original(evidence, place, pixels.shape[:2]))
    note = "" if placed.any() else NO_EVIDENCE
    return Explanation(placed, chosen.name, class_index, note, parameters)


def find_method(name: str) -> Method:
    """Look a method up; ExplanationError with the names there are if it is unknown."""
    try:
        return METHODS[name]
    except KeyError:
        raise ExplanationError(f"There is no method {name!r}; there are: {', '.join(METHODS)}.") from None


def normalise(evidence: np.ndarray) -> np.ndarray:
    """Bring evidence to [0, 1].

    Parameters
    ----------
    evidence : numpy.ndarray
        Any finite floats; what is negative speaks against the class and becomes 0.

    Returns
    -------
    numpy.ndarray
        float32, same shape, peak 1; all 0 where nothing is positive.

    Examples
    --------
    >>> normalise(np.array([-1.0, 0.0, 1.0, 4.0]))
    array([0.  , 0.  , 0.25, 1.  ], dtype=float32)
    """
    positive = np.maximum(np.asarray(evidence, np.float32), 0)
    peak = positive.max(initial=0)
    return positive / peak if peak > _FAINTEST else np.zeros_like(positive)


def on_original(evidence: np.ndarray, place: tuple[float, float, float, float], shape: tuple[int, int]) -> np.ndarray:
    """Lay a grid over the part of the original image that the model saw.

    Parameters
    ----------
    evidence : numpy.ndarray
        float32, shape (a, b).
    place : tuple of float
        (top, left, bottom, right) in pixels of the original, as `preprocessing.region` gives it.
    shape : tuple of int
        (H, W) of the original.

    Returns
    -------
    numpy.ndarray
        float32, shape (H, W): bilinear between the grid's centres, 0 at pixels whose centre the model did not see.

    Examples
    --------
    >>> on_original(np.float32([[2]]), (0.0, 1.0, 1.0, 3.0), (1, 4))
    array([[0., 2., 2., 0.]], dtype=float32)
    """
    top, left, bottom, right = place
    rows, row_step, seen_rows = _positions(top, bottom, shape[0], evidence.shape[0])
    columns, column_step, seen_columns = _positions(left, right, shape[1], evidence.shape[1])
    below, beside = np.minimum(rows + 1, evidence.shape[0] - 1), np.minimum(columns + 1, evidence.shape[1] - 1)
    tall = evidence[rows] * (1 - row_step)[:, None] + evidence[below] * row_step[:, None]
    placed = np.zeros(shape, np.float32)
    placed[seen_rows, seen_columns] = tall[:, columns] * (1 - column_step) + tall[:, beside] * column_step
    return placed


def _positions(start: float, end: float, length: int, cells: int) -> tuple[np.ndarray, np.ndarray, slice]:
    """Cell before each seen pixel's centre, share of the way to the next, and which pixels are seen."""
    centres = np.arange(length) + 0.5
    seen = np.flatnonzero((centres >= start) & (centres < end))
    inside = (centres[seen] - start) / (end - start) * cells - 0.5
    inside = np.clip(inside, 0, cells - 1)
    before = np.floor(inside).astype(int)
    return before, (inside - before).astype(np.float32), slice(seen[0], seen[-1] + 1)


def _check_class(classifier: Classifier, class_index: int) -> int:
    classes = len(classifier.card.classes)
    index = operator.index(class_index)
    if not 0 <= index < classes:
        raise ExplanationError(f"The class must be one of the model's {classes}, 0 to {classes - 1}; got {index}.")
    return index


def _parameters(method: Method, classifier: Classifier, seed: int, samples: int | None) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if method.needs_spatial_layer:
        parameters["layer"] = _spatial_layer(method, classifier)
    if method.samples is not None:
        parameters["samples"] = method.samples if samples is None else operator.index(samples)
        if parameters["samples"] < 1:
            raise ExplanationError(f"{method.title} needs at least 1 sample; got {samples}.")
    if method.seeded:
        parameters["seed"] = operator.index(seed)
        if not 0 <= parameters["seed"] < 2**32:
            raise ExplanationError(f"The seed must be from 0 to 4294967295; got {seed}.")
    return parameters


def _spatial_layer(method: Method, classifier: Classifier) -> str:
    try:
        return classifier.last_spatial_layer
    except ExplanationError as error:
        remaining = " and ".join(other.title for other in METHODS.values() if not other.needs_spatial_layer)
        raise ExplanationError(
            f"{method.title} needs a layer that keeps places apart, and this network has none; {remaining} remain."
        ) from error
