"""Random views of training images, a batch at a time, inside the TensorFlow graph."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from dashboard.training.recipes import Augmentation

# luma, orange-blue, purple-green (NTSC): turning the last two about the first turns the hue
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], np.float32)
_YIQ_INVERSE = np.linalg.inv(_YIQ).astype(np.float32)
# optical density of haematoxylin, eosin and a residual (Ruifrok & Johnston 2001; skimage.color.rgb_from_hed)
_STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]], np.float32)
_STAINS_INVERSE = np.linalg.inv(_STAINS).astype(np.float32)


def augment(images: tf.Tensor, height: int, width: int, how: Augmentation) -> tf.Tensor:
    """Give each image of a batch a random view.

    Parameters
    ----------
    images : tf.Tensor
        uint8, shape (B, H, W, 3): canvases a little larger than the model's input, so that a turn finds real pixels
        in the corners.
    height, width : int
        Size of the views in pixels; without zoom and shift they are the canvases' centres.

    Returns
    -------
    tf.Tensor
        float32, shape (B, height, width, 3), 0 to 255.
    """
    if how.jpeg:
        shape = images.shape
        images = tf.ensure_shape(tf.map_fn(lambda image: _recompress(image, how.jpeg), images), shape)
    views = _turn(tf.cast(images, tf.float32), height, width, how)
    if how.elastic:
        views = _bend(views, how)
    if how.blur:
        views = _blur(views, how.blur)
    if how.sharpness:
        views = _sharpen(views, how)
    if how.stain:
        views = _restain(views, how.stain)
    views = _recolour(views, how)
    if how.noise:
        count = tf.shape(views)[0]
        chosen = tf.cast(tf.random.uniform([count, 1, 1, 1]) < how.noise, tf.float32)
        views += chosen * _noise_sigma(count, how) * tf.random.normal(tf.shape(views))
    return tf.clip_by_value(views, 0.0, 255.0)


def _noise_sigma(count: tf.Tensor, how: Augmentation) -> tf.Tensor:
    if not how.noise_levels:
        return tf.random.uniform([count, 1, 1, 1], 0.0, how.noise_sigma)
    return tf.gather(
        tf.constant(how.noise_levels), tf.random.uniform([count, 1, 1, 1], 0, len(how.noise_levels), tf.int32)
    )


def mix(images: tf.Tensor, targets: Any, alpha: float) -> tuple[tf.Tensor, Any]:
    """Mix each image, and its targets, with another of the batch in a random proportion.

    Parameters
    ----------
    images : tf.Tensor
        float32, shape (B, h, w, 3).
    targets : tf.Tensor or dict of tf.Tensor
        float32, shape (B, K).
    alpha : float
        Both parameters of the beta distribution of the proportion; the smaller, the less is mixed.

    Source
    ------
    Zhang et al. 2018, "mixup: beyond empirical risk minimization", arXiv:1710.09412.
    """
    count = tf.shape(images)[0]
    one, other = tf.unstack(tf.random.gamma([2, count], alpha))
    share = one / tf.maximum(one + other, 1e-12)
    share = tf.maximum(share, 1 - share)

    def mixed(values: tf.Tensor) -> tf.Tensor:
        kept = tf.reshape(share, [count] + [1] * (values.shape.rank - 1))
        return kept * values + (1 - kept) * values[::-1]

    return mixed(images), tf.nest.map_structure(mixed, targets)


def _recompress(image: tf.Tensor, share: float) -> tf.Tensor:
    def compressed() -> tf.Tensor:
        quality = tf.random.uniform([], 40, 96, tf.int32)
        return tf.image.adjust_jpeg_quality(image, quality)

    return tf.cond(tf.random.uniform([]) < share, compressed, lambda: image)


def _turn(images: tf.Tensor, height: int, width: int, how: Augmentation) -> tf.Tensor:
    count = tf.shape(images)[0]
    canvas_height, canvas_width = images.shape[1], images.shape[2]
    angle = tf.random.uniform([count], -1.0, 1.0) * how.rotation * math.pi / 180
    scale = tf.exp(-tf.random.uniform([count], math.log(how.zoom[0]), math.log(how.zoom[1]) + 1e-9))
    flip = tf.sign(tf.random.uniform([count]) - 0.5) if how.flips else tf.ones([count])
    shift = tf.random.uniform([2, count], -1.0, 1.0) * how.shift
    upright = tf.sign(tf.random.uniform([count]) - 0.5) if how.vertical_flips else tf.ones([count])
    shear = tf.tan(tf.random.uniform([count], -1.0, 1.0) * how.shear * math.pi / 180)
    cos, sin = tf.cos(angle) * scale, tf.sin(angle) * scale
    # output (x, y) about its centre → canvas (x, y) about its centre
    a, b, c, d = cos * flip, (cos * shear - sin) * upright, sin * flip, (sin * shear + cos) * upright
    out_x, out_y = (width - 1) / 2, (height - 1) / 2
    at_x = (canvas_width - 1) / 2 + shift[0] * width - a * out_x - b * out_y
    at_y = (canvas_height - 1) / 2 + shift[1] * height - c * out_x - d * out_y
    tilted = tf.cast(tf.random.uniform([count]) < how.perspective, tf.float32)
    tilt_x, tilt_y = tf.unstack(tf.random.uniform([2, count], -0.1, 0.1) * tilted / max(width, height))
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, at_x, c, d, at_y, tilt_x, tilt_y], axis=1),
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def _smooth(images: tf.Tensor, sigma: float) -> tf.Tensor:
    """Gaussian blur of float32 (B, H, W, C), sigma in pixels, cut at two sigmas."""
    reach = round(2 * sigma)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    taps = np.tile((taps / taps.sum())[:, None, None, None], (1, 1, images.shape[3], 1))
    padded = tf.pad(images, [[0, 0], [reach, reach], [reach, reach], [0, 0]], "REFLECT")
    blurred = tf.nn.depthwise_conv2d(padded, taps, [1, 1, 1, 1], "VALID")
    return tf.nn.depthwise_conv2d(blurred, taps.transpose(1, 0, 2, 3), [1, 1, 1, 1], "VALID")


def _blur(images: tf.Tensor, share: float) -> tf.Tensor:
    blurred = _smooth(images, 1.5)
    count = tf.shape(images)[0]
    mix = tf.random.uniform([count, 1, 1, 1]) * tf.cast(tf.random.uniform([count, 1, 1, 1]) < share, tf.float32)
    return images + mix * (blurred - images)


def _sharpen(images: tf.Tensor, how: Augmentation) -> tf.Tensor:
    """Add back what a slight blur takes away; 1 leaves the image, 2 doubles its detail."""
    count = tf.shape(images)[0]
    chosen = tf.cast(tf.random.uniform([count, 1, 1, 1]) < how.sharpness, tf.float32)
    factor = tf.random.uniform([count, 1, 1, 1], 0.0, how.sharpest - 1.0)
    return images + chosen * factor * (images - _smooth(images, 1.0))


def _bend(images: tf.Tensor, how: Augmentation) -> tf.Tensor:
    """Elastic deformation; after Simard et al. 2003, doi:10.1109/ICDAR.2003.1227801."""
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    chosen = tf.cast(tf.random.uniform([count, 1, 1, 1]) < how.elastic, tf.float32)
    noise = tf.random.uniform([count, height, width, 2], -1.0, 1.0)
    moved = chosen * how.elastic_alpha * _smooth(noise, how.elastic_sigma)
    rows, columns = tf.meshgrid(tf.range(height), tf.range(width), indexing="ij")
    at = tf.cast(tf.stack([rows, columns], axis=-1), tf.float32) + moved
    at = tf.clip_by_value(at, 0.0, [height - 1.001, width - 1.001])
    corner = tf.floor(at)
    share = at - corner
    corner = tf.cast(corner, tf.int32)

    def taken(down: int, right: int) -> tf.Tensor:
        across = share[..., 1:] if right else 1 - share[..., 1:]
        along = share[..., :1] if down else 1 - share[..., :1]
        return along * across * tf.gather_nd(images, corner + tf.constant([down, right]), batch_dims=1)

    return tf.add_n([taken(down, right) for down in (0, 1) for right in (0, 1)])


def _restain(images: tf.Tensor, spread: float) -> tf.Tensor:
    """Change each dye by itself, and tint the glass; after Tellez et al. 2018, doi:10.1109/TMI.2018.2820199."""
    count = tf.shape(images)[0]
    dyes = tf.random.uniform([count, 3, 1], 1 - spread, 1 + spread)
    matrix = tf.matmul(tf.constant(_STAINS_INVERSE), dyes * tf.constant(_STAINS))
    tint = tf.random.uniform([count, 1, 1, 3], -spread / 5, spread / 5)
    density = -tf.math.log(tf.maximum(images, 1.0) / 255.0)
    return 255.0 * tf.exp(-tf.einsum("bhwc,bcd->bhwd", density, matrix) - tint)


def _recolour(images: tf.Tensor, how: Augmentation) -> tf.Tensor:
    count = tf.shape(images)[0]

    def factor(spread: float, channels: int = 1) -> tf.Tensor:
        return 1.0 + tf.random.uniform([count, 1, 1, channels], -spread, spread)

    gamma = factor(how.gamma)
    images = 255.0 * tf.pow(tf.clip_by_value(images / 255.0, 1e-4, 1.0), gamma)
    hue = tf.random.uniform([count], -1.0, 1.0) * how.hue * math.pi / 180
    saturation = tf.reshape(factor(how.saturation), [count])
    cos, sin, one, zero = tf.cos(hue) * saturation, tf.sin(hue) * saturation, tf.ones([count]), tf.zeros([count])
    turn = tf.reshape(tf.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], axis=1), [count, 3, 3])
    matrix = tf.matmul(tf.matmul(tf.constant(_YIQ_INVERSE), turn), tf.constant(_YIQ))
    images = tf.einsum("bhwc,bdc->bhwd", images, matrix)
    images = images * (factor(how.brightness) + how.brightness_centre - 1.0) * factor(how.channel_gain, 3)
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    return mean + (images - mean) * factor(how.contrast)
