//! `{% generation %}` blocks, which transformers adds to Jinja to find the assistant's tokens.

/// Turns them into plain scopes: for the rendered text that is all they are.
pub(super) fn without_generation_tags(source: String) -> String {
    if !source.contains("endgeneration") {
        return source;
    }
    let mut out = String::with_capacity(source.len());
    let mut rest = source.as_str();
    let mut raw = false;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (len, tag) = match rest.as_bytes().get(1) {
            Some(b'%') => (end_of(rest, "%}"), true),
            Some(b'{') if !raw => (end_of(rest, "}}"), false),
            Some(b'#') if !raw => (rest.find("#}").map_or(rest.len(), |end| end + 2), false),
            _ => (1, false),
        };
        let (block, after) = rest.split_at(len);
        let word = block.trim_matches(|c: char| !c.is_alphanumeric());
        match (tag, raw, word) {
            (true, false, "generation") => out.push_str(&block.replace("generation", "with")),
            (true, false, "endgeneration") => out.push_str(&block.replace("endgeneration", "endwith")),
            // A brace in raw text may only look like a tag, so just this one is stepped over.
            (true, true, word) if word != "endraw" => {
                out.push('{');
                rest = &rest[1..];
                continue;
            }
            _ => out.push_str(block),
        }
        if tag {
            raw = (raw || word == "raw") && word != "endraw";
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Length of the block that `text` starts with, up to and with `close`; strings may contain it.
fn end_of(text: &str, close: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(2) {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if text[at..].starts_with(close) => return at + close.len(),
            None => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::without_generation_tags;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(without_generation_tags(source.to_owned()), expected);
    }

    #[test]
    fn tags_become_scopes() {
        check("a{% generation %}b{% endgeneration %}c", "a{% with %}b{% endwith %}c");
        check("{%- generation -%}b{%+ endgeneration +%}", "{%- with -%}b{%+ endwith +%}");
        check("{%generation%}{{ '}}' }}{%endgeneration%}", "{%with%}{{ '}}' }}{%endwith%}");
    }

    #[test]
    fn look_alikes_stay() {
        let strings = "{{ '{% generation %}' }}{% if 'endgeneration %}' %}{% endif %}";
        check(strings, strings);
        let raw = "{% raw %}{% generation %}{% endgeneration %}{{ x {# {% endraw %}{ %}";
        check(raw, raw);
        let comment = "{# {% endgeneration %} #}{% generation_x %}";
        check(comment, comment);
    }
}
