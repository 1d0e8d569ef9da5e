//! Passwords: asked for without showing them, or from standard input.

use std::io::{self, BufRead as _};

use crate::outcome::{Failure, Outcome};

/// The present password.
pub fn ask(prompt: &str, from_stdin: bool) -> Outcome<String> {
    if from_stdin { line() } else { hidden(prompt) }
}

/// A new password, typed twice.
pub fn ask_new(prompt: &str, from_stdin: bool) -> Outcome<String> {
    if from_stdin {
        return line();
    }
    let first = hidden(prompt)?;
    if hidden("Again: ")? != first {
        return Err(Failure::Usage("the two passwords are not the same".to_owned()));
    }
    Ok(first)
}

fn hidden(prompt: &str) -> Outcome<String> {
    rpassword::prompt_password(prompt).map_err(|error| {
        let way_out = "no terminal to ask for the password: give it with --password-stdin";
        Failure::Usage(format!("{way_out} ({error})"))
    })
}

fn line() -> Outcome<String> {
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(Failure::Usage("standard input has no password".to_owned()));
    }
    let without_end = line.strip_suffix('\n').unwrap_or(&line);
    Ok(without_end.strip_suffix('\r').unwrap_or(without_end).to_owned())
}
