//! The methods of the protocol, as it is compiled: a new one is there without anybody's doing.

use parlor_wire::DESCRIPTORS;
use prost::Message as _;
use prost_types::FileDescriptorSet;

/// Paths of the methods that clients may call: `/parlor.auth.v1.AuthService/Login`.
#[must_use]
pub fn public() -> Vec<String> {
    of(|package| !package.starts_with("parlor.internal."))
}

/// Paths of the methods that services call of each other.
#[must_use]
pub fn internal() -> Vec<String> {
    of(|package| package.starts_with("parlor.internal."))
}

fn of(is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let set = FileDescriptorSet::decode(DESCRIPTORS).expect("the descriptors were encoded by the build");
    let files = set.file.iter().filter(|file| is_wanted(file.package()));
    let mut paths = Vec::new();
    for file in files {
        for service in &file.service {
            let path = |method: &str| format!("/{}.{}/{method}", file.package(), service.name());
            paths.extend(service.method.iter().map(|method| path(method.name())));
        }
    }
    paths
}
