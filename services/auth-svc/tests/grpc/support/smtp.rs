//! A mail server, as far as one that takes mail needs to be: it speaks SMTP (RFC 5321) on a port of its own.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// What came in one dialogue.
#[derive(Debug)]
pub struct Received {
    /// EHLO's name.
    pub greeted_as: String,
    /// Where from, where to: what stands in angle brackets.
    pub from: String,
    pub to: String,
    /// The mail, with LF for line ends.
    pub text: String,
}

/// The server. It ends with this.
pub struct Smtp {
    pub port: u16,
    pub received: mpsc::Receiver<Received>,
    /// Answers to RCPT, the last one first; then 250.
    pub answers: Arc<Mutex<Vec<String>>>,
    /// Dialogues begun.
    pub dialogues: Arc<Mutex<usize>>,
    serving: AbortHandle,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Smtp {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = mpsc::channel(64);
        let (answers, dialogues) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<usize>>::default());
        let (scripted, count) = (Arc::clone(&answers), Arc::clone(&dialogues));
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                *count.lock().unwrap() += 1;
                // A dialogue that breaks off is the client's choice.
                tokio::spawn(dialogue(stream, Arc::clone(&scripted), sender.clone()));
            }
        });
        Self { port, received, answers, dialogues, serving: serving.abort_handle() }
    }
}

async fn dialogue(
    stream: TcpStream,
    answers: Arc<Mutex<Vec<String>>>,
    received: mpsc::Sender<Received>,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut mail =
        Received { greeted_as: String::new(), from: String::new(), to: String::new(), text: String::new() };
    writer.write_all(b"220 mail.example.org ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let (verb, rest) = line.split_at(line.len().min(4));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                mail.greeted_as = rest.trim().to_owned();
                "250-mail.example.org\r\n250 8BITMIME".to_owned()
            }
            "MAIL" => {
                mail.from = bracketed(rest);
                "250 ok".to_owned()
            }
            "RCPT" => {
                mail.to = bracketed(rest);
                let answer = answers.lock().unwrap().pop();
                answer.unwrap_or_else(|| "250 ok".to_owned()).replace("{to}", &mail.to)
            }
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    mail.text += line.strip_prefix('.').unwrap_or(&line);
                    mail.text.push('\n');
                }
                let text = std::mem::take(&mut mail.text);
                let (greeted_as, from, to) = (mail.greeted_as.clone(), mail.from.clone(), mail.to.clone());
                received.try_send(Received { greeted_as, from, to, text }).ok();
                "250 taken".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "502 what?".to_owned(),
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn bracketed(text: &str) -> String {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(inner, _)| inner.to_owned()).unwrap_or_default()
}
