//! What people call themselves and what they log in with: names, addresses, passwords, hashes from elsewhere, searches.

use auth_svc::{EmailAddress, Password, PasswordHash, Prefix};
use parlor_types::{DisplayName, Id as _, UserId, Username, limits};

use crate::Target;
use crate::input::{Input, Script};

pub(super) const TARGET: Target = Target {
    name: "names",
    about: "user names, display names, addresses, passwords, hashes, searches and their page tokens, ids",
    run,
    seeds,
    max_len: 512,
};

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (kind, token) = (input.byte() % 7, input.text());
    let text = String::from_utf8_lossy(input.rest());
    match kind {
        0 => {
            if let Ok(name) = Username::new(&text) {
                assert!(Username::new(name.as_str()) == Ok(name.clone()), "a user name is one");
            }
        }
        1 => {
            if let Ok(name) = DisplayName::new(&text, limits::MAX_DISPLAY_NAME) {
                assert!(name.as_str().chars().count() <= limits::MAX_DISPLAY_NAME);
                assert!(DisplayName::new(name.as_str(), limits::MAX_DISPLAY_NAME) == Ok(name));
            }
        }
        2 => address(&text),
        3 => {
            let presented = Password::presented(&text).is_ok();
            assert!(presented || Password::chosen(&text).is_err(), "what can be chosen can be presented");
        }
        4 => {
            if let Ok(hash) = PasswordHash::parse(&text) {
                assert_eq!(hash.as_str(), text);
            }
        }
        5 => search(&text, &token),
        _ => {
            if let Some(id) = UserId::parse(&text) {
                assert_eq!(id.to_string(), text, "there is one way to write an id");
            }
        }
    }
}

/// What is written to is the same address.
fn address(text: &str) {
    let Ok(address) = EmailAddress::new(text) else { return };
    let written = address.deliverable().to_string();
    assert!(!written.contains(['\n', '\r', ' ', '<', '>', ',']), "{written:?}");
    let again = EmailAddress::new(&written).expect("what is written to is an address");
    assert_eq!(again.compared(), address.compared());
}

/// A token of a search is good for that search.
fn search(text: &str, token: &str) {
    let Ok(prefix) = Prefix::new(text) else { return };
    let last = Username::new("last_one").expect("a user name");
    assert!(matches!(prefix.read_token(&prefix.token_after(&last)), Ok(Some(name)) if name == last));
    if let Ok(Some(name)) = prefix.read_token(token) {
        assert_eq!(prefix.token_after(&name), token, "there is one way to write a token");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let seed = |kind: u8, text: &str| {
        [Script::default().byte(kind).bytes(b"").end(), text.as_bytes().to_vec()].concat()
    };
    let prefix = Prefix::new("ad").expect("a prefix");
    let token = prefix.token_after(&Username::new("ada").expect("a user name"));
    let paged = [Script::default().byte(5).bytes(token.as_bytes()).end(), b"ad".to_vec()].concat();
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
    vec![
        seed(0, "ada.l_1"),
        seed(1, " Ada Lovelace "),
        seed(2, "ada@b\u{fc}cher.example"),
        seed(2, "Ada.L+x@example.org"),
        seed(3, "correct horse"),
        seed(4, hash),
        seed(5, "\u{df}a"),
        paged,
        seed(6, "01010101-0101-0101-0101-010101010101"),
    ]
}
