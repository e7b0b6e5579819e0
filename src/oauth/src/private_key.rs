//! Private keys as people paste them: PEM in one line, with line breaks written as two characters, with quotation marks,
//! inside of a service account's file; PKCS#8, PKCS#1 and SEC1.

use crate::authentication::ClientCredentialsError;
use jsonwebtoken::{Algorithm, EncodingKey};
use p256::pkcs8::EncodePrivateKey;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

/// A block of PEM, its body in Base64 without white space.
pub(crate) struct Pem {
    pub label: String,
    pub body: Zeroizing<String>,
}

impl Pem {
    /// The first block in a text that is not the parameters of a curve.
    pub fn find(text: &str) -> Option<Self> {
        let text = Zeroizing::new(text.replace("\\r", "").replace("\\n", "\n"));
        let mut rest = text.as_str();
        loop {
            let (_, begun) = rest.split_once("-----BEGIN ")?;
            let (label, begun) = begun.split_once("-----")?;
            let (body, after) = begun.split_once(&format!("-----END {label}-----"))?;
            if label != "EC PARAMETERS" {
                let body = body.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                return Some(Self { label: label.to_owned(), body: body.into() });
            }
            rest = after;
        }
    }

    /// With lines of the length that parsers want.
    fn text(&self) -> Zeroizing<String> {
        let lines: Vec<&str> =
            self.body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        let Self { label, .. } = self;
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")).into()
    }
}

/// The algorithms that a private key in PEM can sign with, its own first, each with the key.
///
/// # Errors
/// Where the text is no private key, or an encrypted one.
pub(crate) fn read(pem: &SecretString) -> Result<Vec<(Algorithm, EncodingKey)>, ClientCredentialsError> {
    let pem = Pem::find(pem.expose_secret()).ok_or(ClientCredentialsError::NotPrivateKey)?;
    // PKCS#8 says so in its label, the older forms in a header.
    if pem.label.contains("ENCRYPTED") || pem.body.contains("ENCRYPTED") {
        return Err(ClientCredentialsError::EncryptedPrivateKey);
    }
    let text = match pem.label.as_str() {
        "EC PRIVATE KEY" => pkcs8_of_sec1(&pem).ok_or(ClientCredentialsError::NotPrivateKey)?,
        _ => pem.text(),
    };
    let bytes = text.as_bytes();
    let rsa = |algorithm| (algorithm, EncodingKey::from_rsa_pem(bytes));
    let candidates = [
        rsa(Algorithm::RS256),
        rsa(Algorithm::RS384),
        rsa(Algorithm::RS512),
        rsa(Algorithm::PS256),
        rsa(Algorithm::PS384),
        rsa(Algorithm::PS512),
        (Algorithm::ES256, EncodingKey::from_ec_pem(bytes)),
        (Algorithm::ES384, EncodingKey::from_ec_pem(bytes)),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem(bytes)),
    ];
    Ok(candidates.into_iter().filter_map(|(algorithm, key)| Some((algorithm, key.ok()?))).collect())
}

/// `jsonwebtoken` reads keys of elliptic curves as PKCS#8 only.
fn pkcs8_of_sec1(pem: &Pem) -> Option<Zeroizing<String>> {
    let text = pem.text();
    let ending = p256::pkcs8::LineEnding::LF;
    let of_p256 = p256::SecretKey::from_sec1_pem(&text).ok().and_then(|key| key.to_pkcs8_pem(ending).ok());
    of_p256.or_else(|| p384::SecretKey::from_sec1_pem(&text).ok()?.to_pkcs8_pem(ending).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EC_KEY: &str = include_str!("../test-data/ec_key.pem");
    const SEC1_KEY: &str = include_str!("../test-data/sec1_key.pem");
    const RSA_KEY: &str = include_str!("../test-data/rsa_key.pem");
    const PKCS1_KEY: &str = include_str!("../test-data/pkcs1_key.pem");
    const ENCRYPTED_KEY: &str = include_str!("../test-data/encrypted_key.pem");

    fn first(text: &str) -> Result<Option<Algorithm>, ClientCredentialsError> {
        read(&text.to_owned().into()).map(|found| found.first().map(|(algorithm, _)| *algorithm))
    }

    #[test]
    fn private_keys_are_read_as_they_are_pasted() {
        for (pem, algorithm) in [
            (EC_KEY, Algorithm::ES256),
            (SEC1_KEY, Algorithm::ES256),
            (RSA_KEY, Algorithm::RS256),
            (PKCS1_KEY, Algorithm::RS256),
        ] {
            let escaped = pem.replace('\n', "\\n");
            for text in [
                pem.to_owned(),
                pem.replace('\n', ""),
                pem.replace('\n', " "),
                pem.replace('\n', "\r\n"),
                format!("  {pem}\n\n"),
                escaped.clone(),
                format!("\"{escaped}\""),
                format!("{{\"type\":\"service_account\",\"private_key\":\"{escaped}\",\"client_id\":\"1\"}}"),
                format!(
                    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{pem}"
                ),
            ] {
                assert_eq!(first(&text), Ok(Some(algorithm)), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_private_key_is_told_apart() {
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----";
        for encrypted in [ENCRYPTED_KEY, old, &ENCRYPTED_KEY.replace('\n', "\\n")] {
            assert_eq!(first(encrypted), Err(ClientCredentialsError::EncryptedPrivateKey), "{encrypted}");
        }
        for bad in ["", "hush", "-----BEGIN PRIVATE KEY-----", "-----BEGIN X-----AAAA-----END Y-----"] {
            assert_eq!(first(bad), Err(ClientCredentialsError::NotPrivateKey), "{bad}");
        }
        for bad in
            ["-----BEGIN X-----AAAA-----END X-----", "-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----"]
        {
            assert_eq!(first(bad), Ok(None), "{bad}");
        }
    }
}
