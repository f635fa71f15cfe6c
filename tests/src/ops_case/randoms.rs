//! Random numbers: from a key, or from the default key after a seed.

use super::call::{Call, ops};
use mlx_ops::{Dtype, Result, Tensor, random, seed};

ops! {
    "random.key" => |a| random::key(a.seed("seed"));
    "random.seed" => |a| {
        seed(a.seed("seed"))?;
        Ok((random::normal([3], Dtype::F32, None)?, random::uniform(0, 1, [2, 2], Dtype::F32, None)?))
    };
    "random.split" => |a| random::split_into(&random::key(a.seed("seed"))?, a.int("num"));
    "random.uniform" => |a| {
        random::uniform(a.number("low"), a.number("high"), a.list("shape"), a.dtype("dtype"), key(a)?.as_ref())
    };
    "random.uniform.bounds" => |a| {
        random::uniform(a.x("low"), a.x("high"), a.list("shape"), a.dtype("dtype"), key(a)?.as_ref())
    };
    "random.normal" => |a| random::normal(a.list("shape"), a.dtype("dtype"), key(a)?.as_ref());
    "random.normal.with" => |a| {
        random::normal_with(a.number("loc"), a.number("scale"), a.list("shape"), a.dtype("dtype"), key(a)?.as_ref())
    };
    "random.gumbel" => |a| random::gumbel(a.list("shape"), a.dtype("dtype"), key(a)?.as_ref());
    "random.laplace" => |a| {
        let (loc, scale) = (a.float("loc") as f32, a.float("scale") as f32);
        random::laplace(loc, scale, a.list("shape"), a.dtype("dtype"), key(a)?.as_ref())
    };
    "random.truncated_normal" => |a| {
        let (low, high) = (a.number("low"), a.number("high"));
        random::truncated_normal(low, high, a.list("shape"), a.dtype("dtype"), key(a)?.as_ref())
    };
    "random.randint" => |a| {
        random::randint(a.number("low"), a.number("high"), a.list("shape"), a.dtype("dtype"), key(a)?.as_ref())
    };
    "random.bernoulli" => |a| random::bernoulli(a.number("p"), a.list("shape"), key(a)?.as_ref());
    "random.categorical" => |a| random::categorical(a.x("x"), key(a)?.as_ref());
    "random.categorical.num" => |a| {
        random::categorical_num(a.x("x"), a.int("axis"), a.int("num"), key(a)?.as_ref())
    };
    "random.categorical.shape" => |a| {
        random::categorical_shape(a.x("x"), a.int("axis"), a.list("shape"), key(a)?.as_ref())
    };
    "random.permutation" => |a| random::permutation(a.x("x"), a.int("axis"), key(a)?.as_ref());
    "random.permutation.of" => |a| random::permutation_of(a.int("n"), key(a)?.as_ref());
    "random.multivariate_normal" => |a| {
        random::multivariate_normal(a.x("mean"), a.x("cov"), a.list("shape"), a.dtype("dtype"), key(a)?.as_ref())
    };
}

/// The case's key; none after seeding the default key.
fn key(a: &Call<'_>) -> Result<Option<Tensor>> {
    if a.args["seed"].is_null() {
        return random::key(a.seed("key")).map(Some);
    }
    seed(a.seed("seed"))?;
    Ok(None)
}
