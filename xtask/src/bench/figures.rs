//! What `bench cpu` does with the numbers that programs print: medians, ratios, limits and the table.

use super::median;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// One program's numbers by name: `prefill_128` in tokens a second, `peak_resident` in bytes, `load_seconds`.
pub type Figures = BTreeMap<String, f64>;

/// The rates that programs print by size; what they print by the size alone is `decode.128` there and `decode_128` here.
const GROUPS: [&str; 4] = ["prefill", "decode", "sequences", "cache_bytes"];

/// A program with the medians of its figures.
pub struct Column {
    /// The table's word for it.
    pub title: &'static str,
    /// Its name in the summary and in JSON.
    pub key: &'static str,
    pub figures: Figures,
}

/// A promise: the least that ours divided by a peer's figure may be.
pub struct Limit {
    pub peer: &'static str,
    pub group: &'static str,
    pub sizes: &'static [usize],
    pub least: f64,
}

/// A number that was checked.
pub struct Check {
    pub name: String,
    pub value: f64,
    pub bound: Bound,
}

/// What a checked number is to keep to.
#[derive(Clone, Copy)]
pub enum Bound {
    Least(f64),
    Most(f64),
}

impl Check {
    pub fn met(&self) -> bool {
        match self.bound {
            Bound::Least(least) => self.value >= least,
            Bound::Most(most) => self.value <= most,
        }
    }
}

/// Takes the numbers out of the object that a program printed.
pub fn read(answer: &Value) -> Figures {
    let mut figures = Figures::new();
    for (name, value) in answer.as_object().into_iter().flatten() {
        if let Some(number) = value.as_f64() {
            figures.insert(name.clone(), number);
        }
    }
    for group in GROUPS {
        for (size, value) in answer[group].as_object().into_iter().flatten() {
            if let Some(number) = value.as_f64() {
                figures.insert(format!("{group}_{size}"), number);
            }
        }
    }
    figures
}

/// The median of each figure over the rounds that have it.
pub fn medians(rounds: &[Figures]) -> Figures {
    let mut values: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for (name, value) in rounds.iter().flatten() {
        values.entry(name).or_default().push(*value);
    }
    values.into_iter().map(|(name, values)| (name.clone(), median(values))).collect()
}

