//! What is not so is found, each in its own words.

use super::*;

const GOOD: &str = "\
| what | where | value | beyond it | fails | test |
| --- | --- | --- | --- | --- | --- |
| Bytes of a page | `chat.page_bytes` | `\"256KiB\"` | the page ends | — | `a.rs`: `pages` |
| Edits | `x.rs`: `MAX_EDITS`, `MAX_MORE` | `1000`, `7` | `EDIT_TOO_LATE` | closed | `a.rs`: `edits`, `more` `b.rs`: `pages` |

## Numbers that limit no client

- `chat.grace`: of ours
- `y.rs`: `MAX_OURS`: what we do at once
";

fn checked(page: &str) -> Vec<String> {
    let keys = [("chat.page_bytes", "\"256KiB\""), ("chat.grace", "\"2s\"")];
    let keys = keys.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let constants = [("x.rs", "MAX_EDITS", "1000"), ("x.rs", "MAX_MORE", "7"), ("y.rs", "MAX_OURS", "1")];
    let constants = constants
        .map(|(file, name, value)| ((file.to_owned(), name.to_owned()), (value.to_owned(), true)))
        .into();
    let there = |file: &str, name: &str| {
        matches!((file, name), ("a.rs", "pages" | "edits" | "more") | ("b.rs", "pages"))
    };
    let page = Page::read(page, OTHERS);
    let of_rows =
        page.rows.iter().flat_map(|row| faults_of(row, &keys, &constants, "| `EDIT_TOO_LATE` |", there));
    let mut faults = page.faults.clone();
    faults.extend(of_rows);
    faults.extend(left_out(&page, &keys, &constants));
    faults
}

#[test]
fn a_page_that_is_right_passes() {
    assert_eq!(checked(GOOD), Vec::<String>::new());
}

#[test]
fn what_is_not_so_is_found() {
    for (right, wrong, fault) in [
        ("\"256KiB\"", "\"1MiB\"", "Bytes of a page: chat.page_bytes is `\"256KiB\"` and not `\"1MiB\"`"),
        ("chat.page_bytes", "chat.page_byte", "Bytes of a page: there is no chat.page_byte"),
        ("`7`", "`8`", "Edits: MAX_MORE in x.rs is `7` and not `8`"),
        ("`1000`, `7`", "`1000`", "Edits: as many values as names are needed"),
        ("EDIT_TOO_LATE", "EDIT_LATE", "Edits: EDIT_LATE is no reason of docs/errors.md"),
        ("`edits`", "`edit`", "Edits: edit is not in a.rs"),
        ("`a.rs`: `pages`", "none yet", "Bytes of a page: no test"),
        ("- `chat.grace`: of ours\n", "", "nothing is said of chat.grace"),
        ("`MAX_OURS`", "`MAX_THEIRS`", "nothing is said of MAX_OURS in y.rs"),
        ("`MAX_OURS`", "`MAX_THEIRS`", "there is no MAX_THEIRS in y.rs"),
        ("- `chat.grace`", "- `chat.grace`, `chat.page_bytes`", "chat.page_bytes is there twice"),
    ] {
        let faults = checked(&GOOD.replacen(right, wrong, 1));
        assert!(faults.iter().any(|found| found == fault), "{fault}: {faults:?}");
    }
    let unsaid = checked(&GOOD.replacen("| closed |", "| perhaps |", 1));
    assert!(unsaid[0].starts_with("it fails open, closed, or not at all"), "{unsaid:?}");
}

#[test]
fn constants_are_read_as_rustfmt_leaves_them() {
    assert_eq!(constant("const MAX_A: usize = 4 * 1024;"), Some(("MAX_A", "4 * 1024")));
    assert_eq!(
        constant("pub(super) const WITHIN: Duration = Duration::from_secs(60);"),
        Some(("WITHIN", "Duration::from_secs(60)"))
    );
    assert_eq!(constant("pub const A: RangeInclusive<usize> = 2..=10;"), Some(("A", "2..=10")));
    assert_eq!(constant("let x = MAX_A;"), None);
}

#[test]
fn numbers_among_the_keys_have_their_sections() {
    let page = "## `[chat]`\n| key | default | allowed | meaning |\n| `page_bytes`<br>`X` | `\"1KiB\"` | size, 1 to 2 | So. |\n| `path`<br>`Y` | `\"\"` | path | So. |\n";
    assert_eq!(keys(page), [("chat.page_bytes".to_owned(), "\"1KiB\"".to_owned())].into());
}
