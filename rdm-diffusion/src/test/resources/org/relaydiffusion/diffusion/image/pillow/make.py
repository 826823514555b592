"""Makes the pictures of PillowPicturesTest and what Pillow reads. Usage: make.py pictures.zip expected.txt. See README.md."""
import io, os, struct, sys, zipfile, zlib, hashlib, tempfile
import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin
rng = np.random.default_rng(20)
files = {}
def wave(w, h):
    y, x = np.mgrid[0:h, 0:w]
    a = np.stack([128 + 120 * np.sin(x / 3 + y / 7), 128 + 110 * np.cos(x / 5 - y / 4), (x * 19 + y * 7) % 256], -1)
    return np.clip(a + rng.normal(0, 9, a.shape), 0, 255).astype(np.uint8)
def rgb(w=17, h=13): return Image.fromarray(wave(w, h))
def grey(w=17, h=13): return Image.fromarray(wave(w, h)[..., 0])
def planes(n, w=17, h=13):
    return np.concatenate([wave(w, h), wave(w, h)], -1)[..., :n]
def save(image, kind, **options):
    out = io.BytesIO(); image.save(out, kind, **options); return out.getvalue()
def add(name, data): assert name not in files, name; files[name] = data
def segment(marker, body): return bytes([0xff, marker]) + struct.pack('>H', len(body) + 2) + body

# --- JPEG
SUB = {'444': 0, '422': 1, '420': 2}
for w, h in ((17, 13), (16, 16), (1, 1), (3, 40), (64, 5), (5, 6)):
    for name, sub in SUB.items():
        for kind, options in (('base', {}), ('prog', {'progressive': True})):
            add(f'jpeg/{name}-{kind}-{w}x{h}.jpg', save(rgb(w, h), 'JPEG', quality=85, subsampling=sub, **options))
def jpegtran(data, *args):
    import subprocess
    return subprocess.run(['jpegtran', '-copy', 'all', *args], input=data, stdout=subprocess.PIPE, check=True).stdout
def cjpeg(image, *args):
    import subprocess
    return subprocess.run(['cjpeg', *args], input=save(image, 'PPM'), stdout=subprocess.PIPE, check=True).stdout
for sample in ('1x2', '2x1', '2x2', '4x1', '1x4', '4x2', '2x4', '4x4', '2x2,2x1,1x2', '2x2,1x2,1x2', '2x2,2x1,2x1', '1x1,2x2,1x1', '1x2,1x1,1x2', '3x1', '1x3', '3x2'):
    for w, h in ((17, 13), (32, 31)):
        try: add(f'jpeg/sample-{sample.replace(",", "_")}-{w}x{h}.jpg', cjpeg(rgb(w, h), '-quality', '90', '-sample', sample))
        except Exception as e: print('no', sample, e, file=sys.stderr)
add('jpeg/440-prog.jpg', cjpeg(rgb(30, 23), '-progressive', '-sample', '1x2'))
for q in (1, 5, 30, 100): add(f'jpeg/quality-{q}.jpg', save(rgb(40, 30), 'JPEG', quality=q))
base = save(rgb(), 'JPEG', quality=92, subsampling=2)
add('jpeg/restart.jpg', jpegtran(base, '-restart', '1B'))
add('jpeg/restart-rows.jpg', jpegtran(save(rgb(40, 40), 'JPEG'), '-restart', '1', '-progressive'))
add('jpeg/optimized.jpg', save(rgb(), 'JPEG', optimize=True))
add('jpeg/grey.jpg', save(grey(), 'JPEG')); add('jpeg/grey-prog.jpg', save(grey(33, 9), 'JPEG', progressive=True))
add('jpeg/grey-sample-2x2.jpg', cjpeg(grey(), '-grayscale', '-sample', '2x2'))
add('jpeg/rgb-colours.jpg', cjpeg(rgb(), '-rgb'))
add('jpeg/cmyk.jpg', save(Image.fromarray(planes(4), 'CMYK'), 'JPEG', quality=95))
add('jpeg/cmyk-prog.jpg', save(Image.fromarray(planes(4, 31, 20), 'CMYK'), 'JPEG', quality=60, progressive=True))
cm = save(Image.fromarray(planes(4, 24, 24), 'CMYK'), 'JPEG', quality=95)
def adobe(t): return segment(0xee, b'Adobe' + struct.pack('>HHHB', 100, 0, 0, t))
def without(data, *markers):
    out, at = data[:2], 2
    while data[at + 1] != 0xda:
        n = struct.unpack('>H', data[at + 2:at + 4])[0] + 2
        if data[at + 1] not in markers: out += data[at:at + n]
        at += n
    return out + data[at:]
