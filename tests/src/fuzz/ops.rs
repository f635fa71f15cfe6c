//! What an episode may do, by name.

use super::dice::Dice;
use mlx_ops::fft::Norm;
use mlx_ops::linalg::{self, Order, Triangle};
use mlx_ops::{
    Dtype, Gather, Overlap, PadWith, Quantization, Result, Side, Tensor, arange, concatenate, conv1d, conv2d, convolve,
    einsum, eye, fft, full, linspace, meshgrid, ones, select, stack, tri, zeros,
};

/// One op on drawn arguments, and what it gives.
pub type Op = fn(&mut Dice) -> Result<Vec<Tensor>>;

macro_rules! ops {
    ($($name:literal |$d:ident| $body:expr;)*) => { &[$(($name, |$d| $body)),*] };
}

/// Methods without arguments.
macro_rules! plain {
    ($($name:ident)*) => { &[$((stringify!($name), |d| one(d.tensor().$name()))),*] };
}

/// Methods of two tensors.
macro_rules! pairs {
    ($($name:ident)*) => { &[$((stringify!($name), |d| one(d.tensor().$name(d.tensor())))),*] };
}

/// Reductions, over some axes or over all.
macro_rules! reductions {
    ($($name:ident)*) => { &[$((stringify!($name), |d| {
        let x = d.tensor();
        match d.flag() {
            true => one(x.$name(.., d.flag())),
            false => one(x.$name(&d.axes(), d.flag())),
        }
    })),*] };
}

/// What is computed along one axis, or over the flattened tensor.
macro_rules! along {
    ($($name:ident)*) => { &[$((stringify!($name), |d| {
        let x = d.tensor();
        match d.flag() {
            true => one(x.$name(..)),
            false => one(x.$name(d.axis())),
        }
    })),*] };
}

fn one(tensor: Result<Tensor>) -> Result<Vec<Tensor>> {
    Ok(vec![tensor?])
}

fn two(pair: Result<(Tensor, Tensor)>) -> Result<Vec<Tensor>> {
    pair.map(|(a, b)| vec![a, b])
}

/// All ops, table by table.
pub const TABLES: [&[(&str, Op)]; 10] = [
    plain! {
        abs sign reciprocal floor ceil trunc square sqrt rsqrt exp expm1 log log2 log10 log1p sin cos tan arcsin arccos
        arctan degrees radians sinh cosh tanh arcsinh arccosh arctanh erf erfinv sigmoid isnan isinf isposinf isneginf
        isfinite logical_not positive negative bitwise_invert conjugate real imag to_fp8 stop_gradient t contiguous
        matrix_transpose atleast_1d atleast_2d atleast_3d zeros_like ones_like
    },
    pairs! {
        equal not_equal greater greater_equal less less_equal logical_and logical_or logical_xor add subtract multiply
        divide remainder maximum minimum floor_divide power logaddexp arctan2 bitwise_and bitwise_or bitwise_xor
        left_shift right_shift
    },
    reductions! { sum mean prod max min all any logsumexp median count_nonzero },
    along! { sort argsort },
    CREATION,
    SHAPES,
    INDEXING,
    MATRICES,
    NUMERIC,
    super::layers::LAYERS,
];

const CREATION: &[(&str, Op)] = ops! {
    "fresh" |d| one(d.fresh());
    "zeros" |d| one(zeros(d.dims(), d.dtype()));
    "ones" |d| one(ones(d.dims(), d.dtype()));
    "full" |d| one(full(d.dims(), d.tensor(), d.dtype()));
    "arange" |d| one(arange(d.float(), f64::from(d.int(-5, 20)), d.float(), d.dtype()));
    "linspace" |d| one(linspace(d.float(), d.float(), d.int(0, 20), d.flag(), d.dtype()));
    "eye" |d| one(eye(d.int(0, 6), d.int(0, 6), d.axis(), d.dtype()));
    "tri" |d| one(tri(d.int(0, 6), d.int(0, 6), d.axis(), d.dtype()));
    "full_like" |d| one(d.tensor().full_like(d.tensor()));
    "meshgrid" |d| meshgrid(&d.tensors(), d.flag(), d.one_of(&[mlx_ops::Indexing::Xy, mlx_ops::Indexing::Ij]));
    "astype" |d| one(d.tensor().astype(d.dtype()));
    "view" |d| one(d.tensor().view(d.dtype()));
    "from_fp8" |d| one(d.tensor_of(|dtype| dtype == Dtype::U8).from_fp8(d.dtype()));
};

