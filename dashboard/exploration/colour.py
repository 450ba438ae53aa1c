"""The colours of each site, and how well they alone give the site away."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.errors import ExplorationError
from dashboard.exploration.cross_validation import FOLDS, OutOfSample, out_of_sample
from dashboard.exploration.reading import BINS, CHANNELS, Images


def colour_table(images: Images, sites: pd.Series) -> pd.DataFrame:
    """Average the colour histograms of each site.

    Parameters
    ----------
    images : Images
        N of them.
    sites : pandas.Series
        Of length N.

    Returns
    -------
    pandas.DataFrame
        site, channel (red, green, blue), value (middle of the bin, 0 to 255), share (mean share of an image's pixels
        in that bin, in [0, 1]).
    """
    middles = (np.arange(BINS) + 0.5) * (256 / BINS) - 0.5
    parts = [
        pd.DataFrame({"site": site, "channel": name, "value": middles, "share": mean[number]})
        for site, mean in _means(images.colours, sites)
        for number, name in enumerate(CHANNELS)
    ]
    return pd.concat(parts, ignore_index=True)


def site_from_colour(images: Images, groups: np.ndarray) -> OutOfSample:
    """Tell the site of each image from its colour histogram; images without a site are not asked.

    The histograms enter as square roots, so that rare colours count as well (Hellinger distance).

    Raises
    ------
    ExplorationError
        As `cross_validation.out_of_sample`: a single site, or too few images of each.
    """
    return _judged(images, groups, (images.rows["site"] != "").to_numpy())


def site_from_colour_within_classes(images: Images, groups: np.ndarray) -> OutOfSample:
    """Tell the site as `site_from_colour`, among the classes that several sites have: class then gives less away.

    Raises
    ------
    ExplorationError
        No class has enough different images at two sites.
    """
    known = images.rows.assign(group=groups)[images.rows["site"] != ""]
    counts = known.groupby(["label", "site"])["group"].nunique()
    counts = counts[counts >= FOLDS]
    shared = [label for label, sites in counts.groupby("label").size().items() if sites > 1]
    if not shared:
        raise ExplorationError(
            f"No class has {FOLDS} different images or more at each of two sites, so site and class cannot be told "
            "apart here: a model may score well by knowing the site alone."
        )
    pairs = pd.MultiIndex.from_frame(images.rows[["label", "site"]])
    return _judged(images, groups, pairs.isin(counts.loc[shared].index))


def _judged(images: Images, groups: np.ndarray, chosen: np.ndarray) -> OutOfSample:
    features = np.sqrt(images.colours[chosen].reshape(-1, len(CHANNELS) * BINS))
    return out_of_sample(features, images.rows.loc[chosen, "site"], groups[chosen], what="sites")


def _means(colours: np.ndarray, sites: pd.Series) -> list[tuple[str, np.ndarray]]:
    return [(site, colours[(sites == site).to_numpy()].mean(axis=0)) for site in sorted(set(sites))]
