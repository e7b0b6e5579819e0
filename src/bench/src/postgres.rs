//! The program on PostgreSQL: saves beside a bare handler with one upsert, and two replicas beside one.

use super::{
    Result, Scale,
    data::Prepared,
    load::{self, Figures},
    prepare,
    report::{Report, say},
    requests::{Kind, Sign, Work},
    servers::Server,
};
use ipack_storage::open::open;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::PathBuf;

/// The address of a PostgreSQL server on which databases may be made.
const SERVER: &str = "IPACK_TEST_POSTGRES";

/// `few` has the answers that the bare handler gives.
pub async fn measure(scale: &Scale, few: &Prepared, report: &mut Report) -> Result<()> {
    let Ok(server) = std::env::var(SERVER) else {
        say(&format!("PostgreSQL is not measured: {SERVER} names no server"));
        return Ok(());
    };
    let name = format!("ipack_bench_{}", std::process::id());
    let (host, _) = server.rsplit_once('/').ok_or("the server's address names no database")?;
    let address = format!("{host}/{name}");
    let on_server = async |sql: String| -> Result<()> {
        let mut connection = PgConnection::connect(&server).await?;
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
        Ok(connection.close().await?)
    };
    on_server(format!("CREATE DATABASE {name}")).await?;
    let measured = on(scale, few, &address, report).await;
    on_server(format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    measured
}

async fn on(scale: &Scale, few: &Prepared, address: &str, report: &mut Report) -> Result<()> {
    let database = open(address).await?;
    let (_, token) = prepare::settle(&database).await?;
    database.close().await;
    let prepared = Prepared {
        count: few.count,
        program: PathBuf::new(),
        bare: PathBuf::new(),
        seed_answers: few.seed_answers.clone(),
        spread_answers: few.spread_answers.clone(),
        username: token.username,
        token: token.token,
        cookie: String::new(),
    };
    let one = Server::program_with(&[], address).await?;
    // This also saves every key for the first time, which the bare handler rests on.
    let work = Work::new(Kind::Mutation, &prepared, Sign::Spread, &one).await?;
    let bare = Server::bare(address, &prepared.seed_answers).await?;
    let to_bare = Work::new(Kind::Mutation, &prepared, Sign::Spread, &bare).await?;
    let mut sums = <[Figures; 2]>::default();
    for round in 0..scale.rounds {
        let plan = scale.plan.in_round(round);
        sums[0].add(load::closed(&[&one], &work, plan).await?);
        sums[1].add(load::closed(&[&bare], &to_bare, plan).await?);
    }
    let peaks = [one.peak_kib()?, bare.peak_kib()?];
    report.beside("PostgreSQL: saves", sums, "the bare handler", 0.5, peaks);
    drop(bare);
    let two = Server::program_with(&[], address).await?;
    let sums = replicas(scale, &work, &one, [&one, &two]).await?;
    report.replicas("PostgreSQL: two replicas, × one", sums, 1.0);
    drop((one, two));
    let on_core =
        async |core: &str| Server::program_with(&["taskset", "-c", core].map(str::to_owned), address).await;
    let (one, two) = (on_core("0").await?, on_core("1").await?);
    let sums = replicas(scale, &work, &one, [&one, &two]).await?;
    report.replicas("PostgreSQL: two replicas with a core each, × one", sums, 1.0);
    Ok(())
}

/// One replica and two of them in turn.
async fn replicas(
    scale: &Scale,
    work: &std::sync::Arc<Work>,
    one: &Server,
    both: [&Server; 2],
) -> Result<[Figures; 2]> {
    let mut sums = <[Figures; 2]>::default();
    for round in 0..scale.rounds {
        let plan = scale.plan.in_round(round);
        sums[0].add(load::closed(&[one], work, plan).await?);
        sums[1].add(load::closed(&both, work, plan).await?);
    }
    Ok(sums)
}
