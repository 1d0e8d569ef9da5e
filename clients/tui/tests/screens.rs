//! Every view as it is drawn, compared with the text files in `tests/screens`.
//!
//! After a change that is meant: `PARLOR_RENEW_SCREENS=1 cargo test -p parlor-tui --test screens`, and read the difference.

mod support;

use std::path::Path;
use std::time::Duration;

use crossterm::event::KeyCode;
use parlor_client::core::{Event, Progress};
use parlor_tui::effect::Part;
use parlor_tui::input::Input;
use parlor_tui::people::Name;
use parlor_tui::picture::Drawing;
use parlor_tui::state::{Link, Overlay};
use parlor_tui::views::accounts::{Account, nobody};
use parlor_tui::views::people::Found;
use parlor_tui::views::settings::Known;
use parlor_types::{Id as _, MediaId, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Activity, Audience, File, Image, Privacy};
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::{ImageInfo, Media, Purpose};
use parlor_wire::presence::v1::Status;
use support::*;

fn compare(name: &str, desk: &Desk) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(name).with_extension("txt");
    let drawn = desk.screen();
    if std::env::var_os("PARLOR_RENEW_SCREENS").is_some() {
        std::fs::write(&path, drawn).expect("the folder of the screens is there");
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(drawn == golden, "{name} is drawn differently now:\n{drawn}\nit was:\n{golden}");
}

#[test]
fn the_list_before_anything_is_open() {
    compare("list", &Desk::new(80, 24));
}

#[test]
fn nobody_to_talk_to_yet() {
    let mut desk = Desk::new(80, 24);
    desk.hear(Input::Chats(parlor_client::store::Chats::default(), 0));
    compare("empty", &desk);
}

#[test]
fn a_conversation() {
    compare("conversation", &Desk::with_ben(80, 24));
    compare("conversation_wide", &Desk::with_ben(200, 60));
    compare("conversation_narrow", &Desk::with_ben(44, 20));
}

#[test]
fn the_picture_in_the_readme_is_what_is_drawn() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    assert!(
        text.contains(&Desk::with_ben(80, 24).screen()),
        "copy tests/screens/conversation.txt into README.md"
    );
}

#[test]
fn what_is_on_its_way() {
    let mut desk = Desk::with_ben(80, 24);
    let mut failed = waiting(9, "a file that cannot be read");
    failed.failed = Some("the file cannot be read".to_owned());
    let mut file = waiting(8, "");
    let media = Media { name: "harbour.mp4".to_owned(), size: 4_000_000, ..Media::default() };
    let kind = Kind::File(File { media: Some(media), caption: String::new() });
    file.append.content.as_mut().unwrap().kind = Some(kind);
    let mut page = page(BEN, Vec::new());
    page.part = Part::Again(Seq(9), Seq(9));
    page.range = desk.state.thread.as_ref().unwrap().range;
    page.readers = vec![reader(BEN, 9, 7)];
    page.waiting = vec![waiting(7, "Are you there?"), file, failed];
    desk.hear(Input::Page(page));
    desk.state.uploads.insert(waiting(8, "").op, Progress { done: 1_000_000, total: 4_000_000 });
    desk.event(Event::Offline(None));
    desk.hear(Input::Chats(chats(), 2));
    desk.link(Link::Waiting(Duration::from_secs(7)));
    compare("on_its_way", &desk);
}

#[test]
fn an_answer_being_written() {
    let mut desk = Desk::with_ben(80, 24);
    desk.press(KeyCode::Up);
    desk.press(KeyCode::Up);
    desk.press(KeyCode::Char('r'));
    desk.write("The one by the harbour, of course: we went there twice, and both times it rained");
    desk.hold(crossterm::event::KeyModifiers::ALT, KeyCode::Enter);
    desk.write("Remember?");
    desk.event(Event::Typing {
        conversation: conversation(BEN),
        user: user(BEN),
        activity: Activity::Typing,
    });
    compare("answer", &desk);
}

#[test]
fn emoji_by_name() {
    let mut desk = Desk::with_ben(80, 24);
    desk.write("what a :sail");
    compare("emoji", &desk);
}

#[test]
fn scripts_that_are_wide_or_read_from_the_right() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::End);
    desk.press(KeyCode::Enter);
    let said = vec![
        says(
            1,
            DALIA,
            30,
            "שלום, מה שלומך? אני בנמל (ליד הסירות) עם 3 חברים ונחכה לך עד השעה 18:30 אם תבואי",
        ),
        says(2, ADA, 29, "Hello! אני באה now"),
        says(3, LI, 28, "大家好！我们明天早上九点在港口见面，请带上地图和雨伞，因为可能会下雨。"),
        says(4, DALIA, 27, "مرحبا بالجميع"),
        says(5, LI, 26, "👩‍👩‍👧 🇳🇴 ❤️ e\u{301}"),
    ];
    desk.hear(Input::Page(page(DALIA, said)));
    desk.write("עוד רגע");
    compare("scripts", &desk);
}

