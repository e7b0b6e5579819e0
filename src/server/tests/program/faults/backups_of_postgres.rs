//! A dump of PostgreSQL that is made under load restores into another database, with every save that was acknowledged
//! before it began; and what `check` says of either.

use crate::faults::{
    figures,
    program::{Installation, Ledger},
    rounds,
};
use ipack_testing::databases::{Kind, on_empty};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
    thread,
    time::Duration,
};
use tempfile::TempDir;

#[test]
fn f12_a_dump_under_load_has_every_save_from_before_it() {
    let name = "f12_a_dump_under_load_has_every_save_from_before_it";
    on_empty(name, Kind::Postgres, |address| {
        Box::pin(async move {
            tokio::task::spawn_blocking(move || dump_under_load(&address)).await.expect("no panic");
        })
    });
}

/// A folder with PostgreSQL's own programs, before all others.
fn path() -> String {
    let others = env::var("PATH").expect("a path");
    env::var("IPACK_POSTGRES_BIN").map_or(others.clone(), |programs| format!("{programs}:{others}"))
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn execute(address: &str, sql: &str) {
    tokio::runtime::Handle::current().block_on(async {
        let mut connection = PgConnection::connect(address).await.expect("it opens");
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("it runs");
        connection.close().await.expect("it closes");
    });
}

fn dump_under_load(address: &str) {
    let mut installation = Installation::new(address);
    let folder = TempDir::with_prefix("ipack-dump-").expect("a temporary folder can be made");
    let mut ledger = Ledger::default();
    let (mut restored_to, mut saves) = (Vec::new(), 0);
    for round in 0..rounds(1, 10) {
        let file = folder.path().join(format!("{round}.dump"));
        let name = file.to_str().expect("text");
        ledger = ledger.continued();
        let program = installation.start();
        let run = |arguments: &[&str]| {
            let mut command = installation.command(arguments);
            command.env("PATH", path()).output().expect("it runs")
        };
        let before = ledger.save_meanwhile(&program, || {
            thread::sleep(Duration::from_millis(200));
            let before = ledger.acknowledged();
            succeeded(&run(&["backup", name]));
            before
        });
        assert!(!before.is_empty() && before.len() < ledger.acknowledged().len(), "it was under load");
        assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
        assert!(refused(&run(&["backup", name])).contains("writes over nothing"));
        assert!(refused(&run(&["check", name])).contains("pg_restore it into an empty database"));
        // Into another database of the same server.
        let other = format!("{address}_restored_{round}");
        let database = other.rsplit_once('/').expect("a name").1.to_owned();
        execute(address, &format!("CREATE DATABASE {database}"));
        let mut restore = Command::new("pg_restore");
        succeeded(&restore.env("PATH", path()).args(["--dbname", &other, name]).output().expect("it runs"));
        restored_to.push(database);
        installation = installation.on(&other);
        let told = installation.perform(&["check"]);
        assert!(
            told.contains("its tables are this version") && told.contains("The master keys open"),
            "{told}"
        );
        let restored = installation.start();
        before.iter().for_each(|number| restored.assert_kept(*number));
        saves += before.len();
    }
    figures(
        "F12",
        &format!(
            "{} dumps of PostgreSQL under load, {saves} saves of before them restored",
            restored_to.len()
        ),
    );
    // Keys of another installation, a program that is not there, a password that nobody is shown.
    let other_keys = Installation::without_database(&installation.address);
    assert!(
        refused(&other_keys.run(&["check"])).contains("is not the one that the database was sealed with")
    );
    let file = folder.path().join("not.dump");
    let mut command = installation
        .on("postgres://me:canary@127.0.0.1:1/none")
        .command(&["backup", file.to_str().expect("text")]);
    let why = refused(&command.env("PATH", path()).output().expect("it runs"));
    assert!(why.contains("pg_dump failed") && !why.contains("canary"), "{why}");
    let why = refused(&command.env("PATH", folder.path()).output().expect("it runs"));
    assert!(why.contains("pg_dump does not start") && why.contains("run: pg_dump --format=custom"), "{why}");
    assert!(!file.exists() && !folder.path().join("not.dump.part").exists());
    for database in restored_to {
        execute(address, &format!("DROP DATABASE {database} WITH (FORCE)"));
    }
}
