//! Command line → configuration → telemetry → server. Everything else is in the library.
//!
//! What a command does goes into `cli`; only what must happen before there is a runtime belongs here.

use std::process::ExitCode;

// Leptos renders with many small allocations on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Huge pages would stay in memory for the little that is left in each: half of what an idle program takes. Where the
    // kernel refuses, that is all that is lost.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    // Rendering a page waits for its resources, so one worker would wait for itself.
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return failed(&error),
        };
    match runtime.block_on(ipack_server::cli::run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

#[expect(clippy::print_stderr, reason = "what the person at the terminal must know")]
fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("ipack-connect: {error}");
    ExitCode::FAILURE
}
