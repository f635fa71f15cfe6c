//! Indices: what they read, and what writing to them changes. The values are those of Python's MLX.

use mlx_ops::{At, Dtype, Index, Indices, New, Operand, Rest, Result, Tensor, arange, ones, step};

fn x() -> Tensor {
    arange(0, 24, 1, Dtype::I32).unwrap().reshape([2, 3, 4]).unwrap()
}

fn t(values: &[i32]) -> Tensor {
    Tensor::new(values).unwrap()
}

fn c() -> Tensor {
    Tensor::new([[0], [1]]).unwrap()
}

#[track_caller]
fn reads(index: impl Indices, shape: &[i32], values: &[i32]) {
    let found = x().i(index).unwrap();
    assert_eq!((found.shape(), &found.to_vec::<i32>().unwrap()[..]), (shape, values));
}

#[test]
fn steps_and_tensors_read() {
    let (a, b) = (t(&[2, 0]), t(&[1, 3]));
    reads((1, step(.., 2), step(.., -1)), &[2, 4], &[15, 14, 13, 12, 23, 22, 21, 20]);
    reads((0, Index::Step(Some(2), Some(0), -1), step(1.., 2)), &[2, 2], &[9, 11, 5, 7]);
    reads((0, 0, Index::Step(Some(-1), Some(-4), -2)), &[2], &[3, 1]);
    reads((.., &a), &[2, 2, 4], &[8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15]);
    reads((0, &a, &b), &[2], &[9, 3]);
    reads((t(&[0, 1]), .., &b), &[2, 3], &[1, 5, 9, 15, 19, 23]);
    reads((.., &a, &b), &[2, 2], &[9, 3, 21, 15]);
    reads((1, .., &b), &[2, 3], &[13, 17, 21, 15, 19, 23]);
    reads((c(), &a), &[2, 2, 4], &[8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15]);
    reads((.., New, &a, &b), &[2, 1, 2], &[9, 3, 21, 15]);
    reads((Rest, c()), &[2, 3, 2, 1], &[0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21]);
    reads((0, 0, t(&[-1, -2])), &[2], &[3, 2]);
    reads((.., 1.., &b), &[2, 2, 2], &[5, 7, 9, 11, 17, 19, 21, 23]);
    reads((.., 1, &b), &[2, 2], &[5, 7, 17, 19]);
    reads((t(&[0, 1]), New, .., &b), &[2, 1, 3], &[1, 5, 9, 15, 19, 23]);
    reads(&[Index::At(1), Index::Rest, Index::At(0)][..], &[3], &[12, 16, 20]);
    reads((0, 0, step(.., 5)), &[1], &[0]);
    reads((0, 0, step(0..3, -1)), &[0], &[]);
}

#[track_caller]
fn refuses(result: Result<Tensor>, text: &str) {
    let error = result.expect_err("an error was expected");
    assert!(error.message().contains(text), "{error}");
    assert!(error.location().file().ends_with("index.rs"), "{error}");
}

#[test]
fn wrong_indices_are_errors() {
    refuses(x().i((0, step(.., 0))), "step of 0");
    refuses(x().i(x().greater(3).unwrap()), "mask");
    refuses(x().i((t(&[0, 1]), t(&[0, 1, 2]))), "do not broadcast");
    refuses(x().at(5).set(1), "out of range");
    refuses(x().at(t(&[1, 0]).equal(1).unwrap().expand_dims([0]).unwrap()).set(1), "does not cover");
    refuses(x().at(0).set(ones([5], Dtype::I32)), "broadcast");
}

#[track_caller]
fn writes(index: impl Indices, change: impl FnOnce(At) -> Result<Tensor>, values: [i32; 6]) {
    let tensor = ones([2, 3], Dtype::I32).unwrap();
    assert_eq!(change(tensor.at(index)).unwrap().to_vec::<i32>().unwrap(), values);
}

