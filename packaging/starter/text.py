"""The tokenizer and the text encoder, which first learns to recall a scene from its caption."""

import json
from pathlib import Path

import numpy as np
import torch
from captions import known_words
from dataset import QUESTIONS, Dataset
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional
from training import Trainer, device, worker
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

POSITIONS = 77
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
# Words that people put into prompts and that mean nothing here; the encoder learns to read past them.
_EMPTY_WORDS = (
    "beautiful detailed very masterpiece best quality digital art illustration big small tiny huge "
    "with the of and my photo 4k epic lovely nice old new some one many there is are it far"
)
FILLERS = _EMPTY_WORDS.split()


def train_tokenizer(folder: Path, captions: list[str], vocabulary_size: int = 1000) -> CLIPTokenizer:
    """Byte-level BPE in CLIP's manner: bytes, bytes that end a word, merges, then the two marks."""
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trained.normalizer = normalizers.Lowercase()
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(" ", "removed"),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.ByteLevel(False, use_regex=False),
        ]
    )
    trained.train_from_iterator(
        [*captions, " ".join(known_words())],
        trainers.BpeTrainer(vocab_size=vocabulary_size, end_of_word_suffix="</w>", show_progress=False),
    )
    merges = [m if isinstance(m, str) else " ".join(m) for m in json.loads(trained.to_str())["model"]["merges"]]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(c + "</w>" for c in letters), *("".join(m.split(" ")) for m in merges), BEGIN, END]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(dict.fromkeys(tokens))}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    settings = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": POSITIONS,
        "bos_token": BEGIN,
        "eos_token": END,
        "unk_token": END,
        "pad_token": END,
        "do_lower_case": True,
        "add_prefix_space": False,
        "errors": "replace",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    marks = {key: settings[key] for key in ("bos_token", "eos_token", "unk_token", "pad_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(marks, indent=2) + "\n")
    return CLIPTokenizer.from_pretrained(folder)


def tokens_of(tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    """N x 77 token ids, padded with the end mark."""
    told = tokenizer(captions, padding="max_length", max_length=POSITIONS, truncation=True)
    return torch.tensor(told["input_ids"])


def build(tokenizer: CLIPTokenizer, smoke: bool) -> CLIPTextModel:
    width = 32 if smoke else 160
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=width * 3,
            projection_dim=width,
            num_hidden_layers=1 if smoke else 3,
            num_attention_heads=4,
            max_position_embeddings=POSITIONS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def adopt(encoder: CLIPTextModel, tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Takes over the weights of an older encoder; tokens that its vocabulary shares keep their embeddings."""
    older = CLIPTextModel.from_pretrained(folder / "text_encoder").float().state_dict()
    before = json.loads((folder / "tokenizer" / "vocab.json").read_text())
    ours = encoder.state_dict()
    name = next(key for key in ours if key.endswith("token_embedding.weight"))
    embeddings = ours[name].clone()
    for token, i in tokenizer.get_vocab().items():
        if token in before:
            embeddings[i] = older[name][before[token]]
    encoder.load_state_dict({**older, name: embeddings})


class Recall(nn.Module):
    """The encoder with one linear answer sheet; only the encoder is kept."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.hidden_size, sum(QUESTIONS.values()))

    def forward(self, tokens: Tensor, at: Tensor) -> Tensor:
        hidden = self.encoder(input_ids=tokens).last_hidden_state
        return self.head(hidden[torch.arange(len(tokens), device=tokens.device), at])


def _with_fillers(rng: np.random.Generator, caption: str) -> str:
    """Now and then a caption with words in it that say nothing."""
    if rng.random() > 0.25:
        return caption
    words = caption.split(" ")
    for _ in range(int(rng.integers(1, 5))):
        strange = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), int(rng.integers(2, 8))))
        words.insert(int(rng.integers(0, len(words) + 1)), strange if rng.random() < 0.4 else str(rng.choice(FILLERS)))
    return " ".join(words)


def pick_captions(rng: np.random.Generator, data: Dataset, at: np.ndarray) -> list[str]:
    return [_with_fillers(rng, data.captions[i][int(rng.integers(len(data.captions[i])))]) for i in at]


def train(
    work: Path, data: Dataset, tokenizer: CLIPTokenizer, start: Path | None, *, minutes: float, smoke: bool
) -> CLIPTextModel:
    """Asks the hidden state at the end mark, or at any padding after it, for everything true of the scene.

    What is not said has its prior as the best answer, so the encoder learns what the UNet will need, and the
    UNet meets embeddings that mean something from its first step.
    """
    encoder = build(tokenizer, smoke)
    if start is not None:
        adopt(encoder, tokenizer, start)
    model = Recall(encoder).to(device())
    trainer = Trainer("text", model, work, minutes=minutes, rate=1e-3)
    rng = np.random.default_rng([4, trainer.steps, worker()])
    sizes = list(QUESTIONS.values())

    def loss_of(done: float) -> Tensor:
        at = rng.integers(0, len(data), 16 if smoke else 96)
        tokens = tokens_of(tokenizer, pick_captions(rng, data, at)).to(device())
        ends = (tokens == tokenizer.eos_token_id).int().argmax(1)
        # Mostly short sequences, for speed; all 77 positions now and then.
        length = POSITIONS if rng.random() < 0.2 else min(POSITIONS, int(ends.max()) + 2)
        span = torch.rand(len(ends), device=ends.device) * (length - ends)
        logits = model(tokens[:, :length], (ends + span.long()).clamp(max=length - 1))
        truth = torch.from_numpy(data.answers[at]).to(device())
        parts = zip(logits.split(sizes, 1), truth.T, strict=True)
        return torch.stack([functional.cross_entropy(part, answer) for part, answer in parts]).mean()

    trainer.run(loss_of)
    return trainer.ema.encoder