#[test]
fn unread_messages_and_a_picture() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::Down);
    desk.press(KeyCode::Enter);
    let media = Media {
        id: MediaId::from_bytes([6; 16]).to_string(),
        name: "map.png".to_owned(),
        size: 34_000,
        preview: Some(Preview::Image(ImageInfo { width: 12, height: 8, ..ImageInfo::default() })),
        purpose: Purpose::Image.into(),
        ..Media::default()
    };
    let image = Kind::Image(Image { media: Some(media), caption: "Will this do?".to_owned() });
    let said = vec![
        says(37, BEN, 180, "On Saturday, then"),
        says(38, ADA, 170, "I am in"),
        of_kind(39, LI, 60, image),
        says(40, CLEO, 51, "@ada that is the old harbour"),
        says(41, CLEO, 50, "Who brings the map? I have lent mine to the neighbours"),
    ];
    let mut page = page(HARBOUR, said);
    page.readers = vec![reader(BEN, 41, 38), reader(CLEO, 41, 41), reader(LI, 39, 39)];
    desk.hear(Input::Page(page));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.png");
    let pixel = |x: u32, y: u32| image::Rgba([(x * 20) as u8, (y * 30) as u8, 90, 255]);
    image::RgbaImage::from_fn(12, 8, pixel).save(&path).unwrap();
    let drawing = parlor_tui::picture::draw(&path, parlor_tui::picture::Protocol::Blocks, (40, 12)).unwrap();
    assert!(matches!(drawing, Drawing::Cells(_)));
    desk.hear(Input::Picture(MediaId::from_bytes([6; 16]), drawing));
    compare("unread", &desk);
    desk.hear(Input::Resize(200, 60));
    compare("unread_wide", &desk);
}

#[test]
fn a_search_in_the_conversation() {
    let mut desk = Desk::with_ben(80, 24);
    desk.press(KeyCode::Tab);
    desk.press(KeyCode::Tab);
    desk.press(KeyCode::F(3));
    desk.write("harb");
    compare("search", &desk);
    desk.press(KeyCode::Enter);
    desk.hear(Input::Found(conversation(BEN), "harb".to_owned(), Some(Seq(7))));
    compare("search_hit", &desk);
}

#[test]
fn people() {
    let mut desk = Desk::with_ben(80, 24);
    desk.press(KeyCode::F(2));
    desk.write("c");
    let found = |number, display: &str, username: &str| Found {
        user: user(number),
        name: Name { display: display.to_owned(), username: username.to_owned() },
    };
    let all = vec![found(CLEO, "Cleo", "cleo"), found(7, "Carl Ångström", "carl"), found(8, "陈", "chen")];
    desk.hear(Input::People("c".to_owned(), all));
    compare("people", &desk);
    desk.press(KeyCode::Tab);
    desk.press(KeyCode::Down);
    desk.press(KeyCode::Tab);
    compare("people_marked", &desk);
    desk.press(KeyCode::Enter);
    desk.write("Tea round");
    compare("group_name", &desk);
}

#[test]
fn members() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::Down);
    desk.press(KeyCode::Char('i'));
    desk.press(KeyCode::Down);
    compare("members", &desk);
}

#[test]
fn settings_before_and_after_the_server_has_answered() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::F(5));
    compare("settings_unknown", &desk);
    let who = i32::from(Audience::Contacts);
    let privacy = Privacy { read_receipts: true, online: who, last_seen: who, direct: who, groups: who };
    let status = Status { text: "at the harbour".to_owned(), ..Status::default() };
    let known = Known { name: Some("Ada".to_owned()), privacy: Some(privacy), status: Some(status) };
    desk.hear(Input::Account(known));
    compare("settings", &desk);
}

#[test]
fn accounts_and_logging_in() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::F(4));
    let account =
        |folder: &str, name: &str, unread| Account { folder: folder.into(), name: name.to_owned(), unread };
    let all = vec![
        account("/home/ada/.local/share/parlor", "@ada at http://127.0.0.1:7700", 3),
        account("/home/ada/.local/share/parlor/accounts/1", "@ada.work at https://chat.example.org", 12),
    ];
    desk.hear(Input::Accounts(all, "/x".into()));
    compare("accounts", &desk);
    desk.state.overlay = Some(nobody("http://127.0.0.1:7700"));
    desk.write("ada");
    desk.press(KeyCode::Tab);
    desk.write("secret");
    compare("sign_in", &desk);
    desk.press(KeyCode::F(2));
    desk.hear(Input::NotLoggedIn("user name or password are wrong".to_owned()));
    compare("sign_in_refused", &desk);
    assert!(!desk.screen().contains("secret"));
}

#[test]
fn questions_and_help() {
    let mut desk = Desk::with_ben(80, 24);
    desk.hear(Input::Paste("/tmp/boat.jpg".to_owned(), vec!["/tmp/boat.jpg".into()]));
    compare("files", &desk);
    desk.press(KeyCode::Esc);
    desk.press(KeyCode::Esc);
    desk.press(KeyCode::Char('?'));
    assert!(matches!(desk.state.overlay, Some(Overlay::Help(_))));
    compare("help", &desk);
    desk.hear(Input::Resize(200, 60));
    compare("help_wide", &desk);
}
