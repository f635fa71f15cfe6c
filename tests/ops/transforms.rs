//! Transforms against numbers of Python's MLX, their nesting, and what happens when a function fails.

use mlx_ops::transforms::*;
use mlx_ops::{Dtype, Error, Result, Tensor, arange, eye, fast, ones, select};
use mlx_tests::max_difference;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

#[track_caller]
fn check(result: Result<Tensor>, shape: &[i32], values: &[f32]) {
    let tensor = result.unwrap();
    assert_eq!(tensor.shape(), shape);
    let found = tensor.to_vec::<f32>().unwrap();
    assert!(max_difference(&found, values) < 3e-6, "{found:?} is not {values:?}");
}

fn vector(values: &[f32]) -> Tensor {
    Tensor::from_slice(values, [values.len() as i32]).unwrap()
}

fn number(value: f32) -> Tensor {
    Tensor::from_slice(&[value], []).unwrap()
}

fn x() -> Tensor {
    vector(&[0.5, -1.0, 2.0])
}

fn w() -> Tensor {
    Tensor::from_slice(&[1f32, 2.0, 3.0, -1.0, 0.5, 2.0], [2, 3]).unwrap()
}

fn wave(x: &Tensor) -> Result<Tensor> {
    (x.sin()?.exp()? * x)?.sum(.., false)
}

#[test]
fn gradients_are_pythons() {
    type Case = (fn(&Tensor) -> Result<Tensor>, [f32; 3]);
    let cases: [Case; 12] = [
        (|x| x.logsumexp(.., false), [0.1752904, 0.03911258, 0.785597]),
        (|x| x.softmax(-1)?.square()?.sum(.., false), [-0.1662205, -0.04774133, 0.2139617]),
        (|x| w().matmul(x)?.tanh()?.sum(.., false), [-0.00937252, 0.00592005, 0.02121263]),
        (wave, [2.323858, 0.1981647, 0.4163442]),
        (|x| x.square()?.max(.., false), [0.0, 0.0, 4.0]),
        (|x| x.var(.., false, 0), [0.0, -1.0, 1.0]),
        (|x| x.sigmoid()?.log()?.mean(.., false), [0.1258469, 0.2436862, 0.0397343]),
        (|x| x.i(2)? * x.i(0)?, [2.0, 0.0, 0.5]),
        (|x| (x.cumsum(0, false, true)? * vector(&[1.0, 2.0, 3.0]))?.sum(.., false), [6.0, 5.0, 3.0]),
        (|x| (x.erf()? / (x.square()? + 1.0)?)?.sum(.., false), [0.369906, -0.2137966, -0.1551181]),
        (|x| x.abs()?.power(1.5)?.sum(.., false), [1.06066, -1.5, 2.12132]),
        (|x| select(&x.greater(0.0)?, &x.square()?, x.exp()?)?.sum(.., false), [1.0, 0.3678794, 4.0]),
    ];
    for (f, expected) in cases {
        check(grad(f)(&x()), &[3], &expected);
    }
    let norm = |x: &Tensor| fast::rms_norm(x, Some(&vector(&[1.0, 2.0, 3.0])), 1e-5)?.sum(.., false);
    check(grad(norm)(&x()), &[3], &[0.43196, 2.159787, 0.971913]);
}

#[test]
fn derivatives_of_derivatives() {
    let f = |x: &Tensor| x.sin()?.exp();
    let s = number(0.7);
    check(f(&s), &[], &[1.904496]);
    check(grad(f)(&s), &[], &[1.456639]);
    check(grad(grad(f))(&s), &[], &[-0.112811]);
    check(grad(grad(grad(f)))(&s), &[], &[-3.419707]);
    check(grad(grad(grad(grad(f))))(&s), &[], &[-4.5129]);
    // The Hessian, forward over reverse over every direction at once.
    let hessian =
        |direction: &Tensor| Ok(jvp(grad(|x: &Tensor| w().matmul(x)?.logsumexp(.., false)), &x(), direction)?.1);
    let expected = [0.5965859, 0.4474394, 0.298293, 0.4474394, 0.3355796, 0.2237198, 0.298293, 0.2237199, 0.1491468];
    check(vmap(hessian, 0, 0)(&eye(3, 3, 0, Dtype::F32).unwrap()), &[3, 3], &expected);
    let rows = Tensor::from_slice(&[0.5f32, -1.0, 2.0, 1.0, 0.0, -0.5], [2, 3]).unwrap();
    check(vmap(grad(wave), 0, 0)(&rows), &[2, 3], &[2.323858, 0.1981647, 0.4163442, 3.573157, 1.0, 0.3474662]);
}

