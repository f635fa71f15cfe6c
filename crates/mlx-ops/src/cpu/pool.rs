//! Work split over the cores, on threads that wait awake for a moment after each product.
//!
//! Waking a sleeping thread costs about what one layer's product of a small model does. So a worker spins briefly, and
//! sleeps when nothing follows. Products of a step come one after the other, within that time.

use std::any::Any;
use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Parts per thread where a caller cuts the work itself: a thread that comes late leaves its own to the others.
const CHUNKS_PER_THREAD: usize = 4;

/// How long a worker stays awake for the next product.
const AWAKE: Duration = Duration::from_micros(100);

/// One call of [`split`], on its caller's stack.
struct Job<'a> {
    f: &'a (dyn Fn(Range<usize>) + Sync),
    next: AtomicUsize,
    n: usize,
    step: usize,
    threads: usize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Job<'_> {
    /// The next range: first a long one for each thread, since a stream from memory starts slowly, then short ones for those
    /// who come first.
    fn take(&self) -> Option<Range<usize>> {
        let mut start = self.next.load(Ordering::Relaxed);
        loop {
            if start >= self.n {
                return None;
            }
            let long = (self.n / 4 * 3 / self.threads).next_multiple_of(self.step);
            let share = match start < long * self.threads {
                true => long,
                false => (self.n / 8 / self.threads).next_multiple_of(self.step),
            };
            let end = self.n.min(start + share.max(self.step));
            match self.next.compare_exchange_weak(start, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(start..end),
                Err(now) => start = now,
            }
        }
    }

    fn work(&self) {
        while let Some(range) = self.take() {
            (self.f)(range);
        }
    }
}

#[derive(Default)]
struct Pool {
    busy: AtomicBool,
    job: AtomicPtr<Job<'static>>,
    inside: AtomicUsize,
    workers: OnceLock<Vec<(Thread, &'static AtomicBool)>>,
}

impl Pool {
    fn get() -> &'static Self {
        static POOL: OnceLock<&'static Pool> = OnceLock::new();
        POOL.get_or_init(|| {
            let pool: &'static Pool = Box::leak(Box::default());
            let spawn = |i| {
                let asleep: &'static AtomicBool = Box::leak(Box::default());
                let worker = std::thread::Builder::new().name(format!("mlx-cpu-{i}"));
                // Without a worker, the callers do its work.
                Some((worker.spawn(move || pool.serve(asleep)).ok()?.thread().clone(), asleep))
            };
            let _ = pool.workers.set((1..super::threads::count()).filter_map(spawn).collect());
            pool
        })
    }

    fn workers(&self) -> &[(Thread, &'static AtomicBool)] {
        self.workers.get().map_or(&[], Vec::as_slice)
    }

    fn serve(&self, asleep: &AtomicBool) {
        let mut last = Instant::now();
        loop {
            if self.join() {
                last = Instant::now();
            } else if last.elapsed() < AWAKE {
                (0..32).for_each(|_| std::hint::spin_loop());
                // The caller's own thread may wait for this core.
                std::thread::yield_now();
            } else {
                asleep.store(true, Ordering::SeqCst);
                if self.job.load(Ordering::SeqCst).is_null() {
                    std::thread::park();
                }
                asleep.store(false, Ordering::SeqCst);
                last = Instant::now();
            }
        }
    }

    /// Works on the job that is offered, if there is one.
    fn join(&self) -> bool {
        let job = self.job.load(Ordering::SeqCst);
        if job.is_null() {
            return false;
        }
        self.inside.fetch_add(1, Ordering::SeqCst);
        let there = self.job.load(Ordering::SeqCst) == job;
        if there {
            // SAFETY: the job was still offered when this thread had been counted, so `run` keeps it until the count falls.
            let job = unsafe { &*job };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| job.work())) {
                *job.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
            // Nothing is left to hand out; a worker that looks again would spin on it.
            let _ = self.job.compare_exchange(
                ptr::from_ref(job).cast_mut(),
                ptr::null_mut(),
                Ordering::SeqCst,
                Ordering::SeqCst,
            );
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
        there
    }

    fn run(&self, job: &Job<'_>) {
        if self.busy.swap(true, Ordering::SeqCst) {
            // Another stream has the workers.
            return job.work();
        }
        let offer = Offer(self);
        self.job.store(ptr::from_ref(job).cast_mut().cast(), Ordering::SeqCst);
        for (worker, asleep) in self.workers() {
            if asleep.load(Ordering::SeqCst) {
                worker.unpark();
            }
        }
        job.work();
        drop(offer);
    }
}

/// A job on offer; its end, also by a panic, waits until no worker is inside.
struct Offer<'a>(&'a Pool);

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        self.0.job.store(ptr::null_mut(), Ordering::SeqCst);
        while self.0.inside.load(Ordering::SeqCst) > 0 {
            std::hint::spin_loop();
        }
        self.0.busy.store(false, Ordering::SeqCst);
    }
}

