"""Makes the starter model from nothing: renders, trains, exports. Run as `python packaging/starter/make.py`."""

import argparse
import os
import time
from pathlib import Path

import autoencoder
import painter
import text
import torch
from dataset import render
from diffusers import AutoencoderTiny, UNet2DConditionModel
from export import export, measure_scale
from torch import Tensor
from training import device, latest, spent_minutes
from transformers import CLIPTextModel, CLIPTokenizer

HERE = Path(__file__).resolve().parent
STAGES = ("render", "autoencoder", "text", "painter", "decoder", "export")
SHARES = {"autoencoder": 0.35, "text": 0.07, "painter": 0.48, "decoder": 0.1}
SEED = 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/starter"), help="renders, checkpoints, sheets")
    parser.add_argument("--out", type=Path, default=Path("resources/models/starter"), help="the exported model")
    parser.add_argument("--budget-minutes", type=float, default=120.0, help="wall time for all training together")
    parser.add_argument("--minutes", type=float, help="wall time for each stage that is run, instead of its share")
    parser.add_argument("--stage", choices=STAGES, nargs="+", default=list(STAGES), help="only these stages")
    parser.add_argument("--scenes", type=int, default=32000, help="how many pictures to render")
    parser.add_argument("--smoke", action="store_true", help="everything tiny, to see that it runs")
    return parser.parse_args()


class Studio:
    """The work folder and what has come out of it so far; every stage can be run alone and resumed."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.work: Path = options.work
        self.smoke: bool = options.smoke
        self.out: Path = options.out
        self.budget = 0.12 if self.smoke else options.budget_minutes
        self.each: float | None = options.minutes
        self.work.mkdir(parents=True, exist_ok=True)
        scenes, spare = (64, 16) if self.smoke else (options.scenes, 512)
        self.data = render(self.work / "train", scenes, SEED)
        self.held_out = render(self.work / "held-out", spare, SEED + 1)
        self.tokenizer = self._tokenizer()

    def minutes(self, stage: str) -> float:
        return self.budget * SHARES[stage] if self.each is None else self.each

    def _tokenizer(self) -> CLIPTokenizer:
        folder = self.work / "tokenizer"
        if (folder / "merges.txt").exists():
            return CLIPTokenizer.from_pretrained(folder)
        captions = [c for several in self.data.captions[:8000] for c in several]
        return text.train_tokenizer(folder, captions)

    def vae(self) -> AutoencoderTiny:
        vae = latest("autoencoder", autoencoder.build(self.smoke), self.work)
        vae.register_to_config(scaling_factor=measure_scale(vae, self.data))
        if (self.work / "decoder.pt").exists():
            latest("decoder", vae.decoder, self.work)
        return vae

    def latents(self, vae: AutoencoderTiny) -> Tensor:
        return autoencoder.encode_all(vae, self.data, self.work / "latents.pt")

    def encoder(self) -> CLIPTextModel:
        recall = text.Recall(text.build(self.tokenizer, self.smoke))
        return latest("text", recall, self.work).encoder

    def unet(self) -> UNet2DConditionModel:
        width = self.encoder().config.hidden_size
        return latest("painter", painter.build(width, self.smoke), self.work)

    def train(self, stage: str) -> None:
        minutes = self.minutes(stage)
        if stage == "autoencoder":
            autoencoder.train(self.work, self.data, self.held_out, minutes=minutes, smoke=self.smoke)
        elif stage == "text":
            text.train(self.work, self.data, self.tokenizer, minutes=minutes, smoke=self.smoke)
        elif stage == "painter":
            vae = self.vae()
            painter.train(
                self.work,
                self.data,
                self.latents(vae),
                vae,
                self.tokenizer,
                self.encoder(),
                minutes=minutes,
                smoke=self.smoke,
            )
        elif stage == "decoder":
            vae = self.vae()
            autoencoder.sharpen(
                self.work, self.data, self.held_out, vae, self.latents(vae), minutes=minutes, smoke=self.smoke
            )

    def export(self) -> None:
        vae, encoder, unet = self.vae(), self.encoder(), self.unet()
        spent = {stage: spent_minutes(stage, self.work) for stage in SHARES}
        seconds = self._seconds_a_picture(vae, encoder, unet)
        card = (
            (HERE / "model-card.md")
            .read_text()
            .format(
                native=unet.config.sample_size * 8,
                scenes=f"{len(self.data):,}",
                coded=f"{len(self.latents(vae)):,}",
                machine="a GPU" if device().type == "cuda" else f"{os.cpu_count()} CPU cores",
                total=sum(spent.values()),
                **spent,
                psnr=autoencoder.psnr(vae, self.held_out.pictures[:256]),
                seconds=seconds,
                threads=torch.get_num_threads(),
                **{
                    f"{name}_parameters": sum(p.numel() for p in part.parameters()) / 1e6
                    for name, part in (("vae", vae), ("text", encoder), ("unet", unet))
                },
            )
        )
        export(self.out, vae=vae, tokenizer=self.tokenizer, encoder=encoder, unet=unet, data=self.data, readme=card)
        print(f"exported to {self.out}", flush=True)

    def _seconds_a_picture(self, vae: AutoencoderTiny, encoder: CLIPTextModel, unet: UNet2DConditionModel) -> float:
        prompt, empty = (painter.embed(encoder, text.tokens_of(self.tokenizer, [p])) for p in (painter.VIEWED[0], ""))
        taken = []
        for _ in range(3):
            start = time.monotonic()
            x = painter.sample(unet, prompt, empty, steps=2 if self.smoke else 20, guidance=5.0, seed=0)
            with torch.no_grad():
                vae.decode(x / vae.config.scaling_factor)
            taken.append(time.monotonic() - start)
        return min(taken)


def main() -> None:
    options = _arguments()
    torch.manual_seed(SEED)
    studio = Studio(options)
    for stage in options.stage:
        if stage in SHARES:
            studio.train(stage)
        elif stage == "export":
            studio.export()


if __name__ == "__main__":
    main()
