//! A picture as characters: the upper half block in one colour on another is two pixels.

use image::{Rgba, RgbaImage};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

/// Below this a pixel is not drawn.
const OPAQUE: u8 = 128;

/// One line for two rows of pixels.
#[must_use]
pub fn drawn(picture: &RgbaImage) -> Vec<Line<'static>> {
    let rows = (0..picture.height()).step_by(2);
    rows.map(|row| {
        let cells = (0..picture.width()).map(|column| {
            let upper = *picture.get_pixel(column, row);
            let lower = picture.get_pixel_checked(column, row + 1).copied();
            cell(visible(upper), lower.and_then(visible))
        });
        Line::from(cells.collect::<Vec<_>>())
    })
    .collect()
}

/// The same as a terminal takes it outside of a full screen.
#[must_use]
pub fn written(lines: &[Line<'_>]) -> String {
    let mut text = String::new();
    for line in lines {
        for span in &line.spans {
            text.push_str(match span.style.bg {
                None => "\u{1b}[0m",
                Some(_) => "",
            });
            for (place, colour) in [(38, span.style.fg), (48, span.style.bg)] {
                if let Some(Color::Rgb(red, green, blue)) = colour {
                    text.push_str(&format!("\u{1b}[{place};2;{red};{green};{blue}m"));
                }
            }
            text.push_str(&span.content);
        }
        text.push_str("\u{1b}[0m\n");
    }
    text.pop();
    text
}

fn visible(pixel: Rgba<u8>) -> Option<Color> {
    let [red, green, blue, alpha] = pixel.0;
    (alpha >= OPAQUE).then_some(Color::Rgb(red, green, blue))
}

fn cell(upper: Option<Color>, lower: Option<Color>) -> Span<'static> {
    match (upper, lower) {
        (None, None) => Span::raw(" "),
        (Some(upper), None) => Span::styled("▀", Style::new().fg(upper)),
        (None, Some(lower)) => Span::styled("▄", Style::new().fg(lower)),
        (Some(upper), Some(lower)) => Span::styled("▀", Style::new().fg(upper).bg(lower)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pixels_are_one_character() {
        let (red, blue, none) = (Rgba([255, 0, 0, 255]), Rgba([0, 0, 255, 255]), Rgba([9, 9, 9, 0]));
        let picture = RgbaImage::from_fn(2, 3, |x, y| match (x, y) {
            (0, 0) => red,
            (0, 1) | (1, 2) => blue,
            _ => none,
        });
        let expected = "\u{1b}[38;2;255;0;0m\u{1b}[48;2;0;0;255m▀\u{1b}[0m \u{1b}[0m\n\
                        \u{1b}[0m \u{1b}[0m\u{1b}[38;2;0;0;255m▀\u{1b}[0m";
        assert_eq!(written(&drawn(&picture)), expected);
    }
}
