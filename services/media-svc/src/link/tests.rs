use std::collections::HashSet;

use super::*;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_800_000_012_345)
}

fn link() -> Link {
    Link {
        media: MediaId::new(),
        variant: Variant::Small,
        user: UserId::new(),
        session: SessionId::new(),
        ends: ends(now()),
    }
}

fn signer() -> Signer {
    Signer::new(&[7; 32])
}

#[test]
fn what_was_signed_is_read_back() {
    for variant in [Variant::Original, Variant::Small, Variant::Large] {
        let link = Link { variant, ..link() };
        let token = signer().token(&link);
        assert_eq!(token.len(), TOKEN);
        assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{token}");
        assert_eq!(signer().open(&token, now()), Ok(link));
    }
}

#[test]
fn g7_an_address_with_any_character_changed_is_nobody_s() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ \0%";
    let token = signer().token(&link());
    for place in 0..token.len() {
        for &character in ALPHABET.iter().filter(|character| **character != token.as_bytes()[place]) {
            let mut changed = token.clone().into_bytes();
            changed[place] = character;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(signer().open(&changed, now()), Err(Useless::Forged), "G7: character {place}");
        }
    }
}

#[test]
fn g7_an_address_with_any_byte_changed_is_nobody_s() {
    let token = URL_SAFE_NO_PAD.decode(signer().token(&link())).unwrap();
    for place in 0..token.len() {
        for bit in 0..8 {
            let mut changed = token.clone();
            changed[place] ^= 1 << bit;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(signer().open(&changed, now()), Err(Useless::Forged), "G7: bit {bit} of byte {place}");
        }
    }
}

#[test]
fn g7_a_signature_is_for_its_file_form_user_session_and_end_alone() {
    let link = link();
    let whole = URL_SAFE_NO_PAD.decode(signer().token(&link)).unwrap();
    let others = [
        Link { media: MediaId::new(), ..link },
        Link { variant: Variant::Original, ..link },
        Link { user: UserId::new(), ..link },
        Link { session: SessionId::new(), ..link },
        Link { ends: link.ends + Duration::from_secs(60), ..link },
    ];
    for other in others {
        let swapped = [&encode(&other)[..], &whole[SIGNED..]].concat();
        let swapped = URL_SAFE_NO_PAD.encode(swapped);
        assert_eq!(signer().open(&swapped, now()), Err(Useless::Forged), "G7: {other:?}");
    }
}

#[test]
fn what_is_cut_lengthened_or_signed_by_another_key_is_nobody_s() {
    let token = signer().token(&link());
    for length in 0..token.len() {
        assert_eq!(signer().open(&token[..length], now()), Err(Useless::Forged));
    }
    for tail in ["A", "=", "==", "/", "?"] {
        assert_eq!(signer().open(&format!("{token}{tail}"), now()), Err(Useless::Forged));
    }
    assert_eq!(Signer::new(&[8; 32]).open(&token, now()), Err(Useless::Forged));
    // The same bytes signed for another purpose.
    let signed = encode(&link());
    let elsewhere = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), &signed);
    let elsewhere = URL_SAFE_NO_PAD.encode([&signed[..], elsewhere.as_ref()].concat());
    assert_eq!(signer().open(&elsewhere, now()), Err(Useless::Forged));
}

#[test]
fn an_address_ends_on_time_and_a_forged_one_is_not_called_old() {
    let link = link();
    let token = signer().token(&link);
    assert_eq!(signer().open(&token, link.ends - Duration::from_nanos(1)), Ok(link));
    assert_eq!(signer().open(&token, link.ends), Err(Useless::TooOld));
    let later = link.ends + LIFETIME;
    assert_eq!(Signer::new(&[8; 32]).open(&token, later), Err(Useless::Forged));
}

#[test]
fn addresses_live_four_to_five_minutes_and_are_the_same_for_one() {
    let start = UNIX_EPOCH + Duration::from_secs(1_800_000_000 / STEP * STEP);
    let mut seen = HashSet::new();
    for second in 0..120 {
        let now = start + Duration::from_secs(second);
        let life = ends(now).duration_since(now).unwrap();
        assert!(life > LIFETIME - Duration::from_secs(STEP) && life <= LIFETIME, "{life:?}");
        seen.insert(ends(now));
    }
    assert_eq!(seen.len(), 2);
}
