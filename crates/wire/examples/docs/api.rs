//! docs/api.md: every service, call, message and enum that clients can use, with what the protos say of them.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
};

use crate::comments::Comments;

const HEAD: &str = "\
# API

What clients call: each service with its calls, then the messages and enums of its package. All ids are UUIDs as text. Every call
but those that say otherwise wants an access token: `authorization: Bearer TOKEN`. What a call can be refused with is told by the
reasons in its text, which [errors.md](errors.md) explains; beside them any call may be answered with those of the section
*Everywhere*. [client-guide.md](client-guide.md) says how the pieces make a client.

This page is made from the comments of `proto/parlor`.
";

/// What only services call has no place here; reasons have a page of their own.
const LEFT_OUT: [&str; 2] = ["parlor.internal.", "parlor.errors."];

/// Numbers of fields in `descriptor.proto`: of a file, and of a message.
mod number {
    pub const MESSAGES: usize = 4;
    pub const ENUMS: usize = 5;
    pub const SERVICES: usize = 6;
    pub const METHODS: usize = 2;
    pub const NESTED_MESSAGES: usize = 3;
    pub const NESTED_ENUMS: usize = 4;
}

pub fn page(set: &FileDescriptorSet) -> String {
    let shown = |file: &&FileDescriptorProto| {
        file.package().starts_with("parlor.") && !LEFT_OUT.iter().any(|out| file.package().starts_with(out))
    };
    let mut files: Vec<_> = set.file.iter().filter(shown).collect();
    // Services first, then what they speak of.
    files.sort_by_key(|file| (file.package().to_owned(), file.service.is_empty(), file.name().to_owned()));
    let mut page = HEAD.to_owned();
    let mut package = "";
    for file in files {
        if file.package() != package {
            package = file.package();
            page += &format!("\n## {package}\n");
        }
        let writer = Writer { comments: Comments::of(file), package };
        for (index, service) in file.service.iter().enumerate() {
            page += &writer.service(service, index);
        }
        for (index, message) in file.message_type.iter().enumerate() {
            page += &writer.message(message, "", &[number::MESSAGES, index]);
        }
        for (index, found) in file.enum_type.iter().enumerate() {
            page += &writer.enumeration(found, "", &[number::ENUMS, index]);
        }
    }
    page
}

struct Writer<'a> {
    comments: Comments,
    package: &'a str,
}

impl Writer<'_> {
    fn service(&self, service: &ServiceDescriptorProto, index: usize) -> String {
        let path = [number::SERVICES, index];
        let mut text = format!("\n### {}\n\n{}\n", service.name(), self.comments.at(&path));
        for (index, method) in service.method.iter().enumerate() {
            let said = self.comments.at(&[&path[..], &[number::METHODS, index]].concat());
            let stream = |is: bool| if is { "stream " } else { "" };
            let takes = format!("{}{}", stream(method.client_streaming()), self.short(method.input_type()));
            let gives = format!("{}{}", stream(method.server_streaming()), self.short(method.output_type()));
            text += &format!("\n#### {}\n\n`{takes}` → `{gives}`\n\n{said}\n", method.name());
        }
        text
    }

    fn message(&self, message: &DescriptorProto, outer: &str, path: &[usize]) -> String {
        if message.options.as_ref().is_some_and(|options| options.map_entry()) {
            return String::new();
        }
        let name = format!("{outer}{}", message.name());
        let mut text = format!("\n### {name}\n\n{}\n", self.comments.at(path));
        if !message.field.is_empty() {
            text += "\n| field | | type | |\n| --- | --- | --- | --- |\n";
        }
        for (index, field) in message.field.iter().enumerate() {
            let said = self.comments.of_field(path, index).replace('|', "\\|");
            let (kind, number) = (self.kind(field, message), field.number());
            text += &format!("| `{}` | {number} | {kind} | {said} |\n", field.name());
        }
        let outer = format!("{name}.");
        for (index, nested) in message.nested_type.iter().enumerate() {
            text += &self.message(nested, &outer, &[path, &[number::NESTED_MESSAGES, index]].concat());
        }
        for (index, nested) in message.enum_type.iter().enumerate() {
            text += &self.enumeration(nested, &outer, &[path, &[number::NESTED_ENUMS, index]].concat());
        }
        text
    }

    fn enumeration(&self, found: &EnumDescriptorProto, outer: &str, path: &[usize]) -> String {
        let mut text = format!("\n### {outer}{}\n\n{}\n", found.name(), self.comments.at(path));
        text += "\n| value | | |\n| --- | --- | --- |\n";
        for (index, value) in found.value.iter().enumerate() {
            let said = self.comments.of_value(path, index).replace('|', "\\|");
            text += &format!("| `{}` | {} | {said} |\n", value.name(), value.number());
        }
        text
    }

    /// A field's type as the protos write it, with what it is one of.
    fn kind(&self, field: &FieldDescriptorProto, of: &DescriptorProto) -> String {
        if let Some(entry) = self.map_entry(field, of) {
            let [key, value] = &entry.field[..] else { return String::new() };
            return format!("map of {} to {}", self.plain(key), self.plain(value));
        }
        let plain = self.plain(field);
        let group = field.oneof_index.and_then(|index| of.oneof_decl.get(usize::try_from(index).ok()?));
        match group {
            _ if field.label() == Label::Repeated => format!("repeated {plain}"),
            _ if field.proto3_optional() => format!("optional {plain}"),
            Some(group) => format!("{plain}, one of `{}`", group.name()),
            None => plain,
        }
    }

    fn map_entry<'a>(
        &self,
        field: &FieldDescriptorProto,
        of: &'a DescriptorProto,
    ) -> Option<&'a DescriptorProto> {
        let is_entry = |nested: &&DescriptorProto| {
            nested.options.as_ref().is_some_and(|options| options.map_entry())
                && field.type_name().ends_with(&format!(".{}", nested.name()))
        };
        of.nested_type.iter().find(is_entry)
    }

    fn plain(&self, field: &FieldDescriptorProto) -> String {
        match field.r#type() {
            Type::Message | Type::Enum => format!("`{}`", self.short(field.type_name())),
            other => other.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
        }
    }

    /// A name without the package, where that is the one of this section.
    fn short<'n>(&self, name: &'n str) -> &'n str {
        let name = name.trim_start_matches('.');
        name.strip_prefix(self.package).and_then(|name| name.strip_prefix('.')).unwrap_or(name)
    }
}