#[test]
fn products_with_the_jacobian() {
    let f = |(x, w): &(Tensor, Tensor)| w.matmul(x);
    let tangents = (vector(&[1.0, 2.0, 3.0]), ones([2, 3], Dtype::F32).unwrap());
    check(Ok(jvp(f, &(x(), w()), &tangents).unwrap().1), &[2], &[15.5, 7.5]);
    let f = |(x, w): &(Tensor, Tensor)| Ok(((x.sin()? * w)?, w.sum(1, false)?));
    let (_, (dx, dw)) = vjp(f, &(x(), w()), &((w() * 0.5).unwrap(), vector(&[2.0, -1.0]))).unwrap();
    check(Ok(dx), &[3], &[0.8775825, 1.148142, -2.704954]);
    check(Ok(dw), &[2, 3], &[2.239713, 1.158529, 3.363946, -1.239713, -1.210368, -0.09070259]);
    // A constant output keeps its cotangent to itself.
    let f = |x: &Tensor| Ok((x.stop_gradient()?, x.square()?));
    check(Ok(vjp(f, &x(), &(x(), vector(&[1.0; 3]))).unwrap().1), &[3], &[1.0, -2.0, 4.0]);
    assert!(vjp(|x: &Tensor| x.square(), &x(), &vector(&[1.0])).unwrap_err().message().contains("cotangent shape (1)"));
    assert!(jvp(|x: &Tensor| x.square(), &x(), &number(1.0)).is_err());
    let some = |x: &Vec<Tensor>| Ok(vec![x[0].square()?]);
    assert!(vjp(some, &vec![x()], &vec![x(), x()]).unwrap_err().message().contains("a cotangent for each output"));
}

/// A layer as a user writes it: a flag that is no tensor, and an optional part.
struct Layer {
    w: Tensor,
    b: Option<Tensor>,
    squash: bool,
}

impl Tree for Layer {
    fn show<'a>(&'a self, flat: &mut Flat<'a>) {
        flat.note(self.squash);
        self.w.show(flat);
        self.b.show(flat);
    }
    fn rebuild(&self, leaves: &mut Leaves) -> Result<Self> {
        Ok(Self { w: self.w.rebuild(leaves)?, b: self.b.rebuild(leaves)?, squash: self.squash })
    }
}

impl Layer {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.w.matmul(x)?;
        let y = self.b.as_ref().map_or(Ok(y.clone()), |b| &y + b)?;
        if self.squash { y.tanh() } else { Ok(y) }
    }
}

