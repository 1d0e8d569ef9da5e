//! A picture as characters: the upper half block in one colour on another is two pixels.

use image::{Rgba, RgbaImage};

/// Below this a pixel is not drawn.
const OPAQUE: u8 = 128;

/// One line for two rows of pixels.
pub fn drawn(picture: &RgbaImage) -> String {
    let mut text = String::new();
    for row in (0..picture.height()).step_by(2) {
        for column in 0..picture.width() {
            let upper = *picture.get_pixel(column, row);
            let lower = picture.get_pixel_checked(column, row + 1).copied();
            text.push_str(&cell(visible(upper), lower.and_then(visible)));
        }
        text.push_str("\u{1b}[0m\n");
    }
    text.pop();
    text
}

fn visible(pixel: Rgba<u8>) -> Option<[u8; 3]> {
    let [red, green, blue, alpha] = pixel.0;
    (alpha >= OPAQUE).then_some([red, green, blue])
}

fn cell(upper: Option<[u8; 3]>, lower: Option<[u8; 3]>) -> String {
    let colour = |place: u8, [red, green, blue]: [u8; 3]| format!("\u{1b}[{place};2;{red};{green};{blue}m");
    match (upper, lower) {
        (None, None) => "\u{1b}[0m ".to_owned(),
        (Some(upper), None) => format!("\u{1b}[49m{}▀", colour(38, upper)),
        (None, Some(lower)) => format!("\u{1b}[49m{}▄", colour(38, lower)),
        (Some(upper), Some(lower)) => format!("{}{}▀", colour(38, upper), colour(48, lower)),
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
                        \u{1b}[0m \u{1b}[49m\u{1b}[38;2;0;0;255m▀\u{1b}[0m";
        assert_eq!(drawn(&picture), expected);
    }
}
