//! Kernels in the graph: strides, errors, panics, gradients.

use super::*;
use crate::{eval, ops};

/// `x * y`, or a panic.
#[derive(PartialEq)]
enum Product {
    Works,
    Panics,
}

impl Kernel for Product {
    fn name(&self) -> &'static CStr {
        c"Product"
    }
    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), Dtype::F32)])
    }
    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        assert!(*self == Self::Works, "the bridge is out");
        let (x, y) = (inputs[0].values::<f32>()?, inputs[1].values::<f32>()?);
        for (out, (x, y)) in outputs[0].values::<f32>()?.iter_mut().zip(x.iter().zip(y.iter())) {
            *out = x * y;
        }
        Ok(())
    }
    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Ok(vec![ops::multiply(&inputs[0], &inputs[1])?])
    }
}

fn one(kernel: Product, inputs: &[Array]) -> Result<Array> {
    Ok(apply(kernel, inputs)?.remove(0))
}

fn table() -> Array {
    Array::from_slice(&[1f32, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]).unwrap()
}

#[test]
fn reads_any_strides() {
    let turned = ops::transpose(&table(), &[1, 0]).unwrap();
    let dense = Array::from_slice(&[1f32, 10.0, 100.0, 1000.0, 1e4, 1e5], &[3, 2]).unwrap();
    let product = one(Product::Works, &[turned, dense]).unwrap();
    assert_eq!(product.to_vec::<f32>().unwrap(), [1.0, 40.0, 200.0, 5000.0, 3e4, 6e5]);
    let spread = ops::broadcast_to(&Array::scalar(3.0, Dtype::F32).unwrap(), &[2, 3]).unwrap();
    let product = one(Product::Works, &[table(), spread]).unwrap();
    assert_eq!(product.to_vec::<f32>().unwrap(), [3.0, 6.0, 9.0, 12.0, 15.0, 18.0]);
}

#[test]
fn empty_arrays_run() {
    let empty = Array::from_slice::<f32>(&[], &[0, 4]).unwrap();
    let product = one(Product::Works, &[empty.clone(), empty]).unwrap();
    assert_eq!(product.to_vec::<f32>().unwrap(), [] as [f32; 0]);
}

#[test]
fn a_panic_or_error_is_the_evaluations() {
    let product = one(Product::Panics, &[table(), table()]).unwrap();
    let error = product.eval().unwrap_err().to_string();
    assert!(error.contains("[Product] the kernel panicked: the bridge is out"), "{error}");
    let integers = ops::astype(&table(), Dtype::I32).unwrap();
    let product = one(Product::Works, &[table(), integers]).unwrap();
    let error = ops::add(&product, &table()).unwrap().eval().unwrap_err().to_string();
    assert!(error.contains("the array holds int32, not float32"), "{error}");
    // The stream works on.
    assert!(eval(&[one(Product::Works, &[table(), table()]).unwrap()]).is_ok());
}

#[test]
fn gradient_is_the_fallbacks() {
    let kernel = |x: &Array| one(Product::Works, &[x.clone(), ops::add(x, x)?]);
    let gradient = vector_jacobian(kernel, &table(), &table()).unwrap();
    let product = |x: &Array| ops::multiply(x, &ops::add(x, x)?);
    let want = vector_jacobian(product, &table(), &table()).unwrap();
    assert_eq!(gradient.to_vec::<f32>().unwrap(), want.to_vec::<f32>().unwrap());
    let wrong = |_: &Array| Err(Error::new("no such function"));
    assert!(vector_jacobian(wrong, &table(), &table()).unwrap_err().to_string().contains("no such function"));
}

/// Writes `row` into row `at` of the first input; the second result is what stood there.
#[derive(PartialEq)]
struct Exchange {
    at: usize,
}

/// Where the tables of many rows were.
static PLACES: std::sync::Mutex<Vec<usize>> = std::sync::Mutex::new(Vec::new());

