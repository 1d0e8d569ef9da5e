//! How loud sound is along the way, in a few numbers.

use crate::WAVEFORM_VALUES;

/// Packets that are decoded for one number: 6.4 s of the usual 20 ms. What is longer is heard in samples, so that an
/// hour takes no longer than seven minutes.
const PACKETS_PER_VALUE: usize = 320;
/// Root mean square below which all of it counts as silence: -60 dB of full scale.
const SILENCE: f64 = 0.001;

/// Gathers loudness, packet by packet.
pub struct Waveform {
    packets: usize,
    at: usize,
    energy: [f64; WAVEFORM_VALUES],
    samples: [usize; WAVEFORM_VALUES],
}

impl Waveform {
    /// For sound of so many packets.
    pub fn new(packets: usize) -> Self {
        Self { packets: packets.max(1), at: 0, energy: [0.0; WAVEFORM_VALUES], samples: [0; WAVEFORM_VALUES] }
    }

    /// Whether the next packet is to be decoded. Of each part of the sound the first packets are.
    pub fn wants_next(&self) -> bool {
        let (first, last) = self.values();
        first != last || self.at - self.first_packet(first) < PACKETS_PER_VALUE
    }

    /// Takes the next packet, decoded; nothing if it was not wanted or could not be.
    pub fn push(&mut self, samples: &[f32]) {
        let (first, last) = self.values();
        let energy = samples.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum::<f64>();
        for value in first..=last {
            self.energy[value] += energy;
            self.samples[value] += samples.len();
        }
        self.at += 1;
    }

    /// The numbers that the next packet belongs to: one, or several if there are fewer packets than numbers.
    fn values(&self) -> (usize, usize) {
        let at = self.at.min(self.packets - 1);
        let first = at * WAVEFORM_VALUES / self.packets;
        let last = ((at + 1) * WAVEFORM_VALUES - 1) / self.packets;
        (first, if self.packets >= WAVEFORM_VALUES { first } else { last })
    }

    fn first_packet(&self, value: usize) -> usize {
        (value * self.packets).div_ceil(WAVEFORM_VALUES)
    }

    /// From 0 (silence) to 255 (the loudest part).
    pub fn finish(self) -> Vec<u8> {
        let mean = |(energy, samples): (&f64, &usize)| (energy / (*samples).max(1) as f64).sqrt();
        let loudness: Vec<f64> = self.energy.iter().zip(&self.samples).map(mean).collect();
        let loudest = loudness.iter().copied().fold(0.0, f64::max);
        if loudest < SILENCE {
            return vec![0; WAVEFORM_VALUES];
        }
        // A float becomes the nearest of what the byte can hold.
        loudness.into_iter().map(|value| (value / loudest * 255.0).round() as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(packets: usize, loudness: impl Fn(usize) -> f32) -> (Vec<u8>, usize) {
        let mut waveform = Waveform::new(packets);
        let mut decoded = 0;
        for packet in 0..packets {
            let wanted = waveform.wants_next();
            decoded += usize::from(wanted);
            waveform.push(&if wanted { vec![loudness(packet); 10] } else { Vec::new() });
        }
        (waveform.finish(), decoded)
    }

    #[test]
    fn the_loudest_part_is_255_and_silence_is_0() {
        let (values, decoded) = of(640, |packet| if packet < 320 { 0.0 } else { 0.5 });
        assert_eq!(values, [vec![0; 32], vec![255; 32]].concat());
        assert_eq!(decoded, 640);
        assert_eq!(of(100, |_| 0.0001).0, vec![0; 64], "noise that nobody hears is silence");
    }

    #[test]
    fn few_packets_fill_all_values() {
        let (values, _) = of(2, |packet| if packet == 0 { 0.25 } else { 0.5 });
        assert_eq!(values, [vec![128; 32], vec![255; 32]].concat());
        assert_eq!(of(1, |_| 1.0).0, vec![255; 64]);
    }

    #[test]
    fn an_hour_is_heard_in_samples() {
        let (values, decoded) = of(180_000, |packet| packet as f32 / 180_000.0);
        assert_eq!(decoded, PACKETS_PER_VALUE * WAVEFORM_VALUES);
        assert!(values.is_sorted() && values[0] < 4 && values[63] == 255, "{values:?}");
    }
}
