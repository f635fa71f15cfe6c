//! `mlx-lm generate`.

use super::{AnswerArgs, ModelArgs, terminal};
use clap::Args;
use mlx_lm::{Error, Message, Result};
use std::io::Read;

/// Answer one prompt.
#[derive(Args)]
pub struct Generate {
    #[command(flatten)]
    model: ModelArgs,
    /// The prompt; `-` reads it from standard input.
    #[arg(short, long)]
    prompt: String,
    /// A system message.
    #[arg(long, visible_alias = "system-prompt", conflicts_with = "ignore_chat_template")]
    system: Option<String>,
    /// Continue the prompt as plain text, without the model's chat template.
    #[arg(long, visible_alias = "raw")]
    ignore_chat_template: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl Generate {
    /// Loads the model and prints its answer.
    pub fn run(&self) -> Result<()> {
        let mut prompt = self.prompt.clone();
        if prompt == "-" {
            prompt.clear();
            let failed = |e| Error::msg(format!("Standard input cannot be read: {e}."));
            std::io::stdin().read_to_string(&mut prompt).map_err(failed)?;
        }
        if prompt.is_empty() {
            return Err(Error::msg("The option `--prompt` is empty: it needs at least one character."));
        }
        terminal::catch_interrupts()?;
        let model = self.model.load(self.answer.json)?;
        terminal::answering(true);
        let options = self.answer.options();
        let plain = self.ignore_chat_template || model.tokenizer().chat_template()?.is_none();
        let mut stream = match plain {
            true => model.stream(&prompt, options)?,
            false => model.stream_ids(&model.chat_ids(self.messages(prompt))?, options)?,
        };
        let mut text = String::new();
        while let Some(piece) = stream.next().transpose()? {
            text.push_str(&piece);
            let read = self.answer.json || terminal::print_piece(&piece);
            if !read || terminal::interrupted() {
                stream.cancel();
            }
        }
        let statistics = stream.statistics();
        match self.answer.json {
            true => println!("{}", terminal::answer_json(&text, &statistics)),
            false => {
                println!();
                terminal::print_statistics(&statistics);
            }
        }
        Ok(())
    }

    fn messages(&self, prompt: String) -> Vec<Message> {
        let system = self.system.as_deref().map(Message::system);
        system.into_iter().chain([Message::user(prompt)]).collect()
    }
}
