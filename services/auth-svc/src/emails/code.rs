//! The code that proves an address.

use std::fmt;

use aws_lc_rs::rand;

use crate::refusal::Refusal;

/// Digits of a code.
const DIGITS: usize = 8;
/// Codes there are.
const CODES: u32 = 10_u32.pow(DIGITS as u32);

/// Eight digits. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

/// Why a text is no [`Code`]: the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {DIGITS} digits")]
pub struct InvalidCode;

/// What is kept of a code: a keyed hash, of no use to whoever has no key. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeMac(pub [u8; 32]);

impl Code {
    /// As it was presented.
    ///
    /// # Errors
    /// It is not eight digits.
    pub fn new(text: &str) -> Result<Self, InvalidCode> {
        let fits = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| Self(text.to_owned())).ok_or(InvalidCode)
    }

    /// A new one, each as likely as any other.
    ///
    /// # Errors
    /// `Internal`, if the system has no randomness to give.
    pub fn generate() -> Result<Self, Refusal> {
        loop {
            let mut bytes = [0; 4];
            rand::fill(&mut bytes).map_err(|_| Refusal::Internal("no randomness".to_owned()))?;
            if let Some(code) = Self::from_number(u32::from_be_bytes(bytes)) {
                return Ok(code);
            }
        }
    }

    /// None for the numbers above the last whole multiple of [`CODES`]: they would make some codes likelier.
    fn from_number(number: u32) -> Option<Self> {
        let even = u32::MAX - u32::MAX % CODES;
        (number < even).then(|| Self(format!("{:0width$}", number % CODES, width = DIGITS)))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[code]")
    }
}

impl fmt::Debug for CodeMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[mac]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_eight_digits_and_no_code_is_likelier_than_another() {
        assert_eq!(Code::from_number(0).unwrap().as_str(), "00000000");
        assert_eq!(Code::from_number(4_199_999_999).unwrap().as_str(), "99999999");
        assert_eq!(Code::from_number(4_200_000_000), None);
        assert_eq!(Code::from_number(u32::MAX), None);
        let (one, other) = (Code::generate().unwrap(), Code::generate().unwrap());
        assert_eq!(Code::new(one.as_str()), Ok(one.clone()));
        assert_ne!(one, other, "one time in a hundred million they are the same");
    }

    #[test]
    fn only_digits_of_ascii_are_read() {
        for text in
            ["", "1234567", "123456789", "1234567a", "1234 567", "-1234567", "１２３４５６７８", "12345678\n"]
        {
            assert_eq!(Code::new(text), Err(InvalidCode), "{text:?}");
        }
        assert_eq!(format!("{:?} {:?}", Code::new("12345678"), CodeMac([7; 32])), "Ok([code]) [mac]");
    }
}
