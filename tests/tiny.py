"""Tiny random models with a character tokenizer, built in a second, for tests and benchmarks. They know nothing."""

import string
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

PAD, EOS = "<pad>", "<eos>"
ALPHABET = string.digits + string.ascii_letters + "+-*/=<>#?!(),.:;'\"[]{}_|&%^@$~` \n"
CHAT_TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<eos>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def tokenizer(chat: bool = False) -> PreTrainedTokenizerFast:
    """One token per character; pad and eos are different tokens."""
    vocabulary = {token: i for i, token in enumerate([PAD, EOS, *dict.fromkeys(ALPHABET)])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token=PAD))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    inner.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token=PAD, eos_token=EOS)
    if chat:
        fast.chat_template = CHAT_TEMPLATE
    return fast


def llama(folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2, length: int = 512) -> Path:
    """A random Llama in `folder`: plain prompts, no chat template. hidden 128 and 6 layers make 1.3 M parameters."""
    return _save(folder, LlamaForCausalLM, LlamaConfig(**_shape(hidden, layers, length)), seed, chat=False)


def qwen3(folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2, length: int = 512) -> Path:
    """A random model of the Qwen3 architecture in `folder`, with a chat template."""
    return _save(folder, Qwen3ForCausalLM, Qwen3Config(**_shape(hidden, layers, length), head_dim=32), seed, chat=True)


def _shape(hidden: int, layers: int, length: int) -> dict:
    words = tokenizer()
    return {
        "vocab_size": len(words),
        "hidden_size": hidden,
        "intermediate_size": hidden * 3,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // 32,
        "num_key_value_heads": hidden // 32,
        "max_position_embeddings": length,
        "tie_word_embeddings": True,
        "pad_token_id": words.pad_token_id,
        "eos_token_id": words.eos_token_id,
        "bos_token_id": None,
        "initializer_range": 0.15,  # wide enough that greedy outputs of two seeds differ
    }


def _save(folder: Path, architecture: type, config: LlamaConfig | Qwen3Config, seed: int, chat: bool) -> Path:
    torch.manual_seed(seed)
    model = architecture(config)
    model.save_pretrained(folder)
    tokenizer(chat).save_pretrained(folder)
    return folder
