//! Fingerprints of a configuration's parts: by them a token says what it came from.
//!
//! Those of tokens that are kept were made by earlier versions: a part that did not change has to give the same again.

use ipack_domain::{
    form::FormContent,
    merge::in_one_line,
    parts::{Part, PartContent},
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The configuration's parts by name, each as a digest: which of them changed since is told without keeping them.
pub type Fingerprints = BTreeMap<String, String>;

/// A digest of each part that a token depends on.
pub(crate) fn fingerprints(content: &FormContent) -> Fingerprints {
    let content = in_one_line(&content.tidied());
    Part::details().map(|part| (part.name().to_owned(), fingerprint(&content, part))).collect()
}

/// As [`fingerprints`] has it for a company id.
pub(crate) fn fingerprint_of_company(company_id: &str) -> String {
    let content = FormContent { company_id: company_id.to_owned(), ..FormContent::default() };
    fingerprint(&in_one_line(&content.tidied()), Part::CompanyId)
}

/// One short word for a whole configuration.
pub fn fingerprint_of_configuration(parts: &Fingerprints) -> String {
    let mut word = digest(&serde_json::json!(parts).to_string());
    word.truncate(8);
    word
}

fn fingerprint(content: &FormContent, part: Part) -> String {
    match part.content() {
        PartContent::Text(field, _) => digest(content.text(field)),
        PartContent::Table(table, _) => {
            let rows = content.rows(table).iter();
            let rows = rows.map(|row| digest(&serde_json::json!([row.key, row.value]).to_string()));
            rows.collect::<Vec<_>>().join(".")
        }
        PartContent::Provider => digest(&serde_json::json!(content.provider).to_string()),
        PartContent::Scope => digest(&content.every_environment.to_string()),
    }
}

/// 64 bits of a SHA-256 digest in hexadecimal.
fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipack_domain::{
        form::Parameter,
        provider::{Grant, ProviderChoice},
    };

    /// A member of the provider's settings that is added later must not be written while it is not set.
    #[test]
    fn tokens_of_earlier_versions_came_from_the_same_configuration() {
        let provider = ProviderChoice {
            provider: " slack".into(),
            grant: Grant::ClientCredentials,
            scopes: "a  b".into(),
            ..ProviderChoice::default()
        };
        let content = FormContent {
            base_url: "https://a.example\n".into(),
            authorization: vec![Parameter::new("a ", "1\n"), Parameter::new("", ""), Parameter::new("b", "")],
            provider,
            ..FormContent::default()
        };
        let made = fingerprints(&content);
        assert_eq!(
            made.keys().collect::<Vec<_>>(),
            ["access_token", "authorization", "base_url", "client_id", "company_id", "provider"]
        );
        assert_eq!(made["access_token"], "");
        assert_eq!(made["authorization"], "1d48e4958ca56ea7.1a88d8807cdc4786");
        assert_eq!(made["base_url"], "38612c965a9c4c35");
        assert_eq!(made["company_id"], "e3b0c44298fc1c14");
        assert_eq!(made["provider"], "055fb99dff6b0b2e");
        assert_eq!(fingerprint_of_company(" x"), "2d711642b726b044");
        assert_eq!(fingerprint_of_configuration(&made), "01a72455");
    }
}
