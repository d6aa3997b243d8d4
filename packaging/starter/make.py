"""Makes the starter models from nothing: renders, trains, exports. Run as `python packaging/starter/make.py`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import autoencoder
import inpainter
import judge
import painter
import text
import torch
import torch.distributed as dist
from dataset import render
from diffusers import AutoencoderTiny, UNet2DConditionModel
from export import INPAINTING, PAINTING, export, measure_scale
from torch import Tensor
from training import device, latest, spent_minutes
from transformers import CLIPTextModel, CLIPTokenizer

HERE = Path(__file__).resolve().parent
STAGES = ("render", "autoencoder", "text", "painter", "inpainter", "decoder", "judge", "export")
SHARES = {"autoencoder": 0.3, "text": 0.07, "painter": 0.43, "inpainter": 0.12, "decoder": 0.05, "judge": 0.03}
ON_LATENTS = ("painter", "inpainter", "decoder")
SEED = 1
CONTINUED = " Training went on from the weights of an earlier version of this model, which knew a smaller world."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/starter"), help="renders, checkpoints, sheets")
    parser.add_argument(
        "--out", type=Path, default=Path("resources/models/starter"), help="the exported model; -inpaint beside it"
    )
    parser.add_argument("--judge", type=Path, default=HERE / "judge.safetensors", help="where the classifier goes")
    parser.add_argument("--budget-minutes", type=float, default=120.0, help="wall time for all training together")
    parser.add_argument("--minutes", type=float, help="wall time for each stage that is run, instead of its share")
    parser.add_argument("--stage", choices=STAGES, nargs="+", default=list(STAGES), help="only these stages")
    parser.add_argument("--scenes", type=int, default=32000, help="how many pictures to render")
    parser.add_argument("--start", type=Path, help="an older model folder whose weights to go on from")
    parser.add_argument("--workers", type=int, default=1, help="processes with a thread each that train together")
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
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
        self.start: Path | None = options.start
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

    def inpainting(self) -> UNet2DConditionModel:
        return latest("inpainter", inpainter.widen(self.unet()), self.work)

    def prepare(self, stage: str) -> None:
        """What is computed once, before several processes share it."""
        if stage in ON_LATENTS:
            self.latents(self.vae())

    def train(self, stage: str) -> None:
        minutes = self.minutes(stage)
        if stage == "autoencoder":
            autoencoder.train(self.work, self.data, self.held_out, self.start, minutes=minutes, smoke=self.smoke)
        elif stage == "text":
            text.train(self.work, self.data, self.tokenizer, self.start, minutes=minutes, smoke=self.smoke)
        elif stage == "painter":
            vae = self.vae()
            painter.train(
                self.work,
                self.data,
                self.latents(vae),
                vae,
                self.tokenizer,
                self.encoder(),
                self.start,
                minutes=minutes,
                smoke=self.smoke,
            )
        elif stage == "inpainter":
            vae = self.vae()
            inpainter.train(
                self.work,
                self.data,
                self.held_out,
                self.latents(vae),
                vae,
                self.tokenizer,
                self.encoder(),
                self.unet(),
                minutes=minutes,
                smoke=self.smoke,
            )
        elif stage == "judge":
            judge.train(self.work, self.data, minutes=minutes, smoke=self.smoke)
        elif stage == "decoder":
            vae = self.vae()
            autoencoder.sharpen(
                self.work, self.data, self.held_out, vae, self.latents(vae), minutes=minutes, smoke=self.smoke
            )

    def export_judge(self, path: Path) -> None:
        judge.save(latest("judge", judge.Judge(), self.work), path)

    def export(self) -> None:
        vae, encoder, unet = self.vae(), self.encoder(), self.unet()
        spent = {stage: spent_minutes(stage, self.work) for stage in SHARES}
        facts = {
            "native": unet.config.sample_size * 8,
            "scenes": f"{len(self.data):,}",
            "machine": "a GPU" if device().type == "cuda" else f"{os.cpu_count()} CPU cores",
            "total": sum(spent.values()),
            **spent,
            "begun": "" if self.start is None else CONTINUED,
            **{
                f"{name}_parameters": sum(p.numel() for p in part.parameters()) / 1e6
                for name, part in (("vae", vae), ("text", encoder), ("unet", unet))
            },
        }
        made = {"vae": vae, "tokenizer": self.tokenizer, "encoder": encoder, "data": self.data}
        for folder, kind, part in (
            (self.out, PAINTING, unet),
            (self.out.with_name(self.out.name + "-inpaint"), INPAINTING, self.inpainting()),
        ):
            card = (HERE / kind.card).read_text().format(**facts)
            export(folder, kind, unet=part, readme=card, **made)
            print(f"exported to {folder}", flush=True)


def _train_together(studio: Studio, options: argparse.Namespace, stage: str, meeting: Path) -> None:
    """One of several processes that train a stage, each on samples of its own."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=options.rank, world_size=options.workers)
    studio.train(stage)
    dist.destroy_process_group()


def _train(studio: Studio, options: argparse.Namespace, stage: str) -> None:
    meeting = studio.work.absolute() / f"{stage}.meeting"
    if options.rank is not None:
        _train_together(studio, options, stage, meeting)
        return
    studio.prepare(stage)
    if options.workers == 1:
        studio.train(stage)
        return
    meeting.unlink(missing_ok=True)
    command = [sys.executable, __file__, *sys.argv[1:], "--stage", stage, "--rank"]
    others = [subprocess.Popen([*command, str(rank)]) for rank in range(options.workers)]
    codes = [other.wait() for other in others]
    if any(codes):
        sys.exit(f"{stage}: a process ended with an error")
    meeting.unlink(missing_ok=True)


def main() -> None:
    options = _arguments()
    torch.manual_seed(SEED)
    studio = Studio(options)
    for stage in options.stage:
        if stage in SHARES:
            _train(studio, options, stage)
        elif stage == "export":
            studio.export()
            studio.export_judge(options.judge)


if __name__ == "__main__":
    main()
