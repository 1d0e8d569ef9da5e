//! What is said.

use std::time::Duration;

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Ben,
    Cleo,
    Dan,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Ben, Self::Cleo, Self::Dan];

    pub fn username(self) -> &'static str {
        match self {
            Self::Ben => "ben",
            Self::Cleo => "cleo",
            Self::Dan => "dan",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Ben => "Ben",
            Self::Cleo => "Cleo",
            Self::Dan => "Dan 丹",
        }
    }
}

/// What somebody does in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Say(&'static str),
    /// Answers what was said last by somebody else.
    Answer(&'static str),
    /// Words their own last message anew.
    Reword(&'static str),
    /// Takes their own last message away.
    Unsay,
    /// Sends a picture, with a text under it.
    Show(&'static str),
    /// To you alone.
    Whisper(&'static str),
}

/// One after another, each after a moment of typing.
pub const SCENE: &[(Role, Deed)] = &[
    (Role::Ben, Deed::Say("Good morning! Who comes along to the harbour on Saturday?")),
    (Role::Cleo, Deed::Say("I do, if it does not rain :)")),
    (Role::Dan, Deed::Answer("It will not: 晴天 all weekend ☀️")),
    (Role::Ben, Deed::Say("Then let us meet at nine.")),
    (Role::Ben, Deed::Reword("Then let us meet at ten; nobody gets up at nine on a Saturday.")),
    (Role::Cleo, Deed::Show("This is where we go")),
    (Role::Dan, Deed::Say("wrong window, sorry")),
    (Role::Dan, Deed::Unsay),
    (Role::Dan, Deed::Say("My grandmother says: שבת שלום!")),
    (Role::Cleo, Deed::Whisper("Psst! Do not tell Ben, but I am baking a cake for him. Write back?")),
    (Role::Ben, Deed::Say("@you are you with us? Write something: we answer.")),
];

/// What they answer you, in turn.
pub const ANSWERS: &[&str] = &[
    "Wonderful, I am looking forward to it!",
    "That is what I think, too.",
    "Shall we take the boat as well? ⛵",
    "I will tell the others.",
    "Try ↑ and r: it answers a message.",
    "And :sail then Tab brings a boat.",
];

/// How long a moment of typing is, and how long the pause before it.
pub const MOMENTS: (Duration, Duration) = (Duration::from_millis(1_400), Duration::from_millis(1_100));