def front(data, *segments): return data[:2] + b''.join(segments) + data[2:]
bare4 = without(cm, 0xee, 0xe0)
for t in (0, 1, 2): add(f'jpeg/four-adobe-{t}.jpg', front(bare4, adobe(t)))
add('jpeg/four-bare.jpg', bare4)
def with_ids(data, ids):
    data, at = bytearray(data), 2
    while True:
        marker, n = data[at + 1], struct.unpack('>H', data[at + 2:at + 4])[0]
        if marker in (0xc0, 0xc1, 0xc2):
            for i in range(3): data[at + 10 + 3 * i] = ids[i]
        if marker == 0xda:
            for i in range(3): data[at + 5 + 2 * i] = ids[i]
            return bytes(data)
        at += n + 2
full = save(rgb(), 'JPEG', quality=95, subsampling=0)
jfif, bare = segment(0xe0, b'JFIF\0\1\1\0\0\1\0\1\0\0'), without(full, 0xe0)
for ids in ((1, 2, 3), (0, 1, 2), (1, 0x22, 0x33), (82, 71, 66), (114, 103, 98), (2, 1, 3)):
    n = '-'.join(map(str, ids))
    add(f'jpeg/ids-{n}-bare.jpg', with_ids(bare, ids))
    add(f'jpeg/ids-{n}-jfif.jpg', front(with_ids(bare, ids), jfif))
    add(f'jpeg/ids-{n}-adobe-0.jpg', front(with_ids(bare, ids), adobe(0)))
    add(f'jpeg/ids-{n}-adobe-1.jpg', front(with_ids(bare, ids), adobe(1)))
for t in (0, 1, 2): add(f'jpeg/jfif-adobe-{t}.jpg', front(bare, jfif, adobe(t)))
add('jpeg/adobe-2.jpg', front(bare, adobe(2)))
add('jpeg/short-jfif.jpg', front(with_ids(bare, (82, 71, 66)), segment(0xe0, b'JFIF\0')))
add('jpeg/short-adobe.jpg', front(bare, segment(0xee, b'Adobe\0')))
srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
wide = bytearray(srgb)
primaries = {b'rXYZ': (0.6097, 0.3111, 0.0195), b'gXYZ': (0.2053, 0.6257, 0.0609), b'bXYZ': (0.1492, 0.0632, 0.7446)}
for i in range(struct.unpack('>I', wide[128:132])[0]):
    tag, offset = bytes(wide[132 + 12 * i:136 + 12 * i]), struct.unpack('>I', wide[136 + 12 * i:140 + 12 * i])[0]
    if tag in primaries: wide[offset + 8:offset + 20] = b''.join(struct.pack('>i', round(v * 65536)) for v in primaries[tag])
