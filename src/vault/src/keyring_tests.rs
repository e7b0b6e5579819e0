//! The keyring: what is read, what is refused, and that a change of the file loses nothing.

use crate::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const RAW: [u8; 32] = *b"\0\x01raw, as a generator made it...";

fn line(version: &str, seed: u8) -> String {
    let key: Vec<u8> = (seed..).take(32).collect();
    format!("v{version}:{}\n", STANDARD.encode(key))
}

/// A file of its own, with mode 0600.
fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("master.key");
    fs::write(&path, bytes).expect("a file");
    set_mode(&path, 0o600);
    (folder, path)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o777
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_versioned_file_is_read_in_any_order_with_comments_and_either_line_break() {
    let text = format!("# ours\r\n{}\r\n\n  {}{}", line("10", 10).trim(), line("2", 2), line("3", 3).trim());
    let (_folder, path) = file(text.as_bytes());
    let keyring = Keyring::read(&path).expect("a keyring");
    assert_eq!(keyring.versions(), [2, 3, 10]);
    assert_eq!(keyring.active().version(), 10);
    for version in [2, 3, 10] {
        assert_eq!(keyring.get(version).map(MasterKey::version), Some(version));
    }
    assert!(keyring.get(1).is_none());
}

#[test]
fn a_lone_key_is_version_1_in_each_notation_and_the_same_key() {
    let hex = hex::encode(RAW);
    let raw = Keyring::parse(&RAW, "raw").expect("a raw key");
    let check = raw.active().check_value();
    let versioned = format!("v1:{}", STANDARD.encode(RAW));
    for text in [STANDARD.encode(RAW), hex.to_uppercase(), hex, versioned] {
        for text in [text.clone(), text.clone() + "\n", text + "\r\n"] {
            let keyring = Keyring::parse(text.as_bytes(), "text").expect("one key");
            assert_eq!(keyring.versions(), [1]);
            assert_eq!(keyring.active().verify_check_value(&check), Ok(()));
        }
    }
}

#[test]
fn s26_whatever_is_no_keyring_is_refused_with_a_reason_and_stays_as_it_is() {
    let good = line("1", 1);
    let other = line("2", 2);
    let with = |text: &str| format!("# ours\n{good}{text}\n").into_bytes();
    let cut = &other[..other.len() - 9];
    let hex = "0123456789abcdef".repeat(4);
    let table: Vec<(Vec<u8>, &str)> = vec![
        (vec![], "holds no key"),
        (b"\n# ours\n\n".to_vec(), "holds no key"),
        (vec![b'\n'; 70_000], "longer than 64 KiB"),
        (RAW[..31].to_vec(), "line 1: neither v<version>"),
        (vec![0x80; 31], "line 1: neither text nor one raw key"),
        ([b"# ours\n".as_slice(), &[0xff; 40]].concat(), "line 2: neither text nor one raw key"),
        (vec![0; 32], "line 1: every byte of the key is the same"),
        (vec![0; 64], "line 1: not a key in hex"),
        (b"correct-horse-battery-staple-123".to_vec(), "line 1: neither v<version>"),
        (hex.as_bytes()[..32].to_vec(), "line 1: the key is shorter"),
        (hex.as_bytes()[..62].to_vec(), "line 1: the key is shorter"),
        (hex.replace('f', "g").into_bytes(), "line 1: not a key in hex"),
        (STANDARD.encode(&RAW[..16]).into_bytes(), "line 1: the key is shorter"),
        (STANDARD.encode([5; 33]).into_bytes(), "line 1: the key is not 32 bytes in base64"),
        (STANDARD.encode(&RAW[..31]).into_bytes(), "line 1: the key is shorter"),
        (STANDARD.encode([5; 32]).into_bytes(), "line 1: every byte of the key is the same"),
        (STANDARD.encode([5; 48]).into_bytes(), "line 1: not a key in hex"),
        (with(cut), "line 3: the key is shorter"),
        (with("v2:"), "line 3: the key is shorter"),
        (with("v2"), "line 3: not of the shape"),
        (with(other[3..].trim()), "line 3: not of the shape"),
        (with(&line("", 2)), "line 3: the version is no number"),
        (with(&line("0", 2)), "line 3: the version is not a whole number"),
        (with(&line("02", 2)), "line 3: the version is not a whole number"),
        (with(&line("+2", 2)), "line 3: the version is not a whole number"),
        (with(&line("4294967296", 2)), "line 3: the version is no number or too high"),
        (with(&other.replace('=', "*")), "line 3: the key is not 32 bytes"),
        (with(&other.replace("v2:", "v2: ")), "line 3: the key is not 32 bytes"),
        (with(&line("1", 2)), "line 3: version 1 is there twice"),
        (with(&line("2", 1)), "line 3: the key is there twice, as two versions"),
    ];
    for (bytes, reason) in table {
        let (folder, path) = file(&bytes);
        let error = Keyring::read(&path).expect_err(reason);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(reason) && shown.contains("master.key"), "{reason}: {shown}");
        for content in bytes.split(|byte| *byte == b'\n').flat_map(|line| line.windows(8)) {
            let content = String::from_utf8_lossy(content);
            assert!(!shown.contains(&*content), "{reason}: {shown} shows {content}");
        }
        let (add, remove) = (Keyring::add(&path), Keyring::remove(&path, 1));
        assert!(add.is_err() && remove.is_err() && Keyring::create(&path).is_err(), "{reason}");
        assert_eq!(fs::read(&path).expect("the file"), bytes, "{reason}");
        assert_eq!(names(&folder), ["master.key"], "{reason}");
    }
}

