//! How many threads kernels run on.

use std::collections::BTreeSet;
use std::fs;

/// The number in `MLX_NUM_THREADS`, else one a core that this process may use.
///
/// Two threads of one core share the arithmetic that kernels wait for, so they count once.
pub fn count() -> usize {
    let wanted = std::env::var("MLX_NUM_THREADS").ok().and_then(|text| parse(&text));
    wanted.unwrap_or_else(|| {
        let allowed = std::thread::available_parallelism().map_or(1, usize::from);
        cores().map_or(allowed, |cores| cores.clamp(1, allowed))
    })
}

/// A number above 0; anything else counts as not set.
fn parse(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|&threads| threads > 0)
}

/// The cores that the process may use, where Linux tells.
fn cores() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let siblings = |cpu: usize| {
        let list = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        fs::read_to_string(list).unwrap_or_else(|_| cpu.to_string())
    };
    let cores: BTreeSet<String> = list(allowed)?.into_iter().map(siblings).collect();
    (!cores.is_empty()).then_some(cores.len())
}

/// The numbers of a list such as `0-3,8`.
fn list(text: &str) -> Option<Vec<usize>> {
    let mut all = Vec::new();
    for range in text.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        all.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors() {
        let cases: [(&str, Option<&[usize]>); 5] = [
            ("0", Some(&[0])),
            ("\t0-3\n", Some(&[0, 1, 2, 3])),
            ("1,4-5,9", Some(&[1, 4, 5, 9])),
            ("", None),
            ("all", None),
        ];
        for (text, expected) in cases {
            assert_eq!(list(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn counts() {
        for (text, expected) in
            [("1", Some(1)), (" 12 ", Some(12)), ("0", None), ("-2", None), ("many", None), ("", None)]
        {
            assert_eq!(parse(text), expected, "{text:?}");
        }
        let allowed = std::thread::available_parallelism().map_or(1, usize::from);
        assert!((1..=allowed).contains(&cores().unwrap_or(1)));
    }
}
