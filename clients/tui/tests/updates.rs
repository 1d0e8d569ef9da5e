//! What keys, the mouse and the client's news do to the state, and what is asked for because of it.

mod support;

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use parlor_client::core::{Draft, Event, Range};
use parlor_tui::effect::{Effect, Part};
use parlor_tui::input::Input;
use parlor_tui::state::{Focus, Overlay};
use parlor_tui::views::accounts::another;
use parlor_tui::views::messages::Anchor;
use parlor_types::{Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{self as chat, PreferenceChanges, Text};
use parlor_wire::errors::v1::Problem;
use support::*;

fn sent(effects: &[Effect]) -> Vec<Draft> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Send(draft) => Some(draft.clone()),
        _ => None,
    });
    sent.collect()
}

fn text(draft: &Draft) -> &str {
    match &draft.content {
        Kind::Text(text) => &text.body,
        Kind::Edit(edit) => &edit.body,
        other => panic!("{other:?}"),
    }
}

/// The seq of the message at the bottom of the screen.
fn long_talk(desk: &mut Desk, seqs: std::ops::RangeInclusive<u64>, low: u64) {
    let have = *seqs.end();
    let said = seqs
        .map(|seq| says(seq, BEN, 500 - i64::try_from(seq).expect("small seqs"), &format!("number {seq}")))
        .collect();
    let mut page = page(BEN, said);
    page.range = Some(Range { low: Seq(low), have: Seq(have) });
    page.floor = Seq(1);
    desk.hear(Input::Page(page));
}

#[test]
fn whatever_is_typed_is_kept_at_once() {
    let mut desk = Desk::with_ben(80, 24);
    desk.asked();
    desk.write("Hi");
    let kept: Vec<_> = desk
        .asked()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::KeepDraft(id, Some(draft)) => Some((id, draft.text)),
            _ => None,
        })
        .collect();
    let ben = conversation(BEN);
    assert_eq!(kept, [(ben, "H".to_owned()), (ben, "Hi".to_owned())]);
}

#[test]
fn what_is_written_is_there_again_after_looking_elsewhere() {
    let mut desk = Desk::with_ben(80, 24);
    desk.write("half a thou");
    desk.asked();
    desk.hold(KeyModifiers::ALT, KeyCode::Down);
    let told = desk.asked().into_iter().any(|effect| {
        matches!(effect, Effect::Prefer(_, changes) if changes.draft.as_ref().is_some_and(|d| d.text == "half a thou"))
    });
    assert!(told, "the server hears of it");
    assert_eq!(desk.state.composer.editor.text(), "");
    desk.hold(KeyModifiers::ALT, KeyCode::Up);
    assert_eq!(desk.state.composer.editor.text(), "half a thou");
}

#[test]
fn what_was_refused_is_back_in_the_composer() {
    let mut desk = Desk::with_ben(80, 24);
    desk.write("too late");
    desk.press(KeyCode::Enter);
    let draft = sent(&desk.asked()).remove(0);
    desk.write("and");
    desk.hear(Input::Refused(draft, "you are no member any more".to_owned()));
    assert_eq!(desk.state.composer.editor.text(), "too late\nand");
    assert!(desk.state.notice.as_ref().is_some_and(|notice| notice.bad));
    let kept = desk
        .asked()
        .into_iter()
        .any(|effect| matches!(effect, Effect::KeepDraft(_, Some(draft)) if draft.text == "too late\nand"));
    assert!(kept);
}

#[test]
fn the_local_draft_is_forgotten_after_the_message_is_saved() {
    let mut desk = Desk::with_ben(80, 24);
    desk.write("done");
    desk.asked();
    desk.press(KeyCode::Enter);
    let asked = desk.asked();
    let place = |wanted: fn(&Effect) -> bool| asked.iter().position(wanted).unwrap();
    let send = place(|effect| matches!(effect, Effect::Send(_)));
    let forget = place(|effect| matches!(effect, Effect::KeepDraft(_, None)));
    assert!(send < forget, "effects are done in order");
}

#[test]
fn an_edit_takes_the_place_of_a_message_and_the_draft_waits() {
    let mut desk = Desk::with_ben(80, 24);
    desk.write("a draft");
    desk.press(KeyCode::Up);
    desk.asked();
    desk.press(KeyCode::Char('e'));
    assert_eq!(desk.state.composer.editor.text(), "Wonderful. Nine o'clock?");
    desk.write("!");
    desk.press(KeyCode::Enter);
    let sent = sent(&desk.asked());
    assert_eq!((text(&sent[0]), sent[0].target), ("Wonderful. Nine o'clock?!", Seq(9)));
    assert_eq!(desk.state.composer.editor.text(), "a draft");
}

