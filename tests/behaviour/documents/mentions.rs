//! Commands in running text: their subcommands and options are held against the `--help` of the program.

use std::collections::HashMap;
use std::process::Command;

use parlor_tests::programs;

const PROGRAMS: [&str; 6] = ["parlor", "parlor-server", "auth-svc", "chat-svc", "presence-svc", "media-svc"];

/// The help that was read, by program and subcommand.
#[derive(Default)]
pub struct Helps(HashMap<String, String>);

impl Helps {
    /// What is wrong with `code`, if it is a command of ours.
    pub fn fault(&mut self, code: &str) -> Option<String> {
        let mut words = code.split_whitespace().filter(|word| !word.starts_with("PARLOR_"));
        let mut place = words.next().filter(|program| PROGRAMS.contains(program))?.to_owned();
        let mut takes_operands = false;
        let mut help = self.help(&place);
        while let Some(word) = words.next() {
            // What stands behind these is for the shell.
            if matches!(word, "|" | "&" | ";" | ">" | "<" | "&&") {
                break;
            }
            if let Some(option) = word.strip_prefix('-').filter(|option| !option.is_empty()) {
                let name = word.split('=').next().unwrap_or(word);
                let Some(wants_value) = option_in(&help, name) else {
                    return Some(format!("`{place}` has no option {name}"));
                };
                if wants_value && !option.contains('=') {
                    words.next();
                }
            } else if is_command_in(&help, word) {
                place = format!("{place} {word}");
                help = self.help(&place);
                takes_operands = !help.contains("\nCommands:");
            } else if !takes_operands {
                return Some(format!("`{place}` has no command {word}"));
            }
        }
        None
    }

    fn help(&mut self, place: &str) -> String {
        self.0.entry(place.to_owned()).or_insert_with(|| help(place)).clone()
    }
}

fn help(place: &str) -> String {
    let mut words = place.split(' ');
    let program = programs().join(words.next().unwrap_or_default());
    let output = Command::new(&program).args(words).arg("--help").output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(output.status.success(), "{place} --help: {}", output.status);
    String::from_utf8(output.stdout).expect("help is text")
}

/// Whether option `name` wants a value; none, if there is no such option.
fn option_in(help: &str, name: &str) -> Option<bool> {
    let line = help.lines().map(str::trim_start).filter(|line| line.starts_with('-')).find(|line| {
        let names = line.split("  ").next().unwrap_or_default();
        names.split([',', ' ', '=', '[']).any(|word| word.trim_end_matches("...") == name)
    })?;
    Some(line.split("  ").next().unwrap_or_default().contains('<'))
}

fn is_command_in(help: &str, word: &str) -> bool {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    commands
        .take_while(|line| !line.is_empty())
        .any(|line| line.strip_prefix("  ").is_some_and(|line| line.split(' ').next() == Some(word)))
}

#[test]
fn a_command_that_is_not_there_is_told() {
    let mut helps = Helps::default();
    for good in [
        "ls --nothing",
        "parlor-server",
        "parlor-server backup DIR",
        "parlor-server --data D restore DIR",
        "auth-svc --data=D service-account create NAME --internal",
        "parlor --profile ada send --to @ben hello",
        "parlor-server --help | less --nothing",
    ] {
        assert_eq!(helps.fault(good), None, "{good}");
    }
    let fault = |code: &str, helps: &mut Helps| helps.fault(code).unwrap_or_default();
    assert_eq!(fault("parlor-server bakup DIR", &mut helps), "`parlor-server` has no command bakup");
    assert_eq!(fault("parlor-server --dat D", &mut helps), "`parlor-server` has no option --dat");
    assert_eq!(
        fault("parlor-server service-account remove", &mut helps),
        "`parlor-server service-account` has no command remove"
    );
    assert_eq!(fault("parlor send --nothing", &mut helps), "`parlor send` has no option --nothing");
}
