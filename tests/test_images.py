"""Whatever the bytes are, what comes out is 8-bit RGB pixels or one sentence."""

import hashlib
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from dashboard import images
from dashboard.errors import ImageError

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)
RGB = Image.fromarray(PIXELS)
LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "WEBP": {"lossless": True}}


def encoded(form: str, image: Image.Image = RGB, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, colour: int, body: bytes) -> bytes:
    """A PNG written by hand: Pillow itself does not write 16-bit RGB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b"")


def tiff(depth: int, body: bytes) -> bytes:
    """A little-endian 16 x 16 RGB TIFF of one strip, written by hand."""
    entries = [  # tag, type (3 short, 4 long), count, value or offset
        (256, 3, 1, 16),
        (257, 3, 1, 16),
        (258, 3, 3, 8 + 2 + 9 * 12 + 4),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8 + 2 + 9 * 12 + 4 + 6),
        (277, 3, 1, 3),
        (278, 3, 1, 16),
        (279, 4, 1, len(body)),
    ]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, 9) + table + struct.pack("<I3H", 0, depth, depth, depth) + body


def bomb() -> bytes:
    """9000 x 9000 black pixels, 243 MB decoded, in 10 kB."""
    return png(9000, 9000, 1, 0, bytes(1126 * 9000))


def test_a_plain_file_comes_out_as_it_is():
    image = images.decode(encoded("PNG"))
    assert image.pixels.dtype == np.uint8
    np.testing.assert_array_equal(image.pixels, PIXELS)
    assert image.notes == ()


def test_the_id_is_the_sha256_of_shape_and_pixels():
    by_hand = hashlib.sha256(b"(40, 48, 3)" + PIXELS.tobytes()).hexdigest()
    assert images.decode(encoded("PNG")).image_id == by_hand


def test_the_same_bytes_in_another_shape_have_another_id():
    pixels = np.zeros((2, 8, 3), np.uint8)
    assert images.image_id(pixels) != images.image_id(pixels.reshape(4, 4, 3))


def test_a_view_has_the_id_of_its_copy():
    assert images.image_id(PIXELS[:, ::-1]) == images.image_id(PIXELS[:, ::-1].copy())


@pytest.mark.parametrize("form", LOSSLESS)
def test_the_same_picture_has_the_same_id_in_every_lossless_format(form):
    assert images.decode(encoded(form, **LOSSLESS[form])).image_id == images.image_id(PIXELS)


def test_the_content_decides_and_not_the_suffix(tmp_path):
    (tmp_path / "cell.jpg").write_bytes(encoded("PNG"))
    np.testing.assert_array_equal(images.read(tmp_path / "cell.jpg").pixels, PIXELS)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(ImageError, match="cannot be read"):
            images.read(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n", "damaged or cut short|content is none of these"),
        (b"path,label\n", "content is none of these"),
        (b"\0" * 5000, "content is none of these"),
        (b"PK\x03\x04" + b"x" * 100, "content is none of these"),
        (encoded("GIF"), "content is none of these"),
        (encoded("GIF", save_all=True, append_images=[RGB.rotate(90)]), "content is none of these"),
        (encoded("PNG", save_all=True, append_images=[RGB.rotate(90)]), "one image; it holds 2 frames"),
        (encoded("WEBP", save_all=True, append_images=[RGB.rotate(90)]), "one image; it holds 2 frames"),
        (encoded("TIFF", save_all=True, append_images=[RGB] * 2), "one image; it holds 3 frames"),
        (encoded("PNG", Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257)), "8 bits a channel"),
        (encoded("TIFF", Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257)), "8 bits a channel"),
        (encoded("TIFF", Image.fromarray(PIXELS[..., 0].astype(np.float32))), "8 bits a channel"),
        (png(16, 16, 16, 2, (b"\0" + b"\x12\x34" * 48) * 16), "8 bits a channel"),
        (png(16, 16, 16, 6, (b"\0" + b"\x12\x34" * 64) * 16), "8 bits a channel"),
        (tiff(16, b"\x12\x34" * 768), "8 bits a channel"),
        (encoded("PNG", RGB.resize((1, 1))), "at least 16 pixels; this image is 1x1"),
        (encoded("PNG", RGB.resize((500, 15))), "at least 16 pixels; this image is 500x15"),
        (bomb(), r"at most 25 megapixels; this one has 81 \(9000x9000\)"),
        (png(20000, 20000, 1, 0, b""), "at most 25 megapixels"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value[:24],
)
def test_what_is_no_single_eight_bit_image_is_refused_with_a_sentence(data, message):
    with pytest.raises(ImageError, match=message) as refused:
        images.decode(data)
    assert str(refused.value).endswith(".")


def test_an_eight_bit_tiff_written_the_same_way_is_read():
    assert images.decode(tiff(8, b"\x40\x80\xc0" * 256)).pixels[0, 0].tolist() == [0x40, 0x80, 0xC0]


def test_a_bomb_is_refused_from_its_header_alone():
    data = bomb()
    assert len(data) < 10_000
    tracemalloc.start()
    with pytest.raises(ImageError, match="81"):
        images.decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
    with pytest.raises(ImageError, match="81"):
        images.decode(data[:60])  # nothing but the header is left to decode


def test_a_file_over_the_limit_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(images, "MAX_BYTES", 2**20)
    (tmp_path / "large.bmp").write_bytes(bytes(2**20 + 1))
    with pytest.raises(ImageError, match="at most 1 MB"):
        images.read(tmp_path / "large.bmp")


def test_the_largest_and_the_smallest_images_are_read():
    assert images.decode(png(5000, 5000, 1, 0, (b"\0" + b"\xff" * 625) * 5000)).pixels.shape == (5000, 5000, 3)
    assert images.decode(encoded("BMP", RGB.resize((16, 16)))).pixels.shape == (16, 16, 3)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_a_file_cut_short_anywhere_is_refused(form):
    data = encoded(form)
    end = len(data) - (20 if form == "PNG" else 0)  # a PNG without its end mark still has every pixel
    for cut in {1, 7, 30, 100, *range(200, end, 397), end - 1}:
        with pytest.raises(ImageError):
            images.decode(data[:cut])


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_flipped_bytes_give_an_image_or_a_sentence(form):
    random = np.random.default_rng(1)
    data = np.frombuffer(encoded(form), np.uint8)
    outcomes = set()
    for trial in range(300):
        damaged = data.copy()
        reach = len(data) if trial % 2 else min(len(data), 150)  # every other time in the header
        at = random.integers(0, reach, random.integers(1, 6))
        damaged[at] = random.integers(0, 256, len(at))
        try:
            image = images.decode(damaged.tobytes())
            assert image.pixels.dtype == np.uint8
            assert image.pixels.shape[2:] == (3,)
            outcomes.add("image")
        except ImageError as refused:
            assert str(refused).endswith(".")
            outcomes.add("refused")
    assert "refused" in outcomes


@pytest.mark.parametrize(
    ("form", "mode", "note"),
    [
        ("JPEG", "CMYK", "CMYK colours"),
        ("TIFF", "CMYK", "CMYK colours"),
        ("PNG", "P", "Palette"),
        ("PNG", "L", "greyscale"),
        ("JPEG", "L", "greyscale"),
        ("BMP", "1", "greyscale"),
    ],
)
def test_other_colours_become_rgb_and_carry_a_note(form, mode, note):
    data = encoded(form, RGB.convert(mode))
    image = images.decode(data)
    assert note in " ".join(image.notes)
    np.testing.assert_array_equal(image.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_greyscale_has_three_equal_channels():
    pixels = images.decode(encoded("PNG", RGB.convert("L"))).pixels
    assert pixels.shape == (40, 48, 3)
    assert (pixels == pixels[..., :1]).all()


def test_transparency_becomes_white():
    image = RGB.convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat([[0], [255]], 20, axis=0).repeat(48, axis=1).astype(np.uint8)))
    decoded = images.decode(encoded("PNG", image))
    assert (decoded.pixels[:20] == 255).all()
    np.testing.assert_array_equal(decoded.pixels[20:], PIXELS[20:])
    assert decoded.notes == ("Transparency was replaced by white.",)


def test_half_transparent_black_on_white_is_grey():
    decoded = images.decode(encoded("PNG", Image.new("RGBA", (16, 16), (0, 0, 0, 128))))
    assert decoded.pixels[0, 0].tolist() == [127, 127, 127]  # 255 * (1 - 128 / 255)


def test_an_alpha_channel_that_hides_nothing_changes_nothing():
    decoded = images.decode(encoded("PNG", RGB.convert("RGBA")))
    assert decoded.image_id == images.image_id(PIXELS)
    assert decoded.notes == ()


def test_a_transparent_palette_entry_becomes_white():
    image = Image.new("P", (16, 16), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((3, 2), 0)
    decoded = images.decode(encoded("PNG", image, transparency=0))
    assert decoded.pixels[2, 3].tolist() == [255, 255, 255]
    assert decoded.pixels[0, 0].tolist() == [0, 0, 255]
    assert "Transparency was replaced by white." in decoded.notes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    data = encoded("PNG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    np.testing.assert_array_equal(images.decode(data).pixels, expected)
    assert images.decode(data).pixels.shape == ((48, 40, 3) if orientation > 4 else (40, 48, 3))


def test_orientation_six_turns_the_picture_clockwise():
    exif = Image.Exif()
    exif[274] = 6
    np.testing.assert_array_equal(images.decode(encoded("PNG", exif=exif)).pixels, np.rot90(PIXELS, -1))


def test_an_encoded_png_decodes_to_the_same_id():
    assert images.decode(images.encode_png(PIXELS)).image_id == images.image_id(PIXELS)


@pytest.mark.parametrize(
    ("shape", "expected"), [((200, 100), (96, 48)), ((100, 200), (48, 96)), ((40, 20), (40, 20)), ((1000, 1), (96, 1))]
)
def test_a_thumbnail_keeps_the_aspect_and_never_enlarges(shape, expected):
    assert images.thumbnail(np.zeros((*shape, 3), np.uint8)).shape == (*expected, 3)