#[test]
fn only_a_message_of_ones_own_is_worded_anew() {
    let mut desk = Desk::with_ben(80, 24);
    for _ in 0..5 {
        desk.press(KeyCode::Up);
    }
    assert!(desk.state.thread.as_ref().unwrap().chosen_entry().is_some_and(|entry| entry.seq < 6));
    desk.press(KeyCode::Char('e'));
    assert_eq!((desk.state.focus, desk.state.composer.editing), (Focus::Messages, None));
}

#[test]
fn a_delete_is_asked_about() {
    let mut desk = Desk::with_ben(80, 24);
    desk.press(KeyCode::Up);
    desk.asked();
    desk.press(KeyCode::Char('d'));
    assert!(sent(&desk.asked()).is_empty());
    desk.press(KeyCode::Char('n'));
    assert!(sent(&desk.asked()).is_empty() && desk.state.overlay.is_none());
    desk.press(KeyCode::Char('d'));
    desk.press(KeyCode::Char('y'));
    assert_eq!(sent(&desk.asked()), [Draft::delete(conversation(BEN), Seq(9))]);
}

#[test]
fn members_are_called_by_name() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::Down);
    desk.press(KeyCode::Enter);
    desk.write("@ben and @CLEO, not @dalia or me@lilei.example");
    desk.press(KeyCode::Enter);
    let mut called: Vec<UserId> = sent(&desk.asked()).remove(0).mentions;
    called.sort();
    assert_eq!(called, [user(BEN), user(CLEO)]);
}

#[test]
fn what_is_at_the_end_of_the_screen_is_marked_as_read_if_somebody_looks() {
    let read = |effects: &[Effect]| {
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::MarkRead(id, Seq(10)) if *id == conversation(BEN)))
    };
    let mut desk = Desk::with_ben(80, 24);
    desk.hear(Input::Front(false));
    desk.asked();
    let mut newer = page(BEN, vec![says(10, BEN, 1, "there?")]);
    newer.part = Part::After(Seq(9));
    newer.range = Some(Range { low: Seq(1), have: Seq(10) });
    desk.hear(Input::Page(newer));
    assert!(!read(&desk.asked()), "nobody looks");
    desk.hear(Input::Front(true));
    assert!(read(&desk.asked()));
}

#[test]
fn what_was_on_the_screen_is_marked_as_read_and_what_is_further_down_is_not() {
    let marks = |desk: &mut Desk| -> Vec<Seq> {
        let asked = desk.asked();
        let marks = asked.iter().filter_map(|effect| match effect {
            Effect::MarkRead(_, seq) => Some(*seq),
            _ => None,
        });
        marks.collect()
    };
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::Enter);
    long_talk(&mut desk, 1..=200, 1);
    assert_eq!(marks(&mut desk).last(), Some(&Seq(200)), "it begins at the end");
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::Enter);
    let thread = desk.state.thread.as_mut().expect("it is open");
    (thread.read_before, thread.going_to) = (Seq(50), Some((Seq(51), false)));
    long_talk(&mut desk, 1..=200, 1);
    let seen = marks(&mut desk).into_iter().max().expect("some are new");
    let is_shown = |desk: &Desk, seq: u64| desk.screen().contains(&format!("number {seq} "));
    assert!(
        is_shown(&desk, seen.0) && !is_shown(&desk, seen.0 + 1),
        "{seen:?} is the last of\n{}",
        desk.screen()
    );
    desk.press(KeyCode::PageUp);
    assert_eq!(marks(&mut desk), [], "what was read before");
    desk.press(KeyCode::PageDown);
    desk.press(KeyCode::PageDown);
    assert!(marks(&mut desk).into_iter().max() > Some(seen));
}

#[test]
fn history_comes_as_the_reader_scrolls_from_the_store_and_then_from_the_server() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::Enter);
    long_talk(&mut desk, 101..=300, 51);
    desk.asked();
    for _ in 0..9 {
        desk.press(KeyCode::PageUp);
    }
    assert!(desk.asked().contains(&Effect::Load(conversation(BEN), Part::Before(Seq(101)))));
    let mut older = page(BEN, (51..=100).map(|seq| says(seq, BEN, 600, "older")).collect());
    older.part = Part::Before(Seq(101));
    older.range = Some(Range { low: Seq(51), have: Seq(300) });
    older.floor = Seq(1);
    let before = desk.screen();
    desk.hear(Input::Page(older));
    assert_eq!(desk.screen(), before, "what comes above moves nothing");
    for _ in 0..8 {
        desk.press(KeyCode::PageUp);
    }
    let fetched = desk.asked().into_iter().filter(|effect| matches!(effect, Effect::FetchOlder(..))).count();
    assert_eq!(fetched, 1, "asked once");
}