#[test]
fn trees_of_every_kind() {
    let loss = |layer: &Layer| {
        let y = layer.forward(&x())?;
        Ok(((&y - &vector(&[0.5, -0.5]))?.square()?.mean(.., false)?, y))
    };
    let layer = Layer { w: w(), b: Some(vector(&[0.1, -0.2])), squash: true };
    let ((loss, y), slopes) = value_and_grad(loss)(&layer).unwrap();
    check(Ok(loss), &[], &[1.238873]);
    assert_eq!(y.shape(), [2]);
    check(Ok(slopes.w), &[2, 3], &[0.00010098, -0.00020196, 0.00040391, 0.0109579, -0.02191581, 0.04383161]);
    check(Ok(slopes.b.unwrap()), &[2], &[0.00020196, 0.02191581]);

    type Mixed = (Vec<Tensor>, [Option<Tensor>; 2], BTreeMap<String, (Tensor,)>, ());
    let mixed = |(list, pair, map, ()): &Mixed| {
        let product = (&list[0] * &list[1])? * &map["z"].0;
        (product? * pair[1].as_ref().ok_or_else(|| Error::new("no second"))?)?.sum(.., false)
    };
    let map = BTreeMap::from([("a".to_string(), (number(7.0),)), ("z".to_string(), (number(5.0),))]);
    let (list, pair, map, ()) =
        grad(mixed)(&(vec![number(2.0), number(3.0)], [None, Some(number(11.0))], map, ())).unwrap();
    let [a, b] = &list[..] else { panic!("two tensors") };
    check(Ok(a.clone()), &[], &[165.0]);
    check(Ok(b.clone()), &[], &[110.0]);
    assert!(pair[0].is_none());
    check(Ok(pair[1].clone().unwrap()), &[], &[30.0]);
    check(Ok(map["a"].0.clone()), &[], &[0.0]);
    check(Ok(map["z"].0.clone()), &[], &[66.0]);
    let names = ["a", "b", "c", "d", "e"];
    let map: HashMap<String, Tensor> = (1u8..).zip(names).map(|(n, name)| (name.into(), number(n.into()))).collect();
    let weighed = |map: &HashMap<String, Tensor>| (&map["b"] * &map["d"])? * 2.0;
    let slopes = grad(weighed)(&map).unwrap();
    for (name, slope) in names.into_iter().zip([0.0, 8.0, 0.0, 4.0, 0.0]) {
        check(Ok(slopes[name].clone()), &[], &[slope]);
    }
}

#[test]
fn vmap_over_any_axis() {
    let a = || (arange(0.0, 24.0, 1.0, Dtype::F32).unwrap().reshape([2, 3, 4]).unwrap() / 10.0).unwrap();
    let b = || (arange(0.0, 20.0, 1.0, Dtype::F32).unwrap().reshape([4, 5]).unwrap() / 7.0).unwrap();
    let b1 = b();
    let products = vmap(move |a: &Tensor| a.matmul(&b1), 1, 2)(&a()).unwrap();
    assert_eq!(products.shape(), [2, 5, 3]);
    check(products.i((1, 2)), &[3], &[7.685714, 9.857143, 12.02857]);
    let columns = vmap(|(a, b): &(Tensor, Tensor)| a.matmul(b), (None, 1), -1)(&(a().i(0).unwrap(), b())).unwrap();
    assert_eq!(columns.shape(), [3, 5]);
    check(columns.i(2), &[5], &[4.428572, 4.971429, 5.514286, 6.057143, 6.6]);
    let at = Tensor::from_slice(&[2i32, 0], [2]).unwrap();
    let taken = vmap(|(a, at): &(Tensor, Tensor)| a.take(at, 0), 0, 0)(&(a(), at));
    check(taken, &[2, 4], &[0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]);
    let sums = vmap(|a: &Tensor| a.sum(0, false), 2, 1)(&a());
    check(sums, &[3, 4], &[1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.2, 3.4]);
    check(vmap(|a: &Tensor| a.max(1, false), -1, 0)(&a()), &[4, 2], &[0.8, 2.0, 0.9, 2.1, 1.0, 2.2, 1.1, 2.3]);
    let both = |[a, b]: &[Tensor; 2]| Ok((a + b, number(1.0))).and_then(|(sum, one)| Ok((sum?, one)));
    let (sum, one) = vmap(both, [Some(1), Some(0)], (1, 0))(&[w(), w().t().unwrap()]).unwrap();
    check(Ok(sum), &[2, 3], &[2.0, 4.0, 6.0, -2.0, 1.0, 4.0]);
    check(Ok(one), &[3], &[1.0; 3]);
    for axis in [2, -3] {
        let error = vmap(|x: &Tensor| x.square(), axis, 0)(&w()).unwrap_err();
        assert!(error.message().contains("out of range for an input of 2 axes"), "{error}");
        assert_eq!(error.location().file(), file!());
    }
    assert!(vmap(|x: &Tensor| x.square(), 0, 2)(&w()).unwrap_err().message().contains("an output of 2 axes"));
    assert!(vmap(|x: &Tensor| x.square(), 0, None)(&w()).unwrap_err().message().contains("must have its axis"));
    assert!(vmap(|x: &Tensor| x.square(), None, 0)(&w()).unwrap_err().message().contains("in_axes"));
    assert!(
        vmap(|x: &Tensor| x.square()?.eval().and(x.square()), 0, 0)(&w()).unwrap_err().message().contains("[eval]")
    );
}

