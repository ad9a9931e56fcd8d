"""How well an autoencoder keeps stickers that it was never trained on.

    python benchmarks/autoencoder.py RUN_OR_FOLDER --data FOLDER [--sheet PICTURE.png]

Names, not pictures, are held out: no other style of the same thing was trained on either. PSNR over
colour times alpha, and alpha, in 0 to 1, as the mean of the pictures' own. Prints a table by style,
then one JSON line.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mdt.data import open_source
from mdt.data.alpha import premultiplied
from mdt.runs import Run, is_run, open_weights


def open_autoencoder(folder: Path) -> torch.nn.Module:
    """Of a run's newest checkpoint, or of a folder of weights."""
    if is_run(folder):
        run = Run(folder)
        return open_weights(run.place(run.steps()[-1]))
    from mdt.models import Autoencoder

    return Autoencoder.from_pretrained(str(folder), local_files_only=True).eval()


def main() -> None:
    """Print the table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="held")
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    source = open_source("stickers", arguments.data, split=arguments.split)
    network = open_autoencoder(arguments.folder)
    scores: dict[str, list[float]] = {}
    pairs, latents = [], []
    for i in range(len(source)):
        picture, _ = source.read(i)
        x = premultiplied(torch.from_numpy(picture).permute(2, 0, 1)[None])
        with torch.no_grad():
            z = network.encode(x).latent_dist.mode()
            out = network.decode(z).sample.clamp(-1, 1)
        mse = float((out - x).square().mean()) / 4
        scores.setdefault(source.styles[i], []).append(-10 * np.log10(mse))
        latents.append(z)
        if len(pairs) < 32:
            pairs.append((x[0], out[0]))
    z = torch.cat(latents)
    for style, values in sorted(scores.items()):
        low = np.percentile(values, 10)
        print(f"{style:8} {len(values):4} pictures, PSNR {np.mean(values):.2f} dB, tenth {low:.2f}")
    if arguments.sheet:
        rows = [torch.cat(side, 2) for side in zip(*pairs, strict=True)]
        sheet = torch.cat([_on_white(row) for row in rows], 1)
        pixels = (sheet.permute(1, 2, 0) * 255).round().byte().numpy()
        Image.fromarray(pixels).save(arguments.sheet)
    every = [value for values in scores.values() for value in values]
    told = {"psnr_db": round(float(np.mean(every)), 3), "pictures": len(every)}
    print(json.dumps({**told, "latent_mean": float(z.mean()), "latent_std": float(z.std())}))


def _on_white(x: torch.Tensor) -> torch.Tensor:
    """(4, H, W) of colour times alpha, and alpha -> (3, H, W) in 0 to 1."""
    colour, alpha = (x[:3] + 1) / 2, (x[3:] + 1) / 2
    return (colour + 1 - alpha).clamp(0, 1)


if __name__ == "__main__":
    main()
