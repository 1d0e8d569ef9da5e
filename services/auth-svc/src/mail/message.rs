//! A mail as it goes over the wire: RFC 5322, as lettre writes it.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};

use super::{Mail, SendError};

/// Random bytes in the id of a message.
const ID_BYTES: usize = 16;

/// A mail with its headers.
pub(super) struct Rendered {
    /// The mail.
    pub(super) message: Message,
    /// What makes its id its own, fit for the name of a file.
    pub(super) id: String,
}

/// Writes `mail` as one from `from`. RFC 3834: `Auto-Submitted` keeps answering machines quiet.
pub(super) fn render(from: &Mailbox, mail: &Mail) -> Result<Rendered, SendError> {
    let mut bytes = [0; ID_BYTES];
    rand::fill(&mut bytes).map_err(|_| SendError::Failed("no randomness".to_owned()))?;
    let id = URL_SAFE_NO_PAD.encode(bytes);
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, mail.to.deliverable()))
        .subject(mail.subject.as_str())
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .header(ContentType::TEXT_PLAIN)
        .body(mail.text.clone())
        .map_err(|_| SendError::Refused("the mail cannot be written".to_owned()))?;
    Ok(Rendered { message, id })
}

#[cfg(test)]
mod tests {
    use parlor_types::UserId;

    use super::*;
    use crate::emails::{Code, EmailAddress};

    #[test]
    fn a_mail_has_what_mail_servers_ask_for() {
        let to = EmailAddress::new("Ada@bücher.example").unwrap();
        let mail = Mail::with_code(UserId::new(), &to, &Code::new("01234567").unwrap());
        let from: Mailbox = "Pärlor <parlor@example.org>".parse().unwrap();
        let rendered = render(&from, &mail).unwrap();
        let text = String::from_utf8(rendered.message.formatted()).unwrap();
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        let id = format!("Message-ID: <{}@example.org>", rendered.id);
        for line in [
            "To: Ada@xn--bcher-kva.example",
            "Subject: Prove your e-mail address",
            &id,
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 7bit",
        ] {
            assert!(headers.lines().any(|header| header == line), "{line} in\n{headers}");
        }
        assert!(headers.contains("<parlor@example.org>") && headers.contains("\r\nDate: "), "{headers}");
        assert!(text.is_ascii() && body.contains("Your code is 01234567\r\n"), "{body}");
        let printed = format!("{mail:?}");
        assert!(!printed.contains("example") && !printed.contains("01234567"), "{printed}");
    }
}
