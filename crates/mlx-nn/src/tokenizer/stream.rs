//! Streaming detokenization.

use super::Tokenizer;
use super::pieces::Kind;
use crate::Result;

/// Turns ids into text as they come. The pieces, joined, are what [`Tokenizer::decode`] gives for all ids.
///
/// A piece never ends inside a character: bytes wait until the character is whole or can no longer become valid. With
/// SentencePiece, a run of byte tokens waits for its end, since one bad byte makes the whole run U+FFFD.
pub struct Detokenizer {
    tokenizer: Tokenizer,
    skip_special: bool,
    /// Bytes that may still become a character, or a run of byte tokens.
    held: Vec<u8>,
    /// False once text has come out, so that a leading space can be dropped.
    at_start: bool,
    window: Window,
}

/// Ids decoded together by decoders that need their neighbours.
#[derive(Default)]
struct Window {
    ids: Vec<u32>,
    /// Ids before this one are context only, and their text is out.
    done: usize,
    /// Bytes of the window's text that are out.
    shown: usize,
}

/// A window with no output for this many ids gives what it has, so that work per token stays bounded.
const PATIENCE: usize = 32;

impl Detokenizer {
    pub(super) fn new(tokenizer: Tokenizer) -> Self {
        Self { tokenizer, skip_special: true, held: Vec::new(), at_start: true, window: Window::default() }
    }

    /// Shows special tokens such as `<|im_end|>` in the text.
    pub fn keep_special(mut self) -> Self {
        self.skip_special = false;
        self
    }

    /// The text that `id` completes, often empty. Ids outside the vocabulary give nothing, as in `decode`.
    pub fn push(&mut self, id: u32) -> Result<String> {
        let inner = self.tokenizer.0.clone();
        let Some(piece) = inner.pieces.get(id).filter(|piece| !(piece.special && self.skip_special)) else {
            return Ok(String::new());
        };
        let mut out = String::new();
        match inner.pieces.kind {
            Kind::ByteLevel => {
                self.held.extend(piece.bytes);
                drain_lossy(&mut self.held, &mut out);
            }
            Kind::Spm { .. } if piece.is_byte => self.held.extend(piece.bytes),
            Kind::Spm { strip } => {
                self.end_run(&mut out);
                out.push_str(&String::from_utf8_lossy(piece.bytes));
                self.strip_start(&mut out, strip);
            }
            Kind::Window => return self.push_window(id),
        }
        Ok(out)
    }

    /// The text still held back. The sequence ends here.
    pub fn finish(mut self) -> Result<String> {
        let mut out = String::new();
        match self.tokenizer.0.pieces.kind {
            Kind::ByteLevel => out.push_str(&String::from_utf8_lossy(&self.held)),
            Kind::Spm { strip } => {
                self.end_run(&mut out);
                self.strip_start(&mut out, strip);
            }
            Kind::Window => {
                let text = self.tokenizer.decode(&self.window.ids, self.skip_special)?;
                out.push_str(text.get(self.window.shown..).unwrap_or_default());
            }
        }
        Ok(out)
    }

    /// The run of byte tokens is over: valid UTF-8, or one U+FFFD for each byte.
    fn end_run(&mut self, out: &mut String) {
        match std::str::from_utf8(&self.held) {
            Ok(text) => out.push_str(text),
            Err(_) => out.extend(std::iter::repeat_n('\u{fffd}', self.held.len())),
        }
        self.held.clear();
    }

    fn strip_start(&mut self, out: &mut String, strip: bool) {
        if self.at_start && !out.is_empty() {
            self.at_start = false;
            if strip && out.starts_with(' ') {
                out.remove(0);
            }
        }
    }

    fn push_window(&mut self, id: u32) -> Result<String> {
        let window = &mut self.window;
        window.ids.push(id);
        let text = self.tokenizer.decode(&window.ids, self.skip_special)?;
        let fresh = text.get(window.shown..).unwrap_or_default();
        let waiting = window.ids.len() - window.done < PATIENCE;
        // A trailing U+FFFD may be the first half of a character.
        if waiting && (fresh.is_empty() || fresh.ends_with('\u{fffd}')) {
            return Ok(String::new());
        }
        let out = fresh.to_owned();
        // The ids just shown stay as context for the next ones.
        window.ids.drain(..window.done);
        window.done = window.ids.len();
        window.shown = self.tokenizer.decode(&window.ids, self.skip_special)?.len();
        Ok(out)
    }
}

/// Moves whole characters from `held` to `out`; bytes that can no longer become one are U+FFFD. Joined over all calls
/// this equals `String::from_utf8_lossy` of all bytes, but for an unfinished end, which stays.
fn drain_lossy(held: &mut Vec<u8>, out: &mut String) {
    let mut rest = held.as_slice();
    loop {
        let error = match std::str::from_utf8(rest) {
            Ok(text) => {
                out.push_str(text);
                rest = &[];
                break;
            }
            Err(error) => error,
        };
        let (valid, after) = rest.split_at(error.valid_up_to());
        out.push_str(&String::from_utf8_lossy(valid));
        rest = after;
        let Some(bad) = error.error_len() else { break };
        out.push('\u{fffd}');
        rest = &rest[bad..];
    }
    let kept = held.len() - rest.len();
    held.drain(..kept);
}
