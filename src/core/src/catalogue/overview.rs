//! What the overview and an instance's page list.

use crate::{
    access::{self, Admin, validate_ids},
    connector::state::{LineWithState, with_states},
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::catalogue::{Environment, Named};
use ipack_storage::{
    accounts::Space,
    environments::{self, AfterEnvironment},
    instances::{self, Instance},
    lines::{self, AfterLine, ProcessInEnvironment},
    overview::{self, After, InstanceInList},
};
use std::collections::HashMap;

const LINES_PER_CARD: usize = 12;
/// Of so many lines the states are told before a card's are chosen: a state is known for sure only when the details were
/// read, and the order in which the database has them comes close.
const LINES_PER_CHOICE: i64 = 36;
/// Of an instance's page.
const CONNECTIONS_PER_PAGE: usize = 200;
const ENVIRONMENTS_PER_PAGE: usize = 200;

/// A page of the overview.
#[derive(Debug, Clone)]
pub struct Overview {
    pub instances: Vec<ListedInstance>,
    /// Where the next page starts, if there is one.
    pub next: Option<After>,
}

#[derive(Debug, Clone)]
pub struct ListedInstance {
    pub instance: InstanceInList,
    pub environments: Vec<Environment>,
    /// What needs somebody first.
    pub connections: Vec<LineWithState>,
    /// How many connections there are, listed or not.
    pub all: usize,
}

/// An instance with the connections of one process in one environment.
#[derive(Debug, Clone)]
pub struct InstanceWithConnections {
    pub space: Space,
    pub instance: Instance,
    pub environments: Vec<Environment>,
    /// Where their next page starts, if there is one.
    pub next_environments: Option<AfterEnvironment>,
    /// Environments of the Space that the instance is not attached to.
    pub attachable: Vec<Environment>,
    /// Where their next page starts, if there is one.
    pub next_attachable: Option<String>,
    pub processes: Vec<Named>,
    /// Chosen, or the only one there is.
    pub environment: Option<String>,
    pub process: Option<String>,
    pub connections: Vec<LineWithState>,
    /// Where their next page starts, if there is one.
    pub next: Option<AfterLine>,
}

/// What of an instance is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct InstanceChoice<'a> {
    pub environment: Option<&'a str>,
    pub process: Option<&'a str>,
    /// Where the page of connections starts.
    pub after: Option<&'a AfterLine>,
    /// Where the page of environments that it is attached to starts.
    pub after_environment: Option<&'a AfterEnvironment>,
    /// Where the page of environments to attach starts: after this id.
    pub after_attachable: &'a str,
}

/// Takes what is beyond a page off; answers whether there was anything.
fn cut<T>(rows: &mut Vec<T>, page: usize) -> bool {
    let has_more = rows.len() > page;
    rows.truncate(page);
    has_more
}

/// By Space and id, in the order of the rows.
fn by_instance<R, T>(
    rows: Vec<R>,
    part: impl Fn(R) -> (String, String, T),
) -> HashMap<(String, String), Vec<T>> {
    let mut found: HashMap<_, Vec<T>> = HashMap::new();
    for row in rows {
        let (space, instance, value) = part(row);
        found.entry((space, instance)).or_default().push(value);
    }
    found
}