impl Kernel for Exchange {
    fn name(&self) -> &'static CStr {
        c"Exchange"
    }
    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(inputs.iter().map(|input| (input.shape().to_vec(), Dtype::F32)).collect())
    }
    fn updates(&self) -> Vec<(usize, usize)> {
        vec![(0, 0)]
    }
    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let [table, old] = outputs else { return Err(Error::new("two results")) };
        let row = inputs[1].values::<f32>()?;
        let table = table.values::<f32>()?;
        if table.len() / row.len() == 64 {
            PLACES.lock().unwrap().push(table.as_ptr() as usize);
        }
        let there = &mut table[self.at * row.len()..][..row.len()];
        old.values::<f32>()?.copy_from_slice(there);
        there.copy_from_slice(&row);
        Ok(())
    }
    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let (at, end) = (self.at as i32, inputs[0].shape()[1]);
        let old = ops::slice(&inputs[0], &[at, 0], &[at + 1, end], &[1, 1])?;
        let new =
            ops::slice_update(&inputs[0], &ops::reshape(&inputs[1], &[1, end])?, &[at, 0], &[at + 1, end], &[1, 1])?;
        Ok(vec![new, ops::reshape(&old, &[end])?])
    }
}

#[test]
fn updates_keep_what_others_hold() {
    let row = Array::from_slice(&[7f32, 8.0, 9.0], &[3]).unwrap();
    let held = ops::add(&table(), &table()).unwrap();
    let results = apply(Exchange { at: 1 }, &[held.clone(), row.clone()]).unwrap();
    assert_eq!(results[0].to_vec::<f32>().unwrap(), [2.0, 4.0, 6.0, 7.0, 8.0, 9.0]);
    assert_eq!(results[1].to_vec::<f32>().unwrap(), [8.0, 10.0, 12.0]);
    assert_eq!(held.to_vec::<f32>().unwrap(), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
    // Other layouts are copied into row-major order.
    let turned = ops::transpose(&ops::reshape(&table(), &[3, 2]).unwrap(), &[1, 0]).unwrap();
    let results = apply(Exchange { at: 0 }, &[turned, row.clone()]).unwrap();
    assert_eq!(results[0].to_vec::<f32>().unwrap(), [7.0, 8.0, 9.0, 2.0, 4.0, 6.0]);
    let wrong = apply(Exchange { at: 0 }, &[ops::astype(&table(), Dtype::F16).unwrap(), row]).unwrap_err().to_string();
    assert!(wrong.contains("output 0 differs in shape or dtype from input 0"), "{wrong}");
}

#[test]
fn updates_write_in_place_where_nobody_holds_the_input() {
    let mut table = ops::zeros(&[64, 1024], Dtype::F32).unwrap();
    table.eval().unwrap();
    let row = ops::ones(&[1024], Dtype::F32).unwrap();
    row.eval().unwrap();
    for at in 0..64 {
        table = apply(Exchange { at }, &[table, row.clone()]).unwrap().remove(0);
        table.eval().unwrap();
    }
    assert!(table.to_vec::<f32>().unwrap().iter().all(|&x| x == 1.0));
    let places = PLACES.lock().unwrap().clone();
    assert!(places.len() == 64 && places.iter().all(|place| *place == places[0]), "{places:?}");
    let results = |table: &Array| apply(Exchange { at: 3 }, &[table.clone(), row.clone()]);
    let gradient = |i: usize| {
        let wanted = results(&table).unwrap()[i].clone();
        vector_jacobian(|table| Ok(results(table)?.remove(i)), &table, &wanted).unwrap().to_vec::<f32>().unwrap()
    };
    // What was overwritten has no influence on the table, and all on what stood there.
    assert_eq!(gradient(0).iter().sum::<f32>(), 63.0 * 1024.0);
    assert_eq!(gradient(1).iter().sum::<f32>(), 1024.0);
}
