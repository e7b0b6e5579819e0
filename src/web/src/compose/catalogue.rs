//! The overview and an instance's page.

use crate::views::{ConnectionLine, InstanceCard, InstanceView, Overview, Saved};
use ipack_core::{
    catalogue::overview::{self, InstanceWithConnections, ListedInstance},
    connector::state::LineWithState,
};
use ipack_domain::ids::{ConnectionKey, segment, unsegment};
use ipack_storage::{environments::AfterEnvironment, lines::AfterLine, overview::After};

pub fn compose_overview(listed: overview::Overview) -> Overview {
    Overview {
        instances: listed.instances.into_iter().map(compose_card).collect(),
        next: listed.next.as_ref().map(write_cursor),
    }
}

fn compose_card(listed: ListedInstance) -> InstanceCard {
    let ListedInstance { instance, environments, connections, all } = listed;
    let more = all - connections.len();
    InstanceCard {
        connections: compose_lines(&instance.space_guid, &instance.id, connections),
        space: instance.space_guid,
        space_name: instance.space_name,
        instance: instance.id,
        name: instance.name,
        pack_name: instance.pack_name,
        environments,
        more: u32::try_from(more).unwrap_or(u32::MAX),
    }
}

pub fn compose_instance(found: InstanceWithConnections) -> InstanceView {
    let InstanceWithConnections {
        space,
        instance,
        environments,
        next_environments,
        attachable,
        next_attachable,
        processes,
        environment,
        process,
        connections,
        next,
    } = found;
    InstanceView {
        connections: compose_lines(&space.guid, &instance.id, connections),
        space: space.guid,
        space_name: space.name,
        instance: instance.id,
        name: instance.name,
        pack_name: instance.pack_name,
        environments,
        next_environments: next_environments.as_ref().map(write_environment_cursor),
        attachable,
        next_attachable,
        processes,
        environment,
        process,
        next: next.as_ref().map(write_line_cursor),
    }
}

fn compose_lines(space: &str, instance: &str, lines: Vec<LineWithState>) -> Vec<ConnectionLine> {
    let compose = |LineWithState { line, state }| ConnectionLine {
        key: ConnectionKey {
            space: space.to_owned(),
            instance: instance.to_owned(),
            environment: line.environment_id,
            process: line.process_id,
            connection: line.connection_id,
        },
        connection_name: line.connection_name,
        process_name: line.process_name,
        environment_name: line.environment_name,
        state,
        saved: line.saved_by.zip(line.updated_at).map(|(by, at)| Saved { by, at: at.into() }),
        draft: line.draft,
    };
    lines.into_iter().map(compose).collect()
}

/// The last instance of a page, as `?after=` carries it: three segments between slashes.
fn write_cursor(last: &After) -> String {
    [&last.name, &last.space, &last.id].map(|part| segment(part)).join("/")
}

/// Where the page starts that an address asks for.
pub fn read_cursor(text: &str) -> Option<After> {
    let [name, space, id] = cursor_parts(text)?;
    Some(After { name, space, id })
}

/// As [`write_cursor`], of the last connection of a page.
fn write_line_cursor(last: &AfterLine) -> String {
    [&last.urgency.to_string(), &last.name, &last.connection].map(|part| segment(part)).join("/")
}

/// As [`read_cursor`], of connections.
pub fn read_line_cursor(text: &str) -> Option<AfterLine> {
    let [urgency, name, connection] = cursor_parts(text)?;
    Some(AfterLine { urgency: urgency.parse().ok()?, name, connection })
}

/// As [`write_cursor`], of the last environment of a page.
fn write_environment_cursor(last: &AfterEnvironment) -> String {
    [&last.name, &last.id].map(|part| segment(part)).join("/")
}

/// As [`read_cursor`], of environments.
pub fn read_environment_cursor(text: &str) -> Option<AfterEnvironment> {
    let [name, id] = cursor_parts(text)?;
    Some(AfterEnvironment { name, id })
}

fn cursor_parts<const N: usize>(text: &str) -> Option<[String; N]> {
    let part = |part| unsegment(part).filter(|part| !part.contains('\0'));
    let parts: Vec<String> = text.split('/').map(part).collect::<Option<_>>()?;
    parts.try_into().ok()
}
