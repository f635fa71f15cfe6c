//! From a file's text to passages that a model takes whole.

use mlx_embed::Result;

/// Lines of a file that belong together.
#[derive(Debug, PartialEq)]
pub struct Passage {
    /// The first line's number, from 1.
    pub line: usize,
    pub text: String,
}

/// A line, or a part of one that is too long.
struct Unit<'a> {
    line: usize,
    text: &'a str,
    tokens: usize,
}

impl Unit<'_> {
    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// Cuts a text into passages of at most `limit` tokens, as `count` counts them, where a paragraph ends if it can be. The last
/// lines of a passage, an eighth of the limit at most, begin the next one too. A single word is never cut.
pub fn cut(text: &str, limit: usize, count: impl Fn(&str) -> Result<usize>) -> Result<Vec<Passage>> {
    let units = units(text, limit, count)?;
    let mut passages = Vec::new();
    let mut start = 0;
    while let Some(first) = (start..units.len()).find(|&i| !units[i].is_blank()) {
        let end = end_of(&units, first, limit);
        let text = units[first..end].iter().map(|unit| unit.text).collect::<Vec<_>>().join("\n");
        passages.push(Passage { line: units[first].line, text: text.trim_end().to_owned() });
        let Some(next) = (end..units.len()).find(|&i| !units[i].is_blank()) else { break };
        start = end;
        let mut kept = 0;
        while start > first + 1 {
            kept += units[start - 1].tokens;
            if kept > limit / 8 || kept + units[next].tokens > limit {
                break;
            }
            start -= 1;
        }
    }
    Ok(passages)
}

/// Where the passage from `first` on ends: behind its last paragraph, if that leaves it half full, else where it is full.
fn end_of(units: &[Unit], first: usize, limit: usize) -> usize {
    let (mut end, mut tokens, mut paragraph) = (first, 0, None);
    while end < units.len() && (end == first || tokens + units[end].tokens <= limit) {
        tokens += units[end].tokens;
        end += 1;
        if tokens >= limit / 2 && units.get(end).is_some_and(Unit::is_blank) {
            paragraph = Some(end);
        }
    }
    if end == units.len() { end } else { paragraph.unwrap_or(end) }
}

fn units(text: &str, limit: usize, count: impl Fn(&str) -> Result<usize>) -> Result<Vec<Unit<'_>>> {
    let mut units = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let tokens = if text.trim().is_empty() { 0 } else { count(text)? };
        if tokens <= limit {
            units.push(Unit { line, text, tokens });
            continue;
        }
        // Words are counted with the space behind them, which the next part does not need.
        let (mut start, mut at, mut tokens) = (0, 0, 0);
        for word in text.split_inclusive(char::is_whitespace) {
            let more = count(word)?;
            if at > start && tokens + more > limit {
                units.push(Unit { line, text: &text[start..at], tokens });
                (start, tokens) = (at, 0);
            }
            at += word.len();
            tokens += more;
        }
        units.push(Unit { line, text: &text[start..], tokens });
    }
    Ok(units)
}

/// What a person reads of a page of HTML, with its lines where they were.
pub fn of_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = match rest[1..].chars().next() {
            Some('!') if rest.starts_with("<!--") => behind(rest, "-->"),
            Some(c) if c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?' => {
                let unread = ["script", "style"].into_iter().find(|name| is_tag(rest, name));
                let inside =
                    unread.map_or(0, |name| find_ignoring_case(rest, &format!("</{name}")).unwrap_or(rest.len()));
                inside + behind(&rest[inside..], ">")
            }
            // Not a tag.
            _ => {
                text.push('<');
                rest = &rest[1..];
                continue;
            }
        };
        text.push(' ');
        text.extend(rest[..end].chars().filter(|&c| c == '\n'));
        rest = &rest[end..];
    }
    text.push_str(rest);
    for (entity, meaning) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        text = text.replace(entity, meaning);
    }
    text
}

fn behind(text: &str, mark: &str) -> usize {
    text.find(mark).map_or(text.len(), |at| at + mark.len())
}

fn is_tag(text: &str, name: &str) -> bool {
    let (Some(found), next) = (text.get(1..=name.len()), text[1..].chars().nth(name.len())) else { return false };
    found.eq_ignore_ascii_case(name) && next.is_none_or(|c| !c.is_ascii_alphanumeric())
}

fn find_ignoring_case(text: &str, mark: &str) -> Option<usize> {
    text.as_bytes().windows(mark.len()).position(|window| window.eq_ignore_ascii_case(mark.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, limit: usize, expected: &[(usize, &str)]) {
        let count = |text: &str| Ok(text.split_whitespace().count());
        let found = cut(text, limit, count).unwrap();
        assert!(found.iter().all(|passage| passage.text.split_whitespace().count() <= limit), "{found:?}");
        let found: Vec<(usize, &str)> = found.iter().map(|passage| (passage.line, passage.text.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn passages_end_with_paragraphs_and_overlap() {
        check("", 4, &[]);
        check(" \n\n", 4, &[]);
        check("a b\n\nc d\n\n", 4, &[(1, "a b\n\nc d")]);
        check("\na b\nc\n\nd\ne f\n", 4, &[(2, "a b\nc"), (5, "d\ne f")]);
        // A paragraph longer than a passage is cut between lines; an eighth of the passage comes twice.
        check("a a\nb b\nc\nd d\ne e\nf\n", 8, &[(1, "a a\nb b\nc\nd d"), (5, "e e\nf")]);
        check("a a a a\nb b\nc\nd d d d\ne e\n", 8, &[(1, "a a a a\nb b\nc"), (3, "c\nd d d d\ne e")]);
        // The overlap gives way to a line that fills a passage.
        check("a a\nb\nc c c c c c c c\n", 8, &[(1, "a a\nb"), (3, "c c c c c c c c")]);
        // A line longer than a passage is cut between words.
        check("x\na b c d e\n", 2, &[(1, "x"), (2, "a b"), (2, "c d"), (2, "e")]);
    }

    #[test]
    fn pages_become_text_line_by_line() {
        for (html, text) in [
            ("<p>a <b>b</b></p>", " a  b  "),
            ("a<SCRIPT>\nif (1 < 2) {}\n</Script>b", "a \n\nb"),
            ("<!-- a > b\n -->c &lt; d &amp;amp;", " \nc < d &amp;"),
            ("1 < 2 <styled>x", "1 < 2  x"),
            ("a <b", "a  "),
        ] {
            assert_eq!(of_html(html), text, "{html}");
        }
    }
}