/// Whether a figure is tokens a second: the higher, the better.
fn is_rate(name: &str) -> bool {
    name.split_once('_')
        .is_some_and(|(group, size)| GROUPS[..3].contains(&group) && size.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Ours divided by a peer's, for every rate that both have.
pub fn ratios(ours: &Column, peer: &Column) -> Figures {
    let shared = ours.figures.iter().filter(|(name, _)| is_rate(name));
    shared.filter_map(|(name, value)| Some((name.clone(), value / peer.figures.get(name)?))).collect()
}

/// The limits that concern what was measured.
pub fn checks(limits: &[Limit], ours: &Column, peers: &[Column]) -> Vec<Check> {
    let mut checks = Vec::new();
    for limit in limits {
        let Some(peer) = peers.iter().find(|peer| peer.key == limit.peer) else { continue };
        let found = ratios(ours, peer);
        for size in limit.sizes {
            let name = format!("{}_{size}", limit.group);
            if let Some(&value) = found.get(&name) {
                let name = format!("{name}_vs_{}", peer.key);
                checks.push(Check { name, value, bound: Bound::Least(limit.least) });
            }
        }
    }
    checks
}

/// The table: a row a figure, a column a program, then the ratios. `rows` are the figures' names.
pub fn table(rows: &[String], ours: &Column, peers: &[Column]) -> String {
    let mut text = String::new();
    let all = || std::iter::once(ours).chain(peers);
    let _ = write!(text, "{:28}", "tokens/s, medians");
    for column in all() {
        let _ = write!(text, "{:>20}", column.title);
    }
    text.push('\n');
    for row in rows {
        let _ = write!(text, "{:28}", label(row));
        for column in all() {
            let _ = write!(text, "{:>20}", shown(row, column.figures.get(row)));
        }
        text.push('\n');
    }
    let _ = writeln!(text, "\nours divided by");
    for row in rows.iter().filter(|row| is_rate(row)) {
        let _ = write!(text, "{:48}", label(row));
        for peer in peers {
            let ratio = ratios(ours, peer).get(row).map_or("-".to_owned(), |ratio| format!("{ratio:.2}x"));
            let _ = write!(text, "{ratio:>20}");
        }
        text.push('\n');
    }
    text
}

fn label(name: &str) -> String {
    match name.split_once('_') {
        _ if name == "peak_resident" => "peak memory, MiB".to_owned(),
        _ if name == "load_seconds" => "load, s".to_owned(),
        _ if name == "others_cpu" => "used by others, % of CPU".to_owned(),
        Some(("decode", size)) => format!("decode at context {size}"),
        Some(("sequences", size)) => format!("decode, {size} sequences"),
        Some((group, size)) => format!("{group} {size}"),
        None => name.to_owned(),
    }
}

fn shown(name: &str, value: Option<&f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(bytes) if name == "peak_resident" => format!("{:.0}", bytes / f64::from(1 << 20)),
        Some(seconds) if name == "load_seconds" => format!("{seconds:.2}"),
        Some(share) if name == "others_cpu" => format!("{:.0}", share * 100.0),
        Some(rate) => format!("{rate:.1}"),
    }
}

/// One line a check.
pub fn verdicts(checks: &[Check]) -> String {
    let line = |check: &Check| {
        let (word, bound) = match check.bound {
            Bound::Least(bound) => ("at least", bound),
            Bound::Most(bound) => ("at most", bound),
        };
        let verdict = if check.met() { "met" } else { "MISSED" };
        format!("{:42} {:8.2}  {word} {bound:<6} {verdict}\n", check.name, check.value)
    };
    checks.iter().map(line).collect()
}

/// The last line: every ratio, and the other numbers given by name.
pub fn summary(ours: &Column, peers: &[Column], others: &[(String, f64)]) -> String {
    let mut text = "summary:".to_owned();
    for peer in peers {
        for (name, ratio) in ratios(ours, peer) {
            let _ = write!(text, " {name}_vs_{}={ratio:.3}", peer.key);
        }
    }
    for (name, value) in others {
        let _ = write!(text, " {name}={value:.3}");
    }
    text
}

/// Columns and checks for programs.
pub fn as_json(ours: &Column, peers: &[Column], checks: &[Check]) -> Value {
    let columns: Value = std::iter::once(ours).chain(peers).map(|c| (c.key.to_owned(), json!(c.figures))).collect();
    let ratios: Value = peers.iter().map(|peer| (peer.key.to_owned(), json!(ratios(ours, peer)))).collect();
    let checks = checks.iter().map(|check| {
        let (bound, limit) = match check.bound {
            Bound::Least(bound) => ("at_least", bound),
            Bound::Most(bound) => ("at_most", bound),
        };
        json!({ "name": check.name, "value": check.value, bound: limit, "met": check.met() })
    });
    json!({ "columns": columns, "ratios": ratios, "checks": Value::Array(checks.collect()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(key: &'static str, figures: &[(&str, f64)]) -> Column {
        let figures = figures.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
        Column { title: key, key, figures }
    }

    #[test]
    fn numbers_by_size_become_names() {
        let answer = json!({
            "prefill": { "32": 500.5, "128": 600 }, "decode": {}, "system": "AVX2", "load_seconds": 0.5,
            "cache_bytes": { "128": 4096 }, "read_bandwidth": null,
        });
        let expected =
            [("cache_bytes_128", 4096.0), ("load_seconds", 0.5), ("prefill_128", 600.0), ("prefill_32", 500.5)];
        assert_eq!(read(&answer), column("", &expected).figures);
    }

    #[test]
    fn a_median_is_over_the_rounds_that_have_the_figure() {
        let rounds = [&[("a", 1.0), ("b", 4.0)][..], &[("a", 3.0)], &[("a", 8.0), ("b", 6.0)]];
        let rounds = rounds.map(|figures| column("", figures).figures);
        assert_eq!(medians(&rounds), column("", &[("a", 3.0), ("b", 5.0)]).figures);
    }

    #[test]
    fn only_shared_rates_have_ratios() {
        let ours = column(
            "ours",
            &[("decode_128", 90.0), ("prefill_32", 8.0), ("load_seconds", 1.0), ("cache_bytes_128", 1.0)],
        );
        let peer = column("peer", &[("decode_128", 60.0), ("load_seconds", 1.0), ("cache_bytes_128", 1.0)]);
        assert_eq!(ratios(&ours, &peer), column("", &[("decode_128", 1.5)]).figures);
        assert_eq!(
            summary(&ours, &[peer], &[("roofline_128".into(), 0.25)]),
            "summary: decode_128_vs_peer=1.500 roofline_128=0.250"
        );
    }

    #[track_caller]
    fn check_limit(ours: f64, least: f64, met: bool) {
        let limit = Limit { peer: "peer", group: "decode", sizes: &[128, 2000], least };
        let peers = [column("other", &[("decode_128", 1000.0)]), column("peer", &[("decode_128", 10.0)])];
        let found = checks(&[limit], &column("ours", &[("decode_128", ours), ("decode_2000", 5.0)]), &peers);
        let found: Vec<_> = found.iter().map(|check| (check.name.as_str(), check.met())).collect();
        assert_eq!(found, [("decode_128_vs_peer", met)], "what the peer did not run is not checked");
    }

    #[test]
    fn a_limit_holds_from_its_value_on() {
        check_limit(15.0, 1.5, true);
        check_limit(14.9, 1.5, false);
        check_limit(15.1, 1.5, true);
    }

    #[test]
    fn a_limit_from_above_is_missed_above() {
        let check = |value| Check { name: "memory".into(), value, bound: Bound::Most(1.3) };
        assert!(check(1.3).met());
        assert!(!check(1.31).met());
        assert_eq!(verdicts(&[check(1.5)]), format!("{:42}     1.50  at most 1.3    MISSED\n", "memory"));
    }

    #[test]
    fn the_table_has_a_dash_where_nothing_was_measured() {
        let ours = column("ours", &[("decode_128", 90.0), ("peak_resident", 1048576.0)]);
        let peers = [column("a", &[("decode_128", 60.0)]), column("b", &[])];
        let text = table(&["decode_128".into(), "peak_resident".into()], &ours, &peers);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[1], ["decode", "at", "context", "128", "90.0", "60.0", "-"]);
        assert_eq!(rows[2], ["peak", "memory,", "MiB", "1", "-", "-"]);
        assert_eq!(rows[5], ["decode", "at", "context", "128", "1.50x", "-"]);
        assert_eq!(rows.len(), 6);
    }
}