#[test]
fn s26_a_file_that_others_may_read_or_change_is_refused_with_the_command_that_helps() {
    let text = line("1", 1);
    let (_folder, path) = file(text.as_bytes());
    for bit in 0..6 {
        let open = 0o600 | 1 << bit;
        set_mode(&path, open);
        let error = Keyring::read(&path).expect_err("open to others");
        let expected = format!("(mode {open:03o}): run `chmod 600 {}`", path.display());
        assert!(error.to_string().ends_with(&expected), "{error}");
        assert!(matches!(Keyring::add(&path), Err(KeyringError::OpenToOthers { mode, .. }) if mode == open));
        assert_eq!((mode(&path), fs::read_to_string(&path).expect("the file")), (open, text.clone()));
    }
    for private in [0o600, 0o400, 0o700] {
        set_mode(&path, private);
        assert_eq!(Keyring::read(&path).expect("private").versions(), [1]);
    }
}

#[test]
fn s26_a_missing_keyring_is_not_made_by_the_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("master.key");
    assert!(matches!(Keyring::read(&path), Err(KeyringError::Missing { .. })));
    assert!(matches!(Keyring::add(&path), Err(KeyringError::Missing { .. })));
    assert!(matches!(Keyring::remove(&path, 1), Err(KeyringError::Missing { .. })));
    assert!(matches!(Keyring::read(folder.path()), Err(KeyringError::NotAFile { .. })));
    let deeper = folder.path().join("no folder/master.key");
    assert!(matches!(Keyring::create(&deeper), Err(KeyringError::Io { .. })));
    assert!(names(&folder).is_empty());
}

#[test]
fn a_new_keyring_is_private_random_and_replaces_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let made = Keyring::create(&one).expect("a new file");
    assert_eq!((made.versions(), mode(&one)), (vec![1], 0o600));
    let check = made.active().check_value();
    assert_eq!(Keyring::read(&one).expect("read").active().verify_check_value(&check), Ok(()));
    let other = Keyring::create(&two).expect("another");
    assert_eq!(other.active().verify_check_value(&check), Err(OpenError::NotAuthentic));
    let before = fs::read(&one).expect("the file");
    assert!(matches!(Keyring::create(&one), Err(KeyringError::Exists { .. })));
    assert_eq!(fs::read(&one).expect("the file"), before);
    assert_eq!(names(&folder).len(), 2);
}

