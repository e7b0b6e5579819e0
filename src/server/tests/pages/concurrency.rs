//! Many at once.

use futures::future::join_all;
use ipack_core::{Services, access::Admin, connector::submission::Submission};
use ipack_domain::{
    button::Button,
    form::{FormContent, Parameter},
    ids::ConnectionKey,
    post::{Choices, Outcome},
};
use ipack_storage::Database;
use ipack_testing::databases::{Kind, on_open};
use ipack_testing::world::{ACCOUNT, ANN, PASSWORD, World, in_environment, key, open};
use ipack_web::{
    compose::connector::{show, show_submitted},
    views::ConnectorView,
};

on_both!(
    f09_of_many_saves_of_one_version_exactly_one_wins,
    f09_every_round_has_one_winner_and_nothing_is_lost,
    f09_saves_to_every_environment_do_not_stop_each_other,
);

async fn admins(world: &World, count: usize) -> Vec<Admin> {
    let mut admins = Vec::new();
    for number in 0..count {
        let email = format!("admin-{number}@example.com");
        world.services.create_admin(&email, PASSWORD.into(), Some(ACCOUNT)).await.expect("an admin");
        admins.push(world.admin(&email).await);
    }
    admins
}

async fn load(services: &Services, admin: &Admin, key: &ConnectionKey) -> ConnectorView {
    let record = services.connector(admin, key).await.expect("the form");
    show(services, record).await.expect("its page")
}

async fn post(
    services: &Services,
    admin: &Admin,
    key: &ConnectionKey,
    submission: Submission,
) -> ConnectorView {
    let submitted = services.submit(admin, key, submission).await.expect("an answer");
    show_submitted(services, submitted).await.expect("its page")
}

fn save(view: &ConnectorView, content: FormContent) -> Submission {
    Submission { button: Button::Save, choices: Choices::default(), base: view.base.clone(), content }
}

async fn f09_of_many_saves_of_one_version_exactly_one_wins(database: Database) {
    let world = World::new(database).await;
    let services = &world.services;
    let admins = admins(&world, 8).await;
    let saves = admins.iter().map(async |admin| {
        let view = load(services, admin, &key()).await;
        let content = FormContent { client_id: admin.email.clone(), ..FormContent::default() };
        (admin, save(&view, content))
    });
    let saves = join_all(saves).await;
    let tasks = saves.into_iter().map(|(admin, submission)| {
        let (services, admin) = (services.clone(), admin.clone());
        tokio::spawn(async move { (admin.email.clone(), post(&services, &admin, &key(), submission).await) })
    });
    let views: Vec<_> = join_all(tasks).await.into_iter().map(|done| done.expect("no panic")).collect();
    let winners: Vec<_> = views.iter().filter(|(_, view)| view.outcome == Outcome::Saved).collect();
    assert_eq!(winners.len(), 1);
    let (winner, _) = winners[0];
    assert_eq!(world.api_read(&key()).await.expect("saved").1, *winner);
    for (email, view) in views.iter().filter(|(email, _)| email != winner) {
        assert_eq!(view.outcome, Outcome::Conflicting, "{email}");
        assert_eq!(view.base.content.client_id, *email, "what they typed is kept");
        let conflict = view.conflict.as_ref().expect("both sides are shown");
        assert_eq!(conflict.by, *winner);
    }
    assert_eq!(world.count("drafts").await, 7);
    assert_eq!(world.count("timeline WHERE kind = 'details_saved'").await, 1);
}

