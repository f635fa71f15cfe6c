//! `mlx-embed search`.

mod files;
mod index;
mod passages;

use super::ModelArgs;
use super::progress::Progress;
use clap::Args;
use files::File;
use index::{Entry, Index, Key, Place};
use mlx_embed::{Embedder, EncodeOptions, Error, Prompt, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

/// To be raised when passages or their vectors come about in another way.
const VERSION: u32 = 1;

/// How many letters of a passage are shown.
const SHOWN: usize = 80;

/// Find the passages of a folder's texts that are most like a question.
#[derive(Args)]
pub struct Search {
    #[command(flatten)]
    model: ModelArgs,
    /// The folder. Hidden files, and what is no UTF-8 text or larger than 4 MiB, are left out.
    dir: PathBuf,
    /// What to look for.
    #[arg(short, long)]
    query: String,
    /// How many passages to show.
    #[arg(short = 'k', long, default_value_t = 5)]
    top_k: usize,
    /// Print a JSON object in each line.
    #[arg(long)]
    json: bool,
    /// The most tokens of a passage.
    #[arg(long, default_value_t = 200)]
    passage_tokens: usize,
    /// The folder for vectors that are kept from one search to the next [default: mlx-embed in the user's cache folder].
    #[arg(long)]
    cache: Option<PathBuf>,
}

/// A line of JSON.
#[derive(Serialize)]
struct Found<'a> {
    score: f32,
    path: &'a str,
    line: usize,
    text: &'a str,
}

impl Search {
    /// Brings the vectors of the folder up to date and prints the passages that are most alike.
    pub fn run(&self) -> Result<()> {
        let files = files::walk(&self.dir)?;
        let key = self.key()?;
        let kept = self.kept(&key);
        let old = Index::read(&kept, &key).unwrap_or_else(|| Index::empty(key));
        let model = self.model.load()?;
        let index = self.renew(&model, &old, files)?;
        if index != old
            && let Err(e) = index.write(&kept)
        {
            eprintln!("warning: {e} The next search computes the vectors again.");
        }
        let skipped = index.entries.iter().filter(|entry| entry.places.is_none()).count();
        if skipped > 0 {
            eprintln!("{skipped} of {} files are no text", index.entries.len());
        }
        self.print(&self.ranked(&model, &index)?)
    }

    fn key(&self) -> Result<Key> {
        let failed = |e: std::io::Error| Error::msg(format!("{} cannot be read: {e}.", self.dir.display()));
        let folder = self.dir.canonicalize().map_err(failed)?.display().to_string();
        let model = stamp(&self.model.model);
        let dtype = self.model.dtype.map(|dtype| format!("{dtype:?}"));
        Ok(Key { version: VERSION, folder, model, dtype, passage_tokens: self.passage_tokens })
    }

    /// The file of the vectors.
    fn kept(&self, key: &Key) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let folder = self.cache.clone().unwrap_or_else(cache_folder);
        folder.join(format!("search-{:016x}.index", hasher.finish()))
    }

    /// The index of `files`: vectors of files that have not changed are the old ones.
    fn renew(&self, model: &Embedder, old: &Index, files: Vec<File>) -> Result<Index> {
        let known: BTreeMap<&str, (&Entry, &[f32])> =
            old.files().map(|(entry, rows)| (entry.file.path.as_str(), (entry, rows))).collect();
        let (mut entries, mut vectors) = (Vec::new(), Vec::new());
        // New texts, and where the vectors of each file stand or have to stand.
        let (mut texts, mut spans) = (Vec::new(), Vec::new());
        for file in files {
            if let Some((entry, rows)) = known.get(file.path.as_str()).filter(|(entry, _)| entry.file == file) {
                entries.push((*entry).clone());
                spans.push(Err(*rows));
                continue;
            }
            let found = file.text(&self.dir).map(|text| self.passages(model, &text)).transpose()?;
            let places = found.as_ref().map(|found| found.iter().map(Place::of).collect());
            spans.push(Ok(found.as_ref().map_or(0, Vec::len)));
            texts.extend(found.into_iter().flatten().map(|passage| passage.text));
            entries.push(Entry { file, places });
        }
        let progress = Progress::new("passages", Some(texts.len() as u64));
        let options = EncodeOptions { prompt: Prompt::Document, ..EncodeOptions::default() };
        let mut new = model.encode_iter(&texts, &options)?.inspect(|_| progress.step());
        for span in spans {
            match span {
                Err(rows) => vectors.extend_from_slice(rows),
                Ok(count) => {
                    for vector in new.by_ref().take(count) {
                        vectors.extend(vector?);
                    }
                }
            }
        }
        if !texts.is_empty() {
            progress.finish();
        }
        Ok(Index { key: old.key.clone(), dims: model.dims(), entries, vectors })
    }

    fn passages(&self, model: &Embedder, text: &str) -> Result<Vec<passages::Passage>> {
        let tokenizer = model.tokenizer();
        // What stands around a text, and a prompt, take their part of the model's limit.
        let around = tokenizer.encode("", true)?.len() + model.max_tokens() / 8;
        let limit = self.passage_tokens.min(model.max_tokens().saturating_sub(around)).max(1);
        passages::cut(text, limit, |text| Ok(tokenizer.encode(text, false)?.len()))
    }

    /// The passages that are most alike, the best first.
    fn ranked<'a>(&self, model: &Embedder, index: &'a Index) -> Result<Vec<(f32, &'a str, &'a Place)>> {
        let query = model.encode_query(&[&self.query], &EncodeOptions::default())?;
        let rows = index.vectors.chunks_exact(index.dims);
        let score = |((path, place), row)| (model.similarity().of(query.row(0), row), path, place);
        let mut ranked: Vec<(f32, &str, &Place)> = index.places().zip(rows).map(score).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranked.truncate(self.top_k);
        Ok(ranked)
    }

    fn print(&self, ranked: &[(f32, &str, &Place)]) -> Result<()> {
        let mut out = String::new();
        let failed = |e: std::io::Error| Error::msg(format!("Standard output cannot be written: {e}."));
        for (score, path, Place { line, words }) in ranked {
            let path = self.dir.join(path).display().to_string();
            let found = Found { score: *score, path: &path, line: *line, text: words };
            out.push_str(&match self.json {
                true => serde_json::to_string(&found).map_err(|e| failed(e.into()))?,
                false => format!("{score:.4}  {path}:{line}  {words}"),
            });
            out.push('\n');
        }
        std::io::stdout().write_all(out.as_bytes()).map_err(failed)
    }
}

impl Place {
    fn of(passage: &passages::Passage) -> Self {
        let words = passage.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let end = words.char_indices().nth(SHOWN).map_or(words.len(), |(at, _)| at);
        Self { line: passage.line, words: words[..end].to_owned() }
    }
}

/// The files of a model's folder, with their lengths and times: another model in the same place has others.
fn stamp(model: &Path) -> String {
    let files = files::walk(model).map(|files| format!("{files:?}")).unwrap_or_default();
    format!("{} {files}", model.canonicalize().unwrap_or(model.to_owned()).display())
}

fn cache_folder() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let of_home = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    let folder = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(of_home)));
    folder.unwrap_or_else(std::env::temp_dir).join("mlx-embed")
}
