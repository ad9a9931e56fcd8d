"""Pictures of every kind, drawn or taken from scikit-image's own data, written once a session."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    from editanything.editor import Editor
    from editanything.ui.session import Session

XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/x"><dc:creator><rdf:Seq>'
    b"<rdf:li>J\xc3\xb6rg &amp; Co</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF>"
    b'</x:xmpmeta><?xpacket end="w"?>'
)


@dataclass(frozen=True, eq=False)
class Made:
    """A picture file and, where its kind is lossless, the upright samples that it must give."""

    path: Path
    truth: NDArray | None = None  # (H, W, C)


def exif_block(orientation: int = 1) -> Image.Exif:
    """Tags as a camera writes them, nested ones too."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Maker", "Model 1", orientation
    exif[0x013B] = "Jörg"
    exif.get_ifd(0x8769).update({0x9003: "2020:02:03 04:05:06", 0x829A: 0.005, 0x927C: b"note" * 9})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 12.5)})
    return exif


def turned(upright: NDArray, orientation: int) -> NDArray:
    """What a camera held like that stores, so that `orientation` brings it upright."""
    stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    return np.ascontiguousarray(stored[orientation](upright))


def vips_image(samples: NDArray) -> object:
    """libvips' image of (H, W, C) samples, its kind set."""
    import pyvips

    grey, colour = ("grey16", "rgb16") if samples.dtype == np.uint16 else ("b-w", "srgb")
    kind = grey if samples.shape[2] < 3 else colour
    return pyvips.Image.new_from_array(samples, interpretation=kind)


