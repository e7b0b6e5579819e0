//! `make bench`: the release program beside a bare handler that runs the same SQL and answers the same bytes, on the
//! same machine in the same run.
//!
//! `data` makes the databases, `servers` starts both programs, `load` asks them, `report` says what came out; `inputs`
//! times what is computed on large inputs; `bare` is the bare handler, which this program starts as a child of its
//! own. To measure one more request: a variant of [`requests::Kind`], what asks for it there, and its handler in
//! `bare`. Figures are for reading: whatever they are, the exit is 0.

mod bare;
mod data;
mod http;
mod inputs;
mod load;
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
use servers::Server;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// As the program has it, so that the bare handler has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STARTS: usize = 5;

#[derive(Parser)]
#[command(about = "Measures the release program beside a bare handler with the same SQL and the same bytes")]
struct Cli {
    /// Shorter, and with fewer details: shows that the benchmark works, not how fast the program is
    #[arg(long)]
    quick: bool,
    /// Only this request, beside the bare handler: for a profiler to watch
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
        // Threads as the program has them.
        Some(Command::Bare { listen, database, answers }) => {
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
    pause: Duration,
}

impl Scale {
    fn new(quick: bool) -> Self {
        let seconds = Duration::from_secs;
        if quick {
            let plan = Plan { warm_up: seconds(1), measured: seconds(2) };
            Self { few: 1_000, many: 50_000, rounds: 1, plan, pause: seconds(1) }
        } else {
            let plan = Plan { warm_up: seconds(2), measured: seconds(6) };
            Self { few: 1_000, many: 1_000_000, rounds: 3, plan, pause: seconds(10) }
        }
    }
}

async fn measure(quick: bool, only: Option<Kind>) -> Result<()> {
    let scale = Scale::new(quick);
    let folder = prepare::Folder::new()?;
    let mut report = Report::new(scale.few, scale.many, folder.commit_time()?);
    let few = prepare::prepare(&folder, "few", scale.few).await?;
    if let Some(kind) = only {
        let (program, bare) =
            (Server::program(&few.program).await?, Server::bare(&few.bare, &few.seed_answers).await?);
        beside(&scale, kind, &few, &program, &bare, &mut report).await?;
        report.aims();
        return Ok(());
    }
    inputs::measure(&mut report);
    measure_start(&few, &mut report, scale.pause).await?;
    measure_few(&scale, &few, &mut report).await?;
    say(&format!("\nSaving {} details …", scale.many));
    let many = prepare::prepare(&folder, "many", scale.many).await?;
    measure_many(&scale, &few, &many, &mut report).await?;
    report.sizes(&servers::site_folder()?)?;
    report.aims();
    Ok(())
}

/// The same load on both in turn, so that what drifts drifts for both.
async fn beside(
    scale: &Scale,
    kind: Kind,
    prepared: &Prepared,
    program: &Server,
    bare: &Server,
    report: &mut Report,
) -> Result<()> {
    let mut sums = <[Figures; 2]>::default();
    for round in 0..scale.rounds {
        for ((server, is_bare), sum) in [(program, false), (bare, true)].into_iter().zip(&mut sums) {
            let work = Work::new(kind, prepared, Sign::Seed, server, is_bare).await?;
            sum.add(load::closed(server, &work, scale.plan.in_round(round)).await?);
        }
    }
    report.beside(kind, sums, [program.peak_kib()?, bare.peak_kib()?]);
    Ok(())
}

async fn measure_few(scale: &Scale, few: &Prepared, report: &mut Report) -> Result<()> {
    let program = Server::program(&few.program).await?;
    let bare = Server::bare(&few.bare, &few.seed_answers).await?;
    for kind in Kind::ALL {
        beside(scale, kind, few, &program, &bare, report).await?;
    }
    for (server, is_bare) in [(&program, false), (&bare, true)] {
        let work = Work::new(Kind::Page, few, Sign::Seed, server, is_bare).await?;
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
            sum.add(load::closed(&program, work, scale.plan.in_round(round)).await?);
        }
    }
    report.tokens(sums, requests::tokens_opened(&program).await?);
    Ok(())
}

/// The program with few details and with many, and the bare handler with many.
async fn measure_many(scale: &Scale, few: &Prepared, many: &Prepared, report: &mut Report) -> Result<()> {
    let of_few = Server::program(&few.program).await?;
    let of_many = Server::program(&many.program).await?;
    let bare = Server::bare(&many.bare, &many.spread_answers).await?;
    // The mutation last: it lengthens the pages' histories.
    for kind in Kind::ALL.into_iter().rev() {
        let mut sums = <[Figures; 3]>::default();
        for round in 0..scale.rounds {
            let turns = [(few, &of_few, false), (many, &of_many, false), (many, &bare, true)];
            for ((prepared, server, is_bare), sum) in turns.into_iter().zip(&mut sums) {
                let work = Work::new(kind, prepared, Sign::Spread, server, is_bare).await?;
                sum.add(load::closed(server, &work, scale.plan.in_round(round)).await?);
            }
        }
        report.among_many(kind, &sums, [of_few.peak_kib()?, of_many.peak_kib()?, bare.peak_kib()?]);
    }
    Ok(())
}

/// From start to the first page on a database that is there, and the memory of a program that nobody asks for anything.
async fn measure_start(prepared: &Prepared, report: &mut Report, pause: Duration) -> Result<()> {
    let mut starts = Vec::new();
    let mut idle_kib = 0;
    for _ in 0..STARTS {
        let server = Server::program(&prepared.program).await?;
        starts.push(server.started_in);
        if starts.len() == STARTS {
            tokio::time::sleep(pause).await;
            idle_kib = server.resident_kib()?;
        }
    }
    starts.sort_unstable();
    report.started(starts, idle_kib);
    Ok(())
}
