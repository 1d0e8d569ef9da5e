//! E-mail addresses: what is one, which are the same, and how it is written to.
//!
//! Upper and lower case are the same on both sides of the @. A domain in any script is the same as its ASCII form
//! (IDNA, UTS 46). Before the @ only ASCII is taken: few mail servers deliver anything else. Quoted names, comments
//! and network addresses in place of a domain are refused.

use std::fmt;
use std::net::Ipv4Addr;

use lettre::Address;

/// Bytes of an address at most: RFC 5321 allows a path of 256 with its angle brackets.
const MAX_BYTES: usize = 254;

/// An address. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    typed: String,
    compared: String,
}

/// Why a text is no [`EmailAddress`]: the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// It is too long, or has no @, or several.
    #[error("must be at most {MAX_BYTES} bytes with one @")]
    Form,
    /// What stands before the @ is no name of a mailbox.
    #[error("must have a plain name in ASCII before the @")]
    Name,
    /// What stands behind the @ is no domain.
    #[error("must have a domain behind the @")]
    Domain,
}

impl EmailAddress {
    /// Validates.
    ///
    /// # Errors
    /// The rule that was broken.
    pub fn new(text: &str) -> Result<Self, InvalidEmail> {
        let (name, domain) = text.split_once('@').ok_or(InvalidEmail::Form)?;
        if text.len() > MAX_BYTES || domain.contains('@') {
            return Err(InvalidEmail::Form);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidEmail::Domain)?;
        if domain.parse::<Ipv4Addr>().is_ok() || Address::new("a", &domain).is_err() {
            return Err(InvalidEmail::Domain);
        }
        if !name.is_ascii() || name.starts_with('"') || Address::new(name, &domain).is_err() {
            return Err(InvalidEmail::Name);
        }
        Ok(Self { typed: text.to_owned(), compared: format!("{}@{domain}", name.to_ascii_lowercase()) })
    }

    /// From a store, which holds only what [`EmailAddress::new`] made.
    #[must_use]
    pub fn stored(typed: String, compared: String) -> Self {
        Self { typed, compared }
    }

    /// As it was typed.
    #[must_use]
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// Equal for addresses that are the same.
    #[must_use]
    pub fn compared(&self) -> &str {
        &self.compared
    }

    /// For mail: the name as it was typed, for servers that tell upper from lower case, and the domain in ASCII.
    #[must_use]
    pub fn deliverable(&self) -> Address {
        let name = self.typed.split_once('@').map_or("", |(name, _)| name);
        let domain = self.compared.split_once('@').map_or("", |(_, domain)| domain);
        Address::new_dangerous(name, domain)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[address]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(text: &str) -> String {
        EmailAddress::new(text).unwrap_or_else(|rule| panic!("{text}: {rule}")).compared().to_owned()
    }

    #[test]
    fn case_and_the_script_of_a_domain_make_no_difference() {
        for (one, other) in [
            ("Ada.Lovelace@Example.ORG", "ada.lovelace@example.org"),
            ("ada@bücher.example", "ADA@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@bu\u{308}cher.example"),
            ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
            ("ada@ｅxample.org", "ada@example.org"),
        ] {
            assert_eq!(compared(one), compared(other), "{one} {other}");
        }
        assert_ne!(compared("ada@example.org"), compared("a.da@example.org"));
        assert_ne!(compared("ada+parlor@example.org"), compared("ada@example.org"));
    }

    #[test]
    fn mail_goes_to_the_name_as_typed_at_the_domain_in_ascii() {
        let address = EmailAddress::new("Ada@Bücher.example").unwrap();
        assert_eq!(address.as_typed(), "Ada@Bücher.example");
        assert_eq!(address.deliverable().to_string(), "Ada@xn--bcher-kva.example");
        assert_eq!(format!("{address:?}"), "[address]");
    }

    #[test]
    fn what_is_no_address_is_refused_by_the_rule_it_breaks() {
        let long = format!("{}@{}.org", "a".repeat(60), ["b".repeat(63).as_str(); 3].join("."));
        assert_eq!(long.len(), 256);
        compared(&long[2..]);
        for (rule, texts) in [
            (InvalidEmail::Form, vec!["", "ada", "ada@b@example.org", "a\"@\"b@example.org", &long]),
            (
                InvalidEmail::Name,
                vec![
                    "@example.org",
                    " ada@example.org",
                    "ada @example.org",
                    "ada\r\nBcc: eve@example.org",
                    "\"ada\"@example.org",
                    "(ada)ada@example.org",
                    ".ada@example.org",
                    "ada.@example.org",
                    "a..da@example.org",
                    "ädä@example.org",
                    "ada\0@example.org",
                    "Ada <ada@example.org",
                ],
            ),
            (
                InvalidEmail::Domain,
                vec![
                    "ada@",
                    "ada@.org",
                    "ada@example..org",
                    "ada@example.org ",
                    "ada@example.org\n",
                    "ada@[192.0.2.1]",
                    "ada@192.0.2.1",
                    "ada@exam_ple.org",
                    "ada@-example.org",
                    "ada@example.org>",
                    "ada@example.org,eve",
                ],
            ),
        ] {
            for text in texts {
                let found = EmailAddress::new(text).map(|address| address.compared().to_owned());
                let expected = if text.contains("Bcc") { InvalidEmail::Name } else { rule };
                assert_eq!(found, Err(expected), "{text:?}");
            }
        }
        let name = format!("{}@example.org", "a".repeat(65));
        assert_eq!(EmailAddress::new(&name), Err(InvalidEmail::Name));
    }
}