const SHAPES: &[(&str, Op)] = ops! {
    "reshape" |d| one(d.tensor().reshape(d.ints(-1, 12)));
    "transpose" |d| one(d.tensor().transpose(d.axes()));
    "expand_dims" |d| one(d.tensor().expand_dims(d.axes()));
    "broadcast_to" |d| one(d.tensor().broadcast_to(d.dims()));
    "tile" |d| one(d.tensor().tile(d.ints(0, 3)));
    "unflatten" |d| one(d.tensor().unflatten(d.axis(), d.ints(-1, 6)));
    "flatten" |d| one(d.tensor().flatten(d.axis(), d.axis()));
    "as_strided" |d| {
        let strides = d.ints(-3, 6).into_iter().map(i64::from).collect::<Vec<_>>();
        one(d.tensor().as_strided(d.dims(), strides, d.int(0, 9) as usize))
    };
    "squeeze" |d| one(d.tensor().squeeze(&d.axes()));
    "flip" |d| one(d.tensor().flip(&d.axes()));
    "roll" |d| one(d.tensor().roll(d.int(-5, 5), d.axis()));
    "roll_axes" |d| one(d.tensor().roll_axes(d.ints(-5, 5), d.axes()));
    "repeat" |d| one(d.tensor().repeat(d.int(0, 4), d.axis()));
    "split_equal" |d| d.tensor().split_equal(d.int(0, 4), d.axis());
    "split" |d| d.tensor().split(d.ints(0, 5), d.axis());
    "unstack" |d| d.tensor().unstack(d.axis());
    "pad" |d| one(d.tensor().pad(&d.axes(), &d.ints(0, 3), &d.ints(0, 3), d.tensor()));
    "pad_with" |d| {
        let with = [PadWith::Edge, PadWith::Reflect, PadWith::Symmetric][d.below(3)];
        one(d.tensor().pad_with(&d.axes(), &d.ints(0, 3), &d.ints(0, 3), with))
    };
    "concatenate" |d| one(concatenate(&d.tensors(), d.axis()));
    "stack" |d| one(stack(&d.tensors(), d.axis()));
    "broadcast_arrays" |d| mlx_ops::broadcast_arrays(&d.tensors());
    "swapaxes" |d| one(d.tensor().swapaxes(d.axis(), d.axis()));
    "moveaxis" |d| one(d.tensor().moveaxis(d.axis(), d.axis()));
    "tril" |d| one(d.tensor().tril(d.axis()));
    "triu" |d| one(d.tensor().triu(d.axis()));
    "diag" |d| one(d.tensor().diag(d.axis()));
    "diagonal" |d| one(d.tensor().diagonal(d.axis(), d.axis(), d.axis()));
    "trace" |d| one(d.tensor().trace(d.axis(), d.axis(), d.axis()));
};

