//! Colours, by what they say.

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Serialize};

/// Which colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// For a dark background.
    #[default]
    Dark,
    /// For a light background.
    Light,
    /// Those that every terminal has, as its user set them.
    Sixteen,
}

impl Theme {
    /// The next one, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Sixteen,
            Self::Sixteen => Self::Dark,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Sixteen => "16 colours",
        }
    }

    /// What a terminal can show, by what it says of itself.
    #[must_use]
    pub fn of_terminal(colorterm: &str) -> Self {
        if matches!(colorterm, "truecolor" | "24bit") { Self::Dark } else { Self::Sixteen }
    }

    /// Its styles.
    #[must_use]
    pub fn styles(self) -> Styles {
        match self {
            Self::Dark => Styles::of(Palette {
                text: Some(Color::Rgb(0xd8, 0xde, 0xe9)),
                back: Some(Color::Rgb(0x1b, 0x1f, 0x27)),
                quiet: Color::Rgb(0x7b, 0x85, 0x99),
                line: Color::Rgb(0x3b, 0x42, 0x52),
                chosen: Color::Rgb(0x2e, 0x37, 0x4a),
                accent: Color::Rgb(0x8f, 0xbc, 0xff),
                good: Color::Rgb(0x8f, 0xd1, 0x8b),
                warning: Color::Rgb(0xeb, 0xcb, 0x8b),
                bad: Color::Rgb(0xf0, 0x8a, 0x8a),
                people: [
                    (0x8f, 0xbc, 0xff),
                    (0xe5, 0xa8, 0xd8),
                    (0xf2, 0xb0, 0x7f),
                    (0x86, 0xd6, 0xc4),
                    (0xd6, 0xd0, 0x82),
                    (0xb7, 0xa6, 0xf5),
                ]
                .map(rgb),
            }),
            Self::Light => Styles::of(Palette {
                text: Some(Color::Rgb(0x24, 0x29, 0x33)),
                back: Some(Color::Rgb(0xfa, 0xfa, 0xf8)),
                quiet: Color::Rgb(0x6a, 0x72, 0x80),
                line: Color::Rgb(0xc8, 0xcc, 0xd4),
                chosen: Color::Rgb(0xe0, 0xe8, 0xf5),
                accent: Color::Rgb(0x1a, 0x5f, 0xb4),
                good: Color::Rgb(0x2b, 0x7a, 0x2b),
                warning: Color::Rgb(0x96, 0x62, 0x00),
                bad: Color::Rgb(0xb3, 0x26, 0x1e),
                people: [
                    (0x1a, 0x5f, 0xb4),
                    (0x9c, 0x27, 0x80),
                    (0xb0, 0x50, 0x10),
                    (0x0b, 0x72, 0x65),
                    (0x6b, 0x62, 0x00),
                    (0x5b, 0x3f, 0xb8),
                ]
                .map(rgb),
            }),
            Self::Sixteen => Styles::of(Palette {
                text: None,
                back: None,
                quiet: Color::DarkGray,
                line: Color::DarkGray,
                chosen: Color::Reset,
                accent: Color::Cyan,
                good: Color::Green,
                warning: Color::Yellow,
                bad: Color::Red,
                people: [Color::Cyan, Color::Magenta, Color::Yellow, Color::Green, Color::Blue, Color::Red],
            }),
        }
    }
}

fn rgb((red, green, blue): (u8, u8, u8)) -> Color {
    Color::Rgb(red, green, blue)
}

struct Palette {
    text: Option<Color>,
    back: Option<Color>,
    quiet: Color,
    line: Color,
    chosen: Color,
    accent: Color,
    good: Color,
    warning: Color,
    bad: Color,
    people: [Color; 6],
}

/// How each thing looks.
#[derive(Debug, Clone, Copy)]
pub struct Styles {
    /// All that is nothing special.
    pub text: Style,
    /// What is less important: times, last messages.
    pub quiet: Style,
    /// Borders.
    pub line: Style,
    /// What is chosen, laid over its own style.
    pub chosen: Style,
    /// What can be acted on, and titles.
    pub accent: Style,
    /// Something is as it should be: connected, online.
    pub good: Style,
    /// Something is to be known.
    pub warning: Style,
    /// Something failed.
    pub bad: Style,
    /// A number of unread messages.
    pub badge: Style,
    /// The same of a conversation that is muted.
    pub quiet_badge: Style,
    /// The ticks of a message that was read.
    pub read: Style,
    /// Where a search found something.
    pub found: Style,
    people: [Color; 6],
}

impl Styles {
    fn of(palette: Palette) -> Self {
        let plain =
            Style::new().fg(palette.text.unwrap_or(Color::Reset)).bg(palette.back.unwrap_or(Color::Reset));
        let coloured = |colour| plain.fg(colour);
        let chosen = match palette.chosen {
            Color::Reset => Style::reset().add_modifier(Modifier::REVERSED),
            colour => Style::new().bg(colour),
        };
        let accent = coloured(palette.accent);
        Self {
            text: plain,
            quiet: coloured(palette.quiet),
            line: coloured(palette.line),
            chosen,
            accent,
            good: coloured(palette.good),
            warning: coloured(palette.warning),
            bad: coloured(palette.bad),
            badge: accent.add_modifier(Modifier::REVERSED | Modifier::BOLD),
            quiet_badge: coloured(palette.quiet).add_modifier(Modifier::REVERSED),
            read: accent.add_modifier(Modifier::BOLD),
            found: coloured(palette.warning).add_modifier(Modifier::REVERSED),
            people: palette.people,
        }
    }

    /// Everybody has a colour of their own, as far as there are enough.
    #[must_use]
    pub fn person(&self, user: parlor_types::UserId) -> Style {
        let sum: usize = parlor_types::Id::bytes(user).iter().map(|byte| usize::from(*byte)).sum();
        self.text.fg(self.people[sum % self.people.len()]).add_modifier(Modifier::BOLD)
    }
}
