//! A whole server on a fresh database, on a port of its own, stopped when it goes.

use std::{
    ffi::OsString,
    net::TcpListener,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use actix_web::{App, HttpServer, dev::ServerHandle, web};
use vestibule_core::{
    Clock, OpCx, Secret,
    domain::{level::Action, object::DeleteRule},
    testkit::ManualClock,
    usecase::users::NewUser,
};
use vestibule_server::{
    Access, Builder, CurrentUser, LocalBackend, Problem, RequireLogin, RequirePermission,
    Vestibule,
    config::{Settings, Sources},
};
use vestibule_storage::testkit::{Database, TestDatabase};

use super::{PASSWORD, Visitor};

/// Which database the site is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Db {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "mysql")]
    Mysql,
}

impl Db {
    pub(crate) fn fresh(self) -> Arc<TestDatabase> {
        let kind = match self {
            Self::Sqlite => Database::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres => Database::Postgres,
            #[cfg(feature = "mysql")]
            Self::Mysql => Database::Mysql,
        };
        Arc::new(TestDatabase::fresh(kind))
    }
}

/// A running site.
pub(crate) struct TestSite {
    pub(crate) origin: String,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) vestibule: Vestibule,
    pub(crate) database: Arc<TestDatabase>,
    settings: Vec<(OsString, OsString)>,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// What a test adds to the site.
type Extend = Box<dyn FnOnce(Builder) -> Builder + Send>;

/// A site that is about to be started.
pub(crate) struct Plan {
    database: Arc<TestDatabase>,
    clock: Arc<ManualClock>,
    settings: Vec<(OsString, OsString)>,
    prefix: &'static str,
    has_local: bool,
    extend: Extend,
}

impl TestSite {
    /// With default settings.
    pub(crate) fn start(db: Db) -> Self {
        Self::plan(db).start()
    }

    pub(crate) fn plan(db: Db) -> Plan {
        Plan {
            database: db.fresh(),
            clock: Arc::new(ManualClock::default()),
            settings: vec![
                // Tests log in far more often than people, all from one address.
                ("VESTIBULE_LIMITS__LOGIN_PER_ADDRESS".into(), "unlimited".into()),
            ],
            prefix: "",
            has_local: true,
            extend: Box::new(|builder| builder),
        }
    }

    /// A second server process's worth of the same site: same database and clock, other memory.
    pub(crate) fn replica(&self) -> Self {
        self.replica_with(|builder| builder)
    }

    /// The same, with other parts.
    pub(crate) fn replica_with(
        &self,
        extend: impl FnOnce(Builder) -> Builder + Send + 'static,
    ) -> Self {
        self.replica_as(&[], extend)
    }

    /// The same, with settings too.
    pub(crate) fn replica_as(
        &self,
        settings: &[(&str, &str)],
        extend: impl FnOnce(Builder) -> Builder + Send + 'static,
    ) -> Self {
        let plan = Plan {
            database: Arc::clone(&self.database),
            clock: Arc::clone(&self.clock),
            settings: self.settings.clone(),
            prefix: "",
            has_local: true,
            extend: Box::new(extend),
        };
        settings.iter().fold(plan, |plan, (key, value)| plan.set(key, value)).start()
    }

    /// The same with other settings and parts.
    pub(crate) fn replica_at(&self, mut plan: Plan) -> Self {
        plan.database = Arc::clone(&self.database);
        plan.clock = Arc::clone(&self.clock);
        plan.start()
    }

    /// Somebody without cookies.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(&self.origin)
    }

    /// Makes an account with [`PASSWORD`].
    pub(crate) fn user(&self, name: &str) -> String {
        self.account(NewUser { username: name.to_owned(), ..NewUser::default() })
    }

    /// Makes an account; answers its id.
    pub(crate) fn account(&self, mut new: NewUser) -> String {
        new.password.get_or_insert_with(|| Secret::new(PASSWORD));
        let users = &self.vestibule.site().services.users;
        let user = block_on(users.add(&self.operator(), new)).unwrap();
        user.id.to_string()
    }

    /// Makes an account and logs it in.
    pub(crate) fn logged_in(&self, name: &str) -> Visitor {
        self.user(name);
        let mut visitor = self.visitor();
        visitor.log_in(name, PASSWORD).expect(200);
        visitor
    }

    /// A superuser who is logged in.
    pub(crate) fn admin(&self) -> Visitor {
        let new = NewUser {
            username: "admin".to_owned(),
            is_superuser: true,
            is_staff: true,
            ..NewUser::default()
        };
        self.account(new);
        let mut visitor = self.visitor();
        visitor.log_in("admin", PASSWORD).expect(200);
        visitor
    }

    /// By what right, or why not: of all audit events of that name, in their order.
    pub(crate) fn audit_texts(&self, action: &str) -> Vec<String> {
        let query = format!(
            "select by_right as answer from audit_events where action = '{action}' order by id"
        );
        self.database.connection().texts(&query)
    }

    /// Ends what the server does beside answering, as a stop of it does.
    pub(crate) fn stop_work(&self) {
        actix_web::rt::System::new().block_on(self.vestibule.shut_down());
    }

    /// The operator at the command line.
    pub(crate) fn operator(&self) -> OpCx {
        self.vestibule.job_cx("command line")
    }
}

