//! Where a long text may end early, so that its first tokens stay those of the whole.

use mlx_nn::tokenizer::Tokenizer;

/// Bytes of a text for each token at the first attempt: more than most tokens have.
pub const BYTES: usize = 8;
/// How far back a place to cut is looked for.
const NEAR: usize = 4096;

/// A tokenizer that splits texts at spaces between words, whatever follows.
#[derive(Clone, Copy)]
pub struct Cut;

impl Cut {
    /// `None` where tokens may reach across spaces.
    pub fn new(tokenizer: &Tokenizer) -> Option<Self> {
        tokenizer.splits_at_spaces().then_some(Self)
    }

    /// The beginning of a text, of `size` bytes at most, up to a space between two words; all of it where no space is near.
    pub fn part(self, text: &str, size: usize) -> &str {
        if text.len() <= size {
            return text;
        }
        let bytes = text.as_bytes();
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_place = |&at: &usize| {
            bytes[at] == b' ' && is_letter(text[..at].chars().next_back()) && is_letter(text[at + 1..].chars().next())
        };
        match (size.saturating_sub(NEAR)..size).rev().find(is_place) {
            Some(at) => &text[..at],
            None => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cut;

    #[test]
    fn a_text_is_cut_between_words() {
        for (text, size, part) in [
            ("one two three", 20, "one two three"),
            ("one two three", 8, "one two"),
            ("one two three", 7, "one"),
            ("one two  three. four", 19, "one"),
            ("onetwothree", 5, "onetwothree"),
            ("\u{e9}t\u{e9} \u{e0} la plage", 9, "\u{e9}t\u{e9} \u{e0}"),
        ] {
            assert_eq!(Cut.part(text, size), part, "{text} {size}");
        }
    }
}
