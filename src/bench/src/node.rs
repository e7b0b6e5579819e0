//! The Node server of `node/`, which the program is measured beside: installed on demand, in the versions that its
//! `package-lock.json` names.

use super::Result;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The folder of the server, with its packages in it, and their versions.
pub fn install() -> Result<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    let stamp = folder.join("node_modules/.package-lock.json");
    let is_newer = |file: &str| -> std::io::Result<bool> {
        Ok(folder.join(file).metadata()?.modified()? > stamp.metadata()?.modified()?)
    };
    if !stamp.is_file() || is_newer("package-lock.json")? {
        // Node itself is a package whose script fetches the one of this machine.
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    }
    let version = |package: &str| -> Result<String> {
        let text = std::fs::read_to_string(folder.join("node_modules").join(package).join("package.json"))?;
        let json: serde_json::Value = serde_json::from_str(&text)?;
        Ok(format!("{package} {}", json["version"].as_str().unwrap_or_default()))
    };
    let node = run(Command::new(folder.join("node_modules/.bin/node"))
        .args(["-p", "`node ${process.versions.node} with SQLite ${process.versions.sqlite}`"]))?;
    let versions = format!("{}, {}, {}", node.trim(), version("graphql-yoga")?, version("graphql")?);
    Ok((folder, versions))
}

fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
