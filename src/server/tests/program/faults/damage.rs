//! Keys and databases that are cut off at any length, or have a byte that is another one: the program says what is wrong
//! or finds nothing wrong, and leaves the files as they are. It never panics, and never takes a damaged key for a whole one.

use crate::faults::{figures, program::Installation, rounds};
use ipack_domain::effects::random_bytes;
use ipack_storage::open::open;
use ipack_testing::databases::{Kind, on_empty};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

#[test]
fn f11_a_database_that_is_damaged_anywhere_is_refused_or_whole() {
    on_empty("f11_a_database_that_is_damaged_anywhere_is_refused_or_whole", Kind::Sqlite, |address| {
        Box::pin(async move {
            open(&address).await.expect("an empty folder is a first start").close().await;
            tokio::task::spawn_blocking(move || damage_database(&address)).await.expect("no panic");
        })
    });
}

#[test]
fn f11_a_key_that_is_damaged_anywhere_is_refused() {
    on_empty("f11_a_key_that_is_damaged_anywhere_is_refused", Kind::Sqlite, |address| {
        Box::pin(async move {
            tokio::task::spawn_blocking(move || damage_key(&address)).await.expect("no panic");
        })
    });
}

/// So many places in so many bytes: the first and the last ones, and any in between.
fn places(length: usize, count: usize) -> Vec<usize> {
    let edges =
        [0, 1, 15, 16, 17, 99, 100, length / 2, length - 4_097, length - 4_096, length - 100, length - 1];
    let any = std::iter::repeat_with(|| usize::from_le_bytes(random_bytes()) % length).take(count);
    edges.into_iter().filter(|place| *place < length).chain(any).collect()
}

/// How a command ended: whether it refused, after it has said why.
fn is_refused(installation: &Installation, arguments: &[&str], what: &str) -> bool {
    let output = installation.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{what}: {arguments:?}: {said}");
    match output.status.code() {
        Some(0) => false,
        Some(1) => {
            assert!(said.contains("ipack-connect: "), "{what}: {arguments:?}: {said}");
            true
        }
        _ => panic!("{what}: {arguments:?} ended with {}: {said}", output.status),
    }
}

/// A file of a folder of its own, with these bytes and the mode of a key.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, bytes).expect("written");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&file, private).expect("changed");
    file
}

fn damage_database(address: &str) {
    let whole = fs::read(address.trim_start_matches("sqlite://")).expect("readable");
    let folder = TempDir::with_prefix("ipack-damaged-").expect("a temporary folder can be made");
    let places = places(whole.len(), rounds(4, 200));
    let count = places.len();
    for (number, place) in places.into_iter().enumerate() {
        let cut = &whole[..place];
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (number % 8);
        for (what, bytes) in [("cut off at", cut), ("another byte at", &flipped)] {
            let what = format!("{what} {place}");
            let file = write(folder.path(), &format!("{number}.db"), bytes);
            let installation = Installation::without_database(&format!("sqlite://{}", file.display()));
            let name = file.to_str().expect("text");
            let is_found = is_refused(&installation, &["check", name], &what);
            assert!(fs::read(&file).expect("readable") == bytes, "{what}: it was changed");
            if bytes.len() < whole.len() {
                assert!(is_found, "{what}: nothing was found");
                assert!(is_refused(&installation, &["migrate"], &what), "{what}: it was opened");
                assert!(fs::read(&file).expect("readable") == bytes, "{what}: it was changed");
            }
            fs::remove_file(&file).expect("removed");
        }
    }
    figures("F11", &format!("a database cut off, and another byte in it, at {count} places each"));
}

fn damage_key(address: &str) {
    let installation = Installation::new(address);
    // From now on the database knows the key.
    drop(installation.start());
    let whole = fs::read(installation.keyring()).expect("readable");
    let keys = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    let is_same = |bytes: &[u8]| keys(bytes) == keys(&whole);
    let places = 0..whole.len();
    for place in places.filter(|place| rounds(7, 1) == 1 || place % 7 == 0) {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        for (what, bytes) in [("cut off at", &whole[..place]), ("another byte at", &flipped)] {
            let what = format!("{what} {place}");
            let file = write(installation.folder(), "damaged.key", bytes);
            let name = file.to_str().expect("text").to_owned();
            let is_found = is_refused(&installation, &["keys", "status", "--master-key-file", &name], &what);
            assert!(is_found || is_same(bytes), "{what}: it was taken for the key");
            assert!(fs::read(&file).expect("readable") == bytes, "{what}: it was changed");
        }
    }
    figures(
        "F11",
        &format!("a keyring cut off, and another byte in it, at all of its {} places", whole.len()),
    );
    // With its own key it opens as before.
    installation.perform(&["keys", "status"]);
}
