"""Awkward picture files, what Pillow makes of each, and what Pillow and torchvision make of one picture by each transform.

    pip install pillow==12.2.0 numpy torch torchvision safetensors      (and gcc with libjpeg's headers, for YCCK and arithmetic coding)
    python make_pictures.py [OUTPUT_DIR]                         (default: this folder)

Writes pictures/*, the files, and pictures.safetensors:
  NAME.rgb, NAME.grey      ImageOps.exif_transpose(Image.open(NAME)).convert("RGB" or "L"), of the files that are read
  source.rgb, source.grey  the picture (height, width[, 3]) that each transform starts from
  resize.*, evaluation.*, augment.*, jitter.*   its results; parameters stand in the names
Pillow 13 resizes some sizes by columns first, and so differs by 1; earlier versions always by rows first, as we do.
Files that are to be refused have no entry; their names begin with "bad-". All arrays are bytes.
"""
import io, os, struct, subprocess, sys, tempfile, zlib
import numpy as np
import torch
if not torch.cuda.is_available():  # torchvision's compiled operators may be missing; none is used here
    register = torch.library.register_fake
    torch.library.register_fake = lambda name, *a, **k: (lambda f: f) if name.startswith("torchvision") else register(name, *a, **k)
import torchvision.transforms as T
import torchvision.transforms.functional as F
from PIL import Image, ImageOps
from safetensors.numpy import save_file
from torchvision.transforms.functional import InterpolationMode

HERE = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "pictures")
os.makedirs(FILES, exist_ok=True)
rng = np.random.default_rng(20260101)


