//! What was found out, for people and for programs.

use std::fmt::{self, Write as _};

use anyhow::Result;
use serde_json::{Value, json};

use crate::comparison::{Comparison, Figure};
use crate::floors::Floor;
use crate::spread::Spread;

/// What a scenario found out.
#[derive(Debug)]
pub struct Report {
    /// What was compared.
    pub comparisons: Vec<Comparison>,
    /// What that had to reach.
    pub floors: Vec<Floor>,
}

impl Report {
    /// For programs: every window.
    pub fn json(&self) -> Result<Value> {
        let comparisons = self.comparisons.iter().map(comparison_json).collect::<Result<Vec<_>>>()?;
        Ok(json!({ "comparisons": comparisons, "floors": self.floors }))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for comparison in &self.comparisons {
            writeln!(f, "{}", table(comparison).map_err(|_| fmt::Error)?)?;
        }
        for floor in &self.floors {
            writeln!(f, "{floor}")?;
        }
        Ok(())
    }
}

fn comparison_json(comparison: &Comparison) -> Result<Value> {
    let ours = comparison.sides[0].name;
    let mut figures = Vec::new();
    for (place, figure) in comparison.figures.iter().enumerate() {
        let mut sides = Vec::new();
        for side in &comparison.sides {
            let ratio = match figure.compared && side.name != ours {
                true => comparison.ratio(ours, side.name, figure.name)?,
                false => None,
            };
            sides.push(json!({
                "side": side.name,
                "windows": side.values(place),
                "spread": comparison.spread(side.name, figure.name)?,
                "ratio_of_ours": ratio,
            }));
        }
        figures.push(json!({ "figure": figure.name, "sides": sides }));
    }
    let elsewhere = Spread::of(&comparison.elsewhere);
    Ok(json!({ "name": comparison.name, "figures": figures, "share_of_others": elsewhere }))
}

/// The median of each figure with the lowest and the highest; below it, where that says something, the median of the ratios.
fn table(comparison: &Comparison) -> Result<Table> {
    let names = comparison.sides.iter().map(|side| side.name.to_owned());
    let mut rows = vec![[comparison.name.clone()].into_iter().chain(names).collect::<Vec<_>>()];
    let ours = comparison.sides[0].name;
    for figure in comparison.figures.iter().filter(|figure| figure.shown) {
        let mut row = vec![format!("  {}", figure.name)];
        for side in &comparison.sides {
            row.push(cell(figure, comparison.spread(side.name, figure.name)?));
        }
        rows.push(row);
        if figure.compared {
            let mut row = vec![format!("    {ours} to it"), String::new()];
            for side in &comparison.sides[1..] {
                let ratio = comparison.ratio(ours, side.name, figure.name)?;
                row.push(ratio.map_or_else(String::new, |ratio| format!("x {:.2}", ratio.median)));
            }
            rows.push(row);
        }
    }
    if let Some(elsewhere) = Spread::of(&comparison.elsewhere) {
        let text = |share: f64| format!("{:.0} %", share * 100.0);
        let Spread { min, median, max } = elsewhere;
        let row = ["  processors used by others".to_owned(), text(median)];
        rows.push(row.into_iter().chain([format!("{} to {}", text(min), text(max))]).collect());
    }
    Ok(Table(rows))
}

fn cell(figure: &Figure, spread: Spread) -> String {
    let Spread { min, median, max } = spread;
    let decimals = figure.decimals;
    format!("{median:.decimals$} ({min:.decimals$} to {max:.decimals$})")
}

/// Rows of cells, the first of them the head.
struct Table(Vec<Vec<String>>);

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column| self.0.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
        for row in &self.0 {
            let mut line = String::new();
            for (column, cell) in (0..columns).zip(row) {
                let width = width(column);
                // Names to the left, numbers to the right.
                if column == 0 { write!(line, "{cell:<width$}")? } else { write!(line, "  {cell:>width$}")? }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Side;

    const FIGURES: &[Figure] = &[Figure::compared("MiB/s", 1), Figure::kept("chairs", 0)];

    fn measured() -> Report {
        let side = |name, windows: [f64; 3]| Side {
            name,
            windows: windows.iter().map(|rate| vec![*rate, 4.0]).collect(),
        };
        let sides = vec![side("ours", [99.0, 98.0, 101.0]), side("bare", [100.5, 49.0, 404.0])];
        let elsewhere = vec![0.25, 0.0, 0.5];
        let comparison = Comparison { name: "uploads".to_owned(), figures: FIGURES, sides, elsewhere };
        Report { comparisons: vec![comparison], floors: vec![Floor::at_least("speed", 90.0, 99.0)] }
    }

    #[test]
    fn columns_stand_below_each_other() {
        let text = measured().to_string();
        let expected = "\
uploads                                    ours                  bare
  MiB/s                    99.0 (98.0 to 101.0)  100.5 (49.0 to 404.0)
    ours to it                                                  x 0.99
  processors used by others                25 %           0 % to 50 %

reached: speed, at least 90: 99.00
";
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(&text), squeeze(expected));
        let ends: Vec<usize> = text.lines().take(2).map(str::len).collect();
        assert_eq!(ends[0], ends[1], "{text}");
    }

    #[test]
    fn programs_get_every_window() {
        let json = measured().json().unwrap();
        let figures = &json["comparisons"][0]["figures"];
        assert_eq!(figures[0]["sides"][1]["windows"], json!([100.5, 49.0, 404.0]));
        assert_eq!(figures[0]["sides"][1]["ratio_of_ours"]["max"], json!(2.0));
        assert_eq!(figures[1]["sides"][0]["spread"]["median"], json!(4.0));
        assert_eq!(json["floors"][0]["reached"], json!(true));
    }
}
