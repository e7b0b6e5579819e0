//! From what the database knows about one form to what its page shows.

use crate::{
    Result, Services,
    connector::{content::content_in, submission::ConnectorRecord},
    secrets::view::{Shown, credentials_view},
};
use ipack_domain::{
    form::{FormContent, Parameter, Part, PartValue, problems},
    provider::ProviderChoice,
    views::{
        Conflict, ConflictPart, ConnectorNames, ConnectorView, HistoryEntry, OtherEnvironment, OtherState,
        Outcome, Saved, Seen,
    },
};
use ipack_oauth::presets;
use ipack_storage::{
    Connection,
    audit_log::{self, Kind},
    details::{self, InEnvironment},
    suggestions,
};
use sha2::{Digest, Sha256};

const HISTORY_LENGTH: usize = 20;
/// What is read of it: renewals that follow each other make one line.
const HISTORY_READ: i64 = 60;

pub(crate) async fn view(
    services: &Services,
    mut db: Connection<'_>,
    record: ConnectorRecord,
    outcome: Outcome,
) -> Result<ConnectorView> {
    let elsewhere = details::in_other_environments(db.lend(), &record.key).await?;
    let others_seen = fingerprint_of_others(&elsewhere);
    let others = elsewhere
        .into_iter()
        .map(|other| {
            let saved = content_in(&other, record.place.provider.as_ref())?;
            let state = match saved {
                None => OtherState::Empty,
                Some(saved) if saved.differing(&record.start, &Part::DETAILS).is_empty() => OtherState::Same,
                Some(_) => OtherState::Different,
            };
            Ok(OtherEnvironment { name: other.name, state })
        })
        .collect::<Result<_>>()?;
    let suggestions = suggestions::latest(db.lend(), &record.space.account_id).await?;
    let history = folded(audit_log::latest(db.lend(), &record.key, HISTORY_READ).await?);

    let conflict = conflict(&record);
    let names = names(&record);
    let content = record.shown().clone();
    let shown = Shown {
        key: &record.key,
        account: &record.space.account_id,
        admin: record.admin,
        content: &content,
        missing: record.stored.as_ref().map(|_| record.start.missing()),
    };
    let credentials = credentials_view(services, db, shown).await?;
    let ConnectorRecord { key, stored, start, draft, .. } = record;
    let attempted = draft.as_ref().is_some_and(|draft| draft.attempted);
    Ok(ConnectorView {
        key,
        names,
        base_version: draft
            .as_ref()
            .map_or_else(|| stored.as_ref().map_or(0, |s| s.version), |d| d.base_version),
        seen: Seen { others: others_seen, ..seen(&content) },
        problems: problems(&content, attempted),
        attempted,
        missing: if stored.is_some() { start.missing() } else { Vec::new() },
        saved: stored.map(|stored| Saved { by: stored.saved_by, at: stored.updated_at.into() }),
        draft: draft.map(|draft| draft.updated_at.into()),
        content,
        conflict,
        others,
        suggestions,
        history,
        credentials,
        outcome,
    })
}

/// Tells whether a part is what a page last saw: 64 bits of a SHA-256 digest in hexadecimal; of a table, those of each
/// row between dots, so that two pages can change different rows. What a browser makes of a part by showing it and
/// sending it back is the same part: an empty table is shown with one blank row.
pub(crate) fn fingerprint(content: &FormContent, part: Part) -> String {
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

/// Where on the site a form is.
pub(crate) fn names(record: &ConnectorRecord) -> ConnectorNames {
    let place = &record.place;
    ConnectorNames {
        space: record.space.name.clone(),
        instance: place.instance_name.clone(),
        environment: place.environment_name.clone(),
        classification: place.classification,
        process: place.process_name.clone(),
        connection: place.name.clone(),
    }
}

/// As an input of one line sends it back.
fn in_one_line(text: &str) -> String {
    text.replace(['\r', '\n'], "").replace('\0', "\u{FFFD}")
}

/// Changes with every save in another environment of the instance.
pub(crate) fn fingerprint_of_others(others: &[InEnvironment]) -> String {
    let versions: Vec<_> = others.iter().map(|other| (&other.environment_id, other.version)).collect();
    digest(&serde_json::json!(versions).to_string())
}

fn digest(text: &str) -> String {
    Sha256::digest(text)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seen(content: &FormContent) -> Seen {
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

fn conflict(record: &ConnectorRecord) -> Option<Conflict> {
    let draft = record.draft.as_ref().filter(|_| record.is_conflicting())?;
    let stored = record.stored.as_ref()?;
    let mine = record.to_save(draft);
    let parts = record
        .start
        .differing(&mine, &Part::DETAILS)
        .into_iter()
        .map(|part| ConflictPart {
            part,
            saved: lines(record.start.part(part)),
            mine: lines(mine.part(part)),
            prefer_mine: mine.part(part) != draft.base.part(part),
        })
        .collect();
    Some(Conflict {
        by: stored.saved_by.clone(),
        by_me: stored.saved_by == record.email,
        at: stored.updated_at.into(),
        version: stored.version,
        parts,
    })
}

fn lines(value: PartValue<'_>) -> Vec<String> {
    match value {
        PartValue::Text(text) => Some(text.to_owned()).filter(|text| !text.is_empty()).into_iter().collect(),
        PartValue::Rows(rows) => rows.iter().map(|row| format!("{} = {}", row.key, row.value)).collect(),
        PartValue::Provider(choice) => {
            let preset = choice.preset().and_then(presets::find);
            choice.lines(preset.map(|preset| preset.name.as_str()))
        }
        PartValue::Choice(_) => Vec::new(),
    }
}

/// Lines for reading, latest first. Renewals in a row are told once, so that they do not hide what people did.
fn folded(entries: Vec<audit_log::Entry>) -> Vec<HistoryEntry> {
    let mut lines: Vec<(HistoryEntry, usize, bool)> = Vec::new();
    for entry in entries {
        let is_renewal = entry.kind == Some(Kind::TokenRefreshed);
        let is_full = lines.len() == HISTORY_LENGTH;
        match lines.last_mut() {
            Some((_, times, true)) if is_renewal => *times += 1,
            _ if is_full => break,
            _ => lines.push((history(entry), 1, is_renewal)),
        }
    }
    let told = |(mut line, times, _): (HistoryEntry, usize, bool)| {
        if times > 1 {
            line.what = format!("{} {times} times", line.what);
        }
        line
    };
    lines.into_iter().map(told).collect()
}

fn history(entry: audit_log::Entry) -> HistoryEntry {
    let what = match entry.kind {
        Some(Kind::DetailsSaved) | None => match entry.changed.split_last() {
            None => "saved without a change".to_owned(),
            Some((only, [])) => format!("saved {only}"),
            Some((last, rest)) => format!("saved {} and {last}", rest.join(", ")),
        },
        Some(Kind::TokenRead) => match entry.times {
            Some(times) if times > 1 => format!("read the access token {times} times"),
            _ => "read the access token".to_owned(),
        },
        Some(kind) => kind.sentence().to_owned(),
    };
    HistoryEntry { at: entry.at.into(), actor: entry.actor, what, detail: entry.detail }
}
