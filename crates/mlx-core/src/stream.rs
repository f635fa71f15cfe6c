//! Streams, and the scope of one.

use crate::bridge::runtime::ffi;
use crate::call::call;
use crate::{Device, Result};
use std::marker::PhantomData;

/// A queue of work on a device. MLX's streams belong to the thread that made them, so this type stays there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    device: Device,
    index: i32,
    not_send: PhantomData<*const ()>,
}

impl Stream {
    fn at(device: Device, index: i32) -> Self {
        Self { device, index, not_send: PhantomData }
    }

    /// A new stream on the device.
    #[track_caller]
    pub fn new(device: Device) -> Result<Self> {
        let (gpu, index) = device.parts();
        Ok(Self::at(device, call!(ffi::new_stream(gpu, index))?))
    }

    /// This thread's default stream of the device.
    #[track_caller]
    pub fn default_of(device: Device) -> Result<Self> {
        let (gpu, index) = device.parts();
        Ok(Self::at(device, call!(ffi::default_stream(gpu, index))?))
    }

    /// A new stream that MLX lets any thread use. It stays on this one here; [`ThreadLocalStream`] is what threads share.
    #[track_caller]
    pub fn new_thread_unsafe(device: Device) -> Result<Self> {
        let (gpu, index) = device.parts();
        Ok(Self::at(device, call!(ffi::new_thread_unsafe_stream(gpu, index))?))
    }

    /// This thread's default stream of the device, if it has one yet; [`Stream::default_of`] makes one.
    #[track_caller]
    pub fn peek_default_of(device: Device) -> Result<Option<Self>> {
        let (gpu, index) = device.parts();
        let found = call!(ffi::peek_default_stream(gpu, index))?;
        Ok((found != i32::MIN).then(|| Self::at(device, found)))
    }

    /// Makes this the thread's default stream of its device; prefer [`with_stream`] for a part of it.
    #[track_caller]
    pub fn set_default(self) -> Result<()> {
        let (gpu, device) = self.device.parts();
        call!(ffi::set_default_stream(gpu, device, self.index))
    }

    /// All streams that there are.
    #[track_caller]
    pub fn all() -> Result<Vec<Self>> {
        let flat = call!(ffi::get_streams())?;
        let stream = |s: &[i32]| Self::at(Device::from_parts(s[0] != 0, s[1]), s[2]);
        Ok(flat.chunks_exact(3).map(stream).collect())
    }

    /// Destroys the streams that this thread made. Those that are still held fail when they are used.
    #[track_caller]
    pub fn clear() -> Result<()> {
        call!(ffi::clear_streams())
    }

    /// The device of the stream.
    pub fn device(self) -> Device {
        self.device
    }

    /// Waits until all work of the stream is done.
    #[track_caller]
    pub fn synchronize(self) -> Result<()> {
        let (gpu, device) = self.device.parts();
        call!(ffi::synchronize(gpu, device, self.index))
    }

    fn scope(self) {
        let (gpu, device) = self.device.parts();
        ffi::scope_stream(gpu, device, self.index);
    }
}

/// A stream that is another one in each thread, so threads may share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadLocalStream {
    device: Device,
    index: i32,
}

impl ThreadLocalStream {
    /// A new one on the device.
    #[track_caller]
    pub fn new(device: Device) -> Result<Self> {
        let (gpu, index) = device.parts();
        Ok(Self { device, index: call!(ffi::new_thread_local_stream(gpu, index))? })
    }

    /// The device of the stream.
    pub fn device(self) -> Device {
        self.device
    }

    /// This thread's stream.
    #[track_caller]
    pub fn here(self) -> Result<Stream> {
        let (gpu, device) = self.device.parts();
        Ok(Stream::at(self.device, call!(ffi::stream_from_thread_local_stream(gpu, device, self.index))?))
    }

    /// Waits until all work of this thread's stream is done.
    #[track_caller]
    pub fn synchronize(self) -> Result<()> {
        let (gpu, device) = self.device.parts();
        call!(ffi::synchronize_thread_local(gpu, device, self.index))
    }
}

/// Waits until all work of this thread's default stream of the default device is done.
#[track_caller]
pub fn synchronize() -> Result<()> {
    call!(ffi::synchronize_default())
}

/// Runs `f` with every op that it builds on `stream`; the previous scope returns afterwards, also on a panic.
///
/// ```
/// use mlx_core::{Array, Device, Stream, ops, with_stream};
/// let cpu = Stream::default_of(Device::Cpu)?;
/// let sum = with_stream(cpu, || ops::add(&Array::scalar(1.0, mlx_core::Dtype::F32)?, &Array::scalar(2.0, mlx_core::Dtype::F32)?))?;
/// assert_eq!(sum.item::<f32>()?, 3.0);
/// # Ok::<(), mlx_core::Error>(())
/// ```
pub fn with_stream<T>(stream: Stream, f: impl FnOnce() -> T) -> T {
    struct Restore(Option<Stream>);
    impl Drop for Restore {
        fn drop(&mut self) {
            match self.0 {
                Some(stream) => stream.scope(),
                None => ffi::unscope_stream(),
            }
        }
    }
    let previous = ffi::has_scoped_stream().then(|| {
        let device = Device::from_parts(ffi::scoped_stream_is_gpu(), ffi::scoped_stream_device());
        Stream::at(device, ffi::scoped_stream_index())
    });
    let _restore = Restore(previous);
    stream.scope();
    f()
}
