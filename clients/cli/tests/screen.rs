//! Two people at full screens, in terminals of their own, while the server is killed.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use support::terminal::Terminal;
use support::{Person, Server};

/// The line of a message, with its time and ticks.
fn line<'a>(screen: &'a str, words: &str) -> &'a str {
    screen.lines().find(|line| line.contains(words)).unwrap_or_default()
}

#[test]
fn two_people_talk_while_the_server_is_killed() {
    tokio::runtime::Runtime::new().unwrap().block_on(two_people());
}

async fn two_people() {
    let mut server = Server::start();
    let (ada, ben) = (Person::registered(&server, "ada"), Person::registered(&server, "ben"));
    ada.json(&["send", "--to", "@ben", "begin"]);
    let (hers, his) = (Terminal::of(&ada), Terminal::of(&ben));
    for terminal in [&hers, &his] {
        terminal.says("begin").await;
        terminal.press("Enter");
        terminal.says("Today").await;
        terminal.says("● connected").await;
    }

    hers.write("can you hear me :ear:");
    hers.press("Enter");
    his.says("can you hear me 👂").await;
    hers.shows("both ticks", |screen| line(screen, "  can you hear me").trim_end().ends_with("✓✓")).await;

    server.kill();
    his.says("offline, connecting in").await;
    his.write("yes, and you?");
    his.press("Enter");
    his.says("1 unsent").await;
    his.write("half a thought");
    his.says("› half a thought").await;
    server.start_again();
    hers.says("  yes, and you?").await;
    his.shows("connected", |screen| screen.contains("● connected") && !screen.contains("unsent")).await;
    let heard: Vec<_> = ada.messages("@ben").into_iter().filter(|said| said == "yes, and you?").collect();
    assert_eq!(heard.len(), 1, "G2: sent once");

    drop(his); // his terminal is closed on him
    let again = Terminal::of(&ben);
    again.says("Draft: half a").await; // as much as the list has room for
    again.press("Enter");
    again.says("› half a thought").await;
}
