//! The picture that is shown: a harbour in the evening, made here.

use std::path::Path;

use image::{ImageError, Rgb, RgbImage};

const SIZE: (u32, u32) = (480, 320);

/// Paints it into `file`.
pub fn paint(file: &Path) -> Result<(), ImageError> {
    RgbImage::from_fn(SIZE.0, SIZE.1, colour).save(file)
}

fn colour(x: u32, y: u32) -> Rgb<u8> {
    let horizon = 200;
    let (across, down) = (i64::from(x), i64::from(y));
    let shade = |from: u8, to: u8, part: i64, whole: i64| {
        (i64::from(from) + (i64::from(to) - i64::from(from)) * part / whole).clamp(0, 255) as u8
    };
    let from_sun = (across - 330).pow(2) + (down - 150).pow(2);
    let in_sail = across > 150 && down > 70 && down < 210 && (across - 150) * 2 < (down - 70);
    let in_hull = (215..235).contains(&down) && (across - 160).abs() < 80 - (down - 215) * 2;
    if in_sail {
        Rgb([245, 240, 230])
    } else if in_hull {
        Rgb([120, 60, 40])
    } else if from_sun < 40 * 40 && down < horizon {
        Rgb([255, 230, 150])
    } else if down < horizon {
        Rgb([shade(70, 250, down, horizon), shade(80, 160, down, horizon), shade(140, 110, down, horizon)])
    } else {
        let wave = if (down + across / 24 % 3) % 9 < 2 { 30 } else { 0 };
        let deep = down - horizon;
        Rgb([
            shade(180, 20, deep, 120),
            shade(120, 50, deep, 120),
            (shade(120, 90, deep, 120)).saturating_add(wave),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("harbour.png");
        paint(&file).unwrap();
        let drawn = crate::picture::draw(&file, crate::picture::Protocol::Blocks, (40, 12)).unwrap();
        let crate::picture::Drawing::Cells(cells) = drawn else { panic!("blocks are cells") };
        assert_eq!((cells.columns, cells.lines.len()), (36, 12));
    }
}
