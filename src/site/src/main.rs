//! A build tool: turns the compiled browser half into a module that browsers load, as `wasm-bindgen --target web` does.
//!
//!     ipack-site MODULE.wasm FOLDER
//!
//! The library, not the command: Cargo.lock holds it at the version of the `wasm-bindgen` that was compiled in, which it
//! has to be, and it compiles in a third of the time. Called by `.ci/build-site`.

use std::{env, error::Error, fs, path::PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// As `[workspace.metadata.leptos]` has it, and the server's pages ask for it.
const OUTPUT_NAME: &str = "ipack-connect";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(module), Some(folder), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: ipack-site MODULE.wasm FOLDER".into());
    };
    fs::create_dir_all(&folder)?;
    Bindgen::new().input_path(module).out_name(OUTPUT_NAME).web(true)?.typescript(false).generate(&folder)?;
    // Leptos asks for it by this name.
    fs::rename(folder.join(format!("{OUTPUT_NAME}_bg.wasm")), folder.join(format!("{OUTPUT_NAME}.wasm")))?;
    Ok(())
}
