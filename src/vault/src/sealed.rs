//! Sealed values: `[format: 1][key version: u32 BE][nonce: 24 bytes][ciphertext][tag: 16 bytes]`, 45 bytes longer
//! than what they hide. XChaCha20-Poly1305, draft-irtf-cfrg-xchacha-03.
//!
//! The associated data is `[format][key version][number of names]`, then each name after its length, numbers as
//! u64 BE but the first two as in the value. Lengths in front, because `ab` + `c` must not read like `a` + `bc`.

use chacha20poly1305::{KeyInit, XChaCha20Poly1305, aead::AeadInOut};
use ipack_domain::effects::random_bytes;
use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

const FORMAT: u8 = 1;
const VERSION_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;
pub(super) const KEY_LENGTH: usize = 32;

/// What a check value hides. Whoever changes it makes every keyring look wrong.
const CHECK: &[u8] = b"the master key is the right one";

/// Where a sealed value is kept. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealContext<'a> {
    pub table: &'static str,
    /// What identifies the row and never changes, best the bytes of its UUID.
    pub row: &'a [u8],
    pub column: &'static str,
}

impl SealContext<'_> {
    fn names(&self) -> [&[u8]; 3] {
        [self.table.as_bytes(), self.row, self.column.as_bytes()]
    }
}

/// Why a sealed value does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("the sealed value is cut off")]
    Truncated,
    #[error("the sealed value has the format {0}, which this version of the program does not know")]
    UnknownFormat(u8),
    #[error("the sealed value needs version {found} of its key, not {given}")]
    OtherKeyVersion { found: u32, given: u32 },
    /// The cipher cannot tell these cases apart.
    #[error("the sealed value was changed, belongs to another place, or was sealed with another key")]
    NotAuthentic,
    #[error("the sealed value is not text")]
    NotText,
}

/// Seals and opens the values of one scope. Gone from memory when dropped.
pub struct DataKey(Key);

/// Wraps data keys. Comes out of a [`crate::Keyring`]. Gone from memory when dropped.
pub struct MasterKey(Key);

impl DataKey {
    /// A new key from the system's random source.
    pub fn random(version: u32) -> Self {
        Self(Key::random(version))
    }

    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// The same plaintext gives another value each time.
    ///
    /// # Panics
    /// Where the plaintext is longer than 256 GiB, which the cipher cannot take.
    pub fn seal(&self, place: SealContext<'_>, plaintext: &[u8]) -> Vec<u8> {
        self.0.seal(&place.names(), plaintext)
    }

    /// # Errors
    /// Whatever is wrong with the value: see [`OpenError`].
    pub fn open(&self, place: SealContext<'_>, sealed: &[u8]) -> Result<SecretSlice<u8>, OpenError> {
        self.0.open(&place.names(), sealed).map(SecretSlice::from)
    }

    /// [`Self::open`] for a secret that was sealed as UTF-8.
    ///
    /// # Errors
    /// As [`Self::open`], and [`OpenError::NotText`].
    pub fn open_text(&self, place: SealContext<'_>, sealed: &[u8]) -> Result<SecretString, OpenError> {
        match String::from_utf8(self.0.open(&place.names(), sealed)?) {
            Ok(text) => Ok(SecretString::from(text)),
            Err(error) => {
                // The bytes are a secret all the same.
                error.into_bytes().zeroize();
                Err(OpenError::NotText)
            }
        }
    }
}

impl MasterKey {
    pub(super) fn new(version: u32, bytes: &[u8; KEY_LENGTH]) -> Self {
        Self(Key::new(version, bytes))
    }

    /// A new key from the system's random source.
    pub(super) fn random(version: u32) -> Self {
        Self(Key::random(version))
    }

    pub(super) fn expose(&self) -> &[u8; KEY_LENGTH] {
        self.0.bytes.expose_secret()
    }

    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// The data key as it is stored: sealed, and bound to its scope and version. 77 bytes.
    pub fn wrap(&self, scope: &str, data_key: &DataKey) -> Vec<u8> {
        let version = data_key.version().to_be_bytes();
        self.0.seal(&wrapping_names(scope, &version), data_key.0.bytes.expose_secret())
    }

    /// # Errors
    /// Whatever is wrong with the wrapped key: see [`OpenError`].
    pub fn unwrap_key(&self, scope: &str, version: u32, wrapped: &[u8]) -> Result<DataKey, OpenError> {
        let names = version.to_be_bytes();
        let opened = Zeroizing::new(self.0.open(&wrapping_names(scope, &names), wrapped)?);
        let bytes = opened.as_slice().try_into().map_err(|_| OpenError::NotAuthentic)?;
        Ok(DataKey(Key::new(version, bytes)))
    }

