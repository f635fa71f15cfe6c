//! One thread that holds a model, and the requests that wait for it.

use super::refusal::{Kind, Refusal};
use mlx_nn::{Error, Result};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The model's thread as those see it who have work for it: each item in becomes one out, in batches of many requests' items.
pub struct Engine<I, O> {
    shared: Arc<Shared<I, O>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared<I, O> {
    queue: Mutex<Queue<I, O>>,
    wake: Condvar,
    counts: Counts,
}

/// What the engine has done, and what waits.
#[derive(Default)]
pub struct Counts {
    pub batches: AtomicU64,
    pub items: AtomicU64,
    pub tokens: AtomicU64,
    pub waiting: AtomicU64,
}

struct Queue<I, O> {
    /// In the order in which they came.
    requests: BTreeMap<u64, Request<I, O>>,
    came: u64,
    closed: bool,
}

struct Request<I, O> {
    /// What no batch has taken, the longest last.
    left: Vec<Item<I>>,
    /// What came out, at the places of what came in.
    done: Vec<Option<O>>,
    missing: usize,
    reply: oneshot::Sender<Result<Vec<O>>>,
}

/// A text or a pair, and how much of a batch it takes.
pub struct Item<I> {
    pub tokens: usize,
    pub place: usize,
    pub input: I,
}

impl<I: Send + 'static, O: Send + 'static> Engine<I, O> {
    /// Starts the thread. `load` runs there and gives the model, which need not be `Send`, and what others have to know of it.
    ///
    /// A batch holds `budget` tokens at most, or one item. `run` gets items of many requests with their places in these, and
    /// gives as many results. Where it fails or panics, each item is run alone, so that only the request at fault hears of it.
    pub fn start<L, F, M>(budget: usize, load: L) -> Result<(Self, M)>
    where
        L: FnOnce() -> Result<(M, F)> + Send + 'static,
        F: Fn(&[(usize, I)]) -> Result<Vec<O>>,
        M: Send + 'static,
    {
        let queue = Queue { requests: BTreeMap::new(), came: 0, closed: false };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), wake: Condvar::new(), counts: Counts::default() });
        let (loaded, ready) = mpsc::channel();
        let theirs = Arc::clone(&shared);
        let work = move || match load() {
            Err(e) => drop(loaded.send(Err(e))),
            Ok((known, run)) => {
                // The one who waits for this may have gone; then the queue is closed.
                let _ = loaded.send(Ok(known));
                drop(loaded);
                while let Some(batch) = theirs.next(budget) {
                    theirs.work(batch, &run);
                }
            }
        };
        let failed = |e: std::io::Error| Error::msg(format!("The model's thread cannot start: {e}."));
        let thread = std::thread::Builder::new().name("model".into()).spawn(work).map_err(failed)?;
        let known = ready.recv().map_err(|_| Error::msg("The model's thread panicked while it loaded."))??;
        Ok((Self { shared, thread: Some(thread) }, known))
    }

    /// What comes out of each item. Who stops waiting for it takes the items back.
    pub async fn run(&self, items: Vec<(usize, I)>) -> Result<Vec<O>, Refusal> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        match self.submit(items).await {
            Ok(outputs) => outputs.map_err(|e| Refusal::new(Kind::Failed, e.to_string())),
            Err(_) => Err(Refusal::new(Kind::Unavailable, "The model's thread has ended.")),
        }
    }

    fn submit(&self, items: Vec<(usize, I)>) -> oneshot::Receiver<Result<Vec<O>>> {
        let (reply, answer) = oneshot::channel();
        let missing = items.len();
        let item = |(place, (tokens, input))| Item { tokens, place, input };
        let mut left: Vec<Item<I>> = items.into_iter().enumerate().map(item).collect();
        left.sort_by_key(|item| item.tokens);
        let done = left.iter().map(|_| None).collect();
        let mut queue = self.shared.lock();
        let number = queue.came;
        queue.came += 1;
        queue.requests.insert(number, Request { left, done, missing, reply });
        self.shared.counts.waiting.fetch_add(missing as u64, Ordering::Relaxed);
        self.shared.wake.notify_one();
        answer
    }

    /// Whether the thread is there.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl<I, O> Engine<I, O> {
    /// What was done so far.
    pub fn counts(&self) -> &Counts {
        &self.shared.counts
    }
}

