//! The comments of a proto file.

use std::collections::HashMap;

use prost_types::FileDescriptorProto;

/// By path, which is a list of field numbers of `descriptor.proto` and of indices:
/// <https://protobuf.dev/reference/java/api-docs/com/google/protobuf/DescriptorProtos.SourceCodeInfo.Location>.
pub struct Comments(HashMap<Vec<i32>, String>);

impl Comments {
    pub fn of(file: &FileDescriptorProto) -> Self {
        let info = file.source_code_info.iter();
        let locations = info.flat_map(|info| &info.location);
        let comment = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self(locations.map(|at| (at.path.clone(), comment(at.leading_comments()))).collect())
    }

    /// On one line; empty where there is none.
    pub fn at(&self, path: &[usize]) -> String {
        let path: Vec<i32> = path.iter().filter_map(|step| i32::try_from(*step).ok()).collect();
        self.0.get(&path).cloned().unwrap_or_default()
    }

    /// Of a value of the enum that is at `path`.
    pub fn of_value(&self, path: &[usize], index: usize) -> String {
        self.at(&[path, &[2, index]].concat())
    }

    /// Of a field of the message that is at `path`.
    pub fn of_field(&self, path: &[usize], index: usize) -> String {
        self.at(&[path, &[2, index]].concat())
    }
}