wide = bytes(wide)
icc = lambda k, n, body=b'\0' * 128: segment(0xe2, b'ICC_PROFILE\0' + bytes([k, n]) + body)
add('jpeg/icc-srgb.jpg', save(rgb(), 'JPEG', icc_profile=srgb)); add('jpeg/icc-wide.jpg', save(rgb(), 'JPEG', icc_profile=wide))
add('jpeg/icc-grey-in-rgb.jpg', front(full, icc(1, 1, wide[:16] + b'GRAY' + wide[20:])))
add('jpeg/icc-on-grey.jpg', save(grey(), 'JPEG', icc_profile=wide))
add('jpeg/icc-on-cmyk.jpg', save(Image.fromarray(planes(4), 'CMYK'), 'JPEG', icc_profile=wide))
add('jpeg/icc-part-missing.jpg', front(full, icc(1, 2))); add('jpeg/icc-twice.jpg', front(full, icc(1, 1), icc(1, 1)))
add('jpeg/icc-number-0.jpg', front(full, icc(0, 1))); add('jpeg/icc-empty.jpg', front(full, segment(0xe2, b'ICC_PROFILE\0')))
exif = lambda o: b'Exif\0\0MM\0*\0\0\0\x08' + struct.pack('>HHHIHHI', 1, 0x112, 3, 1, o, 0, 0)
for o in (3, 6): add(f'jpeg/exif-orientation-{o}.jpg', save(rgb(), 'JPEG', exif=exif(o)))
add('jpeg/exif-without-jfif.jpg', front(bare, segment(0xe1, exif(1))))
add('jpeg/exif-broken.jpg', front(full, segment(0xe1, b'Exif\0\0MM\0*\xff\xff\xff\xff')))
add('jpeg/exif-empty.jpg', front(full, segment(0xe1, b'')))
add('jpeg/comment.jpg', front(full, segment(0xfe, b'words \xff\xd8\xff\xc0 here')))
add('jpeg/thumbnail.jpg', front(full, segment(0xe1, b'Exif\0\0' + save(rgb(8, 8), 'JPEG'))))
add('jpeg/photoshop.jpg', front(full, segment(0xed, b'Photoshop 3.0\0' + bytes(200))))
add('jpeg/fill-bytes.jpg', full[:2] + b'\xff\xff\xff' + full[2:]); add('jpeg/tail.jpg', full + b'more behind the end')
y, x = np.mgrid[0:64, 0:64]
ramp = Image.fromarray(np.stack([x * 4, y * 4, 255 - x * 4], -1).astype(np.uint8))
add('jpeg/ramp.jpg', save(ramp, 'JPEG', quality=95, subsampling=0)); add('jpeg/ramp-icc.jpg', save(ramp, 'JPEG', quality=95, subsampling=0, icc_profile=wide))
add('jpeg/ramp-cmyk.jpg', save(Image.fromarray(np.stack([x * 2, y * 2, 60 + 0 * x, 20 + 0 * x], -1).astype(np.uint8), 'CMYK'), 'JPEG', quality=95))
# --- WebP
add('webp/ramp.webp', save(Image.fromarray(np.stack([x * 4, y * 4, 0 * x], -1).astype(np.uint8)), 'WEBP', quality=95))
for w, h in ((17, 13), (1, 1), (2, 5), (16, 16), (33, 50), (64, 31)):
    for q in (5, 50, 80, 100): add(f'webp/lossy-{w}x{h}-{q}.webp', save(rgb(w, h), 'WEBP', quality=q))
    add(f'webp/lossless-{w}x{h}.webp', save(rgb(w, h), 'WEBP', lossless=True))
    add(f'webp/lossy-alpha-{w}x{h}.webp', save(Image.fromarray(planes(4, w, h)), 'WEBP', quality=70))
    add(f'webp/lossless-alpha-{w}x{h}.webp', save(Image.fromarray(planes(4, w, h)), 'WEBP', lossless=True, exact=True))
for n in (1, 2, 4, 16, 17, 200):
    add(f'webp/palette-{n}.webp', save(Image.fromarray(wave(16, 16).reshape(-1, 3)[:n][rng.integers(0, n, (13, 17))]), 'WEBP', lossless=True))
def cwebp(image, *args):
    import subprocess
    with tempfile.TemporaryDirectory() as folder:
        png, webp = folder + '/t.png', folder + '/t.webp'
        with open(png, 'wb') as out:
            out.write(save(image, 'PNG'))
        subprocess.run(['cwebp', '-quiet', *args, png, '-o', webp], check=True)
        with open(webp, 'rb') as made:
            return made.read()
for i, args in enumerate(('-f 0', '-f 100 -q 20', '-f 60 -nostrong', '-sharpness 7 -f 80', '-segments 4 -sns 100', '-q 30 -m 0', '-lossless -z 9', '-near_lossless 40', '-q 5 -f 100 -nostrong', '-sharp_yuv')):
    add(f'webp/cwebp-{i}.webp', cwebp(rgb(70, 45), *args.split()))
