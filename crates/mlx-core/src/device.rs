//! Devices.

use crate::Result;
use crate::bridge::runtime::ffi;
use crate::call::call;
use std::fmt;
use std::str::FromStr;

/// What computes: the CPU, or the GPU of the given index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// The processor and its memory.
    Cpu,
    /// The GPU of this index.
    Gpu(u32),
}

impl Device {
    pub(crate) fn parts(self) -> (bool, i32) {
        match self {
            Self::Cpu => (false, 0),
            Self::Gpu(index) => (true, index as i32),
        }
    }

    pub(crate) fn from_parts(gpu: bool, index: i32) -> Self {
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

    /// Makes this the default device of the whole process; prefer [`with_stream`](crate::with_stream) for a part of it.
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

impl FromStr for Device {
    /// A sentence; where in the source a name was read helps nobody.
    type Err = String;

    /// `cpu`, `gpu` or, of several, `gpu:1`.
    fn from_str(name: &str) -> Result<Self, String> {
        let index = match name.strip_prefix("gpu") {
            Some("") => Some(0),
            Some(index) => index.strip_prefix(':').and_then(|index| index.parse().ok()),
            None if name == "cpu" => return Ok(Self::Cpu),
            None => None,
        };
        index.map(Self::Gpu).ok_or_else(|| format!("`{name}` is not cpu, gpu or gpu:1"))
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
