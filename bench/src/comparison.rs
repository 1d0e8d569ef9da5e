//! Several servers that do the same, measured in turns, so that what else the machine does befalls all of them.

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;

use crate::machine::BusyTime;
use crate::progress::Progress;
use crate::spread::Spread;

/// A number that each window has.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// What it is, with its unit.
    pub name: &'static str,
    /// Digits behind the point, where people read it.
    pub decimals: usize,
    /// In the table, and not in the JSON alone.
    pub shown: bool,
    /// With its ratio to each of the other sides.
    pub compared: bool,
}

impl Figure {
    /// In the table.
    pub const fn shown(name: &'static str, decimals: usize) -> Self {
        Self { name, decimals, shown: true, compared: false }
    }

    /// In the table, with ratios.
    pub const fn compared(name: &'static str, decimals: usize) -> Self {
        Self { name, decimals, shown: true, compared: true }
    }

    /// In the JSON.
    pub const fn kept(name: &'static str, decimals: usize) -> Self {
        Self { name, decimals, shown: false, compared: false }
    }
}

/// One of those that are compared.
#[async_trait]
pub trait Contestant: Send {
    /// What it goes by.
    fn name(&self) -> &'static str;

    /// Measures a window: a value for each figure, in their order.
    async fn window(&mut self) -> Result<Vec<f64>>;
}

/// What came of it.
#[derive(Debug)]
pub struct Comparison {
    /// What was done.
    pub name: String,
    /// What was measured of each window.
    pub figures: &'static [Figure],
    /// `parlor-server` first.
    pub sides: Vec<Side>,
    /// Of each turn, the share of the machine's processor time that went to what has nothing to do with it.
    pub elsewhere: Vec<f64>,
}

/// One of those that were compared.
#[derive(Debug)]
pub struct Side {
    /// What it goes by.
    pub name: &'static str,
    /// Of each window, a value for each figure.
    pub windows: Vec<Vec<f64>>,
}

impl Comparison {
    /// Lets each have one window that does not count, then `windows` that do.
    pub async fn measure(
        name: String,
        figures: &'static [Figure],
        contestants: &mut [Box<dyn Contestant>],
        windows: u32,
        progress: &Progress,
    ) -> Result<Self> {
        let names = contestants.iter().map(|contestant| contestant.name());
        let sides = names.map(|name| Side { name, windows: Vec::new() }).collect();
        let mut comparison = Self { name, figures, sides, elsewhere: Vec::new() };
        progress.windows(&comparison.name, (windows as usize + 1) * contestants.len());
        for turn in 0..=windows as usize {
            let busy = BusyTime::now()?;
            for place in 0..contestants.len() {
                // Who begins changes from turn to turn.
                let index = (turn + place) % contestants.len();
                let contestant = &mut contestants[index];
                let values = contestant.window().await;
                let values = values.with_context(|| format!("{}, {}", comparison.name, contestant.name()))?;
                ensure!(values.len() == figures.len(), "a window has a value for each figure");
                if turn > 0 {
                    comparison.sides[index].windows.push(values);
                }
                progress.window_done();
            }
            if turn > 0 {
                comparison.elsewhere.push(BusyTime::now()?.elsewhere_since(busy));
            }
        }
        Ok(comparison)
    }

    /// The place of a figure; a name that is not there is a mistake of this program.
    fn place(&self, figure: &str) -> Result<usize> {
        let place = self.figures.iter().position(|known| known.name == figure);
        place.with_context(|| format!("no figure is called {figure}"))
    }

    fn side(&self, name: &str) -> Result<&Side> {
        self.sides.iter().find(|side| side.name == name).with_context(|| format!("no side is called {name}"))
    }

    /// What a side's windows say of a figure.
    pub fn spread(&self, side: &str, figure: &str) -> Result<Spread> {
        Spread::of(&self.side(side)?.values(self.place(figure)?)).context("there is at least one window")
    }

    /// How much of a figure of `theirs` there is on the side `ours`; `None` where they have nothing of it.
    pub fn ratio(&self, ours: &str, theirs: &str, figure: &str) -> Result<Option<Spread>> {
        let place = self.place(figure)?;
        Ok(Spread::of_ratios(&self.side(ours)?.values(place), &self.side(theirs)?.values(place)))
    }
}

impl Side {
    /// Of each window, the value of the figure at this place.
    pub fn values(&self, place: usize) -> Vec<f64> {
        self.windows.iter().map(|window| window[place]).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const FIGURES: &[Figure] = &[Figure::compared("size", 0)];

    struct Counter {
        name: &'static str,
        said: f64,
        order: Arc<Mutex<Vec<&'static str>>>,
    }

    #[async_trait]
    impl Contestant for Counter {
        fn name(&self) -> &'static str {
            self.name
        }

        async fn window(&mut self) -> Result<Vec<f64>> {
            self.order.lock().unwrap().push(self.name);
            self.said += 1.0;
            Ok(vec![self.said])
        }
    }

    #[tokio::test]
    async fn they_take_turns_and_the_first_window_does_not_count() {
        let order = Arc::default();
        let counter = |name, said| Box::new(Counter { name, said, order: Arc::clone(&order) });
        let mut contestants: Vec<Box<dyn Contestant>> = vec![counter("ours", 0.0), counter("theirs", 10.0)];
        let (name, progress) = ("sizes".to_owned(), Progress::hidden());
        let measured = Comparison::measure(name, FIGURES, &mut contestants, 3, &progress).await.unwrap();
        assert_eq!(measured.side("ours").unwrap().values(0), [2.0, 3.0, 4.0]);
        assert_eq!(measured.spread("theirs", "size").unwrap().min, 12.0);
        let ratio = measured.ratio("ours", "theirs", "size").unwrap().unwrap();
        assert!((ratio.median - 3.0 / 13.0).abs() < 1e-9, "{ratio:?}");
        assert_eq!(measured.elsewhere.len(), 3);
        let order = order.lock().unwrap().clone();
        assert_eq!(order[..4], ["ours", "theirs", "theirs", "ours"]);
        measured.spread("ours", "weight").unwrap_err();
        measured.spread("nobody", "size").unwrap_err();
    }
}
