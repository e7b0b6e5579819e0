//! The keyring's file: read, made, and changed by replacing it, so that whoever reads it sees either the old or
//! the new one, whole, also after a power cut. A process killed in the middle may leave `<file>.new-<16 digits>`
//! behind, with mode 0600; it holds keys and may be removed.

use crate::keyring::{Keyring, KeyringError, Layout, MAX_LENGTH, line_of, version_of};
use crate::sealed::MasterKey;
use ipack_domain::effects::random_bytes;
use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
    str,
};
use zeroize::Zeroizing;

const HEADER: &str = "\
# The master keys of iPack Connect, v<version>:<base64 of 32 bytes>. The highest version seals.
# Whoever has this file and the database can read every secret: keep its backup apart from the database's.
";

type Result<T> = std::result::Result<T, KeyringError>;

impl Keyring {
    /// Reads the file, which nobody but its owner may read.
    ///
    /// # Errors
    /// A missing file, one that others may read or change, and whatever is not a keyring.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| at(path, error))?;
        Ok(load(&file, path)?.1)
    }

    /// Makes the file, with mode 0600 and a random version 1. The folder is there already.
    ///
    /// # Errors
    /// [`KeyringError::Exists`] where anything has that name, which stays as it is; and errors of the disk.
    pub fn create(path: &Path) -> Result<Self> {
        let key = MasterKey::random(1);
        let text = Zeroizing::new([HEADER, &line_of(&key)].concat());
        let keyring = Self::parse(text.as_bytes(), &name(path))?;
        let new = NewFile::write(path, text.as_bytes(), None)?;
        // A link fails where the name is taken; a rename would replace what has it.
        fs::hard_link(&new.path, path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => KeyringError::Exists { file: name(path) },
            _ => of_disk(path, error),
        })?;
        drop(new);
        sync_folder(path)?;
        Ok(keyring)
    }

    /// Adds a random key with the next version, which is the answer. What runs goes on with the keys it read.
    /// A file with a lone key becomes one with versions.
    ///
    /// # Errors
    /// As [`Self::read`], [`KeyringError::Full`], and errors of the disk. The file stays as it was.
    pub fn add(path: &Path) -> Result<u32> {
        change(path, |keyring, text| {
            let highest = keyring.active().version();
            let version = highest.checked_add(1).ok_or_else(|| KeyringError::Full { file: name(path) })?;
            let line = line_of(&MasterKey::random(version));
            let break_before = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            Ok((version, Zeroizing::new([text, break_before, &line].concat())))
        })
    }

    /// Takes a key out for good: what only it opens is lost. Its version is never used again, because the highest
    /// one stays.
    ///
    /// # Errors
    /// As [`Self::read`], [`KeyringError::UnknownVersion`], [`KeyringError::Active`] for the key that seals, and
    /// errors of the disk. The file stays as it was.
    pub fn remove(path: &Path, version: u32) -> Result<()> {
        change(path, |keyring, text| {
            if keyring.active().version() == version {
                return Err(KeyringError::Active { file: name(path), version });
            }
            if keyring.get(version).is_none() {
                return Err(KeyringError::UnknownVersion { file: name(path), version });
            }
            let mut kept = Zeroizing::new(String::with_capacity(text.len()));
            for line in text.split_inclusive('\n').filter(|line| version_of(line) != Some(version)) {
                kept.push_str(line);
            }
            Ok(((), kept))
        })
    }
}

/// Replaces the file by what `edit` makes of its keys and text. One at a time, on this machine.
fn change<T>(path: &Path, edit: impl FnOnce(&Keyring, &str) -> Result<(T, Zeroizing<String>)>) -> Result<T> {
    // Through links to the file itself: a rename would put a file in the link's place.
    let path = &fs::canonicalize(path).map_err(|error| at(path, error))?;
    let file = lock(path)?;
    let (bytes, keyring) = load(&file, path)?;
    let lone;
    let text = match keyring.layout {
        // It was read as text before.
        Layout::Versioned => str::from_utf8(&bytes).unwrap_or_default(),
        Layout::Lone => {
            lone = Zeroizing::new([HEADER, &line_of(keyring.active())].concat());
            &lone
        }
    };
    let (answer, text) = edit(&keyring, text)?;
    Keyring::parse(text.as_bytes(), &name(path))?;
    let metadata = file.metadata().map_err(|error| at(path, error))?;
    let new = NewFile::write(path, text.as_bytes(), Some(&metadata))?;
    fs::rename(&new.path, path).map_err(|error| of_disk(path, error))?;
    sync_folder(path)?;
    Ok(answer)
}

/// The file, locked until it is dropped, and still the one that has the name.
fn lock(path: &Path) -> Result<File> {
    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    loop {
        let file = File::open(path).map_err(|error| at(path, error))?;
        file.lock().map_err(|error| at(path, error))?;
        let locked = file.metadata().map(identity).map_err(|error| at(path, error))?;
        // Whoever had the lock before may have replaced the file: its lock is worth nothing then.
        if fs::metadata(path).map(identity).map_err(|error| at(path, error))? == locked {
            return Ok(file);
        }
    }
}

fn load(file: &File, path: &Path) -> Result<(Zeroizing<Vec<u8>>, Keyring)> {
    // Of the open file, not of the name, which may be another file's by now.
    let metadata = file.metadata().map_err(|error| at(path, error))?;
    if !metadata.is_file() {
        return Err(KeyringError::NotAFile { file: name(path) });
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyringError::OpenToOthers { file: name(path), mode });
    }
    // Room for all of it at once: a buffer that grew would leave copies of the keys behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LENGTH + 64));
    file.take(MAX_LENGTH as u64 + 1).read_to_end(&mut bytes).map_err(|error| at(path, error))?;
    let keyring = Keyring::parse(&bytes, &name(path))?;
    Ok((bytes, keyring))
}

/// A file beside the keyring that takes or took its place. Where it could not, it goes when this is dropped.
struct NewFile {
    path: PathBuf,
}

impl NewFile {
    fn write(keyring: &Path, bytes: &[u8], before: Option<&Metadata>) -> Result<Self> {
        let mut file_name = keyring.file_name().unwrap_or_default().to_owned();
        file_name.push(format!(".new-{:016x}", u64::from_be_bytes(random_bytes::<8>())));
        let path = keyring.with_file_name(file_name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| of_disk(&path, error))?;
        let new = Self { path };
        new.fill(&mut file, bytes, before).map_err(|error| of_disk(&new.path, error))?;
        Ok(new)
    }

    fn fill(&self, file: &mut File, bytes: &[u8], before: Option<&Metadata>) -> io::Result<()> {
        let own = file.metadata()?;
        // The server must still be able to read what root changed.
        if let Some(before) = before
            && (before.uid(), before.gid()) != (own.uid(), own.gid())
        {
            fchown(&*file, Some(before.uid()), Some(before.gid()))?;
        }
        file.write_all(bytes)?;
        file.sync_all()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _ = fs::remove_file(&self.path);
    }
}

/// A new name is on the disk when its folder is.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| of_disk(folder, error))
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// What went wrong with the keyring itself, which may not be there.
fn at(path: &Path, source: io::Error) -> KeyringError {
    match source.kind() {
        io::ErrorKind::NotFound => KeyringError::Missing { file: name(path) },
        _ => of_disk(path, source),
    }
}

fn of_disk(path: &Path, source: io::Error) -> KeyringError {
    KeyringError::Io { file: name(path), source }
}
