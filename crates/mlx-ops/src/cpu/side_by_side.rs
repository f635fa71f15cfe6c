//! Streams whose kernels keep to their own threads.

use super::{pool, threads};
use crate::Tensor;
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Device, Dtype, Result, Stream, with_stream};
use std::cell::RefCell;
use std::ffi::CStr;

/// One stream for each core, of a thread of its own, made where this thread asks for the first time.
pub fn streams() -> Result<Vec<Stream>> {
    thread_local! {
        static STREAMS: RefCell<Vec<Stream>> = const { RefCell::new(Vec::new()) };
    }
    STREAMS.with_borrow_mut(|streams| {
        while streams.len() < threads::count() {
            let stream = Stream::new(Device::Cpu)?;
            let told = with_stream(stream, || super::one(KeepToItself, &[]))?;
            Tensor(told).eval()?;
            streams.push(stream);
        }
        Ok(streams.clone())
    })
}

/// Tells the thread of its stream that it is alone.
#[derive(PartialEq)]
struct KeepToItself;

impl Kernel for KeepToItself {
    fn name(&self) -> &'static CStr {
        c"KeepToItself"
    }

    fn outputs(&self, _: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(Vec::new(), Dtype::Bool)])
    }

    fn run(&self, _: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        pool::keep_to_this_thread();
        outputs[0].values::<bool>()?[0] = true;
        Ok(())
    }

    fn fallback(&self, _: &[Array]) -> Result<Vec<Array>> {
        Ok(vec![mlx_core::ops::ones(&[], Dtype::Bool)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dtype, random};
    use std::thread::current;

    /// Whether every part was done by one thread.
    #[derive(PartialEq)]
    struct Probe;

    impl Kernel for Probe {
        fn name(&self) -> &'static CStr {
            c"Probe"
        }

        fn outputs(&self, _: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
            Ok(vec![(Vec::new(), Dtype::Bool)])
        }

        fn run(&self, _: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
            let here = current().id();
            let calls = std::sync::atomic::AtomicUsize::new(0);
            pool::split(1000, 1, true, |range| {
                assert_eq!((range, current().id()), (0..1000, here));
                calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            });
            outputs[0].values::<bool>()?[0] = calls.into_inner() == 1;
            Ok(())
        }

        fn fallback(&self, _: &[Array]) -> Result<Vec<Array>> {
            Ok(vec![mlx_core::ops::zeros(&[], Dtype::Bool)?])
        }
    }

    #[test]
    fn kernels_keep_to_the_thread_of_their_stream() {
        let streams = streams().unwrap();
        assert_eq!((streams.len(), streams.clone()), (threads::count(), super::streams().unwrap()));
        let x = random::normal([40, 300], Dtype::F32, None).unwrap();
        let want = x.matmul(&x.t().unwrap()).unwrap().to_vec::<f32>().unwrap();
        for stream in streams {
            let probe = with_stream(stream, || super::super::one(Probe, &[])).unwrap();
            assert!(Tensor(probe).item::<bool>().unwrap());
            let product = with_stream(stream, || x.matmul(&x.t().unwrap())).unwrap();
            let found = product.to_vec::<f32>().unwrap();
            assert!(found.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-3));
        }
    }
}
