//! Devices and streams.

use crate::Result;
use crate::bridge::runtime::ffi;
use crate::call::call;
use std::fmt;
use std::marker::PhantomData;

/// What computes: the CPU, or the GPU of the given index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// The processor and its memory.
    Cpu,
    /// The GPU of this index.
    Gpu(u32),
}

impl Device {
    fn parts(self) -> (bool, i32) {
        match self {
            Self::Cpu => (false, 0),
            Self::Gpu(index) => (true, index as i32),
        }
    }

    fn from_parts(gpu: bool, index: i32) -> Self {
        match gpu {
            true => Self::Gpu(index as u32),
            false => Self::Cpu,
        }
    }

    /// The device that new arrays are computed on where no stream is scoped: a GPU where MLX has one, else the CPU.
    #[track_caller]
    pub fn default_device() -> Result<Self> {
        Ok(Self::from_parts(call!(ffi::default_device_is_gpu())?, call!(ffi::default_device_index())?))
    }

    /// Makes this the default device of the whole process; prefer [`with_stream`] for a part of it.
    #[track_caller]
    pub fn set_default(self) -> Result<()> {
        let (gpu, index) = self.parts();
        call!(ffi::set_default_device(gpu, index))
    }

    /// The device of the ops that this thread builds now: that of the scoped stream, else the default.
    #[track_caller]
    pub fn current() -> Result<Self> {
        match ffi::has_scoped_stream() {
            true => Ok(Self::from_parts(ffi::scoped_stream_is_gpu(), ffi::scoped_stream_device())),
            false => Self::default_device(),
        }
    }

    /// Whether the device can be used here.
    #[track_caller]
    pub fn is_available(self) -> Result<bool> {
        let (gpu, index) = self.parts();
        call!(ffi::device_available(gpu, index))
    }

    /// The number of GPUs.
    #[track_caller]
    pub fn gpu_count() -> Result<usize> {
        Ok(call!(ffi::device_count(true))?.max(0) as usize)
    }

    /// What MLX knows of the device, such as `device_name` and `memory_size` (bytes).
    #[track_caller]
    pub fn info(self) -> Result<Vec<(String, String)>> {
        let (gpu, index) = self.parts();
        let flat = call!(ffi::device_info(gpu, index))?;
        let mut pairs: Vec<_> = flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        pairs.sort();
        Ok(pairs)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(index) => write!(f, "gpu:{index}"),
        }
    }
}

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
