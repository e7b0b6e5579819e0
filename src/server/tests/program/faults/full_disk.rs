//! The disk of the database is full, and has space again later: a small file system in memory that the test fills.

use crate::faults::{figures, not_run, rounds, server::Server};
use axum::http::StatusCode;
use ipack_storage::open::open;
use std::{fs, io::Write, path::Path, process::Command};
use tempfile::TempDir;

/// A file system in memory, in a folder of its own.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this process may mount nothing.
    fn mount() -> Option<Self> {
        let folder = TempDir::with_prefix("ipack-disk-").expect("a temporary folder can be made");
        let options = ["-t", "tmpfs", "-o", "size=32m", "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut filler = fs::File::create(self.path().join("filler")).expect("a file");
        let full = loop {
            if let Err(error) = filler.write_all(&[7; 4_096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn empty(&self) {
        fs::remove_file(self.path().join("filler")).expect("it is there");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whatever is still open on it goes when it is closed.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_saves_fail_on_a_full_disk_and_work_when_there_is_space() {
    let Some(disk) = SmallDisk::mount() else {
        return not_run("f04 full disk", "this process may not mount a file system; root may");
    };
    let database = disk.path().join("test.db");
    let address = format!("sqlite://{}", database.to_str().expect("text"));
    let database = open(&address).await.expect("it opens");
    let server = Server::new(database.clone()).await;
    let mut number = 0..;
    let mut next = || number.next().expect("a number");
    assert_eq!(server.save(next()).await.json().get("errors"), None);
    // Again and again: a broken connection must not be left behind by any round.
    for round in 0..rounds(3, 20) {
        disk.fill();
        // What the write-ahead log has taken already, four megabytes at most, may still have room for some.
        let mut refused = 0;
        for _ in 0..1_000 {
            let reply = server.save(next()).await;
            if reply.json().get("errors").is_some() {
                let (code, _, message) = reply.error();
                assert_eq!(code, "TEMPORARILY_UNAVAILABLE");
                assert!(message.contains("cannot be written"), "{message}");
                refused += 1;
            }
            if refused == 3 {
                break;
            }
        }
        assert_eq!(refused, 3, "the disk is full in round {round}");
        server.assert_soon(StatusCode::SERVICE_UNAVAILABLE).await;
        // Reads go on.
        assert!(server.assert_all_kept().await > round);
        disk.empty();
        let reply = server.save(next()).await;
        assert_eq!(reply.json().get("errors"), None, "the next save works: {}", reply.text);
        server.assert_soon(StatusCode::OK).await;
    }
    let kept = server.assert_all_kept().await;
    figures("F04", &format!("{} times full and emptied, all of {kept} saves kept", rounds(3, 20)));
    let check: String = match &database {
        ipack_storage::Database::Sqlite { readers, .. } => {
            let mut reader = readers.acquire().await.expect("a connection is free");
            sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut *reader).await.expect("it runs")
        }
        ipack_storage::Database::Postgres(_) => unreachable!("it is SQLite"),
    };
    assert_eq!(check, "ok");
    database.close().await;
}
