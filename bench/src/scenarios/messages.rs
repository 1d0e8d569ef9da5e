//! Messages between two: 128 pairs, all 256 write.
//!
//! Each message is acked to who sent it and handed to the other, whose acks and marks go back, as the rules of a client
//! say. Compared are bare servers that ack and hand over as well, and keep nothing, a file, or a table.

use anyhow::Result;

use super::traffic::{DELIVERY_P99, FIGURES, MESSAGES, PARLOR, PROCESSOR, Pace, Shape, Traffic};
use super::{Options, folder};
use crate::bare::Keep;
use crate::comparison::Comparison;
use crate::floors::Floor;
use crate::report::Report;

/// Pairs of people.
const PAIRS: usize = 128;
/// What is compared.
const BARE: &[Keep] = &[Keep::Sqlite, Keep::File, Keep::Nothing];
/// How much of the rate of a bare server with a table there has to be.
const RATIO: f64 = 0.5;
/// How late a message may be at that rate, ms; one in a hundred may be later.
const LATE: f64 = 20.0;
/// Messages a second that have to be delivered in time.
const RATE: f64 = 5_000.0;
/// How much of that at least comes through in a window where just that is offered: its ends fall between messages.
const IN_TIME: f64 = 0.99;

/// As many messages as there can be, with so many of each person's unanswered.
pub async fn closed(options: Options, at_once: usize) -> Result<Report> {
    let name = format!("256 people, {at_once} unanswered each");
    let comparison = measured(&options, name, Pace::Closed(at_once)).await?;
    let ratio = comparison.ratio(PARLOR, Keep::Sqlite.name(), MESSAGES)?;
    let cost = comparison.ratio(Keep::Sqlite.name(), PARLOR, PROCESSOR)?;
    let of = |ratio: Option<crate::spread::Spread>| ratio.map_or(f64::NAN, |ratio| ratio.median);
    let floors = vec![
        Floor::at_least(format!("{MESSAGES} of those of bare SQLite"), RATIO, of(ratio)),
        Floor::at_least("messages per server CPU second of those of bare SQLite", RATIO, of(cost)),
    ];
    Ok(Report { comparisons: vec![comparison], floors })
}

/// So many messages a second, whatever becomes of them; each rate by itself.
pub async fn open(options: Options) -> Result<Report> {
    let (mut comparisons, mut floors) = (Vec::new(), Vec::new());
    for rate in &options.rates {
        let name = format!("256 people, {rate} messages a second");
        let comparison = measured(&options, name, Pace::Open(*rate)).await?;
        if *rate >= RATE {
            let through = comparison.spread(PARLOR, MESSAGES)?.median;
            let what = format!("{MESSAGES} where {rate}/s are offered");
            floors.push(Floor::at_least(what, RATE * IN_TIME, through));
            let late = comparison.spread(PARLOR, DELIVERY_P99)?.median;
            floors.push(Floor::at_most(format!("{DELIVERY_P99}, where {rate}/s are offered"), LATE, late));
        }
        comparisons.push(comparison);
    }
    Ok(Report { comparisons, floors })
}

async fn measured(options: &Options, name: String, pace: Pace) -> Result<Comparison> {
    let folder = folder()?;
    let shape = Shape { conversations: PAIRS, size: 2, writers: 2, pace };
    let mut sides = Traffic::sides(options, folder.path(), shape, BARE).await?;
    Comparison::measure(name, FIGURES, &mut sides, options.windows, &options.progress).await
}
