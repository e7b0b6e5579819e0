//! The connector form's page.

use crate::{
    compose::credentials::compose_credentials,
    views::{
        Conflict, ConflictPart, ConnectorNames, ConnectorView, HistoryEntry, OthersThatDiffer, PreflightView,
        Saved,
    },
};
use ipack_core::{
    Result, Services,
    connector::{
        page_data::ConnectorPageData, preflight::Preflight, record::ConnectorRecord, submission::Submitted,
    },
};
use ipack_domain::{
    form::FormContent,
    parts::Part,
    post::{Base, Outcome},
};
use ipack_oauth::presets;
use ipack_storage::audit_log::{Entry, Kind};

const HISTORY_LENGTH: usize = 20;

/// The page of a form that was loaded, not posted.
pub async fn show(services: &Services, record: ConnectorRecord) -> Result<ConnectorView> {
    show_submitted(services, Submitted { record, outcome: Outcome::Loaded, problems: Vec::new() }).await
}

/// The page of a form after a post.
pub async fn show_submitted(services: &Services, submitted: Submitted) -> Result<ConnectorView> {
    let data = services.connector_page_data(&submitted.record).await?;
    compose_connector(services, submitted, data)
}

fn compose_connector(
    services: &Services,
    submitted: Submitted,
    data: ConnectorPageData,
) -> Result<ConnectorView> {
    let Submitted { record, outcome, problems: credential_problems } = submitted;
    let mut credentials = compose_credentials(services, &record, &data)?;
    credentials.problems = credential_problems;
    let ConnectorPageData { others, suggestions, audit_log, .. } = data;
    let content = record.shown().clone();
    let attempted = record.draft.as_ref().is_some_and(|draft| draft.attempted);
    Ok(ConnectorView {
        names: names(&record),
        attempted,
        missing: if record.stored.is_some() { record.start.missing() } else { Vec::new() },
        conflict: conflict(&record),
        others: OthersThatDiffer { names: others.different, more: others.more },
        suggestions,
        history: folded(audit_log),
        credentials,
        outcome,
        base: Base { version: record.base_version(), content, others: others.versions },
        key: record.key,
        saved: record.stored.map(|stored| Saved { by: stored.saved_by, at: stored.updated_at.into() }),
        draft: record.draft.map(|draft| draft.updated_at.into()),
    })
}

/// The page of a preflight.
pub fn compose_preflight(preflight: Preflight) -> PreflightView {
    let Preflight { record, authorization_url, redirect_uri, checks } = preflight;
    PreflightView { names: names(&record), key: record.key, authorization_url, redirect_uri, checks }
}

/// Where on the site a form is.
fn names(record: &ConnectorRecord) -> ConnectorNames {
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

fn conflict(record: &ConnectorRecord) -> Option<Conflict> {
    let draft = record.draft.as_ref().filter(|_| record.is_conflicting())?;
    let stored = record.stored.as_ref()?;
    let mine = record.to_save(draft);
    let parts = record
        .start
        .differing(&mine)
        .into_iter()
        .map(|part| ConflictPart {
            part,
            saved: lines(&record.start, part),
            mine: lines(&mine, part),
            prefer_mine: !mine.has_same_part(&draft.base, part),
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

fn lines(content: &FormContent, part: Part) -> Vec<String> {
    let preset = content.provider.preset().and_then(presets::find);
    content.lines(part, preset.map(|preset| preset.name.as_str()))
}

/// Lines for reading, latest first. Refreshes in a row are told once, so that they do not hide what people did.
fn folded(entries: Vec<Entry>) -> Vec<HistoryEntry> {
    let mut lines: Vec<(HistoryEntry, usize, bool)> = Vec::new();
    for entry in entries {
        let is_refresh = entry.kind == Some(Kind::TokenRefreshed);
        let is_full = lines.len() == HISTORY_LENGTH;
        match lines.last_mut() {
            Some((_, times, true)) if is_refresh => *times += 1,
            _ if is_full => break,
            _ => lines.push((history(entry), 1, is_refresh)),
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

fn history(entry: Entry) -> HistoryEntry {
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