const INDEXING: &[(&str, Op)] = ops! {
    "i" |d| one(d.tensor().i((d.int(-4, 4), d.int(-4, 4)..d.int(-4, 4))));
    "i tensor" |d| one(d.tensor().i(d.positions()));
    "i tensors" |d| one(d.tensor().i((&d.positions(), mlx_ops::New, &d.positions())));
    "i step" |d| one(d.tensor().i(mlx_ops::step(d.int(-4, 4)..d.int(-4, 4), d.int(-3, 3))));
    "at" |d| {
        let (x, value) = (d.tensor(), d.tensor());
        let positions = d.positions();
        one(match d.below(5) {
            0 => x.at(&positions).add(value),
            1 => x.at((.., &positions)).multiply(value),
            2 => x.at(d.int(-3, 3)..).maximum(value),
            3 => x.at((d.int(-3, 3), d.int(-3, 3)..)).minimum(value),
            _ => x.at(d.tensor_of(|dtype| dtype == Dtype::Bool)).set(value),
        })
    };
    "set" |d| {
        let mut x = d.tensor();
        x.set((mlx_ops::Rest, &d.positions()), d.tensor())?;
        Ok(vec![x])
    };
    "take" |d| one(match d.flag() {
        true => d.tensor().take(&d.positions(), ..),
        false => d.tensor().take(&d.positions(), d.axis()),
    });
    "take_along_axis" |d| one(d.tensor().take_along_axis(&d.positions(), d.axis()));
    "put_along_axis" |d| one(d.tensor().put_along_axis(&d.positions(), &d.tensor(), d.axis()));
    "scatter_add_axis" |d| one(d.tensor().scatter_add_axis(&d.positions(), &d.tensor(), d.axis()));
    "slice_dynamic" |d| one(d.tensor().slice_dynamic(&d.positions(), &d.axes(), d.dims()));
    "slice_update_dynamic" |d| one(d.tensor().slice_update_dynamic(&d.tensor(), &d.positions(), &d.axes()));
    "slice_update" |d| one(d.tensor().slice_update(&d.tensor(), &d.ints(-2, 4), &d.ints(-2, 6)));
    "select" |d| one(select(&d.tensor(), &d.tensor(), d.tensor()));
    "argmax" |d| one(d.tensor().argmax(d.axis(), d.flag()));
    "argmin" |d| one(d.tensor().argmin(d.axis(), d.flag()));
    "partition" |d| one(d.tensor().partition(d.int(-4, 4), d.axis()));
    "argpartition" |d| one(d.tensor().argpartition(d.int(-4, 4), d.axis()));
    "topk" |d| one(d.tensor().topk(d.int(0, 5), d.axis()));
    "searchsorted" |d| {
        let side = if d.flag() { Side::Left } else { Side::Right };
        one(d.tensor().searchsorted(&d.tensor(), side))
    };
    "unique" |d| d.tensor().unique(d.int(0, 9), d.maybe().as_ref()).map(|u| vec![u.values, u.index, u.inverse, u.counts]);
};

const MATRICES: &[(&str, Op)] = ops! {
    "matmul" |d| one(d.tensor().matmul(&d.tensor()));
    "addmm" |d| one(mlx_ops::addmm(&d.floats(), &d.floats(), &d.floats(), 1.0, 0.5));
    "linear" |d| one(d.floats().linear(&d.floats()));
    "inner" |d| one(d.tensor().inner(&d.tensor()));
    "outer" |d| one(d.tensor().outer(&d.tensor()));
    "kron" |d| one(d.tensor().kron(&d.tensor()));
    "vecdot" |d| one(d.tensor().vecdot(&d.tensor(), d.axis()));
    "tensordot" |d| one(d.tensor().tensordot(&d.tensor(), &d.axes(), &d.axes()));
    "tensordot_count" |d| one(d.tensor().tensordot_count(&d.tensor(), d.int(0, 3)));
    "einsum" |d| {
        const SUBSCRIPTS: [&str; 8] = ["ij,jk->ik", "ij->ji", "i,i->", "bij,bjk->bik", "ii->i", "...i,...i->...", "a,b,c->abc", "x->"];
        one(einsum(d.one_of(&SUBSCRIPTS), &d.tensors()))
    };
    "gather_matmul" |d| {
        let (lhs, rhs) = (d.positions(), d.positions());
        let gather = Gather { lhs: d.flag().then_some(&lhs), rhs: d.flag().then_some(&rhs), sorted: d.flag() };
        one(d.floats().gather_matmul(&d.floats(), gather))
    };
    "segmented_matmul" |d| one(d.floats().segmented_matmul(&d.floats(), &d.positions()));
    "quantized_matmul" |d| {
        let q = quantization(d);
        let wide = d.floats().i((0, mlx_ops::Rest)).and_then(|row| row.flatten(0, -1)?.broadcast_to([d.int(1, 9), 64]));
        let (w, scales, biases) = wide?.quantize(q)?;
        let x = ones([d.int(0, 5), 64], d.one_of(&[Dtype::F32, Dtype::F16, Dtype::Bf16]))?;
        one(x.quantized_matmul(&w, &scales, biases.as_ref(), q))
    };
    "quantize" |d| {
        let (w, scales, biases) = d.floats().quantize(quantization(d))?;
        Ok([Some(w), Some(scales), biases].into_iter().flatten().collect())
    };
    "dequantize" |d| one(d.tensor().dequantize(&d.tensor(), d.maybe().as_ref(), quantization(d)));
};

