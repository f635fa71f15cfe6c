//! `mlx-lm chat`.

use super::{AnswerArgs, ModelArgs, terminal};
use clap::Args;
use mlx_lm::{Error, Result};
use std::io::{BufRead, IsTerminal, Write};

/// Talk with a model.
#[derive(Args)]
pub struct Chat {
    #[command(flatten)]
    model: ModelArgs,
    /// A system message.
    #[arg(long, visible_alias = "system-prompt")]
    system: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

const HELP: &str = "Type a message and press Enter. /reset forgets the conversation, /quit or Ctrl-D ends it, \
                    Ctrl-C ends an answer.";

impl Chat {
    /// Reads messages line by line and answers each.
    pub fn run(&self) -> Result<()> {
        terminal::catch_interrupts()?;
        let model = self.model.load(self.answer.json)?;
        let person = std::io::stdin().is_terminal() && !self.answer.json;
        if person {
            eprintln!("{HELP}");
        }
        let mut chat = model.chat();
        if let Some(system) = &self.system {
            chat = chat.system(system);
        }
        let mut lines = std::io::stdin().lock().lines();
        loop {
            if person {
                eprint!(">> ");
                std::io::stderr().flush().ok();
            }
            let Some(line) = lines.next() else { return Ok(()) };
            let line = line.map_err(|e| Error::msg(format!("Standard input cannot be read: {e}.")))?;
            match line.trim() {
                "" => continue,
                "/quit" | "/q" => return Ok(()),
                "/reset" | "/r" => chat.reset(),
                "/help" | "/h" => eprintln!("{HELP}"),
                message => self.answer(&mut chat, message, person)?,
            }
        }
    }

    fn answer(&self, chat: &mut mlx_lm::Chat<'_>, message: &str, person: bool) -> Result<()> {
        terminal::answering(true);
        let mut answer = match chat.ask(message, self.answer.options()) {
            Ok(answer) => answer,
            Err(e) if person => {
                // A person can ask something else.
                eprintln!("error: {e}");
                terminal::answering(false);
                return Ok(());
            }
            Err(e) => return Err(e),
        };
        while let Some(piece) = answer.next().transpose()? {
            let read = self.answer.json || terminal::print_piece(&piece);
            if !read || terminal::interrupted() {
                answer.cancel();
            }
        }
        terminal::answering(false);
        match self.answer.json {
            true => println!("{}", terminal::answer_json(answer.text(), &answer.statistics())),
            false => {
                println!();
                terminal::print_statistics(&answer.statistics());
            }
        }
        Ok(())
    }
}