#[test]
fn what_comes_does_not_move_whoever_reads_further_up() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::Enter);
    long_talk(&mut desk, 1..=200, 1);
    desk.press(KeyCode::PageUp);
    desk.asked();
    let before = desk.screen();
    let mut newer = page(BEN, vec![says(201, BEN, 1, "new")]);
    newer.part = Part::After(Seq(200));
    newer.range = Some(Range { low: Seq(1), have: Seq(201) });
    desk.hear(Input::Page(newer));
    assert_eq!(desk.screen(), before);
    assert!(!desk.asked().iter().any(|effect| matches!(effect, Effect::MarkRead(..))), "it was not shown");
    desk.press(KeyCode::Tab);
    desk.press(KeyCode::Tab);
    desk.press(KeyCode::End);
    assert!(desk.screen().contains("  new"));
}

#[test]
fn the_ends_of_the_history_are_the_ends_of_scrolling() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::Enter);
    long_talk(&mut desk, 1..=60, 1);
    let bottom = desk.screen();
    for _ in 0..20 {
        desk.press(KeyCode::PageUp);
    }
    let top = desk.screen();
    assert!(top.contains("number 1\n") || top.contains("number 1 "), "{top}");
    desk.press(KeyCode::PageUp);
    assert_eq!(desk.screen(), top);
    for _ in 0..20 {
        desk.press(KeyCode::PageDown);
    }
    assert_eq!(desk.screen(), bottom);
}

#[test]
fn a_day_far_back_is_fetched_and_gone_to() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::Enter);
    long_talk(&mut desk, 101..=300, 101);
    desk.asked();
    desk.hear(Input::FoundTime(conversation(BEN), Some(Seq(20))));
    assert!(desk.asked().contains(&Effect::FetchOlder(conversation(BEN), Seq(20))));
    desk.event(Event::Older { conversation: conversation(BEN), low: Seq(20), complete: false });
    let mut again = page(BEN, (20..=100).map(|seq| says(seq, BEN, 600, &format!("number {seq}"))).collect());
    again.part = Part::Before(Seq(101));
    again.range = Some(Range { low: Seq(20), have: Seq(300) });
    again.floor = Seq(1);
    desk.hear(Input::Page(again));
    let thread = desk.state.thread.as_ref().unwrap();
    assert_eq!(thread.chosen_entry().map(|entry| entry.seq), Some(20));
    assert!(desk.screen().contains("number 20"));
}

#[test]
fn the_mouse_opens_chooses_and_scrolls() {
    let mut desk = Desk::with_ben(80, 24);
    let mouse = |kind, column, row| MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    desk.hear(Input::Mouse(mouse(MouseEventKind::Down(MouseButton::Left), 30, 4)));
    assert_eq!(desk.state.focus, Focus::Messages);
    assert!(desk.state.thread.as_ref().unwrap().chosen.is_some());
    desk.hear(Input::Mouse(mouse(MouseEventKind::Down(MouseButton::Left), 3, 4)));
    assert_eq!(desk.state.thread.as_ref().unwrap().id, conversation(HARBOUR));
    desk.hear(Input::Mouse(mouse(MouseEventKind::ScrollUp, 30, 4)));
    desk.hear(Input::Mouse(mouse(MouseEventKind::ScrollDown, 3, 4)));
    assert_eq!(desk.state.list.chosen, Some(conversation(LI)));
}

#[test]
fn mute_and_pin_are_turned_round() {
    let mut desk = Desk::new(80, 24);
    desk.asked();
    desk.press(KeyCode::Char('p'));
    let unpinned = PreferenceChanges { pinned: Some(false), ..PreferenceChanges::default() };
    assert_eq!(desk.asked(), [Effect::Prefer(conversation(BEN), Box::new(unpinned))]);
    desk.press(KeyCode::Char('m'));
    let muted = desk.asked().into_iter().any(|effect| {
        matches!(effect, Effect::Prefer(_, changes) if changes.muted_until.is_some_and(|until| until.seconds > NOW))
    });
    assert!(muted);
}

#[test]
fn a_pasted_file_is_sent_with_what_is_written_only_if_asked() {
    let mut desk = Desk::with_ben(80, 24);
    desk.write("look");
    desk.asked();
    let paste = || Input::Paste("/tmp/boat.jpg".to_owned(), vec!["/tmp/boat.jpg".into()]);
    desk.hear(paste());
    desk.press(KeyCode::Char('t'));
    assert_eq!(desk.state.composer.editor.text(), "look/tmp/boat.jpg", "as text");
    long_talk(&mut desk, 1..=200, 1);
    desk.press(KeyCode::PageUp);
    assert_ne!(desk.state.thread.as_ref().map(|thread| thread.anchor), Some(Anchor::Bottom));
    desk.hear(paste());
    assert!(matches!(desk.state.overlay, Some(Overlay::Confirm(_))));
    assert!(desk.screen().contains("saying: look"), "{}", desk.screen());
    desk.asked();
    desk.press(KeyCode::Enter);
    let caption = desk.asked().into_iter().find_map(|effect| match effect {
        Effect::SendFiles(draft) => Some(draft.caption),
        _ => None,
    });
    assert_eq!(caption.as_deref(), Some("look/tmp/boat.jpg"));
    assert_eq!(desk.state.thread.as_ref().map(|thread| thread.anchor), Some(Anchor::Bottom));
    assert!(desk.state.composer.editor.is_empty());
}

