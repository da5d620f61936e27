"""How a problem becomes the text a model reads. Used by the engines and by the training objectives, so both agree.

Not here: what the instruction says (`data/domains`), and the decoding of what the model wrote (each engine).
"""

from collections.abc import Sequence
from typing import Any


def render(tokenizer: Any, system: str, prompt: str) -> str:
    """The text before a completion. `tokenizer` is a Hugging Face tokenizer.

    With a chat template: the system and user turns and the header of the answer; without: `prompt` and a line break.
    """
    if not tokenizer.chat_template:
        return prompt + "\n"
    turns = [{"role": "system", "content": system}] if system else []
    turns.append({"role": "user", "content": prompt})
    if system and not _takes_system(tokenizer):
        turns = [{"role": "user", "content": f"{system}\n\n{prompt}"}]
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of rendered prompts. A chat template writes its own begin-of-text token; plain text gets the usual."""
    if not texts:
        return []
    ids: list[list[int]] = tokenizer(list(texts), add_special_tokens=not tokenizer.chat_template)["input_ids"]
    return ids


def _takes_system(tokenizer: Any) -> bool:
    """Whether the chat template has a system turn (Gemma's, for one, raises or drops it)."""
    return "system" in str(tokenizer.chat_template)
