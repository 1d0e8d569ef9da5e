//! Options of what is about files.

use std::path::PathBuf;

use clap::{ArgGroup, Args as Group, Subcommand, ValueEnum};

/// A message: text, files, or a place.
#[derive(Debug, Group)]
#[command(group = ArgGroup::new("said").required(true).multiple(true).args(["text", "files", "location"]))]
pub struct Send {
    /// A person or a group
    #[arg(long)]
    pub to: String,
    /// The message, or what stands under the files; "-" reads standard input, one message per line
    pub text: Option<String>,
    /// Seq of the entry it answers
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub reply_to: u64,
    /// A file to send; several pictures and videos become an album, other files a message each
    ///
    /// Where an upload was cut short the same command again goes on with it, and the message is sent once.
    #[arg(long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What the files are [default: pictures and MP4 videos are shown, all else are files]
    ///
    /// Pictures, voice notes and videos are sent without what they say of places and cameras; a file is sent as it is.
    #[arg(long = "as", value_name = "WHAT", requires = "files")]
    pub what: Option<What>,
    /// A still picture of the video
    #[arg(long, value_name = "FILE", requires = "files")]
    pub poster: Option<PathBuf>,
    /// A place, in degrees north and east
    #[arg(long, value_name = "LAT,LON", value_parser = place, allow_hyphen_values = true,
          conflicts_with_all = ["files", "text"])]
    pub location: Option<(f64, f64)>,
    /// What the place is called
    #[arg(long, requires = "location", default_value = "", hide_default_value = true)]
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// JPEG, PNG, WebP or GIF
    Image,
    /// As it is, byte for byte
    File,
    /// Opus in Ogg, or AAC in M4A
    Voice,
    /// MP4
    Video,
}

/// One of the forms of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// What was uploaded
    Original,
    /// At most 320 pixels a side
    Small,
    /// At most 1280 pixels a side
    Large,
}

/// How a terminal shows pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Pictures {
    /// As the terminal says of itself; blocks if it says nothing, and nothing if it is none
    #[default]
    Auto,
    Kitty,
    Iterm,
    Sixel,
    /// Two coloured pixels to a character
    Blocks,
}

#[derive(Debug, Group)]
pub struct Download {
    /// Its id, as `history` shows it
    pub id: String,
    /// Where to; a folder, or the file itself, which is replaced [default: its own name, in this folder]
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Which form of a picture
    #[arg(long, value_name = "FORM", default_value = "original")]
    pub variant: Form,
}

#[derive(Debug, Subcommand)]
pub enum Avatar {
    /// Give yourself a picture, or a group
    Set {
        /// JPEG, PNG, WebP or GIF, at most 5 MiB
        file: PathBuf,
        /// A group, instead of yourself
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
    /// Take the picture away
    Clear {
        /// A group's, instead of your own
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
}

fn place(text: &str) -> Result<(f64, f64), String> {
    let wrong = || format!("{text:?} is not a place such as 52.52,13.405");
    let (latitude, longitude) = text.split_once(',').ok_or_else(wrong)?;
    let degrees = |text: &str, most: f64| {
        text.trim().parse::<f64>().ok().filter(|degrees| degrees.abs() <= most).ok_or_else(wrong)
    };
    Ok((degrees(latitude, 90.0)?, degrees(longitude, 180.0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lie_on_the_globe() {
        assert_eq!(place("52.52,13.405"), Ok((52.52, 13.405)));
        assert_eq!(place("-33.9, -180"), Ok((-33.9, -180.0)));
        for wrong in ["", "1", "1,", "91,0", "0,181", "NaN,0", "inf,0", "a,b", "1,2,3"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