add('webp/icc-exif.webp', save(rgb(), 'WEBP', icc_profile=wide, exif=exif(6)))
add('webp/animation.webp', save(rgb(), 'WEBP', save_all=True, append_images=[rgb()]))
# --- PNG
def png(w, h, bits, colour, rows, *chunks, interlace=0):
    def chunk(t, d): return struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, bits, colour, 0, 0, interlace))
            + b''.join(chunk(t, d) for t, d in chunks) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
def packed(w, h, bits, samples):
    row = (w * bits * samples + 7) // 8
    return b''.join(bytes([0]) + rng.bytes(row) for _ in range(h))
def adam7(w, h, bits, samples):
    out = b''
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        pw, ph = (w - x0 + dx - 1) // dx, (h - y0 + dy - 1) // dy
        if pw > 0 and ph > 0: out += packed(pw, ph, bits, samples)
    return out
for colour, samples, depths in ((0, 1, (1, 2, 4, 8)), (2, 3, (8, 16)), (3, 1, (1, 2, 4, 8)), (4, 2, (8, 16)), (6, 4, (8, 16))):
    for bits in depths:
        pal = ((b'PLTE', rng.bytes(3 * (1 << bits))),) if colour == 3 else ()
        add(f'png/type-{colour}-{bits}.png', png(17, 13, bits, colour, packed(17, 13, bits, samples), *pal))
        add(f'png/type-{colour}-{bits}-interlaced.png', png(17, 13, bits, colour, adam7(17, 13, bits, samples), *pal, interlace=1))
        if colour in (0, 2): add(f'png/type-{colour}-{bits}-trns.png', png(17, 13, bits, colour, packed(17, 13, bits, samples), (b'tRNS', struct.pack('>' + 'H' * samples, *([1] * samples)))))
        if colour == 3: add(f'png/type-3-{bits}-trns.png', png(17, 13, bits, colour, packed(17, 13, bits, samples), *pal, (b'tRNS', b'\0\x80')))
add('png/icc.png', save(rgb(), 'PNG', icc_profile=wide)); add('png/gamma.png', png(5, 5, 8, 2, packed(5, 5, 8, 3), (b'gAMA', struct.pack('>I', 100000))))
add('png/palette-grey-ramp.png', save(grey().convert('P'), 'PNG')); add('png/bilevel.png', save(grey().convert('1'), 'PNG'))
add('png/rgba.png', save(Image.fromarray(planes(4)), 'PNG')); add('png/la.png', save(Image.fromarray(planes(2), 'LA'), 'PNG'))
# --- GIF, BMP
add('gif/palette.gif', save(rgb().quantize(100), 'GIF')); add('gif/grey.gif', save(grey(), 'GIF')); add('gif/interlaced.gif', save(rgb(20, 20).quantize(7), 'GIF', interlace=1))
add('gif/transparent.gif', save(rgb().quantize(16), 'GIF', transparency=3)); add('gif/animation.gif', save(rgb().quantize(16), 'GIF', save_all=True, append_images=[rgb().quantize(16)]))
add('gif/bilevel.gif', save(grey().convert('1'), 'GIF'))
g = save(rgb(7, 5).quantize(16), 'GIF'); at = g.index(b'\x2c')
off = g[:6] + struct.pack('<HH', 17, 13) + g[10:at + 1] + struct.pack('<HH', 4, 3) + g[at + 5:]
add('gif/offset.gif', off); gce = off.index(b'\x2c'); add('gif/offset-transparent.gif', off[:gce] + b'\x21\xf9\x04\x01\0\0\x05\0' + off[gce:])
for mode in ('1', 'L', 'P', 'RGB', 'RGBA'):
    add(f'bmp/{mode}.bmp', save((Image.fromarray(planes(4)) if mode == 'RGBA' else rgb().quantize(200) if mode == 'P' else rgb().convert(mode)), 'BMP'))
