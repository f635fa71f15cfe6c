//! Quantization and the fused ops.

use super::call::{Call, ops};
use mlx_ops::fast::{self, Attention, Frequencies, GatedDelta, Mask, Rotation};
use mlx_ops::{Gather, Quantization, Result, Tensor};

ops! {
    "quantize" => |a| {
        let (packed, scales, biases) = a.x("w").quantize(how(a))?;
        Ok([Some(packed), Some(scales), biases].into_iter().flatten().collect::<Vec<_>>())
    };
    "dequantize" => |a| {
        let (packed, scales, biases) = a.x("w").quantize(how(a))?;
        packed.dequantize(&scales, biases.as_ref(), how(a))
    };
    "quantized_matmul" => |a| {
        let (packed, scales, biases) = a.x("w").quantize(how(a))?;
        a.x("x").quantized_matmul(&packed, &scales, biases.as_ref(), how(a))
    };
    "gather_qmm" => |a| {
        let (packed, scales, biases) = a.x("w").quantize(how(a))?;
        let gather = Gather { lhs: a.maybe("lhs"), rhs: a.maybe("rhs"), sorted: false };
        let transposed = a.flag("transposed");
        a.x("x").gather_quantized_matmul(&packed, &scales, biases.as_ref(), transposed, how(a), gather)
    };
    "fast.rms_norm" => |a| fast::rms_norm(a.x("x"), a.maybe("w"), a.float("eps") as f32);
    "fast.layer_norm" => |a| fast::layer_norm(a.x("x"), a.maybe("w"), a.maybe("b"), a.float("eps") as f32);
    "fast.cross_entropy" => |a| fast::cross_entropy(a.x("x"), a.x("y"));
    "fast.rope" => |a| rope(a);
    "fast.scaled_dot_product_attention" => |a| {
        let mask = match a.maybe("mask") {
            Some(mask) => Mask::Tensor(mask),
            None if a.flag("causal") => Mask::Causal,
            None => Mask::None,
        };
        let how = Attention { mask, sinks: a.maybe("sinks"), ..Attention::new(a.float("scale") as f32) };
        fast::attention(a.x("q"), a.x("k"), a.x("v"), &how)
    };
    "fast.gated_delta_update" => |a| {
        fast::gated_delta_update(&GatedDelta {
            q: a.x("q"),
            k: a.x("k"),
            v: a.x("v"),
            gates: a.x("gamma"),
            beta: a.x("beta"),
            state: a.maybe("state"),
            mask: a.maybe("mask"),
        })
    };
}

fn how(a: &Call<'_>) -> Quantization {
    let mode = match a.text("mode") {
        "mxfp4" => "mxfp4",
        "mxfp8" => "mxfp8",
        "nvfp4" => "nvfp4",
        _ => "affine",
    };
    Quantization { group_size: a.int("group"), bits: a.int("bits"), mode }
}

fn rope(a: &Call<'_>) -> Result<Tensor> {
    let rotation = Rotation {
        dims: a.int("dims"),
        traditional: a.flag("traditional"),
        frequencies: match a.maybe("freqs") {
            Some(table) => Frequencies::Table(table),
            None => Frequencies::Base(a.float("base") as f32),
        },
        scale: a.float("scale") as f32,
        amplitude: 1.0,
    };
    fast::rope(a.x("x"), &rotation, a.int("offset"))
}
