//! A backup that is made under load restores elsewhere, with every save that was acknowledged before it began.

use crate::faults::{
    figures,
    program::{Installation, Ledger},
    rounds,
};
use ipack_testing::databases::{Kind, on_empty};
use std::{fs, os::unix::fs::PermissionsExt, thread, time::Duration};
use tempfile::TempDir;

#[test]
fn f12_a_backup_under_load_has_every_save_from_before_it() {
    on_empty("f12_a_backup_under_load_has_every_save_from_before_it", Kind::Sqlite, |address| {
        Box::pin(async move {
            tokio::task::spawn_blocking(move || back_up_under_load(&address)).await.expect("no panic");
        })
    });
}

fn back_up_under_load(address: &str) {
    let mut installation = Installation::new(address);
    let elsewhere = TempDir::with_prefix("ipack-backup-").expect("a temporary folder can be made");
    let mut ledger = Ledger::default();
    let mut saves = 0;
    for round in 0..rounds(1, 20) {
        let file = elsewhere.path().join(format!("{round}.db"));
        let name = file.to_str().expect("text");
        ledger = ledger.continued();
        let program = installation.start();
        let before = ledger.save_meanwhile(&program, || {
            thread::sleep(Duration::from_millis(200));
            let before = ledger.acknowledged();
            installation.perform(&["backup", name]);
            before
        });
        assert!(!before.is_empty() && before.len() < ledger.acknowledged().len(), "it was under load");
        let mode = fs::metadata(&file).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let told = installation.perform(&["check", name]);
        assert!(told.contains("is whole"), "{told}");
        let refused = installation.run(&["backup", name]);
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && why.contains("writes over nothing"), "{why}");
        // Restored, it goes on from there.
        installation = installation.on(&format!("sqlite://{name}"));
        let restored = installation.start();
        before.iter().for_each(|number| restored.assert_kept(*number));
        saves += before.len();
    }
    let times = rounds(1, 20);
    figures("F12", &format!("{times} backups of SQLite under load, {saves} saves of before them restored"));
}
