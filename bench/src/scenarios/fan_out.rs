//! One writes, ten read: 22 groups of 11. Compared are bare servers that hand over without keeping anything, and from a
//! table.

use anyhow::Result;

use super::traffic::{FIGURES, Pace, Shape, Traffic};
use super::{Options, folder};
use crate::bare::Keep;
use crate::comparison::Comparison;
use crate::report::Report;

/// Groups, so that there are about as many people as where there are pairs.
const GROUPS: usize = 22;
/// People in one.
const SIZE: usize = 11;
/// Messages of each writer that are unanswered.
const UNANSWERED: usize = 16;
/// What is compared.
const BARE: &[Keep] = &[Keep::Nothing, Keep::Sqlite];

/// See the module.
pub async fn run(options: Options) -> Result<Report> {
    let folder = folder()?;
    let shape = Shape { conversations: GROUPS, size: SIZE, writers: 1, pace: Pace::Closed(UNANSWERED) };
    let mut sides = Traffic::sides(&options, folder.path(), shape, BARE).await?;
    let name = format!("{GROUPS} groups of {SIZE}, {UNANSWERED} unanswered each");
    let comparison = Comparison::measure(name, FIGURES, &mut sides, options.windows, &options.progress);
    Ok(Report { comparisons: vec![comparison.await?], floors: Vec::new() })
}
