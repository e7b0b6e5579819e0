//! The keyring: master keys by version, and the text they are written in. The highest version seals, the others
//! still open. `keyring_file` reads and changes the file.
//!
//! ```text
//! # comment
//! v1:<base64 of 32 bytes>
//! v2:<base64 of 32 bytes>
//! ```
//!
//! A lone key is taken as version 1: 32 raw bytes, or one line of base64 or hex as `openssl rand` prints it.
//! Whatever else is there is refused, with file, line and reason, never with what it says.

use crate::sealed::{KEY_LENGTH, MasterKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{collections::BTreeMap, fmt, io, str};
use zeroize::Zeroizing;

/// In bytes; more is not a keyring but a file named by mistake.
pub(super) const MAX_LENGTH: usize = 64 * 1024;

/// What base64 makes of 32 bytes.
const BASE64_LENGTH: usize = 44;

/// Master keys by version. At least one.
pub struct Keyring {
    active: MasterKey,
    older: BTreeMap<u32, MasterKey>,
    pub(super) layout: Layout,
}

/// How the keys are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Versioned,
    /// One key without its version.
    Lone,
}

/// Why a keyring is refused or cannot be changed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("there is no keyring at {file}: put back the file, or set IPACK_MASTER_KEY_FILE to where it is")]
    Missing { file: String },
    #[error("{file} already exists: a new keyring never replaces another")]
    Exists { file: String },
    #[error("{file} is not a file: set IPACK_MASTER_KEY_FILE to the keyring")]
    NotAFile { file: String },
    /// `mode` is the last nine bits.
    #[error("others may read or change {file} (mode {mode:03o}): run `chmod 600 {file}`")]
    OpenToOthers { file: String, mode: u32 },
    #[error("{file} holds no key: put the keyring back from its backup")]
    Empty { file: String },
    #[error("{file} is longer than 64 KiB and so not a keyring: set IPACK_MASTER_KEY_FILE to the right file")]
    TooLong { file: String },
    #[error(
        "{file}, line {line}: neither text nor one raw key, which has exactly 32 bytes: put the keyring back from \
         its backup"
    )]
    NotText { file: String, line: usize },
    #[error("{file}, line {line}: the key is shorter than 32 bytes: put the keyring back from its backup")]
    Short { file: String, line: usize },
    #[error("{file}, line {line}: {why}: correct the line, or put the keyring back from its backup")]
    Malformed { file: String, line: usize, why: &'static str },
    #[error(
        "{file}, line {line}: version {version} is there twice: remove the line that is not the right one"
    )]
    Duplicate { file: String, line: usize, version: u32 },
    #[error("{file} has no version {version}: `ipack-connect keys status` lists the versions")]
    UnknownVersion { file: String, version: u32 },
    #[error(
        "version {version} in {file} seals: add the next version and rotate to it before retiring this one"
    )]
    Active { file: String, version: u32 },
    #[error("{file} has the highest version that there can be: no other can be added")]
    Full { file: String },
    #[error("{file}: {source}: see that the user who runs this program owns the file and its folder")]
    Io { file: String, source: io::Error },
}

/// What is wrong with one key or line; [`KeyringError`] says where.
#[derive(Debug)]
enum Fault {
    Short,
    Malformed(&'static str),
}

impl Keyring {
    /// Reads keys from what a file or variable holds; `file` names it in errors.
    ///
    /// # Errors
    /// Whatever makes the text no keyring.
    pub fn parse(bytes: &[u8], file: &str) -> Result<Self, KeyringError> {
        let name = || file.to_owned();
        if bytes.len() > MAX_LENGTH {
            return Err(KeyringError::TooLong { file: name() });
        }
        let at = |line, fault| match fault {
            Fault::Short => KeyringError::Short { file: name(), line },
            Fault::Malformed(why) => KeyringError::Malformed { file: name(), line, why },
        };
        // 32 printable characters are no random key but text that was cut off, or a password.
        if let Ok(key) = <&[u8; KEY_LENGTH]>::try_from(bytes)
            && !bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
        {
            return Self::lone(key).map_err(|fault| at(1, fault));
        }
        let text = str::from_utf8(bytes).map_err(|error| {
            let before = bytes.iter().take(error.valid_up_to());
            KeyringError::NotText { file: name(), line: 1 + before.filter(|byte| **byte == b'\n').count() }
        })?;
        let lines = || text.lines().map(str::trim).enumerate().map(|(index, line)| (index + 1, line));
        let only = text.trim();
        if !only.is_empty() && !only.contains(['#', ':', '\n']) {
            let line = lines().find(|(_, line)| !line.is_empty()).map_or(1, |(line, _)| line);
            let lone = lone_key(only).and_then(|key| Self::lone(&key));
            return lone.map_err(|fault| at(line, fault));
        }
        let mut keys: BTreeMap<u32, MasterKey> = BTreeMap::new();
        for (line, entry) in lines().filter(|(_, line)| is_entry(line)) {
            let (version, key) = versioned_key(entry).map_err(|fault| at(line, fault))?;
            if keys.contains_key(&version) {
                return Err(KeyringError::Duplicate { file: name(), line, version });
            }
            if keys.values().any(|other| other.expose() == &*key) {
                return Err(at(line, Fault::Malformed("the key is there twice, as two versions")));
            }
            keys.insert(version, MasterKey::new(version, &key));
        }
        let Some((_, active)) = keys.pop_last() else {
            return Err(KeyringError::Empty { file: name() });
        };
        Ok(Self { active, older: keys, layout: Layout::Versioned })
    }

