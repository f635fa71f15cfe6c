//! Tells code, comments and literals of a Rust file apart, as far as the rules need it.

/// A source text twice, each as long as the original, line by line and byte by byte.
pub struct Parts {
    /// The text with comments and the contents of literals blanked.
    pub code: String,
    /// The text with all but comments blanked.
    pub comments: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

/// Splits a source text.
pub fn split(text: &str) -> Parts {
    let bytes = text.as_bytes();
    let mut parts = Vec::with_capacity(bytes.len());
    while parts.len() < bytes.len() {
        let (part, length) = next(bytes, parts.len());
        let end = (parts.len() + length.max(1)).min(bytes.len());
        parts.resize(end, part);
    }
    let only = |kept: Part| {
        let keep = |(&byte, &part): (&u8, &Part)| if part == kept || byte == b'\n' { byte } else { b' ' };
        String::from_utf8_lossy(&bytes.iter().zip(&parts).map(keep).collect::<Vec<u8>>()).into_owned()
    };
    Parts { code: only(Part::Code), comments: only(Part::Comment) }
}

/// Returns what starts at `at`, and how many bytes it takes.
fn next(bytes: &[u8], at: usize) -> (Part, usize) {
    let rest = &bytes[at..];
    let after_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => (Part::Comment, rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())),
        [b'/', b'*', ..] => (Part::Comment, block_comment(rest)),
        [b'"', ..] => (Part::Literal, quoted(rest)),
        [b'r', b'"' | b'#', ..] if !after_name => raw(rest, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !after_name => raw(rest, 2),
        [b'\'', ..] => char_or_lifetime(rest),
        _ => (Part::Code, 1),
    }
}

/// Block comments nest in Rust.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// A raw string after a prefix of `prefix` bytes, or a raw identifier such as `r#type`.
fn raw(rest: &[u8], prefix: usize) -> (Part, usize) {
    let hashes = rest[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return (Part::Code, prefix + hashes);
    }
    let closing = [&b"\""[..], &b"#".repeat(hashes)].concat();
    let start = prefix + hashes + 1;
    let end = rest[start..].windows(closing.len()).position(|window| window == closing);
    (Part::Literal, end.map_or(rest.len(), |end| start + end + closing.len()))
}

fn char_or_lifetime(rest: &[u8]) -> (Part, usize) {
    let closing = match rest.get(1) {
        Some(b'\\') => rest.iter().skip(3).position(|&byte| byte == b'\'').map(|at| at + 4),
        // One character of up to four bytes; a lifetime has no quote so near behind it, but for `'a,'b'`'s like.
        Some(&first) => {
            let width = match first {
                0xf0.. => 4,
                0xe0.. => 3,
                0xc0.. => 2,
                _ => 1,
            };
            (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
        }
        None => None,
    };
    closing.map_or((Part::Code, 1), |length| (Part::Literal, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_leave_the_code() {
        let table = [
            ("let a = \"// no\"; // yes", "let a = ;", "// yes"),
            ("a /* b /* c */ d */ e", "a e", "/* b /* c */ d */"),
            ("r#\"x\"y\"# z", "z", ""),
            ("let c = '\"'; let l: &'a str = \"\\\"\"; f", "let c = ; let l: &'a str = ; f", ""),
            ("'\\'' r#type b\"x\" 'é' g", "r#type b g", ""),
        ];
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (text, code, comment) in table {
            let parts = split(text);
            assert_eq!((words(&parts.code), words(&parts.comments)), (code.to_owned(), comment.to_owned()), "{text}");
            assert_eq!((parts.code.len(), parts.comments.len()), (text.len(), text.len()), "{text}");
        }
    }
}
