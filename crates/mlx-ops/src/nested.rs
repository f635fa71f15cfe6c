//! Tensors from Rust values: `Tensor::new([[1.0, 2.0], [3.0, 4.0]])`.

use crate::Tensor;
use mlx_core::{Element, Result, bf16, f16};

/// What [`Tensor::new`] takes: a number or boolean, an array of arrays of them, a slice or a vector.
pub trait Nested {
    /// The type of the elements.
    type Item: Element;
    /// Appends the sizes of the axes.
    #[doc(hidden)]
    fn dims(&self, dims: &mut Vec<i32>);
    /// Appends the elements in row-major order.
    #[doc(hidden)]
    fn items(&self, items: &mut Vec<Self::Item>);
}

macro_rules! scalars {
    ($($t:ty),*) => { $(impl Nested for $t {
        type Item = $t;
        fn dims(&self, _: &mut Vec<i32>) {}
        fn items(&self, items: &mut Vec<$t>) {
            items.push(*self);
        }
    })* };
}
scalars!(bool, u8, u16, u32, u64, i8, i16, i32, i64, f16, f32, f64, bf16);

impl<D: Nested, const N: usize> Nested for [D; N] {
    type Item = D::Item;
    fn dims(&self, dims: &mut Vec<i32>) {
        dims.push(N as i32);
        if let Some(first) = self.first() {
            first.dims(dims);
        }
    }
    fn items(&self, items: &mut Vec<D::Item>) {
        self.iter().for_each(|part| part.items(items));
    }
}

macro_rules! vectors {
    ($($t:ty),*) => { $(impl<T: Element> Nested for $t {
        type Item = T;
        fn dims(&self, dims: &mut Vec<i32>) {
            dims.push(self.len() as i32);
        }
        fn items(&self, items: &mut Vec<T>) {
            items.extend_from_slice(self);
        }
    })* };
}
vectors!(&[T], Vec<T>, &Vec<T>);

impl Tensor {
    /// A tensor of the shape and dtype of the value.
    ///
    /// ```
    /// use mlx_ops::{Dtype, Tensor};
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]])?;
    /// assert_eq!((x.shape(), x.dtype()), (&[2, 3][..], Dtype::I32));
    /// assert_eq!(Tensor::new(vec![0.5f32; 4])?.shape(), [4]);
    /// assert_eq!(Tensor::new(true)?.ndim(), 0);
    /// # Ok::<(), mlx_ops::Error>(())
    /// ```
    #[track_caller]
    pub fn new(value: impl Nested) -> Result<Self> {
        let (mut dims, mut items) = (Vec::new(), Vec::new());
        value.dims(&mut dims);
        value.items(&mut items);
        Self::from_slice(&items, dims)
    }
}