async fn f09_every_round_has_one_winner_and_nothing_is_lost(database: Database) {
    let world = World::new(database).await;
    let admins = admins(&world, 4).await;
    // Each adds a row of their own until it is in, and settles every conflict with the choices proposed.
    let tasks = admins.into_iter().map(|admin| {
        let services = world.services.clone();
        tokio::spawn(async move {
            for round in 0..5 {
                let view = load(&services, &admin, &key()).await;
                let mut content = view.base.content.clone();
                content.authorization.push(Parameter::new(format!("{} {round}", admin.email), "x"));
                let mut view = post(&services, &admin, &key(), save(&view, content)).await;
                while view.outcome == Outcome::Conflicting {
                    // Their rows and those saved meanwhile.
                    let saved = load(&services, &admin, &key()).await;
                    assert!(
                        saved
                            .base
                            .content
                            .authorization
                            .iter()
                            .any(|row| row.key == format!("{} {round}", admin.email))
                    );
                    let discard =
                        Submission { button: Button::Discard, ..save(&saved, saved.base.content.clone()) };
                    let fresh = post(&services, &admin, &key(), discard).await;
                    let mut content = fresh.base.content.clone();
                    content.authorization.push(Parameter::new(format!("{} {round}", admin.email), "x"));
                    view = post(&services, &admin, &key(), save(&fresh, content)).await;
                }
                assert_eq!(view.outcome, Outcome::Saved);
            }
        })
    });
    for done in join_all(tasks).await {
        done.expect("no panic");
    }
    let (details, _) = world.api_read(&key()).await.expect("saved");
    for number in 0..4 {
        for round in 0..5 {
            assert!(
                details.contains(&format!("admin-{number}@example.com {round}")),
                "{number} {round}: {details}"
            );
        }
    }
    assert_eq!(world.count("timeline WHERE kind = 'details_saved'").await, 20);
}

async fn f09_saves_to_every_environment_do_not_stop_each_other(database: Database) {
    let world = World::new(database).await;
    let environments: Vec<String> = (1..=4).map(|number| format!("env-{number}")).collect();
    for environment in &environments {
        world.place(ACCOUNT, &in_environment(environment)).await;
    }
    let admins = admins(&world, 4).await;
    for round in 0..6 {
        let tasks = admins.clone().into_iter().zip(environments.clone()).map(|(admin, environment)| {
            let services = world.services.clone();
            tokio::spawn(async move {
                let key = in_environment(&environment);
                let view = load(&services, &admin, &key).await;
                let mut content = FormContent { every_environment: true, ..view.base.content.clone() };
                content.client_id = format!("{environment} {round}");
                content.authorization = vec![Parameter::new("a", "1"), Parameter::new("b", "2")];
                if environment.as_str() > "env-2" {
                    content.authorization.reverse();
                }
                let submitted = post(&services, &admin, &key, save(&view, content)).await;
                if submitted.outcome != Outcome::Saved {
                    let discard = Submission {
                        button: Button::Discard,
                        ..save(&submitted, submitted.base.content.clone())
                    };
                    post(&services, &admin, &key, discard).await;
                }
            })
        });
        for done in join_all(tasks).await {
            done.expect("no panic");
        }
        let mut ids = Vec::new();
        for environment in &environments {
            ids.push(world.api_read(&in_environment(environment)).await.expect("saved").1);
        }
        assert!(ids.iter().all(|id| id.ends_with(&format!(" {round}"))), "{ids:?}");
    }
}

/// The API saves another environment while a save for every environment is between its look at it and its write.
#[test]
fn f09_a_save_elsewhere_in_the_middle_of_another_is_never_written_over() {
    let name = "f09_a_save_elsewhere_in_the_middle_of_another_is_never_written_over";
    on_open(name, Kind::Postgres, |database| Box::pin(save_in_the_middle(database)));
}

async fn save_in_the_middle(database: Database) {
    let world = World::new(database.clone()).await;
    let other = in_environment("env-2");
    world.place(ACCOUNT, &other).await;
    for key in [key(), other.clone()] {
        world.api_save(&key, r#"{"baseURL":"https://before.example"}"#, "before").await;
    }
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let form = form.content("base_url", "https://mine.example").content("every_environment", "true");
    // The save has looked at the other environment when it waits for this row.
    let Database::Postgres(pool) = &database else { panic!("{database:?} is no PostgreSQL") };
    let mut holder = pool.begin().await.expect("a connection is free");
    let row = "SELECT 1 FROM connector_details WHERE environment_id = 'env-1' FOR UPDATE";
    sqlx::query(row).execute(&mut *holder).await.expect("nobody else has it");
    let saving = browser.press(&form, "save");
    let meanwhile = async {
        let waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        eventually!((world.count(waiting).await > 0).then_some(()));
        world.api_save(&other, r#"{"baseURL":"https://theirs.example"}"#, "theirs").await;
        holder.rollback().await.expect("rolled back");
    };
    let (page, ()) = futures::future::join(saving, meanwhile).await;
    assert_eq!(page.status, 200);
    assert!(page.path.ends_with("#every_environment"), "{}", page.path);
    let (details, _) = world.api_read(&other).await.expect("saved");
    assert!(details.contains("https://theirs.example"), "{details}");
}
