//! What the server counts, in Prometheus's text format.

use super::engine::Counts;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the buckets of latencies, in seconds.
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The server's counters.
#[derive(Default)]
pub struct Metrics {
    /// Requests that are being answered.
    pub open: AtomicUsize,
    paths: Mutex<BTreeMap<&'static str, Answers>>,
}

#[derive(Default)]
struct Answers {
    by_status: BTreeMap<u16, u64>,
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, path: &'static str, status: u16, took: Duration) {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = paths.entry(path).or_default();
        let seconds = took.as_secs_f64();
        *answers.by_status.entry(status).or_default() += 1;
        if let Some(i) = BUCKETS.iter().position(|&end| seconds <= end) {
            answers.buckets[i] += 1;
        }
        answers.count += 1;
        answers.seconds += seconds;
    }

    /// The page that Prometheus reads.
    pub fn page(&self, counts: &Counts) -> String {
        let mut page = String::new();
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        head(&mut page, "requests_total", "counter", "Requests that were answered");
        for (path, answers) in &*paths {
            for (status, count) in &answers.by_status {
                line(&mut page, "requests_total", &format!("{{path=\"{path}\",status=\"{status}\"}}"), *count as f64);
            }
        }
        head(&mut page, "request_seconds", "histogram", "Time from a request's head to its answer");
        for (path, answers) in &*paths {
            let mut below = 0;
            for (end, count) in BUCKETS.iter().zip(answers.buckets) {
                below += count;
                line(&mut page, "request_seconds_bucket", &format!("{{path=\"{path}\",le=\"{end}\"}}"), below as f64);
            }
            let all = format!("{{path=\"{path}\",le=\"+Inf\"}}");
            line(&mut page, "request_seconds_bucket", &all, answers.count as f64);
            let labels = format!("{{path=\"{path}\"}}");
            line(&mut page, "request_seconds_sum", &labels, answers.seconds);
            line(&mut page, "request_seconds_count", &labels, answers.count as f64);
        }
        let open = self.open.load(Ordering::Relaxed);
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed) as f64;
        for (name, kind, text, value) in [
            ("requests_open", "gauge", "Requests that are being answered or wait", open as f64),
            ("queue_size", "gauge", "Texts or pairs that wait for the model", count(&counts.waiting)),
            ("items_total", "counter", "Texts or pairs that went through the model", count(&counts.items)),
            ("tokens_total", "counter", "Tokens that went through the model", count(&counts.tokens)),
            ("batches_total", "counter", "Batches that went through the model", count(&counts.batches)),
        ] {
            head(&mut page, name, kind, text);
            line(&mut page, name, "", value);
        }
        page
    }
}

fn head(page: &mut String, name: &str, kind: &str, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "# HELP mlx_embed_{name} {text}.\n# TYPE mlx_embed_{name} {kind}");
}

fn line(page: &mut String, name: &str, labels: &str, value: f64) {
    let _ = writeln!(page, "mlx_embed_{name}{labels} {value}");
}
