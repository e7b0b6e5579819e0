//! The program is killed at a random moment under saves, again and again: what was acknowledged is there, whole.

use crate::faults::{
    figures,
    program::{Installation, Ledger},
    rounds,
};
use ipack_domain::effects::random_bytes;
use ipack_testing::databases::{Kind, on_empty};
use sqlx::{Connection, SqliteConnection};
use std::{thread, time::Duration};

#[test]
fn f01_every_acknowledged_save_outlives_a_kill() {
    on_empty("f01_every_acknowledged_save_outlives_a_kill", Kind::Sqlite, |address| {
        Box::pin(async move {
            let killed = address.clone();
            tokio::task::spawn_blocking(move || kill_again_and_again(&killed)).await.expect("no panic");
            let mut connection = SqliteConnection::connect(&address).await.expect("it opens");
            let check = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await;
            assert_eq!(check.map_err(|error| error.to_string()), Ok("ok".to_owned()));
            connection.close().await.expect("it closes");
        })
    });
}

fn kill_again_and_again(address: &str) {
    let installation = Installation::new(address);
    let ledger = Ledger::default();
    let mut checked = 0;
    for _ in 0..rounds(3, 100) {
        let program = installation.start();
        let before = ledger.acknowledged();
        before[checked..].iter().for_each(|number| program.assert_kept(*number));
        checked = before.len();
        let [moment] = random_bytes::<1>();
        ledger.save_meanwhile(&program, || thread::sleep(Duration::from_millis(u64::from(moment))));
    }
    let program = installation.start();
    let all = ledger.acknowledged();
    all.iter().for_each(|number| program.assert_kept(*number));
    assert!(all.len() >= rounds(3, 100), "only {} saves were acknowledged", all.len());
    figures("F01", &format!("{} kills, all of {} acknowledged saves kept", rounds(3, 100), all.len()));
}