#[test]
fn whoever_makes_another_account_can_go_back() {
    let mut desk = Desk::new(80, 24);
    desk.state.overlay = Some(another("http://127.0.0.1:7700", "/home/ada/first".into()));
    assert!(desk.screen().contains("Esc: back"));
    desk.press(KeyCode::Esc);
    assert!(desk.asked().contains(&Effect::SwitchTo("/home/ada/first".into())));
}

#[test]
fn a_draft_of_another_device_is_taken_over_unless_there_is_a_newer_one_here() {
    let mut desk = Desk::new(80, 24);
    desk.press(KeyCode::End);
    desk.press(KeyCode::Enter);
    assert_eq!(desk.state.composer.editor.text(), "I will write to you on");
    let mut desk = Desk::new(80, 24);
    let kept = chat::Draft { text: "I will write to you on Friday".to_owned(), reply_to: 0 };
    desk.hear(Input::Drafts([(conversation(DALIA), kept)].into()));
    desk.press(KeyCode::End);
    desk.press(KeyCode::Enter);
    assert_eq!(desk.state.composer.editor.text(), "I will write to you on Friday");
}

#[test]
fn a_session_that_ended_asks_to_log_in() {
    let mut desk = Desk::with_ben(80, 24);
    let reason = parlor_wire::errors::v1::ErrorReason::SessionEnded.into();
    desk.event(Event::Stopped(Problem { reason, ..Problem::default() }));
    assert!(matches!(desk.state.overlay, Some(Overlay::SignIn(_))));
}

/// Whatever the network says, no cell of the screen holds a character that steers a terminal.
#[test]
fn nothing_from_the_network_steers_the_terminal() {
    const EVIL: &str = "x\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\r\n\t\u{8}y";
    let mut desk = Desk::with_ben(80, 24);
    let mut chats = chats();
    chats.shown[1].row.name = EVIL.to_owned();
    chats.shown[0].preferences.custom_name = EVIL.to_owned();
    chats.shown[2].preferences.draft = EVIL.to_owned();
    chats.shown[3].last_message = Some(says(3, DALIA, 5, EVIL));
    desk.hear(Input::Chats(chats, 0));
    let name = parlor_wire::auth::v1::Profile {
        display_name: EVIL.to_owned(),
        username: EVIL.to_owned(),
        ..parlor_wire::auth::v1::Profile::default()
    };
    desk.hear(Input::Names(vec![(user(BEN), parlor_tui::people::Name::of(&name))]));
    let media =
        parlor_wire::media::v1::Media { name: EVIL.to_owned(), ..parlor_wire::media::v1::Media::default() };
    let file = Kind::File(chat::File { media: Some(media), caption: EVIL.to_owned() });
    let place = Kind::Location(chat::Location { name: EVIL.to_owned(), ..chat::Location::default() });
    let rename = Kind::Rename(chat::Rename { name: EVIL.to_owned() });
    let said = vec![
        says(1, BEN, 5, EVIL),
        of_kind(2, BEN, 4, file),
        of_kind(3, BEN, 4, place),
        of_kind(4, BEN, 3, rename),
        of_kind(5, BEN, 2, Kind::Text(Text { body: "\u{1b}c".repeat(50) })),
    ];
    desk.hear(Input::Page(page(BEN, said)));
    desk.event(Event::Refused {
        frame: EVIL.to_owned(),
        problem: Problem { message: EVIL.to_owned(), ..Problem::default() },
    });
    let kept = chat::Draft { text: EVIL.to_owned(), reply_to: 0 };
    desk.state.composer = parlor_tui::views::composer::Composer::of(&kept);
    desk.hear(Input::Paste(EVIL.to_owned(), Vec::new()));
    let check = |desk: &Desk| {
        let screen = desk.screen();
        let bad = screen.chars().find(|c| parlor_tui::text::is_harmful(*c) && *c != '\n');
        assert_eq!(bad, None, "{screen}");
    };
    check(&desk);
    for key in [KeyCode::F(6), KeyCode::F(5)] {
        desk.press(key);
        check(&desk);
        desk.press(KeyCode::Esc);
    }
    desk.hear(Input::Failed(EVIL.to_owned()));
    check(&desk);
}
