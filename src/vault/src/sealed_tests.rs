//! What a sealed value promises: confidential, whole, bound to its place, and never the same twice.

use crate::*;
use proptest::prelude::*;
use secrecy::ExposeSecret;

const PLACE: SealContext<'static> = SealContext { table: "tokens", row: b"row one", column: "refresh_token" };

/// The master key 00 01 … 1f, version 1.
fn keyring() -> Keyring {
    let bytes: Vec<u8> = (0..32).collect();
    Keyring::parse(&bytes, "test").expect("a raw key")
}

fn bytes_of(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
        .collect()
}

/// Made by another implementation of XChaCha20-Poly1305 (PyCryptodome) from the layout that `sealed` describes.
const WRAPPED: &str = "0100000001404142434445464748494a4b4c4d4e4f5051525354555657f4182753f4c55f31a7ddad9583b14bbda28b9\
                       ff7276c65ad5208c77e35391daf915b120c7f0b9403cd1cefcdc7928da6";
const SEALED: &str = "0100000007606162636465666768696a6b6c6d6e6f70717273747576779be4e955e41cfe08c8b5efee3875b25cf6e80e7\
                      5fcc68d";

#[test]
fn what_format_1_sealed_opens_for_ever() {
    let data_key = keyring().active().unwrap_key("a space", 7, &bytes_of(WRAPPED)).expect("it unwraps");
    let row: Vec<u8> = (0..16).collect();
    let place = SealContext { table: "tokens", row: &row, column: "refresh_token" };
    let text = data_key.open_text(place, &bytes_of(SEALED)).expect("it opens");
    assert_eq!(text.expose_secret(), "sésame");
}

#[test]
fn s22_a_sealed_value_does_not_show_what_it_hides() {
    let canary = b"CANARY-5f1d0a";
    let sealed = DataKey::random(1).seal(PLACE, canary);
    assert_eq!(sealed.len(), canary.len() + 45);
    for window in 4..=canary.len() {
        for piece in canary.windows(window) {
            assert!(!sealed.windows(window).any(|part| part == piece));
        }
    }
}

#[test]
fn s23_another_key_of_the_same_version_does_not_open() {
    let sealed = DataKey::random(1).seal(PLACE, b"secret");
    assert_eq!(DataKey::random(1).open(PLACE, &sealed).err(), Some(OpenError::NotAuthentic));
}

#[test]
fn s23_a_ciphertext_moved_to_another_row_or_column_does_not_open() {
    let key = DataKey::random(1);
    let sealed = key.seal(PLACE, b"secret");
    let elsewhere = [
        SealContext { row: b"row two", ..PLACE },
        SealContext { row: b"", ..PLACE },
        SealContext { column: "access_token", ..PLACE },
        SealContext { table: "secrets", ..PLACE },
        // The same letters, divided differently.
        SealContext { table: "tokensrow one", row: b"", ..PLACE },
        SealContext { table: "token", row: b"srow one", ..PLACE },
        SealContext { row: b"row onerefresh", column: "_token", ..PLACE },
        SealContext { row: b"row onerefresh_token", column: "", ..PLACE },
    ];
    for place in elsewhere {
        assert_eq!(key.open(place, &sealed).err(), Some(OpenError::NotAuthentic), "{place:?}");
    }
    assert_eq!(key.open(PLACE, &sealed).expect("at home").expose_secret(), b"secret");
}

#[test]
fn s24_the_same_secret_twice_gives_two_ciphertexts_that_name_their_key_version() {
    let key = DataKey::random(0x0102_0304);
    let (one, two) = (key.seal(PLACE, b"secret"), key.seal(PLACE, b"secret"));
    assert_ne!(one[5..29], two[5..29], "the nonces");
    assert_ne!(one[29..], two[29..], "the ciphertexts");
    assert_eq!([key_version_of(&one), key_version_of(&two)], [Some(0x0102_0304); 2]);
    let other = DataKey::random(5);
    let error = OpenError::OtherKeyVersion { found: 0x0102_0304, given: 5 };
    assert_eq!(other.open(PLACE, &one).err(), Some(error));
}

#[test]
fn a_wrapped_key_opens_what_it_sealed_and_only_for_its_scope_and_version() {
    let keyring = keyring();
    let master = keyring.active();
    let key = DataKey::random(3);
    let (sealed, wrapped) = (key.seal(PLACE, b"secret"), master.wrap("space", &key));
    assert_eq!((wrapped.len(), key_version_of(&wrapped)), (77, Some(1)));
    assert_ne!(wrapped, master.wrap("space", &key));
    let again = master.unwrap_key("space", 3, &wrapped).expect("it unwraps");
    assert_eq!(again.version(), 3);
    assert_eq!(again.open(PLACE, &sealed).expect("it opens").expose_secret(), b"secret");
    for (scope, version) in [("other", 3), ("", 3), ("space", 4)] {
        let error = master.unwrap_key(scope, version, &wrapped).err();
        assert_eq!(error, Some(OpenError::NotAuthentic), "{scope} {version}");
    }
    // A value of a data key is no wrapped key, nor the other way round.
    let foreign = DataKey::random(1).seal(PLACE, &[7; 32]);
    assert_eq!(master.unwrap_key("space", 3, &foreign).err(), Some(OpenError::NotAuthentic));
}

