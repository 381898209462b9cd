//! axum-login with tower-sessions in SQLite: a session, a user and a permission are looked up for
//! each request. `axum_login ADDRESS DATABASE`: `/login` sets the cookie, `/check` wants it.

use std::{collections::HashSet, str::FromStr};

use axum::{Router, http::StatusCode, response::IntoResponse, routing::get};
use axum_login::{
    AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, AuthzBackend, UserId,
};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::time::Duration};
use tower_sessions_sqlx_store::SqliteStore;

#[derive(Clone, Debug, sqlx::FromRow)]
struct User {
    id: i64,
    username: String,
    password: String,
}

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password.as_bytes()
    }
}

#[derive(Clone)]
struct Backend(SqlitePool);

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = ();
    type Error = sqlx::Error;

    async fn authenticate(&self, (): ()) -> Result<Option<User>, sqlx::Error> {
        self.get_user(&1).await
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, sqlx::Error> {
        sqlx::query_as("SELECT id, username, password FROM users WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.0)
            .await
    }
}

impl AuthzBackend for Backend {
    type Permission = String;

    async fn get_group_permissions(&self, user: &User) -> Result<HashSet<String>, sqlx::Error> {
        let names: Vec<(String,)> = sqlx::query_as(
            "SELECT p.name FROM members m JOIN group_permissions p ON p.group_id = m.group_id \
             WHERE m.user_id = ?",
        )
        .bind(user.id)
        .fetch_all(&self.0)
        .await?;
        Ok(names.into_iter().map(|(name,)| name).collect())
    }
}

async fn login(mut auth: AuthSession<Backend>) -> Result<StatusCode, StatusCode> {
    let fail = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let user = auth.authenticate(()).await.map_err(fail)?.ok_or(StatusCode::UNAUTHORIZED)?;
    auth.login(&user).await.map_err(fail)?;
    Ok(StatusCode::OK)
}

async fn check(auth: AuthSession<Backend>) -> Result<impl IntoResponse, StatusCode> {
    let user = auth.user.ok_or(StatusCode::UNAUTHORIZED)?;
    let held = auth.backend.has_perm(&user, "bench.view".to_owned()).await;
    match held {
        Ok(true) => Ok([("X-User", user.username)]),
        Ok(false) => Err(StatusCode::FORBIDDEN),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (address, database) =
        (arguments.next().ok_or("no address")?, arguments.next().ok_or("no database")?);
    let options = SqliteConnectOptions::from_str(&format!("sqlite:{database}"))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePool::connect_with(options).await?;
    let store = SqliteStore::new(pool.clone());
    store.migrate().await?;
    sqlx::raw_sql(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password TEXT);
         CREATE TABLE members (user_id INTEGER, group_id INTEGER, PRIMARY KEY (user_id, group_id));
         CREATE TABLE group_permissions (group_id INTEGER, name TEXT, PRIMARY KEY (group_id, name));
         INSERT INTO users VALUES (1, 'user0', '!');
         INSERT INTO members VALUES (1, 1);
         INSERT INTO group_permissions VALUES (1, 'bench.view');",
    )
    .execute(&pool)
    .await?;
    let sessions = SessionManagerLayer::new(store)
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::days(1)));
    let auth = AuthManagerLayerBuilder::new(Backend(pool), sessions).build();
    let app = Router::new().route("/login", get(login)).route("/check", get(check)).layer(auth);
    axum::serve(tokio::net::TcpListener::bind(address).await?, app).await?;
    Ok(())
}
