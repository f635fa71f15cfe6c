//! Products and convolutions.

use super::call::{Call, ops};
use mlx_ops::{
    BlockMasks, ConvGeneral, Gather, Overlap, Tensor, addmm, conv_general, conv_transpose1d, conv_transpose2d,
    conv_transpose3d, conv1d, conv2d, conv3d, convolve, einsum, einsum_path,
};

ops! {
    "matmul" => |a| a.x("x").matmul(a.x("y"));
    "inner" => |a| a.x("x").inner(a.x("y"));
    "outer" => |a| a.x("x").outer(a.x("y"));
    "vecdot" => |a| a.x("x").vecdot(a.x("y"), a.int("axis"));
    "tensordot" => |a| {
        let axes = a.lists("axes");
        a.x("x").tensordot(a.x("y"), &axes[0], &axes[1])
    };
    "tensordot.count" => |a| a.x("x").tensordot_count(a.x("y"), a.int("count"));
    "kron" => |a| a.x("x").kron(a.x("y"));
    "addmm" => |a| addmm(a.x("c"), a.x("a"), a.x("b"), a.float("alpha") as f32, a.float("beta") as f32);
    "block_masked_mm" => |a| {
        let masks = BlockMasks { out: a.maybe("out"), lhs: a.maybe("lhs"), rhs: a.maybe("rhs") };
        a.x("x").block_masked_matmul(a.x("y"), a.int("block"), masks)
    };
    "segmented_mm" => |a| a.x("x").segmented_matmul(a.x("y"), a.x("segments"));
    "gather_mm" => |a| {
        a.x("x").gather_matmul(a.x("y"), Gather { lhs: a.maybe("lhs"), rhs: a.maybe("rhs"), sorted: false })
    };
    "einsum" => |a| einsum(a.text("subscripts"), &a.some(&["x", "y", "z"]));
    "einsum_path" => |a| {
        let (steps, _) = einsum_path(a.text("subscripts"), &a.some(&["x", "y", "z"]))?;
        let places = |step: Vec<usize>| step.into_iter().map(|place| place as i32).collect::<Vec<_>>();
        steps.into_iter().map(places).map(|step| Tensor::from_slice(&step, [step.len() as i32])).collect::<Result<Vec<_>, _>>()
    };
    "conv1d" => |a| {
        let [stride, padding, dilation, _] = window(a);
        conv1d(a.x("x"), a.x("y"), stride, padding, dilation, a.int("groups"))
    };
    "conv2d" => |a| {
        let [stride, padding, dilation, _] = window(a).map(|n| [n; 2]);
        conv2d(a.x("x"), a.x("y"), stride, padding, dilation, a.int("groups"))
    };
    "conv3d" => |a| {
        let [stride, padding, dilation, _] = window(a).map(|n| [n; 3]);
        conv3d(a.x("x"), a.x("y"), stride, padding, dilation, a.int("groups"))
    };
    "conv_transpose1d" => |a| {
        let [stride, padding, dilation, output] = window(a);
        conv_transpose1d(a.x("x"), a.x("y"), stride, padding, dilation, output, a.int("groups"))
    };
    "conv_transpose2d" => |a| {
        let [stride, padding, dilation, output] = window(a).map(|n| [n; 2]);
        conv_transpose2d(a.x("x"), a.x("y"), stride, padding, dilation, output, a.int("groups"))
    };
    "conv_transpose3d" => |a| {
        let [stride, padding, dilation, output] = window(a).map(|n| [n; 3]);
        conv_transpose3d(a.x("x"), a.x("y"), stride, padding, dilation, output, a.int("groups"))
    };
    "conv_general" => |a| {
        let how = ConvGeneral {
            stride: &a.list("stride"),
            padding_low: &a.list("low"),
            padding_high: &a.list("high"),
            kernel_dilation: &a.list("kernel"),
            input_dilation: &a.list("input"),
            groups: a.int("groups"),
            flip: a.flag("flip"),
        };
        conv_general(a.x("x"), a.x("y"), &how)
    };
    "convolve" => |a| {
        let overlap = match a.text("mode") {
            "full" => Overlap::Full,
            "same" => Overlap::Same,
            _ => Overlap::Valid,
        };
        convolve(a.x("x"), a.x("y"), overlap)
    };
}

/// Stride, padding, dilation and output padding.
fn window(a: &Call<'_>) -> [i32; 4] {
    [a.int("stride"), a.int("padding"), a.int("dilation"), a.maybe_int("output").unwrap_or(0)]
}
