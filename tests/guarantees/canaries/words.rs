//! Words that stand nowhere else, and the search for them.

use parlor_types::Op;

/// A word about `what` that was never said before.
pub fn word(what: &str) -> String {
    let random = Op::new().to_string();
    format!("canary{}{}", what.replace(' ', ""), &random[28..])
}

/// All that may be found nowhere.
#[derive(Default)]
pub struct Words(Vec<String>);

impl Words {
    /// A word to be said.
    pub fn say(&mut self, what: &str) -> String {
        let word = word(what);
        self.add(&word);
        word
    }

    /// Somebody's secret.
    pub fn add(&mut self, secret: &str) {
        assert!(secret.len() >= 8, "{secret:?} may be anywhere by chance");
        self.0.push(secret.to_owned());
    }

    /// Those that are in `bytes`, in upper or lower case, and in which line.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        let find = |word: &String| {
            let line = text.lines().find(|line| line.contains(&word.to_lowercase()))?;
            Some(format!("{word}: {}", line.chars().take(400).collect::<String>()))
        };
        self.0.iter().filter_map(find).collect()
    }
}

/// The code in a mail.
pub fn code_in(mail: &str) -> Option<String> {
    let (_, after) = mail.split_once("Your code is ")?;
    after.get(..8).map(str::to_owned)
}

#[test]
fn what_was_said_is_found_in_any_case_and_nothing_else_is() {
    let mut words = Words::default();
    let said = words.say("text");
    assert_eq!(words.found_in(word("text").as_bytes()), Vec::<String>::new());
    assert_eq!(words.found_in(format!("a\nb {} c", said.to_uppercase()).as_bytes()).len(), 1);
}
