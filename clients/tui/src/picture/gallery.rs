//! The pictures that are there, and how large those will be that are not.

use std::collections::{BTreeMap, BTreeSet};

use parlor_types::MediaId;
use parlor_wire::media::v1::Media;
use parlor_wire::media::v1::media::Preview;

use super::Drawing;

/// Pictures kept at once; the one that was not looked for the longest goes.
const MAX_KEPT: usize = 48;

/// Pictures, drawn and awaited.
#[derive(Debug, Default)]
pub struct Gallery {
    drawn: BTreeMap<MediaId, (u64, Drawing)>,
    asked: BTreeSet<MediaId>,
    turn: u64,
}

impl Gallery {
    /// A picture, if it is there.
    #[must_use]
    pub fn drawing(&self, id: MediaId) -> Option<&Drawing> {
        self.drawn.get(&id).map(|(_, drawing)| drawing)
    }

    /// It is on the screen. Whether it is to be asked for.
    pub fn look_for(&mut self, id: MediaId) -> bool {
        self.turn += 1;
        match self.drawn.get_mut(&id) {
            Some((turn, _)) => {
                *turn = self.turn;
                false
            }
            None => self.asked.insert(id),
        }
    }

    /// It came, or did not.
    pub fn hang(&mut self, id: MediaId, drawing: Drawing) {
        self.asked.remove(&id);
        self.turn += 1;
        self.drawn.insert(id, (self.turn, drawing));
        while self.drawn.len() > MAX_KEPT {
            let oldest = self.drawn.iter().min_by_key(|(_, (turn, _))| *turn).map(|(id, _)| *id);
            oldest.and_then(|id| self.drawn.remove(&id));
        }
    }

    /// What could not be had may be had now.
    pub fn try_again(&mut self) {
        self.drawn.retain(|_, (_, drawing)| *drawing != Drawing::Failed);
        self.asked.clear();
    }
}

/// The characters that a picture will take, across and down, by what is said of it.
#[must_use]
pub fn expected(media: &Media, room: (u16, u16)) -> (u16, u16) {
    let Some(Preview::Image(image)) = &media.preview else { return (0, 0) };
    let (width, height) = (f64::from(image.width.max(1)), f64::from(image.height.max(1)));
    let (columns, rows) = (f64::from(room.0.min(super::ROOM.0)), f64::from(room.1) * 2.0);
    let scale = (columns / width).min(rows / height).min(1.0);
    let cells = |pixels: f64| (pixels * scale).round().clamp(1.0, f64::from(u16::MAX)) as u16;
    (cells(width), cells(height).div_ceil(2))
}

#[cfg(test)]
mod tests {
    use parlor_types::Id as _;
    use parlor_wire::media::v1::ImageInfo;

    use super::*;

    #[test]
    fn the_gallery_has_walls() {
        let mut gallery = Gallery::default();
        let id = |number: u8| MediaId::from_bytes([number; 16]);
        assert!(gallery.look_for(id(0)) && !gallery.look_for(id(0)), "asked for once");
        for number in 0..60 {
            gallery.hang(id(number), Drawing::Failed);
            gallery.look_for(id(0));
        }
        assert_eq!(gallery.drawn.len(), MAX_KEPT);
        assert!(gallery.drawing(id(0)).is_some() && gallery.drawing(id(1)).is_none());
    }

    #[test]
    fn the_room_of_a_picture_is_known_before_it_comes() {
        let media = |width, height| Media {
            preview: Some(Preview::Image(ImageInfo { width, height, ..ImageInfo::default() })),
            ..Media::default()
        };
        assert_eq!(expected(&media(400, 200), (60, 12)), (40, 10));
        assert_eq!(expected(&media(100, 1000), (60, 12)), (2, 12));
        assert_eq!(expected(&media(4, 4), (60, 12)), (4, 2));
        assert_eq!(expected(&Media::default(), (60, 12)), (0, 0));
    }
}