impl<I, O> Drop for Engine<I, O> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It has reported its panic.
            let _ = thread.join();
        }
    }
}

/// Items of several requests, each with the number of its own.
type Batch<I> = Vec<(u64, Item<I>)>;

impl<I, O> Shared<I, O> {
    fn lock(&self) -> MutexGuard<'_, Queue<I, O>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for items; none after the end.
    fn next(&self, budget: usize) -> Option<Batch<I>> {
        let mut queue = self.lock();
        loop {
            let gone = queue.forget_gone();
            let batch = queue.take(budget);
            self.counts.waiting.fetch_sub((gone + batch.len()) as u64, Ordering::Relaxed);
            if !batch.is_empty() {
                return Some(batch);
            }
            if queue.closed {
                return None;
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self, batch: Batch<I>, run: impl Fn(&[(usize, I)]) -> Result<Vec<O>>) {
        let tokens: usize = batch.iter().map(|(_, item)| item.tokens).sum();
        let (owners, inputs): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|(number, item)| ((number, item.place), (item.place, item.input))).unzip();
        match guarded(&run, &inputs) {
            Ok(outputs) => owners.into_iter().zip(outputs).for_each(|(owner, output)| self.deliver(owner, Ok(output))),
            Err(e) if inputs.len() == 1 => self.deliver(owners[0], Err(e)),
            Err(_) => {
                for (owner, input) in owners.into_iter().zip(inputs) {
                    let output = guarded(&run, &[input]).and_then(|mut one| one.pop().ok_or_else(nothing));
                    self.deliver(owner, output);
                }
            }
        }
        self.counts.batches.fetch_add(1, Ordering::Relaxed);
        self.counts.tokens.fetch_add(tokens as u64, Ordering::Relaxed);
    }

    /// Hands on what an item became. The request's first error is its answer.
    fn deliver(&self, (number, place): (u64, usize), output: Result<O>) {
        let mut queue = self.lock();
        let Some(request) = queue.requests.get_mut(&number) else { return };
        let failed = match output {
            Ok(output) => {
                request.missing -= usize::from(request.done[place].replace(output).is_none());
                None
            }
            Err(e) => Some(e),
        };
        if (request.missing == 0 || failed.is_some())
            && let Some(request) = queue.requests.remove(&number)
        {
            self.counts.waiting.fetch_sub(request.left.len() as u64, Ordering::Relaxed);
            self.counts.items.fetch_add((request.done.len() - request.missing) as u64, Ordering::Relaxed);
            // Who asked may have gone.
            let _ = request.reply.send(failed.map_or_else(|| Ok(request.done.into_iter().flatten().collect()), Err));
        }
    }
}

impl<I, O> Queue<I, O> {
    /// Drops the requests that nobody waits for; says how many items they had.
    fn forget_gone(&mut self) -> usize {
        let mut items = 0;
        self.requests.retain(|_, request| {
            let gone = request.reply.is_closed();
            items += if gone { request.left.len() } else { 0 };
            !gone
        });
        items
    }

    /// One item of each request in turn while they fit, so that a large request does not hold up a small one. The first
    /// fits always.
    fn take(&mut self, budget: usize) -> Batch<I> {
        let mut batch = Vec::new();
        let mut free = budget;
        loop {
            let before = batch.len();
            for (number, request) in &mut self.requests {
                let fits = |item: &mut Item<I>| item.tokens <= free || batch.is_empty();
                if let Some(item) = request.left.pop_if(fits) {
                    free = free.saturating_sub(item.tokens);
                    batch.push((*number, item));
                }
            }
            if batch.len() == before {
                return batch;
            }
        }
    }
}

/// Runs, and makes an error of a panic and of a wrong number of results.
fn guarded<I, O>(run: impl Fn(&[(usize, I)]) -> Result<Vec<O>>, inputs: &[(usize, I)]) -> Result<Vec<O>> {
    let outputs = catch_unwind(AssertUnwindSafe(|| run(inputs)));
    let outputs = outputs.unwrap_or_else(|_| {
        let first = inputs.first().map_or(0, |(place, _)| *place);
        Err(Error::msg(format!("The model panicked on input {first}.")))
    })?;
    if outputs.len() == inputs.len() { Ok(outputs) } else { Err(nothing()) }
}

fn nothing() -> Error {
    Error::msg("The model gave another number of results than of inputs.")
}