#[test]
fn rules_of_ones_own() {
    let times = |factor: f32| custom_vjp(|x: &Tensor| x.square(), move |_, cotangents: &Tensor, _| cotangents * factor);
    let sum = |f: &dyn Fn(&Tensor) -> Result<Tensor>, x: &Tensor| f(x)?.sum(.., false);
    let seven = times(7.0);
    check(grad(|x: &Tensor| sum(&seven, x))(&x()), &[3], &[7.0; 3]);
    check(seven(&x()), &[3], &[0.25, 1.0, 4.0]);
    // The rule is differentiated in its turn; forward mode takes the function itself.
    let cube = custom_vjp(|x: &Tensor| x.square()? * x, |x: &Tensor, c: &Tensor, _| (x * 10.0)? * c);
    check(grad(grad(&cube))(&number(2.0)), &[], &[10.0]);
    check(Ok(jvp(&cube, &number(2.0), &number(1.0)).unwrap().1), &[], &[12.0]);
    check(vmap(&cube, 0, 0)(&x()), &[3], &[0.125, -1.0, 8.0]);
    let swap = custom_jvp(
        |(x, y): &(Tensor, Tensor)| Ok((x.clone(), y.clone())),
        |_, (dx, dy): &(Tensor, Tensor)| Ok((dy.clone(), dx.clone())),
    );
    let through = |x: &Tensor| swap(&(x.clone(), number(1.0)));
    let (_, (first, second)) = jvp(through, &number(3.0), &number(5.0)).unwrap();
    check(Ok(first), &[], &[0.0]);
    check(Ok(second), &[], &[5.0]);

    let h = |x: &Tensor| ((x.exp()? * x)?.tanh()? * w())?.sum(.., false);
    let calls = std::rc::Rc::new(Cell::new(0));
    let counted = calls.clone();
    let kept = checkpoint(move |x: &Tensor| {
        counted.set(counted.get() + 1);
        h(x)
    });
    let (value, slope) = value_and_grad(&kept)(&x()).unwrap();
    assert_eq!(calls.get(), 2, "once for the value, once for the gradient");
    check(Ok(value), &[], &[4.119661]);
    check(Ok(slope), &[3], &grad(h)(&x()).unwrap().to_vec::<f32>().unwrap());
}

#[test]
fn the_functions_own_error_comes_back() {
    let fails = |_: &Tensor| -> Result<Tensor> { Err(Error::new("no such thing")) };
    let line = line!() - 1;
    let kept = custom_vjp(|x: &Tensor| x.square(), |_, _, _: &Tensor| Err(Error::new("no rule")));
    let cases: [(&str, &dyn Fn() -> Result<Tensor>); 7] = [
        ("no such thing", &|| grad(fails)(&number(1.0))),
        ("no such thing", &|| grad(grad(fails))(&number(1.0))),
        ("no such thing", &|| vmap(vmap(grad(fails), 0, 0), 0, 0)(&w())),
        ("no such thing", &|| compile(grad(fails)).call(&number(1.0))),
        ("no such thing", &|| checkpoint(fails)(&number(1.0))),
        ("no such thing", &|| Ok(jvp(fails, &x(), &x())?.1)),
        ("no rule", &|| grad(|x: &Tensor| kept(x)?.square())(&number(1.0))),
    ];
    for (message, case) in cases {
        let error = case().unwrap_err();
        assert_eq!(error.message(), message);
        assert_eq!(error.location().file(), file!());
        assert!(message != "no such thing" || error.location().line() == line);
        check(grad(wave)(&x()), &[3], &[2.323858, 0.1981647, 0.4163442]);
    }
    let error = grad(|x: &Tensor| x.square())(&x()).unwrap_err();
    assert_eq!(error.message(), "[vjp] Output shape (3) does not match cotangent shape ().");
    assert_eq!((error.location().file(), error.location().line()), (file!(), line!() - 2));
    assert!(grad(|()| Ok(number(1.0)))(&()).unwrap_err().message().contains("at least one argument"));
    assert!(grad(|_: &Tensor| Ok(()))(&x()).unwrap_err().message().contains("no loss"));
}