    fn lone(key: &[u8; KEY_LENGTH]) -> Result<Self, Fault> {
        check(key)?;
        Ok(Self { active: MasterKey::new(1, key), older: BTreeMap::new(), layout: Layout::Lone })
    }

    /// The key that seals: the one with the highest version.
    pub fn active(&self) -> &MasterKey {
        &self.active
    }

    pub fn get(&self, version: u32) -> Option<&MasterKey> {
        if version == self.active.version() { Some(&self.active) } else { self.older.get(&version) }
    }

    /// Ascending; the last one is active.
    pub fn versions(&self) -> Vec<u32> {
        self.older.keys().copied().chain([self.active.version()]).collect()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("versions", &self.versions()).finish_non_exhaustive()
    }
}

/// The line of a key, with its line break.
pub(super) fn line_of(key: &MasterKey) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(key.expose()));
    // Joined at once, not formatted: a string that grew would leave copies of the key behind.
    Zeroizing::new(["v", &key.version().to_string(), ":", &encoded, "\n"].concat())
}

/// The version that a line is of, where it is the line of a key.
pub(super) fn version_of(line: &str) -> Option<u32> {
    let line = line.trim();
    is_entry(line).then(|| versioned_key(line).ok()).flatten().map(|(version, _)| version)
}

fn is_entry(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#')
}

fn versioned_key(line: &str) -> Result<(u32, Zeroizing<[u8; KEY_LENGTH]>), Fault> {
    const SHAPE: Fault = Fault::Malformed("not of the shape v<version>:<base64 of 32 bytes>");
    let (version, key) = line.strip_prefix('v').and_then(|line| line.split_once(':')).ok_or(SHAPE)?;
    // One spelling for each version: a sign or a leading zero would be a second one.
    if version.starts_with('0') || !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Malformed("the version is not a whole number from 1 on"));
    }
    let version = version.parse().map_err(|_| Fault::Malformed("the version is no number or too high"))?;
    let key = from_base64(key)?;
    check(&key)?;
    Ok((version, key))
}

fn lone_key(text: &str) -> Result<Zeroizing<[u8; KEY_LENGTH]>, Fault> {
    match text.len() {
        64 => from_hex(text),
        BASE64_LENGTH => from_base64(text),
        ..64 if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => Err(Fault::Short),
        ..BASE64_LENGTH if is_base64(text) => Err(Fault::Short),
        _ => Err(Fault::Malformed("neither v<version>:<base64 of 32 bytes> nor one key in base64 or hex")),
    }
}

fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

fn from_base64(text: &str) -> Result<Zeroizing<[u8; KEY_LENGTH]>, Fault> {
    if text.len() < BASE64_LENGTH && is_base64(text) {
        return Err(Fault::Short);
    }
    if text.len() != BASE64_LENGTH {
        return Err(Fault::Malformed("the key is not 32 bytes in base64"));
    }
    // 44 characters are 31, 32 or 33 bytes, as they end in two, one or no `=`.
    let mut decoded = Zeroizing::new([0; KEY_LENGTH + 1]);
    match STANDARD.decode_slice(text, decoded.as_mut()) {
        Ok(KEY_LENGTH) => {
            let mut key = Zeroizing::new([0; KEY_LENGTH]);
            key.copy_from_slice(&decoded[..KEY_LENGTH]);
            Ok(key)
        }
        Ok(..KEY_LENGTH) => Err(Fault::Short),
        _ => Err(Fault::Malformed("the key is not 32 bytes in base64")),
    }
}

fn from_hex(text: &str) -> Result<Zeroizing<[u8; KEY_LENGTH]>, Fault> {
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        for digit in digits {
            let value = char::from(*digit).to_digit(16).ok_or(Fault::Malformed("not a key in hex"))?;
            // to_digit answers at most 15.
            *byte = *byte << 4 | value as u8;
        }
    }
    Ok(key)
}

/// A disk that lost what was written often gives zeros in its place.
fn check(key: &[u8; KEY_LENGTH]) -> Result<(), Fault> {
    if key.iter().all(|byte| *byte == key[0]) {
        return Err(Fault::Malformed("every byte of the key is the same"));
    }
    Ok(())
}
