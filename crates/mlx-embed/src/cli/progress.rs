//! How far a long command is: a bar on standard error, where that is a terminal.

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// What takes less time is done before a bar could be read.
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts what is done, and shows it once that has taken a while.
pub struct Progress {
    bar: ProgressBar,
    start: Instant,
    things: &'static str,
    terminal: bool,
}

impl Progress {
    /// Of `total` things, if that is known.
    pub fn new(things: &'static str, total: Option<u64>) -> Self {
        let template = match total {
            Some(_) => "{bar:30} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left",
            None => "{spinner} {human_pos} {msg}, {per_sec}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar =
            ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden()).with_style(style).with_message(things);
        Self { bar, start: Instant::now(), things, terminal: std::io::stderr().is_terminal() }
    }

    /// One more is done.
    pub fn step(&self) {
        self.bar.inc(1);
        if self.terminal && self.bar.is_hidden() && self.start.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// All is done: the rate stays to be read.
    pub fn finish(&self) {
        let (count, seconds) = (self.bar.position(), self.start.elapsed().as_secs_f64());
        self.bar.finish_and_clear();
        if self.terminal && count > 0 {
            let rate = count as f64 / seconds.max(1e-9);
            eprintln!("{} {} in {seconds:.1} s, {rate:.0} a second", HumanCount(count), self.things);
        }
    }
}
