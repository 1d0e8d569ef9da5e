//! What strace took down, in the order it happened.

use std::collections::HashMap;

/// A system call. Where its line stands is when it was entered; where it was resumed, when it came back.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    name: String,
    /// The file or socket, as strace names it, and the rest of the arguments.
    arguments: String,
    entered: usize,
    returned: Option<usize>,
    succeeded: bool,
}

/// All system calls of a process.
#[derive(Debug, Default)]
pub struct Trace {
    calls: Vec<Call>,
}

/// Whether the last line says that the process is gone.
pub fn is_whole(text: &str) -> bool {
    text.lines().last().is_some_and(|line| line.contains("+++ exited with") || line.contains("+++ killed by"))
}

impl Trace {
    pub fn parse(text: &str) -> Self {
        let mut calls: Vec<Call> = Vec::new();
        let mut unfinished: HashMap<&str, usize> = HashMap::new();
        for (at, line) in text.lines().enumerate() {
            let Some((thread, rest)) = line.split_once(' ') else { continue };
            let rest = rest.trim_start();
            if let Some((_, result)) = rest.split_once(" resumed>") {
                if let Some(index) = unfinished.remove(thread) {
                    // What was received is told only now.
                    calls[index].arguments.push_str(result);
                    calls[index].returned = Some(at);
                    calls[index].succeeded = succeeded(result);
                }
                continue;
            }
            let Some((name, arguments)) = rest.split_once('(') else { continue };
            let is_unfinished = arguments.ends_with("<unfinished ...>");
            if is_unfinished {
                unfinished.insert(thread, calls.len());
            }
            calls.push(Call {
                name: name.to_owned(),
                arguments: arguments.to_owned(),
                entered: at,
                returned: (!is_unfinished).then_some(at),
                succeeded: !is_unfinished && succeeded(arguments),
            });
        }
        Self { calls }
    }

    /// What is wrong with the append that says `marker`: from when it was asked for, it must be in the store's log, and
    /// that synced, before anything that names its conversation goes to a socket.
    pub fn synced_before_told(&self, marker: &str, conversation: &str) -> Result<(), String> {
        let is_asked = |call: &&Call| call.is_receive() && call.arguments.contains(marker);
        let asked = self.calls.iter().find(is_asked).ok_or("nobody asked for it")?;
        let asked = asked.returned.ok_or("asking for it never came back")?;
        let after = || self.calls.iter().filter(|call| call.entered > asked);
        let is_first = |call: &&Call| call.is_log_write() && call.arguments.contains(marker);
        let first = after().find(is_first).ok_or("it was never written to the log of the store")?;
        let names_it = |call: &&Call| call.is_send() && call.arguments.contains(conversation);
        let told = after().find(names_it).ok_or("nobody was told of it")?;
        if told.entered < first.entered {
            return Err(format!("told in line {} and written in line {}", told.entered, first.entered));
        }
        let before_told = self.calls.iter().filter(|call| call.entered < told.entered);
        let written = before_told.clone().rfind(|call| call.is_log_write());
        let written = written.and_then(|call| call.returned).ok_or("its write had not come back")?;
        let is_synced = before_told.clone().any(|call| {
            call.is_log_sync()
                && call.entered > written
                && call.succeeded
                && call.returned.is_some_and(|returned| returned < told.entered)
        });
        if is_synced { Ok(()) } else { Err(format!("told in line {}, not synced before", told.entered)) }
    }
}

impl Call {
    fn is_of_log(&self) -> bool {
        self.arguments.split_once('>').is_some_and(|(file, _)| file.ends_with("/chat.db-wal"))
    }

    fn is_log_write(&self) -> bool {
        matches!(self.name.as_str(), "pwrite64" | "write" | "writev") && self.is_of_log()
    }

    fn is_log_sync(&self) -> bool {
        matches!(self.name.as_str(), "fdatasync" | "fsync") && self.is_of_log()
    }

    fn is_of_socket(&self) -> bool {
        let file = self.arguments.split_once('<').map_or("", |(_, file)| file);
        ["socket:", "TCP:", "TCPv6:"].iter().any(|kind| file.starts_with(kind))
    }

