//! `make bench`: the release program beside a small Node server with the same SQLite settings, and beside a bare handler
//! that answers the same bytes, on the same machine in the same run.
//!
//! `data` makes the databases, `servers` starts the programs, `load` asks them, `report` says what came out, ratios first,
//! and `machine` on what; `inputs` times what is computed on large inputs; `node` installs the Node server; `postgres`
//! is about replicas; `bare` is the bare handler, which this program starts as a child of its own. To measure one more
//! request: a variant of [`requests::Kind`], what asks for it there, and its handler in `bare`. Figures are for reading:
//! whatever they are, the exit is 0.

mod bare;
mod data;
mod http;
mod inputs;
mod load;
mod machine;
mod node;
mod postgres;
mod prepare;
mod report;
mod requests;
mod servers;
mod tokens;

use clap::{Parser, Subcommand};
use data::Prepared;
use load::{Figures, Plan};
use report::{Report, say};
use requests::{Kind, Sign, Work};
use servers::{Server, Target, url};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// As the program has it, so that the bare handler has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STARTS: usize = 5;
/// By then the allocator has given back what the start took.
const IDLE_AFTER: Duration = Duration::from_secs(12);
/// How much longer a sync takes on the slow disk.
const SLOW_SYNC: Duration = Duration::from_millis(5);

