//! Reductions, running values, sorting and searching.

use super::call::ops;
use mlx_ops::Side;

ops! {
    "sum" => |a| a.x("x").sum(a.axes(), a.flag("keepdims"));
    "mean" => |a| a.x("x").mean(a.axes(), a.flag("keepdims"));
    "prod" => |a| a.x("x").prod(a.axes(), a.flag("keepdims"));
    "max" => |a| a.x("x").max(a.axes(), a.flag("keepdims"));
    "min" => |a| a.x("x").min(a.axes(), a.flag("keepdims"));
    "all" => |a| a.x("x").all(a.axes(), a.flag("keepdims"));
    "any" => |a| a.x("x").any(a.axes(), a.flag("keepdims"));
    "logsumexp" => |a| a.x("x").logsumexp(a.axes(), a.flag("keepdims"));
    "median" => |a| a.x("x").median(a.axes(), a.flag("keepdims"));
    "count_nonzero" => |a| a.x("x").count_nonzero(a.axes(), a.flag("keepdims"));
    "var" => |a| a.x("x").var(a.axes(), a.flag("keepdims"), a.int("ddof"));
    "std" => |a| a.x("x").std(a.axes(), a.flag("keepdims"), a.int("ddof"));
    "minmax" => |a| a.x("x").minmax(a.axes(), a.flag("keepdims"));
    "softmax" => |a| a.x("x").softmax(a.axes());
    "cumsum" => |a| a.x("x").cumsum(a.axis(), a.flag("reverse"), a.flag("inclusive"));
    "cumprod" => |a| a.x("x").cumprod(a.axis(), a.flag("reverse"), a.flag("inclusive"));
    "cummax" => |a| a.x("x").cummax(a.axis(), a.flag("reverse"), a.flag("inclusive"));
    "cummin" => |a| a.x("x").cummin(a.axis(), a.flag("reverse"), a.flag("inclusive"));
    "logcumsumexp" => |a| a.x("x").logcumsumexp(a.axis(), a.flag("reverse"), a.flag("inclusive"));
    "diff" => |a| a.x("x").diff(a.int("n"), a.int("axis"));
    "argmax" => |a| a.x("x").argmax(a.axis(), a.flag("keepdims"));
    "argmin" => |a| a.x("x").argmin(a.axis(), a.flag("keepdims"));
    "sort" => |a| a.x("x").sort(a.axis());
    "argsort" => |a| a.x("x").argsort(a.axis());
    "partition" => |a| a.x("x").partition(a.int("k"), a.axis());
    "argpartition" => |a| a.x("x").argpartition(a.int("k"), a.axis());
    "topk" => |a| a.x("x").topk(a.int("k"), a.axis());
    "searchsorted" => |a| {
        a.x("x").searchsorted(a.x("y"), if a.flag("right") { Side::Right } else { Side::Left })
    };
    "unique" => |a| {
        let unique = a.x("x").unique(a.int("size"), a.maybe("fill"))?;
        Ok(vec![unique.values, unique.index, unique.inverse, unique.counts])
    };
}