def scene(width, height, channels):
    """Smooth colours, an edge, and some noise: nothing that rounding alone could get right."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 90 * np.sin(x / (3.0 + c) + c) * np.cos(y / (4.0 + c)) + 40 * (x > y) + rng.normal(0, 12, x.shape)
              for c in range(channels)]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


written = []


def write(name, data):
    with open(os.path.join(FILES, name), "wb") as file:
        file.write(data)
    written.append(name)
    return data


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


# PNG, as it may be written: any depth and kind, interlaced or not -----------------------------------------------

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples, bits, kind, interlaced=False, before=b"", after=b"", end=True):
    """samples: (height, width, channels) of values below 2^bits."""
    height, width, _ = samples.shape

    def rows(part):
        packed = b""
        for row in part:
            values = row.reshape(-1)
            if bits == 16:
                data = values.astype(">u2").tobytes()
            elif bits == 8:
                data = values.astype(np.uint8).tobytes()
            else:
                digits = ((values[:, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8).reshape(-1)
                data = np.packbits(digits).tobytes()
            packed += b"\0" + data
        return packed

    if interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        parts = [samples[y::dy, x::dx] for y, x, dy, dx in passes]
        raw = b"".join(rows(part) for part in parts if part.size)
    else:
        raw = rows(samples)
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced)
    data = zlib.compress(raw)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", data[:20]) + chunk(b"IDAT", data[20:])
            + after + (chunk(b"IEND", b"") if end else b""))


def values(width, height, channels, bits):
    if bits == 16:
        return rng.integers(0, 65536, (height, width, channels))
    return (scene(width, height, channels).astype(int) >> (8 - bits))


GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
for bits in (1, 2, 4, 8):
    write(f"grey-{bits}.png", png(values(19, 13, 1, bits), bits, GREY))
    entries = rng.integers(0, 256, 3 * 2**bits).astype(np.uint8).tobytes()
    write(f"palette-{bits}.png", png(values(19, 13, 1, bits), bits, PALETTE, before=chunk(b"PLTE", entries)))
dark = values(19, 13, 1, 16)
dark[:6] >>= 8  # 16-bit greys below 256, which Pillow keeps; it cuts off the others
write("grey-16.png", png(dark, 16, GREY))
write("grey-16-interlaced.png", png(dark, 16, GREY, interlaced=True))
for name, channels, kind in (("rgb", 3, RGB), ("grey-alpha", 2, GREY_ALPHA), ("rgba", 4, RGBA)):
    write(f"{name}-16.png", png(values(19, 13, channels, 16), 16, kind))
    write(f"{name}-8.png", png(values(19, 13, channels, 8), 8, kind))
    write(f"{name}-8-interlaced.png", png(values(19, 13, channels, 8), 8, kind, interlaced=True))
entries = rng.integers(0, 256, 3 * 16).astype(np.uint8).tobytes()
write("palette-4-interlaced.png", png(values(19, 13, 1, 4), 4, PALETTE, True, chunk(b"PLTE", entries)))
write("palette-8-short.png", png(values(19, 13, 1, 8), 8, PALETTE, before=chunk(b"PLTE", entries)))
write("palette-8-transparent.png",
      png(values(19, 13, 1, 4), 8, PALETTE, before=chunk(b"PLTE", entries) + chunk(b"tRNS", bytes(range(0, 160, 10)))))
write("grey-8-transparent.png", png(values(19, 13, 1, 8), 8, GREY, before=chunk(b"tRNS", struct.pack(">H", 100))))
write("rgb-8-transparent.png", png(values(19, 13, 3, 8), 8, RGB, before=chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))))
write("gamma.png", png(values(19, 13, 3, 8), 8, RGB, before=chunk(b"gAMA", struct.pack(">I", 100000))))
write("one-pixel.png", png(values(1, 1, 3, 8), 8, RGB))


def exif(orientation, order="<", kind=3):
    head = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + ("HH" if kind == 3 else "I"), *((orientation, 0) if kind == 3 else (orientation,)))
    entries = struct.pack(order + "HHI", 0x010F, 2, 4) + b"abc\0" + struct.pack(order + "HHI", 0x0112, kind, 1) + value
    return head + struct.pack(order + "IH", 8, 2) + entries + bytes(4)


write("orientation-6.png", png(values(9, 5, 3, 8), 8, RGB, before=chunk(b"eXIf", exif(6))))
write("orientation-5-at-the-end.png", png(values(9, 5, 3, 8), 8, RGB, after=chunk(b"eXIf", exif(5, ">"))))
xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
write("orientation-8-xmp.png",
      png(values(9, 5, 3, 8), 8, RGB, before=chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)))

# JPEG -----------------------------------------------------------------------------------------------------------

colour, grey = Image.fromarray(scene(35, 21, 3)), Image.fromarray(scene(35, 21, 1)[..., 0])
for name, sampling in (("444", 0), ("422", 1), ("420", 2)):
    write(f"rgb-{name}.jpg", encoded(colour, "JPEG", quality=85, subsampling=sampling))
write("grey.jpg", encoded(grey, "JPEG", quality=85))
write("progressive.jpg", encoded(colour, "JPEG", quality=85, progressive=True))
write("progressive-grey.jpg", encoded(grey, "JPEG", quality=85, progressive=True))
write("restarts.jpg", encoded(colour, "JPEG", quality=85, restart_marker_rows=1))
write("adobe-rgb.jpg", encoded(colour, "JPEG", quality=85, keep_rgb=True))
inks = Image.fromarray(scene(35, 21, 4), "CMYK")
cmyk = write("cmyk.jpg", encoded(inks, "JPEG", quality=90))
marker = cmyk.index(b"\xff\xee")
write("cmyk-without-adobe.jpg", cmyk[:marker] + cmyk[marker + 16:])
write("a-png.jpg", png(values(19, 13, 3, 8), 8, RGB))
write("bytes-after-the-end.jpg", encoded(colour, "JPEG", quality=85) + bytes(1000))
for orientation in range(1, 9):
    block = b"Exif\0\0" + exif(orientation, "<>"[orientation % 2], 4 if orientation == 3 else 3)
    write(f"orientation-{orientation}.jpg", encoded(Image.fromarray(scene(18, 10, 3)), "JPEG", exif=block, quality=95))
write("orientation-9.jpg", encoded(colour, "JPEG", exif=b"Exif\0\0" + exif(9)))
write("orientation-6-xmp.jpg", encoded(colour, "JPEG", xmp=xmp.replace(b"8", b"6")))

ENCODER = r"""
#include <stdio.h>
#include <string.h>
#include <jpeglib.h>
int main(int n, char **a) {
  struct jpeg_compress_struct c; struct jpeg_error_mgr e;
  int width = 35, height = 21, inks = a[1][0] == 'y';
  unsigned char row[35 * 4]; JSAMPROW rows[1] = {row};
  c.err = jpeg_std_error(&e); jpeg_create_compress(&c); jpeg_stdio_dest(&c, stdout);
  c.image_width = width; c.image_height = height;
  c.input_components = inks ? 4 : 3; c.in_color_space = inks ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&c);
  if (inks) { jpeg_set_colorspace(&c, JCS_YCCK); c.write_Adobe_marker = 1; }
  else if (a[1][0] == 'a') c.arith_code = 1;
  else { c.comp_info[0].h_samp_factor = 1; c.comp_info[0].v_samp_factor = 2; }
  jpeg_start_compress(&c, 1);
  while (c.next_scanline < c.image_height) {
    if (fread(row, 1, (size_t)width * c.input_components, stdin) == 0) return 1;
    jpeg_write_scanlines(&c, rows, 1);
  }
  jpeg_finish_compress(&c);
  return 0;
}
"""
with tempfile.TemporaryDirectory() as folder:
    source, program = os.path.join(folder, "encode.c"), os.path.join(folder, "encode")
    open(source, "w").write(ENCODER)
    subprocess.run(["gcc", source, "-o", program, "-ljpeg"], check=True)
    for kind, name, pixels in (("y", "ycck", inks), ("a", "arithmetic", colour), ("v", "rgb-440", colour)):
        write(f"{name}.jpg", subprocess.run([program, kind], input=pixels.tobytes(), stdout=subprocess.PIPE, check=True).stdout)

# What is to be refused -------------------------------------------------------------------------------------------

whole = encoded(colour, "JPEG", quality=85)
write("bad-cut.jpg", whole[:len(whole) * 2 // 3])
write("bad-without-end.jpg", whole[:-2])
late = encoded(colour, "JPEG", quality=85, progressive=True)
write("bad-cut-progressive.jpg", late[:len(late) * 2 // 3])
write("bad-header-only.jpg", whole[:whole.index(b"\xff\xda")])
write("bad-three-bytes.jpg", whole[:3])
write("bad-two-bytes.jpg", whole[:2])
broken = bytearray(whole)
start = whole.index(b"\xff\xda") + 14
broken[start + 40:start + 90] = b"\x55\xff\x00\xff\x00" * 10
write("bad-code.jpg", bytes(broken))
write("bad-cut-but-ended.jpg", whole[:start + 100] + b"\xff\xd9")
frame = whole.index(b"\xff\xc0")


def patched(offset, data, base=whole):
    return base[:frame + offset] + data + base[frame + offset + len(data):]


write("bad-12-bits.jpg", patched(4, b"\x0c"))
write("bad-lossless.jpg", patched(1, b"\xc3"))
write("bad-no-rows.jpg", patched(5, b"\0\0"))
write("bad-huge.jpg", patched(5, struct.pack(">HH", 65500, 65500)))
write("bad-empty.jpg", b"")
write("bad-text.jpg", b"<html>404 not found</html>\n")
write("bad-gif.jpg", encoded(colour.quantize(8), "GIF"))
write("bad-webp.png", b"RIFF\x24\0\0\0WEBPVP8 " + bytes(24))
whole = png(values(19, 13, 3, 8), 8, RGB)
write("bad-cut.png", whole[:len(whole) // 2])
write("bad-without-end.png", png(values(19, 13, 3, 8), 8, RGB, end=False))
broken = bytearray(whole)
broken[60] ^= 1
write("bad-checksum.png", bytes(broken))
write("bad-huge.png", whole[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 2, 0, 0, 0)) + whole[33:])
write("bad-large.png", whole[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)) + whole[33:])
write("bad-no-columns.png", whole[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 13, 8, 2, 0, 0, 0)) + whole[33:])
write("bad-too-few-rows.png", whole[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 19, 14, 8, 2, 0, 0, 0)) + whole[33:])
write("bad-no-pixels.png", whole[:33] + chunk(b"IEND", b""))
write("bad-no-palette.png", png(values(19, 13, 1, 8), 8, PALETTE))

expected = {}
for name in written:
    if name.startswith("bad-"):
        continue
    picture = ImageOps.exif_transpose(Image.open(os.path.join(FILES, name)))
    expected[name + ".rgb"] = np.array(picture.convert("RGB"))
    expected[name + ".grey"] = np.array(picture.convert("L"))

# Transforms of one picture ---------------------------------------------------------------------------------------

sources = {"rgb": Image.fromarray(scene(37, 29, 3)), "grey": Image.fromarray(scene(37, 29, 1)[..., 0])}
BILINEAR = InterpolationMode.BILINEAR
for kind, picture in sources.items():
    def keep(name, result):
        expected[f"{name}.{kind}"] = np.array(result)

    keep("source", picture)
    for width, height in ((16, 16), (37, 11), (12, 29), (64, 50), (40, 20), (5, 3), (1, 1)):
        keep(f"resize.{width}x{height}", picture.resize((width, height), Image.BILINEAR))
    for box in ((3, 5, 20, 17), (0, 0, 37, 1), (11, 2, 1, 20), (7, 9, 16, 16)):
        x, y, width, height = box
        keep("crop.%d.%d.%d.%d" % box, F.resized_crop(picture, y, x, height, width, [16, 16], BILINEAR))
    for shorter, crop in ((16, 16), (20, 16), (14, 17), (29, 24)):
        keep(f"evaluation.{shorter}.{crop}", F.center_crop(F.resize(picture, [shorter], BILINEAR), [crop, crop]))
    table = T.RandAugment()._augmentation_space(31, (29, 37))
    operations = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast",
                  "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize"]
    assert list(table) == operations
    from torchvision.transforms.autoaugment import _apply_op
    for index, name in enumerate(operations):
        magnitudes, signed = table[name]
        for m in (0, 9, 17, 30):
            magnitude = float(magnitudes[m].item()) if magnitudes.ndim > 0 else 0.0
            for sign in ((1, -1) if signed else (1,)):
                result = _apply_op(picture, name, sign * magnitude, InterpolationMode.NEAREST, None)
                keep(f"augment.{index}.{m}.{'-' if sign < 0 else '+'}", result)
    for change, adjust, factors in (("brightness", F.adjust_brightness, (0.3, 1.6)), ("contrast", F.adjust_contrast, (0.3, 1.6)),
                                    ("saturation", F.adjust_saturation, (0.0, 0.4, 2.2)),
                                    ("hue", F.adjust_hue, (-0.5, -0.13, 0.07, 0.4))):
        for factor in factors:
            keep(f"jitter.{change}.{factor}", adjust(picture, factor))

for name, value in expected.items():
    expected[name] = np.ascontiguousarray(value)
save_file(expected, os.path.join(HERE, "pictures.safetensors"),
          metadata={"what": "Pillow's and torchvision's pixels; see make_pictures.py"})
print(len(written), "files,", len(expected), "arrays,", os.path.getsize(os.path.join(HERE, "pictures.safetensors")), "bytes")