impl Services {
    /// The instances that this admin may see, whose name or pack's name contains `search`, by name.
    pub async fn overview(&self, admin: &Admin, search: &str, after: &After) -> Result<Overview> {
        let (now, allowed) = (self.clock.now(), self.oauth.allowed);
        let mut reader = self.database.reader().await?;
        let limit = overview::PAGE as i64 + 1;
        let account = admin.account.as_deref();
        let mut found = overview::instances(reader.connection(), account, search, after, limit).await?;
        let more = cut(&mut found, overview::PAGE);
        let next = found.last().filter(|_| more).map(|last| After {
            name: last.name.clone(),
            space: last.space_guid.clone(),
            id: last.id.clone(),
        });
        let environments = overview::environments(reader.connection(), &found).await?;
        let counts = overview::count_oauth_connections(reader.connection(), &found).await?;
        let lines = lines::oauth_lines(reader.connection(), &found, admin.id, now, LINES_PER_CHOICE).await?;
        drop(reader);

        let mut environments =
            by_instance(environments, |one| (one.space_guid, one.instance_id, one.environment.into()));
        let mut counts = by_instance(counts, |one| (one.space_guid, one.instance_id, one.count));
        let mut lines = by_instance(lines, |one| (one.space_guid, one.instance_id, one.line));
        let mut listed = Vec::with_capacity(found.len());
        for instance in found {
            let key = (instance.space_guid.clone(), instance.id.clone());
            let environments: Vec<Environment> = environments.remove(&key).unwrap_or_default();
            let connections: u32 = counts.remove(&key).unwrap_or_default().into_iter().sum();
            let all = connections as usize * environments.len();
            let mut connections = with_states(lines.remove(&key).unwrap_or_default(), allowed, now)?;
            connections.truncate(LINES_PER_CARD);
            listed.push(ListedInstance { instance, environments, connections, all });
        }
        Ok(Overview { instances: listed, next })
    }

    /// One instance with the connections of the chosen process in the chosen environment. What is not chosen is chosen
    /// where there is but one.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn instance(
        &self,
        admin: &Admin,
        space: &str,
        instance: &str,
        choice: InstanceChoice<'_>,
    ) -> Result<InstanceWithConnections> {
        let InstanceChoice { environment, process, after, after_environment, after_attachable } = choice;
        validate_ids([instance])?;
        let mut reader = self.database.reader().await?;
        let space = access::admin_space(reader.connection(), admin, space).await?;
        let found = instances::find(reader.connection(), &space.guid, instance)
            .await?
            .ok_or(ServiceError::NotFound)?;
        let limit = ENVIRONMENTS_PER_PAGE as i64 + 1;
        let first = AfterEnvironment::default();
        let start = after_environment.unwrap_or(&first);
        let mut environments =
            environments::of_instance(reader.connection(), &space.guid, instance, start, limit).await?;
        let more = cut(&mut environments, ENVIRONMENTS_PER_PAGE);
        let next_environments = environments
            .last()
            .filter(|_| more)
            .map(|last| AfterEnvironment { name: last.name.clone(), id: last.id.clone() });
        let processes = instances::processes(reader.connection(), &space.guid, instance).await?;
        let mut attachable =
            environments::attachable(reader.connection(), &space.guid, instance, after_attachable, limit)
                .await?;
        let more = cut(&mut attachable, ENVIRONMENTS_PER_PAGE);
        let next_attachable = attachable.last().filter(|_| more).map(|last| last.id.clone());

        // An instance is looked at in one environment, so the first stands where none was chosen.
        let environment = match environment {
            // No id has it, and PostgreSQL's text cannot hold it.
            Some(id) if id.contains('\0') => None,
            Some(id) => environments::is_attached(reader.connection(), &space.guid, instance, id)
                .await?
                .then(|| id.to_owned()),
            None => environments.first().map(|one| one.id.clone()),
        };
        let process = match (process, &processes[..]) {
            (Some(id), _) => processes.iter().find(|one| one.id == id),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let process = process.map(|one| one.id.clone());
        let mut next = None;
        let connections = match (&environment, &process) {
            (Some(environment), Some(process)) => {
                let place = ProcessInEnvironment { space: &space.guid, instance, environment, process };
                let now = self.clock.now();
                let limit = CONNECTIONS_PER_PAGE as i64 + 1;
                let mut lines =
                    lines::process_lines(reader.connection(), place, admin.id, now, after, limit).await?;
                let more = cut(&mut lines, CONNECTIONS_PER_PAGE);
                next = lines.last().filter(|_| more).map(|last| AfterLine {
                    urgency: last.urgency,
                    name: last.line.connection_name.clone(),
                    connection: last.line.connection_id.clone(),
                });
                let lines = lines.into_iter().map(|one| one.line).collect();
                with_states(lines, self.oauth.allowed, now)?
            }
            _ => Vec::new(),
        };
        Ok(InstanceWithConnections {
            space,
            instance: found,
            environments,
            next_environments,
            attachable,
            next_attachable,
            processes,
            environment,
            process,
            connections,
            next,
        })
    }
}
