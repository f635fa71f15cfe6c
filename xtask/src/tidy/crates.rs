//! Rules for the crates: who may depend on whom, what crates.io wants to know, and under which licences.

use super::Finding;
use crate::project;
use serde_json::Value;
use std::path::Path;

/// The layers; a crate depends on crates of lower layers only, so the modalities never on each other.
const LAYERS: [&[&str]; 4] =
    [&["mlx-core"], &["mlx-ops"], &["mlx-nn"], &["mlx-lm", "mlx-vlm", "mlx-audio", "mlx-embed"]];

/// The crate of tests, which may see all.
const TESTS: &str = "mlx-tests";

/// Licences that ask for a notice at most, or for changes to the licensed files themselves.
const LICENCES: [&str; 16] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "Zlib",
    "ISC",
    "Unicode-3.0",
    "MPL-2.0",
    "BSL-1.0",
    "CC0-1.0",
    "Unlicense",
    "CDLA-Permissive-2.0",
];

/// Checks the workspace's manifests (`ours`) and the whole dependency tree, both as `cargo metadata` prints them.
pub fn check(ours: &Value, tree: &Value) -> Vec<Finding> {
    let workspace = packages(ours);
    let mut findings: Vec<Finding> = workspace.iter().flat_map(|package| check_manifest(package)).collect();
    findings.extend(workspace.iter().flat_map(|package| check_edges(package)));
    findings.extend(packages(tree).iter().filter_map(|package| check_licence(package)));
    findings
}

fn packages(metadata: &Value) -> Vec<&Value> {
    metadata["packages"].as_array().into_iter().flatten().collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn finding(package: &Value, message: String) -> Finding {
    let manifest = Path::new(text(package, "manifest_path"));
    let shown = manifest.strip_prefix(project::root()).unwrap_or(manifest);
    Finding::new(&shown.to_string_lossy(), 1, message)
}

/// What crates.io shows of a crate must be there, for the crates that go there.
fn check_manifest(package: &Value) -> Vec<Finding> {
    let published = package["publish"].as_array().is_none_or(|registries| !registries.is_empty());
    let missing = |key: &&str| published && text(package, key).is_empty();
    let mut findings: Vec<Finding> = ["description", "license", "readme"]
        .into_iter()
        .filter(missing)
        .map(|key| finding(package, format!("no `{key}`, which crates.io shows")))
        .collect();
    let readme = Path::new(text(package, "manifest_path")).with_file_name(text(package, "readme"));
    if published && !text(package, "readme").is_empty() && !readme.is_file() {
        findings.push(finding(package, format!("the readme `{}` is not there", text(package, "readme"))));
    }
    findings
}

fn check_edges(package: &Value) -> Vec<Finding> {
    let name = text(package, "name");
    let layer = |name: &str| LAYERS.iter().position(|crates| crates.contains(&name));
    let mut findings = Vec::new();
    if layer(name).is_none() && ![TESTS, "xtask"].contains(&name) {
        findings.push(finding(package, format!("{name} has no layer: give it one in xtask/src/tidy/crates.rs")));
    }
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let to = text(dependency, "name");
        if to.starts_with("cxx") && name != "mlx-core" {
            findings.push(finding(package, format!("{name} depends on {to}: only mlx-core knows C++")));
        }
        // A bench or a test may look at a layer above its own.
        let allowed = match (layer(name), layer(to)) {
            _ if dependency["kind"] == "dev" => true,
            (_, None) => true,
            (Some(from), Some(to)) => to < from,
            (None, Some(_)) => name == TESTS,
        };
        if !allowed {
            findings.push(finding(package, format!("{name} depends on {to}, which is not in a layer below it")));
        }
    }
    findings
}

fn check_licence(package: &Value) -> Option<Finding> {
    let licence = text(package, "license");
    let (name, version) = (text(package, "name"), text(package, "version"));
    (!allowed(licence)).then(|| {
        let shown = if licence.is_empty() { "no known licence" } else { licence };
        Finding::new("Cargo.lock", 1, format!("{name} {version} is under {shown}"))
    })
}

/// Whether an SPDX expression can be satisfied with allowed licences; `/` is how `OR` was written once.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    any_of(&mut rest) && rest.is_empty()
}

fn any_of(words: &mut &[&str]) -> bool {
    let mut met = all_of(words);
    while words.first() == Some(&"OR") {
        *words = &words[1..];
        met |= all_of(words);
    }
    met
}

fn all_of(words: &mut &[&str]) -> bool {
    let mut met = one(words);
    while words.first() == Some(&"AND") {
        *words = &words[1..];
        met &= one(words);
    }
    met
}

fn one(words: &mut &[&str]) -> bool {
    match **words {
        ["(", ..] => {
            *words = &words[1..];
            let met = any_of(words);
            *words = words.get(1..).unwrap_or_default();
            met
        }
        [licence, "WITH", exception, ..] => {
            *words = &words[3..];
            LICENCES.contains(&format!("{licence} WITH {exception}").as_str())
        }
        [licence, ..] => {
            *words = &words[1..];
            LICENCES.contains(&licence)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check_edge(from: &str, to: &str, fine: bool) {
        let package = json!({ "name": from, "dependencies": [{ "name": to }] });
        assert_eq!(check_edges(&package).is_empty(), fine, "{from} -> {to}");
    }

    #[test]
    fn edges_go_down() {
        check_edge("mlx-nn", "mlx-ops", true);
        check_edge("mlx-lm", "mlx-core", true);
        check_edge("mlx-core", "mlx-ops", false);
        check_edge("mlx-vlm", "mlx-lm", false);
        check_edge("mlx-tests", "mlx-lm", true);
        check_edge("xtask", "mlx-core", false);
        check_edge("mlx-core", "cxx", true);
        check_edge("mlx-ops", "cxx-build", false);
        check_edge("mlx-new", "serde", false);
    }

    #[test]
    fn published_crates_say_what_they_are() {
        let found = check_manifest(&json!({ "name": "a", "license": "MIT", "publish": null }));
        let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["no `description`, which crates.io shows", "no `readme`, which crates.io shows"]);
        assert_eq!(check_manifest(&json!({ "name": "a", "publish": [] })), []);
    }

    #[test]
    fn licences_are_read_as_expressions() {
        for (expression, fine) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("(MIT OR GPL-2.0) AND Unicode-3.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0 WITH Other", false),
            ("", false),
        ] {
            assert_eq!(allowed(expression), fine, "{expression}");
        }
        let unknown = check_licence(&json!({ "name": "a", "version": "1.0.0" }));
        assert_eq!(unknown, Some(Finding::new("Cargo.lock", 1, "a 1.0.0 is under no known licence")));
    }
}
