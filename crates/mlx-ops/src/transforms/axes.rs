//! The mapped axes of a tree, for [`vmap`](super::vmap).

use super::Tree;
use super::tree::arrays;

/// Which axis of each tensor of a tree `T` is mapped: one for all (`0`, `None`), or one for each part (`(0, None)`, `[0, 1]`).
pub trait MapAxes<T: Tree> {
    /// Appends the axis of each tensor of `tree`.
    #[doc(hidden)]
    fn axes(&self, tree: &T, out: &mut Vec<Option<i32>>);
}

impl<T: Tree> MapAxes<T> for i32 {
    fn axes(&self, tree: &T, out: &mut Vec<Option<i32>>) {
        Some(*self).axes(tree, out);
    }
}

impl<T: Tree> MapAxes<T> for Option<i32> {
    fn axes(&self, tree: &T, out: &mut Vec<Option<i32>>) {
        out.resize(out.len() + arrays(tree).len(), *self);
    }
}

impl<T: Tree, M: MapAxes<T>, const N: usize> MapAxes<[T; N]> for [M; N] {
    fn axes(&self, tree: &[T; N], out: &mut Vec<Option<i32>>) {
        self.iter().zip(tree).for_each(|(axes, tree)| axes.axes(tree, out));
    }
}

macro_rules! tuples {
    ($(($($m:ident $t:ident $at:tt),+))*) => { $(
        impl<$($t: Tree, $m: MapAxes<$t>),+> MapAxes<($($t,)+)> for ($($m,)+) {
            fn axes(&self, tree: &($($t,)+), out: &mut Vec<Option<i32>>) {
                $(self.$at.axes(&tree.$at, out);)+
            }
        }
    )* };
}
tuples! {
    (M A 0) (M A 0, N B 1) (M A 0, N B 1, O C 2) (M A 0, N B 1, O C 2, P D 3) (M A 0, N B 1, O C 2, P D 3, Q E 4)
    (M A 0, N B 1, O C 2, P D 3, Q E 4, R F 5) (M A 0, N B 1, O C 2, P D 3, Q E 4, R F 5, S G 6)
    (M A 0, N B 1, O C 2, P D 3, Q E 4, R F 5, S G 6, T H 7)
}
