"""What the scripts of every oracle share and that needs no package: hashes, seeds and files."""

import hashlib
import json
from pathlib import Path


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seed_of(name):
    """A seed that depends on the name alone, so that adding a case changes no other."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")


def write_json(path, value):
    Path(path).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
