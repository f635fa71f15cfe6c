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
    fn output(&self, inputs: &[Array]) -> Result<(Vec<i32>, Dtype)> {
        Ok((inputs[0].shape().to_vec(), Dtype::F32))
    }
    fn run(&self, inputs: &[Input<'_>], mut output: Output<'_>) -> Result<()> {
        assert!(*self == Self::Works, "the bridge is out");
        let (x, y) = (inputs[0].values::<f32>()?, inputs[1].values::<f32>()?);
        for (out, (x, y)) in output.values::<f32>()?.iter_mut().zip(x.iter().zip(y.iter())) {
            *out = x * y;
        }
        Ok(())
    }
    fn fallback(&self, inputs: &[Array]) -> Result<Array> {
        ops::multiply(&inputs[0], &inputs[1])
    }
}

fn table() -> Array {
    Array::from_slice(&[1f32, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]).unwrap()
}

#[test]
fn reads_any_strides() {
    let turned = ops::transpose(&table(), &[1, 0]).unwrap();
    let dense = Array::from_slice(&[1f32, 10.0, 100.0, 1000.0, 1e4, 1e5], &[3, 2]).unwrap();
    let product = apply(Product::Works, &[turned, dense]).unwrap();
    assert_eq!(product.to_vec::<f32>().unwrap(), [1.0, 40.0, 200.0, 5000.0, 3e4, 6e5]);
    let spread = ops::broadcast_to(&Array::scalar(3.0, Dtype::F32).unwrap(), &[2, 3]).unwrap();
    let product = apply(Product::Works, &[table(), spread]).unwrap();
    assert_eq!(product.to_vec::<f32>().unwrap(), [3.0, 6.0, 9.0, 12.0, 15.0, 18.0]);
}

#[test]
fn empty_arrays_run() {
    let empty = Array::from_slice::<f32>(&[], &[0, 4]).unwrap();
    let product = apply(Product::Works, &[empty.clone(), empty]).unwrap();
    assert_eq!(product.to_vec::<f32>().unwrap(), [] as [f32; 0]);
}

#[test]
fn a_panic_or_error_is_the_evaluations() {
    let product = apply(Product::Panics, &[table(), table()]).unwrap();
    let error = product.eval().unwrap_err().to_string();
    assert!(error.contains("[Product] the kernel panicked: the bridge is out"), "{error}");
    let integers = ops::astype(&table(), Dtype::I32).unwrap();
    let product = apply(Product::Works, &[table(), integers]).unwrap();
    let error = ops::add(&product, &table()).unwrap().eval().unwrap_err().to_string();
    assert!(error.contains("the array holds int32, not float32"), "{error}");
    // The stream works on.
    assert!(eval(&[apply(Product::Works, &[table(), table()]).unwrap()]).is_ok());
}

#[test]
fn gradient_is_the_fallbacks() {
    let kernel = |x: &Array| apply(Product::Works, &[x.clone(), ops::add(x, x)?]);
    let gradient = vector_jacobian(kernel, &table(), &table()).unwrap();
    let product = |x: &Array| ops::multiply(x, &ops::add(x, x)?);
    let want = vector_jacobian(product, &table(), &table()).unwrap();
    assert_eq!(gradient.to_vec::<f32>().unwrap(), want.to_vec::<f32>().unwrap());
    let wrong = |_: &Array| Err(Error::new("no such function"));
    assert!(vector_jacobian(wrong, &table(), &table()).unwrap_err().to_string().contains("no such function"));
}