#[test]
fn s26_a_check_value_tells_a_wrong_master_key_from_damage() {
    let keyring = keyring();
    let check = keyring.active().check_value();
    assert_eq!(keyring.active().verify_check_value(&check), Ok(()));
    let wrong = Keyring::parse(&[[0; 31].as_slice(), &[1]].concat(), "test").expect("a raw key");
    assert_eq!(wrong.active().verify_check_value(&check), Err(OpenError::NotAuthentic));
    assert_eq!(keyring.active().verify_check_value(&check[..44]), Err(OpenError::Truncated));
    // Something else that this key sealed is no check value.
    let wrapped = keyring.active().wrap("space", &DataKey::random(1));
    assert_eq!(keyring.active().verify_check_value(&wrapped), Err(OpenError::NotAuthentic));
}

#[test]
fn s27_debug_of_keys_and_opened_secrets_shows_versions_only() {
    let keyring = keyring();
    let key = DataKey::random(9);
    let sealed = key.seal(PLACE, b"hunter2");
    let bytes = key.open(PLACE, &sealed).expect("it opens");
    let text = key.open_text(PLACE, &sealed).expect("it opens");
    assert_eq!(format!("{key:?}"), "DataKey { version: 9, .. }");
    assert_eq!(format!("{:?}", keyring.active()), "MasterKey { version: 1, .. }");
    assert_eq!(format!("{keyring:?}"), "Keyring { versions: [1], .. }");
    for debug in [format!("{bytes:?}"), format!("{text:?}"), format!("{bytes:#?}")] {
        assert!(
            debug.contains("REDACTED") && !debug.contains("hunter2") && !debug.contains("104"),
            "{debug}"
        );
    }
}

#[test]
fn bytes_that_are_not_text_open_as_bytes_only() {
    let key = DataKey::random(1);
    let sealed = key.seal(PLACE, &[0xff, 0xfe]);
    assert_eq!(key.open_text(PLACE, &sealed).err(), Some(OpenError::NotText));
    assert_eq!(key.open(PLACE, &sealed).expect("it opens").expose_secret(), [0xff, 0xfe]);
}

#[test]
fn a_value_of_another_format_says_so() {
    let key = DataKey::random(1);
    let mut sealed = key.seal(PLACE, b"secret");
    sealed[0] = 2;
    assert_eq!(key.open(PLACE, &sealed).err(), Some(OpenError::UnknownFormat(2)));
    assert_eq!(key_version_of(&sealed), None);
    assert_eq!(key_version_of(b""), None);
}

proptest! {
    #[test]
    fn whatever_was_sealed_opens(plaintext: Vec<u8>, row: Vec<u8>, version: u32) {
        let key = DataKey::random(version);
        let place = SealContext { row: &row, ..PLACE };
        let opened = key.open(place, &key.seal(place, &plaintext)).expect("it opens");
        prop_assert_eq!(opened.expose_secret(), plaintext.as_slice());
    }

    #[test]
    fn whatever_text_was_sealed_opens_as_text(text: String) {
        let key = DataKey::random(1);
        let opened = key.open_text(PLACE, &key.seal(PLACE, text.as_bytes())).expect("it opens");
        prop_assert_eq!(opened.expose_secret(), text.as_str());
    }

    #[test]
    fn s23_a_flipped_byte_does_not_open(plaintext in prop::collection::vec(any::<u8>(), 0..80), mask in 1..=u8::MAX) {
        let key = DataKey::random(1);
        let sealed = key.seal(PLACE, &plaintext);
        for position in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[position] ^= mask;
            let error = key.open(PLACE, &flipped).err();
            let as_expected = match position {
                0 => error == Some(OpenError::UnknownFormat(1 ^ mask)),
                1..5 => matches!(error, Some(OpenError::OtherKeyVersion { given: 1, .. })),
                _ => error == Some(OpenError::NotAuthentic),
            };
            prop_assert!(as_expected, "byte {}: {:?}", position, error);
        }
    }

    #[test]
    fn s23_a_value_cut_off_or_grown_anywhere_does_not_open(plaintext in prop::collection::vec(any::<u8>(), 0..80), more: u8) {
        let key = DataKey::random(1);
        let sealed = key.seal(PLACE, &plaintext);
        for length in 0..sealed.len() {
            let error = if length < 45 { OpenError::Truncated } else { OpenError::NotAuthentic };
            prop_assert_eq!(key.open(PLACE, &sealed[..length]).err(), Some(error));
        }
        let grown = [sealed.as_slice(), &[more]].concat();
        prop_assert_eq!(key.open(PLACE, &grown).err(), Some(OpenError::NotAuthentic));
    }

    #[test]
    fn garbage_does_not_open(garbage: Vec<u8>) {
        let keyring = keyring();
        prop_assert!(DataKey::random(1).open(PLACE, &garbage).is_err());
        prop_assert!(keyring.active().unwrap_key("space", 1, &garbage).is_err());
        prop_assert!(keyring.active().verify_check_value(&garbage).is_err());
    }
}