fn set(value: impl Operand) -> impl FnOnce(At) -> Result<Tensor> {
    |at| at.set(value)
}

#[test]
fn writing_changes_what_the_index_names() {
    let mask = Tensor::new([[true, false, true], [false, false, true]]).unwrap();
    let two = Tensor::new([[1, 2], [3, 4]]).unwrap();
    writes(0, set(t(&[5, 6, 7])), [5, 6, 7, 1, 1, 1]);
    writes((.., 1), set(t(&[8, 9])), [1, 8, 1, 1, 9, 1]);
    writes((.., step(.., -1)), set(Tensor::new([[1, 2, 3], [4, 5, 6]])), [3, 2, 1, 6, 5, 4]);
    writes((0, step(.., 2)), set(9), [9, 1, 9, 1, 1, 1]);
    writes((.., t(&[2, 0])), set(&two), [2, 1, 1, 4, 1, 3]);
    writes((t(&[0, 1]), t(&[2, 0])), set(t(&[7, 8])), [1, 1, 7, 8, 1, 1]);
    writes((0, New, 1..), set(Tensor::new([[3, 4]])), [1, 3, 4, 1, 1, 1]);
    writes((1, t(&[2, 1])), set(t(&[4, 5])), [1, 1, 1, 1, 5, 4]);
    writes((1.., t(&[2, 1])), set(t(&[4, 5])), [1, 1, 1, 1, 5, 4]);
    writes((.., 1..), set(t(&[4, 5])), [1, 4, 5, 1, 4, 5]);
    writes(0, set(Tensor::new([[5, 6, 7]])), [5, 6, 7, 1, 1, 1]);
    writes((0, t(&[1, 1, 2])), |at| at.add(10), [1, 21, 11, 1, 1, 1]);
    writes((.., 1), |at| at.multiply(t(&[3, 4])), [1, 3, 1, 1, 4, 1]);
    writes(1, |at| at.maximum(t(&[0, 5, 0])), [1, 1, 1, 1, 5, 1]);
    writes((1, t(&[0, 0])), |at| at.minimum(t(&[-2, -3])), [1, 1, 1, -3, 1, 1]);
    writes(0, |at| at.subtract(2), [-1, -1, -1, 1, 1, 1]);
    writes(&mask, set(t(&[7, 8, 9])), [7, 1, 8, 1, 1, 9]);
    writes(&mask, |at| at.add(t(&[7, 8, 9])), [8, 1, 9, 1, 1, 10]);
    writes(Tensor::new([false, true]).unwrap(), set(4), [1, 1, 1, 4, 4, 4]);
}

#[test]
fn set_assigns_over_the_tensor_and_keeps_its_dtype() {
    let mut x = ones([3], Dtype::Bf16).unwrap();
    x.set(1, 2.5).unwrap();
    x.set(step(.., 2), t(&[7, 8])).unwrap();
    assert_eq!(x.dtype(), Dtype::Bf16);
    assert_eq!(x.astype(Dtype::F32).unwrap().to_vec::<f32>().unwrap(), [7.0, 2.5, 8.0]);
    assert_eq!(x.at(0).divide(2.0).unwrap().i(0).unwrap().astype(Dtype::F32).unwrap().item::<f32>().unwrap(), 3.5);
}

#[test]
fn parts_that_begin_where_a_tensor_says() {
    let x = arange(0, 9, 1, Dtype::I32).unwrap().reshape([3, 3]).unwrap();
    let part = x.slice_dynamic(&t(&[1, 0]), &[0, 1], [2, 2]).unwrap();
    assert_eq!(part.to_vec::<i32>().unwrap(), [3, 4, 6, 7]);
    let written = x.slice_update_dynamic(&ones([1, 2], Dtype::I32).unwrap(), &t(&[1, 1]), &[0, 1]).unwrap();
    assert_eq!(written.to_vec::<i32>().unwrap(), [0, 1, 2, 3, 1, 1, 6, 7, 8]);
}