#[test]
fn an_added_key_seals_and_a_retired_one_is_gone_while_the_rest_stays() {
    // Without a line break at the end.
    let text = format!("# ours\n{}# the second\n{}", line("1", 1), line("2", 2).trim());
    let (folder, path) = file(text.as_bytes());
    let check = Keyring::read(&path).expect("read").active().check_value();
    assert_eq!(Keyring::add(&path).expect("added"), 3);
    let added = fs::read_to_string(&path).expect("the file");
    assert!(added.starts_with(&(text + "\nv3:")) && added.ends_with("=\n"), "{added}");

    assert!(matches!(Keyring::remove(&path, 3), Err(KeyringError::Active { version: 3, .. })));
    assert!(matches!(Keyring::remove(&path, 4), Err(KeyringError::UnknownVersion { version: 4, .. })));
    assert_eq!(fs::read_to_string(&path).expect("the file"), added);

    Keyring::remove(&path, 1).expect("retired");
    let kept = fs::read_to_string(&path).expect("the file");
    assert_eq!(kept, added.replace(&line("1", 1), ""));
    let keyring = Keyring::read(&path).expect("read");
    assert_eq!((keyring.versions(), keyring.active().version()), (vec![2, 3], 3));
    assert_eq!(keyring.get(2).expect("version 2").verify_check_value(&check), Ok(()));
    assert_eq!((names(&folder), mode(&path)), (vec!["master.key".to_owned()], 0o600));
}

#[test]
fn a_lone_key_becomes_version_1_of_a_versioned_file() {
    for bytes in [RAW.to_vec(), STANDARD.encode(RAW).into_bytes()] {
        let (_folder, path) = file(&bytes);
        let check = Keyring::read(&path).expect("read").active().check_value();
        assert_eq!(Keyring::add(&path).expect("added"), 2);
        let keyring = Keyring::read(&path).expect("read");
        assert_eq!(keyring.versions(), [1, 2]);
        assert_eq!(keyring.get(1).expect("version 1").verify_check_value(&check), Ok(()));
        assert!(fs::read_to_string(&path).expect("text").starts_with("# The master keys"));
    }
}

#[test]
fn the_highest_version_has_no_next() {
    let text = line("4294967295", 1);
    let (_folder, path) = file(text.as_bytes());
    assert!(matches!(Keyring::add(&path), Err(KeyringError::Full { .. })));
    assert_eq!(fs::read_to_string(&path).expect("the file"), text);
}

#[test]
fn a_link_to_the_keyring_stays_a_link() {
    let (folder, path) = file(line("1", 1).as_bytes());
    let link = folder.path().join("link");
    symlink(&path, &link).expect("a link");
    assert_eq!(Keyring::add(&link).expect("added"), 2);
    assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
    assert_eq!(Keyring::read(&path).expect("read").versions(), [1, 2]);
}

#[test]
fn keys_added_at_the_same_time_are_all_kept_and_no_reader_sees_half_a_file() {
    let (folder, path) = file(line("1", 1).as_bytes());
    let mut added: Vec<u32> = std::thread::scope(|scope| {
        let add = || (0..4).map(|_| Keyring::add(&path).expect("added")).collect::<Vec<_>>();
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(add)).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            Keyring::read(&path).expect("whole");
        }
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    added.sort_unstable();
    assert_eq!(added, (2..=25).collect::<Vec<_>>());
    assert_eq!(Keyring::read(&path).expect("read").versions(), (1..=25).collect::<Vec<_>>());
    assert_eq!(names(&folder), ["master.key"]);
}

#[test]
fn of_keyrings_made_at_the_same_time_one_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("master.key");
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| Keyring::create(&path))).collect();
        let made = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        made.filter_map(Result::ok).collect::<Vec<_>>()
    });
    let [only] = made.as_slice() else { panic!("{made:?}") };
    let read = Keyring::read(&path).expect("read");
    assert_eq!(read.active().verify_check_value(&only.active().check_value()), Ok(()));
    assert_eq!(names(&folder), ["master.key"]);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic_and_what_it_takes_has_a_key(bytes: Vec<u8>, text in "(v[0-9]{0,3}:?|#|\n|[A-Za-z0-9+/=]{0,44}|\\PC)*") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(keyring) = Keyring::parse(bytes, "test") {
                prop_assert_eq!(keyring.versions().last().copied(), Some(keyring.active().version()));
            }
        }
    }

    #[test]
    fn f11_a_keyring_cut_off_inside_its_only_key_is_refused(key: [u8; 32], length in 0..47_usize) {
        let text = format!("v1:{}", STANDARD.encode(key));
        prop_assert!(Keyring::parse(&text.as_bytes()[..length], "test").is_err());
        prop_assert!(Keyring::parse(&STANDARD.encode(key).as_bytes()[..length.min(43)], "test").is_err());
    }
}
