//! Independent work side by side.

use crate::cpu;
use mlx_core::{Result, Stream};

/// Streams for independent work of this thread: on a CPU one for each core, whose kernels keep to a thread of their own in
/// place of sharing each op among all cores. Empty on a GPU, and where MLX's own kernels are used.
///
/// What is built within [`with_stream`](crate::with_stream) on each of them is computed at the same time once
/// [`async_eval`](crate::async_eval) gets all of it together. The same streams come back on every call.
///
/// ```
/// use mlx_ops::{Dtype, Device, async_eval, cpu_streams, ones, with_stream};
/// let streams = if Device::current()? == Device::Cpu { cpu_streams()? } else { Vec::new() };
/// let sums = streams.iter().map(|&stream| with_stream(stream, || ones([4], Dtype::F32)?.sum(.., false)));
/// let sums = sums.collect::<Result<Vec<_>, _>>()?;
/// async_eval(&sums)?;
/// for sum in &sums {
///     assert_eq!(sum.item::<f32>()?, 4.0);
/// }
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn cpu_streams() -> Result<Vec<Stream>> {
    if cpu::is_current() { cpu::streams() } else { Ok(Vec::new()) }
}