#[derive(Parser)]
#[command(about = "Measures the release program beside a bare handler with the same SQL and the same bytes")]
struct Cli {
    /// Shorter, and with fewer details: shows that the benchmark works, not how fast the program is
    #[arg(long)]
    quick: bool,
    /// Only this request, beside the bare handler and the Node server: for a profiler to watch
    #[arg(long)]
    only: Option<Kind>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the bare handler (started by the benchmark itself)
    Bare {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        database: String,
        /// The folder of the answers, recorded from the program
        #[arg(long)]
        answers: PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        // Threads and pages of memory as the program has them.
        Some(Command::Bare { listen, database, answers }) => {
            #[cfg(target_os = "linux")]
            let _ = rustix::thread::disable_transparent_huge_pages(true);
            let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
            runtime(tokio::runtime::Builder::new_multi_thread().worker_threads(workers))
                .and_then(|runtime| runtime.block_on(bare::serve(listen, &database, &answers)))
        }
        // One thread asks, so that most of the machine is left to who answers.
        None => runtime(&mut tokio::runtime::Builder::new_current_thread())
            .and_then(|runtime| runtime.block_on(measure(cli.quick, cli.only))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("ipack-bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn runtime(builder: &mut tokio::runtime::Builder) -> Result<tokio::runtime::Runtime> {
    Ok(builder.enable_all().build()?)
}

/// How many, how often and how long.
struct Scale {
    few: u32,
    many: u32,
    rounds: usize,
    plan: Plan,
}

impl Scale {
    fn new(quick: bool) -> Self {
        let seconds = Duration::from_secs;
        if quick {
            let plan = Plan { warm_up: seconds(1), measured: seconds(2) };
            Self { few: 5_000, many: 50_000, rounds: 1, plan }
        } else {
            let plan = Plan { warm_up: seconds(2), measured: seconds(6) };
            Self { few: 5_000, many: 1_000_000, rounds: 3, plan }
        }
    }
}

async fn measure(quick: bool, only: Option<Kind>) -> Result<()> {
    let scale = Scale::new(quick);
    let folder = prepare::Folder::new()?;
    let machine = machine::describe(folder.path(), folder.commit_time()?)?;
    let mut report = Report::new(scale.few, scale.many, &machine);
    let few = prepare::prepare(&folder, "few", scale.few).await?;
    if let Some(kind) = only {
        if Kind::ALL.contains(&kind) {
            let program = Server::program(&few.program).await?;
            let bare = Server::bare(&url(&few.bare), &few.seed_answers).await?;
            beside_bare(&scale, &few, &[kind], [&program, &bare], &mut report).await?;
        }
        if Kind::API.contains(&kind) {
            beside_node(&scale, &folder, &few, &[kind], &mut report).await?;
        }
        report.tell();
        return Ok(());
    }
    // First, so that a site that is not there is said at once.
    report.sizes(&servers::site_folder()?)?;
    beside_node(&scale, &folder, &few, &Kind::API, &mut report).await?;
    on_a_slow_disk(&scale, &few, &mut report).await?;
    postgres::measure(&scale, &few, &mut report).await?;
    inputs::measure(&mut report);
    measure_start(&folder, &few, &mut report).await?;
    measure_few(&scale, &few, &mut report).await?;
    say(&format!("\nSaving {} details …", scale.many));
    let many = prepare::prepare(&folder, "many", scale.many).await?;
    measure_many(&scale, &few, &many, &mut report).await?;
    report.tell();
    Ok(())
}

/// The same load on both in turn, so that what drifts drifts for both.
async fn beside(
    scale: &Scale,
    kind: Kind,
    sign: Sign,
    prepared: &Prepared,
    servers: [&Server; 2],
    report: &mut Report,
) -> Result<()> {
    let mut sums = <[Figures; 2]>::default();
    for round in 0..scale.rounds {
        for (server, sum) in servers.into_iter().zip(&mut sums) {
            let work = Work::new(kind, prepared, sign, server).await?;
            sum.add(load::closed(&[server], &work, scale.plan.in_round(round)).await?);
        }
    }
    let (other, least) = match (servers[1].target, kind) {
        (Target::Node, Kind::Mutation) => ("the Node server", 5.0),
        (Target::Node, Kind::First) => ("the Node server", 3.0),
        (Target::Node, _) => ("the Node server", 8.0),
        (_, Kind::Page) => ("the bare handler", 0.5),
        _ => ("the bare handler", 0.6),
    };
    if matches!(kind, Kind::Mutation | Kind::First) {
        report.slowest(kind.told(), &sums[0]);
    }
    report.beside(kind.told(), sums, other, least, [servers[0].peak_kib()?, servers[1].peak_kib()?]);
    Ok(())
}

/// What the API does, beside a small Node server.
async fn beside_node(
    scale: &Scale,
    folder: &prepare::Folder,
    few: &Prepared,
    kinds: &[Kind],
    report: &mut Report,
) -> Result<()> {
    let (node, versions) = node::install()?;
    say(&format!("The Node server: {versions}"));
    let program = Server::program(&few.program).await?;
    let node = Server::node(&node, &folder.path().join("node.db")).await?;
    for &kind in kinds {
        beside(scale, kind, Sign::Spread, few, [&program, &node], report).await?;
    }
    Ok(())
}

/// Saves on a disk that takes its time, which a tracer of system calls makes of any.
async fn on_a_slow_disk(scale: &Scale, few: &Prepared, report: &mut Report) -> Result<()> {
    let program = Server::program_with_slow_syncs(&few.program, SLOW_SYNC).await?;
    let work = Work::new(Kind::Mutation, few, Sign::Spread, &program).await?;
    report.slow_disk(SLOW_SYNC, &load::closed(&[&program], &work, scale.plan).await?);
    Ok(())
}

/// What the program does, beside the bare handler.
async fn beside_bare(
    scale: &Scale,
    few: &Prepared,
    kinds: &[Kind],
    servers: [&Server; 2],
    report: &mut Report,
) -> Result<()> {
    for &kind in kinds {
        // Saves of one key would wait for each other.
        let sign = if kind == Kind::Mutation { Sign::Spread } else { Sign::Seed };
        beside(scale, kind, sign, few, servers, report).await?;
    }
    Ok(())
}

async fn measure_few(scale: &Scale, few: &Prepared, report: &mut Report) -> Result<()> {
    let program = Server::program(&few.program).await?;
    let bare = Server::bare(&url(&few.bare), &few.seed_answers).await?;
    beside_bare(scale, few, &Kind::ALL, [&program, &bare], report).await?;
    for server in [&program, &bare] {
        let is_bare = server.target == Target::Bare;
        let work = Work::new(Kind::Page, few, Sign::Seed, server).await?;
        report.steady(is_bare, &load::open(server, &work, 200, scale.plan).await?);
    }
    let work = Work::compressed_page(few, &program).await?;
    report.compressed(&load::open(&program, &work, 200, scale.plan).await?);
    report.under_load(program.peak_kib()?);
    read_tokens(scale, few, report).await
}

/// A runtime that asks for its access token, beside one that asks for the details; and how often that opened the vault.
async fn read_tokens(scale: &Scale, few: &Prepared, report: &mut Report) -> Result<()> {
    let program = Server::program(&few.program).await?;
    let works = Work::token_and_details(few, &program).await?;
    let mut sums = <[Figures; 2]>::default();
    for round in 0..scale.rounds {
        for (work, sum) in works.iter().zip(&mut sums) {
            sum.add(load::closed(&[&program], work, scale.plan.in_round(round)).await?);
        }
    }
    report.tokens(sums, requests::tokens_opened(&program).await?);
    Ok(())
}

/// The program with few details and with many, and the bare handler with many.
async fn measure_many(scale: &Scale, few: &Prepared, many: &Prepared, report: &mut Report) -> Result<()> {
    let of_few = Server::program(&few.program).await?;
    let of_many = Server::program(&many.program).await?;
    let bare = Server::bare(&url(&many.bare), &many.spread_answers).await?;
    // The mutation last: it lengthens the pages' histories.
    for kind in Kind::ALL.into_iter().rev() {
        let mut sums = <[Figures; 3]>::default();
        for round in 0..scale.rounds {
            let turns = [(few, &of_few), (many, &of_many), (many, &bare)];
            for ((prepared, server), sum) in turns.into_iter().zip(&mut sums) {
                let work = Work::new(kind, prepared, Sign::Spread, server).await?;
                sum.add(load::closed(&[server], &work, scale.plan.in_round(round)).await?);
            }
        }
        report.among_many(kind, &sums, [of_few.peak_kib()?, of_many.peak_kib()?, bare.peak_kib()?]);
    }
    Ok(())
}

/// From start to the first page, on a database that is there and on a new one, and the memory of a program that nobody
/// asks for anything.
async fn measure_start(folder: &prepare::Folder, prepared: &Prepared, report: &mut Report) -> Result<()> {
    for (what, is_new) in [("a database that is there", false), ("a new database", true)] {
        let mut starts = Vec::new();
        let mut idle_kib = 0;
        for number in 0..STARTS {
            let new = folder.path().join(format!("new-{number}.db"));
            let server = Server::program(if is_new { &new } else { &prepared.program }).await?;
            starts.push(server.started_in);
            if starts.len() == STARTS {
                tokio::time::sleep(IDLE_AFTER).await;
                idle_kib = server.resident_kib()?;
            }
        }
        starts.sort_unstable();
        report.started(what, &starts, idle_kib);
    }
    Ok(())
}