#[test]
fn a_panic_is_an_error_and_the_next_transform_works() {
    let panics = |x: &Tensor| -> Result<Tensor> { panic!("shape {:?} is odd", x.shape()) };
    let kept = custom_vjp(|x: &Tensor| x.square(), |_, _, _: &Tensor| panic!("shape [] is odd"));
    let cases: [&dyn Fn() -> Result<Tensor>; 6] = [
        &|| grad(panics)(&number(1.0)),
        &|| grad(|x: &Tensor| grad(panics)(x))(&number(1.0)),
        &|| vmap(grad(panics), 0, 0)(&x()),
        &|| compile(vmap(panics, 0, 0)).call(&x()),
        &|| checkpoint(panics)(&number(1.0)),
        &|| grad(|x: &Tensor| kept(x))(&number(1.0)),
    ];
    for case in cases {
        let error = case().unwrap_err();
        assert!(error.message().ends_with("the closure panicked: shape [] is odd"), "{error}");
        check(grad(wave)(&x()), &[3], &[2.323858, 0.1981647, 0.4163442]);
        check(compile(wave).call(&x()), &[], &[wave(&x()).unwrap().item::<f32>().unwrap()]);
        assert!(x().square().unwrap().eval().is_ok());
    }
    // What was caught inside is no error outside.
    let recovers = |x: &Tensor| grad(panics)(x).or_else(|_| x.square());
    check(grad(recovers)(&number(3.0)), &[], &[6.0]);
}

/// MLX's own gradient writes before the array where the first element is NaN.
#[test]
fn running_extremes_give_no_gradient_to_what_is_no_number() {
    let nan = f32::NAN;
    for (values, last, sums, reversed) in [
        ([nan, 1.0, 2.0], nan, [0.0, 0.0, 0.0], [0.0, 0.0, 2.0]),
        ([1.0, nan, 2.0], nan, [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]),
        ([1.0, 3.0, 2.0], 3.0, [1.0, 2.0, 0.0], [0.0, 2.0, 1.0]),
        ([1.0, 2.0, f32::NEG_INFINITY], 2.0, [1.0, 2.0, 0.0], [0.0, 2.0, 1.0]),
    ] {
        let all = |reverse| move |x: &Tensor| x.cummax(0, reverse, true)?.sum(.., false);
        check(grad(all(false))(&vector(&values)), &[3], &sums);
        check(grad(all(true))(&vector(&values)), &[3], &reversed);
        let negative = grad(|x: &Tensor| (-x).and_then(|x| x.cummin(0, false, true))?.sum(.., false));
        check(negative(&vector(&values)), &[3], &sums.map(|x| -x));
        let (value, _) = value_and_grad(|x: &Tensor| x.cummax(0, false, true)?.i(2))(&vector(&values)).unwrap();
        assert_eq!(value.item::<f32>().unwrap().to_bits(), last.to_bits());
        let exclusive = grad(|x: &Tensor| x.cummax(0, false, false)?.i(1..)?.sum(.., false));
        assert_eq!(exclusive(&vector(&values)).unwrap().shape(), [3]);
    }
}
