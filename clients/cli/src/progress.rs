//! How files come forward, on standard error: a bar with speed and time left for people at a terminal, objects with
//! `--json`, otherwise nothing but what is in the way.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use parlor_client::TransferNews;
use parlor_wire::errors::v1::Problem;
use serde_json::json;

use crate::output::notice_line;
use crate::text::one_line;

/// How often an object is printed.
const EACH: Duration = Duration::from_secs(1);
const TEMPLATE: &str = "{prefix} [{bar:24}] {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left {msg}";

/// One file.
pub struct Progress {
    json: bool,
    name: String,
    bar: Option<ProgressBar>,
    begun: bool,
    printed: Option<Instant>,
    waiting: bool,
}

impl Progress {
    pub fn new(json: bool, name: &str) -> Self {
        let name = one_line(name);
        let bar = (!json && stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template(TEMPLATE).expect("a fixed template");
            ProgressBar::new(0).with_style(style.progress_chars("=> ")).with_prefix(name.clone())
        });
        Self { json, name, bar, begun: false, printed: None, waiting: false }
    }

    pub fn tell(&mut self, news: TransferNews) {
        match news {
            TransferNews::Progress(progress) => {
                self.waiting = false;
                self.come(progress.done, progress.total);
            }
            TransferNews::Waits(problem) => self.wait(&problem),
        }
    }

    fn come(&mut self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_message("");
            bar.set_position(done);
            if !std::mem::replace(&mut self.begun, true) {
                bar.reset_eta(); // what was there already says nothing of the speed
            }
        }
        let due = self.printed.is_none_or(|printed| printed.elapsed() >= EACH) || done == total;
        if self.json && due {
            self.printed = Some(Instant::now());
            let object = json!({ "notice": "progress", "file": self.name, "done": done, "total": total });
            notice_line(&object.to_string());
        }
    }

    /// Said once until it goes on.
    fn wait(&mut self, problem: &Problem) {
        let reason = parlor_wire::reason::name(problem.reason());
        if let Some(bar) = &self.bar {
            bar.set_message(format!("({reason}: trying again)"));
        }
        if std::mem::replace(&mut self.waiting, true) {
            return;
        }
        let text = format!("{} waits: {reason}; trying again", self.name);
        if self.json {
            notice_line(&json!({ "notice": "waiting", "message": text }).to_string());
        } else if self.bar.is_none() {
            notice_line(&format!("parlor: {text}"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
