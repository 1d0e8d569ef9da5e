//! Emoji by name: `:smile:` becomes the character, and what begins with `:sm` is suggested.

/// Suggestions at once.
pub const SUGGESTIONS: usize = 6;
/// Letters of a name before anything is suggested.
const ENOUGH: usize = 2;

/// A name that is being written: what follows a colon that begins a word.
#[must_use]
pub fn begun(before: &str) -> Option<&str> {
    let colon = before.rfind(':')?;
    let name = &before[colon + 1..];
    let begins_word =
        before[..colon].chars().next_back().is_none_or(|c| c.is_whitespace() || !c.is_alphanumeric());
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-'));
    (begins_word && is_name && name.len() >= ENOUGH).then_some(name)
}

/// The emoji whose names begin so, the shortest names first.
#[must_use]
pub fn suggested(begun: &str) -> Vec<(&'static str, &'static str)> {
    let names = emojis::iter().flat_map(|emoji| emoji.shortcodes().map(move |name| (name, emoji.as_str())));
    let mut found: Vec<_> = names.filter(|(name, _)| name.starts_with(begun)).collect();
    found.sort_by_key(|(name, _)| (name.len(), *name));
    found.truncate(SUGGESTIONS);
    found
}

/// The emoji whose whole name ends before the cursor, closing colon included; with the bytes that it replaces.
#[must_use]
pub fn closed(before: &str) -> Option<(usize, &'static str)> {
    let name = begun(before.strip_suffix(':')?)?;
    Some((name.len() + 2, emojis::get_by_shortcode(name)?.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_they_are_written() {
        assert_eq!(begun("hi :smi"), Some("smi"));
        assert_eq!(begun(":s"), None, "too little to go by");
        assert_eq!(begun("at 10:30"), None, "a time");
        assert_eq!(begun("http://x"), None);
        assert_eq!(closed("so :smile:"), Some((7, "😄")));
        assert_eq!(closed(":no_such_thing:"), None);
        assert_eq!(closed("12:30:"), None);
    }

    #[test]
    fn the_shortest_names_come_first() {
        let found = suggested("smile");
        assert_eq!(found[0], ("smile", "😄"));
        assert!(found.len() <= SUGGESTIONS && found.iter().all(|(name, _)| name.starts_with("smile")));
    }
}
