//! Many lines.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use parlor_types::Op;

use crate::{Event, Line};

/// What all clients saw, in the order of its times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    lines: Vec<Line>,
    /// Where each line stands, if they come from files: which file, and its number there.
    places: Vec<(usize, usize)>,
    files: Vec<PathBuf>,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// In which file.
    pub file: &'a Path,
    /// Which line of it, from 1.
    pub number: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.number)
    }
}

/// How much there is to a history: a check of little proves little.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines.
    pub lines: usize,
    /// Appends that were asked for.
    pub invoked: usize,
    /// Those of them that were answered as stored.
    pub acked: usize,
    /// Those that were refused for good.
    pub refused: usize,
    /// Attempts without an answer.
    pub unknown: usize,
    /// Entries that somebody took in.
    pub taken_in: usize,
}

impl History {
    /// Of lines in any order; those of one time stay in theirs.
    #[must_use]
    pub fn new(mut lines: Vec<Line>) -> Self {
        lines.sort_by_key(|line| line.at);
        Self { lines, ..Self::default() }
    }

    /// Of the lines of files, in any order: each with the file that it stands in, and its number there.
    pub(crate) fn of_files(files: Vec<PathBuf>, mut lines: Vec<((usize, usize), Line)>) -> Self {
        lines.sort_by_key(|(_, line)| line.at);
        let (places, lines) = lines.into_iter().unzip();
        Self { lines, places, files }
    }

    /// Where one of [`History::lines`] stands; none if it does not come from a file.
    #[must_use]
    pub fn place(&self, line: usize) -> Option<Place<'_>> {
        let (file, number) = *self.places.get(line)?;
        Some(Place { file: self.files.get(file)?, number })
    }

    /// All lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What a client asked for and had no answer to, in the order in which it asked.
    #[must_use]
    pub fn unanswered(&self, client: &str) -> Vec<Op> {
        let mut answered = HashSet::new();
        for line in &self.lines {
            if let Event::Ok { op, .. } | Event::Fail { op, .. } | Event::Owed { op } = &line.event {
                answered.insert(*op);
            }
        }
        let asked = self.lines.iter().filter(|line| &*line.client == client);
        let asked = asked.filter_map(|line| match &line.event {
            Event::Invoke { op, .. } => Some(*op),
            _ => None,
        });
        asked.filter(|op| !answered.contains(op)).collect()
    }

    /// How much there is to it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut acked = HashSet::new();
        let mut all = Summary { lines: self.lines.len(), ..Summary::default() };
        for line in &self.lines {
            match &line.event {
                Event::Invoke { .. } => all.invoked += 1,
                Event::Ok { op, .. } => {
                    acked.insert(*op);
                }
                Event::Fail { .. } => all.refused += 1,
                Event::Unknown { .. } => all.unknown += 1,
                Event::Applied { entries, .. } | Event::Page { entries, .. } => all.taken_in += entries.len(),
                _ => {}
            }
        }
        Summary { acked: acked.len(), ..all }
    }
}