class Maker:
    """Writes the files; each method one family."""

    def __init__(self, folder: Path) -> None:
        from skimage import data

        rng = np.random.default_rng(0)
        self.folder = folder
        self.made: dict[str, Made] = {}
        self.rgb = np.ascontiguousarray(data.astronaut()[30:181, 150:247])  # 151 x 97
        ys, xs = np.mgrid[:151, :97]
        self.alpha = np.clip((75 - np.hypot(ys - 75, xs - 48)) * 12, 0, 255).astype(np.uint8)
        self.rgba = np.dstack([self.rgb, self.alpha])
        self.grey = np.ascontiguousarray(data.camera()[:120:2, ::3, None])
        fine = rng.integers(0, 257, self.rgb.shape)
        deep = np.clip(self.rgb.astype(np.int64) * 257 + fine - 128, 0, 65535)
        self.rgb16 = deep.astype(np.uint16)
        self.alpha16 = self.alpha.astype(np.uint16) * 257
        self.rgba16 = np.dstack([self.rgb16, self.alpha16])
        self.grey16 = self.rgb16[..., 1:2].copy()

    def keep(self, name: str, truth: NDArray | None = None) -> Path:
        """Note a file; where to write it."""
        path = self.folder / name
        self.made[name] = Made(path, truth)
        return path

    def png(self) -> None:
        for name, samples in {
            "rgb8": self.rgb,
            "rgba8": self.rgba,
            "grey8": self.grey,
            "grey_alpha8": np.dstack([self.rgb[..., 0], self.alpha]),
            "rgb16": self.rgb16,
            "rgba16": self.rgba16,
            "grey16": self.grey16,
            "grey_alpha16": np.dstack([self.grey16, self.alpha16]),
            "opaque_rgba8": np.dstack([self.rgb, np.full_like(self.alpha, 255)]),
            "one_pixel": self.rgb[:1, :1],
            "one_row": self.rgb[:1],
            "one_column16": self.rgb16[:, :1],
        }.items():
            vips_image(samples).pngsave(str(self.keep(f"{name}.png", samples)))
        vips_image(self.rgb).pngsave(str(self.keep("interlaced.png", self.rgb)), interlace=True)
        for bits in (1, 2, 4):
            steps = (self.grey >> (8 - bits)) * (255 // (2**bits - 1))
            path = self.keep(f"grey_{bits}_bit.png", steps)
            vips_image(steps).pngsave(str(path), bitdepth=bits)
        self.everything("everything.png", self.rgb)
        self.everything("everything_rgba.png", self.rgba)

    def transparent_colours(self) -> None:
        """PNG files with a palette, or with one colour that means transparent (tRNS)."""
        palette = Image.fromarray(self.rgb).quantize(60)
        palette.save(self.keep("palette.png", np.array(palette.convert("RGB"))))
        palette.info["transparency"] = bytes(range(0, 240, 4))
        truth = np.array(palette.convert("RGBA"))
        palette.save(self.keep("palette_trns.png", truth), transparency=bytes(range(0, 240, 4)))
        for name, samples in (("rgb", self.rgb), ("grey", self.grey)):
            key = samples[5, 5]
            opaque = (samples != key).any(axis=2)
            truth = np.dstack([samples, np.where(opaque, 255, 0).astype(np.uint8)])
            stored = samples[..., 0] if name == "grey" else samples
            number = int(key[0]) if name == "grey" else tuple(map(int, key))
            Image.fromarray(stored).save(self.keep(f"{name}_trns.png", truth), transparency=number)

    def everything(self, name: str, samples: NDArray, **options: object) -> None:
        """A file with colour profile, EXIF, XMP and resolution, by Pillow."""
        if name.endswith("png"):
            options["pnginfo"] = info = PngInfo()
            info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        elif not name.endswith("tif"):
            options["xmp"] = XMP
        exif = exif_block()
        if name.endswith("tif"):
            exif[700] = XMP
        Image.fromarray(samples).save(
            self.keep(name, None if name.endswith("jpg") else samples),
            icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
            exif=exif,
            dpi=(200, 100),
            **options,
        )

    def tiff(self) -> None:
        for name, samples, options in [
            ("strip", self.rgb, {"rowsperstrip": 16}),
            ("tiled", self.rgb, {"tile": (48, 32)}),
            ("big_endian16", self.rgb16, {"byteorder": ">"}),
            ("bigtiff", self.rgb, {"bigtiff": True}),
            ("planar", self.rgb, {"planarconfig": "separate"}),
            ("deflate16", self.rgb16, {"compression": "zlib", "predictor": 2}),
            ("grey16", self.grey16, {}),
            ("tiled_rgba16", self.rgba16, {"tile": (32, 32), "extrasamples": ["unassalpha"]}),
            ("rgba", self.rgba, {"extrasamples": ["unassalpha"]}),
            ("white_is_zero", self.grey, {"photometric": "miniswhite"}),
        ]:
            self.one_tiff(name, samples, options)
        vips_image(self.rgb).tiffsave(str(self.keep("lzw.tif", self.rgb)), compression="lzw")
        Image.fromarray(self.grey[..., 0] > 127).save(
            self.keep("one_bit.tif", np.where(self.grey > 127, 255, 0).astype(np.uint8)),
            compression="group4",
        )
        palette = Image.fromarray(self.rgb).quantize(60)
        palette.save(self.keep("palette.tif", np.array(palette.convert("RGB"))))
        first, second = Image.fromarray(self.rgb), Image.fromarray(self.rgb[::-1])
        first.save(self.keep("pages.tif", self.rgb), save_all=True, append_images=[second])
        self.everything("everything.tif", self.rgb, compression="tiff_lzw")

    def one_tiff(self, name: str, samples: NDArray, options: dict) -> None:
        import tifffile

        channels = samples.shape[2]
        truth = 255 - samples if name == "white_is_zero" else samples
        stored = samples[..., 0] if channels == 1 else samples
        if name == "planar":
            stored = samples.transpose(2, 0, 1)
        options.setdefault("photometric", "rgb" if channels > 2 else "minisblack")
        file_options = {
            "byteorder": options.pop("byteorder", "<"),
            "bigtiff": options.pop("bigtiff", False),
        }
        with tifffile.TiffWriter(self.keep(f"{name}.tif", truth), **file_options) as file:
            file.write(stored, metadata=None, **options)

    def oriented(self) -> None:
        for n in range(1, 9):
            stored = Image.fromarray(turned(self.rgb, n))
            stored.save(self.keep(f"turned_{n}.png", self.rgb), exif=exif_block(n))
            stored.save(self.keep(f"turned_{n}.tif", self.rgb), exif=exif_block(n))
        for n in (3, 6):
            stored = Image.fromarray(turned(self.rgb, n))
            stored.save(self.keep(f"turned_{n}.webp", self.rgb), exif=exif_block(n), lossless=True)
            stored.save(self.keep(f"turned_{n}.jpg"), exif=exif_block(n), quality=92)

    def others(self) -> None:
        image, clear = Image.fromarray(self.rgb), Image.fromarray(self.rgba)
        image.save(self.keep("lossless.webp", self.rgb), lossless=True)
        clear.save(self.keep("lossless_rgba.webp", self.rgba), lossless=True, exact=True)
        clear.save(self.keep("lossy_rgba.webp"), quality=80)
        image.save(self.keep("lossy.webp"), quality=80)
        self.everything("everything.webp", self.rgb, lossless=True)
        opaque = np.dstack([self.rgb, np.full_like(self.alpha, 255)])
        moving = {"save_all": True, "append_images": [Image.fromarray(self.rgb[::-1])]}
        image.save(self.keep("animated.webp", opaque), lossless=True, **moving)
        image.save(self.keep("rgb.jpg"), quality=90)
        image.save(self.keep("progressive.jpg"), quality=85, progressive=True, subsampling=2)
        Image.fromarray(self.grey[..., 0]).save(self.keep("grey.jpg"), quality=90)
        image.convert("CMYK").save(self.keep("cmyk.jpg"), quality=95)
        self.everything("everything.jpg", self.rgb, quality=95)
        palette = image.quantize(60)
        truth = np.array(palette.convert("RGB"))
        palette.save(self.keep("still.gif", truth))
        palette.save(self.keep("animated.gif"), save_all=True, append_images=[palette.rotate(90)])
        image.save(self.keep("rgb.avif"), quality=90, speed=9)
        clear.save(self.keep("rgba.avif"), quality=90, speed=9)
        image.save(self.keep("rgb.bmp", self.rgb))
        palette.save(self.keep("palette.bmp", truth))


@pytest.fixture(scope="session")
def made_pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Files of every kind by name, each with its true samples where the kind is lossless."""
    maker = Maker(tmp_path_factory.mktemp("pictures"))
    for family in (
        maker.png,
        maker.transparent_colours,
        maker.tiff,
        maker.oriented,
        maker.others,
    ):
        family()
    return maker.made


@pytest.fixture(scope="session")
def picture_files(made_pictures: dict[str, Made]) -> dict[str, Path]:
    """Files of every kind by name."""
    return {name: made.path for name, made in made_pictures.items()}


class EditPage:
    """The Edit tab as a browser drives it: its handlers, in the order of the page's events."""

    def __init__(self, editor: Editor) -> None:
        import gradio as gr

        from editanything.ui.handlers import Handlers
        from editanything.ui.page import Page

        # The components' names stand for them: nothing is laid out.
        self.page = Page(**{name: name for name in Page.__dataclass_fields__})
        self.do = Handlers(editor, self.page)
        self.request = gr.Request(session_hash="a-tab")
        self._event = gr.EventData

    @property
    def session(self) -> Session:
        """What the server holds for this page."""
        return self.do.session(self.request)[0]

    def said(self, updates: dict) -> str:
        """The line below the command, tags taken away."""
        return unescape(re.sub("<[^>]+>", " ", str(updates.get(self.page.status, ""))))

    def event(self, **data: object) -> object:
        """An event of the page that carries `data`."""
        return self._event(None, data)

    def gesture(self, kind: str, *, second: bool = False, **data: object) -> dict:
        """A gesture on the picture; what it changes on the page."""
        point = self.do.point_second if second else self.do.point
        return point(self._event(None, {"gesture": {"kind": kind, **data}}), self.request)

    def run(self, text: str, seed: int = 0, settings: str = "") -> str:
        """Type a command and press Run; what the page says in the end."""
        self.do.begin(self.request)
        *_, last = self.do.run(text, seed, "", "", settings, self.request)
        return self.said(last)

    def pixels(self) -> NDArray:
        """The picture as it is now, RGB."""
        return self.session.result().rgb()


@pytest.fixture
def edit_page(tmp_path, monkeypatch):
    """`edit_page(editor, picture file)` -> an `EditPage` with the picture open."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "served"))
    opened = []

    def open_page(editor: Editor, path: Path) -> EditPage:
        page = EditPage(editor)
        opened.append(page)
        page.do.open(str(path), page.request)
        return page

    yield open_page
    for page in opened:
        page.do.close()