    fn is_receive(&self) -> bool {
        self.is_of_socket() && matches!(self.name.as_str(), "read" | "readv" | "recvfrom" | "recvmsg")
    }

    fn is_send(&self) -> bool {
        self.is_of_socket() && matches!(self.name.as_str(), "write" | "writev" | "sendto" | "sendmsg")
    }
}

fn succeeded(text: &str) -> bool {
    let result = text.rsplit_once(" = ").map(|(_, result)| result.trim_start());
    result.is_some_and(|result| result.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str =
        r#"8 recvfrom(5<TCP:[127.0.0.1:1->127.0.0.1:2]>, "\0tea milk", 8192, 0, NULL, NULL) = 9"#;
    const WRITE: &str = r#"7 pwrite64(9</d/chat.db-wal>, "\0\1 tea milk", 4096, 32) = 4096"#;
    const MORE: &str = r#"7 pwrite64(9</d/chat.db-wal>, "\0\2", 4096, 4160) = 4096"#;
    const SYNC: &str = "7 fdatasync(9</d/chat.db-wal>) = 0";
    const TOLD: &str = r#"8 writev(5<TCP:[127.0.0.1:1->127.0.0.1:2]>, [{"\0tea", 4}], 1) = 4"#;

    fn check(lines: &[&str]) -> Result<(), String> {
        let lines = [&[TOLD, ASKED], lines].concat();
        Trace::parse(&lines.join("\n")).synced_before_told("milk", "tea")
    }

    #[test]
    fn a_sync_in_between_is_what_is_wanted() {
        assert_eq!(check(&[WRITE, MORE, SYNC, TOLD]), Ok(()));
        let [enter, back] = ["7 fsync(9</d/chat.db-wal> <unfinished ...>", "7 <... fsync resumed>) = 0"];
        assert_eq!(check(&[WRITE, enter, back, TOLD]), Ok(()));
        check(&[WRITE, enter, TOLD, back]).unwrap_err();
    }

    #[test]
    fn what_was_received_may_be_told_later() {
        let [enter, back] = [
            "9 recvfrom(5<TCP:[127.0.0.1:1->127.0.0.1:2]>,  <unfinished ...>",
            r#"9 <... recvfrom resumed>"milk for tea", 8192, 0, NULL, NULL) = 12"#,
        ];
        let lines = [TOLD, enter, TOLD, back, WRITE, SYNC, TOLD].join("\n");
        assert_eq!(Trace::parse(&lines).synced_before_told("milk", "tea"), Ok(()));
        let lines = [enter, back, WRITE, TOLD, SYNC].join("\n");
        Trace::parse(&lines).synced_before_told("milk", "tea").unwrap_err();
    }

    #[test]
    fn anything_else_is_found() {
        check(&[SYNC, TOLD]).unwrap_err();
        check(&[WRITE, SYNC]).unwrap_err();
        check(&[WRITE, TOLD]).unwrap_err();
        check(&[SYNC, WRITE, TOLD, SYNC]).unwrap_err();
        check(&[WRITE, SYNC, MORE, TOLD]).unwrap_err();
        check(&[WRITE, "7 fdatasync(9</d/chat.db-wal>) = -1 EIO (Input/output error)", TOLD]).unwrap_err();
        check(&[WRITE, "7 fdatasync(9</d/auth.db-wal>) = 0", TOLD]).unwrap_err();
        let [enter, back] =
            [r#"7 pwrite64(9</d/chat.db-wal>, "milk" <unfinished ...>"#, "7 <... pwrite64 resumed>) = 4"];
        check(&[enter, SYNC, back, TOLD]).unwrap_err();
        let early = r#"8 sendto(5<socket:[77]>, "tea", 4) = 4"#;
        check(&[early, WRITE, SYNC, TOLD]).unwrap_err();
        check(&[TOLD, WRITE, SYNC, TOLD]).unwrap_err();
    }

    #[test]
    fn a_trace_that_goes_on_is_not_whole() {
        assert!(is_whole("7 fsync(3) = 0\n7 +++ exited with 0 +++"));
        assert!(is_whole("7 +++ killed by SIGKILL +++"));
        assert!(!is_whole("7 fsync(3) = 0"));
    }
}