fn quantization(d: &mut Dice) -> Quantization {
    let mode = d.one_of(&["affine", "affine", "affine", "mxfp4", "mxfp8", "nvfp4"]);
    Quantization { group_size: d.one_of(&[32, 64, 16, 128]), bits: d.one_of(&[4, 2, 3, 5, 6, 8, 1]), mode }
}

const NUMERIC: &[(&str, Op)] = ops! {
    "var" |d| one(d.tensor().var(&d.axes(), d.flag(), d.int(0, 2)));
    "std" |d| one(d.tensor().std(&d.axes(), d.flag(), d.int(0, 2)));
    "minmax" |d| two(d.tensor().minmax(&d.axes(), d.flag()));
    "cumsum" |d| one(d.tensor().cumsum(d.axis(), d.flag(), d.flag()));
    "cumprod" |d| one(d.tensor().cumprod(d.axis(), d.flag(), d.flag()));
    "cummax" |d| one(d.tensor().cummax(d.axis(), d.flag(), d.flag()));
    "logcumsumexp" |d| one(d.tensor().logcumsumexp(d.axis(), d.flag(), d.flag()));
    "softmax" |d| one(d.tensor().softmax(&d.axes()));
    "diff" |d| one(d.tensor().diff(d.int(0, 3), d.axis()));
    "round" |d| one(d.tensor().round(d.int(-3, 3)));
    "clip" |d| one(d.tensor().clip(d.tensor(), d.tensor()));
    "divmod" |d| two(d.tensor().divmod(d.tensor()));
    "nan_to_num" |d| one(d.tensor().nan_to_num(0.0, None, Some(1.0)));
    "hadamard_transform" |d| one(d.tensor().hadamard_transform(None));
    "isclose" |d| one(d.tensor().isclose(d.tensor(), 1e-5, 1e-8, d.flag()));
    "convolve" |d| {
        let overlap = [Overlap::Full, Overlap::Same, Overlap::Valid][d.below(3)];
        one(convolve(&d.floats(), &d.floats(), overlap))
    };
    "conv1d" |d| one(conv1d(&d.floats(), &d.floats(), d.int(1, 3), d.int(0, 2), d.int(1, 2), d.int(1, 2)));
    "conv2d" |d| {
        let (stride, padding) = ([d.int(1, 3), d.int(1, 3)], [d.int(0, 2), d.int(0, 2)]);
        one(conv2d(&d.floats(), &d.floats(), stride, padding, [d.int(1, 2), 1], d.int(1, 2)))
    };
    "fft" |d| {
        let n = d.flag().then(|| d.int(1, 9));
        one(fft::fft(&d.tensor(), n, d.axis(), Norm::default()))
    };
    "irfft" |d| {
        let n = d.flag().then(|| d.int(1, 9));
        one(fft::irfft(&d.tensor(), n, d.axis(), Norm::default()))
    };
    "fftn" |d| one(fft::fftn(&d.tensor(), None, &d.axes(), Norm::default()));
    "norm" |d| {
        let order = [Order::Default, Order::P(d.float()), Order::Frobenius, Order::Nuclear][d.below(4)];
        one(linalg::norm(&d.tensor(), order, &d.axes(), d.flag()))
    };
    "qr" |d| two(linalg::qr(&d.floats()));
    "svdvals" |d| one(linalg::svdvals(&d.floats()));
    "inv" |d| one(linalg::inv(&d.floats()));
    "cholesky" |d| one(linalg::cholesky(&d.floats(), d.flag()));
    "pinv" |d| one(linalg::pinv(&d.floats()));
    "solve" |d| one(linalg::solve(&d.floats(), &d.floats()));
    "lu_factor" |d| two(linalg::lu_factor(&d.floats()));
    "eigvalsh" |d| {
        let triangle = if d.flag() { Triangle::Lower } else { Triangle::Upper };
        one(linalg::eigvalsh(&d.floats(), triangle))
    };
    "cross" |d| one(linalg::cross(&d.tensor(), &d.tensor(), d.axis()));
    "det" |d| one(linalg::det(&d.floats()));
};