def bmp(w, h, bits, data, compression=0, masks=b'', palette=b'', height=None):
    header = struct.pack('<IiiHHIIiiII', 40, w, height or h, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0)
    off = 14 + 40 + len(masks) + len(palette)
    return b'BM' + struct.pack('<IHHI', off + len(data), 0, 0, off) + header + masks + palette + data
row = lambda w, bits: (w * bits + 31) // 32 * 4
for bits in (16, 24, 32): add(f'bmp/{bits}.bmp', bmp(17, 13, bits, rng.bytes(row(17, bits) * 13)))
add('bmp/565.bmp', bmp(17, 13, 16, rng.bytes(row(17, 16) * 13), 3, struct.pack('<III', 0xf800, 0x7e0, 0x1f)))
add('bmp/555-masks.bmp', bmp(17, 13, 16, rng.bytes(row(17, 16) * 13), 3, struct.pack('<III', 0x7c00, 0x3e0, 0x1f)))
add('bmp/top-down.bmp', bmp(17, 13, 24, rng.bytes(row(17, 24) * 13), height=-13))
pal16 = b''.join(rng.bytes(3) + b'\0' for _ in range(16))
add('bmp/4-palette.bmp', bmp(17, 13, 4, rng.bytes(row(17, 4) * 13), palette=pal16)); add('bmp/1-palette.bmp', bmp(17, 13, 1, rng.bytes(row(17, 1) * 13), palette=pal16[:8]))
rle = b''.join(bytes([17, y]) + b'\0\0' for y in range(13)) + b'\0\1'
add('bmp/rle8.bmp', bmp(17, 13, 8, rle, 1, palette=b''.join(rng.bytes(3) + b'\0' for _ in range(256))))
# --- TIFF
for mode, im in (('1', grey().convert('1')), ('L', grey()), ('LA', Image.fromarray(planes(2), 'LA')), ('P', rgb().quantize(50)), ('RGB', rgb()), ('RGBA', Image.fromarray(planes(4))), ('CMYK', Image.fromarray(planes(4), 'CMYK'))):
    add(f'tiff/{mode}.tif', save(im, 'TIFF'))
    for c in ('tiff_lzw', 'tiff_adobe_deflate', 'packbits'): add(f'tiff/{mode}-{c}.tif', save(im, 'TIFF', compression=c))
for c in ('group3', 'group4', 'tiff_ccitt'): add(f'tiff/1-{c}.tif', save(grey().convert('1'), 'TIFF', compression=c))
add('tiff/jpeg-rgb.tif', save(rgb(32, 20), 'TIFF', compression='jpeg')); add('tiff/jpeg-grey.tif', save(grey(32, 20), 'TIFF', compression='jpeg'))
for o in range(1, 9): add(f'tiff/orientation-{o}.tif', save(rgb(), 'TIFF', tiffinfo={274: o}))
def tiff(w, h, bits, photometric, samples, data, end='<', **extra):
    tags = {256: w, 257: h, 259: 1, 262: photometric, 277: samples, 278: h}; tags.update({int(k[1:]): v for k, v in extra.items()})
    n = len(tags) + 3; at = 8 + 2 + 12 * n + 4
    body = b''; entries = []
    for t, v in list(tags.items()) + [(258, [bits] * samples), (273, None), (279, len(data))]:
        if t == 273: entries.append((t, 4, 1, None)); continue
        if isinstance(v, list) and len(v) > 2:
            entries.append((t, 3, len(v), at + len(body))); body += struct.pack(end + 'H' * len(v), *v)
        elif isinstance(v, list): entries.append((t, 3, len(v), struct.pack(end + 'H' * len(v), *v).ljust(4, b'\0')))
        else: entries.append((t, 3, 1, struct.pack(end + 'H', v).ljust(4, b'\0')))
    out = (b'II*\0' if end == '<' else b'MM\0*') + struct.pack(end + 'IH', 8, n)
    for t, k, c, v in sorted(entries, key=lambda e: e[0]):
        out += struct.pack(end + 'HHI', t, k, c) + (struct.pack(end + 'I', at + len(body)) if v is None else v if isinstance(v, bytes) else struct.pack(end + 'I', v))
    return out + b'\0\0\0\0' + body + data
