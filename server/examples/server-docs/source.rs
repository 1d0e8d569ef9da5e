//! The keys as the sources declare them: names, forms and doc comments.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use syn::{Attribute, Expr, ExprLit, GenericArgument, Item, Lit, Meta, PathArguments, Type};

use crate::Result;

/// Where configuration is declared: the name of a crate in the sources of others, and its folder.
const CRATES: [(&str, &str); 6] = [
    (SERVER, "server"),
    (RUNTIME, "crates/runtime"),
    ("auth_svc", "services/auth-svc"),
    ("chat_svc", "services/chat-svc"),
    ("presence_svc", "services/presence-svc"),
    ("media_svc", "services/media-svc"),
];
const SERVER: &str = "parlor_server";
const RUNTIME: &str = "parlor_runtime";

/// A key, or a table of them.
pub struct Field {
    pub name: String,
    pub doc: String,
    /// Whether it may be left unset, and is by default.
    pub is_optional: bool,
    pub form: Form,
}

/// What a key holds.
pub enum Form {
    /// A table whose keys each have a default.
    Section(Vec<Field>),
    /// A table whose keys are set together.
    Together(Vec<Field>),
    /// One of these names, each with what it means.
    Choice(Vec<(String, String)>),
    /// A value.
    Value { kind: Kind, is_list: bool },
}

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Duration,
    Size,
    Number,
    Fraction,
    Port,
    Flag,
    Text,
    Secret,
    Path,
    Address,
    Network,
}

/// Every type that is read from configuration, by crate and name.
struct Declared(HashMap<(&'static str, String), Item>);

/// All keys, from the top.
pub fn read() -> Result<Vec<Field>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut declared = Declared(HashMap::new());
    for (name, folder) in CRATES {
        declared.read_folder(name, &root.join(folder).join("src"))?;
    }
    match declared.form(SERVER, &syn::parse_str("Config")?, None)? {
        Form::Section(fields) => Ok(fields),
        _ => Err("the configuration is no table of sections".into()),
    }
}

impl Declared {
    fn read_folder(&mut self, name: &'static str, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.read_folder(name, &path)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                let file = syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))?;
                for item in file.items {
                    self.add(name, item)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &'static str, item: Item) -> Result<()> {
        let (ident, attrs) = match &item {
            Item::Struct(item) => (&item.ident, &item.attrs),
            Item::Enum(item) => (&item.ident, &item.attrs),
            _ => return Ok(()),
        };
        let key = (name, ident.to_string());
        // What is only read, or only written, is somebody else's format.
        if derives(attrs, "Serialize")?
            && derives(attrs, "Deserialize")?
            && self.0.insert(key, item.clone()).is_some()
        {
            return Err(format!("{name} has two types called {ident}: which is meant?").into());
        }
        Ok(())
    }

    /// What a value of type `ty` is, which a field of `name` has; `with` is how serde was told to read it.
    fn form(&self, name: &'static str, ty: &Type, with: Option<&str>) -> Result<Form> {
        let Type::Path(path) = ty else {
            return Err("a field of the configuration has no plain type".into());
        };
        let segment = path.path.segments.last().ok_or("a type without a name")?;
        let ident = segment.ident.to_string();
        if let (Some(inner), "Option" | "Vec") = (argument(&segment.arguments), ident.as_str()) {
            let form = self.form(name, inner, with)?;
            return match form {
                Form::Value { kind, .. } if ident == "Vec" => Ok(Form::Value { kind, is_list: true }),
                form => Ok(form),
            };
        }
        let first = path.path.segments.first().map(|segment| segment.ident.to_string());
        let named = CRATES.iter().map(|(name, _)| *name).find(|name| first.as_deref() == Some(name));
        let home = named.unwrap_or(name);
        let item = self.0.get_key_value(&(home, ident.clone()));
        match item.or_else(|| self.0.get_key_value(&(RUNTIME, ident.clone()))) {
            Some(((home, _), Item::Struct(item))) => self.table(home, item),
            Some((_, Item::Enum(item))) => choice(item),
            _ => {
                let kind = kind(&ident, with).ok_or_else(|| format!("{name}: {ident} is not known here"))?;
                Ok(Form::Value { kind, is_list: false })
            }
        }
    }

    fn table(&self, name: &'static str, item: &syn::ItemStruct) -> Result<Form> {
        let mut fields = Vec::new();
        for field in &item.fields {
            let ident = field.ident.as_ref().ok_or("a field without a name")?.to_string();
            let doc = doc(&field.attrs);
            if doc.is_empty() {
                return Err(format!("{name}: {}.{ident} says nothing of itself", item.ident).into());
            }
            let with = serde(&field.attrs, "with")?;
            let form = self.form(name, &field.ty, with.as_deref())?;
            fields.push(Field { name: ident, doc, is_optional: is_option(&field.ty), form });
        }
        let has_defaults = serde(&item.attrs, "default")?.is_some();
        Ok(if has_defaults { Form::Section(fields) } else { Form::Together(fields) })
    }
}

fn choice(item: &syn::ItemEnum) -> Result<Form> {
    if serde(&item.attrs, "rename_all")?.as_deref() != Some("snake_case") {
        return Err(format!("{}: how are its names written?", item.ident).into());
    }
    let names =
        item.variants.iter().map(|variant| (snake_case(&variant.ident.to_string()), doc(&variant.attrs)));
    Ok(Form::Choice(names.collect()))
}

fn kind(ident: &str, with: Option<&str>) -> Option<Kind> {
    Some(match (ident, with) {
        ("Duration", Some("duration")) => Kind::Duration,
        ("u64", Some("byte_size")) => Kind::Size,
        (_, Some(_)) => return None,
        ("u16", None) => Kind::Port,
        ("u32" | "u64" | "usize", None) => Kind::Number,
        ("f64", None) => Kind::Fraction,
        ("bool", None) => Kind::Flag,
        ("String", None) => Kind::Text,
        ("Secret", None) => Kind::Secret,
        ("PathBuf", None) => Kind::Path,
        ("SocketAddr", None) => Kind::Address,
        ("IpNet", None) => Kind::Network,
        _ => return None,
    })
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

fn argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for (at, c) in name.char_indices() {
        if at > 0 && c.is_uppercase() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

/// The doc comment, its lines joined.
fn doc(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => text(&pair.value),
        _ => None,
    });
    lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

fn derives(attrs: &[Attribute], wanted: &str) -> Result<bool> {
    let mut found = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
        attr.parse_nested_meta(|meta| {
            found |= meta.path.is_ident(wanted);
            Ok(())
        })?;
    }
    Ok(found)
}

/// What `#[serde(...)]` says of `wanted`; empty, if it is only named.
fn serde(attrs: &[Attribute], wanted: &str) -> Result<Option<String>> {
    let mut found = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        attr.parse_nested_meta(|meta| {
            let value = meta.value().and_then(syn::parse::ParseBuffer::parse::<Lit>);
            if meta.path.is_ident(wanted) {
                found = Some(match value {
                    Ok(Lit::Str(text)) => text.value(),
                    _ => String::new(),
                });
            }
            Ok(())
        })?;
    }
    Ok(found)
}