/// How many parts [`split`] hands out of a range.
pub fn parts() -> usize {
    if ALONE.get() {
        return 1;
    }
    (Pool::get().workers().len() + 1) * CHUNKS_PER_THREAD
}

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// From now on, what this thread splits it does alone.
pub fn keep_to_this_thread() {
    ALONE.set(true);
}

/// Calls `f` on ranges that cover `0..n`, each a multiple of `step` long but the last; on this thread alone unless `parallel`.
pub fn split(n: usize, step: usize, parallel: bool, f: impl Fn(Range<usize>) + Sync) {
    if !parallel || n <= step || ALONE.get() {
        return f(0..n);
    }
    let pool = Pool::get();
    let threads = pool.workers().len() + 1;
    let job = Job { f: &f, next: AtomicUsize::new(0), n, step, threads, panic: Mutex::default() };
    pool.run(&job);
    // What a worker met is the caller's to report.
    if let Some(panic) = job.panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
        resume_unwind(panic);
    }
}

/// A pointer that threads share; what it leads to must not be written twice.
#[derive(Clone, Copy)]
pub struct Shared<T>(*mut T);

// SAFETY: whoever dereferences it on several threads keeps to disjoint elements, as `new` asks.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// # Safety
    /// Threads that use the pointer write disjoint elements, and none reads what another writes.
    pub unsafe fn new(pointer: *mut T) -> Self {
        Self(pointer)
    }

    pub fn get(self) -> *mut T {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Job, split};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_element_is_visited_once() {
        for n in [0, 1, 7, 64, 1000, 4097] {
            for step in [1, 4, 16] {
                for _ in 0..50 {
                    let seen: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
                    split(n, step, true, |range| {
                        assert!(range.start % step == 0 || range.is_empty());
                        range.for_each(|i| {
                            seen[i].fetch_add(1, Ordering::Relaxed);
                        });
                    });
                    assert!(seen.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{n} by {step}");
                }
            }
        }
    }

    #[test]
    fn ranges_are_long_once_for_each_thread() {
        for (n, step, threads, expected) in [
            (12, 1, 2, &[4, 4, 1, 1, 1, 1][..]),
            (36, 1, 2, &[13, 13, 2, 2, 2, 2, 2]),
            (576, 32, 2, &[224, 224, 64, 64]),
            (3, 1, 4, &[1, 1, 1]),
            (100, 1, 3, &[25, 25, 25, 4, 4, 4, 4, 4, 4, 1]),
        ] {
            let job = Job { f: &|_| {}, next: AtomicUsize::new(0), n, step, threads, panic: Mutex::default() };
            let ranges: Vec<usize> = std::iter::from_fn(|| job.take()).map(|range| range.len()).collect();
            assert_eq!(ranges, expected, "{n} by {step} on {threads}");
        }
    }

    #[test]
    fn callers_on_several_threads_do_not_wait_for_each_other() {
        let total = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        split(100, 1, true, |range| {
                            total.fetch_add(range.len(), Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(total.into_inner(), 4 * 200 * 100);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        for _ in 0..20 {
            let fails = || split(1000, 1, true, |range| assert!(!range.contains(&999), "the last"));
            assert!(catch_unwind(AssertUnwindSafe(fails)).is_err());
            let total = AtomicUsize::new(0);
            split(1000, 1, true, |range| {
                total.fetch_add(range.len(), Ordering::Relaxed);
            });
            assert_eq!(total.into_inner(), 1000);
        }
    }
}