for end, e in (('<', 'le'), ('>', 'be')):
    add(f'tiff/rgb16-{e}.tif', tiff(17, 13, 16, 2, 3, rng.bytes(17 * 13 * 6), end))
    add(f'tiff/rgba16-{e}.tif', tiff(17, 13, 16, 2, 4, rng.bytes(17 * 13 * 8), end, t338=2))
    add(f'tiff/white-is-zero-{e}.tif', tiff(17, 13, 8, 0, 1, rng.bytes(17 * 13), end))
    add(f'tiff/grey2-{e}.tif', tiff(17, 13, 2, 1, 1, rng.bytes(5 * 13), end)); add(f'tiff/grey4-{e}.tif', tiff(17, 13, 4, 1, 1, rng.bytes(9 * 13), end))
    add(f'tiff/rgba-premultiplied-{e}.tif', tiff(17, 13, 8, 2, 4, rng.bytes(17 * 13 * 4), end, t338=1))
    add(f'tiff/rgbx-{e}.tif', tiff(17, 13, 8, 2, 4, rng.bytes(17 * 13 * 4), end, t338=0))
add('tiff/rgb-four-samples.tif', tiff(17, 13, 8, 2, 4, rng.bytes(17 * 13 * 4)))
add('tiff/cmyk16.tif', tiff(17, 13, 16, 5, 4, rng.bytes(17 * 13 * 8)))
# --- PBM, PGM, PPM
for mode in ('1', 'L', 'RGB'): add(f'netpbm/{mode}.pnm', save(rgb().convert(mode), 'PPM'))
add('netpbm/p1.pbm', b'P1 # a comment\n5 3\n10101 0 1 0 1 0\n#more\n11100'); add('netpbm/p2.pgm', b'P2\n4 2\n15\n0 1 2 15\n7 8 9 10\n')
add('netpbm/p3.ppm', b'P3 2 2 100 1 2 3 50 60 70\n99 100 0 33 44 55'); add('netpbm/p5-max-100.pgm', b'P5 5 4 100\n' + bytes(range(0, 100, 5)))
add('netpbm/p6-max-1000.ppm', b'P6 3 2 1000\n' + b''.join(struct.pack('>H', v) for v in range(0, 1000, 56))[:36]); add('netpbm/p5-max-31.pgm', b'P5\n# x\n4 8\n31\n' + bytes(range(32)))
# --- TIFF once more: a palette with alpha, and several strips. Nothing here draws from rng.
def ramp(mode, n, w=17, h=13): return Image.frombytes(mode, (w, h), bytes(i * i * 7 // (5 + i % n) % 256 for i in range(n * w * h)))
alpha = ramp('PA', 2); alpha.putpalette([i * 37 % 256 for i in range(768)])
for c in (None, 'tiff_lzw', 'tiff_adobe_deflate', 'packbits'): add(f'tiff/PA{"-" + c if c else ""}.tif', save(alpha, 'TIFF', compression=c))
TiffImagePlugin.STRIP_SIZE = 200
for c in (None, 'tiff_lzw', 'tiff_adobe_deflate', 'packbits'): add(f'tiff/strips{"-" + c if c else ""}.tif', save(ramp('RGB', 3), 'TIFF', compression=c))
add('tiff/strips-jpeg.tif', save(ramp('L', 1, 20, 29), 'TIFF', compression='jpeg'))
# ---
lines = []
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    for name, data in sorted(files.items()):
        try: im = Image.open(io.BytesIO(data)); im.load()
        except Exception as e: print('Pillow:', name, e, file=sys.stderr); continue
        got = im if im.mode == 'L' else im.convert('L') if im.mode in ('1', 'LA') or 'type-4' in name else im.convert('RGB')
        a = np.asarray(got)
        lines.append(f'{name} {a.shape[1]} {a.shape[0]} {1 if a.ndim == 2 else 3} {hashlib.sha256(a.tobytes()).hexdigest()[:16]}\n')
        info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)); info.compress_type = zipfile.ZIP_DEFLATED
        z.writestr(info, data)
open(sys.argv[2], 'w').writelines(lines); print(len(lines))
