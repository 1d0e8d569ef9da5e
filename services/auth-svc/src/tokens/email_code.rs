//! Keyed hashes of the codes that prove an address. A code has so few digits that a hash without a key would be no
//! secret to whoever reads the database.

use aws_lc_rs::hmac;
use parlor_types::{Id as _, UserId};

use super::Issuer;
use crate::emails::{Code, CodeMac, EmailAddress};

/// Keeps these MACs apart from those of refresh tokens, which have the same key.
const PURPOSE: &[u8] = b"parlor.email-code.v1";

impl Issuer {
    /// What is kept of a code: good for this user and this address alone.
    #[must_use]
    pub fn code_mac(&self, user: UserId, address: &EmailAddress, code: &Code) -> CodeMac {
        let mac = hmac::sign(self.keys().refresh(), &message(user, address, code));
        let mut bytes = [0; 32];
        bytes.copy_from_slice(mac.as_ref());
        CodeMac(bytes)
    }

    /// Whether `mac` was made of this code.
    #[must_use]
    pub fn is_code(&self, user: UserId, address: &EmailAddress, code: &Code, mac: &CodeMac) -> bool {
        hmac::verify(self.keys().refresh(), &message(user, address, code), &mac.0).is_ok()
    }
}

/// Unambiguous: all but the address, which is last, have a fixed length.
fn message(user: UserId, address: &EmailAddress, code: &Code) -> Vec<u8> {
    [PURPOSE, &user.bytes(), code.as_str().as_bytes(), address.compared().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tokens::Keys;

    #[test]
    fn a_mac_is_good_for_its_user_address_code_and_key_alone() {
        let issuer = || Issuer::new(Keys::generate().unwrap(), Duration::from_secs(60));
        let (ours, user) = (issuer(), UserId::new());
        let (address, code) = (EmailAddress::new("ada@example.org").unwrap(), Code::new("12345678").unwrap());
        let mac = ours.code_mac(user, &address, &code);
        let same = EmailAddress::new("ADA@example.org").unwrap();
        assert!(ours.is_code(user, &same, &code, &mac));
        let other = EmailAddress::new("eve@example.org").unwrap();
        assert!(!ours.is_code(user, &other, &code, &mac));
        assert!(!ours.is_code(UserId::new(), &address, &code, &mac));
        assert!(!ours.is_code(user, &address, &Code::new("12345679").unwrap(), &mac));
        assert!(!issuer().is_code(user, &address, &code, &mac));
    }
}
