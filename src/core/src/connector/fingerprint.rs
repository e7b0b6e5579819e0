//! Fingerprints of a form's parts: by them a page says what it had got, and a token what it came from.

use ipack_domain::{
    form::{FormContent, Parameter, Part, PartValue},
    post::Seen,
    provider::ProviderChoice,
};
use ipack_storage::details::InEnvironment;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The configuration's parts by name, each as a digest: which of them changed since is told without keeping them.
pub type Fingerprints = BTreeMap<String, String>;

/// Tells whether a part is what a page last saw: 64 bits of a SHA-256 digest in hexadecimal; of a table, those of each
/// row between dots, so that two pages can change different rows. What a browser makes of a part by showing it and
/// sending it back is the same part: an empty table is shown with one blank row.
pub fn fingerprint(content: &FormContent, part: Part) -> String {
    match content.part(part) {
        PartValue::Rows([only]) if only.is_blank() => String::new(),
        PartValue::Rows(rows) => fingerprint_of_rows(rows),
        PartValue::Text(text) => digest(&in_one_line(text)),
        PartValue::Provider(choice) => digest(&provider_in_one_line(choice)),
        PartValue::Choice(choice) => digest(&choice.to_string()),
    }
}

pub fn fingerprint_of_rows(rows: &[Parameter]) -> String {
    rows.iter().map(fingerprint_of_row).collect::<Vec<_>>().join(".")
}

pub(crate) fn fingerprint_of_row(row: &Parameter) -> String {
    digest(&serde_json::json!([in_one_line(&row.key), in_one_line(&row.value)]).to_string())
}

fn provider_in_one_line(choice: &ProviderChoice) -> String {
    let mut choice = choice.clone();
    for text in choice.texts_mut() {
        *text = in_one_line(text);
    }
    serde_json::json!(choice).to_string()
}

/// What a page with this content has got; of the other environments, nothing.
pub fn seen(content: &FormContent) -> Seen {
    Seen {
        base_url: fingerprint(content, Part::BaseUrl),
        company_id: fingerprint(content, Part::CompanyId),
        client_id: fingerprint(content, Part::ClientId),
        authorization: fingerprint(content, Part::Authorization),
        access_token: fingerprint(content, Part::AccessToken),
        provider: fingerprint(content, Part::Provider),
        every_environment: fingerprint(content, Part::AppliesTo),
        others: String::new(),
    }
}

/// A digest of each part that a token depends on.
pub(crate) fn fingerprints(content: &FormContent) -> Fingerprints {
    let content = content.tidied();
    Part::DETAILS.into_iter().map(|part| (part.name().to_owned(), fingerprint(&content, part))).collect()
}

/// As [`fingerprints`] has it for a company id.
pub(crate) fn fingerprint_of_company(company_id: &str) -> String {
    let content = FormContent { company_id: company_id.to_owned(), ..FormContent::default() };
    fingerprint(&content.tidied(), Part::CompanyId)
}

/// One short word for a whole configuration.
pub fn fingerprint_of_configuration(parts: &Fingerprints) -> String {
    let mut word = digest(&serde_json::json!(parts).to_string());
    word.truncate(8);
    word
}

/// As an input of one line sends it back.
fn in_one_line(text: &str) -> String {
    text.replace(['\r', '\n'], "").replace('\0', "\u{FFFD}")
}

/// Changes with every save in another environment of the instance.
pub fn fingerprint_of_others(others: &[InEnvironment]) -> String {
    let versions: Vec<_> = others.iter().map(|other| (&other.environment_id, other.version)).collect();
    digest(&serde_json::json!(versions).to_string())
}

fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..8])
}
