//! Backups of a PostgreSQL database, by `pg_dump`.

use super::{BackupError, settle};
use crate::open::{
    beside,
    sqlite::{private_file, remove_if_there},
};
use ipack_domain::ids::unsegment;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    process::Command,
};

/// What a dump in PostgreSQL's own format begins with.
const MAGIC: &[u8] = b"PGDMP";

/// Has `pg_dump` write a dump in its own format, which has all that was committed before it began.
pub(super) async fn dump(address: &str, to: &Path) -> Result<(), BackupError> {
    let failed = |why: String| BackupError::Dump { file: to.to_owned(), why };
    let part = beside(to, ".part");
    remove_if_there(&part)?;
    // It writes into an empty file, whose mode stays.
    private_file(&part)?;
    let (address, password) = without_password(address);
    let mut command = Command::new("pg_dump");
    command.args(["--format=custom", "--no-password", "--file"]).arg(&part).arg("--dbname").arg(address);
    if let Some(password) = password {
        // Arguments are everybody's to read.
        command.env("PGPASSWORD", password);
    }
    let dumped = tokio::task::spawn_blocking(move || command.output()).await.map_err(io::Error::other)?;
    let dumped = match dumped {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(failed(format!("failed: {}", String::from_utf8_lossy(&output.stderr).trim()))),
        Err(error) => Err(failed(format!("does not start: {error}"))),
    };
    if dumped.is_err() {
        remove_if_there(&part)?;
        return dumped;
    }
    Ok(settle(&part, to)?)
}

/// An address of PostgreSQL's, and the password that was in it.
fn without_password(address: &str) -> (String, Option<String>) {
    let from = address.find("://").map_or(0, |at| at + 3);
    let end = address[from..].find(['/', '?']).map_or(address.len(), |length| from + length);
    let Some(at) = address[from..end].rfind('@').map(|at| from + at) else {
        return (address.to_owned(), None);
    };
    let Some(colon) = address[from..at].find(':').map(|colon| from + colon) else {
        return (address.to_owned(), None);
    };
    (format!("{}{}", &address[..colon], &address[at..]), unsegment(&address[colon + 1..at]))
}

pub(super) fn is_dump(file: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(file)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_an_address() {
        for (address, left, password) in [
            ("postgres://u:p%40%3A@h:1/d?sslmode=disable", "postgres://u@h:1/d?sslmode=disable", Some("p@:")),
            ("postgres://u:p@q@h/d", "postgres://u@h/d", Some("p@q")),
            ("postgres://u@h:5432/d", "postgres://u@h:5432/d", None),
            ("postgres://h:5432/d?a=b:c@d", "postgres://h:5432/d?a=b:c@d", None),
            ("postgresql:///d", "postgresql:///d", None),
        ] {
            assert_eq!(without_password(address), (left.to_owned(), password.map(str::to_owned)));
        }
    }
}
