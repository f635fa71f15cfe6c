"""Exports a sentence-transformers folder's BERT for ONNX Runtime and fuses its graph: export.onnx, fused.onnx.

usage: embed_onnx.py MODEL OUT
Runs in the environment of bench embed's peers, which sees the oracle's packages too.
"""

import pathlib
import sys

import torch
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from transformers import AutoModel


class Bert(torch.nn.Module):
    """The model's own modules, wired as the optimizer knows BERT: its fused attention wants the mask so."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, mask, types):
        e = self.model.embeddings
        positions = torch.arange(ids.shape[1]).unsqueeze(0)
        h = e.word_embeddings(ids) + e.token_type_embeddings(types) + e.position_embeddings(positions)
        h = e.LayerNorm(h)
        heads = self.model.config.num_attention_heads
        hidden = (1.0 - mask.unsqueeze(1).unsqueeze(2).to(torch.float32)) * -10000.0
        for layer in self.model.encoder.layer:
            a = layer.attention

            def split(x):
                return x.view(x.shape[0], x.shape[1], heads, -1).permute(0, 2, 1, 3)

            q, k, v = split(a.self.query(h)), split(a.self.key(h)), split(a.self.value(h))
            scores = torch.matmul(q, k.transpose(-1, -2)) / float(q.shape[-1]) ** 0.5 + hidden
            out = torch.matmul(torch.softmax(scores, -1), v).permute(0, 2, 1, 3).contiguous()
            out = out.view(out.shape[0], out.shape[1], -1)
            h = a.output.LayerNorm(a.output.dense(out) + h)
            inner = torch.nn.functional.gelu(layer.intermediate.dense(h))
            h = layer.output.LayerNorm(layer.output.dense(inner) + h)
        return h


def main():
    model_dir, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    if (out / "fused.onnx").exists():
        return
    model = AutoModel.from_pretrained(model_dir, attn_implementation="eager").eval()
    ids = torch.ones(2, 8, dtype=torch.int64)
    axes = {0: "batch", 1: "tokens"}
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(
        Bert(model),
        (ids, ids, torch.zeros_like(ids)),
        str(out / "export.onnx"),
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_axes={name: axes for name in [*names, "last_hidden_state"]},
        opset_version=17,
        dynamo=False,
    )
    c = model.config
    fused = optimizer.optimize_model(
        str(out / "export.onnx"),
        model_type="bert",
        num_heads=c.num_attention_heads,
        hidden_size=c.hidden_size,
        optimization_options=FusionOptions("bert"),
    )
    print({name: count for name, count in fused.get_fused_operator_statistics().items() if count})
    fused.save_model_to_file(str(out / "fused.onnx"))


if __name__ == "__main__":
    main()
