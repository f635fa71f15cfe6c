//! How much of the CPU others used while our programs ran: a comparison on a busy machine says nothing.

use std::fs;

/// Ticks of the clock since the system started.
#[derive(Clone, Copy)]
pub struct Ticks {
    all: f64,
    idle: f64,
    /// Of this process and of the programs that it ran and that have ended.
    own: f64,
}

impl Ticks {
    /// The ticks now; `None` where the system does not say.
    pub fn now() -> Option<Self> {
        let (machine, process) = (fs::read_to_string("/proc/stat").ok()?, fs::read_to_string("/proc/self/stat").ok()?);
        Self::read(&machine, &process)
    }

    fn read(machine: &str, process: &str) -> Option<Self> {
        // user, nice, system, idle, iowait, irq, softirq, steal: what a host takes away counts as the others'
        let words = machine.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8);
        let ticks = words.map(|word| word.parse().ok()).collect::<Option<Vec<f64>>>()?;
        // The name may hold anything, so fields count from its end: user and system time, own and of children, are 11 to 14.
        let (_, fields) = process.rsplit_once(')')?;
        let own = fields.split_whitespace().skip(11).take(4).map(|word| word.parse().ok());
        let own = own.collect::<Option<Vec<f64>>>()?;
        Some(Self { all: ticks.iter().sum(), idle: ticks.get(3)? + ticks.get(4)?, own: own.iter().sum() })
    }

    /// The share of the CPU that others used between `before` and this reading.
    pub fn others_since(&self, before: &Self) -> f64 {
        let (all, idle, own) = (self.all - before.all, self.idle - before.idle, self.own - before.own);
        if all > 0.0 { ((all - idle - own) / all).max(0.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(user: u32, idle: u32, steal: u32, own: u32) -> Ticks {
        let machine = format!("cpu  {user} 0 50 {idle} 0 0 0 {steal} 9 9\ncpu0 1 1\n");
        let process = format!("1 (a (b) c) S 2 3 4 5 6 7 8 9 10 11 {own} 1 2 3 20 0\n");
        Ticks::read(&machine, &process).unwrap()
    }

    #[test]
    fn what_is_neither_idle_nor_ours_is_the_others() {
        let before = ticks(100, 100, 0, 10);
        for (after, expected) in [
            (ticks(150, 150, 0, 60), 0.0),
            (ticks(150, 150, 0, 35), 0.25),
            (ticks(100, 150, 50, 10), 0.5),
            (ticks(150, 150, 0, 70), 0.0),
            (before, 0.0),
        ] {
            assert_eq!(after.others_since(&before), expected);
        }
    }

    #[test]
    fn a_reading_that_is_not_understood_is_none() {
        assert!(Ticks::read("cpu  1 2 x 4 5 6 7 8", "1 (a) S 1").is_none());
        assert!(Ticks::read("", "").is_none());
    }
}
