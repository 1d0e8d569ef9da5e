//! Compiles `proto/` with protox: no protoc needed.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use prost_types::field_descriptor_proto::Type;

const FILES: [&str; 12] = [
    "parlor/errors/v1/errors.proto",
    "parlor/auth/v1/auth_service.proto",
    "parlor/auth/v1/email_service.proto",
    "parlor/auth/v1/profile_service.proto",
    "parlor/chat/v1/chat_service.proto",
    "parlor/chat/v1/people_service.proto",
    "parlor/presence/v1/presence_service.proto",
    "parlor/media/v1/media_service.proto",
    "parlor/internal/auth/v1/auth_internal_service.proto",
    "parlor/internal/chat/v1/chat_internal_service.proto",
    "parlor/internal/presence/v1/presence_internal_service.proto",
    "parlor/internal/media/v1/media_internal_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());

    let mut descriptors = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;

    keep_frames_encoded(&mut descriptors);
    tonic_prost_build::configure()
        .codec_path("crate::codec::Codec")
        .bytes(".parlor.chat.v1")
        .bytes(".parlor.media.v1")
        .btree_map(".parlor.chat.v1") // one order of labels, so that equal appends have equal bytes
        .build_transport(false) // its `connect` would collide with ChatService.Connect
        .compile_fds(descriptors)?;
    Ok(())
}

/// On the wire an embedded message and `bytes` are the same. Seen as bytes, a frame is encoded once for all its
/// receivers, and a malformed one is answered by the session instead of killing the stream in the codec.
fn keep_frames_encoded(descriptors: &mut FileDescriptorSet) {
    let messages = descriptors
        .file
        .iter_mut()
        .filter(|file| file.package() == "parlor.chat.v1")
        .flat_map(|file| &mut file.message_type);
    for field in messages.flat_map(|message| &mut message.field) {
        if field.name() == "frames" {
            field.set_type(Type::Bytes);
            field.type_name = None;
        }
    }
}
