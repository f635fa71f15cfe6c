//! The names of the functions that a header declares in its namespaces.

use std::collections::BTreeSet;

/// Returns the distinct names: those marked MLX_API and inline ones, no templates, nothing in `detail`.
pub fn functions(text: &str) -> BTreeSet<String> {
    let code = bare(text);
    let mut names = BTreeSet::new();
    namespace(&code, &mut 0, &mut names);
    names
}

/// The code without comments and preprocessor lines.
fn bare(text: &str) -> Vec<u8> {
    let mut rest = text;
    let mut code = String::new();
    while let Some(at) = rest.find("/*") {
        code.push_str(&rest[..at]);
        rest = rest[at..].split_once("*/").map_or("", |(_, behind)| behind);
    }
    code.push_str(rest);
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n").into_bytes()
}

/// Reads declarations up to the brace that closes the namespace.
fn namespace(code: &[u8], at: &mut usize, names: &mut BTreeSet<String>) {
    let (mut start, mut parentheses) = (*at, 0);
    while *at < code.len() {
        let c = code[*at];
        *at += 1;
        match c {
            b'(' => parentheses += 1,
            b')' => parentheses -= 1,
            b'}' => return,
            b'{' if parentheses > 0 => skip(code, at),
            b'{' | b';' => {
                let declaration = String::from_utf8_lossy(&code[start..*at - 1]).into_owned();
                let words: Vec<&str> = declaration.split_whitespace().collect();
                match (c, words.first()) {
                    (b'{', Some(&"namespace")) if words.get(1) != Some(&"detail") => namespace(code, at, names),
                    (b'{', _) => {
                        names.extend(name(&declaration));
                        skip(code, at);
                    }
                    _ => names.extend(name(&declaration)),
                }
                start = *at;
            }
            _ => {}
        }
    }
}

/// Goes behind the brace that closes the one just read.
fn skip(code: &[u8], at: &mut usize) {
    let mut depth = 1;
    while *at < code.len() && depth > 0 {
        depth += match code[*at] {
            b'{' => 1,
            b'}' => -1,
            _ => 0,
        };
        *at += 1;
    }
}

/// The name of a function from its declaration.
fn name(declaration: &str) -> Option<String> {
    let declaration = declaration.trim().trim_start_matches(';').trim();
    let public = declaration.contains("MLX_API") || declaration.split_whitespace().any(|word| word == "inline");
    let first = declaration.split_whitespace().next()?;
    if !public || ["template", "struct", "class", "enum", "using"].contains(&first) {
        return None;
    }
    if let Some((_, operator)) = declaration.split_once("operator") {
        return Some(format!("operator{}", operator.split('(').next()?.trim()));
    }
    let mut angles = 0;
    let open = declaration.char_indices().find(|&(_, c)| {
        angles += i32::from(c == '<') - i32::from(c == '>');
        c == '(' && angles == 0
    })?;
    let before = declaration[..open.0].trim_end();
    let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_name() {
        let text = r#"
#pragma once
namespace mlx::core {
/** MLX_API array not_this(int a); */
struct MLX_API Node { array next(); };
enum class Mode { one, two };
using Function = std::function<array(int)>;
MLX_API array
add(const array& a, array b = array(0), StreamOrDevice s = {}); // MLX_API array nor_this();
MLX_API array add(int a);
inline array zeros(const Shape& shape, StreamOrDevice s = {}) {
  return zeros(shape, float32, s);
}
template <typename T> array full(T value);
MLX_API std::function<std::vector<array>(const std::vector<array>&)> vmap(
    const std::function<array(const array&)>& fun, std::vector<int> axes = {});
MLX_API array operator-(const array& a);
namespace detail { MLX_API void hidden(); }
namespace fft { MLX_API array fftn(const array& a); }
}
"#;
        let found: Vec<String> = functions(text).into_iter().collect();
        assert_eq!(found, ["add", "fftn", "operator-", "vmap", "zeros"]);
    }
}
