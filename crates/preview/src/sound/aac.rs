//! AAC in MP4: packets lie where the index says.

use std::io::{self, SeekFrom};

use symphonia_codec_aac::AacDecoder;
use symphonia_core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use super::waveform::Waveform;
use crate::clean::{Input, read_vec};
use crate::mp4::Track;

/// The longest packet that is decoded; AAC has at most 768 bytes for each of two channels.
const MAX_PACKET_BYTES: u32 = 64 * 1024;

/// How loud the track is along the way; `None` if it is not AAC-LC, mono or stereo.
pub fn waveform(input: &mut impl Input, track: &Track) -> io::Result<Option<Vec<u8>>> {
    let Some(config) = &track.aac else { return Ok(None) };
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_AAC).with_extra_data(config.clone().into_boxed_slice());
    let Ok(mut decoder) = AacDecoder::try_new(&parameters, &AudioDecoderOptions::default()) else {
        return Ok(None);
    };
    let mut waveform = Waveform::new(track.samples.len());
    let mut heard = Vec::new();
    for sample in &track.samples {
        heard.clear();
        if waveform.wants_next() && sample.bytes <= MAX_PACKET_BYTES {
            input.seek(SeekFrom::Start(sample.start))?;
            let bytes = read_vec(input, sample.bytes.into())?;
            let packet = PacketRef::new(track.id, Timestamp::new(0), Duration::new(0), &bytes);
            if let Ok(decoded) = decoder.decode_ref(&packet) {
                decoded.copy_to_vec_interleaved::<f32>(&mut heard);
            }
        }
        waveform.push(&heard);
    }
    Ok(Some(waveform.finish()))
}