impl Plan {
    /// With another setting, by its key.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        let (section, key) = key.split_once('.').unwrap();
        let name = format!("VESTIBULE_{}__{}", section.to_uppercase(), key.to_uppercase());
        self.settings.push((name.into(), value.into()));
        self
    }

    pub(crate) fn prefix(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// Where no password is taken here.
    pub(crate) fn without_local(mut self) -> Self {
        self.has_local = false;
        self
    }

    /// With more than the usual parts.
    pub(crate) fn extend(
        mut self,
        extend: impl FnOnce(Builder) -> Builder + Send + 'static,
    ) -> Self {
        self.extend = Box::new(extend);
        self
    }

    /// Why it does not start.
    pub(crate) fn refusal(self) -> String {
        let settings = match Settings::load(&Sources::new(None, self.settings)) {
            Ok(settings) => settings,
            Err(error) => return error.to_string(),
        };
        let builder = Vestibule::builder().settings(settings).storage(self.database.url());
        let builder = (self.extend)(builder.backend(LocalBackend::default()));
        let built = actix_web::rt::System::new().block_on(builder.build());
        built.map(drop).expect_err("it starts").to_string()
    }

    /// At the address it listens on.
    pub(crate) fn start(self) -> TestSite {
        self.start_at(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// At this address.
    pub(crate) fn start_at(mut self, listener: TcpListener) -> TestSite {
        let origin = format!("http://{}", listener.local_addr().unwrap());
        self.settings.push(("VESTIBULE_SITE__BASE_URL".into(), origin.into()));
        self.listen(listener)
    }

    /// Under the `base_url` that was set, as behind a proxy.
    pub(crate) fn start_with_own_url(self) -> TestSite {
        self.listen(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn listen(self, listener: TcpListener) -> TestSite {
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let is_ours = |(key, _): &&(OsString, OsString)| key != "VESTIBULE_SITE__BASE_URL";
        let given = self.settings.iter().filter(is_ours).cloned().collect();
        let settings = Settings::load(&Sources::new(None, self.settings)).unwrap();
        let (started, running) = mpsc::channel();
        let (clock, database) = (Arc::clone(&self.clock), Arc::clone(&self.database));
        let (prefix, storage, extend) = (self.prefix, database.url().to_owned(), self.extend);
        let has_local = self.has_local;
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let builder = Vestibule::builder()
                    .settings(settings)
                    .storage(&storage)
                    .clock(clock as Arc<dyn Clock>);
                let builder =
                    if has_local { builder.backend(LocalBackend::default()) } else { builder };
                let vestibule = extend(permissions(builder)).build().await.unwrap();
                let app = vestibule.clone();
                let server = HttpServer::new(move || {
                    App::new().configure(service).configure(app.mount(prefix))
                })
                .workers(2)
                .disable_signals()
                .shutdown_timeout(1)
                .listen(listener)
                .unwrap()
                .run();
                started.send((vestibule, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (vestibule, server) = running.recv().expect("the site starts");
        TestSite {
            origin,
            clock: self.clock,
            vestibule,
            database: self.database,
            settings: given,
            server,
            thread: Some(thread),
        }
    }
}

impl Drop for TestSite {
    fn drop(&mut self) {
        // Completes only in the server's own thread; asking is enough.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a small service beside the hall checks.
fn permissions(builder: Builder) -> Builder {
    builder
        .object_permission("calc.view", "See calculations", "calc", Action::View)
        .object_permission("calc.annotate", "Comment on calculations", "calc", Action::Annotate)
        .object_permission("calc.edit", "Change calculations", "calc", Action::Edit)
        .object_permission("calc.delete", "Delete calculations", "calc", Action::Delete)
        .object_permission("calc.abort", "Abort calculations", "calc", Action::Edit)
        .object_permission("calc.share", "Share calculations", "calc", Action::Manage)
        .object_permission("run.view", "See runs", "run", Action::View)
        .object_permission("run.delete", "Delete runs", "run", Action::Delete)
        .delete_rule("run", DeleteRule::OwnerOnly)
        .permission("calc.start", "Start calculations")
        .permission("app.view", "See the application")
        .permission("app.view_secret", "See the application's secrets")
}

/// The small service itself.
fn service(cfg: &mut web::ServiceConfig) {
    cfg.route("/own/whoami", web::to(whoami))
        .route("/own/maybe", web::get().to(maybe))
        .route("/own/calc/{id}", web::get().to(show_calc))
        .route("/own/calc/{id}/log", web::get().to(show_calc))
        .route("/own/calc/{id}/abort", web::post().to(abort_calc))
        .route("/own/slow", web::get().to(slow))
        .service(web::scope("/own/inside").wrap(RequireLogin).route("", web::get().to(inside)))
        .service(
            web::scope("/own/start")
                .wrap(RequirePermission::new("calc.start"))
                .route("", web::get().to(inside)),
        );
}

async fn whoami(user: CurrentUser) -> String {
    user.username().to_owned()
}

async fn maybe(user: Option<CurrentUser>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.username().to_owned())
}

async fn show_calc(access: Access, id: web::Path<String>) -> Result<String, Problem> {
    access.require("calc.view", ("calc", id.as_str())).await?;
    Ok(format!("calculation {id}"))
}

async fn abort_calc(access: Access, id: web::Path<String>) -> Result<String, Problem> {
    access.require("calc.abort", ("calc", id.as_str())).await?;
    Ok(format!("aborted {id}"))
}

async fn slow(user: CurrentUser) -> String {
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    user.username().to_owned()
}

async fn inside() -> &'static str {
    "inside"
}

/// Runs a future to its end on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    futures_executor::block_on(future)
}
