//! Constructors, shapes, views and joins.

use super::call::{Call, ops};
use mlx_ops::{
    Error, Indexing, PadWith, Result, Tensor, arange, bartlett, blackman, broadcast_arrays, broadcast_shapes,
    concatenate, depends, eye, full, hamming, hanning, identity, linspace, meshgrid, ones, stack, tri, zeros,
};

ops! {
    "zeros" => |a| zeros(a.list("shape"), a.dtype("dtype"));
    "ones" => |a| ones(a.list("shape"), a.dtype("dtype"));
    "zeros_like" => |a| a.x("x").zeros_like();
    "ones_like" => |a| a.x("x").ones_like();
    "full" => |a| full(a.list("shape"), a.number("value"), a.dtype("dtype"));
    "full.array" => |a| full(a.list("shape"), a.x("x"), a.x("x").dtype());
    "full_like" => |a| a.x("x").full_like(a.number("value"));
    "arange" => |a| arange(a.float("start"), a.float("stop"), a.float("step"), a.dtype("dtype"));
    "linspace" => |a| {
        linspace(a.float("start"), a.float("stop"), a.int("num"), a.flag("endpoint"), a.dtype("dtype"))
    };
    "eye" => |a| eye(a.int("n"), a.int("m"), a.int("k"), a.dtype("dtype"));
    "tri" => |a| tri(a.int("n"), a.int("m"), a.int("k"), a.dtype("dtype"));
    "identity" => |a| identity(a.int("n"), a.dtype("dtype"));
    "hanning" => |a| hanning(a.int("n"));
    "hamming" => |a| hamming(a.int("n"));
    "bartlett" => |a| bartlett(a.int("n"));
    "blackman" => |a| blackman(a.int("n"));
    "meshgrid" => |a| {
        let indexing = if a.text("indexing") == "xy" { Indexing::Xy } else { Indexing::Ij };
        meshgrid(&a.some(&["x", "y", "z"]), a.flag("sparse"), indexing)
    };
    "reshape" => |a| a.x("x").reshape(a.list("shape"));
    "flatten" => |a| a.x("x").flatten(a.int("start"), a.int("end"));
    "unflatten" => |a| a.x("x").unflatten(a.int("axis"), a.list("shape"));
    "transpose" => |a| a.x("x").transpose(a.list("axes"));
    "transpose.all" => |a| a.x("x").t();
    "matrix_transpose" => |a| a.x("x").matrix_transpose();
    "swapaxes" => |a| a.x("x").swapaxes(a.int("first"), a.int("second"));
    "moveaxis" => |a| a.x("x").moveaxis(a.int("first"), a.int("second"));
    "expand_dims" => |a| a.x("x").expand_dims(a.list("axes"));
    "squeeze" => |a| a.x("x").squeeze(a.axes());
    "atleast_1d" => |a| a.x("x").atleast_1d();
    "atleast_2d" => |a| a.x("x").atleast_2d();
    "atleast_3d" => |a| a.x("x").atleast_3d();
    "broadcast_to" => |a| a.x("x").broadcast_to(a.list("shape"));
    "broadcast_arrays" => |a| broadcast_arrays(&a.some(&["x", "y"]));
    "broadcast_shapes" => |a| {
        let shapes = a.lists("shapes");
        let common = broadcast_shapes(&shapes.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        Tensor::from_slice(&common, [common.len() as i32])
    };
    "as_strided" => |a| {
        let strides: Vec<i64> = a.list("strides").into_iter().map(i64::from).collect();
        a.x("x").as_strided(a.list("shape"), strides, a.int("offset") as usize)
    };
    "contiguous" => |a| a.x("x").contiguous();
    "tril" => |a| a.x("x").tril(a.int("k"));
    "triu" => |a| a.x("x").triu(a.int("k"));
    "diag" => |a| a.x("x").diag(a.int("k"));
    "diagonal" => |a| a.x("x").diagonal(a.int("offset"), a.int("first"), a.int("second"));
    "trace" => |a| a.x("x").trace(a.int("offset"), a.int("first"), a.int("second"));
    "flip" => |a| a.x("x").flip(a.axes());
    "roll" => |a| a.x("x").roll(a.int("shift"), a.axis());
    "roll.axes" => |a| a.x("x").roll_axes(a.list("shifts"), a.list("axes"));
    "repeat" => |a| a.x("x").repeat(a.int("repeats"), a.axis());
    "tile" => |a| a.x("x").tile(a.list("reps"));
    "split" => |a| a.x("x").split_equal(a.int("parts"), a.int("axis"));
    "split.at" => |a| a.x("x").split(a.list("indices"), a.int("axis"));
    "unstack" => |a| a.x("x").unstack(a.int("axis"));
    "pad" => |a| a.x("x").pad(&a.list("axes"), &a.list("low"), &a.list("high"), a.number("value"));
    "pad.mode" => |a| a.x("x").pad_with(&a.list("axes"), &a.list("low"), &a.list("high"), mode(a)?);
    "concatenate" => |a| concatenate(&a.some(&["x", "y"]), a.int("axis"));
    "stack" => |a| stack(&a.some(&["x", "y"]), a.int("axis"));
    "depends" => |a| depends(&a.some(&["x"]), &a.some(&["y"]));
}

fn mode(a: &Call<'_>) -> Result<PadWith> {
    match a.text("mode") {
        "edge" => Ok(PadWith::Edge),
        "reflect" => Ok(PadWith::Reflect),
        "symmetric" => Ok(PadWith::Symmetric),
        other => Err(Error::new(format!("no padding is called {other}"))),
    }
}