    /// A sealed constant, to be stored where the key is first used. Later it tells a wrong keyring
    /// ([`Self::verify_check_value`] fails) from damaged data (it does not, and something else does not open).
    pub fn check_value(&self) -> Vec<u8> {
        self.0.seal(&CHECK_NAMES, CHECK)
    }

    /// # Errors
    /// [`OpenError::NotAuthentic`] where the value was made by another key of this version; the other errors where
    /// it is no check value of this version at all.
    pub fn verify_check_value(&self, bytes: &[u8]) -> Result<(), OpenError> {
        if self.0.open(&CHECK_NAMES, bytes)? == CHECK { Ok(()) } else { Err(OpenError::NotAuthentic) }
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").field("version", &self.0.version).finish_non_exhaustive()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("version", &self.0.version).finish_non_exhaustive()
    }
}

/// The version of the key that opens this value; none where it is no whole value of a known format.
pub fn key_version_of(sealed: &[u8]) -> Option<u32> {
    dissect(sealed).ok().map(|parts| parts.key_version)
}

const CHECK_NAMES: [&[u8]; 2] = [b"master_keys", b"check_value"];

fn wrapping_names<'a>(scope: &'a str, version: &'a [u8; VERSION_LENGTH]) -> [&'a [u8]; 3] {
    [b"data_keys", scope.as_bytes(), version]
}

/// What both kinds of key are made of.
struct Key {
    version: u32,
    bytes: SecretBox<[u8; KEY_LENGTH]>,
}

impl Key {
    fn new(version: u32, bytes: &[u8; KEY_LENGTH]) -> Self {
        Self { version, bytes: SecretBox::init_with_mut(|own: &mut [u8; KEY_LENGTH]| *own = *bytes) }
    }

    fn random(version: u32) -> Self {
        Self::new(version, &Zeroizing::new(random_bytes::<KEY_LENGTH>()))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.bytes.expose_secret().into())
    }

    fn seal(&self, names: &[&[u8]], plaintext: &[u8]) -> Vec<u8> {
        let nonce = random_bytes::<NONCE_LENGTH>();
        let header = 1 + VERSION_LENGTH + NONCE_LENGTH;
        // Room for all of it at once: a buffer that grew would leave a copy of the plaintext behind.
        let mut sealed = Vec::with_capacity(header + plaintext.len() + TAG_LENGTH);
        sealed.push(FORMAT);
        sealed.extend(self.version.to_be_bytes());
        sealed.extend(nonce);
        sealed.extend(plaintext);
        let tag = self
            .cipher()
            .encrypt_inout_detached(
                &nonce.into(),
                &associated_data(self.version, names),
                sealed[header..].as_mut().into(),
            )
            .expect("a secret is shorter than 256 GiB");
        sealed.extend(tag);
        sealed
    }

    fn open(&self, names: &[&[u8]], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let parts = dissect(sealed)?;
        if parts.key_version != self.version {
            return Err(OpenError::OtherKeyVersion { found: parts.key_version, given: self.version });
        }
        // The tag is checked before anything is decrypted: on an error only ciphertext is dropped.
        let mut opened = parts.ciphertext.to_vec();
        self.cipher()
            .decrypt_inout_detached(
                &(*parts.nonce).into(),
                &associated_data(self.version, names),
                opened.as_mut_slice().into(),
                &(*parts.tag).into(),
            )
            .map_err(|_| OpenError::NotAuthentic)?;
        Ok(opened)
    }
}

struct Parts<'a> {
    key_version: u32,
    nonce: &'a [u8; NONCE_LENGTH],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_LENGTH],
}

fn dissect(sealed: &[u8]) -> Result<Parts<'_>, OpenError> {
    let (&format, rest) = sealed.split_first().ok_or(OpenError::Truncated)?;
    if format != FORMAT {
        return Err(OpenError::UnknownFormat(format));
    }
    let (version, rest) = rest.split_first_chunk().ok_or(OpenError::Truncated)?;
    let (nonce, rest) = rest.split_first_chunk().ok_or(OpenError::Truncated)?;
    let (ciphertext, tag) = rest.split_last_chunk().ok_or(OpenError::Truncated)?;
    Ok(Parts { key_version: u32::from_be_bytes(*version), nonce, ciphertext, tag })
}

fn associated_data(key_version: u32, names: &[&[u8]]) -> Vec<u8> {
    // usize has at most 64 bits wherever this runs.
    let number = |length: usize| (length as u64).to_be_bytes();
    let mut data = vec![FORMAT];
    data.extend(key_version.to_be_bytes());
    data.extend(number(names.len()));
    for name in names {
        data.extend(number(name.len()));
        data.extend(*name);
    }
    data
}
